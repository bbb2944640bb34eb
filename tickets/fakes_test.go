package tickets

import (
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// fakeClock is a clock that stands until it is moved.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// testRandom is randomness that is the same for the same seed.
func testRandom(seed uint64) io.Reader {
	var s [32]byte
	s[0], s[1], s[2] = byte(seed), byte(seed>>8), byte(seed>>16)
	return rand.NewChaCha8(s)
}

// Header fields that tell the fake classifier what to answer.
const (
	fieldKind       = "X-Test-Kind"
	fieldAuth       = "X-Test-Auth"
	fieldNoAnswer   = "X-Test-No-Answer"
	fieldQuarantine = "X-Test-Quarantine"
	fieldAutoAnswer = "X-Test-Auto-Answer"
	fieldBounce     = "X-Test-Bounce"
	fieldPanic      = "X-Test-Panic"
)

type fakeClassifier struct{}

func (fakeClassifier) Classify(m *Message, h Hints) Verdict {
	if m.FirstField(fieldPanic) == "classify" {
		panic("the classifier was asked to panic")
	}
	v := Verdict{Kind: KindHuman, Auth: AuthPass, Language: m.Language.Code, Team: "first"}
	if s := m.FirstField(fieldKind); s != "" {
		v.Kind = Kind(s)
	}
	if s := m.FirstField(fieldAuth); s != "" {
		v.Auth = Authentication(s)
	}
	v.NoAnswer, v.Quarantine, v.AutoAnswer = m.FirstField(fieldNoAnswer), m.FirstField(fieldQuarantine), m.FirstField(fieldAutoAnswer)
	if s := m.FirstField(fieldBounce); s != "" {
		v.Bounce = &Bounce{}
		if err := json.Unmarshal([]byte(s), v.Bounce); err != nil {
			panic(err)
		}
	}
	v.Reasons = []Reason{{What: "kind", Value: string(v.Kind), Why: "the test says so"}}
	return v
}

// panicWord makes the fake renderer or composer panic when it meets the word.
const (
	panicRender   = "PANICRENDER"
	panicCompose  = "PANICCOMPOSE"
	refuseCompose = "REFUSECOMPOSE"
)

type fakeRenderer struct{}

func (fakeRenderer) render(template, number string, v any) (Rendered, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return Rendered{}, err
	}
	if strings.Contains(string(b), panicRender) {
		panic("the renderer was asked to panic")
	}
	return Rendered{Subject: "[" + number + "] " + template, Text: string(b)}, nil
}

func (f fakeRenderer) Public(template string, v PublicView) (Rendered, error) {
	return f.render(template, v.Number, v)
}

func (f fakeRenderer) Vendor(template string, v VendorView) (Rendered, error) {
	return f.render(template, v.Number, v)
}

func (f fakeRenderer) Internal(template string, v InternalView) (Rendered, error) {
	return f.render(template, v.Number, v)
}

type fakeComposer struct{}

func (fakeComposer) Compose(l Letter) ([]byte, error) {
	b, err := json.Marshal(l)
	if strings.Contains(string(b), panicCompose) {
		panic("the composer was asked to panic")
	}
	if strings.Contains(string(b), refuseCompose) {
		return nil, errors.New("the composer was asked to fail")
	}
	return b, err
}
