package mailout

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"supportd/mailout/smtptest"
	"supportd/tickets"
)

// world is a sender, its outbox and a server in a bubble, where hours pass at once.
type world struct {
	*box
	net    *pipes
	srv    *smtptest.Server
	sender *Sender
	logs   *logs
}

// bubble runs a test in which the time is not real.
func bubble(t *testing.T, o smtptest.Options, change func(*Sender, *Server), test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{box: newBox(t), net: newPipes(), logs: new(logs)}
		w.bubble = true
		o.Listener = w.net
		var err error
		if w.srv, err = smtptest.NewServer(o); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.srv.Close() })
		server := Server{Host: "mail.example", TLS: TLSNone}
		w.sender = sender(w.box, server)
		w.sender.Dial, w.sender.Log = w.net.dial, w.logs.logger()
		if change != nil {
			change(w.sender, &server)
			w.sender.Servers["default"] = server
		}
		test(t, w)
	})
}

// S-038: a reply after 9 minutes counts, and there is one copy; after 11 minutes nobody knows.
func TestTimeoutOfFinalDot(t *testing.T) {
	for delay, want := range map[time.Duration]tickets.DeliveryResult{
		9 * time.Minute: tickets.ResultSent, 11 * time.Minute: tickets.ResultAmbiguous,
	} {
		bubble(t, smtptest.Options{Fault: func(s smtptest.Step) smtptest.Fault {
			if s.Verb == smtptest.End && s.Count == 1 {
				return smtptest.Fault{Delay: delay, Keep: true}
			}
			return smtptest.Fault{}
		}}, nil, func(t *testing.T, w *world) {
			w.add(outgoing(t, tickets.ClassAnswer, "c@customer.example", 1))
			run(t, w.sender)
			w.waitFor(t, tickets.Sent, 1)
			_, ends := w.get(1)
			if ends[0].Result != want || ends[0].Detail == "" {
				t.Errorf("after %v: %+v", delay, ends)
			}
			if copies := w.srv.Count(); want == tickets.ResultSent && (copies != 1 || len(ends) != 1) {
				t.Errorf("after %v: %d copies, %+v", delay, copies, ends)
			}
		})
	}
}

// S-038: each command has its own time, and running out of it is temporary.
func TestTimeoutOfCommands(t *testing.T) {
	for verb, limit := range map[string]time.Duration{
		smtptest.Hello: 5 * time.Minute, smtptest.MailFrom: 5 * time.Minute, smtptest.RcptTo: 5 * time.Minute,
	} {
		bubble(t, smtptest.Options{Fault: func(s smtptest.Step) smtptest.Fault {
			if s.Verb == verb && s.Count == 1 {
				return smtptest.Fault{Delay: limit + time.Second}
			}
			return smtptest.Fault{}
		}}, nil, func(t *testing.T, w *world) {
			begin := time.Now()
			w.add(outgoing(t, tickets.ClassAnswer, "c@customer.example", 1))
			run(t, w.sender)
			w.waitFor(t, tickets.Sent, 1)
			_, ends := w.get(1)
			if took := ends[0].At.Sub(begin); took < limit || took > limit+time.Second {
				t.Errorf("%s: given up after %v, not %v", verb, took, limit)
			}
			if want := map[bool]tickets.DeliveryResult{true: tickets.ResultUntried, false: tickets.ResultTemporary}[verb == smtptest.Hello]; ends[0].Result != want {
				t.Errorf("%s: %+v, want %s", verb, ends[0], want)
			}
			if w.srv.Count() != 1 {
				t.Errorf("%s: %d copies", verb, w.srv.Count())
			}
		})
	}
}

// S-040: 450 for five days: attempts at the documented times, then one failure.
func TestRetrySchedule(t *testing.T) {
	bubble(t, smtptest.Options{Fault: smtptest.Refuse(smtptest.RcptTo, 450)}, nil, func(t *testing.T, w *world) {
		begin := time.Now()
		w.add(outgoing(t, tickets.ClassAnswer, "c@customer.example", 1))
		run(t, w.sender)
		w.waitFor(t, tickets.GivenUp, 1)
		_, ends := w.get(1)
		want := []time.Duration{0, time.Minute, 6 * time.Minute, 21 * time.Minute, 81 * time.Minute}
		for at := 81*time.Minute + 4*time.Hour; at < 5*24*time.Hour; at += 4 * time.Hour {
			want = append(want, at)
		}
		want = append(want, 5*24*time.Hour)
		if len(ends) != len(want) {
			t.Fatalf("%d attempts, want %d: %+v", len(ends), len(want), ends)
		}
		for i, end := range ends {
			if at := end.At.Sub(begin); at < want[i] || at > want[i]+time.Second {
				t.Errorf("attempt %d after %v, want %v", i+1, at, want[i])
			}
			if last := i == len(ends)-1; end.GiveUp != last || end.Result != tickets.ResultTemporary || !strings.HasPrefix(end.Detail, "450 ") {
				t.Errorf("attempt %d: %+v", i+1, end)
			}
		}
		if w.srv.Count() != 0 {
			t.Error("a mail arrived")
		}
	})
}

// S-043: a server that is down is not asked for each mail: 1,000 mails, one hour, few connections; then all are sent.
func TestBackoffPerServer(t *testing.T) {
	downs := map[string]func(w *world, down bool){
		"refused": func(w *world, down bool) { w.net.refuse(down) },
		"421":     nil,
		"drops":   nil,
	}
	for name, set := range downs {
		var down atomic.Bool
		fault := func(s smtptest.Step) smtptest.Fault {
			switch {
			case down.Load() && name == "421" && s.Verb == smtptest.Connect:
				return smtptest.Fault{Code: 421}
			case down.Load() && name == "drops" && s.Verb == smtptest.MailFrom:
				return smtptest.Fault{Drop: smtptest.DropBefore}
			}
			return smtptest.Fault{}
		}
		bubble(t, smtptest.Options{Fault: fault}, nil, func(t *testing.T, w *world) {
			down.Store(true)
			if set != nil {
				set(w, true)
			}
			mails := map[string]int{"refused": 1000, "421": 200, "drops": 200}[name]
			w.add(many(t, tickets.ClassAnswer, mails)...)
			run(t, w.sender)
			time.Sleep(time.Hour)
			synctest.Wait()
			if n := w.net.dialed(); n > 60 || n < 5 {
				t.Errorf("%s: %d connections in an hour", name, n)
			}
			st := w.sender.Status().Servers[0]
			if st.Connected || st.LastError == "" || st.BackoffUntil.IsZero() {
				t.Errorf("%s: status %+v", name, st)
			}
			down.Store(false)
			if set != nil {
				set(w, false)
			}
			w.waitFor(t, tickets.Sent, mails)
			if n := w.srv.Count(); n != mails {
				t.Errorf("%s: %d copies of %d mails", name, n, mails)
			}
			if n := strings.Count(w.logs.String(), "level=WARN"); n != 1 {
				t.Errorf("%s: %d warnings, want one", name, n)
			}
		})
	}
}

// S-042: refused logins and refused senders are a matter of configuration: nothing fails, one line is logged, few
// attempts are made, and all mails leave once it is put right. S-176: the password is in no log line and no record.
func TestConfigurationProblems(t *testing.T) {
	const canary = "Canary-Passw0rd"
	for _, c := range []struct {
		name  string
		fault smtptest.Fault
		verb  string
		mails int
	}{
		{"535 to AUTH", smtptest.Fault{Code: 535, Text: "go away, " + canary + " is wrong"}, smtptest.Auth, 1000},
		{"454 to AUTH", smtptest.Fault{Code: 454}, smtptest.Auth, 100},
		{"530 to MAIL", smtptest.Fault{Code: 530}, smtptest.MailFrom, 100},
		{"550 to MAIL", smtptest.Fault{Code: 550}, smtptest.MailFrom, 100},
		{"530 to RCPT", smtptest.Fault{Code: 530}, smtptest.RcptTo, 100},
	} {
		var fixed atomic.Bool
		bubble(t, smtptest.Options{Accounts: map[string]string{"desk": canary}, Fault: func(s smtptest.Step) smtptest.Fault {
			if s.Verb == c.verb && !fixed.Load() {
				return c.fault
			}
			return smtptest.Fault{}
		}}, func(_ *Sender, s *Server) { s.User, s.Password = "desk", canary }, func(t *testing.T, w *world) {
			w.add(many(t, tickets.ClassAnswer, c.mails)...)
			run(t, w.sender)
			time.Sleep(time.Hour)
			synctest.Wait()
			if sent, failed := w.count(tickets.Sent), w.count(tickets.GivenUp); sent+failed != 0 {
				t.Errorf("%s: %d sent, %d failed", c.name, sent, failed)
			}
			if n := w.srv.Logins(); n > 60 {
				t.Errorf("%s: %d logins", c.name, n)
			}
			if n := strings.Count(w.logs.String(), "level=WARN"); n != 1 {
				t.Errorf("%s: %d warnings, want one:\n%s", c.name, n, w.logs)
			}
			if st := w.sender.Status().Servers[0]; !strings.Contains(st.LastError, `smtp server "default" at mail.example:25`) {
				t.Errorf("%s: status %+v", c.name, st)
			}
			fixed.Store(true)
			w.waitFor(t, tickets.Sent, c.mails)
			if n := w.srv.Count(); n != c.mails {
				t.Errorf("%s: %d copies", c.name, n)
			}
			for id := range tickets.OutgoingID(c.mails) {
				m, ends := w.get(id + 1)
				if m.Attempts != 1 || strings.Contains(fmt.Sprint(ends), canary) {
					t.Fatalf("%s: %d attempts counted, %v", c.name, m.Attempts, ends)
				}
			}
			if strings.Contains(w.logs.String(), canary) {
				t.Errorf("%s: the password was logged", c.name)
			}
		})
	}
}

// S-042, S-051: a server that refuses one of our senders still gets the mails of the others.
func TestRefusedSenderDoesNotStopOthers(t *testing.T) {
	bubble(t, smtptest.Options{Fault: func(s smtptest.Step) smtptest.Fault {
		if s.Verb == smtptest.MailFrom && s.From == "" {
			return smtptest.Fault{Code: 501}
		}
		return smtptest.Fault{}
	}}, nil, func(t *testing.T, w *world) {
		w.add(many(t, tickets.ClassAuto, 200)...)
		w.add(many(t, tickets.ClassAnswer, 50)...)
		begin := time.Now()
		run(t, w.sender)
		w.waitFor(t, tickets.Sent, 50)
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("the others waited %v", took)
		}
		time.Sleep(time.Hour)
		if held := w.count(tickets.Deferred) + w.count(tickets.Sending); held != 200 {
			t.Errorf("%d mails are held", held)
		}
		if st := w.sender.Status().Servers[0]; !st.Connected || !strings.Contains(st.LastError, "sender <> was refused") {
			t.Errorf("status %+v", st)
		}
	})
}

// S-052: too much automatic mail is held back and leaves by and by; what people wrote leaves at once.
func TestAutomaticMailLimit(t *testing.T) {
	const limit, mails = 1000, 10_000
	bubble(t, smtptest.Options{}, func(s *Sender, _ *Server) { s.AutoPerMinute = limit }, func(t *testing.T, w *world) {
		w.add(many(t, tickets.ClassAuto, mails)...)
		w.add(many(t, tickets.ClassAnswer, 100)...)
		run(t, w.sender)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if n := w.count(tickets.Sent); n != limit+100 {
			t.Errorf("%d mails sent in half a minute, want %d automatic ones and 100 others", n, limit)
		}
		if st := w.sender.Status(); st.AutoHeld != mails-limit {
			t.Errorf("status %+v", st)
		}
		w.waitFor(t, tickets.Sent, mails+100)
		var auto []time.Time
		for id := range tickets.OutgoingID(mails) {
			_, ends := w.get(id + 1)
			auto = append(auto, ends[len(ends)-1].At)
		}
		slices.SortFunc(auto, time.Time.Compare)
		for i := range len(auto) - limit {
			if took := auto[i+limit].Sub(auto[i]); took < time.Minute-time.Second {
				t.Fatalf("%d automatic mails within %s, from mail %d on", limit+1, took, i+1)
			}
		}
		if n := strings.Count(w.logs.String(), "automatic mail has reached its limit"); n != 1 {
			t.Errorf("%d alerts, want one", n)
		}
	})
}

// Kept connections are ended with QUIT after a minute without use.
func TestIdleConnections(t *testing.T) {
	bubble(t, smtptest.Options{}, nil, func(t *testing.T, w *world) {
		wake := make(chan struct{})
		w.sender.Wake = wake
		run(t, w.sender)
		for i, pause := range []time.Duration{0, 30 * time.Second, 50 * time.Second, 2 * time.Minute} {
			time.Sleep(pause)
			w.add(outgoing(t, tickets.ClassAnswer, "c@customer.example", i))
			wake <- struct{}{}
			w.waitFor(t, tickets.Sent, i+1)
		}
		for i, m := range w.srv.Mails() {
			if want := map[int]int{0: 1, 1: 1, 2: 1, 3: 2}[i]; m.Connected != want {
				t.Errorf("mail %d came by connection %d, want %d", i, m.Connected, want)
			}
		}
		if st := w.sender.Status().Servers[0]; !st.Connected || st.LastError != "" {
			t.Errorf("status %+v", st)
		}
	})
}

// A mail of the future is sent when its time has come, without a wake-up.
func TestNotBefore(t *testing.T) {
	bubble(t, smtptest.Options{}, nil, func(t *testing.T, w *world) {
		m := outgoing(t, tickets.ClassAnswer, "c@customer.example", 1)
		m.Next = time.Now().Add(10 * time.Second)
		w.add(m)
		begin := time.Now()
		run(t, w.sender)
		w.waitFor(t, tickets.Sent, 1)
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("sent after %v", took)
		}
	})
}

// S-154: a server that sends a bit now and then is left when the step's time is over.
func TestSlowLoris(t *testing.T) {
	bubble(t, smtptest.Options{}, nil, func(t *testing.T, w *world) {
		slow, done := newPipes(), make(chan struct{})
		w.sender.Dial = slow.dial
		go func() {
			c, err := slow.Accept()
			for err == nil {
				select {
				case <-time.After(10 * time.Second):
					_, err = c.Write([]byte("2"))
				case <-done:
					c.Close()
					return
				}
			}
			slow.Close()
		}()
		w.add(outgoing(t, tickets.ClassAnswer, "c@customer.example", 1))
		begin := time.Now()
		stop := run(t, w.sender)
		w.wait(t, "the first failure", func() bool { _, ends := w.get(1); return len(ends) > 0 })
		_, ends := w.get(1)
		if took := ends[0].At.Sub(begin); took < time.Minute || took > 5*time.Minute+time.Second || ends[0].Result != tickets.ResultUntried {
			t.Errorf("after %v: %+v", took, ends[0])
		}
		close(done)
		stop()
	})
}
