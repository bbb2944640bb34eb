package demo

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"supportd/tickets"
)

// outcome is how the desk stands when the story is over.
type outcome struct {
	tickets   []*tickets.Ticket // oldest first
	entries   map[tickets.TicketID][]tickets.Entry
	outbox    []tickets.Outgoing
	held      []tickets.HeldMail
	diagnosis tickets.Diagnosis
	boxes     map[string][]letter // inboxes by user
}

func (r *run) outcome(ctx context.Context) (o outcome, err error) {
	if o.diagnosis, err = r.desk.Store().Doctor(ctx); err != nil {
		return o, err
	}
	o.entries, o.boxes = map[tickets.TicketID][]tickets.Entry{}, map[string][]letter{}
	for _, who := range everybody() {
		if o.boxes[who.User], err = r.reader.list(who.User, inbox); err != nil {
			return o, err
		}
	}
	err = r.desk.Store().View(func(tx *tickets.Tx) (err error) {
		if o.outbox, err = tx.Outbox(true); err != nil {
			return err
		}
		if o.held, err = tx.HeldMails(); err != nil {
			return err
		}
		err = tx.Tickets(true, func(t *tickets.Ticket) (bool, error) {
			o.tickets = append([]*tickets.Ticket{t}, o.tickets...)
			o.entries[t.ID], err = tx.Entries(t.ID)
			return true, err
		})
		return err
	})
	return o, err
}

// conclude says how the desk stands, and judges it.
func (r *run) conclude(ctx context.Context) error {
	o, err := r.outcome(ctx)
	if err != nil {
		return err
	}
	o.print(r.Out)
	wrong := o.judge()
	for _, w := range wrong {
		fmt.Fprintf(r.Out, "NOT AS IT MUST BE: %s\n", w)
	}
	fmt.Fprintf(r.Out, "\nFirst ticket %.2f s after the start; the whole story took %.1f s.\n", r.first.Seconds(), r.Now().Sub(r.started).Seconds())
	if len(wrong) > 0 {
		return fmt.Errorf("%w: %s", ErrWrong, strings.Join(wrong, "; "))
	}
	fmt.Fprintln(r.Out, "Everything is as it must be.")
	return nil
}

func (o outcome) print(w io.Writer) {
	fmt.Fprintln(w)
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.AppendHeader(table.Row{"Ticket", "State", "From", "With", "Subject"})
	for _, k := range o.tickets {
		who := "team " + k.Team
		if k.Assignee != "" {
			who = nameOf(k.Assignee)
		}
		t.AppendRow(table.Row{k.Number, inPlain(string(k.State)), printable(k.Requester.Name), who, printable(k.Subject)})
	}
	t.Render()
	fmt.Fprintln(w)
	sent := map[tickets.DeliveryState]int{}
	for _, m := range o.outbox {
		sent[m.State]++
	}
	fmt.Fprintf(w, "Mails   the desk sent %d, owes %d, gave up %d; %d held until somebody decides\n", sent[tickets.Sent],
		len(o.outbox)-sent[tickets.Sent]-sent[tickets.GivenUp]-sent[tickets.Cancelled], sent[tickets.GivenUp], len(o.held))
	b := o.diagnosis.Books
	fmt.Fprintf(w, "Books   %d seen = %d created + %d appended + %d duplicates + %d held + %d filed + %d failed\n", b.Seen, b.Created, b.Appended,
		b.Duplicates, b.Quarantined, b.Filed, b.Failed)
	doctor := "finds nothing wrong"
	if !o.diagnosis.OK {
		doctor = "finds: " + strings.Join(o.diagnosis.Problems, "; ")
	}
	fmt.Fprintf(w, "Doctor  %s\n", doctor)
}

// judge compares the outcome with what the story must lead to, and returns what is wrong.
func (o outcome) judge() (wrong []string) {
	must := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	must(o.diagnosis.OK, "the doctor finds %q", o.diagnosis.Problems)
	must(o.diagnosis.Books.Balance() == 0, "the books do not balance: %+v", o.diagnosis.Books)
	must(o.diagnosis.Books.Seen == uint64(len(o.boxes[theDesk().User])), "%d mails lie in the desk's mailbox, %d were seen", len(o.boxes[theDesk().User]), o.diagnosis.Books.Seen)
	for _, m := range o.outbox {
		must(m.State == tickets.Sent, "the mail %q to %s is %s", m.Subject, m.Recipient, m.State)
		must(m.Recipient != shopAddress, "the newsletter got an answer: %q", m.Subject)
	}
	o.judgeTickets(must)
	o.judgeHeld(must)
	o.judgeBoxes(must)
	return wrong
}

func (o outcome) judgeTickets(must func(bool, string, ...any)) {
	find := func(subject string) *tickets.Ticket {
		for _, k := range o.tickets {
			if strings.HasPrefix(k.Subject, subject) {
				return k
			}
		}
		must(false, "there is no ticket about %q", subject)
		return &tickets.Ticket{}
	}
	printer, vpn, price := find("Drucker im Empfang"), find("VPN"), find("Preisliste")
	must(printer.State == tickets.StateOpen && printer.Assignee == anna().Address, "the printer's ticket is %s, with %q", printer.State, printer.Assignee)
	must(printer.Reopened == 1, "the printer's ticket was opened again %d times: thanks must not, a new failure must", printer.Reopened)
	must(printer.Language == "de", "the printer's ticket is in %q", printer.Language)
	must(vpn.State == tickets.StateSolved && vpn.Assignee == ben().Address, "the VPN's ticket is %s, with %q", vpn.State, vpn.Assignee)
	must(vpn.Language == "en", "the VPN's ticket is in %q", vpn.Language)
	must(has(o.entries[vpn.ID], tickets.EntryAutomatic), "the out-of-office note does not stand on the VPN's ticket")
	must(price.State == tickets.StateOpen && has(o.entries[price.ID], tickets.EntryBounced), "the answer that came back does not stand on its ticket, which is %s", price.State)
	must(o.diagnosis.Books.Created == uint64(len(o.tickets)), "%d tickets were created, there are %d", o.diagnosis.Books.Created, len(o.tickets))
	for _, k := range o.tickets {
		known := k.ID == printer.ID || k.ID == vpn.ID || k.ID == price.ID || k.Requester.Mail == shopAddress
		must(known, "there is a ticket too many: %s %s, of %s", k.Number, k.Subject, k.Requester.Mail)
	}
}

func has(entries []tickets.Entry, kind tickets.EntryKind) bool {
	for _, e := range entries {
		if e.Kind == kind {
			return true
		}
	}
	return false
}

func (o outcome) judgeHeld(must func(bool, string, ...any)) {
	must(len(o.held) == 2, "%d mails are held, not the stranger's and the forged one", len(o.held))
	for _, h := range o.held {
		must(h.From == "karl@elsewhere.example" || h.From == ben().Address, "a mail of %s is held: %s", h.From, h.Reason)
	}
}

// judgeBoxes looks at what people got: no customer may see an agent's own address, nor what was held.
func (o outcome) judgeBoxes(must func(bool, string, ...any)) {
	for _, who := range []person{sabine(), john()} {
		must(len(o.boxes[who.User]) == 3, "%s got %d mails, not an acknowledgement and two answers", who.Name, len(o.boxes[who.User]))
		for _, l := range o.boxes[who.User] {
			for _, secret := range []string{anna().Address, ben().Address, "#solve", "#wait", "your password"} {
				must(!strings.Contains(string(l.Raw), secret), "%s can read %q in the mail %q", who.Name, secret, l.Subject)
			}
		}
	}
	undelivered := 0
	for _, l := range o.boxes[ben().User] {
		if strings.Contains(l.Text, "mustre.example") && strings.Contains(l.Text, "5.1.1") {
			undelivered++
		}
	}
	must(undelivered == 1, "Ben was told %d times that his answer came back", undelivered)
}

// invite says what a newcomer can do now.
func (r *run) invite(url string) {
	fmt.Fprintf(r.Out, `
Your turn. The page shows every mailbox and every ticket; write as a customer, answer as an agent:
  %s
Or use a mail client: IMAP %s, SMTP %s, no encryption, password %q,
  users %s.
Or look in from another terminal:
  supportd ticket list -c %s
Ctrl-C ends it.
`, url, r.office.imap.Addr(), r.office.smtp.Addr(), password, users(), r.config)
}

func users() string {
	var names []string
	for _, p := range everybody() {
		names = append(names, fmt.Sprintf("%s (%s)", p.User, p.Name))
	}
	return strings.Join(names, ", ")
}
