package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kinds of values that say how much or when.

// rate is so many in a time.
type rate struct {
	n   int
	per time.Duration
}

func (r rate) String() string { return fmt.Sprintf("%d/%s", r.n, written(r.per)) }

func parseRate(s string) (any, error) {
	bad := &fault{what: fmt.Sprintf("wants a number and a time such as 20/1h, got %q", clip(s))}
	number, time, _ := strings.Cut(s, "/")
	n, err := strconv.Atoi(number)
	per, _, ok := duration(time)
	if err != nil || n < 1 || n > 999_999 || !ok || per <= 0 {
		return nil, bad
	}
	return rate{n, per}, nil
}

func parsePercent(s string) (any, error) {
	number, ok := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 0 {
		return nil, &fault{code: "E13", what: fmt.Sprintf("wants a percentage such as 75%%, got %q", clip(s))}
	}
	return n, nil
}

// parseMoment reads a time of day on a date; the zone is that of the organisation.
func parseMoment(s string) (any, error) {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		return nil, &fault{what: fmt.Sprintf("wants a date and time such as \"2026-11-23 08:00\", got %q", clip(s))}
	}
	return t, nil
}

func parseClock(s string) (any, error) {
	if m, ok := minutes(s); !ok || m == dayEnd {
		return nil, &fault{what: fmt.Sprintf("wants a time of day such as \"08:30\", got %q", clip(s))}
	}
	return s, nil
}

func parseInt(s string) (any, error) {
	if len(s) > 1 && s[0] == '0' {
		return nil, &fault{what: fmt.Sprintf("%q begins with a zero, which YAML reads as an octal number", clip(s)), fix: "write it without"}
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return nil, &fault{what: fmt.Sprintf("wants a whole number, got %q", clip(s))}
	}
	return n, nil
}

func parseNumber(s string) (any, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, &fault{what: fmt.Sprintf("wants a number, got %q", clip(s))}
	}
	return f, nil
}

// units of durations, longest first where one begins like another.
var units = []struct {
	name string
	d    time.Duration
}{{"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}}

// duration reads numbers with units, such as 1h30m. days tells whether there was a d among them.
func duration(s string) (total time.Duration, days, ok bool) {
	if s == "" || len(s) > 40 {
		return 0, false, false
	}
	for s != "" {
		i := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if i <= 0 {
			return 0, false, false
		}
		num, err := strconv.ParseFloat(s[:i], 64)
		u := slices.IndexFunc(units, func(u struct {
			name string
			d    time.Duration
		}) bool {
			return strings.HasPrefix(s[i:], u.name)
		})
		if err != nil || u < 0 || num > 1e7 {
			return 0, false, false
		}
		total += time.Duration(num * float64(units[u].d))
		days = days || units[u].name == "d"
		s = s[i+len(units[u].name):]
		if total > 100*365*24*time.Hour {
			return 0, false, false
		}
	}
	return total, days, true
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

func parseDuration(s string) (any, error) {
	if s == "0" {
		return time.Duration(0), nil
	}
	if isNumber(s) {
		return nil, &fault{what: fmt.Sprintf("wants a duration, got the bare number %s", clip(s)), fix: fmt.Sprintf("write the unit: %ss, %sm, %sh or %sd", clip(s), clip(s), clip(s), clip(s))}
	}
	d, _, ok := duration(s)
	if !ok {
		return nil, &fault{what: fmt.Sprintf("wants a duration such as 30s, 5m, 4h or 7d, got %q", clip(s))}
	}
	return d, nil
}

func parseTarget(s string) (any, error) {
	if isNumber(s) {
		return nil, &fault{what: fmt.Sprintf("wants a time such as 4h, got the bare number %s", clip(s)), fix: fmt.Sprintf("write the unit: %sh or %sm", clip(s), clip(s))}
	}
	d, days, ok := duration(s)
	switch {
	case !ok:
		return nil, &fault{what: fmt.Sprintf("wants a time in hours, minutes or seconds such as 4h, got %q", clip(s))}
	case days:
		return nil, &fault{code: "E09", what: fmt.Sprintf("%q counts days, and a working day has no fixed length", s), fix: "write 24h for three 8-hour days"}
	}
	return d, nil
}

func parseSize(s string) (any, error) {
	bad := &fault{what: fmt.Sprintf("wants a size such as 25MB, got %q", clip(s)), fix: "write a number and B, kB, MB, GB, KiB, MiB or GiB"}
	i := strings.LastIndexAny(s, "0123456789") + 1
	num, err := strconv.ParseFloat(s[:i], 64)
	if err != nil || num < 0 || num > 1e15 {
		return nil, bad
	}
	factor := map[string]float64{"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[strings.TrimSpace(s[i:])]
	if factor == 0 || num*factor > 1e15 {
		return nil, bad
	}
	return int64(num * factor), nil
}

func parseDate(s string) (any, error) {
	if _, err := time.Parse(time.DateOnly, s); err == nil {
		return s, nil
	}
	if _, err := time.Parse(time.RFC3339, s); err == nil {
		return s, nil
	}
	return nil, &fault{what: fmt.Sprintf("wants a date such as 2026-11-01, got %q", clip(s)), fix: "write year, month and day, or date and time as in 2026-11-01T08:00:00+01:00"}
}
