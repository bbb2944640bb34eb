package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"supportd/templates"
)

// galleryPage shows every mail with made-up data: pictures where .ci/pictures has taken some, else its text.
func galleryPage(t *testing.T) string {
	t.Helper()
	set, err := templates.Load(nil, templates.Options{Languages: []string{"de", "en"}})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# What the mails look like\n\nThis page is made from the program, with made-up data. Each picture shows a mail four times: on a screen and beside it on a\n" +
		"telephone, above in light and below in dark. `.ci/pictures` takes them anew with the Chromium that is installed, and\n" +
		"`.ci/pictures --check` compares them with what the mails look like now. Notices have pictures in German; every text stands in\n" +
		"every language in `supportd template preview NAME --language en`. What the texts can show, and how to write your own:\n" +
		"[templates.md](templates.md).\n")
	last := ""
	for _, audience := range []struct{ name, title string }{{"public", "To customers"}, {"vendor", "To third parties"}, {"internal", "To people of the desk"}} {
		b.WriteString("\n## " + audience.title + "\n")
		for _, s := range set.Sources() {
			if s.Audience != audience.name {
				continue
			}
			r, err := set.Sample(s.Name, s.Language, true)
			if err != nil {
				t.Fatal(err)
			}
			if s.Name != last {
				b.WriteString("\n### " + s.Name + "\n")
				last = s.Name
			}
			picture := "pictures/" + s.Name + "." + s.Language + ".png"
			_, err = os.Stat(filepath.Join(top, "docs", picture))
			switch {
			case err == nil:
				fmt.Fprintf(&b, "\n%s: *%s*\n\n![%s in %s: on a screen and on a telephone, in light and in dark](%s)\n", s.Language, markdownText(r.Subject), s.Name, s.Language, picture)
			case !errors.Is(err, fs.ErrNotExist):
				t.Fatal(err)
			case r.HTML == "":
				fmt.Fprintf(&b, "\n%s: *%s*\n\n```text\n%s```\n", s.Language, markdownText(r.Subject), r.Text)
			default:
				fmt.Fprintf(&b, "\n%s: *%s*\n", s.Language, markdownText(r.Subject))
			}
		}
	}
	return b.String()
}

// markdownText is a subject that stands in a page as it is.
func markdownText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, "`", "\\`").Replace(s)
}
