package mailout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/mailout/smtptest"
	"supportd/tickets"
)

// S-045, S-059: one recipient a transaction; automatic mail from the null reverse-path and without reports, all other
// mail with a sender whose reports are read. S-036: what arrives is what was composed. Pitfalls 5, 6 and 9 of the
// library: SMTPUTF8 is not asked for when no address needs it, <> works, NOTIFY is per mail.
func TestSendEnvelopePerClass(t *testing.T) {
	srv := newServer(t, smtptest.Options{SMTPUTF8: true, DSN: true})
	classes := []tickets.Class{tickets.ClassAnswer, tickets.ClassAuto, tickets.ClassNotice, tickets.ClassReceipt}
	b := newBox(t)
	for i, class := range classes {
		b.add(outgoing(t, class, fmt.Sprintf("c%d@customer.example", i), i))
	}
	run(t, sender(b, at(t, srv.Addr())))
	b.waitFor(t, tickets.Sent, len(classes))
	mails := srv.Mails()
	if len(mails) != len(classes) {
		t.Fatalf("%d mails arrived", len(mails))
	}
	for _, got := range mails {
		i := slices.IndexFunc(classes, func(c tickets.Class) bool {
			return got.To[0] == fmt.Sprintf("c%d@customer.example", slices.Index(classes, c))
		})
		want, _ := b.get(tickets.OutgoingID(i + 1))
		if len(got.To) != 1 || got.From != want.EnvelopeFrom || !bytes.Equal(got.Data, want.Bytes) || got.UTF8 || got.Size != int64(len(want.Bytes)) {
			t.Errorf("%s: from %q to %q, SMTPUTF8 %v, SIZE %d, same bytes %v", classes[i], got.From, got.To, got.UTF8, got.Size, bytes.Equal(got.Data, want.Bytes))
		}
		if never := slices.Equal(got.Notify, []string{"NEVER"}); never != (classes[i] == tickets.ClassAuto) {
			t.Errorf("%s: NOTIFY=%v", classes[i], got.Notify)
		}
	}
	if n := srv.Connects(); n > 4 {
		t.Errorf("%d connections for 4 mails", n)
	}
}

// S-037 and pitfalls 1, 2, 6 and 7: what an end of the connection means depends on when it comes.
func TestSendLostConnection(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  smtptest.Fault
		verb   string
		result tickets.DeliveryResult
		copies int
	}{
		{"after the 250", smtptest.Fault{Drop: smtptest.DropAfter}, smtptest.End, tickets.ResultSent, 1},
		{"in place of the 250, kept", smtptest.Fault{Drop: smtptest.DropBefore, Keep: true}, smtptest.End, tickets.ResultAmbiguous, 2},
		{"in place of the 250, not kept", smtptest.Fault{Drop: smtptest.DropBefore}, smtptest.End, tickets.ResultAmbiguous, 1},
		{"instead of the answer to RCPT", smtptest.Fault{Drop: smtptest.DropBefore}, smtptest.RcptTo, tickets.ResultTemporary, 1},
		{"instead of the answer to MAIL", smtptest.Fault{Drop: smtptest.DropBefore}, smtptest.MailFrom, tickets.ResultTemporary, 1},
		{"421 to the final dot", smtptest.Fault{Code: 421, Drop: smtptest.DropAfter}, smtptest.End, tickets.ResultTemporary, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			first := true
			srv := newServer(t, smtptest.Options{Fault: func(s smtptest.Step) smtptest.Fault {
				if s.Verb == c.verb && first {
					first = false
					return c.fault
				}
				return smtptest.Fault{}
			}})
			b := newBox(t, outgoing(t, tickets.ClassAnswer, "c@customer.example", 1))
			var l logs
			server := at(t, srv.Addr())
			server.Retry, server.Backoff = []time.Duration{time.Millisecond}, []time.Duration{time.Millisecond}
			s := sender(b, server)
			s.Log = l.logger()
			run(t, s)
			b.waitFor(t, tickets.Sent, 1)
			m, ends := b.get(1)
			if ends[0].Result != c.result {
				t.Errorf("ended as %s (%s), want %s", ends[0].Result, ends[0].Detail, c.result)
			}
			if n := srv.Count(); n != c.copies {
				t.Errorf("%d copies, want %d", n, c.copies)
			}
			if c.copies == 2 && !bytes.Equal(srv.Mails()[0].Data, srv.Mails()[1].Data) {
				t.Error("S-036: the copies differ")
			}
			doubt := c.result == tickets.ResultAmbiguous
			if logged := strings.Contains(l.String(), "may be sent more than once"); logged != doubt || (m.InDoubt == 1) != doubt {
				t.Errorf("in doubt %d, logged %v", m.InDoubt, logged)
			}
		})
	}
}

// S-039, S-041, S-044 and pitfall 3: each mail has its own result, and only what may be tried again is.
func TestSendResultsPerRecipient(t *testing.T) {
	codes := map[string]int{"ok": 0, "450": 450, "452": 452, "552": 552, "550": 550, "553": 553, "501": 501}
	srv := newServer(t, smtptest.Options{Fault: func(s smtptest.Step) smtptest.Fault {
		name, _, _ := strings.Cut(s.To, "@")
		if s.Verb == smtptest.RcptTo && s.Count == 1 {
			return smtptest.Fault{Code: codes[name]}
		}
		if s.Verb == smtptest.End && s.Count == 1 && strings.HasPrefix(name, "end") {
			return smtptest.Fault{Code: map[string]int{"end451": 451, "end554": 554, "end552": 552}[name]}
		}
		return smtptest.Fault{}
	}})
	b := newBox(t)
	want := map[string]tickets.DeliveryResult{"ok": "sent", "450": "temporary", "452": "temporary", "552": "temporary", "550": "permanent",
		"553": "permanent", "501": "permanent", "end451": "temporary", "end554": "permanent", "end552": "permanent"}
	var names []string
	for name := range want {
		names = append(names, name)
		b.add(outgoing(t, tickets.ClassAnswer, name+"@customer.example", len(names)))
	}
	server := at(t, srv.Addr())
	server.Retry = []time.Duration{time.Millisecond}
	run(t, sender(b, server))
	b.waitFor(t, tickets.Sent, 5)
	b.waitFor(t, tickets.GivenUp, 5)
	for i, name := range names {
		_, ends := b.get(tickets.OutgoingID(i + 1))
		if ends[0].Result != want[name] || len(ends) > 2 {
			t.Errorf("%s: %+v, want %s first", name, ends, want[name])
		}
		copies := 0
		for _, m := range srv.Mails() {
			if m.To[0] == name+"@customer.example" {
				copies++
			}
		}
		if wantCopies := map[bool]int{true: 0, false: 1}[want[name] == "permanent"]; copies != wantCopies {
			t.Errorf("%s: %d copies, want %d", name, copies, wantCopies)
		}
	}
	for _, m := range srv.Mails() {
		if len(m.To) != 1 {
			t.Errorf("two recipients in one transaction: %v", m.To)
		}
	}
}

// S-053: bad addresses never reach the wire. S-051: neither they nor a mail that cannot be sent hold up the others.
func TestSendPoisonedRows(t *testing.T) {
	srv := newServer(t, smtptest.Options{})
	good := outgoing(t, tickets.ClassAnswer, "good@customer.example", 1)
	var bad []tickets.Outgoing
	for _, change := range []func(*tickets.Outgoing){
		func(m *tickets.Outgoing) { m.Recipient = "a@b>\r\nRCPT TO:<x@y" },
		func(m *tickets.Outgoing) { m.Recipient = "a b@c" },
		func(m *tickets.Outgoing) { m.Recipient = "a\x00@c" },
		func(m *tickets.Outgoing) { m.Recipient = "" },
		func(m *tickets.Outgoing) { m.EnvelopeFrom = "x@y\nDATA" },
		func(m *tickets.Outgoing) { m.Bytes = nil },
		func(m *tickets.Outgoing) { m.Bytes = []byte("Subject: x\n\nbare\n") },
		func(m *tickets.Outgoing) { m.Bytes = []byte("Subject: x\r\n\r\nno end") },
		func(m *tickets.Outgoing) { m.Bytes = []byte("Subject: x\r\n\r\n" + strings.Repeat("x", 999) + "\r\n") },
	} {
		m := good
		change(&m)
		bad = append(bad, m)
	}
	b := newBox(t, append(bad, good)...)
	run(t, sender(b, at(t, srv.Addr())))
	b.waitFor(t, tickets.Sent, 1)
	b.waitFor(t, tickets.GivenUp, len(bad))
	if n := srv.Count(); n != 1 {
		t.Errorf("%d mails arrived", n)
	}
}

// S-049, S-050: a server without SMTPUTF8 or with a small SIZE gets neither a mangled address nor the mail; S-202: one with
// SMTPUTF8 gets the address and the octets as they are.
func TestSendServerLimits(t *testing.T) {
	eai := outgoing(t, tickets.ClassAnswer, "jürgen@müller.example", 1)
	big := outgoing(t, tickets.ClassAnswer, "big@customer.example", 2)
	big.Bytes = append(big.Bytes, bytes.Repeat([]byte("0123456789abcdef\r\n"), 1000)...)
	small := outgoing(t, tickets.ClassAnswer, "small@customer.example", 3)

	srv := newServer(t, smtptest.Options{MaxSize: 10000})
	b := newBox(t, eai, big, small)
	run(t, sender(b, at(t, srv.Addr())))
	b.waitFor(t, tickets.Sent, 1)
	b.waitFor(t, tickets.GivenUp, 2)
	if mails := srv.Mails(); len(mails) != 1 || mails[0].To[0] != "small@customer.example" {
		t.Errorf("%v arrived", mails)
	}

	srv = newServer(t, smtptest.Options{SMTPUTF8: true})
	b = newBox(t, eai)
	run(t, sender(b, at(t, srv.Addr())))
	b.waitFor(t, tickets.Sent, 1)
	if m := srv.Mails()[0]; !m.UTF8 || m.To[0] != "jürgen@müller.example" || !bytes.Equal(m.Data, eai.Bytes) {
		t.Errorf("from a server with SMTPUTF8: %+v", m)
	}
}

// Pitfalls 1 and 9: a kept connection that the server has closed in the meantime costs nothing but a new one.
func TestSendStaleConnection(t *testing.T) {
	srv := newServer(t, smtptest.Options{Fault: func(s smtptest.Step) smtptest.Fault {
		if s.Verb == smtptest.End {
			return smtptest.Fault{Drop: smtptest.DropAfter}
		}
		return smtptest.Fault{}
	}})
	b := newBox(t, many(t, tickets.ClassAnswer, 10)...)
	server := at(t, srv.Addr())
	server.Connections = 1
	run(t, sender(b, server))
	b.waitFor(t, tickets.Sent, 10)
	for id := range tickets.OutgoingID(10) {
		if _, ends := b.get(id + 1); len(ends) != 1 {
			t.Errorf("mail %d: %+v", id+1, ends)
		}
	}
	if srv.Count() != 10 || srv.Connects() != 10 {
		t.Errorf("%d mails over %d connections", srv.Count(), srv.Connects())
	}
}

// Pitfall 4: failures leave no connection open.
func TestSendFailuresCloseConnections(t *testing.T) {
	for name, lines := range map[string][]string{
		"EHLO and HELO refused": {"> 220 hi", "< EHLO", "> 500 no", "< HELO", "> 500 no", "hang"},
		"no STARTTLS":           {"> 220 hi", "< EHLO", "> 250 hi", "hang"},
		"STARTTLS refused":      {"> 220 hi", "< EHLO", `> 250-hi\r\n250 STARTTLS`, "< STARTTLS", "> 454 no", "hang"},
	} {
		srv := newScript(t, lines...)
		server := at(t, srv.Addr())
		server.TLS = TLSStart
		for range 20 {
			if _, err := Probe(t.Context(), server); err == nil {
				t.Fatalf("%s: no error", name)
			}
		}
		if srv.Connects() != 20 {
			t.Errorf("%s: %d connections", name, srv.Connects())
		}
		// A connection that we left open would keep its script hanging, and this call with it.
		if !srv.Drained(t.Context()) {
			t.Errorf("%s: connections stay open", name)
		}
	}
}

// Pitfall 7: a command that hangs ends with the context, not with its timeout.
func TestSendStopsInTheMiddle(t *testing.T) {
	srv := newScript(t, "> 220 hi", "< EHLO", "> 250 hi", "< MAIL", "hang")
	b := newBox(t, outgoing(t, tickets.ClassAnswer, "c@customer.example", 1))
	s := sender(b, at(t, srv.Addr()))
	s.Grace = time.Millisecond
	stop := run(t, s)
	if err := srv.Wait(t.Context(), 2); err != nil { // EHLO, MAIL
		t.Fatal(err)
	}
	begin := time.Now()
	stop()
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("stopping took %v", took)
	}
	if m, ends := b.get(1); m.State != tickets.Deferred || len(ends) != 1 || ends[0].Result != tickets.ResultUntried {
		t.Errorf("%s, %+v", m.State, ends)
	}
}

// When Run is to end, what is under way may end well, and nothing more is begun.
func TestSendGrace(t *testing.T) {
	begun, goOn := make(chan struct{}, 100), make(chan struct{})
	srv := newServer(t, smtptest.Options{Fault: func(s smtptest.Step) smtptest.Fault {
		if s.Verb == smtptest.End {
			begun <- struct{}{}
			<-goOn
		}
		return smtptest.Fault{}
	}})
	b := newBox(t, many(t, tickets.ClassAnswer, 20)...)
	server := at(t, srv.Addr())
	server.Connections = 1
	s := sender(b, server)
	stopped := make(chan struct{})
	stop := run(t, s)
	<-begun
	go func() {
		stop()
		close(stopped)
	}()
	b.wait(t, "the end of dispatching", func() bool { return b.count(tickets.Sending) > 0 })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // lets Run notice; the result does not depend on it
	<-ctx.Done()
	cancel()
	close(goOn)
	<-stopped
	if sent, left := b.count(tickets.Sent), b.count(tickets.Sending); sent != srv.Count() || left != 0 || sent == 20 {
		t.Errorf("%d recorded as sent, %d arrived, %d left without a result", sent, srv.Count(), left)
	}
}

// S-184: two mails of one ticket to one person arrive in order, whatever the first one waits for.
func TestSendKeepsOrderOfTicket(t *testing.T) {
	srv := newServer(t, smtptest.Options{Fault: func(s smtptest.Step) smtptest.Fault {
		if s.Verb == smtptest.End && s.To == "c@customer.example" && s.Count == 1 {
			return smtptest.Fault{Delay: 30 * time.Millisecond}
		}
		return smtptest.Fault{}
	}})
	b := newBox(t)
	for i := range 6 {
		m := outgoing(t, tickets.ClassAnswer, "c@customer.example", i)
		m.Ticket = 7
		other := outgoing(t, tickets.ClassAnswer, "d@customer.example", 10+i)
		b.add(m, other)
	}
	run(t, sender(b, at(t, srv.Addr())))
	b.waitFor(t, tickets.Sent, 12)
	next := 0
	for _, m := range srv.Mails() {
		if m.To[0] != "c@customer.example" {
			continue
		}
		if want := fmt.Sprintf("Message-ID: <m%d@desk.example>", next); !bytes.Contains(m.Data, []byte(want)) {
			t.Errorf("mail %d is not %s", next, want)
		}
		next++
	}
}

// S-037: an attempt is recorded before a mail is sent; a result that cannot be recorded is kept until it can, and
// nothing is sent in the meantime.
func TestSendOutboxFails(t *testing.T) {
	srv := newServer(t, smtptest.Options{})
	b := newBox(t, many(t, tickets.ClassAnswer, 3)...)
	failing := map[string]int{"due": 1, "attempt": 1, "settle": 1}
	b.fail = func(op string) error {
		if failing[op] > 0 {
			failing[op]--
			if op == "attempt" && srv.Count() > 0 {
				t.Error("a mail was sent before the attempt was recorded")
			}
			return tickets.ErrFull
		}
		return nil
	}
	run(t, sender(b, at(t, srv.Addr())))
	b.waitFor(t, tickets.Sent, 3)
	if n := srv.Count(); n != 3 {
		t.Errorf("%d copies of 3 mails", n)
	}
}

// P4: when the store has stopped, Run ends with that error.
func TestSendStoppedStore(t *testing.T) {
	srv := newServer(t, smtptest.Options{})
	for _, op := range []string{"due", "attempt", "settle"} {
		b := newBox(t, many(t, tickets.ClassAnswer, 1)...)
		b.fail = func(o string) error {
			if o == op {
				return fmt.Errorf("commit: %w", tickets.ErrStopped)
			}
			return nil
		}
		if err := sender(b, at(t, srv.Addr())).Run(t.Context()); !errors.Is(err, tickets.ErrStopped) {
			t.Errorf("%s: Run returned %v", op, err)
		}
	}
	if n := srv.Count(); n != 1 {
		t.Errorf("%d mails arrived, only the one whose result could not be recorded should", n)
	}
}

// A busy server does not hold up another one, and a mail for a server that is not configured waits.
func TestSendSeveralServers(t *testing.T) {
	release := make(chan struct{})
	slow := newServer(t, smtptest.Options{Fault: func(s smtptest.Step) smtptest.Fault {
		if s.Verb == smtptest.End {
			<-release
		}
		return smtptest.Fault{}
	}})
	fast := newServer(t, smtptest.Options{})
	b := newBox(t)
	for _, m := range many(t, tickets.ClassAnswer, 200) {
		m.Server = "slow"
		b.add(m)
	}
	for _, m := range many(t, tickets.ClassAnswer, 20) {
		m.Server = "fast"
		b.add(m)
	}
	lost := outgoing(t, tickets.ClassAnswer, "c@customer.example", 999)
	lost.Server = "gone"
	b.add(lost)
	s := sender(b, Server{})
	s.Servers = map[string]Server{"slow": at(t, slow.Addr()), "fast": at(t, fast.Addr())}
	s.Grace = time.Millisecond
	stop := run(t, s)
	b.waitFor(t, tickets.Sent, 20)
	b.wait(t, "the mail without a server", func() bool { m, _ := b.get(221); return m.State == tickets.Deferred })
	if m, _ := b.get(221); !strings.Contains(m.LastError, `no smtp server "gone"`) {
		t.Errorf("the mail without a server: %s", m.LastError)
	}
	close(release)
	stop()
	if slow.Count() >= 200 || fast.Count() != 20 {
		t.Errorf("%d and %d mails arrived", slow.Count(), fast.Count())
	}
}

// Pitfall 8: many mails over several connections, each exactly once, and what is counted is what arrived.
func TestSendMany(t *testing.T) {
	srv := newServer(t, smtptest.Options{})
	b := newBox(t, many(t, tickets.ClassNotice, 500)...)
	s := sender(b, at(t, srv.Addr()))
	run(t, s)
	b.waitFor(t, tickets.Sent, 500)
	seen := make(map[string]int)
	for _, m := range srv.Mails() {
		seen[m.To[0]]++
	}
	if len(seen) != 500 || srv.Count() != 500 {
		t.Errorf("%d mails to %d people", srv.Count(), len(seen))
	}
	b.wait(t, "the status", func() bool { return s.Status().Sent == 500 })
	st := s.Status()
	if st.Failed+st.Deferred+st.Ambiguous != 0 || !st.Servers[0].Connected || st.Servers[0].LastError != "" {
		t.Errorf("status %+v", st)
	}
	if n := srv.Connects(); n > 4 {
		t.Errorf("%d connections", n)
	}
}

// While one commit takes its time, mails go on being sent, and the next commit takes all their results.
func TestSendBatchesCommits(t *testing.T) {
	srv := newServer(t, smtptest.Options{})
	b := newBox(t, many(t, tickets.ClassNotice, 100)...)
	settles := 0
	b.fail = func(op string) error {
		if op == "settle" {
			if settles++; settles == 2 { // one mail alone, to see whether the server works; then the window is full
				if _, err := srv.Wait(t.Context(), 1+windowFactor*4); err != nil {
					t.Error(err)
				}
			}
		}
		return nil
	}
	run(t, sender(b, at(t, srv.Addr())))
	b.waitFor(t, tickets.Sent, 100)
	b.mu.Lock()
	defer b.mu.Unlock()
	// Up to the end of the slow commit so many mails were taken. All their results stand in one of the first three
	// commits, but for the reply that each connection may be reading.
	if first := b.settled[0] + b.settled[1] + b.settled[2]; first < 1+windowFactor*4-4 {
		t.Errorf("%d results in the first three commits: %v", first, b.settled)
	}
}

// A mail that becomes due is sent at once when the sender is woken.
func TestSendWake(t *testing.T) {
	srv := newServer(t, smtptest.Options{})
	b := newBox(t)
	wake := make(chan struct{})
	s := sender(b, at(t, srv.Addr()))
	s.Wake = wake
	run(t, s)
	for i := range 3 {
		b.add(outgoing(t, tickets.ClassAnswer, "c@customer.example", i))
		wake <- struct{}{}
		b.waitFor(t, tickets.Sent, i+1)
	}
	if n := srv.Connects(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestSendRefusesConfiguration(t *testing.T) {
	for _, server := range []Server{{TLS: TLSNone}, {Host: "h", TLS: "yes"}} {
		if err := sender(newBox(t), server).Run(t.Context()); err == nil || !strings.Contains(err.Error(), `smtp server "default"`) {
			t.Errorf("%+v: %v", server, err)
		}
	}
}
