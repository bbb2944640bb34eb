package bench

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// Stage is what one stage took. CPU is of this process alone: the servers run in another.
type Stage struct {
	Name      string  `json:"name"`
	Count     int     `json:"count"`
	Unit      string  `json:"unit"` // of what Count counts
	Seconds   float64 `json:"seconds"`
	CPUMicros float64 `json:"cpu_micros"`  // of each
	Allocs    float64 `json:"allocs"`      // of each
	AllocKB   float64 `json:"alloc_kb"`    // of each
	PeakAnon  float64 `json:"peak_rss_mb"` // RssAnon: memory that no file stands behind; 0 where the system does not tell
	P50Micros float64 `json:"p50_micros,omitempty"`
	P99Micros float64 `json:"p99_micros,omitempty"`
	Trips     float64 `json:"round_trips,omitempty"` // to the server, of each
	Note      string  `json:"note,omitempty"`
}

// PerSecond is how many were done in a second.
func (s Stage) PerSecond() float64 { return float64(s.Count) / max(s.Seconds, 1e-9) }

// measure runs f, which does something count times, and notes what it took.
func (r *run) measure(ctx context.Context, name, unit string, count int, f func(context.Context) error) (*Stage, error) {
	runtime.GC()
	watch := watchMemory(ctx)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, began := cpuTime(), time.Now()
	err := f(ctx)
	took, used := time.Since(began), cpuTime()-cpu
	runtime.ReadMemStats(&after)
	n := float64(max(count, 1))
	r.result.Stages = append(r.result.Stages, Stage{
		Name: name, Unit: unit, Count: count, Seconds: took.Seconds(), CPUMicros: float64(used.Microseconds()) / n,
		Allocs: float64(after.Mallocs-before.Mallocs) / n, AllocKB: float64(after.TotalAlloc-before.TotalAlloc) / 1000 / n, PeakAnon: watch(),
	})
	return &r.result.Stages[len(r.result.Stages)-1], err
}

// watchMemory follows this process's memory until the function that it returns is called, which gives the peak in MB.
func watchMemory(ctx context.Context) func() float64 {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	peak := anonymous()
	group.Go(func() {
		look := time.NewTicker(25 * time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-look.C:
				peak = max(peak, anonymous())
			case <-ctx.Done():
				return
			}
		}
	})
	return func() float64 {
		cancel()
		group.Wait()
		return max(peak, anonymous())
	}
}

// anonymous is RssAnon in MB, or 0 where the system does not tell.
func anonymous() float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		kb := 0
		if n, _ := fmt.Sscanf(line, "RssAnon: %d kB", &kb); n == 1 {
			return float64(kb) / 1024
		}
	}
	return 0
}

// quantiles fills in the median and the time that one in a hundred exceeds.
func (s *Stage) quantiles(took []time.Duration) {
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	s.P50Micros = float64(took[len(took)/2].Nanoseconds()) / 1000
	s.P99Micros = float64(took[min(len(took)-1, len(took)*99/100)].Nanoseconds()) / 1000
}
