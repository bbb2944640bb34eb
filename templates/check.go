package templates

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
)

// functions are those that a template may call. None of them makes text longer, reaches into data by a computed name
// or runs for long; printf and call, for example, are missing on purpose (S-117).
func functions() map[string]any {
	f := map[string]any{}
	for _, name := range []string{"and", "or", "not", "len", "eq", "ne", "lt", "le", "gt", "ge"} {
		f[name] = func() {}
	}
	return f
}

// maxNesting is how deep if, range and with may stand inside each other.
const maxNesting = 8

// checkSource finds what is wrong with a template before it ever runs: unknown variables, functions and blocks, lists
// that are shown as if they were text, templates inside the template. It reports all of it, with file and line, and
// tells which variables are used.
func checkSource(src source, sp spec) (map[string]bool, error) {
	root := shapeOf(sp)
	c := &checker{src: src, root: root, spec: sp, uses: map[string]bool{}}
	c.parse(src.subject, src.subjectLine)
	if len(c.uses) > 0 || len(c.faults) == 0 {
		c.parse(src.body, src.bodyLine)
	}
	return c.uses, errors.Join(c.faults...)
}

type checker struct {
	src    source
	spec   spec
	root   *shape
	uses   map[string]bool
	faults []error
	offset int // lines of the file before the text of the tree
	tree   *parse.Tree
}

func (c *checker) parse(text string, line int) {
	c.offset = line - 1
	tree := parse.New(c.src.file)
	set := map[string]*parse.Tree{}
	_, err := tree.Parse(text, "{{", "}}", set, functions())
	if err != nil {
		c.faults = append(c.faults, c.parseFault(err))
		return
	}
	for name := range set {
		if name != c.src.file {
			c.faults = append(c.faults, fmt.Errorf("%s: defines a template %q: only the ready-made blocks can be placed (%s)",
				c.src.file, name, strings.Join(blockNames(), ", ")))
		}
	}
	c.tree = tree
	if tree.Root != nil {
		c.list(tree.Root, scope{dot: c.root, vars: map[string]*shape{"$": c.root}}, 0)
	}
}

// parseFault says in plain words where the template engine stopped reading.
func (c *checker) parseFault(err error) error {
	msg := strings.TrimPrefix(err.Error(), "template: "+c.src.file+":")
	line := 0
	_, scanErr := fmt.Sscanf(msg, "%d:", &line)
	if scanErr != nil {
		return fmt.Errorf("%s: %s", c.src.file, msg)
	}
	_, msg, _ = strings.Cut(msg, ":")
	msg = strings.TrimSpace(msg)
	if name, ok := strings.CutPrefix(msg, `function "`); ok {
		name, _, _ = strings.Cut(name, `"`)
		known := []string{}
		for f := range functions() {
			known = append(known, f)
		}
		slices.Sort(known)
		msg = fmt.Sprintf("function %s is unknown here%s; there are %s", name, suggest(name, known), strings.Join(known, ", "))
	}
	return fmt.Errorf("%s:%d: %s", c.src.file, line+c.offset, msg)
}

// scope is what names mean at one place of a template.
type scope struct {
	dot  *shape
	vars map[string]*shape
}

func (s scope) with(name string, sh *shape) scope {
	vars := make(map[string]*shape, len(s.vars)+1)
	for k, v := range s.vars {
		vars[k] = v
	}
	vars[name] = sh
	return scope{dot: s.dot, vars: vars}
}

func (c *checker) fail(n parse.Node, format string, args ...any) {
	where, _ := c.tree.ErrorContext(n)
	line := 0
	if _, err := fmt.Sscanf(strings.TrimPrefix(where, c.src.file+":"), "%d:", &line); err != nil {
		line = 1
	}
	c.faults = append(c.faults, fmt.Errorf("%s:%d: %s", c.src.file, line+c.offset, fmt.Sprintf(format, args...)))
}

func (c *checker) list(l *parse.ListNode, s scope, depth int) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		s = c.node(n, s, depth)
	}
}

func (c *checker) node(n parse.Node, s scope, depth int) scope {
	switch n := n.(type) {
	case *parse.ActionNode:
		sh, next := c.pipe(n.Pipe, s)
		if len(n.Pipe.Decl) == 0 && (sh.kind == kindList || sh.kind == kindRecord) {
			c.fail(n, "%s is a list: show it with range, or place a block such as {{template \"quote\" .text}}", n.Pipe)
		}
		return next
	case *parse.IfNode:
		_, in := c.pipe(n.Pipe, s)
		c.branch(n, &n.BranchNode, in, s, depth)
	case *parse.WithNode:
		sh, in := c.pipe(n.Pipe, s)
		in.dot = sh
		c.branch(n, &n.BranchNode, in, s, depth)
	case *parse.RangeNode:
		c.branch(n, &n.BranchNode, c.overEach(n, s), s, depth)
	case *parse.TemplateNode:
		if !slices.Contains(blockNames(), n.Name) {
			c.fail(n, "there is no block %q%s; there are %s", n.Name, suggest(n.Name, blockNames()), strings.Join(blockNames(), ", "))
		}
		if n.Pipe == nil {
			c.fail(n, "the block %q lacks what it shows: {{template %q .text}}", n.Name, n.Name)
			return s
		}
		sh, _ := c.pipe(n.Pipe, s)
		if want := blockWants(n.Name); sh.kind != want.kind || want.elem != nil && sh.elem.kind != want.elem.kind {
			c.fail(n, "the block %q cannot show %s", n.Name, n.Pipe)
		}
	}
	return s
}

// blockWants is the kind of value that a block shows.
func blockWants(block string) *shape {
	switch block {
	case "banner", "marker":
		return &shape{kind: kindText}
	case "facts":
		return &shape{kind: kindList, elem: &shape{kind: kindRecord}}
	}
	return &shape{kind: kindList, elem: &shape{kind: kindText}}
}

func (c *checker) branch(n parse.Node, b *parse.BranchNode, in, out scope, depth int) {
	if depth >= maxNesting {
		c.fail(n, "if, range and with stand more than %d deep inside each other", maxNesting)
		return
	}
	c.list(b.List, in, depth+1)
	c.list(b.ElseList, out, depth+1)
}

func (c *checker) overEach(n *parse.RangeNode, s scope) scope {
	decl := n.Pipe.Decl
	n2 := *n.Pipe
	n2.Decl = nil
	sh, _ := c.pipe(&n2, s)
	if sh.kind != kindList {
		c.fail(n, "%s is no list: range runs over lists only", &n2)
		sh = &shape{kind: kindList, elem: &shape{kind: kindText}}
	}
	in := scope{dot: sh.elem, vars: s.vars}
	if len(decl) > 0 {
		in = in.with(decl[len(decl)-1].Ident[0], sh.elem)
	}
	if len(decl) == 2 {
		in = in.with(decl[0].Ident[0], &shape{kind: kindNumber})
	}
	return in
}

// pipe gives the shape of a pipeline and the scope after it.
func (c *checker) pipe(p *parse.PipeNode, s scope) (*shape, scope) {
	sh := &shape{kind: kindText}
	for i, cmd := range p.Cmds {
		sh = c.command(cmd, s)
		if i > 0 {
			if _, ok := cmd.Args[0].(*parse.IdentifierNode); !ok {
				c.fail(cmd, "%s takes nothing from a pipe", cmd)
			}
		}
	}
	for _, d := range p.Decl {
		s = s.with(d.Ident[0], sh)
	}
	return sh, s
}

func (c *checker) command(cmd *parse.CommandNode, s scope) *shape {
	var args []*shape
	for _, a := range cmd.Args {
		args = append(args, c.operand(a, s))
	}
	id, ok := cmd.Args[0].(*parse.IdentifierNode)
	if !ok {
		if len(args) > 1 {
			c.fail(cmd, "%s takes no arguments", cmd.Args[0])
		}
		return args[0]
	}
	switch id.Ident {
	case "and", "or":
		return args[len(args)-1]
	case "len":
		return &shape{kind: kindNumber}
	case "eq", "ne", "lt", "le", "gt", "ge":
		for i, a := range args[1:] {
			if a.kind == kindList || a.kind == kindRecord {
				c.fail(cmd, "%s compares a list: %s", id.Ident, cmd.Args[i+1])
			}
		}
	}
	return &shape{kind: kindFlag}
}

func (c *checker) operand(n parse.Node, s scope) *shape {
	switch n := n.(type) {
	case *parse.DotNode:
		return s.dot
	case *parse.FieldNode:
		return c.path(n, s.dot, n.Ident)
	case *parse.VariableNode:
		sh := s.vars[n.Ident[0]]
		if sh == nil {
			sh = &shape{kind: kindText}
		}
		return c.path(n, sh, n.Ident[1:])
	case *parse.ChainNode:
		return c.path(n, c.operand(n.Node, s), n.Field)
	case *parse.PipeNode:
		sh, _ := c.pipe(n, s)
		return sh
	case *parse.NumberNode:
		return &shape{kind: kindNumber}
	case *parse.BoolNode:
		return &shape{kind: kindFlag}
	case *parse.NilNode:
		c.fail(n, "nil has no meaning here")
	}
	return &shape{kind: kindText}
}

// path follows the names after a dot.
func (c *checker) path(n parse.Node, sh *shape, names []string) *shape {
	for _, name := range names {
		if sh == c.root {
			c.uses[name] = true
		}
		next := sh.field(name)
		if next == nil {
			c.unknown(n, sh, name)
			return &shape{kind: kindText}
		}
		sh = next
	}
	return sh
}

func (c *checker) unknown(n parse.Node, sh *shape, name string) {
	switch {
	case sh.kind != kindRecord:
		c.fail(n, "unknown variable .%s: inside range and with the outer ones are written $.%s", name, name)
	case sh == c.root && c.spec.only != nil && slices.Contains(shapeOf(spec{audience: audiencePublic}).names(), name):
		c.fail(n, "variable .%s is not for %s, which holds nothing of the sender's; there are %s", name, c.spec.name, dotted(sh.names()))
	case sh == c.root && c.spec.audience == audiencePublic && slices.Contains(shapeOf(spec{audience: audienceInternal}).names(), name):
		c.fail(n, "variable .%s is for staff only; texts for customers have %s", name, dotted(sh.names()))
	default:
		c.fail(n, "unknown variable .%s%s; there are %s", name, suggest(name, sh.names()), dotted(sh.names()))
	}
}

func dotted(names []string) string { return "." + strings.Join(names, ", .") }
