package templates

import (
	_ "embed"
	"errors"
	htmltemplate "html/template"
	"strings"
	"text/template"
)

// blockNames are the ready-made parts that a template can place on a line of its own, such as {{template "quote" .text}}:
//
//	said      an answer's text: as written
//	quote     what somebody else wrote: quoted, so that no line of it reads like ours or like a command
//	banner    the first line of a notice
//	marker    the line above which people answer
//	facts     labels and values
//	commands  commands, one a line
//	footer    the brand's name and what it says below its mails
func blockNames() []string {
	return []string{"said", "quote", "banner", "marker", "facts", "commands", "footer"}
}

//go:embed layout.html
var layoutSource string

// The blocks in the text form. Every line of a quote begins with ">", an empty one too; see layText for the marks.
const textBlocks = `{{define "said"}}` + "\x01V\x02" + `{{plainLines .}}` + "\x03" + `{{end}}
{{define "quote"}}` + "\x01V\x02" + `{{quotedLines .}}` + "\x03" + `{{end}}
{{define "banner"}}` + "\x01P\x02" + `{{.}}` + "\x03" + `{{end}}
{{define "marker"}}` + "\x01V\x02" + `{{.}}` + "\x03" + `{{end}}
{{define "facts"}}{{factBlocks .}}{{end}}
{{define "footer"}}` + "\x01V\x02" + `{{plainLines .}}` + "\x03" + `{{end}}
{{define "commands"}}` + "\x01V\x02" + `{{range .}}  {{.}}
{{end}}` + "\x03" + `{{end}}`

// newTextBase has the blocks of the text form. Values that are missing are errors, never "<no value>".
func newTextBase() (*template.Template, error) {
	return template.New("").Option("missingkey=error").Funcs(template.FuncMap{
		"plainLines":  func(lines []string) string { return plainLines(lines, "", "") },
		"quotedLines": func(lines []string) string { return plainLines(lines, ">", " ") },
		"factBlocks":  factBlocks,
	}).Parse(textBlocks)
}

// Whole texts and the table of facts are written by functions: a template that goes through their lines takes most of a
// notice's time.

// plainLines writes lines behind a mark, and behind a gap too where they are not empty.
func plainLines(lines []string, mark, gap string) string {
	size := 0
	for _, l := range lines {
		size += len(mark) + len(gap) + len(l) + 1
	}
	var b strings.Builder
	b.Grow(size)
	for _, l := range lines {
		b.WriteString(mark)
		if l != "" {
			b.WriteString(gap)
		}
		b.WriteString(l)
		b.WriteByte('\n')
	}
	return b.String()
}

// htmlLines writes lines as HTML that shows them as they are.
func htmlLines(lines []string) htmltemplate.HTML {
	return htmltemplate.HTML(strings.ReplaceAll(htmltemplate.HTMLEscapeString(strings.Join(lines, "\n")), "\n", "<br>"))
}

// htmlValue writes a value of a table as HTML. On a telephone addresses are wider than its cell: they break behind the @.
func htmlValue(value string) htmltemplate.HTML {
	return htmltemplate.HTML(strings.ReplaceAll(htmltemplate.HTMLEscapeString(value), "@", "@<wbr>"))
}

// factBlocks writes labels and values as blocks of the text form.
func factBlocks(facts []map[string]any) (string, error) {
	var b strings.Builder
	b.Grow(64 * len(facts))
	for _, f := range facts {
		label, value, err := factOf(f)
		if err != nil {
			return "", err
		}
		b.WriteString("\x01F\x02")
		b.WriteString(label)
		b.WriteString("\x02")
		b.WriteString(value)
		b.WriteString("\x03")
	}
	return b.String(), nil
}

// factRows writes labels and values as the rows of a table: before each label, between it and its value, and after that
// stands markup of the layout.
func factRows(facts []map[string]any, before, between, after string) (htmltemplate.HTML, error) {
	var b strings.Builder
	b.Grow((len(before) + len(between) + len(after) + 64) * len(facts))
	for _, f := range facts {
		label, value, err := factOf(f)
		if err != nil {
			return "", err
		}
		b.WriteString(before)
		b.WriteString(htmltemplate.HTMLEscapeString(label))
		b.WriteString(between)
		b.WriteString(string(htmlValue(value)))
		b.WriteString(after)
	}
	return htmltemplate.HTML(b.String()), nil
}

// factOf takes apart one of phrases.facts. A list of something else is an error, as a missing variable is.
func factOf(f map[string]any) (label, value string, err error) {
	label, named := f["label"].(string)
	value, valued := f["value"].(string)
	if !named || !valued {
		return "", "", errors.New(`the block "facts" shows labels and values: give it .facts`)
	}
	return label, value, nil
}

// newHTMLBase has the layout and the blocks of the HTML form. The comments that only Outlook for Windows reads give it
// the width that it does not take from CSS; html/template would drop them from the layout's source.
func newHTMLBase(l *look) (*htmltemplate.Template, error) {
	return htmltemplate.New("").Option("missingkey=error").Funcs(htmltemplate.FuncMap{
		"ghostOpen": func() htmltemplate.HTML {
			return `<!--[if mso]><table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->`
		},
		"ghostClose": func() htmltemplate.HTML { return `<!--[if mso]></td></tr></table><![endif]-->` },
		"lines":      htmlLines,
		"factRows":   factRows,
		"footer":     l.htmlFooter,
	}).Parse(l.paint.Replace(layoutSource))
}

// styleTags gives the tags that Markdown made their inline styles: many mail clients read no others. Only tags of the
// template itself can match, since < in its text is escaped and data is not there yet.
func (l *look) styleTags(html string) string {
	styles := []string{
		"<p>", `<p style="margin:0 0 16px 0;">`,
		"<ul>", `<ul style="margin:0 0 16px 0;padding:0 0 0 24px;">`,
		"<ol>", `<ol style="margin:0 0 16px 0;padding:0 0 0 24px;">`,
		"<li>", `<li style="margin:0 0 6px 0;">`,
		"<h1>", `<h1 style="margin:16px 0 8px 0;font-size:20px;line-height:30px;font-weight:600;">`,
		"<h2>", `<h2 style="margin:16px 0 8px 0;font-size:18px;line-height:27px;font-weight:600;">`,
		"<h3>", `<h3 style="margin:16px 0 8px 0;font-size:16px;line-height:24px;font-weight:600;">`,
		"<code>", `<code class="code" style="background-color:#eceef0;color:#1f2328;font-family:Consolas,Menlo,monospace;font-size:16px;">`,
		"<blockquote>", `<blockquote class="said" style="margin:0 0 16px 0;padding:0 0 0 12px;border-left:3px solid #7d8894;color:#33393f;">`,
		`<a href="`, `<a class="link" style="color:#1f5f95;" href="`,
		"<hr>", `<hr style="border:0;border-top:1px solid #7d8894;margin:16px 0;">`,
	}
	for i := 1; i < len(styles); i += 2 {
		styles[i] = l.paint.Replace(styles[i])
	}
	return strings.NewReplacer(styles...).Replace(html)
}
