package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Finding is one thing that is wrong with a configuration, and what to do about it.
type Finding struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // 1 is the first; 0 when the file could not be read at all
	Col     int    `json:"col"`
	Code    string `json:"code,omitempty"` // E01…, W21…: the check that found it, where it has a number
	Warning bool   `json:"warning,omitempty"`
	Path    string `json:"path,omitempty"` // of the key, such as mailboxes.service.imap; "" for the file as a whole
	What    string `json:"what"`
	Fix     string `json:"fix,omitempty"`     // what to do
	Example string `json:"example,omitempty"` // a mail that proves it
}

// String is "file:line:col: path: what; what to do; example: mail", without the parts that are not known.
func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Col)
	}
	b.WriteString(": ")
	if f.Warning {
		b.WriteString("warning: ")
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.What)
	if f.Fix != "" {
		b.WriteString("; " + f.Fix)
	}
	if f.Example != "" {
		b.WriteString("; example: " + f.Example)
	}
	return b.String()
}

// Findings are sorted by place.
type Findings []Finding

// Errors counts the findings that keep the configuration from being used.
func (fs Findings) Errors() int {
	n := 0
	for _, f := range fs {
		if !f.Warning {
			n++
		}
	}
	return n
}

// Err is nil when there is no error among the findings, else all errors, one a line.
func (fs Findings) Err() error {
	var lines []string
	for _, f := range fs {
		if !f.Warning {
			lines = append(lines, f.String())
		}
	}
	if lines == nil {
		return nil
	}
	return &Error{lines: lines}
}

// Error is a configuration that cannot be used.
type Error struct{ lines []string }

// Error lists what is wrong, one finding a line.
func (e *Error) Error() string { return strings.Join(e.lines, "\n") }

// sorted orders findings by file and place and drops those that say the same thing of the same place. The
// configuration file, which is main, comes first, then the files that it names, as the findings name them.
func (fs Findings) sorted(main string) Findings {
	order := map[string]int{main: 0}
	for _, f := range fs {
		if _, known := order[f.File]; !known {
			order[f.File] = len(order)
		}
	}
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Path, b.Path))
	})
	return slices.CompactFunc(fs, func(a, b Finding) bool { return a == b })
}
