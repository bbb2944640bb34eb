// Package templates holds the texts the desk sends and renders them: Markdown files with a front matter, one for each
// template and language, turned into a plain text and an HTML form. It does not decide who gets a mail or when, composes
// no mail, and never reads what people wrote as Markdown, HTML or template.
//
// A template sees plain data only: strings, numbers, flags and lists of them. Templates for customers see what
// tickets.PublicView holds and nothing else; their data is built by another function than that of the staff's.
package templates

import (
	"bytes"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"slices"
	"strings"
	"text/template"
	"time"

	"supportd/tickets"
)

// Options are what the desk's configuration says about its texts.
type Options struct {
	// Languages of the desk, ISO 639-1. What a view asks for in any other language is rendered in the first one.
	// Default: de, en.
	Languages []string
	// AddressForm says for a language how customers are addressed: "sie" (the default) or "du" in German; "last_name" and
	// "first_name" mean the same in other languages.
	AddressForm map[string]string
	// Folder is what the names of the files of overrides begin with in errors, such as "templates/nordwind/".
	Folder string
	// Answers is the folder of standard answers; nil: there are none.
	Answers fs.FS
	// Strict makes an unknown key of a tickets.Line an error. Without it such a line is shown as its key and arguments.
	Strict bool
	// Now is read to end a template that runs for too long. Default: time.Now.
	Now func() time.Time
}

// Set is a complete set of templates, ready to render. It never changes and may be used from several goroutines.
type Set struct {
	opts      Options
	languages []string
	texts     map[string]map[string]*compiled // by language, then name
	phrases   map[string]*phrases             // by language
	answers   map[string]*StandardAnswer      // by name
	look      look
	warnings  []string
}

var _ tickets.Renderer = (*Set)(nil)

// Load reads the built-in templates and lays those of overrides over them: a file de/ack-new.md replaces the German
// ack-new, lines of de/phrases.txt replace single phrases, and a folder of another language adds that language; layout.txt
// and de/footer.txt say what is the brand's own about its look. A nil overrides means the built-in texts alone. Every template is checked and rendered with sample data in every language;
// the error names all faults, each with file and line.
func Load(overrides fs.FS, opts Options) (*Set, error) {
	if len(opts.Languages) == 0 {
		opts.Languages = []string{"de", "en"}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if err := checkAddressForms(opts.AddressForm); err != nil {
		return nil, err
	}
	files, err := readSources(overrides, opts.Folder)
	if err != nil {
		return nil, err
	}
	s := &Set{
		opts:    opts,
		texts:   map[string]map[string]*compiled{},
		phrases: map[string]*phrases{},
		answers: map[string]*StandardAnswer{},
	}
	var faults []error
	faults = append(faults, s.loadLook(files)...)
	faults = append(faults, s.loadPhrases(files)...)
	faults = append(faults, s.compileAll(files)...)
	faults = append(faults, s.loadAnswers(opts.Answers)...)
	if len(faults) == 0 {
		faults = append(faults, s.complete()...)
		s.completeLook()
		s.completeAnswers()
	}
	if len(faults) == 0 {
		faults = append(faults, s.try()...)
		faults = append(faults, s.tryAnswers()...)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("load templates: %w", errors.Join(faults...))
	}
	return s, nil
}

func checkAddressForms(forms map[string]string) error {
	for lang, form := range forms {
		if !slices.Contains([]string{"", "sie", "du", "last_name", "first_name"}, form) {
			return fmt.Errorf("load templates: address form %q of language %q is unknown: write sie, du, last_name or first_name", form, lang)
		}
	}
	return nil
}

// Warnings lists what is not wrong but worth knowing: texts that one language lacks and another one stands in for.
func (s *Set) Warnings() []string { return slices.Clone(s.warnings) }

// Languages lists the languages of the desk in which it can write, its default first.
func (s *Set) Languages() []string { return slices.Clone(s.languages) }

// Language is the language in which a view that asks for want is rendered.
func (s *Set) Language(want string) string {
	if slices.Contains(s.languages, want) {
		return want
	}
	return s.languages[0]
}

// Names lists all templates by name, sorted.
func (s *Set) Names() []string {
	var names []string
	for _, sp := range specs() {
		names = append(names, sp.name)
	}
	slices.Sort(names)
	return names
}

// Source is where a text comes from.
type Source struct {
	Name     string // of the template; a standard answer's begins with tickets.TemplateStandard
	Audience string // public or internal
	Language string
	File     string // "built-in de/ack-new.md", or the file laid over it
}

// Sources lists every text in every language of the desk, by name.
func (s *Set) Sources() []Source {
	names := s.Names()
	for _, name := range s.answerNames() {
		names = append(names, answerPrefix+name)
	}
	var list []Source
	for _, name := range names {
		for _, lang := range s.languages {
			c := s.texts[lang][name]
			list = append(list, Source{Name: name, Audience: string(c.spec.audience), Language: lang, File: c.file})
		}
	}
	return list
}

// Public renders a template for people outside the desk. An internal template is refused.
func (s *Set) Public(name string, v tickets.PublicView) (tickets.Rendered, error) {
	sp, err := s.public(name)
	if err != nil {
		return tickets.Rendered{}, err
	}
	lang := s.Language(v.Language)
	data := s.publicData(sp, s.texts[lang][name].uses, lang, v)
	return s.render(name, lang, data, len(v.Text))
}

// public finds a template for customers: one of the desk's own, or a standard answer.
func (s *Set) public(name string) (spec, error) {
	if answer, ok := strings.CutPrefix(name, answerPrefix); ok {
		answer = strings.TrimSuffix(answer, answerText)
		if s.answers[answer] == nil {
			return spec{}, fmt.Errorf("render %q: there is no such standard answer%s", answer, suggest(answer, s.answerNames()))
		}
		return spec{name: name, audience: audiencePublic}, nil
	}
	return s.lookup(name, audiencePublic)
}

// Internal renders a template for staff. A public template is refused.
func (s *Set) Internal(name string, v tickets.InternalView) (tickets.Rendered, error) {
	if _, err := s.lookup(name, audienceInternal); err != nil {
		return tickets.Rendered{}, err
	}
	lang := s.Language(v.Language)
	data, err := s.internalData(lang, v)
	if err != nil {
		return tickets.Rendered{}, fmt.Errorf("render template %s in %s: %w", name, lang, err)
	}
	return s.render(name, lang, data, 0)
}

// The bounds of one rendering (S-117). An answer's own text is never cut: it comes on top of maxOutput. What a template does
// is bounded by its output; the time is for what is slow otherwise, and leaves room on a machine with much else to do.
const (
	maxOutput = 256 << 10
	maxTime   = 10 * time.Second
	// growth is how many times longer HTML escaping can make a text, at the most ("&#34;" for a quotation mark).
	growth = 8
)

// render executes the compiled template. own is the length of text that has to go out whole.
func (s *Set) render(name, lang string, data map[string]any, own int) (tickets.Rendered, error) {
	c := s.texts[lang][name]
	out, err := c.execute(data, maxOutput+growth*own, s.opts.Now)
	if err != nil {
		return tickets.Rendered{}, fmt.Errorf("render template %s in %s: %w", name, lang, err)
	}
	return out, nil
}

// compiled is one template in one language. file names where it came from.
type compiled struct {
	file    string
	lang    string // of the text itself: another than asked for when it stands in
	spec    spec
	subject *template.Template
	text    *template.Template
	html    *htmltemplate.Template // nil: text only
	source  source
	uses    map[string]bool // the variables it shows
	bare    bool            // nothing is put around its text
}

func (c *compiled) execute(data map[string]any, limit int, now func() time.Time) (tickets.Rendered, error) {
	var out tickets.Rendered
	deadline := now().Add(maxTime)
	w := &bounded{left: limit, deadline: deadline, now: now}
	if err := c.subject.Execute(w, data); err != nil {
		return out, fmt.Errorf("subject: %w", err)
	}
	out.Subject = oneSubject(w.String())
	w = &bounded{left: limit, deadline: deadline, now: now}
	w.Grow(textRoom)
	if err := c.text.Execute(w, data); err != nil {
		return out, fmt.Errorf("text: %w", err)
	}
	out.Text = layText(w.String())
	if c.html == nil {
		return out, nil
	}
	w = &bounded{left: limit, deadline: deadline, now: now}
	w.Grow(len(out.Text) + pageRoom)
	page := map[string]any{"lang": c.lang, "title": out.Subject, "data": data}
	if err := c.html.Execute(w, page); err != nil {
		return out, fmt.Errorf("html: %w", err)
	}
	out.HTML = w.String()
	return out, nil
}

// What is set aside for a text, and for what a page has beside it, so that most are written without growing.
const (
	textRoom = 4 << 10
	pageRoom = 12 << 10
)

// bounded collects output up to a size and a point in time.
type bounded struct {
	strings.Builder
	left     int
	deadline time.Time
	now      func() time.Time
	writes   int
}

// lookEvery is how many writes pass between two looks at the clock, which would take longer than they do.
const lookEvery = 32

var (
	errTooLong = errors.New("the text grows over its limit of 256 KiB: does a range stand inside another one?")
	errTooSlow = errors.New("the template runs for longer than 10 s: does a range stand inside another one?")
)

// Write takes what a template writes. Each turn of a range writes at least a tick, so that a loop meets both limits
// even when it shows nothing.
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errTooLong
	}
	if b.writes++; b.writes%lookEvery == 0 && b.now().After(b.deadline) {
		return 0, errTooSlow
	}
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, markTick)
		if i < 0 {
			i = len(p)
		}
		b.Builder.Write(p[:i])
		p = p[min(i+1, len(p)):]
	}
	return n, nil
}
