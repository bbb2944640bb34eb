package mailin_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"time"

	"supportd/mailin"
)

// logLines is a log that can be asked.
type logLines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logLines) has(s string) bool { return strings.Contains(l.String(), s) }

func (l *logLines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// fakeTime is a clock that moves only when somebody waits; waits take no time. From end on they do not return.
type fakeTime struct {
	mu    sync.Mutex
	t     time.Time
	end   time.Time
	over  chan struct{} // closed at end
	once  sync.Once
	waits []time.Duration
}

func newFakeTime(length time.Duration) *fakeTime {
	start := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	return &fakeTime{t: start, end: start.Add(length), over: make(chan struct{})}
}

func (f *fakeTime) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.t
}

func (f *fakeTime) after(d time.Duration) mailin.Alarm {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waits = append(f.waits, d)
	f.t = f.t.Add(d)
	c := make(chan time.Time, 1)
	if f.t.After(f.end) {
		f.once.Do(func() { close(f.over) })
	} else {
		c <- f.t
	}
	return mailin.Alarm{C: c, Stop: func() {}}
}
