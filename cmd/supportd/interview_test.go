package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"supportd/cmd/supportd/config"
)

func TestInterviewAsksWhatIsMissing(t *testing.T) {
	var out bytes.Buffer
	i := newInterview(strings.NewReader("nobody\nHuber <hilfe@huber.example>\n , \nmax@huber.example, eva@huber.example\n"), &out)
	i.secret = func() (string, error) { return "canary-Pa55word", nil }
	o := &initFlags{InitOptions: config.InitOptions{Language: "de"}}
	if err := i.run(o); err != nil {
		t.Fatal(err)
	}
	if o.Address != "Huber <hilfe@huber.example>" || strings.Join(o.Team, "|") != "max@huber.example|eva@huber.example" || o.password != "canary-Pa55word" {
		t.Errorf("learnt %+v", o)
	}
	if n := strings.Count(out.String(), "An welche Adresse"); n != 2 || !strings.Contains(out.String(), "Passwort des Postfachs") {
		t.Errorf("asked:\n%s", out.String())
	}
	if strings.Contains(out.String(), "canary") {
		t.Error("the password is shown")
	}

	out.Reset()
	i = newInterview(strings.NewReader(""), &out)
	if err := i.run(&initFlags{}); !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "supportd init --help") {
		t.Errorf("nobody answers: %v", err)
	}
	i = newInterview(strings.NewReader("\n"), &out) // a password without a terminal is read like a line
	o = &initFlags{InitOptions: config.InitOptions{Address: "a@b.example", Team: []string{"c@b.example"}}}
	if err := i.run(o); err != nil || o.password != "" {
		t.Errorf("later: %q, %v", o.password, err)
	}
}

// A password that the server refuses is asked for again; without a terminal it ends init.
func TestInitAsksForThePasswordAgain(t *testing.T) {
	w := newMemoryWorld(t)
	for name, c := range map[string]struct {
		answers []string
		asked   int
		fine    bool
	}{
		"right the second time": {[]string{storyPassword}, 1, true},
		"never right":           {[]string{"wrong-1", "wrong-2", storyPassword}, 2, false},
		"later":                 {[]string{""}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			var out bytes.Buffer
			a := &app{streams: streams{in: strings.NewReader("first-wrong-one\n"), out: &out}, config: "supportd.yaml"}
			o := &initFlags{InitOptions: config.InitOptions{Address: storyDesk, Team: []string{storyAgent}, IMAP: w.imap.Addr(), SMTP: w.smtp.Addr(), TLS: "none"}, passwordStdin: true}
			asked := 0
			o.again = func() (string, error) {
				asked++
				return c.answers[asked-1], nil
			}
			err := a.init(t.Context(), o)
			if (err == nil) != c.fine || asked != c.asked {
				t.Errorf("asked %d times, %v\n%s", asked, err, out.String())
			}
			if strings.Contains(out.String(), "wrong-") {
				t.Errorf("a password is shown:\n%s", out.String())
			}
		})
	}
}
