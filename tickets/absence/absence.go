// Package absence reads from a text, such as an out-of-office note, until when somebody is away. It reads German and
// English, takes a date only where the words around it say that it ends the absence, and would rather read none than a
// wrong one.
package absence

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// longest is how far ahead an end is believed.
const longest = 366 * 24 * time.Hour

// Until returns the instant at which somebody is back: the midnight that begins their first day, in zone. A text that
// names several ends means the latest. ok is false when there is none, or when it is past.
func Until(text string, now time.Time, zone *time.Location) (until time.Time, ok bool) {
	folded := fold(text)
	now = now.In(zone)
	for _, m := range mentions(folded, now) {
		end, ends := m.ends(folded)
		if !ends || !end.After(now) || end.Sub(now) > longest {
			continue
		}
		if end.After(until) {
			until, ok = end, true
		}
	}
	return until, ok
}

// fold makes spellings equal: lower case, no umlauts, one blank between words.
func fold(s string) string {
	s = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "’", "'").Replace(strings.ToLower(s))
	return strings.Join(strings.Fields(s), " ")
}

// mention is a day that a text names.
type mention struct {
	from, to int // octets of the text
	day      time.Time
	ranged   bool // the end of a span: "1.12. - 12.12."
}

var (
	monthNumbers = map[string]time.Month{"jan": 1, "feb": 2, "mar": 3, "mae": 3, "apr": 4, "may": 5, "mai": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "okt": 10, "nov": 11, "dec": 12, "dez": 12}
	weekdays     = map[string]time.Weekday{"so": 0, "mo": 1, "di": 2, "mi": 3, "do": 4, "fr": 5, "sa": 6, "su": 0, "tu": 2, "we": 3, "th": 4}

	months   = `(jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|maerz|apr(?:il)?|may|mai|june?|juni|july?|juli|aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)\b\.?`
	isoDay   = regexp.MustCompile(`\b(\d{4})-(\d{2})-(\d{2})\b`)
	dotted   = regexp.MustCompile(`\b(\d{1,2})\. ?(\d{1,2})\.(?: ?(\d{4}|\d{2})\b)?`)
	dayMonth = regexp.MustCompile(`\b(\d{1,2})(?:\.|st|nd|rd|th)?(?: of)? ` + months + `,?(?: (\d{4}))?\b`)
	monthDay = regexp.MustCompile(`\b` + months + ` (\d{1,2})(?:st|nd|rd|th)?\b(?:,? (\d{4})\b)?`)
	slashed  = regexp.MustCompile(`\b(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?\b`)
	weekday  = regexp.MustCompile(`\b(montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b`)
	relative = regexp.MustCompile(`\b(uebermorgen|morgen|tomorrow|heute|today)\b`)
)

// mentions finds the days that a text names, those that are written out in full first.
func mentions(s string, now time.Time) []mention {
	var all []mention
	taken := func(at []int) bool {
		for _, m := range all {
			if at[0] < m.to && m.from < at[1] {
				return true
			}
		}
		return false
	}
	find := func(re *regexp.Regexp, read func(group func(int) string) (time.Time, bool)) {
		for _, at := range re.FindAllStringSubmatchIndex(s, 500) {
			if taken(at) {
				continue
			}
			day, ok := read(func(i int) string {
				if at[2*i] < 0 {
					return ""
				}
				return s[at[2*i]:at[2*i+1]]
			})
			if ok {
				all = append(all, mention{from: at[0], to: at[1], day: day})
			}
		}
	}
	find(isoDay, func(g func(int) string) (time.Time, bool) { return day(g(1), number(g(2)), g(3), now) })
	find(dotted, func(g func(int) string) (time.Time, bool) { return day(g(3), number(g(2)), g(1), now) })
	find(dayMonth, func(g func(int) string) (time.Time, bool) { return day(g(3), int(monthNumbers[g(2)[:3]]), g(1), now) })
	find(monthDay, func(g func(int) string) (time.Time, bool) { return day(g(3), int(monthNumbers[g(1)[:3]]), g(2), now) })
	find(slashed, func(g func(int) string) (time.Time, bool) {
		a, b := number(g(1)), number(g(2))
		switch {
		case a > 12: // day/month
			return day(g(3), b, g(1), now)
		case b > 12 || a == b: // month/day
			return day(g(3), a, g(2), now)
		}
		return time.Time{}, false // nobody can tell which is which
	})
	find(weekday, func(g func(int) string) (time.Time, bool) {
		ahead := (int(weekdays[g(1)[:2]]) - int(now.Weekday()) + 7) % 7
		return midnight(now, ahead), true
	})
	find(relative, func(g func(int) string) (time.Time, bool) {
		ahead, ok := map[string]int{"heute": 0, "today": 0, "morgen": 1, "tomorrow": 1, "uebermorgen": 2}[g(1)]
		return midnight(now, ahead), ok
	})
	for i := range all {
		for _, m := range all {
			gap := ""
			if m.to <= all[i].from {
				gap = strings.TrimSpace(s[m.to:all[i].from])
			}
			all[i].ranged = all[i].ranged || gap == "-" || gap == "–" || gap == "to" || gap == "bis"
		}
	}
	return all
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func midnight(now time.Time, ahead int) time.Time {
	return time.Date(now.Year(), now.Month(), now.Day()+ahead, 0, 0, 0, 0, now.Location())
}

// day is a date; without a year it is the one that is meant today: in winter, "2 January" is next year's.
func day(year string, month int, dayOfMonth string, now time.Time) (time.Time, bool) {
	y, d := number(year), number(dayOfMonth)
	if len(year) == 2 {
		y += 2000
	}
	guess := year == ""
	if guess {
		y = now.Year()
	}
	t := time.Date(y, time.Month(month), d, 0, 0, 0, 0, now.Location())
	if guess && now.Sub(t) > longest/2 {
		t = time.Date(y+1, time.Month(month), d, 0, 0, 0, 0, now.Location())
	}
	return t, month >= 1 && month <= 12 && t.Day() == d && int(t.Month()) == month
}

// filler stands between the words that matter and the date.
const filler = `(?:[ ,:(]|am|ab|an|vom|zum|dem|den|der|on|from|of|as|by|the|in|im|office|at|work|buero|ist|is|einschliesslich|einschl\.?|inklusive|inkl\.?|including|incl\.?|and|und|voraussichtlich|expected|again|to|desk|wieder|zurueck|kommenden|naechsten|next|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|mo|di|mi|do|fr|sa|so|monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|wed|thu|fri|sat|sun|\.)*$`

var (
	untilBefore  = regexp.MustCompile(`(?:^|[ ,(:–-])(?:bis|until|till|til|through|thru)(?: und mit)?` + filler)
	returnBefore = regexp.MustCompile(`(?:^|[ ,(])(?:zurueck|wieder (?:da|erreichbar|verfuegbar|im buero|im dienst|zurueck)|rueckkehr|back|return|returning|returns|available again|erreichbar)(?: zu| bin ich| sein)?` + filler)
	fromBefore   = regexp.MustCompile(`(?:^|[ ,(])(?:am|ab|on|from|as of|wieder)` + filler)
	returnAfter  = regexp.MustCompile(`^[ ,)]*(?:bin ich |i am |i will be |i'll be |ich |will |werde |shall |be |wieder |dann |persoenlich |gern |gerne |fuer sie |wie gewohnt )*(?:zurueck|wieder|back|return|available|erreichbar|fuer sie da)`)
	awayAfter    = regexp.MustCompile(`^[^.!?\n]{0,60}\b(?:abwesend|nicht|absent|away|out of|not|unavailable|urlaub|vacation|leave)\b`)
)

// ends says when the absence ends by that day: "until" means that the day is still away, "back on" that it is not.
func (m mention) ends(s string) (time.Time, bool) {
	before, after := s[max(0, m.from-90):m.from], s[m.to:min(len(s), m.to+90)]
	switch {
	case m.ranged, untilBefore.MatchString(before):
		return m.day.AddDate(0, 0, 1), true
	case returnBefore.MatchString(before):
		return m.day, true
	case fromBefore.MatchString(before) && returnAfter.MatchString(after) && !awayAfter.MatchString(after):
		return m.day, true
	}
	return time.Time{}, false
}
