package config

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// lint adds what the classifier proves about its part of the configuration: conditions that can never hold, routes
// that nothing reaches, orders that matter. What was reported of a place already is not repeated.
func (r *resolver) lint(root *yaml.Node) {
	if r.stopped {
		return
	}
	for _, l := range r.cfg.Classification().Lint() {
		if strings.HasPrefix(l.Path, "organisation.") {
			continue // every cell of the tables has been looked at
		}
		at := r.inFile(locate(root, l.Path))
		if slices.ContainsFunc(r.findings, func(f Finding) bool { return r.follows(l.Code, at, f) }) {
			continue
		}
		what, _, _ := strings.Cut(l.What, "\n")
		if strings.HasPrefix(l.Code, "W") {
			r.remark(l.Example, l.Code, at, "", "%s", what)
			continue
		}
		before := len(r.findings)
		r.report(l.Code, at, "", "%s", what)
		if len(r.findings) > before {
			r.findings[before].Example = l.Example
		}
	}
}

// follows reports whether a proof says again what another finding says, or may only be true because of it.
func (r *resolver) follows(code string, at place, f Finding) bool {
	home := r.name
	if at.file != "" {
		home = at.file
	}
	if f.File != home || f.Line == at.line && f.Col == at.col && f.Code == code {
		return f.File == home
	}
	if base, _, match := strings.Cut(f.Path, ".match"); f.Code == "W27" && match && strings.HasPrefix(code, "E") && at.under(base) {
		return true // tables change more often than this file: a value that none has today keeps nothing from working
	}
	if f.Warning || f.Path == "" {
		return false
	}
	section := func(path string) string {
		return path[:len(path)-len(strings.TrimLeft(path, "abcdefghijklmnopqrstuvwxyz_"))]
	}
	if slices.Contains([]string{"E05", "E06", "W22", "W23"}, code) && section(f.Path) == section(at.path) {
		return true
	}
	return (place{path: f.Path}).under(at.path) || at.under(f.Path)
}

// locate finds the place of a path such as routes.routes[2].match or categories[network.vpn].signals: the key or list
// item that it names, or the last one above it that stands in the file.
func locate(n *yaml.Node, path string) place {
	at := place{path: plainPath(path), line: 1, col: 1}
	for path != "" {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		switch n.Kind {
		case yaml.MappingNode:
			key, value, rest := longestKey(n, path)
			if key == nil {
				return at
			}
			at.line, at.col, n, path = key.Line, key.Column, value, rest
		case yaml.SequenceNode:
			if i := strings.IndexByte(path, '['); i > 0 { // the key of the short form's only list is left out
				path = path[i:]
			}
			number, rest, _ := strings.Cut(strings.TrimPrefix(path, "["), "]")
			i, err := strconv.Atoi(number)
			if err != nil || i < 0 || i >= len(n.Content) {
				return at
			}
			n, path = n.Content[i], strings.TrimPrefix(rest, ".")
			at.line, at.col = n.Line, n.Column
		default:
			return at
		}
	}
	return at
}

// longestKey finds the key that a path begins with. Keys may have dots in them, so the longest one is meant.
func longestKey(n *yaml.Node, path string) (key, value *yaml.Node, rest string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		tail, ok := strings.CutPrefix(path, k.Value)
		if !ok {
			if tail, ok = strings.CutPrefix(path, "["+k.Value+"]"); !ok {
				continue
			}
		}
		if k.Value == "" || tail != "" && tail[0] != '.' && tail[0] != '[' || key != nil && len(k.Value) < len(key.Value) {
			continue
		}
		key, value, rest = k, n.Content[i+1], strings.TrimPrefix(tail, ".")
	}
	return key, value, rest
}

// plainPath writes [name] as .name, as the paths of other findings do; [0] stays.
func plainPath(path string) string {
	var b strings.Builder
	for path != "" {
		before, rest, ok := strings.Cut(path, "[")
		b.WriteString(before)
		if !ok {
			break
		}
		name, tail, _ := strings.Cut(rest, "]")
		if _, err := strconv.Atoi(name); err == nil {
			b.WriteString("[" + name + "]")
		} else {
			b.WriteString("." + name)
		}
		path = tail
	}
	return b.String()
}
