package command

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Hours is working time, as tickets.Calendar counts it.
type Hours interface {
	// Add returns the instant at which d of working time have passed since start.
	Add(start time.Time, d time.Duration) time.Time
	// Between returns the working time from one instant to a later one.
	Between(from, to time.Time) time.Duration
}

// WhenError says why a text is no time that a command can take.
type WhenError struct {
	Key  string // when: it cannot be read; when_past: it is over; when_far: it lies years ahead; when_not_past: it ought to be over
	Text string // as written
}

// Error implements error.
func (e *WhenError) Error() string {
	switch e.Key {
	case "when_past":
		return "read the time " + strconv.Quote(e.Text) + ": it is over already"
	case "when_not_past":
		return "read the time " + strconv.Quote(e.Text) + ": it is not one of the last 31 days"
	case "when_far":
		return "read the time " + strconv.Quote(e.Text) + ": it lies more than two years ahead"
	}
	return "read the time " + strconv.Quote(e.Text) + ": write it like 2h, tomorrow 9:00, friday, or 2026-11-02 14:00"
}

// farthest is how far ahead a time may lie; what lies farther is a slip of the pen.
const farthest = 2 * 366 * 24 * time.Hour

// ParseWhen reads a point in time as people write it, in German or English, seen from now in a zone. What it returns lies
// ahead of now, to the minute, in the zone. The rules:
//
//   - Hours and minutes count working time: two hours from half past four are in the next morning. Days, weeks and months
//     are those of the calendar, at the same time of day; working days skip those without working time.
//   - A day without a time of day is the begin of its working time, or of the next day that has any; today is its end.
//   - A day with a time of day is exactly that, whether anybody works then or not.
//   - A weekday is the next one; today's only with a time that lies ahead. A date without a year is the next one.
func ParseWhen(text string, now time.Time, zone *time.Location, hours Hours) (time.Time, error) {
	if zone == nil {
		zone = time.UTC
	}
	w := &when{now: now.In(zone).Truncate(time.Minute), zone: zone, hours: hours, words: whenWords(text)}
	at, ok := w.read()
	switch {
	case !ok || len(text) > 100:
		return time.Time{}, &WhenError{"when", text}
	case !at.After(now):
		return time.Time{}, &WhenError{"when_past", text}
	case at.Sub(now) > farthest:
		return time.Time{}, &WhenError{"when_far", text}
	}
	return at.In(zone), nil
}

// ParsePast reads when something was: 14:05, gestern 16:00, Mon 9:30, 2026-11-20 10:00. What it returns does not lie ahead
// of now, and at most 31 days behind it.
func ParsePast(text string, now time.Time, zone *time.Location) (time.Time, error) {
	if zone == nil {
		zone = time.UTC
	}
	w := &when{now: now.In(zone), zone: zone, words: whenWords(text)}
	day, clock := dateOf(w.now), -1
	for i := 0; i < len(w.words); {
		rest := w.words[i:]
		if d, n := w.day(rest); n > 0 {
			if d.weekly && dateOf(w.now).before(d) {
				d = d.plus(-7)
			}
			if d.year == 0 {
				if d.year = w.now.Year(); dateOf(w.now).before(d) {
					d.year--
				}
			}
			day, i = d, i+n
			continue
		}
		if rest[0] == "yesterday" || rest[0] == "gestern" {
			day, i = dateOf(w.now).plus(-1), i+1
			continue
		}
		if c, n := w.clock(rest, false); n > 0 && c >= 0 && clock < 0 {
			clock, i = c, i+n
			continue
		}
		if !fillers[rest[0]] && rest[0] != "," {
			return time.Time{}, &WhenError{"when", text}
		}
		i++
	}
	if clock < 0 || !day.valid || len(text) > 100 {
		return time.Time{}, &WhenError{"when", text}
	}
	at := w.at(day, clock)
	if at.After(w.now) || w.now.Sub(at) > 31*24*time.Hour {
		return time.Time{}, &WhenError{"when_not_past", text}
	}
	return at, nil
}

// when is a text that is being read.
type when struct {
	now   time.Time
	zone  *time.Location
	hours Hours
	words []string
}

// fillers stand before or between the parts of a time and say nothing.
var fillers = map[string]bool{"until": true, "till": true, "by": true, "on": true, "at": true, "in": true, "the": true, "of": true, "and": true, "next": true, "this": true, "from": true,
	"bis": true, "zum": true, "am": true, "um": true, "den": true, "dem": true, "der": true, "im": true, "ab": true, "und": true, "gegen": true, "uhr": true, "o'clock": true, "ca.": true,
	"nächste": true, "nächsten": true, "nächster": true, "nächstes": true, "naechste": true, "naechsten": true, "kommende": true, "kommenden": true, "kommender": true, "kommendes": true,
	"diese": true, "diesen": true, "dieser": true, "dieses": true}

var (
	decimal   = regexp.MustCompile(`(\d),(\d)`)
	glued     = regexp.MustCompile(`(\d)(uhr|a\.?m\.?|p\.?m\.?)\b\.?`)
	isoClock  = regexp.MustCompile(`(\d{4}-\d{1,2}-\d{1,2})t(\d)`)
	dottedDay = regexp.MustCompile(`(\d{1,2}\.) (\d{1,2}\.)`)
)

// whenWords cuts a text into its words. "9 Uhr" and "9am" become a word each: 9uhr, 9am.
func whenWords(text string) []string {
	s := decimal.ReplaceAllString(strings.ToLower(strings.TrimSpace(text)), "$1.$2")
	s = strings.NewReplacer(",", " , ", "\u00a0", " ", "\u202f", " ").Replace(s)
	s = isoClock.ReplaceAllString(s, "$1 $2")
	s = glued.ReplaceAllString(s, "$1 $2")
	s = dottedDay.ReplaceAllString(s, "$1$2") // 24. 12.
	var words []string
	for _, f := range strings.Fields(s) {
		n := len(words)
		switch bare := strings.ReplaceAll(f, ".", ""); {
		case f == ",":
			if n > 0 && words[n-1] != "," {
				words = append(words, f)
			}
		case n > 0 && startsDigit(words[n-1]) && (f == "uhr" || bare == "am" || bare == "pm"):
			words[n-1] += bare
		default:
			words = append(words, f)
		}
	}
	return words
}

func startsDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// read reads the whole text; ok is false when something of it is left over.
func (w *when) read() (at time.Time, ok bool) {
	if at, ok := w.span(); ok {
		return at, true
	}
	var day date
	clock, haveDay, haveClock := -1, false, false
	for i := 0; i < len(w.words); {
		rest := w.words[i:]
		if d, n := w.day(rest); n > 0 && !haveDay {
			day, haveDay, i = d, true, i+n
			continue
		}
		if c, n := w.clock(rest, haveDay); n > 0 && !haveClock {
			clock, haveClock, i = c, true, i+n
			continue
		}
		if !fillers[rest[0]] && rest[0] != "," {
			return time.Time{}, false
		}
		i++
	}
	switch {
	case !haveDay && !haveClock:
		return time.Time{}, false
	case !haveDay: // the next time that the clock says so
		if at = w.moment(dateOf(w.now), clock); !at.After(w.now) {
			at = w.moment(dateOf(w.now).plus(1), clock)
		}
		return at, true
	}
	if day = w.settled(day, clock); !day.valid {
		return time.Time{}, false
	}
	return w.moment(day, clock), true
}

// span reads "2h", "in 2 days", "1h 30m", "eine halbe Stunde", "drei Arbeitstage".
func (w *when) span() (at time.Time, ok bool) {
	var months, days, working int
	var worked time.Duration
	words := w.spanWords()
	if len(words) == 0 || len(words)%2 != 0 {
		return time.Time{}, false
	}
	for i := 0; i < len(words); i += 2 {
		n, known := number(words[i])
		if !known {
			return time.Time{}, false
		}
		whole := n == math.Trunc(n)
		switch unit := units[words[i+1]]; {
		case unit == "minute":
			worked += time.Duration(n * float64(time.Minute))
		case unit == "hour":
			worked += time.Duration(n * float64(time.Hour))
		case unit == "" || !whole:
			return time.Time{}, false
		case unit == "day":
			days += int(n)
		case unit == "week":
			days += 7 * int(n)
		case unit == "month":
			months += int(n)
		case unit == "working day":
			working += int(n)
		}
	}
	worked = worked.Round(time.Minute) // times are told in minutes
	if worked < 0 || worked > farthest || days > 1000 || months > 30 || working > 1000 {
		return w.now.Add(2 * farthest), true
	}
	at = w.now
	if months > 0 || days > 0 || working > 0 {
		clock := at.Hour()*60 + at.Minute()
		day := dateOf(at)
		if months > 0 {
			day = day.plusMonths(months)
		}
		day = day.plus(days)
		for ; working > 0; working-- {
			for day = day.plus(1); !w.works(day) && day.before(dateOf(w.now).plus(1100)); {
				day = day.plus(1)
			}
		}
		at = w.opening(w.moment(day, clock))
	}
	if worked > 0 {
		at = w.hours.Add(at, worked)
	}
	return at, true
}

// ParseSpent reads a span of time that was worked: 15m, 1h 30m, 1:30, 1.5h, zwei Stunden, or minutes alone. It is a
// minute at least and a hundred hours at most.
func ParseSpent(text string) (d time.Duration, ok bool) {
	w := &when{words: whenWords(text)}
	if m := clockWord.FindStringSubmatch(strings.TrimSpace(text)); m != nil && m[3] == "" && !strings.Contains(text, ".") {
		hours, errHours := strconv.Atoi(m[1])
		minutes, errMinutes := strconv.Atoi(m[2])
		if m[2] == "" {
			hours, minutes, errMinutes = 0, hours, nil
		}
		d = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
		return d, errHours == nil && errMinutes == nil && d >= time.Minute && d <= 100*time.Hour
	}
	if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
		w.words = []string{strconv.Itoa(n), "m"}
	}
	words := w.spanWords()
	for i := 0; i+1 < len(words); i += 2 {
		n, known := number(words[i])
		unit, found := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour}[units[words[i+1]]]
		if !known || !found {
			return 0, false
		}
		d += time.Duration(n * float64(unit)).Round(time.Minute)
	}
	return d, len(words) > 0 && len(words)%2 == 0 && d >= time.Minute && d <= 100*time.Hour
}

var (
	compact  = regexp.MustCompile(`^\d+(\.\d+)?([a-zäöüß]+\d+(\.\d+)?)*[a-zäöüß]+$`)
	compacts = regexp.MustCompile(`\d+(?:\.\d+)?|[a-zäöüß]+`)
)

// spanWords makes pairs of a number and a unit out of the words, or nothing.
func (w *when) spanWords() []string {
	var words []string
	for i := 0; i < len(w.words); i++ {
		word := w.words[i]
		switch {
		case (fillers[word] || word == ",") && (i == 0 || len(words)%2 == 0):
			continue
		case compact.MatchString(word):
			words = append(words, compacts.FindAllString(word, -1)...)
		case (word == "half" || word == "halbe" || word == "halben") && len(words) == 1:
			words[0] = "0.5" // half an hour, eine halbe Stunde
		case word == "half" || word == "halbe":
			words = append(words, "0.5")
		case (word == "a" || word == "an") && len(words)%2 == 1:
			continue // half an hour
		case (word == "business" || word == "working" || word == "work") && len(words)%2 == 1 && i+1 < len(w.words):
			words = append(words, "working "+w.words[i+1])
			i++
		case word == "," && i+1 < len(w.words):
			return nil
		default:
			words = append(words, word)
		}
	}
	if len(words) == 2 && words[1] == "," {
		return nil
	}
	return words
}

var units = unitTable()

func unitTable() map[string]string {
	table := map[string]string{}
	for unit, names := range map[string]string{
		"minute":      "m min min. mins minute minutes minuten",
		"hour":        "h hr hrs hour hours std std. stunde stunden",
		"day":         "d day days t tag tage tagen",
		"week":        "w wk week weeks woche wochen",
		"month":       "month months monat monate monaten",
		"working day": "wd bd workday workdays arbeitstag arbeitstage arbeitstagen werktag werktage werktagen",
	} {
		for name := range strings.FieldsSeq(names) {
			table[name] = unit
		}
	}
	table["working day"], table["working days"] = "working day", "working day"
	return table
}

var numberWords = map[string]float64{
	"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
	"ein": 1, "eine": 1, "einen": 1, "einem": 1, "einer": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "fuenf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10, "zwölf": 12,
}

func number(s string) (float64, bool) {
	if n, ok := numberWords[s]; ok {
		return n, true
	}
	if !startsDigit(s) {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && n > 0 && n < 1e6
}
