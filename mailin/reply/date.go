package reply

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// dateReader collects the parts of a date in the order in which they come.
type dateReader struct {
	year, month, day       int
	hour, minute, second   int
	clock, pm, am, hasZone bool
	offset                 int
}

func (d *dateReader) token(t string) {
	switch t {
	case "pm", "p.m.":
		d.pm = true
		return
	case "am", "a.m.":
		d.am = true
		return
	}
	for _, half := range [...]string{"上午", "午前", "오전", "下午", "午後", "오후"} {
		if rest, ok := strings.CutPrefix(t, half); ok {
			d.am, d.pm = half == "上午" || half == "午前" || half == "오전", half == "下午" || half == "午後" || half == "오후"
			if t = rest; t == "" {
				return
			}
		}
	}
	if r, _ := utf8.DecodeRuneInString(t); unicode.IsLetter(r) && !unspaced(r) {
		d.word(t)
		return
	}
	if strings.ContainsAny(t, "年月日년월일") {
		d.cjk(t)
		return
	}
	if (t[0] == '+' || t[0] == '-') && d.clock {
		d.zone(t)
		return
	}
	if date, clock, ok := strings.Cut(t, "t"); ok && len(date) == 10 { // RFC 3339
		d.digits(date)
		if i := strings.LastIndexAny(clock, "+-"); i > 0 {
			d.zone(clock[i:])
			clock = clock[:i]
		}
		t = strings.TrimRight(clock, "z")
	}
	if d.clocks(t) {
		return
	}
	d.digits(t)
}

// word reads a month, or a zone such as "gmt+2" and "utc+02:00".
func (d *dateReader) word(t string) {
	for _, name := range [...]string{"gmt", "utc"} {
		if rest, ok := strings.CutPrefix(t, name); ok {
			d.hasZone = true
			if rest != "" {
				d.zone(rest)
			}
			return
		}
	}
	// "17-feb-2015" starts with a digit and comes by another way; here it is "feb." or "february".
	if d.month != 0 {
		return
	}
	for _, m := range words.months {
		if strings.HasPrefix(t, m.start) && !d.weekday(t) {
			d.month = m.number
			return
		}
	}
}

// weekday knows the days of the week that start like a month.
func (d *dateReader) weekday(t string) bool {
	switch {
	case strings.HasPrefix(t, "mart") && strings.HasSuffix(t, "s") && len(t) == 6 && t != "martes",
		t == "martes", t == "mardi", t == "martedì", t == "mar.", t == "mar" && d.day == 0 && d.year == 0:
		return d.day == 0
	case strings.HasPrefix(t, "sept") || strings.HasPrefix(t, "settem"):
		return false
	case t == "lis", strings.HasPrefix(t, "set") && strings.HasPrefix(t, "sete") && d.day == 0:
		return false
	}
	return false
}

func (d *dateReader) zone(t string) {
	sign := 1
	if t[0] == '-' {
		sign = -1
	}
	t = strings.ReplaceAll(strings.TrimLeft(t, "+-"), ":", "")
	if !isDigits(t) || len(t) > 4 {
		return
	}
	n := number(t)
	if len(t) <= 2 {
		n *= 100
	}
	if n <= 1400 {
		d.offset, d.hasZone = sign*(n/100*3600+n%100*60), true
	}
}

// clocks reads a time of day: "10:15", "10:15:30", "3:05pm", "10h15".
func (d *dateReader) clocks(t string) bool {
	if rest, ok := strings.CutSuffix(t, "pm"); ok {
		d.pm, t = true, rest
	} else if rest, ok := strings.CutSuffix(t, "am"); ok {
		d.am, t = true, rest
	}
	sep := ":"
	if !strings.Contains(t, ":") {
		if sep = "h"; !strings.Contains(t, sep) {
			if d.clock || d.year == 0 || strings.Count(t, ".") != 1 {
				return false
			}
			sep = "." // "klo 17.50", after the date
		}
	}
	f := strings.Split(strings.TrimRight(t, ".:"), sep)
	if len(f) < 2 || len(f) > 3 {
		return false
	}
	var n [3]int
	for i, part := range f {
		if !isDigits(part) || len(part) > 2 {
			return false
		}
		n[i] = number(part)
	}
	if n[0] < 24 && n[1] < 60 && n[2] < 61 {
		d.hour, d.minute, d.second, d.clock = n[0], n[1], n[2], true
	}
	return true
}

// cjk reads "2024年3月5日" and its parts.
func (d *dateReader) cjk(t string) {
	n := 0
	for _, r := range t {
		switch {
		case '0' <= r && r <= '9':
			n = min(n*10+int(r-'0'), 1e6)
			continue
		case n == 0:
			// A day of the week is written with the sign for month or day.
		case r == '年' || r == '년':
			d.year = n
		case r == '月' || r == '월':
			d.month = n
		case r == '日' || r == '일':
			d.day = n
		}
		n = 0
	}
}

// digits reads "5", "5.", "5th", "2024", "05.03.2024", "3/5/2024", "2024-03-05", "17-feb-2015".
func (d *dateReader) digits(t string) {
	f := strings.FieldsFunc(t, func(r rune) bool { return r == '.' || r == '/' || r == '-' })
	switch len(f) {
	case 1:
		d.one(f[0])
	case 3:
		d.three(f, strings.ContainsRune(t, '/'))
	}
}

func (d *dateReader) one(t string) {
	t = strings.TrimRight(strings.TrimRightFunc(t, unicode.IsLetter), "º°ª'")
	if !isDigits(t) || len(t) > 4 {
		return
	}
	switch n := number(t); {
	case len(t) == 4 && d.year == 0:
		d.year = n
	case n >= 1 && n <= 31 && d.day == 0:
		d.day = n
	}
}

func (d *dateReader) three(f []string, slashes bool) {
	for _, m := range words.months {
		if isDigits(f[0]) && strings.HasPrefix(f[1], m.start) {
			d.day, d.month, d.year = number(f[0]), m.number, fullYear(f[2])
			return
		}
	}
	for _, part := range f {
		if !isDigits(part) || len(part) > 4 {
			return
		}
	}
	a, b, c := number(f[0]), number(f[1]), number(f[2])
	switch {
	case len(f[0]) == 4:
		d.year, d.month, d.day = a, b, c
	case slashes && b > 12:
		d.month, d.day, d.year = a, b, fullYear(f[2])
	default:
		// With slashes and both up to 12 no one can tell; most of the world puts the day first.
		d.day, d.month, d.year = a, b, fullYear(f[2])
	}
}

func fullYear(s string) int {
	n := number(s)
	if len(s) == 2 {
		n += 2000
	}
	return n
}

func number(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func (d *dateReader) time() time.Time {
	if d.year < 1970 || d.year > 9999 || d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31 {
		return time.Time{}
	}
	if d.pm && d.hour < 12 {
		d.hour += 12
	}
	if d.am && d.hour == 12 {
		d.hour = 0
	}
	zone := time.UTC
	if d.offset != 0 {
		zone = time.FixedZone("", d.offset)
	}
	return time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.second, 0, zone)
}
