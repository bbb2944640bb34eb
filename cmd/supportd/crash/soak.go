//go:build linux && crash

package crash

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Sample is what a desk takes up at one moment of a Soak.
type Sample struct {
	At          time.Duration // since the beginning
	Goroutines  int
	Descriptors int
	Anonymous   int64 // octets of memory without mapped files, RssAnon in proc(5)
	Store       int64 // octets that all files in the state directory take on the disk
	Mails       int   // put into the mailbox so far
}

// Soak is a desk at steady work for a long time. Mail comes in without a pause; in between connections are reset, the
// SMTP server ends and comes back, the configuration is read anew and backups are made. Nothing is killed: it is one
// life of the desk.
type Soak struct {
	Rig     *Rig
	Backup  string // file that backups are written to
	Metrics string // URL of the desk's metrics
	Rate    int    // mails a second
	Lasts   time.Duration

	Samples                            []Sample // taken so far, evenly spread
	Resets, Reloads, Restarts, Backups int
}

// soakSamples is how many samples a short soak takes; a longer one takes one a minute.
const soakSamples = 30

// Run lets the desk live for as long as it is to last. The desk is left running.
func (s *Soak) Run() error {
	began := time.Now()
	every := func(d time.Duration) *time.Ticker { return time.NewTicker(min(d, s.Lasts/3)) }
	mails := time.NewTicker(time.Second / time.Duration(s.Rate))
	reset, reload, restart, backup := every(10*time.Second), every(30*time.Second), every(5*time.Minute), every(5*time.Minute)
	sample := time.NewTicker(min(time.Minute, s.Lasts/soakSamples))
	end := time.NewTimer(s.Lasts)
	for _, t := range []*time.Ticker{mails, reset, reload, restart, backup, sample} {
		defer t.Stop()
	}
	defer end.Stop()
	for {
		var err error
		select {
		case <-mails.C:
			err = s.Rig.Put()
		case <-reset.C:
			s.Resets++
			s.Rig.imap.Reset()
			s.Rig.smtp.Reset()
		case <-reload.C:
			err = s.reload()
		case <-restart.C:
			s.Restarts++
			err = errors.Join(s.Rig.Servers.StopSMTP(), s.Rig.Servers.StartSMTP())
		case <-backup.C:
			s.Backups++
			err = s.Rig.Desk.Ask(bounded(), "backup", map[string]string{"file": s.Backup}, nil)
		case <-sample.C:
			err = s.sample(time.Since(began))
		case <-s.Rig.Desk.Done():
			err = fmt.Errorf("the desk ended by itself: %s\n%s", s.Rig.Desk.cmd.ProcessState, s.Rig.Desk.tail())
		case <-end.C:
			return nil
		}
		if err != nil {
			return fmt.Errorf("after %s: %w", time.Since(began).Round(time.Second), err)
		}
	}
}

// reload changes the configuration, so that every reload starts what follows the mailbox anew.
func (s *Soak) reload() error {
	s.Reloads++
	text, err := os.ReadFile(s.Rig.Desk.Config())
	if err != nil {
		return err
	}
	swap := strings.NewReplacer("poll: 1s", "poll: 2s", "poll: 2s", "poll: 1s")
	if err := os.WriteFile(s.Rig.Desk.Config(), []byte(swap.Replace(string(text))), 0o600); err != nil {
		return err
	}
	return s.Rig.Desk.Signal(syscall.SIGHUP)
}

func (s *Soak) sample(at time.Duration) error {
	v := Sample{At: at, Mails: len(s.Rig.Mail.Sent())}
	proc := fmt.Sprintf("/proc/%d", s.Rig.Desk.cmd.Process.Pid)
	open, err := os.ReadDir(proc + "/fd")
	if err != nil {
		return err
	}
	v.Descriptors = len(open)
	status, err := os.ReadFile(proc + "/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "RssAnon:" {
			kB, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				return err
			}
			v.Anonymous = kB << 10
		}
	}
	if v.Goroutines, err = s.goroutines(); err != nil {
		return err
	}
	v.Store, err = octetsIn(s.Rig.Desk.State())
	s.Samples = append(s.Samples, v)
	return err
}

// goroutines asks the desk how many it has.
func (s *Soak) goroutines() (n int, err error) {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(s.Metrics)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if v, ok := strings.CutPrefix(lines.Text(), "go_goroutines "); ok {
			return strconv.Atoi(v)
		}
	}
	return 0, errors.New("the desk's metrics do not tell its goroutines")
}

// octetsIn adds up what all files in a folder take on the disk: what bbolt has reserved and never written is no part of
// it. Files may come and go meanwhile.
func octetsIn(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				n += info.Sys().(*syscall.Stat_t).Blocks * 512 // stat(2): always in such units
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return n, err
}

// Trend is how one figure of a Soak went on after the warm-up.
type Trend struct {
	Name        string
	First, Last float64 // where the line through the samples begins and ends
	Least, Most float64
	Allowed     float64 // how much higher the line may end
	Unit        string
}

// Flat reports whether the figure did not grow.
func (t Trend) Flat() bool { return t.Last-t.First <= t.Allowed }

func (t Trend) String() string {
	return fmt.Sprintf("%s %.1f to %.1f%s (%.1f…%.1f)", t.Name, t.First, t.Last, t.Unit, t.Least, t.Most)
}

// Trends judges the samples after the first third, which is the warm-up. The line through them has the median of the
// slopes of all pairs of samples (Theil and Sen), so that single high samples, as during a backup, do not move it. It may
// rise by a tenth and a little, over all the time that is judged. Of the store the figure is octets for each mail that
// came in since the warm-up: it may grow with the mail and no faster.
func Trends(samples []Sample) []Trend {
	rest := samples[len(samples)/3:]
	const mega = 1 << 20
	memory := 8.0
	if rest[len(rest)-1].At < 10*time.Minute {
		memory = 24 // the garbage collector has not come to rest yet
	}
	return []Trend{
		trend("goroutines", "", 5, rest, func(s Sample) float64 { return float64(s.Goroutines) }),
		trend("descriptors", "", 5, rest, func(s Sample) float64 { return float64(s.Descriptors) }),
		trend("RssAnon", " MiB", memory, rest, func(s Sample) float64 { return float64(s.Anonymous) / mega }),
		storeTrend(rest),
	}
}

func trend(name, unit string, little float64, samples []Sample, of func(Sample) float64) Trend {
	var slopes, offsets, all []float64
	for i, a := range samples {
		all = append(all, of(a))
		for _, b := range samples[i+1:] {
			slopes = append(slopes, (of(b)-of(a))/(b.At-a.At).Seconds())
		}
	}
	slope := median(slopes)
	for _, s := range samples {
		offsets = append(offsets, of(s)-slope*s.At.Seconds())
	}
	first := median(offsets) + slope*samples[0].At.Seconds()
	last := median(offsets) + slope*samples[len(samples)-1].At.Seconds()
	return Trend{Name: name, Unit: unit, First: first, Last: last, Least: slices.Min(all), Most: slices.Max(all), Allowed: first/10 + little}
}

// storeTrend compares the room that mails took in both halves of the samples. A MiB more or less in each says nothing: the
// list of free pages comes and goes.
func storeTrend(samples []Sample) Trend {
	perMail := func(a, b Sample, more int64) float64 {
		return float64(b.Store-a.Store+more) / 1024 / float64(max(b.Mails-a.Mails, 1))
	}
	first, middle, last := samples[0], samples[len(samples)/2], samples[len(samples)-1]
	t := Trend{Name: "store", Unit: " KiB a mail", First: perMail(first, middle, 0), Last: perMail(middle, last, 0)}
	t.Least, t.Most = min(t.First, t.Last), max(t.First, t.Last)
	t.Allowed = perMail(first, middle, 1<<20) - t.First + perMail(middle, last, 1<<20) - t.Last + t.First/10
	return t
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if len(v)%2 == 1 {
		return v[len(v)/2]
	}
	return (v[len(v)/2-1] + v[len(v)/2]) / 2
}
