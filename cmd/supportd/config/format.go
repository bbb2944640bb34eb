package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Format lays out a configuration as all of them are: two blanks for each level, items of lists indented below their
// key, no blanks at the ends of lines, at most one empty line in a row. Keys, values, quotes, comments and their order
// stay; lines within brackets and quotes keep their place beside their first line. The file need not be free of
// faults, but it has to be YAML.
func Format(data []byte) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Load(data, &doc); err != nil {
		what := "the file holds nothing, or more than one YAML document"
		var one *yaml.LoadError
		if errors.As(err, &one) && one.Mark.Line > 0 {
			text, fix := plainSyntax(one.Message)
			what = fmt.Sprintf("line %d, column %d: %s; %s", one.Mark.Line, max(1, one.Mark.Column), text, fix)
		}
		return nil, errors.New(what)
	}
	plain := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(string(data), "\uFEFF"))
	f := &formatter{lines: strings.Split(strings.TrimRight(plain, "\n"), "\n")}
	f.indent = make([]int, len(f.lines))
	for i := range f.indent {
		f.indent[i] = -1
	}
	f.keep = make([]bool, len(f.lines))
	if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
		f.node(doc.Content[0], 0)
	}
	out := f.write()
	var again yaml.Node
	if err := yaml.Load(out, &again); err != nil || !sameNode(&doc, &again) {
		return nil, errors.New("its layout cannot be changed without changing what it means; it is left as it is")
	}
	return out, nil
}

// formatter finds out how far each line is to be indented.
type formatter struct {
	lines  []string
	indent []int  // of the lines that begin a key or an item; -1 for all others
	keep   []bool // within a text of several lines, where blanks at the end count
}

func (f *formatter) node(n *yaml.Node, indent int) {
	if n.Style&yaml.FlowStyle != 0 {
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			f.begin(n.Content[i], indent)
			f.node(n.Content[i+1], indent+2)
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			f.item(item, indent)
			f.node(item, indent+2)
		}
	case yaml.ScalarNode:
		if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			f.text(n)
		}
	}
}

// begin notes the indentation of a line that begins with this key.
func (f *formatter) begin(key *yaml.Node, indent int) {
	line := key.Line - 1
	if line >= 0 && line < len(f.lines) && blanks(f.lines[line]) == key.Column-1 {
		f.indent[line] = indent
	}
}

// item notes the indentation of the line whose dash begins an item: its own, or one above it.
func (f *formatter) item(item *yaml.Node, indent int) {
	for line := min(item.Line-1, len(f.lines)-1); line >= 0; line-- {
		rest := f.lines[line][blanks(f.lines[line]):]
		if strings.HasPrefix(rest, "- ") || rest == "-" {
			if f.indent[line] < 0 {
				f.indent[line] = indent
				f.lines[line] = f.lines[line][:blanks(f.lines[line])] + oneBlank(rest)
			}
			return
		}
		if line < item.Line-1 && rest != "" && rest[0] != '#' {
			return
		}
	}
}

// oneBlank leaves one blank after each dash at the start of a line.
func oneBlank(s string) string {
	rest, ok := strings.CutPrefix(s, "- ")
	if !ok {
		return s
	}
	return "- " + oneBlank(strings.TrimLeft(rest, " "))
}

// text notes the lines of a text of several lines, which stand below its indicator.
func (f *formatter) text(n *yaml.Node) {
	own := blanks(f.lines[n.Line-1])
	for line := n.Line; line < len(f.lines); line++ {
		if strings.TrimSpace(f.lines[line]) != "" && blanks(f.lines[line]) <= own {
			return
		}
		f.keep[line] = true
	}
}

// write puts the lines together. Lines that begin nothing move with the line above them, comments with the one below
// that they belong to.
func (f *formatter) write() []byte {
	var b bytes.Buffer
	shift, empty := 0, 0
	for i, line := range f.lines {
		if !f.keep[i] {
			line = strings.TrimRight(line, " \t")
		}
		if line == "" && !f.keep[i] {
			empty++
			continue
		}
		if empty > 0 && b.Len() > 0 {
			b.WriteByte('\n')
		}
		empty = 0
		have := blanks(line)
		want := have + shift
		switch next := f.nextBeginning(i); {
		case strings.TrimSpace(line) == "":
			want = have
		case f.indent[i] >= 0:
			want, shift = f.indent[i], f.indent[i]-have
		case !f.keep[i] && line[have] == '#' && next >= 0 && blanks(f.lines[next]) == have:
			want = f.indent[next]
		}
		b.WriteString(strings.Repeat(" ", max(0, want)) + line[have:] + "\n")
	}
	return b.Bytes()
}

// nextBeginning is the next line that is no comment and not empty, if a key or item begins there, else -1.
func (f *formatter) nextBeginning(i int) int {
	for j := i; j < len(f.lines); j++ {
		if rest := strings.TrimSpace(f.lines[j]); rest != "" && rest[0] != '#' {
			if f.indent[j] < 0 {
				return -1
			}
			return j
		}
	}
	return -1
}

func blanks(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }

// sameNode compares what two documents say, comments included.
func sameNode(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Value != b.Value || a.Tag != b.Tag || a.Anchor != b.Anchor || len(a.Content) != len(b.Content) ||
		words(a.HeadComment) != words(b.HeadComment) || words(a.LineComment) != words(b.LineComment) || words(a.FootComment) != words(b.FootComment) {
		return false
	}
	for i := range a.Content {
		if !sameNode(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

// words is a comment without its layout.
func words(comment string) string { return strings.Join(strings.Fields(comment), " ") }
