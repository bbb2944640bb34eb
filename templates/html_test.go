package templates

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"supportd/tickets"
)

// pages are all HTML forms, rendered with the samples.
func pages(t *testing.T) map[string]string {
	s := mustLoad(t)
	all := map[string]string{}
	for _, lang := range []string{"de", "en"} {
		for _, name := range s.Names() {
			if r := sampleOf(t, s, name, lang, true); r.HTML != "" {
				all[lang+"/"+name] = r.HTML
			}
		}
	}
	return all
}

func TestAutomaticAnswersAreTextOnly(t *testing.T) {
	s := mustLoad(t)
	for _, name := range []string{tickets.TemplateAckNew, tickets.TemplateAckFollowUp, tickets.TemplateAckGeneric, tickets.TemplateAutoAnswer} {
		if r := sampleOf(t, s, name, "de", true); r.HTML != "" {
			t.Errorf("%s has an HTML form", name)
		}
	}
}

func TestHTMLStructure(t *testing.T) {
	for name, page := range pages(t) {
		lang, _, _ := strings.Cut(name, "/")
		for _, want := range []string{
			"<!DOCTYPE html>\n<html lang=\"" + lang + "\"", `<meta charset="utf-8">`, `<meta name="viewport"`,
			`<meta name="color-scheme" content="light dark">`, `<meta name="supported-color-schemes" content="light dark">`,
			"prefers-color-scheme: dark", "<!--[if mso]><table role=\"presentation\" width=\"600\"", "max-width:600px", "line-height:24px", "<title>",
		} {
			if !strings.Contains(page, want) {
				t.Errorf("%s lacks %s", name, want)
			}
		}
		for _, tag := range regexp.MustCompile(`<table[^>]*>`).FindAllString(page, -1) {
			data := strings.Contains(page, tag+"\n<tr><th scope=\"row\"")
			if !data && !strings.Contains(tag, `role="presentation"`) {
				t.Errorf("%s: a table for layout is not marked as one: %s", name, tag)
			}
		}
		// S-140, S-141: nothing is loaded from anywhere.
		if m := regexp.MustCompile(`(?i)(https?:|//[a-z]|\bsrc=|url\(|@import|<img|<link|<script|<form|@font-face)`).FindString(
			strings.TrimPrefix(page, "<!DOCTYPE html>")); m != "" {
			t.Errorf("%s holds %q", name, m)
		}
		for _, m := range regexp.MustCompile(`font-size:\s*(\d+)px`).FindAllStringSubmatch(page, -1) {
			if n, err := strconv.Atoi(m[1]); err != nil || n < 16 {
				t.Errorf("%s has text of %s px", name, m[1])
			}
		}
		for _, tag := range []string{"p", "ul", "li", "h2", "table", "tr", "td", "th", "div", "blockquote", "code"} {
			opened := len(regexp.MustCompile(`<`+tag+`[ >]`).FindAllString(page, -1))
			if closed := strings.Count(page, "</"+tag+">"); opened != closed {
				t.Errorf("%s has %d <%s> and %d </%s>", name, opened, tag, closed, tag)
			}
		}
		if len(page) > 100<<10 {
			t.Errorf("%s has %d octets: Gmail cuts at 102 KB", name, len(page))
		}
		if strings.Contains(page, "</ul>\n<ul") {
			t.Errorf("%s has a list in pieces", name)
		}
		if regexp.MustCompile(`#(fff|ffffff|000|000000)\b`).MatchString(page) {
			t.Errorf("%s has pure black or white, which clients invert badly", name)
		}
	}
}

// The two forms say the same words.
func TestBothFormsSayTheSame(t *testing.T) {
	s := mustLoad(t)
	letters := func(text string) string {
		return regexp.MustCompile(`[^\pL\pN#@]+`).ReplaceAllString(text, "")
	}
	words := func(text string) string {
		text = regexp.MustCompile(`(?s)<head>.*</head>`).ReplaceAllString(text, "")
		text = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, "")
		text = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "&#34;", `"`, "&#39;", "'", "&#43;", "+", "&quot;", `"`).Replace(text)
		return letters(text)
	}
	for _, lang := range []string{"de", "en"} {
		for _, name := range s.Names() {
			r := sampleOf(t, s, name, lang, true)
			if r.HTML == "" {
				continue
			}
			if text, page := letters(r.Text), words(strings.TrimPrefix(r.HTML, "<!DOCTYPE html>")); text != page {
				t.Errorf("%s in %s says different things:\n%s\n%s", name, lang, text, page)
			}
		}
	}
}

// rulePattern finds the rules of the style sheet, each for one class.
var rulePattern = regexp.MustCompile(`\.([a-z]+) \{([^}]*)\}`)
