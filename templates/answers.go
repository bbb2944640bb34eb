package templates

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"supportd/tickets"
)

// Standard answers: texts of the admin that agents send with one line. A file holds what the answer says, in Markdown
// with the variables of mails to customers; what stands around it in every answer is added here: the agent's own words
// above it, name and desk, the line above which people answer, and the customer's mail below it.

// answerPrefix begins the name of a standard answer among the templates.
const answerPrefix = tickets.TemplateStandard

// answerText ends the name under which an answer is rendered without what stands around it.
const answerText = tickets.TemplateStandardText

// StandardAnswer is one of them, in the languages that it has.
type StandardAnswer struct {
	Name  string
	Title map[string]string // language to title
	Solve bool              // sending it solves the ticket
	Files []string          // names of files beside it that go with it
}

const (
	answerHead = "{{if .text}}\n{{template \"said\" .text}}\n{{end}}\n\n"
	answerFoot = "\n\n{{if .signature}}\n{{template \"said\" .signature}}\n{{end}}\n\n{{if not .signature}}\n{{if .agent}}{{.agent}} – {{end}}{{.desk}}\n{{end}}\n\n{{template \"marker\" .marker}}\n\n" +
		"{{if .quote}}\n{{if .quote_line}}{{.quote_line}}{{end}}\n\n{{template \"quote\" .quote}}\n{{end}}\n"
)

// loadAnswers compiles the standard answers of a folder: NAME.de.md, NAME.en.md, or NAME.md for the desk's first language.
func (s *Set) loadAnswers(tree fs.FS) []error {
	if tree == nil {
		return nil
	}
	entries, err := fs.ReadDir(tree, ".")
	if err != nil {
		return []error{fmt.Errorf("read the standard answers: %w", err)}
	}
	var faults []error
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".md") || strings.EqualFold(e.Name(), "README.md") {
			continue // what goes along with answers stands beside them
		}
		f, err := readSource(tree, "", ".", e)
		if err == nil && f.base != "" {
			err = s.loadAnswer(tree, f)
		}
		if err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}

func (s *Set) loadAnswer(tree fs.FS, f sourceFile) error {
	name, lang := strings.TrimSuffix(f.base, ".md"), s.opts.Languages[0]
	if i := strings.LastIndexByte(name, '.'); i > 0 && isLanguage(name[i+1:]) {
		name, lang = name[:i], name[i+1:]
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r == ' ' || r == '#' || r == '/' }) {
		return fmt.Errorf("%s: a standard answer's name has no blanks, # and /: agents write it behind #send", f.file)
	}
	f.file, f.lang = f.base, lang
	a, src, err := splitAnswer(f)
	if err != nil {
		return err
	}
	sp := spec{name: answerPrefix + name, audience: audiencePublic}
	src.name, src.audience, src.html = sp.name, audiencePublic, true
	src.subject, src.subjectLine = "Re: {{.subject}} [{{.number}}]", 1
	own, err := checkSource(src, sp)
	if err != nil {
		return err
	}
	head := answerHead
	if own["text"] {
		head = ""
	}
	src.bodyLine -= strings.Count(head, "\n")
	body := head + src.body
	forms := map[string]*compiled{}
	for suffix, foot := range map[string]string{"": answerFoot, answerText: ""} {
		src.body = body + foot
		uses, err := checkSource(src, sp)
		if err != nil {
			return err
		}
		c := &compiled{file: f.file, lang: lang, spec: sp, source: src, uses: uses, bare: foot == ""}
		if err := c.build(&s.look); err != nil {
			return err
		}
		forms[suffix] = c
	}
	for _, file := range a.Files {
		if info, err := fs.Stat(tree, file); err != nil || !info.Mode().IsRegular() {
			return fmt.Errorf("%s: there is no file %q beside it", f.file, file)
		}
	}
	return s.keepAnswer(name, lang, a, forms)
}

// keepAnswer adds one language of an answer to it.
func (s *Set) keepAnswer(name, lang string, a StandardAnswer, forms map[string]*compiled) error {
	c := forms[""]
	known := s.answers[name]
	if known == nil {
		known = &StandardAnswer{Name: name, Title: map[string]string{}, Solve: a.Solve}
		s.answers[name] = known
	}
	if s.texts[lang] == nil {
		s.texts[lang] = map[string]*compiled{}
	}
	if s.texts[lang][c.spec.name] != nil {
		return fmt.Errorf("%s: the answer %s has a text in language %q already", c.file, name, lang)
	}
	if known.Solve != a.Solve {
		return fmt.Errorf("%s: solve is not the same as in the other language of %s", c.file, name)
	}
	known.Title[lang] = a.Title[lang]
	for _, file := range a.Files {
		if !slices.Contains(known.Files, file) {
			known.Files = append(known.Files, file)
		}
	}
	for suffix, c := range forms {
		s.texts[lang][answerPrefix+name+suffix] = c
	}
	return nil
}

// splitAnswer reads the front matter of a standard answer, which may be absent.
func splitAnswer(f sourceFile) (StandardAnswer, source, error) {
	a := StandardAnswer{Title: map[string]string{f.lang: strings.TrimSuffix(f.base, ".md")}}
	src := source{file: f.file, lang: f.lang, body: f.text, bodyLine: 1}
	lines := strings.Split(f.text, "\n")
	if strings.TrimRight(lines[0], " ") != "---" {
		return a, src, nil
	}
	end := slices.IndexFunc(lines[1:], func(l string) bool { return strings.TrimRight(l, " ") == "---" })
	if end < 0 {
		return a, src, fmt.Errorf("%s:1: the front matter has no end: a line --- is missing", f.file)
	}
	src.body, src.bodyLine = strings.Join(lines[end+2:], "\n"), end+3
	var faults []error
	for i, line := range lines[1 : end+1] {
		key, value, _ := strings.Cut(line, ":")
		value = unquote(strings.TrimSpace(value))
		switch strings.TrimSpace(key) {
		case "":
		case "title":
			a.Title[f.lang] = value
		case "solve":
			if a.Solve = value == "yes" || value == "true"; !a.Solve && value != "no" && value != "false" {
				faults = append(faults, fmt.Errorf("%s:%d: solve is %q: write yes or no", f.file, i+2, value))
			}
		case "attach":
			for file := range strings.SplitSeq(value, ",") {
				if file = strings.TrimSpace(file); file == "" || file != path.Base(file) || file == ".." {
					faults = append(faults, fmt.Errorf("%s:%d: attach wants names of files beside it, with commas between", f.file, i+2))
				} else {
					a.Files = append(a.Files, file)
				}
			}
		default:
			faults = append(faults, fmt.Errorf("%s:%d: unknown key %q%s", f.file, i+2, strings.TrimSpace(key), suggest(strings.TrimSpace(key), []string{"title", "solve", "attach"})))
		}
	}
	if strings.TrimSpace(src.body) == "" {
		faults = append(faults, fmt.Errorf("%s:%d: the answer is empty", f.file, src.bodyLine))
	}
	return a, src, errors.Join(faults...)
}

// completeAnswers lets another language stand in where an answer lacks one, and says so.
func (s *Set) completeAnswers() {
	for _, name := range s.answerNames() {
		key := answerPrefix + name
		for _, lang := range s.languages {
			if s.texts[lang][key] != nil {
				continue
			}
			for _, other := range append(slices.Clone(s.languages), s.opts.Languages...) {
				if c := s.texts[other][key]; c != nil && c.lang == other {
					s.texts[lang][key], s.texts[lang][key+answerText] = c, s.texts[other][key+answerText]
					s.warnings = append(s.warnings, fmt.Sprintf("the standard answer %s is missing in language %q: the one in %q stands in", name, lang, other))
					break
				}
			}
			if s.texts[lang][key] == nil {
				delete(s.answers, name) // it is in a language that the desk does not write
			}
		}
	}
}

// tryAnswers renders every standard answer with sample data.
func (s *Set) tryAnswers() (faults []error) {
	for _, name := range s.answerNames() {
		for _, lang := range s.languages {
			for _, full := range []bool{true, false} {
				if _, err := s.Public(answerPrefix+name, SamplePublic(lang, full)); err != nil {
					faults = append(faults, fmt.Errorf("%s: %w", s.texts[lang][answerPrefix+name].file, err))
					break
				}
			}
		}
	}
	return faults
}

func (s *Set) answerNames() []string {
	var names []string
	for name := range s.answers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Answers lists the standard answers, by name.
func (s *Set) Answers() []StandardAnswer {
	var list []StandardAnswer
	for _, name := range s.answerNames() {
		list = append(list, *s.answers[name])
	}
	return list
}
