package mailin_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"supportd/mailin"
	"supportd/mailin/imaptest"
	"supportd/tickets"
)

// handler answers a command of a script, or leaves it to the ordinary answer.
type handler func(c *imaptest.ScriptConn, tag, command string) bool

// says puts a line before the ordinary answer to a command with the word, up to three times: not all of these can be borne,
// and then the next try has to do.
func says(word, line string) handler {
	var n atomic.Int32
	return func(c *imaptest.ScriptConn, _, command string) bool {
		if strings.Contains(command, word) && n.Add(1) <= 3 {
			c.Send("%s", line)
		}
		return false
	}
}

// instead answers the first command with the word by lines of its own; TAG stands for the tag. An empty last line ends the
// connection.
func instead(word string, times int32, lines ...string) handler {
	var n atomic.Int32
	return func(c *imaptest.ScriptConn, tag, command string) bool {
		if !strings.Contains(command, word) || n.Add(1) > times {
			return false
		}
		for _, l := range lines {
			if l == "" {
				c.Close()
				return true
			}
			c.Send("%s", strings.ReplaceAll(l, "TAG", tag))
		}
		return true
	}
}

// bodiesIn answers FETCH of bodies in an order of its own.
func bodiesIn(order func([]int) []int) handler {
	return func(c *imaptest.ScriptConn, tag, command string) bool {
		if !isFetch(command, "BODY.PEEK[]") {
			return false
		}
		mails := c.Script().Mails()
		var at []int
		for i, m := range mails {
			if fetches(strings.Fields(command)[2], m.UID) {
				at = append(at, i)
			}
		}
		for _, i := range order(at) {
			c.Fetch(i+1, mails[i], "BODY.PEEK[]")
		}
		c.Send("%s OK done", tag)
		return true
	}
}

func backwards(at []int) []int { at = slices.Clone(at); slices.Reverse(at); return at }
func twice(at []int) []int     { return append(slices.Clone(at), at...) }

// misbehaviours are servers that keep to the protocol badly, or not at all, for a while or for ever.
func misbehaviours() map[string]handler {
	flood := func(line string, n int) string { return strings.Repeat(line+"\r\n", n-1) + line }
	return map[string]handler{
		"IDLE offered and not known":             instead("IDLE", 100, "TAG BAD what"),
		"IDLE ended at once":                     instead("IDLE", 3, "+ idling", "* BYE idle no more", ""),
		"SEARCH without order":                   instead("UID SEARCH", 1, "* SEARCH 4 1 5 2 3", "TAG OK done"),
		"SEARCH with doubles":                    instead("UID SEARCH", 1, "* SEARCH 1 1 2 2 3 4 5 5 5", "TAG OK done"),
		"SEARCH lists what is gone":              instead("UID SEARCH", 1, "* SEARCH 1 2 3 4 5 77 78", "TAG OK done"),
		"SEARCH in several lines":                instead("UID SEARCH", 1, "* SEARCH 1 2", "* SEARCH 3", "* SEARCH 4 5", "TAG OK done"),
		"SEARCH finds nothing once":              instead("UID SEARCH", 1, "* SEARCH", "TAG OK done"),
		"SEARCH refused once":                    instead("UID SEARCH", 1, "TAG NO not now"),
		"SEARCH answered without a result":       instead("UID SEARCH", 1, "TAG OK done"),
		"SEARCH with zero and a huge number":     instead("UID SEARCH", 1, "* SEARCH 0 99999999999", "TAG OK done"),
		"UIDNEXT goes back":                      says("EXAMINE", "* OK [UIDNEXT 1] predicted"),
		"EXISTS shrinks":                         says("EXAMINE", "* 5 EXISTS\r\n* 0 EXISTS"),
		"EXISTS grows without end":               says("UID FETCH", "* 4294967295 EXISTS"),
		"EXPUNGE of everything, unasked":         says("UID FETCH", flood("* 1 EXPUNGE", 5)),
		"a tag used again":                       says("UID FETCH", "T1 OK done\r\nT2 OK done"),
		"the tagged answer comes twice":          instead("CAPABILITY", 1, "* CAPABILITY IMAP4rev1 IDLE", "TAG OK done", "TAG OK done"),
		"a tag of nobody":                        says("UID SEARCH", "ZZZ9 NO who"),
		"BYE at LOGIN":                           instead("LOGIN", 1, "* BYE later", ""),
		"BYE at EXAMINE":                         instead("EXAMINE", 1, "* BYE later", ""),
		"BYE at SEARCH":                          instead("UID SEARCH", 1, "* BYE later", ""),
		"BYE at FETCH":                           instead("BODY.PEEK", 1, "* BYE later", ""),
		"BYE, and goes on":                       says("UID SEARCH", "* BYE not really"),
		"closed without a word":                  instead("BODY.PEEK", 2, ""),
		"LOGIN: too many connections":            instead("LOGIN", 2, "TAG NO [LIMIT] Too many connections"),
		"LOGIN: not available":                   instead("LOGIN", 1, "TAG NO [UNAVAILABLE] try later"),
		"EXAMINE: in use":                        instead("EXAMINE", 1, "TAG NO [INUSE] locked"),
		"EXAMINE: read only, and says so":        says("EXAMINE", "* OK [READ-ONLY] look only"),
		"CAPABILITY unknown":                     instead("CAPABILITY", 100, "TAG BAD what"),
		"CAPABILITY empty":                       instead("CAPABILITY", 1, "* CAPABILITY", "TAG OK done"),
		"NIL for a body":                         instead("BODY.PEEK", 1, "* 1 FETCH (UID 1 BODY[] NIL)", "TAG OK done"),
		"an empty body":                          instead("BODY.PEEK", 1, "* 1 FETCH (UID 1 BODY[] {0}\r\n)", "TAG OK done"),
		"a body shorter than it says":            instead("BODY.PEEK", 1, "* 1 FETCH (UID 1 BODY[] {9999}\r\nSubject: x\r\n", ""),
		"a body of negative length":              instead("BODY.PEEK", 1, "* 1 FETCH (UID 1 BODY[] {-1}\r\nabc)", "TAG OK done"),
		"a body of no number":                    instead("BODY.PEEK", 1, "* 1 FETCH (UID 1 BODY[] {abc}\r\nabc)", "TAG OK done"),
		"bodies backwards":                       bodiesIn(backwards),
		"bodies twice":                           bodiesIn(twice),
		"FETCH refused once":                     instead("BODY.PEEK", 1, "TAG NO [SERVERBUG] internal"),
		"FETCH not understood once":              instead("BODY.PEEK", 1, "TAG BAD what"),
		"a description without UIDs":             instead("RFC822.SIZE", 1, "* 1 FETCH (RFC822.SIZE 5)", "TAG OK done"),
		"a description without sizes":            instead("RFC822.SIZE", 1, `* 1 FETCH (UID 1 INTERNALDATE "01-Mar-2026 12:00:00 +0000")`, "TAG OK done"),
		"a description of a date that is none":   says("RFC822.SIZE", `* 1 FETCH (UID 1 INTERNALDATE "31-Feb-2026 99:00:00 +0000" RFC822.SIZE 5)`),
		"ENVELOPE garbage, unasked":              says("BODY.PEEK", `* 2 FETCH (UID 2 ENVELOPE (NIL NIL ((NIL NIL NIL`),
		"8-bit octets in a quoted string":        says("UID SEARCH", "* LIST () \"/\" \"\xff\xfe\xfd\""),
		"a flood of NAMESPACE":                   says("UID SEARCH", flood(`* NAMESPACE (("" "/")) NIL NIL`, 2000)),
		"a flood of LIST":                        says("UID SEARCH", flood(`* LIST (\HasNoChildren) "/" "Box"`, 2000)),
		"a flood of ALERT":                       says("UID FETCH", flood("* OK [ALERT] quota", 500)),
		"S-190 NOMODSEQ":                         says("EXAMINE", "* OK [NOMODSEQ] no persistence"),
		"S-190 HIGHESTMODSEQ goes back":          says("EXAMINE", "* OK [HIGHESTMODSEQ 90] x\r\n* OK [HIGHESTMODSEQ 1] x"),
		"S-190 a storm of VANISHED (EARLIER)":    says("UID SEARCH", flood("* VANISHED (EARLIER) 1:4294967294", 500)),
		"S-190 MODSEQ in every answer, unasked":  says("UID FETCH", "* 1 FETCH (UID 1 MODSEQ (17))"),
		"S-190 VANISHED for EXPUNGE":             says("UID FETCH", "* VANISHED 3:4"),
		"S-192 CAPABILITY again with COMPRESS":   says("UID SEARCH", "* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE"),
		"a continuation that nobody asked for":   says("UID FETCH", "+ go on"),
		"FLAGS without an end":                   says("EXAMINE", "* FLAGS ("+strings.Repeat("x ", 2000)+")"),
		"LOGIN after a while":                    func(_ *imaptest.ScriptConn, _, command string) bool { pauseAt(command, "LOGIN"); return false },
		"PERMANENTFLAGS of everything and again": says("EXAMINE", flood(`* OK [PERMANENTFLAGS (\*)] all`, 50)),
	}
}

// pauseAt lets a command wait; to be slow is the point.
func pauseAt(command, word string) {
	if strings.HasPrefix(command, word) {
		<-time.After(50 * time.Millisecond)
	}
}

// S-013…S-017: whatever a server does, all its mail comes in, once and whole. S-190, S-192: it is the same with extensions
// that speed things up, of which none is used.
func TestMisbehavingServers_S190_S192(t *testing.T) {
	scripts := misbehaviours()
	if len(scripts) < 30 {
		t.Errorf("%d scripts, want 30", len(scripts))
	}
	t.Logf("%d scripts of misbehaving IMAP servers", len(scripts))
	for name, handle := range scripts {
		t.Run(name, func(t *testing.T) {
			s := startScript(t, &imaptest.Script{Handle: handle,
				Caps: "IMAP4rev1 IDLE UIDPLUS MOVE ENABLE CONDSTORE QRESYNC COMPRESS=DEFLATE LITERAL+ NOTIFY NAMESPACE ESEARCH"})
			s.SetMails(scriptMails(5)...)
			list := follow(t, s, 5, func(p *mailin.Poller) {
				p.Timing = mailin.Timing{BackoffMin: time.Millisecond, BackoffMax: 20 * time.Millisecond, Busy: time.Millisecond, Login: time.Millisecond,
					Step: time.Second, Retry: 5 * time.Millisecond, Reconcile: 50 * time.Millisecond}
				p.Mailbox.Poll = 20 * time.Millisecond
			})
			present := slices.DeleteFunc(slices.Clone(list), func(k kept) bool { return k.Absent != tickets.Present })
			wantAll(t, present, 5)
			for _, c := range s.Commands() {
				for _, extension := range []string{"ENABLE", "COMPRESS", "CONDSTORE", "QRESYNC", "CHANGEDSINCE", "NOTIFY"} {
					if strings.Contains(strings.ToUpper(c), extension) {
						t.Errorf("S-190, S-192: asked %q", c)
					}
				}
			}
		})
	}
}
