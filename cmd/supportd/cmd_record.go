package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"supportd/mailin"
	"supportd/tickets"
)

// recorded is what `supportd test --record --json` prints.
type recorded struct {
	Table   string         `json:"table"`
	Mail    string         `json:"mail"`
	Expect  []string       `json:"expect"`
	Agents  []string       `json:"agents"`  // what agents say otherwise
	Changed []disagreement `json:"changed"` // what is decided otherwise about the mail without names
}

// record makes a sample mail of the one that opened a ticket, and adds a row to the table that expects what the
// configuration decides now. What agents changed stands above the row as a comment: whether they or the configuration are
// right is for the admin to say.
func (a *app) record(ctx context.Context, table, number string) error {
	j, err := newJudge(a.config)
	if err != nil {
		return err
	}
	p, err := a.recallOne(ctx, number)
	if err != nil {
		return err
	}
	if p.Raw == nil || p.Ended == nil || p.Stored.Result != tickets.Created {
		return fmt.Errorf("%s: no mail opened this ticket that could be recorded", number)
	}
	before, err := os.ReadFile(table)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	m := mailin.Parse(p.Raw, p.Stored.Arrived)
	fixture := newAnonymiser(j.config).mail(m, p.Ended.Number)
	mailbox := p.Stored.Source.Mailbox
	at := p.Stored.Arrived.In(j.config.Zone).Truncate(time.Second)
	d := j.file(fixture, mailbox, at)
	name := "fixtures/" + strings.ToLower(p.Ended.Number) + ".eml"
	r := recorded{Table: table, Mail: name, Agents: corrections(j.explained(name, d), p.Ended),
		Expect: expectations(j, d), Changed: meaningful(compareDecisions(j.past(p, m).Decision, d.Decision))}
	after := appendRow(before, r, at, mailbox)
	if _, err := parseTable(table, after); err != nil {
		return fmt.Errorf("%w; add the row by hand", err)
	}
	path := filepath.Join(filepath.Dir(table), filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := createFixture(path, fixture); err != nil {
		return err
	}
	if err := os.WriteFile(table, after, 0o644); err != nil {
		return err
	}
	return a.print(r, func(w io.Writer) { writeRecorded(w, r, path) })
}

// createFixture writes a file that is not there yet: somebody may have put the one that is there into shape.
func createFixture(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; delete it and its row to record the ticket again", path)
	} else if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// corrections is what the ticket says in the end, where agents worked on it and it differs.
func corrections(x explanation, e *tickets.Ended) []string {
	list := []string{}
	if !e.Worked {
		return list
	}
	for _, c := range [][3]string{{"category", x.Category.Name, e.Category}, {"priority", x.Priority, e.Priority}, {"team", x.Team, e.Team}} {
		if c[2] != "" && c[1] != c[2] {
			list = append(list, c[0]+": "+c[2])
		}
	}
	return list
}

// expectations are the values that a recorded row asks for, as YAML.
func expectations(j *judge, d judged) []string {
	x := j.explained("", d)
	values := valuesOf(x, answerOf(d.Decision), j.config.Zone)
	var list []string
	for _, key := range []string{"result", "category", "priority", "route", "team", "answer", "first_response_due", "resolve_due"} {
		if v := values[key]; len(v) == 1 && v[0] != "" {
			list = append(list, key+": "+quoteYAML(v[0]))
		}
	}
	return list
}

// meaningful leaves out what differs because the sample is another mail: deadlines, and mails to whoever wrote it.
func meaningful(list []disagreement) []disagreement {
	list = slices.DeleteFunc(list, func(d disagreement) bool {
		return strings.HasPrefix(d.What, "due:")
	})
	return append([]disagreement{}, list...)
}

var plainYAML = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*$`)

func quoteYAML(s string) string {
	if plainYAML.MatchString(s) && !slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "null", "none"}, strings.ToLower(s)) {
		return s
	}
	return strconv.Quote(s)
}

// appendRow puts a row at the end of a table and leaves the rest of it as it is.
func appendRow(table []byte, r recorded, at time.Time, mailbox string) []byte {
	var b strings.Builder
	b.Write(table)
	if n := len(table); n > 0 && table[n-1] != '\n' {
		b.WriteByte('\n')
	}
	for _, c := range r.Agents {
		fmt.Fprintf(&b, "# agents say %s\n", c)
	}
	fmt.Fprintf(&b, "- mail: %s\n  at: %q\n  mailbox: %s\n  expect: {%s}\n", r.Mail, at.Format(time.DateTime), quoteYAML(mailbox), strings.Join(r.Expect, ", "))
	return []byte(b.String())
}

func writeRecorded(w io.Writer, r recorded, path string) {
	fmt.Fprintf(w, "%s: written without names, addresses and numbers; read it before you share it\n", path)
	fmt.Fprintf(w, "%s: expects %s\n", r.Table, strings.Join(r.Expect, ", "))
	for _, c := range r.Agents {
		fmt.Fprintf(w, "agents say %s: change the row if they are right, and the configuration until the test passes\n", c)
	}
	for _, c := range r.Changed {
		fmt.Fprintf(w, "without names and numbers it is decided otherwise: %s was %s, is %s\n", c.What, firstOf(c.Old, "none"), firstOf(c.New, "none"))
	}
}
