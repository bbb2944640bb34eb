package templates

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

//go:embed default
var builtin embed.FS

// maxSource is the size up to which a template file is read.
const maxSource = 64 << 10

const phrasesName = "phrases.txt"

// source is one template file, split.
type source struct {
	file        string // for errors: "de/ack-new.md", with "built-in " before it when it is ours
	lang        string
	name        string
	subject     string
	subjectLine int
	audience    audience
	html        bool
	body        string
	bodyLine    int // line of the file on which body begins
}

// sourceFile is the bytes of one file.
type sourceFile struct {
	file string
	lang string
	base string
	text string
}

// readSources reads the built-in files and those laid over them; of two with one name the second wins, except for
// phrases, where both are kept in order.
func readSources(overrides fs.FS, folder string) ([]sourceFile, error) {
	ours, err := fs.Sub(builtin, "default")
	if err != nil {
		return nil, fmt.Errorf("load templates: %w", err)
	}
	files, err := readTree(ours, "built-in ")
	if err != nil {
		return nil, fmt.Errorf("load templates: %w", err)
	}
	if overrides == nil {
		return files, nil
	}
	theirs, err := readTree(overrides, folder)
	if err != nil {
		return nil, fmt.Errorf("load templates: %w", err)
	}
	for _, f := range theirs {
		i := slices.IndexFunc(files, func(o sourceFile) bool { return o.lang == f.lang && o.base == f.base })
		if i >= 0 && f.base != phrasesName {
			files[i] = f
		} else {
			files = append(files, f)
		}
	}
	return files, nil
}

func readTree(tree fs.FS, prefix string) ([]sourceFile, error) {
	var files []sourceFile
	dirs, err := fs.ReadDir(tree, ".")
	if err != nil {
		return nil, fmt.Errorf("read the templates folder: %w", err)
	}
	var faults []error
	for _, d := range dirs {
		if d.Name() == layoutName && !d.IsDir() {
			f, err := readSource(tree, prefix, "", d)
			if err != nil {
				faults = append(faults, err)
			}
			files = append(files, f)
			continue
		}
		if !d.IsDir() || !isLanguage(d.Name()) {
			if strings.HasPrefix(d.Name(), ".") || strings.EqualFold(d.Name(), "README.md") {
				continue
			}
			faults = append(faults, fmt.Errorf("%s%s: stands beside the languages: wanted are folders such as de and en with files such as ack-new.md, and layout.txt",
				prefix, d.Name()))
			continue
		}
		entries, err := fs.ReadDir(tree, d.Name())
		if err != nil {
			return nil, fmt.Errorf("read the templates folder: %w", err)
		}
		for _, e := range entries {
			f, err := readSource(tree, prefix, d.Name(), e)
			if err != nil {
				faults = append(faults, err)
			} else if f.base != "" {
				files = append(files, f)
			}
		}
	}
	return files, errors.Join(faults...)
}

func readSource(tree fs.FS, prefix, lang string, e fs.DirEntry) (sourceFile, error) {
	name := path.Join(lang, e.Name())
	if strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), "~") {
		return sourceFile{}, nil
	}
	info, err := fs.Stat(tree, name)
	if err != nil {
		return sourceFile{}, fmt.Errorf("%s%s: %w", prefix, name, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxSource {
		return sourceFile{}, fmt.Errorf("%s%s: a template is a file of at most %d KiB", prefix, name, maxSource>>10)
	}
	b, err := fs.ReadFile(tree, name)
	if err != nil {
		return sourceFile{}, fmt.Errorf("%s%s: %w", prefix, name, err)
	}
	text := strings.ReplaceAll(strings.TrimPrefix(string(b), "\ufeff"), "\r\n", "\n")
	if i := strings.IndexFunc(text, badInSource); i >= 0 || !utf8.ValidString(text) {
		line := 1
		if i >= 0 {
			line += strings.Count(text[:i], "\n")
		}
		return sourceFile{}, fmt.Errorf("%s%s:%d: holds control or invisible characters, or is not UTF-8", prefix, name, line)
	}
	return sourceFile{file: prefix + name, lang: lang, base: e.Name(), text: text}, nil
}

// badInSource reports characters that no template needs; some of them mark blocks between rendering and layout.
func badInSource(r rune) bool {
	return r != '\n' && r != '\t' && (r < ' ' || r == 0x7f || invisible(r))
}

func isLanguage(name string) bool {
	return len(name) == 2 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") == ""
}

// splitSource reads the front matter of a template file.
func splitSource(f sourceFile) (source, error) {
	s := source{file: f.file, lang: f.lang, name: strings.TrimSuffix(f.base, ".md")}
	lines := strings.Split(f.text, "\n")
	if strings.TrimRight(lines[0], " ") != "---" {
		return s, fmt.Errorf("%s:1: has no front matter: the first line has to be --- and then subject, audience and html follow", f.file)
	}
	end := slices.IndexFunc(lines[1:], func(l string) bool { return strings.TrimRight(l, " ") == "---" })
	if end < 0 {
		return s, fmt.Errorf("%s:1: the front matter has no end: a line --- is missing", f.file)
	}
	var faults []error
	seen := map[string]bool{}
	for i, line := range lines[1 : end+1] {
		at := fmt.Sprintf("%s:%d", f.file, i+2)
		if t := strings.TrimSpace(line); t == "" || strings.HasPrefix(t, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		key, value = strings.TrimSpace(key), unquote(strings.TrimSpace(value))
		if !ok {
			faults = append(faults, fmt.Errorf("%s: wants a line such as subject: …", at))
			continue
		}
		if seen[key] {
			faults = append(faults, fmt.Errorf("%s: %s stands there twice", at, key))
		}
		seen[key] = true
		if err := s.set(key, value, i+2); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", at, err))
		}
	}
	for _, key := range []string{"subject", "audience", "html"} {
		if !seen[key] {
			faults = append(faults, fmt.Errorf("%s:1: %s is missing from the front matter", f.file, key))
		}
	}
	s.body = strings.Join(lines[end+2:], "\n")
	s.bodyLine = end + 3
	return s, errors.Join(faults...)
}

func (s *source) set(key, value string, line int) error {
	switch key {
	case "subject":
		if value == "" {
			return errors.New("subject is empty")
		}
		s.subject, s.subjectLine = value, line
	case "audience":
		s.audience = audience(value)
		if s.audience != audiencePublic && s.audience != audienceInternal && s.audience != audienceVendor {
			return fmt.Errorf("audience is %q: write public, internal or vendor", value)
		}
	case "html":
		switch value {
		case "yes", "true":
			s.html = true
		case "no", "false":
			s.html = false
		default:
			return fmt.Errorf("html is %q: write yes or no", value)
		}
	default:
		return fmt.Errorf("unknown key %q%s", key, suggest(key, []string{"subject", "audience", "html"}))
	}
	return nil
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}
