package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/mailin"
	"supportd/tickets"
)

// judge decides about mails by one configuration, with the desk's own function and without a desk: nothing is stored or
// sent. It is safe for use by several goroutines.
type judge struct {
	config *config.Config
	rules  *tickets.Rules
}

// configName is how the file is called in a folder that stands for a configuration.
const configName = "supportd.yaml"

// newJudge loads a configuration: a file, or a folder with a supportd.yaml.
func newJudge(path string) (*judge, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, configName)
	}
	c, findings := config.LoadForTools(path)
	if err := findings.Err(); err != nil {
		return nil, err
	}
	rules, err := buildRules(c)
	if err != nil {
		return nil, err
	}
	return &judge{config: c, rules: rules}, nil
}

// judged is a decision with what it was made from.
type judged struct {
	in    *tickets.Incoming
	known *tickets.Known
	now   time.Time
	tickets.Decision
}

// file decides about a mail of a file as an empty desk would. mailbox may be "": then it is the one it was sent to.
func (j *judge) file(raw []byte, mailbox string, at time.Time) judged {
	in := &tickets.Incoming{Source: tickets.Source{Mailbox: mailbox, UID: 1, UIDValidity: 1}, Arrived: at, Size: int64(len(raw)), Raw: raw,
		Message: mailin.Parse(raw, at)}
	if mailbox == "" {
		in.Source.Mailbox = j.mailboxOf(in.Message)
	}
	return j.decide(in, tickets.Unknown(j.rules, in.Source.Mailbox), at)
}

// past decides once more about a stored message, at the time at which it was decided about. m is the message, read.
func (j *judge) past(p *tickets.Past, m *tickets.Message) judged {
	in := p.Incoming(func([]byte, time.Time) *tickets.Message { return m })
	if _, ok := j.rules.Mailboxes[p.Stored.Source.Mailbox]; !ok {
		return judged{in: in, now: p.Stored.Stored, Decision: tickets.Decision{Result: notRead, Why: "the configuration has no mailbox " + p.Stored.Source.Mailbox}}
	}
	return j.decide(in, p.Known(j.rules), p.Stored.Stored)
}

// notRead is the result of a message whose mailbox a configuration does not follow.
const notRead tickets.Result = "not read"

func (j *judge) decide(in *tickets.Incoming, k *tickets.Known, now time.Time) judged {
	return judged{in: in, known: k, now: now, Decision: tickets.Decide(k, in, j.rules, now)}
}

// mailboxOf is the mailbox that a mail was sent to, by its addresses; the first when none of them is in the mail.
func (j *judge) mailboxOf(m *tickets.Message) string {
	var to []string
	for _, a := range slices.Concat(m.To, m.Cc) {
		to = append(to, strings.ToLower(a.Mail))
	}
	for _, field := range []string{"Delivered-To", "X-Original-To", "Envelope-To"} {
		for _, v := range m.Field(field) {
			to = append(to, strings.ToLower(strings.Trim(strings.TrimSpace(v), "<>")))
		}
	}
	for _, mb := range j.config.Mailboxes {
		for _, own := range mb.Addresses {
			if slices.Contains(to, own) {
				return mb.Name
			}
		}
	}
	return j.config.Mailboxes[0].Name
}

// reasons are those of the decision, with those against what was not chosen among them.
func (j *judge) reasons(d judged) []tickets.Reason {
	if d.in.Message == nil || d.known == nil || len(d.Verdict.Reasons) == 0 {
		return d.Reasons
	}
	h := tickets.Hints{Mailbox: d.in.Source.Mailbox, Trusted: d.known.Intake.Trusted, OnTicket: d.known.Ticket != nil, Ticket: d.known.Ticket, Explain: true}
	if t := d.known.Ticket; t != nil {
		h.Language = t.Language
	}
	explained := j.rules.Classifier.Classify(d.in.Message, h).Reasons
	return append(slices.Clone(explained), d.Reasons[len(d.Verdict.Reasons):]...)
}

// parseAt reads a time of the desk's zone, such as 2026-11-27 16:40:12; the seconds may be left out.
func parseAt(text string, zone *time.Location) (time.Time, error) {
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf(`%q: write it as "2026-11-27 16:40:12"`, text)
}
