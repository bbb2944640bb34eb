package config

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// A configuration may stand in several files: include names further ones, whose keys count as if they stood in the first. Maps of
// the same name come together; anything else stands in one place only, so the order of the files does not matter (S1).

// maxIncluded bounds how many files there may be, fileLines how many lines one of them has: nodes of the n-th included file bear
// lines from n*fileLines on until they are told.
const (
	maxIncluded = 50
	fileLines   = 2 * maxFile
)

// inFile is a place with the file and the line of it that people know.
func (d *decoder) inFile(at place) place {
	if n := at.line / fileLines; at.file == "" && n > 0 && n <= len(d.included) {
		at.file, at.line = d.included[n-1], at.line%fileLines
	}
	return at
}

// told is a line as messages about another place name it: with its file when that is another one.
func (d *decoder) told(line int, from place) string {
	at := d.inFile(place{line: line})
	switch {
	case at.file == d.inFile(from).file:
		return "line " + strconv.Itoa(at.line)
	case at.file == "":
		return d.name + ":" + strconv.Itoa(at.line)
	}
	return at.file + ":" + strconv.Itoa(at.line)
}

// include adds what the files named in the map root say, and in the files that these name. above are the files on the way there.
func (r *resolver) include(into, from *yaml.Node, above []string) {
	i := slices.IndexFunc(from.Content, func(n *yaml.Node) bool { return n.Value == "include" })
	if i < 0 || i%2 != 0 || r.stopped {
		return
	}
	list := from.Content[i+1]
	items := []*yaml.Node{list}
	if list.Kind == yaml.SequenceNode {
		items = list.Content
	}
	for _, n := range items {
		at := place{path: "include", line: n.Line, col: n.Column}
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" || n.Value == "" {
			r.report("", at, "write such as include: [teams.yaml]", "wants the name of a file, got %s", describe(n))
			continue
		}
		r.includeFile(into, n.Value, at, above)
	}
}

// includeFile adds what one file says.
func (r *resolver) includeFile(into *yaml.Node, written string, at place, above []string) {
	path := r.path(written)
	switch {
	case slices.Contains(above, path):
		r.report("", at, "delete it", "%s includes itself, by way of the files between", clip(written))
		return
	case slices.Contains(r.cfg.Files, path):
		r.report("E02", at, "keep one of them", "%s is included a second time", clip(written))
		return
	case len(r.included) == maxIncluded:
		r.report("", at, "put some of them together", "more than %d files are included", maxIncluded)
		return
	}
	data, err := readBounded(path, maxFile)
	if err != nil {
		fix := ""
		if near := nearFile(path); near != "" && errors.Is(err, fs.ErrNotExist) {
			fix = "did you mean \"" + filepath.Join(filepath.Dir(written), near) + "\"?"
		}
		r.report("E03", at, fix, "%s: %s", clip(written), plainError(err))
		r.partial = true
		return
	}
	r.cfg.Files = append(r.cfg.Files, path)
	r.hashed(written, data)
	r.included = append(r.included, filepath.Join(filepath.Dir(r.name), written))
	shift := len(r.included) * fileLines
	root, ok := r.part(data, shift)
	if !ok {
		r.partial = true
		return
	}
	r.merge(into, root, "")
	r.include(into, root, append(slices.Clone(above), path))
}

// part parses one of the further files. Its nodes bear lines from shift on.
func (r *resolver) part(data []byte, shift int) (*yaml.Node, bool) {
	var doc yaml.Node
	if err := yaml.Load(data, &doc); err != nil {
		before := len(r.findings)
		r.syntax(data, err)
		for i := range r.findings[before:] { // found by the file itself
			r.findings[before+i].File = r.inFile(place{line: shift}).file
		}
		return nil, false
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		r.report("", place{line: shift + 1, col: 1}, "write keys as in the first file", "this is not a map of keys")
		return nil, false
	}
	var move func(*yaml.Node)
	move = func(n *yaml.Node) {
		n.Line += shift
		for _, c := range n.Content {
			move(c)
		}
	}
	move(doc.Content[0])
	return doc.Content[0], true
}

// merge adds the keys of one map to another. A key that stands in both is a map in both, or an error.
func (r *resolver) merge(into, from *yaml.Node, path string) {
	for i := 0; i+1 < len(from.Content); i += 2 {
		k, v := from.Content[i], from.Content[i+1]
		if path == "" && k.Value == "include" {
			continue // see include
		}
		at := place{path: path}.key(clip(k.Value))
		at.line, at.col = k.Line, k.Column
		j := slices.IndexFunc(from.Content[:i], func(n *yaml.Node) bool { return n.Value == k.Value })
		if j >= 0 && j%2 == 0 {
			r.report("E02", at, "keep one of them", "stands here a second time, after %s", r.told(from.Content[j].Line, at))
			continue
		}
		there := -1
		for j := 0; j+1 < len(into.Content); j += 2 {
			if into.Content[j].Value == k.Value {
				there = j
			}
		}
		switch {
		case there < 0:
			into.Content = append(into.Content, k, v)
		case into.Content[there+1].Kind == yaml.MappingNode && v.Kind == yaml.MappingNode:
			r.merge(into.Content[there+1], v, at.path)
		default:
			r.report("E02", at, "keep one of them", "stands here a second time, after %s", r.told(into.Content[there].Line, at))
		}
	}
}
