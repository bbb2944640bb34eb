package templates

import (
	"fmt"
	htmltemplate "html/template"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The look of a brand, laid over the built-in one by two kinds of files in its folder: layout.txt, with lines "key = value"
// for the colours of its pages and the name below its mails, and LANGUAGE/footer.txt, the lines below that name. Both stand
// below mails to people outside the desk, also in their text form; the notices of the desk have the colours only. Everything
// else of the layout is as it is for a reason: what mail clients can show, and what all people can read.

const (
	layoutName = "layout.txt"
	footerName = "footer.txt"
)

// The bounds of a footer: it is no second mail.
const (
	maxFooterLines = 12
	maxFooterRunes = 200
)

// look is what a brand's files say.
type look struct {
	name    string              // above the footer; "" for none
	footers map[string][]string // by language
	paint   *strings.Replacer   // from the colours of the built-in layout to those of the brand
}

// colour is one of the layout's, in light and in dark.
type colour struct {
	key         string
	light, dark string // of the built-in layout; none is in it twice
	doc         string
}

func colours() []colour {
	return []colour{
		{"page", "#fbfbfa", "#17191c", "background"},
		{"text", "#1f2328", "#e3e5e8", "text"},
		{"quiet", "#5a636d", "#a9b0b8", "labels, and the line above which people answer"},
		{"said", "#33393f", "#d3d7db", "what somebody else wrote"},
		{"line", "#7d8894", "#6b7682", "the line beside that"},
		{"rule", "#c6ccd2", "#434a52", "lines between facts"},
		{"link", "#1f5f95", "#8ec2ee", "links"},
		{"banner", "#eaf2f9", "#22303c", "background of the first line of notices"},
		{"accent", "#2f74ad", "#5b9bd0", "the line beside that, and the brand's name"},
		{"code", "#eceef0", "#2a2e33", "background of commands"},
	}
}

// LayoutKey is one key of layout.txt, for the documentation.
type LayoutKey struct{ Key, Default, Doc string }

// LayoutKeys lists what layout.txt may say.
func (s *Set) LayoutKeys() []LayoutKey {
	list := []LayoutKey{{"name", "", "the brand's name as it stands below mails to people outside, above the footer"}}
	for _, c := range colours() {
		list = append(list, LayoutKey{c.key, c.light, c.doc}, LayoutKey{c.key + ".dark", c.dark, "the same, where the reader prefers dark"})
	}
	return list
}

// leastContrast is how far text has to stand out from its background, for everybody to read it (WCAG 2.2, 1.4.3).
const leastContrast = 4.5

// legible are the pairs of a text's colour and its background.
func legible() [][2]string {
	return [][2]string{{"text", "page"}, {"quiet", "page"}, {"said", "page"}, {"link", "page"}, {"accent", "page"}, {"text", "banner"}, {"text", "code"}}
}

// loadLook reads the files of a brand's look.
func (s *Set) loadLook(files []sourceFile) (faults []error) {
	s.look = look{footers: map[string][]string{}, paint: strings.NewReplacer()}
	chosen, at := map[string]string{}, map[string]string{}
	for _, c := range colours() {
		chosen[c.key], chosen[c.key+".dark"] = c.light, c.dark
	}
	for _, f := range files {
		switch {
		case f.base == layoutName && f.lang == "":
			faults = append(faults, s.look.read(f, chosen, at)...)
		case f.base == footerName:
			footer, err := readFooter(f)
			if err != nil {
				faults = append(faults, err)
			}
			s.look.footers[f.lang] = footer
		}
	}
	if len(faults) > 0 {
		return faults
	}
	for _, pair := range legible() {
		for _, mode := range []string{"", ".dark"} {
			text, back := pair[0]+mode, pair[1]+mode
			where := firstNonEmpty(at[text], at[back])
			if c := contrast(chosen[text], chosen[back]); where != "" && c < leastContrast {
				faults = append(faults, fmt.Errorf("%s: %s %s on %s %s has a contrast of %.1f, and people need %.1f to read it: choose colours further apart",
					where, text, chosen[text], back, chosen[back], c, leastContrast))
			}
		}
	}
	var pairs []string
	for _, c := range colours() {
		pairs = append(pairs, c.light, chosen[c.key], c.dark, chosen[c.key+".dark"])
	}
	s.look.paint = strings.NewReplacer(pairs...)
	return faults
}

// read takes the lines of layout.txt; at gets the place of each key that it gives.
func (l *look) read(f sourceFile, chosen, at map[string]string) (faults []error) {
	keys := []string{"name"}
	for _, c := range colours() {
		keys = append(keys, c.key, c.key+".dark")
	}
	for _, line := range f.settings() {
		place, key, value := line.at, line.key, line.value
		_, shade := chosen[key]
		switch {
		case !line.ok:
			faults = append(faults, fmt.Errorf("%s: wants a line such as link = #1f5f95", place))
		case !slices.Contains(keys, key):
			faults = append(faults, fmt.Errorf("%s: unknown key %q%s; there are %s", place, key, suggest(key, keys), strings.Join(keys, ", ")))
		case at[key] != "":
			faults = append(faults, fmt.Errorf("%s: %s stands there twice", place, key))
		case shade && !isColour(value):
			faults = append(faults, fmt.Errorf("%s: %s is %q: a colour is written as # and six digits or letters from a to f, such as #1f5f95", place, key, value))
		case shade:
			chosen[key] = strings.ToLower(value)
		case value == "" || len([]rune(value)) > maxName:
			faults = append(faults, fmt.Errorf("%s: name wants 1 to %d characters", place, maxName))
		default:
			l.name = value
		}
		at[key] = place
	}
	return faults
}

func readFooter(f sourceFile) ([]string, error) {
	for i, l := range strings.Split(strings.TrimRight(f.text, " \t\n"), "\n") {
		if i == maxFooterLines {
			return nil, fmt.Errorf("%s:%d: a footer has at most %d lines", f.file, i+1, maxFooterLines)
		}
		if len([]rune(l)) > maxFooterRunes {
			return nil, fmt.Errorf("%s:%d: a line of a footer has at most %d characters", f.file, i+1, maxFooterRunes)
		}
		if l != "" && strings.IndexByte("#/!>", l[0]) >= 0 {
			return nil, fmt.Errorf("%s:%d: begins with %q, and would be read as a command or a quote", f.file, i+1, l[:1])
		}
	}
	return cleanText(f.text), nil
}

// completeLook lets the footer of another language stand in where there is none, and says so.
func (s *Set) completeLook() {
	if len(s.look.footers) == 0 {
		return
	}
	for _, lang := range s.languages {
		if s.look.footers[lang] != nil {
			continue
		}
		for _, other := range append(slices.Clone(s.languages), s.opts.Languages...) {
			if f := s.look.footers[other]; f != nil {
				s.look.footers[lang] = f
				s.warnings = append(s.warnings, fmt.Sprintf("%s is missing in language %q: the one in %q stands in", footerName, lang, other))
				break
			}
		}
	}
}

// speaks reports whether there is a footer in any language.
func (l *look) speaks() bool { return l.name != "" || len(l.footers) > 0 }

// footer is what stands below mails to people outside; empty when the brand has nothing to say there.
func (l *look) footer(lang string) []string {
	lines := make([]string, 0, maxFooterLines+1)
	if l.name != "" {
		lines = append(lines, l.name)
	}
	return append(lines, l.footers[lang]...)
}

// htmlFooter writes a footer as HTML, the brand's name so that it stands out.
func (l *look) htmlFooter(lines []string) htmltemplate.HTML {
	if l.name == "" || len(lines) == 0 || lines[0] != l.name {
		return htmlLines(lines)
	}
	name := l.paint.Replace(`<strong class="brand" style="color:#2f74ad;">`) + htmltemplate.HTMLEscapeString(l.name) + "</strong>"
	if len(lines) == 1 {
		return htmltemplate.HTML(name)
	}
	return htmltemplate.HTML(name+"<br>") + htmlLines(lines[1:])
}

// footed places the footer in a text for people outside that does not place it itself: above the line above which people
// answer, so that it stands with our words and not below theirs, or at the end. No line of the source moves by that.
func footed(body string) string {
	const place, marker = `{{if .footer}}{{template "footer" .footer}}{{end}}`, `{{template "marker" .marker}}`
	lines := strings.Split(body, "\n")
	for i, l := range lines {
		if strings.TrimSpace(l) == marker {
			lines[i] = place + marker
			return strings.Join(lines, "\n")
		}
	}
	return body + "\n\n" + place + "\n"
}

func isColour(s string) bool {
	return len(s) == 7 && s[0] == '#' && strings.Trim(strings.ToLower(s[1:]), "0123456789abcdef") == ""
}

// contrast is the ratio of the luminance of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio").
func contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(hex string) float64 {
	n, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		return 0
	}
	part := func(shift uint) float64 {
		v := float64(n>>shift&0xff) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func firstNonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
