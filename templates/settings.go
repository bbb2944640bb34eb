package templates

import (
	"fmt"
	"strings"
)

// setting is a line "key = value" of a file beside the templates.
type setting struct {
	at         string // file:line
	key, value string
	ok         bool // it is such a line; if not, key is all of it
}

// settings are the lines of a file that are neither empty nor comments.
func (f sourceFile) settings() (list []setting) {
	for i, line := range strings.Split(f.text, "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		list = append(list, setting{fmt.Sprintf("%s:%d", f.file, i+1), strings.TrimSpace(key), unquote(strings.TrimSpace(value)), ok})
	}
	return list
}
