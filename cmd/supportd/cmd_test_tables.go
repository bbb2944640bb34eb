package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"supportd/classify"
	"supportd/tickets"
)

// tableName is how the table of tests is called beside the configuration.
const tableName = "tests.yaml"

func (a *app) testCommand() *cobra.Command {
	var record string
	cmd := &cobra.Command{
		Use: "test [FILE]", Short: "try the configuration on sample mails", Args: cobra.MaximumNArgs(1),
		Long: "test decides about the mails of a table and compares what comes of it with what the table expects. The table is FILE, or\n" +
			"tests.yaml beside the configuration. It also says which routes, derivations, rules and automatic answers no mail of the\n" +
			"table reaches. With --record it makes a mail without names, addresses and numbers of the one that opened a ticket,\n" +
			"puts it into the folder fixtures beside the table and adds a row; read the mail before you share it. Nothing is sent.\n" +
			"Exit code 1 when something is not as expected.",
		Example: "  supportd test\n  supportd test --record NW-2026-000042",
		RunE: func(cmd *cobra.Command, p []string) error {
			table := filepath.Join(filepath.Dir(a.config), tableName)
			if len(p) == 1 {
				table = p[0]
			}
			if record != "" {
				return a.record(cmd.Context(), table, record)
			}
			return a.test(table)
		},
	}
	cmd.Flags().StringVar(&record, "record", "", "add the mail that opened this ticket to the table")
	return cmd
}

// testCase is one row of a table.
type testCase struct {
	line    int
	mail    string // path, from the table's folder
	follows string // a mail that opens a ticket first, which mail then continues
	at      string // when it arrives, in the desk's zone; "": the time in its Date field
	mailbox string
	expect  []wanted
}

// wanted is one value that a row asks for. Lists are compared without regard to their order.
type wanted struct {
	line int
	key  string
	want []string
	list bool
}

// testReport is what `supportd test --json` prints; other programs rely on the names.
type testReport struct {
	OK       bool          `json:"ok"`
	Table    string        `json:"table"`
	Rev      string        `json:"config_rev"`
	Cases    int           `json:"cases"`
	Failed   []testFailure `json:"failed"`
	Coverage []coverage    `json:"coverage"`
}

type testFailure struct {
	Line int    `json:"line"`
	Mail string `json:"mail"`
	What string `json:"what"`
	Got  string `json:"got"`
	Want string `json:"want"`
	Why  string `json:"why"`
}

// coverage says how many parts of one sort a table reaches.
type coverage struct {
	What  string   `json:"what"` // routes, derive, rules or answers
	Hit   int      `json:"hit"`
	All   int      `json:"all"`
	Never []string `json:"never"`
}

func (a *app) test(table string) error {
	j, err := newJudge(a.config)
	if err != nil {
		return err
	}
	cases, err := readTable(table)
	if err != nil {
		return err
	}
	report := testReport{Table: table, Rev: j.rules.Rev, Cases: len(cases), Failed: []testFailure{}}
	reached := reach{}
	for _, c := range cases {
		x, answer, err := j.tryCase(filepath.Dir(table), c, reached)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", table, c.line, err)
		}
		for _, e := range c.expect {
			got, err := valueOf(x, answer, e.key, j.config.Zone)
			if err != nil {
				return fmt.Errorf("%s:%d: %w", table, e.line, err)
			}
			if !sameValues(e, got) {
				report.Failed = append(report.Failed, testFailure{Line: e.line, Mail: c.mail, What: e.key,
					Got: strings.Join(got, " "), Want: strings.Join(e.want, " "), Why: whyOf(x, e.key)})
			}
		}
	}
	report.Coverage = reached.coverage(j.config.Classification())
	report.OK = len(report.Failed) == 0
	if err := a.print(report, func(w io.Writer) { writeTest(w, report) }); err != nil {
		return err
	}
	if !report.OK {
		return exitCode(exitFound)
	}
	return nil
}

// tryCase decides about the mail of a row.
func (j *judge) tryCase(dir string, c testCase, reached reach) (x explanation, answer string, err error) {
	if _, ok := j.rules.Mailboxes[c.mailbox]; !ok && c.mailbox != "" {
		return x, "", fmt.Errorf("mailbox: the configuration has no %q", c.mailbox)
	}
	raw, at, err := j.testMail(dir, c.mail, c.at)
	if err != nil {
		return x, "", err
	}
	var d judged
	if c.follows == "" {
		d = j.file(raw, c.mailbox, at)
	} else {
		first, firstAt, err := j.testMail(dir, c.follows, "")
		if err != nil {
			return x, "", err
		}
		opened := j.file(first, c.mailbox, firstAt)
		if !opened.New || opened.Ticket == nil {
			return x, "", fmt.Errorf("follows: %s opens no ticket: %s", c.follows, opened.Why)
		}
		d = j.follow(opened, raw, at)
	}
	reached.add(d.Verdict)
	return j.explained(c.mail, d), answerOf(d.Decision), nil
}

// follow decides about a mail that continues the ticket of another one.
func (j *judge) follow(opened judged, raw []byte, at time.Time) judged {
	mailbox := opened.in.Source.Mailbox
	in := j.file(raw, mailbox, at).in
	k := tickets.Unknown(j.rules, mailbox)
	k.Ticket, k.By, k.Token = opened.Ticket, "reply address", tickets.Token{Purpose: tickets.PurposeCustomer, Ticket: opened.Ticket.ID}
	return j.decide(in, k, at)
}

// testMail reads a mail of the table and says when it arrives.
func (j *judge) testMail(dir, name, at string) ([]byte, time.Time, error) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, time.Time{}, fmt.Errorf("mail %s: there is no such file", path)
	} else if err != nil {
		return nil, time.Time{}, err
	}
	if at != "" {
		t, err := parseAt(at, j.config.Zone)
		if err != nil {
			return nil, t, fmt.Errorf("at: %w", err)
		}
		return raw, t, nil
	}
	date := j.file(raw, "", time.Unix(0, 0)).in.Message.Date
	if date.IsZero() {
		return nil, date, fmt.Errorf("mail %s: it has no date; say at: \"2026-11-27 16:40:12\"", path)
	}
	return raw, date, nil
}

// answerOf names what the sender would be sent at once: a template, an automatic answer by its name, or none.
func answerOf(d tickets.Decision) string {
	for _, m := range d.Mails {
		switch {
		case m.Class != tickets.ClassAuto:
		case m.Template == tickets.TemplateAutoAnswer:
			return d.Verdict.AutoAnswer
		default:
			return m.Template
		}
	}
	return "none"
}

// ── expectations ──

// valuesOf are the values that a row may expect, by name.
func valuesOf(x explanation, answer string, zone *time.Location) map[string][]string {
	route := ""
	if n := len(x.Route); n > 0 {
		route = x.Route[n-1]
	}
	values := map[string][]string{
		"result": {string(x.Result)}, "kind": {string(x.Kind)}, "auth": {x.Auth}, "language": {x.Language}, "mailbox": {x.Mailbox},
		"customer": {x.Customer}, "service_level": {x.ServiceLevel}, "category": {x.Category.Name}, "ci": {x.CI}, "service": {x.Service},
		"impact": {x.Impact}, "urgency": {x.Urgency}, "priority": {x.Priority}, "route": {route}, "team": {x.Team},
		"tier": {fmt.Sprint(x.Tier)}, "rules": x.Rules, "tags": x.Tags, "watchers": x.Watchers, "answer": {answer},
		"first_response_due": {""}, "resolve_due": {""},
	}
	for _, c := range x.Clocks {
		values[c.Kind+"_due"] = []string{c.Due.In(zone).Format(time.DateTime)}
	}
	return values
}

func valueOf(x explanation, answer, key string, zone *time.Location) ([]string, error) {
	values := valuesOf(x, answer, zone)
	got, ok := values[key]
	if !ok {
		return nil, fmt.Errorf("expect: there is no %q; there are %s", key, strings.Join(slices.Sorted(maps.Keys(values)), ", "))
	}
	return got, nil
}

func sameValues(e wanted, got []string) bool {
	want := slices.Clone(e.want)
	if !e.list && len(want) == 1 && want[0] == "" && len(got) == 0 {
		return true // `tags: ""` is as good as `tags: []`
	}
	got = slices.Clone(got)
	slices.Sort(want)
	slices.Sort(got)
	return slices.Equal(want, got)
}

// whyOf is the reason for a value, with its place.
func whyOf(x explanation, key string) string {
	what := map[string]string{"rules": "rule", "tags": "rule", "watchers": "rule"}[key]
	var r *tickets.Reason
	for _, name := range []string{cmp.Or(what, key), strings.TrimSuffix(key, "_due"), key} {
		if r = x.reason(name); r != nil {
			break
		}
	}
	if r == nil {
		return ""
	}
	return strings.TrimSpace(r.Place + " " + r.Why)
}

// ── reading ──

// readTable reads a table of tests. Errors name the line.
func readTable(path string) ([]testCase, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no such table; supportd test --record NUMBER begins one", path)
	} else if err != nil {
		return nil, err
	}
	return parseTable(path, data)
}

func parseTable(path string, data []byte) ([]testCase, error) {
	var doc yaml.Node
	if err := yaml.Load(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: the table is not YAML: %w", path, err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("%s: want a list of tests, each with mail and expect", path)
	}
	var cases []testCase
	for _, n := range doc.Content[0].Content {
		c, err := parseCase(n)
		if err != nil {
			return nil, fmt.Errorf("%s:%w", path, err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// parseCase reads a row; the error begins with its line.
func parseCase(n *yaml.Node) (testCase, error) {
	c := testCase{line: n.Line}
	if n.Kind != yaml.MappingNode {
		return c, fmt.Errorf("%d: a test is a map with mail and expect", n.Line)
	}
	texts := map[string]*string{"mail": &c.mail, "follows": &c.follows, "at": &c.at, "mailbox": &c.mailbox}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch into := texts[key.Value]; {
		case into != nil && value.Kind == yaml.ScalarNode:
			*into = value.Value
		case into != nil:
			return c, fmt.Errorf("%d: %s: want one value", key.Line, key.Value)
		case key.Value == "expect" && value.Kind == yaml.MappingNode:
			for k := 0; k+1 < len(value.Content); k += 2 {
				e, err := parseExpectation(value.Content[k], value.Content[k+1])
				if err != nil {
					return c, err
				}
				c.expect = append(c.expect, e)
			}
		case key.Value == "expect":
			return c, fmt.Errorf("%d: expect: want a map such as {team: network}", key.Line)
		default:
			return c, fmt.Errorf("%d: there is no %q in a test; there are mail, at, mailbox, follows, expect", key.Line, key.Value)
		}
	}
	if c.mail == "" || len(c.expect) == 0 {
		return c, fmt.Errorf("%d: a test needs mail and expect", n.Line)
	}
	return c, nil
}

func parseExpectation(key, value *yaml.Node) (wanted, error) {
	e := wanted{line: key.Line, key: key.Value, list: value.Kind == yaml.SequenceNode}
	nodes := []*yaml.Node{value}
	if e.list {
		nodes = value.Content
	}
	for _, n := range nodes {
		if n.Kind != yaml.ScalarNode {
			return e, fmt.Errorf("%d: expect: %s: want one value, or a list of them", key.Line, key.Value)
		}
		text := n.Value
		if n.ShortTag() == "!!null" {
			text = ""
		}
		e.want = append(e.want, text)
	}
	return e, nil
}

// ── coverage ──

// reach holds the parts of a configuration that some mail reached, such as "derive.ci[0]" or "rules vip".
type reach map[string]bool

func (r reach) add(v tickets.Verdict) {
	for _, name := range v.Route {
		r["routes "+name] = true
	}
	for _, name := range v.Rules {
		r["rules "+name] = true
	}
	if v.AutoAnswer != "" {
		r["answers "+v.AutoAnswer] = true
	}
	for _, reason := range v.Reasons {
		if strings.HasPrefix(reason.Place, "derive.") {
			r["derive "+reason.Place] = true
		}
	}
}

// coverage compares what was reached with what there is.
func (r reach) coverage(c classify.Config) []coverage {
	all := map[string][]string{}
	var walk func(classify.Route)
	walk = func(route classify.Route) {
		all["routes"] = append(all["routes"], cmp.Or(route.Name, "root"))
		for _, kid := range route.Routes {
			walk(kid)
		}
	}
	walk(c.Routes)
	for i, list := range [][]classify.Derivation{c.Derive.CI, c.Derive.Impact, c.Derive.Urgency} {
		for n := range list {
			all["derive"] = append(all["derive"], fmt.Sprintf("derive.%s[%d]", []string{"ci", "impact", "urgency"}[i], n))
		}
	}
	for _, rule := range c.Rules {
		all["rules"] = append(all["rules"], rule.Name)
	}
	for _, answer := range c.Answers {
		all["answers"] = append(all["answers"], answer.Name)
	}
	var list []coverage
	for _, what := range []string{"routes", "derive", "rules", "answers"} {
		cov := coverage{What: what, All: len(all[what]), Never: []string{}}
		for _, name := range all[what] {
			if r[what+" "+name] {
				cov.Hit++
			} else {
				cov.Never = append(cov.Never, name)
			}
		}
		list = append(list, cov)
	}
	return list
}

// writeTest shows the report to people.
func writeTest(w io.Writer, r testReport) {
	for _, f := range r.Failed {
		fmt.Fprintf(w, "%s:%d: %s: %s is %s, want %s%s\n", r.Table, f.Line, f.Mail, f.What, cmp.Or(f.Got, "empty"), cmp.Or(f.Want, "empty"),
			prefixed("   because: ", printable(f.Why)))
	}
	fmt.Fprintf(w, "%d tests, %d values not as expected · config %s\n", r.Cases, len(r.Failed), r.Rev)
	var parts []string
	for _, c := range r.Coverage {
		if c.All == 0 {
			continue
		}
		part := fmt.Sprintf("%s %d/%d", c.What, c.Hit, c.All)
		if len(c.Never) > 0 {
			part += " (" + strings.Join(c.Never, ", ") + " never hit)"
		}
		parts = append(parts, part)
	}
	fmt.Fprintln(w, "reached: "+strings.Join(parts, ", "))
}
