package mailin_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
	"supportd/tickets"
)

func startScript(t testing.TB, s *imaptest.Script) *imaptest.Script {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func scriptMails(n int) []imaptest.ScriptMail {
	var mails []imaptest.ScriptMail
	for i := 1; i <= n; i++ {
		mails = append(mails, imaptest.ScriptMail{UID: uint32(i), Body: string(mail(i))})
	}
	return mails
}

func isFetch(command, item string) bool {
	return strings.HasPrefix(command, "UID FETCH") && strings.Contains(command, item)
}

// follow runs a Poller against a script until n messages are settled.
func follow(t *testing.T, s *imaptest.Script, n int, change func(*mailin.Poller)) []kept {
	t.Helper()
	d := newDesk()
	p := newPoller(s.Port(), d)
	if change != nil {
		change(p)
	}
	stop := run(t, p)
	list := d.waitFor(t, "messages", count(n))
	stop()
	return list
}

// wantAll checks that UIDs 1 to n were settled once each, whole.
func wantAll(t *testing.T, list []kept, n int) {
	t.Helper()
	seen := map[uint32]int{}
	for _, k := range list {
		seen[k.Source.UID]++
		if k.Absent != tickets.Present || string(k.Raw) != string(mail(int(k.Source.UID))) {
			t.Errorf("UID %d: %q, %d octets", k.Source.UID, k.Absent, len(k.Raw))
		}
	}
	for uid := uint32(1); uid <= uint32(n); uid++ {
		if seen[uid] != 1 {
			t.Errorf("UID %d settled %d times", uid, seen[uid])
		}
	}
	if len(list) != n {
		t.Errorf("settled %d, want %d: %s", len(list), n, describe(list))
	}
}

// TestOnlyPlainItems: rule 6, S-003. Nothing is asked for that a server could answer with a structure, and no body
// without PEEK.
func TestOnlyPlainItems(t *testing.T) {
	s := startScript(t, &imaptest.Script{})
	s.SetMails(scriptMails(3)...)
	wantAll(t, follow(t, s, 3, nil), 3)
	for _, c := range s.Commands() {
		for _, bad := range []string{"ENVELOPE", "STRUCTURE", "BODY[", "BODY ", "ENABLE", "SEEN", "RECENT"} {
			if strings.Contains(strings.ToUpper(c), bad) {
				t.Errorf("asked %q", c)
			}
		}
	}
}

// TestSilentServer: rule 3, S-019, S-154. A server that stops answering, at any command, is left after the step limit
// and the mail comes in over the next connection.
func TestSilentServer(t *testing.T) {
	for _, verb := range []string{"CAPABILITY", "LOGIN", "EXAMINE", "UID SEARCH", "RFC822.SIZE", "BODY.PEEK[]", "IDLE", "IDLE, later"} {
		t.Run(verb, func(t *testing.T) {
			hang := make(chan struct{})
			s := &imaptest.Script{Handle: func(c *imaptest.ScriptConn, _, command string) bool {
				silent := strings.TrimSuffix(verb, ", later")
				if c.Number > 1 || !strings.Contains(command, silent) {
					return false
				}
				if silent != verb {
					c.Send("+ idling") // and then the line is dead
				}
				<-hang
				return true
			}}
			startScript(t, s)
			t.Cleanup(func() { close(hang) })
			s.SetMails(scriptMails(2)...)
			d := newDesk()
			p := newPoller(s.Port(), d)
			p.Timing.Step = 100 * time.Millisecond
			p.Mailbox.Poll = 50 * time.Millisecond
			run(t, p)
			d.waitFor(t, "messages", count(2))
			if strings.HasPrefix(verb, "IDLE") {
				s.SetMails(scriptMails(3)...)
				d.waitFor(t, "mail that came during IDLE", count(3))
			}
		})
	}
}

// TestSlowServer: S-154. An octet now and then does not keep a connection alive for ever.
func TestSlowServer(t *testing.T) {
	s := &imaptest.Script{Handle: func(c *imaptest.ScriptConn, tag, command string) bool {
		if c.Number > 1 || !isFetch(command, "BODY") {
			return false
		}
		c.Send("* 1 FETCH (UID 1 BODY[] {1000}")
		for range 1000 {
			if _, err := c.Write([]byte("x")); err != nil {
				return true
			}
			<-time.After(20 * time.Millisecond) // slowness is the point
		}
		return true
	}}
	startScript(t, s)
	s.SetMails(scriptMails(2)...)
	wantAll(t, follow(t, s, 2, func(p *mailin.Poller) { p.Timing.Step = 50 * time.Millisecond }), 2)
}

// TestOddAnswers: rule 10, S-013, S-014. What is merely odd is borne; what the client cannot read ends the connection,
// and the next one goes on. Nothing is lost, doubled or mixed up.
func TestOddAnswers(t *testing.T) {
	for _, odd := range []string{
		"* XFOO bar", "* VANISHED (EARLIER) 1:3", "* 1 FETCH (XUNKNOWN 5)", "* FLAGS (a]b)", "* 99 EXISTS", "* 2 EXPUNGE",
		"* 1 FETCH (FLAGS (\\Seen))", "* 1 FETCH (UID 1 FLAGS (\\Seen))", "* 0 EXPUNGE", "* OK [ALERT] Going down", "", "+ stray",
		"* 1 FETCH (UID 77 BODY[] {3}\r\nabc)", "* LIST () \"/\" INBOX", "* SEARCH 5 5 5 3 1", "T999 OK done", "*", "* BAD nonsense",
		"* 1 FETCH (RFC822.SIZE -1)", "* 1 FETCH (INTERNALDATE \"never\")", "* 4294967296 EXISTS", "* 1 FETCH (ENVELOPE (((((",
	} {
		for _, before := range []string{"EXAMINE", "UID SEARCH", "RFC822.SIZE", "BODY.PEEK", "IDLE"} {
			t.Run(fmt.Sprintf("%q before %s", odd, before), func(t *testing.T) {
				said := false
				s := startScript(t, &imaptest.Script{Handle: func(c *imaptest.ScriptConn, tag, command string) bool {
					if c.Number == 1 && strings.Contains(command, before) && !said {
						said = true
						c.Send("%s", odd)
					}
					return false
				}})
				s.SetMails(scriptMails(5)...)
				wantAll(t, follow(t, s, 5, func(p *mailin.Poller) { p.Timing.Step = time.Second }), 5)
			})
		}
	}
}

// TestDisorder: S-013, S-014. Answers doubled, unasked and in any order, between EXISTS, EXPUNGE and FLAGS.
func TestDisorder(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			s := &imaptest.Script{}
			s.Handle = func(c *imaptest.ScriptConn, tag, command string) bool {
				if !isFetch(command, "BODY.PEEK[]") {
					return false
				}
				rnd := rand.New(rand.NewPCG(seed, uint64(len(s.Commands()))))
				mails := s.Mails()
				mails = append(mails, mails[rnd.IntN(len(mails))], imaptest.ScriptMail{UID: 900, Body: "unasked"})
				rnd.Shuffle(len(mails), func(i, j int) { mails[i], mails[j] = mails[j], mails[i] })
				for i, m := range mails {
					switch rnd.IntN(4) {
					case 0:
						c.Send("* %d EXISTS", 30+i)
					case 1:
						c.Send("* %d FETCH (FLAGS (\\Seen))", 1+rnd.IntN(30))
					case 2:
						c.Send("* 29 EXPUNGE")
					}
					c.Fetch(i+1, m, "BODY.PEEK[]")
				}
				c.Send("%s OK done", tag)
				return true
			}
			startScript(t, s)
			s.SetMails(scriptMails(30)...)
			wantAll(t, follow(t, s, 30, func(p *mailin.Poller) { p.InFlight = 1000 }), 30)
		})
	}
}

// TestUIDAfterLiteral: rule 9, S-010. A server that gives the UID after the body loses the message on the client's way;
// it is asked for alone, stands as a hole, and ends as unfetchable, not as nothing.
func TestUIDAfterLiteral(t *testing.T) {
	for _, answer := range []string{
		"* 2 FETCH (BODY[] {3}\r\nabc UID 2)", // UID too late
		"* 2 FETCH (BODY[] {3}\r\nabc)",       // no UID
		"* 2 FETCH (UID 2 BODY[] NIL)",        // no body
		"* 2 FETCH (UID 2 BODY[] {0}\r\n)",    // empty
		"* 2 FETCH (UID 2 FLAGS ())",          // another item
		// Unasked news of a message before its body: the client takes the first answer for the message, and drops the other.
		"* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 BODY[] {3}\r\nabc)",
		"", // left out
	} {
		t.Run(answer, func(t *testing.T) {
			s := &imaptest.Script{}
			s.Handle = func(c *imaptest.ScriptConn, tag, command string) bool {
				if !isFetch(command, "BODY.PEEK[]") {
					return false
				}
				set := strings.Fields(command)[2]
				for i, m := range s.Mails() {
					switch {
					case m.UID == 2 && answer != "":
						c.Send("%s", answer)
					case m.UID != 2 && set != "2":
						c.Fetch(i+1, m, "BODY.PEEK[]")
					}
				}
				c.Send("%s OK done", tag)
				return true
			}
			startScript(t, s)
			s.SetMails(scriptMails(5)...)
			list := follow(t, s, 5, nil)
			for i, want := range []uint32{1, 3, 4, 5, 2} {
				if k := list[i]; k.Source.UID != want || (want == 2) != (k.Absent == tickets.Unfetchable) {
					t.Errorf("%d: UID %d %q", i, k.Source.UID, k.Absent)
				}
			}
		})
	}
}

// TestPoisonMessage: a message whose answer ends the connection each time does not keep the others from coming in.
func TestPoisonMessage(t *testing.T) {
	for _, item := range []string{"BODY.PEEK[]", "RFC822.SIZE"} {
		t.Run(item, func(t *testing.T) {
			s := &imaptest.Script{}
			s.Handle = func(c *imaptest.ScriptConn, tag, command string) bool {
				if !isFetch(command, item) {
					return false
				}
				set := strings.Fields(command)[2]
				for i, m := range s.Mails() {
					switch {
					case !fetches(set, m.UID):
					case m.UID == 3:
						c.Send("* 3 FETCH (UID 3 XBROKEN {zzz)")
						return true
					default:
						c.Fetch(i+1, m, command)
					}
				}
				c.Send("%s OK done", tag)
				return true
			}
			startScript(t, s)
			s.SetMails(scriptMails(6)...)
			list := follow(t, s, 6, func(p *mailin.Poller) { p.Timing.Step = time.Second })
			var uids []uint32
			for _, k := range list {
				uids = append(uids, k.Source.UID)
				if k.Source.UID == 3 && item == "BODY.PEEK[]" && k.Absent != tickets.Unfetchable {
					t.Errorf("UID 3 settled as %q", k.Absent)
				}
				if k.Source.UID == 3 && item == "RFC822.SIZE" && string(k.Raw) != string(mail(3)) {
					t.Errorf("UID 3: %q, %d octets: its body can be had", k.Absent, len(k.Raw))
				}
			}
			if slices.Sort(uids); !slices.Equal(uids, []uint32{1, 2, 3, 4, 5, 6}) {
				t.Errorf("settled %v", uids)
			}
		})
	}
}

func fetches(set string, uid uint32) bool {
	for part := range strings.SplitSeq(set, ",") {
		var low, high uint32
		switch n, _ := fmt.Sscanf(strings.Replace(part, "*", "99999", 1), "%d:%d", &low, &high); n {
		case 1:
			high = low
		}
		if low <= uid && uid <= high {
			return true
		}
	}
	return false
}

// TestLyingSizes: S-016. RFC822.SIZE says anything; what comes is what counts.
func TestLyingSizes(t *testing.T) {
	s := startScript(t, &imaptest.Script{})
	large := string(mail(1)) + strings.Repeat("y", 5<<20)
	s.SetMails(
		imaptest.ScriptMail{UID: 1, Body: large, Size: "10"},
		imaptest.ScriptMail{UID: 2, Body: string(mail(2)), Size: "5000000"},
		imaptest.ScriptMail{UID: 3, Body: string(mail(3)), Size: "0"},
	)
	list := follow(t, s, 3, nil)
	if string(list[0].Raw) != large || string(list[1].Raw) != string(mail(2)) || string(list[2].Raw) != string(mail(3)) {
		t.Errorf("got %d, %d and %d octets", len(list[0].Raw), len(list[1].Raw), len(list[2].Raw))
	}
}

// TestHugeLiteral: S-015. A body announced as 4 GiB is not believed and not read: a prefix of it is handed over, the
// connection ends, memory stays as it is.
func TestHugeLiteral(t *testing.T) {
	s := &imaptest.Script{Handle: func(c *imaptest.ScriptConn, tag, command string) bool {
		if !isFetch(command, "BODY.PEEK[]") || !fetches(strings.Fields(command)[2], 1) {
			return false
		}
		c.Send("* 1 FETCH (UID 1 BODY[] {4294967295}")
		line := strings.Repeat("z", 1022) + "\r\n"
		for {
			if _, err := c.Write([]byte(line)); err != nil {
				return true
			}
		}
	}}
	startScript(t, s)
	s.SetMails(scriptMails(3)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	list := follow(t, s, 3, nil)
	runtime.ReadMemStats(&after)
	if k := list[0]; k.Source.UID != 1 || k.Absent != tickets.Oversize || len(k.Raw) != 256<<10 {
		t.Errorf("first: %v %q, %d octets", k.Source, k.Absent, len(k.Raw))
	}
	if got := int64(after.TotalAlloc - before.TotalAlloc); got > 32<<20 {
		t.Errorf("allocated %d MiB", got>>20)
	}
}

// TestFloods: S-153. Answers that are larger or deeper than any need end the connection, and not the process.
func TestFloods(t *testing.T) {
	for name, flood := range map[string]string{
		"status line":     "* OK " + strings.Repeat("a", 1<<20),
		"continuation":    "+ " + strings.Repeat("a", 1<<20),
		"no words":        strings.Repeat("a", 1<<20),
		"nested":          "* 1 FETCH (BODYSTRUCTURE " + strings.Repeat("(", 2<<20),
		"text literal":    "* LIST () \"/\" {104857600}\r\n" + strings.Repeat("a", 1<<20),
		"quoted":          "* LIST () \"/\" \"" + strings.Repeat("a", 17<<20),
		"all UIDs":        "* ESEARCH (TAG \"T1\") UID ALL 1:4294967295",
		"many UIDs":       "* SEARCH" + strings.Repeat(" 1 4294967295", 2<<20),
		"status literal":  "* OK x {1000000}\r\n* 1 FETCH (BODYSTRUCTURE " + strings.Repeat("(", 2<<20),
		"quoted literal":  "* LIST () \"/\" \"x {1000000}\r\n\"\r\n* 1 FETCH (BODYSTRUCTURE " + strings.Repeat("(", 2<<20),
		"many statements": strings.Repeat("* OK again and again and again\r\n", 3<<20),
	} {
		t.Run(name, func(t *testing.T) {
			s := startScript(t, &imaptest.Script{Handle: func(c *imaptest.ScriptConn, tag, command string) bool {
				if c.Number == 1 && strings.HasPrefix(command, "UID SEARCH") {
					c.Send("%s", strings.Replace(flood, `"T1"`, `"`+tag+`"`, 1))
				}
				return false
			}})
			s.SetMails(scriptMails(2)...)
			wantAll(t, follow(t, s, 2, func(p *mailin.Poller) { p.Timing.Step = time.Second }), 2)
			if s.Connections() < 2 {
				t.Error("the connection went on")
			}
		})
	}
}

// TestNoLastingUIDs: S-008. Without UIDVALIDITY, or with UIDNOTSTICKY, content identity alone tells new from known.
func TestNoLastingUIDs(t *testing.T) {
	for _, c := range []struct{ validity, greeting string }{{"none", ""}, {"7", "* NO [UIDNOTSTICKY] Non-persistent UIDs"}} {
		s := &imaptest.Script{UIDValidity: c.validity}
		s.Handle = func(conn *imaptest.ScriptConn, tag, command string) bool {
			if c.greeting != "" && strings.HasPrefix(command, "EXAMINE") {
				conn.Send("%s", c.greeting)
			}
			return false
		}
		startScript(t, s)
		s.SetMails(scriptMails(20)...)
		d := newDesk()
		var log logLines
		p := newPoller(s.Port(), d)
		p.Log = log.logger()
		run(t, p)
		for round := 1; round <= 3; round++ {
			list := d.waitFor(t, "round", count(20*round))
			created := 0
			for _, k := range list {
				if k.Result == tickets.Created {
					created++
				}
			}
			if created != 20 {
				t.Errorf("round %d: created %d, want 20", round, created)
			}
			s.Drop()
		}
		if !log.has("mailbox has no lasting uids") {
			t.Error("no warning")
		}
	}
}
