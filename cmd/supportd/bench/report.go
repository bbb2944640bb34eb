package bench

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

// Result is what a run measured.
type Result struct {
	Version   int     `json:"version"`
	Go        string  `json:"go"`
	Machine   string  `json:"machine"`
	Messages  int     `json:"messages"`
	Fill      int     `json:"fill"`
	Seed      uint64  `json:"seed"`
	LatencyMS float64 `json:"latency_ms"`
	Stages    []Stage `json:"stages"`
}

// Load reads a result that was saved.
func Load(path string) (Result, error) {
	var r Result
	data, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil || r.Version != 1 {
		return r, fmt.Errorf("%s is no result of supportd bench", path)
	}
	return r, nil
}

// Save writes a result for later runs to compare themselves with.
func (r Result) Save(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// Write prints the table, with a comparison when there is something to compare with.
func (r Result) Write(w io.Writer, baseline *Result) {
	fmt.Fprintf(w, "%s, %s\n%d messages, %d stored before, round trip %g ms\n\n", r.Machine, r.Go, r.Messages, r.Fill, r.LatencyMS)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	head := "stage\t\tper second\tCPU µs\tallocations\tkB allocated\tpeak MB\tp50 ms\tp99 ms\ttrips\t"
	if baseline != nil {
		head += "speed\tCPU\tmemory\t"
	}
	fmt.Fprintln(t, head)
	for _, s := range r.Stages {
		fmt.Fprintf(t, "%s\t%d %s\t%.0f\t%.0f\t%.0f\t%.1f\t%.0f\t%s\t%s\t%s\t", s.Name, s.Count, s.Unit, s.PerSecond(), s.CPUMicros, s.Allocs, s.AllocKB, s.PeakAnon,
			dash(s.P50Micros/1000), dash(s.P99Micros/1000), dash(s.Trips))
		if baseline != nil {
			fmt.Fprint(t, baseline.against(s))
		}
		fmt.Fprintln(t)
	}
	t.Flush()
	for _, s := range r.Stages {
		if s.Note != "" {
			fmt.Fprintf(w, "%s: %s\n", s.Name, s.Note)
		}
	}
	if baseline == nil {
		return
	}
	fmt.Fprintln(w, "\nspeed, CPU and memory: this run's divided by the baseline's.")
	if b := *baseline; b.Messages != r.Messages || b.Fill != r.Fill || b.Seed != r.Seed || b.LatencyMS != r.LatencyMS || b.Machine != r.Machine {
		fmt.Fprintf(w, "The baseline was measured otherwise: %s; %d messages, %d stored before, seed %d, round trip %g ms.\n", b.Machine, b.Messages, b.Fill, b.Seed, b.LatencyMS)
	}
}

// against compares a stage with the one of the same name.
func (r Result) against(s Stage) string {
	for _, old := range r.Stages {
		if old.Name == s.Name {
			return fmt.Sprintf("×%s\t×%s\t×%s\t", dash(ratio(s.PerSecond(), old.PerSecond())), dash(ratio(s.CPUMicros, old.CPUMicros)), dash(ratio(s.PeakAnon, old.PeakAnon)))
		}
	}
	return "\t\t\t"
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// dash is a number with three digits that count, or "–" for none.
func dash(v float64) string {
	return cmp.Or(map[bool]string{true: "–"}[v == 0], fmt.Sprintf("%.3g", v))
}
