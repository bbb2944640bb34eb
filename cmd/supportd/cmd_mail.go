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
		c, findings := config.LoadForTools(a.config)
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
