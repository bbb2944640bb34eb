package tickets

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

// wordyPanic panics with the whole mail, as code does that nobody thought of.
type wordyPanic struct{ fakeClassifier }

func (c wordyPanic) Classify(m *Message, h Hints) Verdict {
	if strings.Contains(m.Text, "CANARY") {
		panic("cannot classify " + m.Subject + " " + m.Text + " of " + m.Author)
	}
	return c.fakeClassifier.Classify(m, h)
}

type wordyComposer struct{ fakeComposer }

func (c wordyComposer) Compose(l Letter) ([]byte, error) {
	if strings.Contains(l.Text, "CANARY") {
		panic(l)
	}
	return c.fakeComposer.Compose(l)
}

// S-176, S-177: what a panic was called with stands in no log line and no record about it, only where it happened.
func TestPanicsSayNothingOfMails_S176_S177(t *testing.T) {
	for name, change := range map[string]func(*Rules){
		"classify": func(r *Rules) { r.Classifier = wordyPanic{} },
		"compose":  func(r *Rules) { r.Composer = wordyComposer{} },
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, change)
			var log bytes.Buffer
			k.desk.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			out := k.receive(k.mail(kunde, "CANARYsubject", "CANARYtext"))
			said := log.String() + out.Why
			for _, h := range k.held() {
				said += h.Reason
			}
			for _, d := range k.deliver() {
				for _, l := range linesOf(t, d) {
					b, _ := json.Marshal(l)
					said += string(b)
				}
			}
			if out.Ticket != 0 {
				for _, e := range k.entries(out.Ticket) {
					said += e.Detail
				}
			}
			if strings.Contains(said, "CANARY") || strings.Contains(said, kunde+": ") {
				t.Errorf("it says %s", said)
			}
			if !regexp.MustCompile(`internal error: a panic with a value of type \S+, at tickets/fault_test\.go:\d+`).MatchString(said) {
				t.Errorf("it does not say where: %s", said)
			}
			k.healthy()
		})
	}
	err := func() (err error) {
		defer guard(func(v any) { err = fault(v) })()
		var list []int
		return fault(list[len(testRules().Teams)])
	}()
	if err == nil || !regexp.MustCompile(`^internal error: runtime error: index out of range \[2\] with length 0, at tickets/fault_test\.go:\d+$`).MatchString(err.Error()) {
		t.Errorf("%v", err)
	}
}
