package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"supportd/classify"
	"supportd/cmd/supportd/config"
	"supportd/mailin"
	"supportd/tickets"
	"supportd/tickets/command"
)

// Commands that work on files and touch no desk.

// parsed is one message as `supportd parse --json` prints it; other programs rely on the names.
type parsed struct {
	File       string   `json:"file"`
	MessageID  string   `json:"message_id"`
	InReplyTo  string   `json:"in_reply_to"`
	References []string `json:"references"`
	From       []string `json:"from"`
	To         []string `json:"to"`
	Cc         []string `json:"cc"`
	FromName   string   `json:"from_name"`
	Subject    string   `json:"subject"`
	Date       string   `json:"date"` // RFC 3339; "" when there is none

	Kind             tickets.Kind `json:"kind"`
	IsBounce         bool         `json:"is_bounce"`
	IsAuto           bool         `json:"is_auto"`
	IsFeedbackReport bool         `json:"is_feedback_report"`
	Why              []string     `json:"why"`

	Text        string               `json:"text"`
	HTML        string               `json:"html"`
	Reply       string               `json:"reply"`
	Quoted      string               `json:"quoted"`
	Signature   string               `json:"signature"`
	Language    string               `json:"language"`
	Recipients  []string             `json:"recipients"`
	Status      string               `json:"status"`
	Hard        bool                 `json:"hard"`
	Attachments []tickets.Attachment `json:"attachments"`
	Forwarded   *forwardedView       `json:"forwarded"`
	Defects     []string             `json:"defects"`
}

type forwardedView struct {
	From    string `json:"from"`
	Subject string `json:"subject"`
	Date    string `json:"date"`
	Text    string `json:"text"`
}

func (a *app) parseCommand() *cobra.Command {
	var body string
	var commands bool
	cmd := &cobra.Command{
		Use: "parse FILE|DIR…", Short: "read mails from files and say what is in them", Args: cobra.MinimumNArgs(1),
		Long: "parse reads whole messages, or with --body a bare text or HTML body, or with --commands an agent's new text.\nIt stores and sends nothing.",
		RunE: func(cmd *cobra.Command, paths []string) error {
			if commands {
				return a.parseCommands(paths)
			}
			if body != "" && body != "text" && body != "html" {
				return fmt.Errorf("--body %q: write text or html", body)
			}
			return a.parse(paths, body, cmd.Flags().Changed("config"))
		},
	}
	cmd.Flags().StringVar(&body, "body", "", "the file is a bare body: text or html")
	cmd.Flags().BoolVar(&commands, "commands", false, "the file is an agent's new text: show its commands; - reads JSON lines")
	return cmd
}

func (a *app) parse(paths []string, body string, configured bool) error {
	cc := classify.Config{Languages: []string{"de", "en"}, Team: "support"}
	classifier, err := classify.New(cc)
	if err != nil {
		return err
	}
	if configured {
		c, findings := config.Load(a.config)
		if err := findings.Err(); err != nil {
			return err
		}
		if classifier, err = buildClassifier(c); err != nil {
			return err
		}
	}
	return a.eachMail(paths, func(path string, raw []byte) error {
		var p parsed
		if body != "" {
			p = parseBody(path, body, raw)
		} else {
			m := mailin.Parse(raw, a.now())
			p = viewMessage(path, m, classifier.Classify(m, tickets.Hints{}))
		}
		if !a.json {
			writeParsed(a.out, p)
			return nil
		}
		e := json.NewEncoder(a.out)
		e.SetEscapeHTML(false)
		return e.Encode(p)
	})
}

func parseBody(path, form string, raw []byte) parsed {
	m := mailin.ParseBody(string(raw), form == "html")
	return viewMessage(path, m, tickets.Verdict{})
}

func viewMessage(path string, m *tickets.Message, v tickets.Verdict) parsed {
	p := parsed{
		File: path, MessageID: m.ID, References: orEmpty(m.References), From: mails(m.From), To: mails(m.To), Cc: mails(m.Cc),
		Subject: m.Subject, Date: rfc3339(m.Date), Kind: v.Kind, IsBounce: v.Kind == tickets.KindBounce,
		IsAuto: v.Kind == tickets.KindAutoReply, IsFeedbackReport: v.Kind == tickets.KindFeedbackReport, Why: []string{},
		Text: m.Text, HTML: m.HTML, Reply: m.Reply, Quoted: m.Quoted, Signature: m.Signature, Language: m.Language.Code,
		Recipients: []string{}, Attachments: append([]tickets.Attachment{}, m.Attachments...), Defects: []string{},
	}
	if len(m.InReplyTo) > 0 {
		p.InReplyTo = m.InReplyTo[0]
	}
	if len(m.From) > 0 {
		p.FromName = m.From[0].Name
	}
	for _, r := range v.Reasons {
		if r.What == "kind" {
			p.Why = append(p.Why, r.Why)
		}
	}
	if b := v.Bounce; b != nil {
		p.Recipients, p.Status, p.Hard = orEmpty(b.Recipients), b.Status, b.Hard
	}
	if f := m.Forwarded; f != nil {
		p.Forwarded = &forwardedView{From: f.From.Mail, Subject: f.Subject, Date: rfc3339(f.Date), Text: f.Text}
	}
	for _, d := range m.Defects {
		p.Defects = append(p.Defects, d.String())
	}
	return p
}

func mails(list []tickets.Address) []string {
	out := []string{}
	for _, a := range list {
		if a.Mail != "" { // a name alone is no address
			out = append(out, a.Mail)
		}
	}
	return out
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// writeParsed shows a message to people.
func writeParsed(w io.Writer, p parsed) {
	fmt.Fprintf(w, "%s\n", p.File)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "  %-11s %s\n", name, printable(value))
		}
	}
	line("from", strings.TrimSpace(p.FromName+" "+strings.Join(p.From, ", ")))
	line("to", strings.Join(p.To, ", "))
	line("subject", p.Subject)
	line("date", p.Date)
	line("kind", string(p.Kind)+prefixed(" – ", strings.Join(p.Why, "; ")))
	line("language", p.Language)
	line("bounced", strings.TrimSpace(p.Status+" "+strings.Join(p.Recipients, ", ")))
	for _, at := range p.Attachments {
		line("attachment", fmt.Sprintf("%s (%s, %d bytes)", at.Name, at.Type, at.Size))
	}
	if f := p.Forwarded; f != nil {
		line("forwarded", f.From+" – "+f.Subject)
	}
	for _, d := range p.Defects {
		line("defect", d)
	}
	for l := range strings.SplitSeq(strings.TrimRight(p.Reply, "\n"), "\n") {
		fmt.Fprintf(w, "  | %s\n", printable(l))
	}
	line("quoted", fmt.Sprintf("%d lines", strings.Count(p.Quoted, "\n")+min(len(p.Quoted), 1)))
	line("signature", clip(strings.ReplaceAll(p.Signature, "\n", " / "), 100))
}

// ── parse --commands ──

type commandsView struct {
	ID       string     `json:"id,omitempty"`
	File     string     `json:"file,omitempty"`
	Commands [][]string `json:"commands"`
	Public   string     `json:"public"`
	Note     string     `json:"note"`
	Error    string     `json:"error"`
	Suggest  []string   `json:"suggest"`
}

func (a *app) parseCommands(paths []string) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	if len(paths) == 1 && paths[0] == "-" {
		in := json.NewDecoder(a.in)
		for {
			var row struct{ ID, Body string }
			if err := in.Decode(&row); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return fmt.Errorf(`parse --commands -: every line is {"id","body"}: %w`, err)
			}
			v := viewCommands(row.Body)
			v.ID = row.ID
			if err := e.Encode(v); err != nil {
				return err
			}
		}
	}
	return a.eachMail(paths, func(path string, raw []byte) error {
		v := viewCommands(string(raw))
		v.File = path
		return e.Encode(v)
	})
}

func viewCommands(text string) commandsView {
	t := command.Parse(text)
	v := commandsView{Commands: [][]string{}, Public: t.Public, Note: t.Note, Suggest: []string{}}
	for _, c := range t.Commands {
		row := []string{c.Word}
		if c.Args != "" {
			row = append(row, c.Args)
		}
		v.Commands = append(v.Commands, row)
	}
	if p := t.Problem; p != nil {
		v.Error, v.Suggest = p.String(), orEmpty(p.Suggest)
	}
	return v
}

// ── explain ──

// explanation is what the desk would do with a mail, and why.
type explanation struct {
	Message   string           `json:"message"`
	Result    tickets.Result   `json:"result"`
	Kind      tickets.Kind     `json:"kind"`
	Auth      string           `json:"auth"`
	Customer  string           `json:"customer"`
	Language  string           `json:"language"`
	Category  explainedGuess   `json:"category"`
	CI        string           `json:"ci"`
	Impact    string           `json:"impact"`
	Urgency   string           `json:"urgency"`
	Priority  string           `json:"priority"`
	Team      string           `json:"team"`
	Tier      int              `json:"tier"`
	Route     []string         `json:"route"`
	Rules     []string         `json:"rules"`
	Clocks    []explainedClock `json:"clocks"`
	Mails     []explainedMail  `json:"mails"`
	Thread    explainedThread  `json:"thread"`
	ConfigRev string           `json:"config_rev"`
	Why       []tickets.Reason `json:"why"`
}

// explainedGuess is the category and how sure the desk is of it; the name is "" when it knows none.
type explainedGuess struct {
	Name        string   `json:"name"`
	Probability float64  `json:"probability"`
	Evidence    []string `json:"evidence"`
}

type explainedClock struct {
	Kind   string    `json:"kind"`
	Target string    `json:"target"`
	Due    time.Time `json:"due"`
}

type explainedMail struct {
	Template string        `json:"template"`
	To       string        `json:"to"`
	Class    tickets.Class `json:"class"`
}

type explainedThread struct {
	Ticket string `json:"ticket"`
	By     string `json:"by"`
}

func (a *app) explainCommand() *cobra.Command {
	var mailbox, at string
	cmd := &cobra.Command{
		Use: "explain MAIL…", Short: "say what the desk would do with a mail, and why", Args: cobra.MinimumNArgs(1),
		Long: "explain decides about a mail file as the daemon would, on an empty desk. Nothing is stored or sent.",
		RunE: func(_ *cobra.Command, paths []string) error { return a.explain(paths, mailbox, at) },
	}
	cmd.Flags().StringVar(&mailbox, "mailbox", "", "the mailbox it came to (default: the first)")
	cmd.Flags().StringVar(&at, "at", "", `when it arrived, such as "2026-11-27 16:40:12" (default: now)`)
	return cmd
}

func (a *app) explain(paths []string, mailbox, at string) error {
	c, findings := config.Load(a.config)
	if err := findings.Err(); err != nil {
		return err
	}
	rules, err := buildRules(c)
	if err != nil {
		return err
	}
	if mailbox == "" {
		mailbox = c.Mailboxes[0].Name
	}
	if _, ok := rules.Mailboxes[mailbox]; !ok {
		return fmt.Errorf("--mailbox %q: the configuration has no such mailbox", mailbox)
	}
	now := a.now()
	if at != "" {
		if now, err = time.ParseInLocation("2006-01-02 15:04:05", at, c.Zone); err != nil {
			return fmt.Errorf(`--at %q: write it as "2026-11-27 16:40:12"`, at)
		}
	}
	return a.eachMail(paths, func(path string, raw []byte) error {
		in := &tickets.Incoming{Source: tickets.Source{Mailbox: mailbox, UID: 1, UIDValidity: 1}, Arrived: now, Size: int64(len(raw)), Raw: raw, Message: mailin.Parse(raw, now)}
		dec := tickets.Decide(tickets.Unknown(rules, mailbox), in, rules, now)
		x := explained(path, in, dec, rules)
		return a.print(x, func(w io.Writer) { writeExplained(w, x, c.Zone) })
	})
}

func explained(path string, in *tickets.Incoming, dec tickets.Decision, r *tickets.Rules) explanation {
	x := explanation{
		Message: firstOf(in.Message.ID, path), Result: dec.Result, Kind: dec.Verdict.Kind, Auth: string(dec.Verdict.Auth),
		Customer: in.Message.Author, Language: dec.Verdict.Language, Route: []string{}, Rules: []string{}, Clocks: []explainedClock{},
		Mails: []explainedMail{}, ConfigRev: r.Rev, Why: append(dec.Reasons, tickets.Reason{What: "result", Value: string(dec.Result), Why: dec.Why}),
	}
	x.Category.Evidence = []string{}
	if t := dec.Ticket; t != nil {
		x.Category.Name, x.Impact, x.Urgency = t.Category, t.Impact, t.Urgency
		x.Priority, x.Team, x.Tier = t.Priority, t.Team, t.Tier
		for _, c := range t.Clocks {
			x.Clocks = append(x.Clocks, explainedClock{Kind: c.Kind, Target: c.Target.String(), Due: c.Due})
		}
		if !dec.New {
			x.Thread.Ticket = t.Number
		}
	}
	for _, m := range dec.Mails {
		x.Mails = append(x.Mails, explainedMail{Template: m.Template, To: m.To.Mail, Class: m.Class})
	}
	return x
}

func writeExplained(w io.Writer, x explanation, zone *time.Location) {
	fmt.Fprintf(w, "%s: %s\n", printable(x.Message), x.Result)
	for _, r := range x.Why {
		fmt.Fprintf(w, "  %-10s %-14s %s\n", r.What, printable(r.Value), printable(r.Why))
	}
	for _, c := range x.Clocks {
		fmt.Fprintf(w, "  clock      %-14s due %s (%s)\n", c.Kind, c.Due.In(zone).Format("Mon 2 Jan 2006 15:04"), c.Target)
	}
	for _, m := range x.Mails {
		fmt.Fprintf(w, "  would send %-14s to %s\n", m.Template, printable(m.To))
	}
	fmt.Fprintf(w, "  config     %s   nothing was sent or stored\n", x.ConfigRev)
}
