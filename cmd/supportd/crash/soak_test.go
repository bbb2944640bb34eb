//go:build linux && crash

package crash

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"supportd/mailin/imaptest"
)

// A desk works for a long time without a break in its life: what it takes up of goroutines, descriptors, memory and disk
// stays level, and in the end everything is as it has to be.
func TestSoak(t *testing.T) {
	t.Parallel()
	random, seed := seeded(t)
	servers, err := StartEmbedded(imaptest.Options{}, deskUser)
	if os.Getenv("SUPPORTD_REAL_SERVERS") == "1" && err == nil {
		servers.Close()
		servers, err = StartInstalled()
	}
	if err != nil {
		t.Fatal(err)
	}
	listen := freeAddress(t)
	r, err := NewRig(RigOptions{Programs: built(t), Servers: servers, Dir: stateRoot(t), Rand: random, After: "flag", FirstResponse: 30, Listen: listen})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	r.Desk.Binary, r.Inspects.Limit = built(t).Release, 10*time.Minute // there is much to read after an hour
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	if err := r.feed(1); err != nil {
		t.Fatal(err)
	}
	s := &Soak{Rig: r, Backup: filepath.Join(t.TempDir(), "backup.tar"), Metrics: "http://" + listen + "/metrics", Rate: *rateFlag,
		Lasts: time.Duration(*minutesFlag * float64(time.Minute))}
	if err := s.Run(); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if err := r.Rest(5 * time.Minute); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	trends := Trends(s.Samples)
	for _, v := range trends {
		if !v.Flat() {
			t.Errorf("seed %d: it grows: %s, allowed are %.1f%s", seed, v, v.Allowed, v.Unit)
		}
	}
	for _, v := range s.Samples {
		t.Logf("%+v", v)
	}
	t.Logf("after the warm-up: %v", trends)
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	wrong, n, err := r.Judge()
	if err != nil {
		t.Fatal(err)
	}
	complain(t, wrong)
	report(t, "%s on %s, %d mails into %d tickets, %d mails out with %d further copies, 0 lost; %d resets, %d reloads, %d restarts of the SMTP server, %d backups; after the warm-up: %v; seed %d",
		s.Lasts, servers.Name(), n.Mails, n.Tickets, n.Handed, n.Copies, s.Resets, s.Reloads, s.Restarts, s.Backups, trends, seed)
}

// freeAddress is an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// What leaks is found out, and what only moves up and down is not.
func TestTrends(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 3))
	level := func() []Sample {
		var all []Sample
		for i := range 60 {
			all = append(all, Sample{At: time.Duration(i) * time.Minute, Goroutines: 40 + random.IntN(8), Descriptors: 20 + random.IntN(6),
				Anonymous: int64(30+random.IntN(12)) << 20, Store: int64(120*i)<<14 + int64(random.IntN(200))<<10, Mails: 120 * i})
			if i%10 == 9 { // a backup
				all[i].Anonymous += 40 << 20
				all[i].Descriptors += 3
			}
		}
		return all
	}
	for _, v := range Trends(level()) {
		if !v.Flat() {
			t.Errorf("nothing leaks, and it is said to grow: %v", v)
		}
	}
	leaks := []func(s *Sample, i int){
		func(s *Sample, i int) { s.Goroutines += i / 3 },
		func(s *Sample, i int) { s.Descriptors += i / 4 },
		func(s *Sample, i int) { s.Anonymous += int64(i) << 19 },
		func(s *Sample, i int) { s.Store += int64(i*i) << 16 },
	}
	for k, leak := range leaks {
		samples := level()
		for i := range samples {
			leak(&samples[i], i)
		}
		for j, v := range Trends(samples) {
			if v.Flat() != (j != k) {
				t.Errorf("with leak %d: flat is %v for %v, allowed are %.1f", k, v.Flat(), v, v.Allowed)
			}
		}
	}
}
