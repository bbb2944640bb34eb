package bounce

import (
	"strconv"
	"strings"
)

// A field is one line of a delivery status, unfolded.
type field struct {
	name  string // lower case
	value string
}

// A group is one block of fields: the first of a report is about the message, each further one about one recipient
// (RFC 3464 §2.1).
type group []field

// get returns the first value with that name, or "".
func (g group) get(name string) string {
	for _, f := range g {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

// isRecipient reports whether the group is about one recipient.
func (g group) isRecipient() bool {
	for _, f := range g {
		switch f.name {
		case "final-recipient", "original-recipient", "action", "status", "diagnostic-code":
			return true
		}
	}
	return false
}

// readGroups reads the blocks of a message/delivery-status body. It takes what many servers write instead of what
// RFC 3464 asks for: no blank line between two recipients, header fields of a MIME part in between, white space at the
// start of every line. It never fails; lines without a field name are dropped.
func readGroups(data string) []group {
	var groups []group
	var current group
	end := func() {
		if len(current) > 0 {
			groups = append(groups, current)
			current = nil
		}
	}
	for line := range strings.Lines(data) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			end()
			continue
		}
		name, value, ok := cutField(line)
		if !ok {
			// A folded line, or one of the transcript lines that some servers put among the fields.
			if len(current) > 0 {
				last := &current[len(current)-1]
				last.value = strings.TrimSpace(last.value + " " + strings.TrimSpace(line))
			}
			continue
		}
		if startsRecipient(name) && current.get(name) != "" {
			end()
		}
		current = append(current, field{name, value})
	}
	end()
	return groups
}

func startsRecipient(name string) bool {
	return name == "final-recipient" || name == "original-recipient"
}

// cutField splits "Name: value". A line that starts with white space is a continuation, unless its name is one that
// only a delivery status has.
func cutField(line string) (name, value string, ok bool) {
	rest := strings.TrimLeft(line, " \t")
	name, value, ok = strings.Cut(rest, ":")
	if !ok || name == "" || len(name) > 60 {
		return "", "", false
	}
	name = strings.TrimRight(name, " \t")
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return "", "", false
		}
	}
	name = strings.ToLower(name)
	if len(rest) != len(line) && !statusField(name) {
		return "", "", false
	}
	return name, strings.TrimSpace(value), true
}

// statusField reports whether the name belongs to a delivery status (RFC 3464 §2.2, §2.3).
func statusField(name string) bool {
	switch name {
	case "final-recipient", "original-recipient", "action", "status", "diagnostic-code", "remote-mta", "reporting-mta",
		"last-attempt-date", "arrival-date", "x-actual-recipient", "will-retry-until", "received-from-mta":
		return true
	}
	return false
}

// typed reads a value of the form "type; value" (RFC 3464 §2.1.2) and gives both parts; the type may be missing.
func typed(value string) (kind, rest string) {
	kind, rest, ok := strings.Cut(value, ";")
	if !ok || len(kind) > 40 || strings.ContainsAny(kind, "@<\"") {
		return "", strings.TrimSpace(value)
	}
	return strings.ToLower(strings.TrimSpace(kind)), strings.TrimSpace(rest)
}

// recipientField reads the address of a Final-Recipient or Original-Recipient; "" when it holds none. The utf-8 type
// of RFC 6533 §3 writes characters as \x{HEX}.
func recipientField(value string) string {
	kind, rest := typed(value)
	if kind == "utf-8" || strings.Contains(rest, `\x{`) {
		rest = unescapeUTF8(rest)
	}
	return firstAddress(rest)
}

// unescapeUTF8 undoes the utf-8-addr-xtext and utf-8-addr-unitext forms of RFC 6533 §3. What is not an escape of a
// character stays as it is.
func unescapeUTF8(s string) string {
	if !strings.Contains(s, `\x{`) {
		return s
	}
	var b strings.Builder
	for {
		at := strings.Index(s, `\x{`)
		if at < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:at])
		s = s[at:]
		end := strings.IndexByte(s, '}')
		if end < 0 || end > 9 {
			b.WriteString(s[:3])
			s = s[3:]
			continue
		}
		n, err := strconv.ParseUint(s[3:end], 16, 32)
		if err != nil || n < 0x20 || n > 0x10FFFF || n >= 0xD800 && n < 0xE000 {
			b.WriteString(s[:end+1])
		} else {
			b.WriteRune(rune(n))
		}
		s = s[end+1:]
	}
}
