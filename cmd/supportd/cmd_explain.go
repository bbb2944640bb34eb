package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"supportd/mailin"
	"supportd/tickets"
)

// explanation is what the desk would do with a mail, and why. Why has at least one entry for each of the other names,
// also for what was left undecided.
type explanation struct {
	Message      string           `json:"message"`
	From         string           `json:"from"`
	Subject      string           `json:"subject"`
	Mailbox      string           `json:"mailbox"`
	Result       tickets.Result   `json:"result"`
	Kind         tickets.Kind     `json:"kind"`
	Auth         string           `json:"auth"`
	Customer     string           `json:"customer"` // the organisation; the address of one that is not known
	ServiceLevel string           `json:"service_level"`
	Language     string           `json:"language"`
	Category     explainedGuess   `json:"category"`
	CI           string           `json:"ci"`
	Service      string           `json:"service"`
	Impact       string           `json:"impact"`
	Urgency      string           `json:"urgency"`
	Priority     string           `json:"priority"`
	Route        []string         `json:"route"`
	Team         string           `json:"team"`
	Tier         int              `json:"tier"`
	Rules        []string         `json:"rules"`
	Tags         []string         `json:"tags"`
	Watchers     []string         `json:"watchers"`
	Clocks       []explainedClock `json:"clocks"`
	Mails        []explainedMail  `json:"mails"`
	Thread       explainedThread  `json:"thread"`
	Ticket       *explainedTicket `json:"ticket"` // of a stored message; null for a file
	ConfigRev    string           `json:"config_rev"`
	Why          []tickets.Reason `json:"why"`
}

// explainedGuess is the category and how sure the desk is of it; the name is "" when it knows none.
type explainedGuess struct {
	Name        string   `json:"name"`
	Probability float64  `json:"probability"`
	Evidence    []string `json:"evidence"` // what weighed most, heaviest first
	Why         string   `json:"why"`
}

type explainedClock struct {
	Kind   string    `json:"kind"`
	Target string    `json:"target"`
	Due    time.Time `json:"due"`
	Why    string    `json:"why"`
}

type explainedMail struct {
	Template string        `json:"template"`
	To       string        `json:"to"`
	Class    tickets.Class `json:"class"`
	Why      string        `json:"why"`
}

type explainedThread struct {
	Ticket string `json:"ticket"` // "" when the mail continues none
	By     string `json:"by"`
	Why    string `json:"why"`
}

// explainedTicket is what became of a stored message.
type explainedTicket struct {
	Number   string        `json:"number"`
	State    tickets.State `json:"state"`
	Team     string        `json:"team"`
	Tier     int           `json:"tier"`
	Category string        `json:"category"`
	Priority string        `json:"priority"`
	Rev      string        `json:"rev"` // of the configuration that decided about the message
}

func (a *app) explainCommand() *cobra.Command {
	var mailbox, at string
	cmd := &cobra.Command{
		Use: "explain MAIL…", Short: "say what the desk would do with a mail, and why", Args: cobra.MinimumNArgs(1),
		Long: "explain decides about mails as the daemon would: about a file as on an empty desk; about a message of the desk, named by\n" +
			"its Message-ID or message:NUMBER, and about the one that opened a ticket, named by its number, with what the desk\n" +
			"knew then. It decides by the configuration that -c names, and says what an agent changed since. Nothing is stored or sent.",
		Example: "  supportd explain vpn.eml --at \"2026-11-27 16:40:12\"\n  supportd explain NW-2026-000042",
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.explain(cmd.Context(), names, mailbox, at)
		},
	}
	cmd.Flags().StringVar(&mailbox, "mailbox", "", "the mailbox that a file came to (default: the one it was sent to, or else the first)")
	cmd.Flags().StringVar(&at, "at", "", `when a file arrived, such as "2026-11-27 16:40:12" (default: now)`)
	return cmd
}

func (a *app) explain(ctx context.Context, names []string, mailbox, at string) error {
	j, err := newJudge(a.config)
	if err != nil {
		return err
	}
	if _, ok := j.rules.Mailboxes[mailbox]; !ok && mailbox != "" {
		return fmt.Errorf("--mailbox %q: the configuration has no such mailbox", mailbox)
	}
	now := a.now()
	if at != "" {
		if now, err = parseAt(at, j.config.Zone); err != nil {
			return fmt.Errorf("--at %w", err)
		}
	}
	show := func(x explanation) error {
		return a.print(x, func(w io.Writer) { writeExplained(w, x, j.config.Zone) })
	}
	for _, name := range names {
		if !onDesk(name) {
			err = a.eachMail([]string{name}, func(path string, raw []byte) error {
				return show(j.explained(path, j.file(raw, mailbox, now)))
			})
		} else {
			var x explanation
			if x, err = a.explainStored(ctx, j, name); err == nil {
				err = show(x)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var deskName = regexp.MustCompile(`^(?i:\[?[a-z][a-z0-9]*-[0-9]{4}-[0-9]+\]?|#?[0-9]+|message:[0-9]+|<[^<>]+>|[^/\\\s]+@[^/\\\s]+)$`)

// onDesk reports whether a name is that of a ticket or a message of the desk, and not of a file.
func onDesk(name string) bool {
	_, err := os.Stat(name)
	return errors.Is(err, fs.ErrNotExist) && deskName.MatchString(name) && !strings.EqualFold(filepath.Ext(name), ".eml")
}

// recallArgs ask for the messages that a name stands for.
type recallArgs struct {
	Name string `json:"name"`
}

// recall finds messages of the desk, with what it knew about them.
func (o *operator) recall(_ context.Context, args recallArgs) ([]tickets.Past, error) {
	return o.desk.Store.Recall(args.Name)
}

// explainStored decides once more about a message of the desk; of a ticket, about the one that opened it.
func (a *app) explainStored(ctx context.Context, j *judge, name string) (explanation, error) {
	p, err := a.recallOne(ctx, name)
	if err != nil {
		return explanation{}, err
	}
	var m *tickets.Message
	if p.Raw != nil {
		m = mailin.Parse(p.Raw, p.Stored.Arrived)
	}
	x := j.explained(fmt.Sprintf("message:%d", p.Stored.Key), j.past(p, m))
	if e := p.Ended; e != nil {
		x.Ticket = &explainedTicket{Number: e.Number, State: e.State, Team: e.Team, Tier: e.Tier, Category: e.Category, Priority: e.Priority, Rev: p.Stored.Rev}
	}
	return x, nil
}

// recallOne finds the message of that name, or the first one of the ticket.
func (a *app) recallOne(ctx context.Context, name string) (*tickets.Past, error) {
	var found []tickets.Past
	if err := a.ask(ctx, "explain", recallArgs{Name: name}, &found); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: %w", name, tickets.ErrNotFound)
	}
	if p := &found[0]; p.Unreadable == "" {
		return p, nil
	}
	return nil, fmt.Errorf("%s: the mail itself cannot be read: %s; supportd doctor says more", name, found[0].Unreadable)
}

// explained puts a decision and its reasons together.
func (j *judge) explained(name string, d judged) explanation {
	v := d.Verdict
	x := explanation{
		Message: name, Mailbox: d.in.Source.Mailbox, Result: d.Result, Kind: v.Kind, Auth: string(v.Auth), Customer: v.Customer.Organisation,
		ServiceLevel: v.Customer.ServiceLevel, Language: v.Language, CI: v.CI, Service: v.Service, Impact: v.Impact, Urgency: v.Urgency,
		Priority: v.Priority, Route: orEmpty(v.Route), Rules: orEmpty(v.Rules), Tags: orEmpty(v.Tags), Watchers: orEmpty(v.Watchers),
		Clocks: []explainedClock{}, Mails: []explainedMail{}, ConfigRev: j.rules.Rev,
		Why: append(j.reasons(d), tickets.Reason{What: "result", Value: string(d.Result), Why: d.Why}),
	}
	x.Category = explainedGuess{Name: v.Category.Name, Probability: v.Category.Probability, Evidence: []string{}}
	for _, e := range v.Category.Evidence {
		x.Category.Evidence = append(x.Category.Evidence, e.Text)
	}
	if m := d.in.Message; m != nil {
		x.Message, x.Subject = cmp.Or(m.ID, name), m.Subject
		x.From = m.Author
		if x.From == "" && len(m.From) > 0 {
			x.From = m.From[0].Mail
		}
	}
	x.Customer = cmp.Or(x.Customer, x.From)
	if t := d.Ticket; t != nil {
		x.ofTicket(t, d.New)
		if d.known.By != "" && !d.New {
			x.Thread.By = d.known.By
		}
	}
	for _, m := range d.Mails {
		x.Mails = append(x.Mails, explainedMail{Template: m.Template, To: m.To.Mail, Class: m.Class, Why: x.mailWhy(m)})
	}
	x.complete(j.config.Path)
	return x
}

// ofTicket takes over what the ticket says: of a new one it is the decision, of another what holds already.
func (x *explanation) ofTicket(t *tickets.Ticket, isNew bool) {
	x.Team, x.Tier = t.Team, t.Tier
	x.Category.Name = cmp.Or(x.Category.Name, t.Category)
	x.CI, x.Service = cmp.Or(x.CI, t.CI), cmp.Or(x.Service, t.Service)
	x.Impact, x.Urgency, x.Priority = cmp.Or(x.Impact, t.Impact), cmp.Or(x.Urgency, t.Urgency), cmp.Or(x.Priority, t.Priority)
	for _, c := range t.Clocks {
		if !c.Stopped() && c.Target > 0 {
			x.Clocks = append(x.Clocks, explainedClock{Kind: string(c.Kind), Target: c.Target.String(), Due: c.Due,
				Why: fmt.Sprintf("%s of working time from %s", shortDuration(c.Target), c.Start().Format(time.RFC3339))})
		}
	}
	if !isNew {
		x.Thread.Ticket = t.Number
	}
}

// shortDuration is 4h, 1h30m or 90s instead of 4h0m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// mailWhy says why a mail would go out.
func (x *explanation) mailWhy(m tickets.Mail) string {
	if m.Class == tickets.ClassAuto {
		if r := x.reason("answer"); r != nil {
			return r.Why
		}
	}
	switch m.Template {
	case tickets.TemplateTicketToTeam:
		return "tells the team of a new ticket"
	case tickets.TemplateCustomerReplied:
		return "tells who works on the ticket that the customer wrote"
	case tickets.TemplateHeld:
		return "a mail is held and somebody has to decide"
	case tickets.TemplateUndelivered:
		return "a mail of the desk was not delivered"
	case tickets.TemplateReceipt, tickets.TemplateRefused:
		return "answers the commands of an agent"
	}
	return "follows from the result"
}

// reason is why a value is what it is: the first reason for the value that the last one gives. Later reasons overrule
// earlier ones, or say them once more.
func (x *explanation) reason(what string) *tickets.Reason {
	var found *tickets.Reason
	for i := range x.Why {
		if r := &x.Why[i]; r.What == what && (found == nil || found.Value != r.Value) {
			found = r
		}
	}
	return found
}

// complete gives a reason to everything that has none yet.
func (x *explanation) complete(path string) {
	add := func(what, value, why string) {
		if x.reason(what) == nil {
			x.Why = append(x.Why, tickets.Reason{What: what, Value: value, Why: why})
		}
	}
	onTicket, undecided := x.Thread.Ticket != "", "it was settled before that"
	either := func(of, otherwise string) string {
		switch {
		case x.Kind == "":
			return undecided
		case onTicket:
			return "of the ticket " + x.Thread.Ticket + "; a reply is not decided about anew"
		}
		return cmp.Or(of, otherwise)
	}
	add("kind", string(x.Kind), undecided)
	add("auth", x.Auth, undecided)
	add("customer", x.Customer, either("", "no customer has this address or its domain"))
	add("service_level", x.ServiceLevel, "the customer has none of its own")
	add("language", x.Language, undecided)
	add("category", x.Category.Name, either("", "the configuration has no categories"))
	add("ci", x.CI, either("", "nothing derives one"))
	add("service", x.Service, either("", "the configuration item has none"))
	add("impact", x.Impact, either("", "nothing derives one"))
	add("urgency", x.Urgency, either("", "nothing derives one"))
	add("priority", x.Priority, either("", "impact and urgency give none"))
	add("route", strings.Join(x.Route, " ▸ "), either("", "the configuration has no routes"))
	add("team", x.Team, either("", "no ticket comes of it"))
	add("tier", fmt.Sprint(x.Tier), "of the team "+cmp.Or(x.Team, "that it has not"))
	add("rules", strings.Join(x.Rules, ", "), map[bool]string{true: "no rule applies", false: "all that apply"}[len(x.Rules) == 0])
	add("clocks", fmt.Sprint(len(x.Clocks)), map[bool]string{true: "nothing is promised", false: "what is promised, counted in working time"}[len(x.Clocks) == 0])
	add("mails", fmt.Sprint(len(x.Mails)), map[bool]string{true: "nobody is to be told", false: "see each"}[len(x.Mails) == 0])
	add("thread", cmp.Or(x.Thread.Ticket, "none"), "nothing in it belongs to a ticket of the desk")
	add("config_rev", x.ConfigRev, path)
	x.Category.Why, x.Thread.Why = x.reason("category").Why, x.reason("thread").Why
}

// writeExplained shows an explanation to people, in the order in which things are decided.
func writeExplained(w io.Writer, x explanation, zone *time.Location) {
	row := func(what, value, place, why string) {
		if place != "" {
			place = fmt.Sprintf("%-20s  ", place)
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-10s%-16s  %s%s", label(what), printable(value), printable(place), printable(why)), " "))
	}
	fmt.Fprintf(w, "mail      %s · %q · %s · auth %s · mailbox %s\n", printable(cmp.Or(x.From, x.Message)), printable(x.Subject), cmp.Or(x.Kind, "not looked at"), cmp.Or(x.Auth, "none"), x.Mailbox)
	for _, what := range explainOrder() {
		before := ""
		for _, r := range x.Why {
			switch {
			case r.What != what || r.Value == "" || r.Value == "0" && what == "tier" || r.Value == before:
			case what == "route_not":
				fmt.Fprintf(w, "            ✗ %-14s %s\n", printable(r.Value), printable(r.Why))
			default:
				row(r.What, r.Value, r.Place, r.Why)
				before = r.Value // said once more further on: the first reason is the one
			}
		}
	}
	for _, c := range x.Clocks {
		fmt.Fprintf(w, "clock     %-14s %-6s due %s\n", c.Kind, targetOf(c), c.Due.In(zone).Format("Mon 2 Jan 2006 15:04:05"))
	}
	if len(x.Tags)+len(x.Watchers) > 0 {
		fmt.Fprintf(w, "adds      tags %s · watchers %s\n", cmp.Or(strings.Join(x.Tags, " "), "–"), cmp.Or(strings.Join(x.Watchers, " "), "–"))
	}
	for _, m := range x.Mails {
		fmt.Fprintf(w, "would send %-14s to %-28s %s\n", m.Template, printable(m.To), m.Why)
	}
	if t := x.Ticket; t != nil {
		fmt.Fprintf(w, "ticket    %s is %s now: team %s, category %s, priority %s; it was decided about by revision %s\n",
			t.Number, t.State, t.Team, cmp.Or(t.Category, "–"), cmp.Or(t.Priority, "–"), t.Rev)
	}
	row("result", string(x.Result), "", x.reason("result").Why)
	fmt.Fprintf(w, "config    %s   nothing was sent or stored\n", x.ConfigRev)
}

// explainOrder is the order in which things are decided.
func explainOrder() []string {
	return []string{"absent", "kind", "auth", "looks_like", "quarantine", "monitoring", "customer", "service_level", "language", "category", "ci", "service",
		"impact", "urgency", "priority", "route", "route_not", "team", "tier", "rule", "alert", "auto_answer", "thread", "state", "answer", "questions"}
}

// label is the short name of a value.
func label(what string) string {
	return cmp.Or(map[string]string{"service_level": "level", "auto_answer": "fits", "monitoring": "alarm", "quarantine": "held", "looks_like": "like"}[what], what)
}

func targetOf(c explainedClock) string {
	d, err := time.ParseDuration(c.Target)
	if err != nil {
		return c.Target
	}
	return shortDuration(d)
}
