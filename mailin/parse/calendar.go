package parse

import (
	"strings"
	"time"
)

// maxCalendarLines bounds what is looked at of a calendar.
const maxCalendarLines = 5000

// calendarText makes readable text of the first event in a text/calendar part (RFC 5545): what it asks for, its
// title, its times with their zone as written, its place and its organiser. "" when there is no event.
func calendarText(ics string) string {
	method, event := "", map[string]string{}
	inEvent, seen := false, false
	depth := 0
	for i, line := range calendarLines(ics) {
		if i > maxCalendarLines || seen && !inEvent {
			break
		}
		name, params, value := calendarLine(line)
		switch {
		case name == "METHOD":
			method = strings.ToUpper(value)
		case name == "BEGIN" && inEvent:
			depth++
		case name == "END" && inEvent && depth > 0:
			depth--
		case name == "BEGIN" && (value == "VEVENT" || value == "VTODO"):
			inEvent, seen = true, true
		case name == "END" && inEvent:
			inEvent = false
		case inEvent && depth == 0:
			if _, twice := event[name]; !twice {
				event[name] = calendarValue(name, params, value)
			}
		}
	}
	if !seen {
		return ""
	}
	return calendarWords(method, event)
}

// calendarWords writes an event as lines of text.
func calendarWords(method string, event map[string]string) string {
	var b strings.Builder
	line := func(label, value string) {
		if value != "" {
			b.WriteString(label + ": " + value + "\n")
		}
	}
	line("METHOD", method)
	line("SUMMARY", event["SUMMARY"])
	when := event["DTSTART"]
	if end := event["DTEND"]; end != "" {
		if day, rest, ok := strings.Cut(end, " "); ok && strings.HasPrefix(when, day+" ") {
			end = rest
		}
		when += " – " + end
	}
	line("WHEN", when)
	line("DUE", event["DUE"])
	line("REPEATS", event["RRULE"])
	line("WHERE", event["LOCATION"])
	line("ORGANIZER", event["ORGANIZER"])
	if d := event["DESCRIPTION"]; d != "" {
		b.WriteString("\n" + cutString(d, 64<<10) + "\n")
	}
	return b.String()
}

// calendarLines unfolds a calendar (RFC 5545 §3.1).
func calendarLines(ics string) []string {
	var lines []string
	var folded strings.Builder
	for line := range strings.Lines(ics) {
		line = strings.TrimRight(line, "\r\n")
		if line != "" && isBlank(line[0]) && folded.Len() > 0 {
			folded.WriteString(line[1:])
			continue
		}
		if folded.Len() > 0 {
			lines = append(lines, folded.String())
			folded.Reset()
		}
		if len(lines) > maxCalendarLines {
			return lines
		}
		folded.WriteString(line)
	}
	return append(lines, folded.String())
}

// calendarLine takes a content line apart: "DTSTART;TZID=Europe/Berlin:20261121T100000".
func calendarLine(line string) (name, params, value string) {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '"':
			quoted = !quoted
		case ':':
			if !quoted {
				name, params, _ = strings.Cut(line[:i], ";")
				return strings.ToUpper(name), params, line[i+1:]
			}
		}
	}
	return "", "", ""
}

func calendarValue(name, params, value string) string {
	switch name {
	case "DTSTART", "DTEND", "DUE":
		return calendarTime(params, value)
	case "ORGANIZER":
		if i := strings.Index(strings.ToLower(value), "mailto:"); i >= 0 {
			value = value[i+len("mailto:"):]
		}
		for _, p := range strings.Split(params, ";") {
			if cn, ok := strings.CutPrefix(p, "CN="); ok {
				return strings.Trim(cn, "\"") + " <" + value + ">"
			}
		}
		return value
	}
	value = strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(value)
	if name != "DESCRIPTION" {
		value = oneLine(value)
	}
	return strings.TrimSpace(value)
}

// calendarTime writes "20261121T100000Z" as "2026-11-21 10:00 UTC".
func calendarTime(params, value string) string {
	value = strings.TrimSpace(value)
	zone := ""
	if v, ok := strings.CutSuffix(value, "Z"); ok {
		value, zone = v, " UTC"
	}
	for _, p := range strings.Split(params, ";") {
		if id, ok := strings.CutPrefix(p, "TZID="); ok {
			zone = " " + strings.Trim(id, "\"")
		}
	}
	if t, err := time.Parse("20060102T150405", value); err == nil {
		return t.Format("2006-01-02 15:04") + oneLine(zone)
	}
	if t, err := time.Parse("20060102", value); err == nil {
		return t.Format("2006-01-02")
	}
	return oneLine(value + zone)
}
