package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxFile bounds the configuration file (S-118), maxText each file it names.
const (
	maxFile   = 1 << 20
	maxText   = 256 << 10
	maxSecret = 4 << 10
)

// Load reads and checks the file at path. The Config is nil when there are errors; warnings alone leave it usable.
func Load(path string) (*Config, Findings) {
	data, err := readBounded(path, maxFile)
	if err != nil {
		f := Finding{File: path, What: plainError(err)}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			f.Fix = "make one with supportd init, or name another with -c FILE"
		case errors.Is(err, errTooLarge):
			f.What, f.Fix = "the file is larger than 1 MiB", "this is hardly a configuration; is the name right?"
		}
		return nil, Findings{f}
	}
	return Parse(path, data, filepath.Dir(path))
}

// LoadForTools is Load without the secrets: what decides about mail needs none, and whoever tries a configuration out may have
// none. Logins are left empty.
func LoadForTools(path string) (*Config, Findings) {
	data, err := readBounded(path, maxFile)
	if err != nil {
		return Load(path) // which says why
	}
	return parse(path, data, filepath.Dir(path), nil)
}

// StateDir finds the state directory that a configuration names even when the file has faults, so that the running
// daemon can still be asked. Without a readable state key it is the default.
func StateDir(path string) string {
	dir := "state"
	data, err := readBounded(path, maxFile)
	for line := range bytes.Lines(data) {
		rest, ok := bytes.CutPrefix(line, []byte("state:"))
		if !ok || err != nil {
			continue
		}
		var n yaml.Node
		if yaml.Load(rest, &n) == nil && len(n.Content) == 1 && n.Content[0].Kind == yaml.ScalarNode && n.Content[0].Value != "" {
			dir = n.Content[0].Value
		}
		break
	}
	if filepath.IsAbs(dir) {
		return filepath.Clean(dir)
	}
	return filepath.Join(filepath.Dir(path), dir)
}

// Unreadable reports whether the findings say that there was no file to check.
func (fs Findings) Unreadable() bool { return len(fs) == 1 && fs[0].Line == 0 }

// Parse checks a configuration that was read already. name is how findings call it, dir is where relative paths in it
// start.
func Parse(name string, data []byte, dir string) (*Config, Findings) {
	return parse(name, data, dir, os.LookupEnv)
}

// parse reads a configuration. Without getenv no secret is read.
func parse(name string, data []byte, dir string, getenv func(string) (string, bool)) (*Config, Findings) {
	d := &decoder{name: name}
	root, ok := d.document(data)
	if !ok {
		return nil, d.findings.sorted(name)
	}
	r := &resolver{decoder: d, dir: dir, getenv: getenv, sum: sha256.New(), cfg: &Config{Path: name, Dir: dir}}
	r.hashed(filepath.Base(name), data)
	r.cfg.Files = []string{name}
	r.include(root, root, []string{r.path(filepath.Base(name))})
	if r.partial {
		return nil, d.findings.sorted(name)
	}
	d.limit = count(root) + maxAliased
	var keys fileKeys
	d.structure(root, place{line: 1, col: 1}, reflect.ValueOf(&keys).Elem())
	if !d.stopped {
		r.resolve(&keys)
		r.lint(root)
	}
	d.findings = d.findings.sorted(name)
	if len(d.findings) >= maxFindings {
		d.findings = append(d.findings, Finding{File: name, What: fmt.Sprintf("more than %d findings", maxFindings-1), Fix: "repair these first"})
	}
	if n := d.warnings - maxWarnings; n > 0 {
		d.findings = append(d.findings, Finding{File: name, Warning: true, What: fmt.Sprintf("%d more warnings", n), Fix: "look at these first"})
	}
	if d.findings.Errors() > 0 {
		return nil, d.findings
	}
	r.cfg.Rev = hex.EncodeToString(r.sum.Sum(nil))[:8]
	return r.cfg, d.findings
}

// document parses the YAML and sees to it that it is one map that is meant for this program.
func (d *decoder) document(data []byte) (*yaml.Node, bool) {
	top := place{line: 1, col: 1}
	switch {
	case len(data) > maxFile:
		d.report("", top, "this is hardly a configuration; is the name right?", "the file is larger than 1 MiB")
		return nil, false
	case !utf8.Valid(data):
		d.report("", lineOf(data, func(line []byte) bool { return !utf8.Valid(line) }), "save it as UTF-8", "the file is not UTF-8 text")
		return nil, false
	}
	var doc yaml.Node
	if err := yaml.Load(data, &doc); err != nil {
		d.syntax(data, err)
		return nil, false
	}
	const notOurs = "this does not look like a supportd configuration: "
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || isNull(doc.Content[0]) {
		d.report("", top, "make one with supportd init", "the file is empty")
		return nil, false
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		d.report("", top, "make one with supportd init", notOurs+"it is %s, not a map of keys", describe(root))
		return nil, false
	}
	var version *yaml.Node
	ours := false
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch root.Content[i].Value {
		case "version":
			version, ours = root.Content[i+1], true
		case "mailbox", "mailboxes":
			ours = true
		}
	}
	if !ours {
		d.report("", top, "make one with supportd init", notOurs+"it has none of the keys version, mailbox, mailboxes")
		return nil, false
	}
	if v, err := parseIntNode(version); err == nil && v > FormatVersion {
		d.report("", place{path: "version", line: version.Line, col: version.Column}, "use a newer supportd",
			"the file is written for version %d, and this supportd reads version %d", v, FormatVersion)
		return nil, false
	}
	return root, true
}

func parseIntNode(n *yaml.Node) (int, error) {
	if n == nil || n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" {
		return 0, errors.New("not a number")
	}
	v, err := parseInt(n.Value)
	if err != nil {
		return 0, err
	}
	return v.(int), nil
}

// syntax reports what the YAML parser could not read, in words of this program.
func (d *decoder) syntax(data []byte, err error) {
	at := place{line: 1, col: 1}
	var many *yaml.LoadErrors
	if errors.As(err, &many) {
		if len(bytes.TrimSpace(data)) > 0 && strings.Contains(err.Error(), "multiple") {
			seen := 0
			at = lineOf(data, func(line []byte) bool {
				content := len(bytes.TrimSpace(line)) > 0 && line[0] != '#'
				if bytes.HasPrefix(line, []byte("---")) && seen > 0 {
					return true
				}
				if content {
					seen++
				}
				return false
			})
			d.report("", at, "keep one, without the line ---", "a second YAML document begins here")
			return
		}
		d.report("", at, "make one with supportd init", "the file is empty")
		return
	}
	var one *yaml.LoadError
	if !errors.As(err, &one) {
		d.report("", at, "", "the file is not YAML: %s", err)
		return
	}
	if one.Mark.Line > 0 {
		at = place{line: one.Mark.Line, col: max(1, one.Mark.Column)}
	}
	tab := lineOf(data, func(line []byte) bool {
		return bytes.ContainsRune(line[:len(line)-len(bytes.TrimLeft(line, " \t"))], '\t') && len(bytes.TrimSpace(line)) > 0
	})
	if tab.line != 0 && tab.line <= at.line {
		d.report("", tab, "indent with blanks", "a tab stands in the indentation, which YAML does not allow")
		return
	}
	what, fix := plainSyntax(one.Message)
	d.report("", at, fix, "%s", what)
}

// plainSyntax rewords the YAML parser's messages.
func plainSyntax(message string) (what, fix string) {
	for _, m := range []struct{ has, what, fix string }{
		{"mapping values are not allowed", "a colon stands where no value can follow", "check the indentation of this line and the one above, or put the text in quotes"},
		{"cannot start any token", "a text cannot begin with this character", "put it in quotes"},
		{"expected ',' or ']'", "a list that began with [ is not closed", "write ] at its end"},
		{"expected ',' or '}'", "a map that began with { is not closed", "write } at its end"},
		{"unexpected end of stream", "a text in quotes is not closed", "write the closing quote"},
		{"expected key", "a key is expected here", "check the quotes and the indentation of the line above"},
		{"expected '-' indicator", "a key stands in the middle of a list", "begin with a dash, or indent it like the keys above"},
		{"unknown escape", "a backslash in double quotes begins no known escape", "write it twice, or use single quotes"},
		{"unknown anchor", "an alias names an anchor that does not exist", "put a text that begins with * in quotes"},
		{"control characters", "a control character stands in the file", "delete it"},
		{"max depth", "the file is nested too deeply", "this is hardly a configuration; is the name right?"},
		{"incompatible YAML", "the %YAML line asks for another version of YAML", "delete it"},
	} {
		if strings.Contains(message, m.has) {
			return m.what, m.fix
		}
	}
	return "this is not YAML: " + message, "check the indentation and the quotes here and in the line above"
}

// lineOf is the place of the first line that fits; its line is 0 when none does.
func lineOf(data []byte, fits func(line []byte) bool) place {
	n := 0
	for line := range bytes.Lines(data) {
		n++
		if fits(bytes.TrimRight(line, "\r\n")) {
			return place{line: n, col: 1}
		}
	}
	return place{}
}

var errTooLarge = errors.New("the file is too large")

// readBounded reads a regular file of at most limit octets. Others, such as pipes, are not opened: reading them could
// take for ever.
func readBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("this is " + fileKind(info) + ", not a file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errTooLarge
	}
	return data, err
}

func fileKind(info fs.FileInfo) string {
	if info.IsDir() {
		return "a folder"
	}
	return "a device or pipe"
}

// plainError rewords what the system says about a file.
func plainError(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "the file does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "the file may not be read by this user"
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return "the file cannot be read: " + pe.Err.Error()
	}
	return err.Error()
}

// resolver turns the keys into a Config and reports what does not fit together.
type resolver struct {
	*decoder
	dir    string
	getenv func(string) (string, bool)
	sum    hash.Hash
	cfg    *Config

	partial bool // a file that is included cannot be read: what refers to it would seem wrong

	vendorCells []cell // of the table of items, to be checked when the third parties are known
}

// hashed makes a file count for the revision.
func (r *resolver) hashed(name string, data []byte) {
	for _, part := range [][]byte{[]byte(name), data} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		r.sum.Write(n[:])
		r.sum.Write(part)
	}
}

// path is where a path of the file leads.
func (r *resolver) path(written string) string {
	if filepath.IsAbs(written) {
		return filepath.Clean(written)
	}
	return filepath.Join(r.dir, written)
}

// file reads a file that the configuration names; what is how the message calls it. Its content counts for the
// revision unless it is secret: the revision stands in mails, and a password must not be guessable from it.
func (r *resolver) file(at place, written string, limit int64, secret bool) ([]byte, bool) {
	p := r.path(written)
	data, err := readBounded(p, limit)
	if err != nil {
		fix := ""
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if near := nearFile(p); near != "" {
				fix = "did you mean \"" + filepath.Join(filepath.Dir(written), near) + "\"?"
			} else if secret {
				fix = "write the password into it and run chmod 600 " + p
			}
		case errors.Is(err, errTooLarge):
			r.report("E03", at, "is it the right file?", "the file %s is larger than %d octets", clip(p), limit)
			return nil, false
		}
		r.report("E03", at, fix, "%s: %s", strings.ToValidUTF8(p, "?"), plainError(err))
		return nil, false
	}
	if !slices.Contains(r.cfg.Files, p) {
		r.cfg.Files = append(r.cfg.Files, p)
	}
	if !secret {
		r.hashed(written, data)
	}
	return data, true
}

// nearFile is the file beside path whose name comes nearest to its own, or "".
func nearFile(path string) string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) > 1000 {
		return ""
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return nearest(filepath.Base(path), names)
}

// secret reads the password that a login names.
func (r *resolver) secret(keys loginKeys) Secret {
	return r.secretOf(keys.PasswordFile, keys.Password, "password")
}

// secretOf reads a secret from the file or variable that two keys name; name is the second one's, and the first one's
// without _file.
func (r *resolver) secretOf(file opt[string], env opt[envName], name string) Secret {
	switch {
	case file.given && env.given:
		r.report("", env.at, "delete one of them", "%s and %s_file cannot both be given", name, name)
	case r.getenv == nil:
	case file.given && file.val != "":
		return r.secretFile(file.at, file.val)
	case env.given && env.val != "":
		v, ok := r.getenv(string(env.val))
		if !ok || v == "" {
			r.report("", env.at, "set it in the environment of supportd", "the environment variable %s is not set", env.val)
			return Secret{}
		}
		return Secret{value: v, env: string(env.val)}
	}
	return Secret{}
}

func (r *resolver) secretFile(at place, written string) Secret {
	name, handed := r.credential(written)
	p := r.path(name)
	data, ok := r.file(at, name, maxSecret, true)
	if !ok {
		return Secret{}
	}
	if info, err := os.Stat(p); !handed && err == nil && info.Mode().Perm()&0o077 != 0 {
		r.report("", at, "run chmod 600 "+p, "%s can be read or changed by other users (mode %04o)", p, info.Mode().Perm())
		return Secret{}
	}
	text := strings.TrimRight(string(data), "\r\n")
	switch {
	case strings.TrimSpace(text) == "":
		r.report("", at, "write the password into it", "%s is empty", p)
	case strings.ContainsAny(text, "\r\n\x00") || !utf8.ValidString(text):
		r.report("", at, "let it hold the password and nothing else", "%s holds more than one line, or is no text", p)
	default:
		return Secret{value: text, file: written}
	}
	return Secret{}
}
