package main

import (
	"bytes"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// These tests hold the order of the house: who may import whom, what stands where, and what nobody does.

// rooms are the folders with code, and the rooms of ours that each may import besides itself.
var rooms = map[string][]string{
	"tickets":   {},
	"mailin":    {"tickets"},
	"classify":  {"tickets"},
	"templates": {"tickets"},
	"mailout":   {"tickets"},
	"cmd":       {"mailin", "classify", "templates", "mailout", "tickets"},
}

// topLevel is all that stands at the top of the repository.
var topLevel = []string{".ci", ".gitignore", "README.md", "classify", "cmd", "docs", "go.mod", "go.sum", "mailin", "mailout", "templates", "testdata", "tickets"}

// testLibraries may be imported by the tests of every room.
var testLibraries = []string{"github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "go.uber.org/goleak", "pgregory.net/rapid"}

// inOtherAPIs are libraries whose types stand in the interfaces of two others, each of which belongs to one room: go-imap
// (mailin) and go-smtp (mailout) both speak of sasl.Client and sasl.Server.
var inOtherAPIs = []string{"github.com/emersion/go-sasl"}

// source is one Go file of ours.
type source struct {
	path string // from the top, with slashes
	file *ast.File
	text []byte
}

func (s source) test() bool   { return strings.HasSuffix(s.path, "_test.go") }
func (s source) room() string { r, _, _ := strings.Cut(s.path, "/"); return r }
func (s source) main() bool   { return s.file.Name.Name == "main" }

func (s source) imports(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, i := range s.file.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatalf("%s: import %s: %v", s.path, i.Path.Value, err)
		}
		list = append(list, p)
	}
	return list
}

// house reads all Go files.
func house(t *testing.T) (*token.FileSet, []source) {
	t.Helper()
	fset := token.NewFileSet()
	var all []source
	err := filepath.WalkDir("../..", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".." && d.Name() != ".ci") {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(p) != ".go" {
			return nil
		}
		rel, err := filepath.Rel("../..", p)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, filepath.ToSlash(rel), text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{filepath.ToSlash(rel), file, text})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("only %d Go files found: this test looks in the wrong place", len(all))
	}
	return fset, all
}

func TestHouseTopLevel(t *testing.T) {
	// What git ignores, such as a binary that was built here, is no part of the house.
	var names []string
	list := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard")
	list.Dir = "../.."
	if out, err := list.Output(); err == nil {
		for f := range strings.Lines(string(out)) {
			top, _, _ := strings.Cut(strings.TrimSpace(f), "/")
			names = append(names, top)
		}
	} else {
		entries, err := os.ReadDir("../..")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(n string) bool { return n == ".git" })
	for _, n := range names {
		if !slices.Contains(topLevel, n) {
			t.Errorf("%s stands at the top level and is not one of %v", n, topLevel)
		}
	}
	for _, n := range topLevel {
		if !slices.Contains(names, n) {
			t.Errorf("%s is missing at the top level", n)
		}
	}
}

func TestHouseImports(t *testing.T) {
	_, files := house(t)
	mods := modules(t)
	users := map[string]map[string]string{} // library → room → one file that imports it
	for _, s := range files {
		allowed, ok := rooms[s.room()]
		if !ok {
			t.Errorf("%s: code outside the rooms", s.path)
			continue
		}
		for _, imp := range s.imports(t) {
			if ours, ok := strings.CutPrefix(imp, "supportd/"); ok {
				room, _, _ := strings.Cut(ours, "/")
				if room != s.room() && !slices.Contains(allowed, room) {
					t.Errorf("%s imports %s: %s may import only itself and %v", s.path, imp, s.room(), allowed)
				}
				continue
			}
			lib := library(mods, imp)
			if lib == "" || slices.Contains(inOtherAPIs, lib) || strings.HasPrefix(lib, "golang.org/x/") || s.test() && slices.Contains(testLibraries, lib) {
				continue // golang.org/x is the wider standard library
			}
			if users[lib] == nil {
				users[lib] = map[string]string{}
			}
			users[lib][s.room()] = s.path
		}
	}
	for _, lib := range slices.Sorted(maps.Keys(users)) {
		if len(users[lib]) > 1 {
			t.Errorf("%s is imported by several rooms: %v", lib, slices.Sorted(maps.Values(users[lib])))
		}
		if slices.Contains(testLibraries, lib) {
			t.Errorf("%s is for tests, and %v imports it", lib, slices.Sorted(maps.Values(users[lib])))
		}
	}
}

// modules returns the module paths that go.mod requires, directly or not, and fails on a replacement.
func modules(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var mods []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "require ")
		if f := strings.Fields(line); len(f) >= 2 && strings.HasPrefix(f[1], "v") && strings.Contains(f[0], ".") {
			mods = append(mods, f[0])
		}
	}
	if len(mods) == 0 {
		t.Fatal("no module found in go.mod")
	}
	return mods
}

// library names the module that an import path belongs to; "" for the standard library.
func library(mods []string, imp string) string {
	first, _, _ := strings.Cut(imp, "/")
	if !strings.Contains(first, ".") {
		return ""
	}
	best := imp
	for _, m := range mods {
		if (imp == m || strings.HasPrefix(imp, m+"/")) && (best == imp || len(m) > len(best)) {
			best = m
		}
	}
	return best
}

func TestHouseModuleFileReplacesNothing(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if line := regexp.MustCompile(`(?m)^\s*(replace|exclude)\b.*`).Find(text); line != nil {
		t.Errorf("go.mod: %s", line)
	}
}

func TestHousePackageDocs(t *testing.T) {
	_, files := house(t)
	docs := map[string][]string{}
	for _, s := range files {
		if s.test() {
			continue
		}
		dir := path.Dir(s.path)
		docs[dir] = append(docs[dir], "")
		if s.file.Doc == nil {
			continue
		}
		docs[dir] = append(docs[dir], s.path)
		want := "Package " + s.file.Name.Name + " "
		if s.main() {
			want = "Command " + path.Base(dir) + " "
		}
		if !strings.HasPrefix(s.file.Doc.Text(), want) {
			t.Errorf("%s: the package doc has to start with %q", s.path, want)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(docs)) {
		with := slices.DeleteFunc(docs[dir], func(f string) bool { return f == "" })
		if len(with) != 1 {
			t.Errorf("%s: want a package doc in exactly one file, found it in %d %v", dir, len(with), with)
		}
	}
}

// Nothing but main ends the process or listens for signals, and nothing runs before main.
func TestHouseNoHiddenStart(t *testing.T) {
	fset, files := house(t)
	forbidden := map[string]string{"os.Exit": "", "log.Fatal": "", "log.Fatalf": "", "log.Fatalln": "", "signal.Notify": "", "signal.NotifyContext": ""}
	for _, s := range files {
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					t.Errorf("%s: an init function", fset.Position(n.Pos()))
				}
			case *ast.SelectorExpr:
				if pkg, ok := n.X.(*ast.Ident); ok && !s.main() && !s.test() {
					if _, bad := forbidden[pkg.Name+"."+n.Sel.Name]; bad {
						t.Errorf("%s: %s.%s below main", fset.Position(n.Pos()), pkg.Name, n.Sel.Name)
					}
				}
			}
			return true
		})
		for _, group := range s.file.Comments {
			if m := unfinished.FindString(group.Text()); m != "" {
				t.Errorf("%s: a comment says %s", fset.Position(group.Pos()), m)
			}
		}
	}
}

var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)

// Package-level variables are constants in all but name: errors, expressions, tables, templates, embedded files. One
// without a value, with one that is made to change, or that is assigned to anywhere is state.
func TestHouseNoPackageState(t *testing.T) {
	fset, files := house(t)
	packages := map[string][]source{}
	for _, s := range files {
		if !s.test() && buildsHere(s) {
			packages[path.Dir(s.path)] = append(packages[path.Dir(s.path)], s)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		var parsed []*ast.File
		for _, s := range packages[dir] {
			parsed = append(parsed, s.file)
			for _, d := range s.file.Decls {
				if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
					checkVars(t, fset, g)
				}
			}
		}
		// Only names of this package have to be resolved, so imports stay unknown and errors about them do not count.
		info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
		conf := types.Config{Error: func(error) {}, Importer: noImports{}}
		pkg, _ := conf.Check(dir, fset, parsed, info)
		for _, f := range parsed {
			ast.Inspect(f, func(n ast.Node) bool {
				for _, target := range assigned(n) {
					id := root(target)
					if id == nil {
						continue
					}
					if v, ok := info.Uses[id].(*types.Var); ok && pkg != nil && v.Parent() == pkg.Scope() {
						t.Errorf("%s: the package-level variable %s is changed", fset.Position(n.Pos()), id.Name)
					}
				}
				return true
			})
		}
	}
}

func buildsHere(s source) bool {
	if strings.HasSuffix(s.path, "_other.go") {
		return false
	}
	for _, g := range s.file.Comments {
		for _, c := range g.List {
			if c.Pos() < s.file.Package && constraint.IsGoBuild(c.Text) {
				x, err := constraint.Parse(c.Text)
				return err == nil && x.Eval(func(tag string) bool { return tag == "linux" || tag == "unix" || tag == "amd64" })
			}
		}
	}
	return true
}

func checkVars(t *testing.T, fset *token.FileSet, g *ast.GenDecl) {
	t.Helper()
	for _, spec := range g.Specs {
		v := spec.(*ast.ValueSpec)
		at := fset.Position(v.Pos())
		if v.Names[0].Name == "_" || embedded(g, v) {
			continue
		}
		if len(v.Values) == 0 {
			t.Errorf("%s: the package-level variable %s has no value: it is state", at, v.Names[0].Name)
		}
		for _, value := range v.Values {
			switch x := value.(type) {
			case *ast.UnaryExpr:
				if x.Op == token.AND || x.Op == token.ARROW {
					t.Errorf("%s: the package-level variable %s points to something that can change", at, v.Names[0].Name)
				}
			case *ast.CallExpr:
				if f, ok := x.Fun.(*ast.Ident); ok && (f.Name == "make" || f.Name == "new") {
					t.Errorf("%s: the package-level variable %s is made empty: it is state", at, v.Names[0].Name)
				}
			}
			ast.Inspect(value, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if pkg, ok := sel.X.(*ast.Ident); ok && (pkg.Name == "sync" || pkg.Name == "atomic") {
						t.Errorf("%s: the package-level variable %s uses %s.%s: it is state", at, v.Names[0].Name, pkg.Name, sel.Sel.Name)
					}
				}
				_, function := n.(*ast.FuncLit)
				return !function
			})
		}
	}
}

func embedded(g *ast.GenDecl, v *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{g.Doc, v.Doc} {
		if doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") }) {
			return true
		}
	}
	return false
}

// assigned returns what a statement or expression changes, or gives away to be changed.
func assigned(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "delete" || f.Name == "clear") && len(n.Args) > 0 {
			return n.Args[:1]
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			return []ast.Expr{n.X}
		}
	}
	return nil
}

// root is the variable at the bottom of x.f[i], when there is one.
func root(x ast.Expr) *ast.Ident {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			return e
		case *ast.SelectorExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		case *ast.ParenExpr:
			x = e.X
		default:
			return nil
		}
	}
}

// noImports knows no package.
type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, fs.ErrNotExist }

// Sizes to feel uneasy at are said, not forbidden.
func TestHouseSizes(t *testing.T) {
	fset, files := house(t)
	for _, s := range files {
		if lines := bytes.Count(s.text, []byte("\n")); lines > 500 {
			t.Logf("%s has %d lines", s.path, lines)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if lines := fset.Position(f.End()).Line - fset.Position(f.Pos()).Line + 1; lines > 80 {
				t.Logf("%s: %s has %d lines", fset.Position(f.Pos()), f.Name.Name, lines)
			}
			if !s.test() && f.Name.IsExported() && f.Doc == nil && f.Recv == nil {
				t.Errorf("%s: exported function %s has no comment", fset.Position(f.Pos()), f.Name.Name)
			}
		}
	}
}

// Every package with tests looks for goroutines that they have left behind.
func TestHouseLeaks(t *testing.T) {
	_, files := house(t)
	looks := map[string]bool{}
	for _, s := range files {
		if !s.test() {
			continue
		}
		dir := path.Dir(s.path)
		looks[dir] = looks[dir] || bytes.Contains(s.text, []byte("func TestMain(")) && bytes.Contains(s.text, []byte("goleak."))
	}
	for _, dir := range slices.Sorted(maps.Keys(looks)) {
		if !looks[dir] {
			t.Errorf("%s: its tests have no TestMain with goleak", dir)
		}
	}
}
