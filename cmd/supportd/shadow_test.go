package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"supportd/tickets"
)

// Live mail is decided about by a second configuration too. What differs is logged and counted, without a word of the
// mail; the desk does what its own configuration says and nothing else.
func TestShadow(t *testing.T) {
	w := newWorld(t, startEmbedded(t))
	w.configure("first_response: 4h\n")
	live, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.shadow = filepath.Join(t.TempDir(), configName)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(w.shadow, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(w.shadow), "hilfe.pw"), []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(strings.Replace(string(live), "first_response: 4h", "first_response: 2h", 1))
	w.start()
	w.mailFrom(sabine, deskAddress, "Subject: CANARYsubject\n\nCANARYtext Der Drucker druckt nicht.\n")
	w.await("the difference to be logged", func() bool { return strings.Contains(w.log.String(), "shadow differs") })
	if c := w.daemon.shadow.seen(); c.Different != 1 || c.Same != 0 || c.What["due"] != 1 || len(c.What) != 1 {
		t.Errorf("counted: %+v", c)
	}
	if n, err := testutil.GatherAndCount(w.daemon.metrics.registry, "supportd_shadow_messages_total", "supportd_shadow_differences_total"); err != nil || n != 3 {
		t.Errorf("%d figures, %v, want same, different and what", n, err)
	}
	log := w.log.String()
	if strings.Count(log, "shadow differs") != 1 || !strings.Contains(log, "what=due:first_response") || strings.Contains(log, "CANARY") {
		t.Errorf("the log:\n%s", log)
	}

	// Explain and diff ask the daemon that holds the store, and change nothing.
	x := jsonOf[explanation](t, exitFine, "explain", "-c", w.config, "1")
	if x.Result != tickets.Created || x.Ticket == nil || x.Subject != "CANARYsubject" {
		t.Errorf("%+v", x)
	}
	r := jsonOf[diffReport](t, exitFound, "diff", "-c", w.config, w.shadow)
	if r.Messages != 1 || r.Changed != 1 || len(r.Deadlines) != 1 || r.Deadlines[0].Earlier != 1 {
		t.Errorf("%+v", r)
	}

	// A reload takes the shadow anew; one that cannot be used changes nothing.
	write("version: 1\nnonsense: yes\n")
	if err := w.daemon.Reload(); err != nil {
		t.Fatal(err)
	}
	w.mailFrom(john, deskAddress, "Subject: zwei\n\nDer Drucker druckt noch immer nicht.\n")
	w.await("the second difference", func() bool { return w.daemon.shadow.seen().Different == 2 })
	write(string(live))
	if err := w.daemon.Reload(); err != nil {
		t.Fatal(err)
	}
	w.mailFrom(sabine, deskAddress, "Subject: drei\n\nDas Telefon klingelt nicht.\n")
	w.await("the third mail to be the same", func() bool { return w.daemon.shadow.seen().Same == 1 })
	if c := w.daemon.shadow.seen(); c.Different != 2 {
		t.Errorf("counted: %+v", c)
	}
	w.stopDesk()
	if d := jsonOf[tickets.Diagnosis](t, exitFine, "doctor", "-c", w.config); d.Books.Seen != 3 || d.Books.Created != 3 {
		t.Errorf("%+v", d.Books)
	}
}

// A shadow that cannot be read is said at the start, and the store is left free.
func TestShadowRefused(t *testing.T) {
	w := newWorld(t, startEmbedded(t))
	for range 2 { // twice: the first must not hold the store
		if _, errs, code := program(t, nil, "run", "-c", w.config, "--shadow", filepath.Join(w.dir, "none.yaml")); code != exitNoRun || !strings.Contains(errs, "--shadow") {
			t.Fatalf("exit code %d, %s", code, errs)
		}
	}
}
