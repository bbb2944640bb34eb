package templates

import (
	"errors"
	"fmt"
	htmltemplate "html/template"
	"slices"
	"strings"
	"text/template"

	"supportd/tickets"
)

// compileAll compiles every template file and keeps those of languages that the desk uses.
func (s *Set) compileAll(files []sourceFile) []error {
	var faults []error
	for _, f := range files {
		if f.base == phrasesName || f.base == footerName || f.base == layoutName {
			continue
		}
		c, err := compile(f, &s.look)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if s.texts[f.lang] == nil {
			s.texts[f.lang] = map[string]*compiled{}
		}
		s.texts[f.lang][c.spec.name] = c
	}
	return faults
}

func compile(f sourceFile, l *look) (*compiled, error) {
	name, ok := strings.CutSuffix(f.base, ".md")
	sp, known := specOf(name)
	if !ok || !known {
		var want []string
		for _, n := range specNames() {
			want = append(want, n+".md")
		}
		return nil, fmt.Errorf("%s: no template has that name%s", f.file, suggest(f.base, append(want, phrasesName, footerName)))
	}
	src, err := splitSource(f)
	if err != nil {
		return nil, err
	}
	var faults []error
	if src.audience != sp.audience {
		faults = append(faults, fmt.Errorf("%s:1: audience is %s, but %s is always %s", f.file, src.audience, sp.name, sp.audience))
	}
	if src.html && sp.textOnly {
		faults = append(faults, fmt.Errorf("%s:1: html is yes, but automatic answers are plain text (RFC 3834): write html: no", f.file))
	}
	uses, err := checkSource(src, sp)
	if err != nil {
		faults = append(faults, err)
	} else if sp.marker && !uses["marker"] {
		faults = append(faults, fmt.Errorf(`%s:%d: lacks the line above which people answer: add {{template "marker" .marker}}`, f.file, src.bodyLine))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	c := &compiled{file: f.file, lang: f.lang, spec: sp, source: src, uses: uses}
	if err := c.build(l); err != nil {
		return nil, err
	}
	return c, nil
}

// build makes the executable templates of a source that was checked.
func (c *compiled) build(l *look) error {
	if l.speaks() && c.spec.audience != audienceInternal && !c.uses["footer"] && !c.bare {
		c.source.body = footed(c.source.body)
		c.uses["footer"] = true
	}
	forms, err := convert(c.source, l)
	if err != nil {
		return err
	}
	base, err := newTextBase()
	if err == nil {
		c.text, err = base.New("text").Parse(forms.text)
	}
	if err == nil {
		c.subject, err = template.New("subject").Option("missingkey=error").Parse(c.source.subject)
	}
	if err == nil && c.source.html {
		var page *htmltemplate.Template
		if page, err = newHTMLBase(l); err == nil {
			if _, err = page.New("body").Parse(forms.html); err == nil {
				c.html = page.Lookup("layout")
			}
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.file, err)
	}
	return nil
}

// complete settles in which languages the desk writes and fills what one of them lacks.
func (s *Set) complete() []error {
	for _, lang := range s.opts.Languages {
		if len(s.texts[lang]) == 0 {
			s.warnings = append(s.warnings, fmt.Sprintf("no templates in language %q: mails in it are written in %q", lang, s.standIn(lang)))
			continue
		}
		if !slices.Contains(s.languages, lang) {
			s.languages = append(s.languages, lang)
		}
	}
	if len(s.languages) == 0 {
		s.languages = []string{"en"}
	}
	for _, lang := range s.languages {
		for _, name := range specNames() {
			if s.texts[lang][name] != nil {
				continue
			}
			other := s.standIn(lang)
			s.texts[lang][name] = s.texts[other][name]
			s.warnings = append(s.warnings, fmt.Sprintf("template %s is missing in language %q: the one in %q stands in", name, lang, other))
		}
	}
	return nil
}

// standIn is the language whose texts are used where lang has none: German and English are always complete.
func (s *Set) standIn(lang string) string {
	for _, l := range s.opts.Languages {
		if l != lang && (l == "de" || l == "en") {
			return l
		}
	}
	return "en"
}

// try renders every template in every language with sample data.
func (s *Set) try() []error {
	var faults []error
	for _, lang := range s.languages {
		for _, sp := range specs() {
			file := s.texts[lang][sp.name].file
			for _, full := range []bool{true, false} {
				var r tickets.Rendered
				var err error
				switch sp.audience {
				case audiencePublic:
					r, err = s.Public(sp.name, SamplePublic(lang, full))
				case audienceVendor:
					r, err = s.Vendor(sp.name, SampleVendor(lang, full))
				default:
					r, err = s.Internal(sp.name, SampleInternal(sp.name, lang, full))
				}
				if err == nil && strings.TrimSpace(r.Text) == "" {
					err = errors.New("the text is empty")
				}
				if err == nil && r.Subject == "" {
					err = errors.New("the subject is empty")
				}
				if err != nil {
					faults = append(faults, fmt.Errorf("%s: %w", file, err))
					break
				}
			}
		}
	}
	return faults
}
