package parse

import (
	"strconv"
	"strings"
	"time"
)

// parseDate reads a Date field: RFC 5322 §3.3 and its obsolete forms, and what else is written there (ISO 8601, ctime,
// days and months in other languages, dots and slashes). It gives the zero time when the value cannot be read for
// certain. Without a zone it is UTC.
func parseDate(value string) time.Time {
	if len(value) > 200 {
		value = value[:200]
	}
	d := dateScan{year: -1, month: -1, day: -1, hour: -1}
	d.tokens(stripComments(value))
	return d.time()
}

// stripComments takes RFC 5322 comments out; a zone's name in one is not needed beside its offset.
func stripComments(s string) string {
	for range 5 {
		i := strings.IndexByte(s, '(')
		if i < 0 {
			break
		}
		j := strings.IndexByte(s[i:], ')')
		if j < 0 {
			// "(" without its end: what stands in it may be the zone.
			return s[:i] + " " + s[i+1:]
		}
		if c := s[i+1 : i+j]; strings.ContainsAny(s[:i], "+-") || zoneOffset(c) < 0 {
			c = ""
			s = s[:i] + " " + s[i+j+1:]
		} else {
			s = s[:i] + " " + c + " " + s[i+j+1:]
		}
	}
	return s
}

type dateScan struct {
	year, month, day  int
	hour, minute, sec int
	pm, am            bool
	zone              int // seconds east of UTC
	zoned             bool
	bad               bool
}

func (d *dateScan) tokens(s string) {
	for i := 0; i < len(s) && !d.bad; {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			j := i
			for j < len(s) && (s[j] >= '0' && s[j] <= '9' || strings.IndexByte(":.-/", s[j]) >= 0 && j+1 < len(s) && s[j+1] >= '0' && s[j+1] <= '9') {
				// "17:21:08-0600": the sign starts the zone.
				if s[j] == '-' && strings.Contains(s[i:j], ":") {
					break
				}
				j++
			}
			d.number(s[i:j])
			i = j
		case (c == '+' || c == '-') && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9' && d.hour >= 0 && !d.zoned:
			j := i + 1
			for j < len(s) && (s[j] >= '0' && s[j] <= '9' || s[j] == ':') {
				j++
			}
			d.offset(c, strings.ReplaceAll(s[i+1:j], ":", ""))
			i = j
		case isLetter(c):
			j := i
			for j < len(s) && isLetter(s[j]) {
				j++
			}
			d.word(s[i:j])
			i = j
		default:
			i++
		}
	}
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// number reads a run of digits and what joins them.
func (d *dateScan) number(s string) {
	switch {
	case strings.Contains(s, ":"), d.hour < 0 && strings.Count(s, ".") >= 1 && (d.day >= 0 && d.month >= 0 && d.year >= 0) && len(s) >= 4:
		if d.hour >= 0 {
			d.bad = true
			return
		}
		p := split(s, ":.")
		if len(p) > 3 && len(p[len(p)-1]) > 2 || len(p) == 4 {
			p = p[:3] // fractions of a second
		}
		if len(p) < 2 || len(p) > 3 {
			d.bad = true
			return
		}
		d.hour, d.minute = atoi(p[0]), atoi(p[1])
		if len(p) == 3 {
			d.sec = atoi(p[2])
		}
	case strings.ContainsAny(s, "-./"):
		d.numericDate(s)
	case len(s) == 8 && d.year < 0 && d.month < 0:
		d.year, d.month, d.day = atoi(s[:4]), atoi(s[4:6]), atoi(s[6:])
	case len(s) == 6 && d.hour < 0 && d.year >= 0:
		d.hour, d.minute, d.sec = atoi(s[:2]), atoi(s[2:4]), atoi(s[4:])
	case len(s) == 4 && d.zoneDigits():
		d.offset('+', s)
	default:
		d.plain(s)
	}
}

// zoneDigits tells whether four digits can only be a zone whose sign was lost.
func (d *dateScan) zoneDigits() bool { return d.hour >= 0 && d.year >= 0 && d.day >= 0 && !d.zoned }

// plain takes a number by itself: the day first, then the year.
func (d *dateScan) plain(s string) {
	n := atoi(s)
	switch {
	case d.day < 0 && len(s) <= 2:
		d.day = n
	case d.year < 0:
		d.setYear(s)
	case d.zoned || len(s) > 4:
	default:
		d.bad = d.hour < 0
	}
}

func (d *dateScan) setYear(s string) {
	y := atoi(s)
	switch { // RFC 5322 §4.3
	case len(s) == 2 && y < 50:
		y += 2000
	case len(s) <= 3:
		y += 1900
	}
	d.year = y
}

func (d *dateScan) numericDate(s string) {
	p := split(s, "-./")
	if len(p) != 3 || d.year >= 0 {
		d.bad = true
		return
	}
	switch {
	case len(p[0]) == 4:
		d.year, d.month, d.day = atoi(p[0]), atoi(p[1]), atoi(p[2])
	case strings.Contains(s, "/"):
		// 02/29/2024 is American; only a month over 12 says otherwise.
		d.month, d.day = atoi(p[0]), atoi(p[1])
		if d.month > 12 {
			d.month, d.day = d.day, d.month
		}
		d.setYear(p[2])
	default:
		d.day, d.month = atoi(p[0]), atoi(p[1])
		d.setYear(p[2])
	}
}

func (d *dateScan) word(w string) {
	l := strings.ToLower(w)
	switch {
	case l == "t" && d.year >= 0 && d.hour < 0:
	case l == "pm":
		d.pm = true
	case l == "am":
		d.am = true
	case d.month < 0 && monthNumber(l) > 0:
		d.month = monthNumber(l)
	case d.hour >= 0 && !d.zoned && zoneOffset(w) >= 0:
		d.zone, d.zoned = zoneOffset(w)-24*3600, true
	}
}

func (d *dateScan) offset(sign byte, digits string) {
	if len(digits) == 1 || len(digits) == 2 {
		digits += "00"
	}
	if len(digits) == 3 {
		digits = "0" + digits
	}
	if len(digits) > 4 {
		d.zoned = true // RFC 5322 §4.3: an unreadable zone is -0000
		return
	}
	h, m := atoi(digits[:len(digits)-2]), atoi(digits[len(digits)-2:])
	if h > 15 || m > 59 {
		d.zoned = true
		return
	}
	d.zone, d.zoned = h*3600+m*60, true
	if sign == '-' {
		d.zone = -d.zone
	}
}

func (d *dateScan) time() time.Time {
	if d.bad || d.year < 1970 || d.year > 2200 || d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31 {
		return time.Time{}
	}
	if d.hour < 0 {
		d.hour = 0
	}
	if d.pm && d.hour < 12 {
		d.hour += 12
	} else if d.am && d.hour == 12 {
		d.hour = 0
	}
	if d.hour > 24 || d.minute > 59 || d.sec > 60 || d.minute < 0 || d.sec < 0 {
		return time.Time{}
	}
	loc := time.UTC
	if d.zone != 0 {
		loc = time.FixedZone("", d.zone)
	}
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.sec, 0, loc)
	if t.Day() != d.day && d.hour < 24 && d.sec < 60 {
		return time.Time{} // the 31st of June
	}
	return t
}

// monthNumber knows the months of the languages that mail programs write into Date fields against the rules.
func monthNumber(w string) int {
	if len(w) < 3 {
		return 0
	}
	switch w {
	case "mär", "märz", "mrz", "maerz", "mars", "marzo", "maart":
		return 3
	case "avr", "avril", "abr", "abril":
		return 4
	case "mai", "maj", "maggio", "mag", "mayo", "mei", "maio":
		return 5
	case "juin", "giugno", "giu", "junio", "juni":
		return 6
	case "juil", "juillet", "luglio", "lug", "julio", "juli":
		return 7
	case "août", "aout", "ago", "agosto", "augustus":
		return 8
	case "sett", "set", "settembre", "setembro":
		return 9
	case "okt", "oktober", "ott", "ottobre", "out", "outubro":
		return 10
	case "dez", "dezember", "déc", "décembre", "dic", "dicembre", "diciembre", "dezembro":
		return 12
	case "gen", "gennaio", "ene", "enero", "januar", "janvier":
		return 1
	case "fév", "février", "febbraio", "febrero", "februar", "fevereiro":
		return 2
	}
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	full := [...]string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}
	for i := 0; i < len(names); i += 3 {
		if w[:3] == names[i:i+3] && (len(w) == 3 || strings.HasPrefix(full[i/3], w) || w == "sept" || strings.HasPrefix(w, full[i/3][:3]) && len(w) > 5) {
			return i/3 + 1
		}
	}
	return 0
}

// zoneOffset gives the offset of a zone's name in seconds, plus one day so that it is never negative, or -1.
func zoneOffset(w string) int {
	hours := 0.0
	switch strings.ToUpper(w) {
	case "GMT", "UT", "UTC", "Z", "WET":
	case "EST", "CDT":
		hours = -5
	case "EDT":
		hours = -4
	case "CST", "MDT":
		hours = -6
	case "MST", "PDT":
		hours = -7
	case "PST":
		hours = -8
	case "CET", "MEZ", "MET", "BST", "WEST":
		hours = 1
	case "CEST", "MESZ", "MEST", "EET":
		hours = 2
	case "EEST", "MSK":
		hours = 3
	case "IST":
		hours = 5.5
	case "JST", "KST":
		hours = 9
	default:
		return -1
	}
	return int(hours*3600) + 24*3600
}

func split(s, sep string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(sep, r) })
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -2
	}
	return n
}
