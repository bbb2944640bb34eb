package command

import (
	"regexp"
	"slices"
	"strings"
)

// What other desks take for a command and this one does not: these forms are prose too often. Where a line can hardly be
// anything else it is refused, with the word that was meant, rather than sent to a customer. Whoever means the text
// writes #reply above it.

var (
	// #word, with two other marks before it.
	doubleMark = regexp.MustCompile(`^@@([\pL]+)\b(.*)$`)
	// A property list in brackets: [status=resolved;nosy=+ben].
	bracketed = regexp.MustCompile(`^\[(\pL+)=[^\]]*\]$`)
	// A field and its value. Only words that no letter begins with, or with values that nothing else has.
	fieldLine = regexp.MustCompile(`^(CF\.\{[^}]*\}|[A-Za-z]+):\s*(\S.*)$`)
	// A verb and the number of a ticket, with what such a verb takes: "close 2 windows" is prose.
	verbNumber = regexp.MustCompile(`^(?:(close|reopen|noowner|unmerge|archive|unarchive|notforwarded|send)\s+#?\d+(?:\s+[=!])?|(clone|merge|forcemerge)(?:\s+#?-?\d+)+|` +
		`(retitle|severity|reassign|submitter|owner|forwarded)\s+#?\d+\s+\S.*|(tags?)\s+#?\d+\s+(?:[-+=]|moreinfo|pending|fixed|patch|wontfix).*|(block|unblock)\s+#?\d+\s+(?:by|with)\s+#?\d+.*)$`)
)

var (
	foreignFields = []string{"addcc", "delcc", "addadmincc", "deladmincc", "addrequestor", "delrequestor", "requestor", "timeworked", "timeestimated", "timeleft", "dependson", "dependedonby",
		"memberof", "hasmember", "refersto", "referredtoby"}
	foreignStates = []string{"new", "open", "stalled", "resolved", "rejected", "deleted", "closed", "solved", "pending"}
	foreignBodies = []string{"mute", "track", "watch", "unsubscribe", "subscribe", "+1", "<3"}
)

// foreign reports a first line that another desk would carry out. whole says that the mail has nothing else.
func foreign(line string, whole bool) *Problem {
	word := ""
	if m := doubleMark.FindStringSubmatch(line); m != nil {
		word = m[1]
	} else if m := bracketed.FindStringSubmatch(line); m != nil && known(m[1]) {
		word = m[1]
	} else if m := fieldLine.FindStringSubmatch(line); m != nil && isField(m[1], m[2]) {
		word = m[1]
	} else if m := verbNumber.FindStringSubmatch(line); m != nil {
		word = strings.Join(m[1:], "")
	} else if whole && slices.Contains(foreignBodies, fold(line)) {
		word = line
	}
	if word == "" {
		return nil
	}
	p := &Problem{Key: "foreign", Word: clip(line), Line: line}
	if row, _, ok := lookup(word); ok {
		p.Suggest = []string{"#" + row.Word}
	} else {
		p.Suggest = nearest(word)
	}
	return p
}

// isField reports whether a field with that value is one that only a machine would be told.
func isField(name, value string) bool {
	one := len(strings.Fields(value)) == 1
	switch name := strings.ToLower(name); {
	case strings.HasPrefix(name, "cf."), slices.Contains(foreignFields, name):
		return true
	case name == "status" || name == "state":
		return one && slices.Contains(foreignStates, strings.ToLower(value))
	case name == "owner" || name == "queue":
		return one
	case name == "priority" || name == "finalpriority" || name == "initialpriority":
		return one && strings.Trim(value, "0123456789") == ""
	case name == "due":
		return one && isoDate.MatchString(value)
	}
	return false
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return s
}
