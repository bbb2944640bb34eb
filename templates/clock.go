package templates

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// moment writes an instant as people of that language do. form is long ("Montag, 30. November, 10:40 Uhr"), dated (with
// the year), short ("Mo 30.11. 10:40") or second ("Mo 30.11. 10:40:07"). A zero time is "". The zone is shown unless the language's readers take it for
// granted (phrase time.zones_hidden).
func (p *phrases) moment(t time.Time, zone *time.Location, form string) string {
	if t.IsZero() {
		return ""
	}
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone)
	suffix, clock := "", "15:04"
	switch form {
	case "second":
		suffix, clock, form = "_short", "15:04:05", "short"
	case "short":
		suffix = "_short"
	}
	weekdays := p.list("time.weekdays" + suffix)
	months := p.list("time.months" + suffix)
	name, _ := t.Zone()
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		name = "UTC" + name
	}
	for _, hidden := range p.list("time.zones_hidden") {
		if name == hidden {
			name = ""
		}
	}
	return p.fill("time."+form, map[string]string{
		"weekday": weekdays[int(t.Weekday())%len(weekdays)],
		"day":     strconv.Itoa(t.Day()),
		"month":   months[(int(t.Month())-1)%len(months)],
		"year":    strconv.Itoa(t.Year()),
		"clock":   t.Format(clock),
		"zone":    name,
	})
}

// span writes a duration in hours and minutes, "1:36 h", "12 min" below an hour and "10 s" below a minute.
func span(d time.Duration) string {
	if d = d.Abs(); d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Round(time.Second)/time.Second))
	}
	d = d.Round(time.Minute)
	if d < time.Hour {
		return fmt.Sprintf("%d min", int(d/time.Minute))
	}
	return fmt.Sprintf("%d:%02d h", int(d/time.Hour), int(d%time.Hour/time.Minute))
}

// size writes octets with a unit and one decimal, with the decimal mark of the language.
func (p *phrases) size(n int64) string {
	units := []string{"KB", "MB", "GB"}
	if n < 1000 {
		return fmt.Sprintf("%d B", max(n, 0))
	}
	v := float64(n) / 1000
	i := 0
	for v >= 999.95 && i < len(units)-1 {
		v /= 1000
		i++
	}
	return strings.Replace(fmt.Sprintf("%.1f %s", v, units[i]), ".", p.fill("number.decimal", nil), 1)
}
