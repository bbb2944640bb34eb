package tickets

import (
	"slices"
	"strings"

	"supportd/tickets/command"
	"supportd/tickets/handover"
)

// The packet of a handover: what the desk knows of a ticket already, so that people are asked for the rest only.

// historyBack is how many entries are looked through for what was tried.
const historyBack = 200

// maxOffered is how many configuration items are offered by number.
const maxOffered = 5

// knowHistory looks further back than usual when an agent's mail hands the ticket on.
func (tx *Tx) knowHistory(k *Known, commands []command.Command) (err error) {
	if k.Ticket == nil {
		return nil
	}
	if k.Token.Purpose&^purposeID == PurposeForm || slices.ContainsFunc(commands, func(c command.Command) bool { return tiers()[c.Word] != nil }) {
		k.History, err = tx.lastEntries(k.Ticket.ID, historyBack)
	}
	return err
}

// packet is what the ticket says for a handover: what was handed over before, completed by what stands on the ticket.
// history is its entries, newest first.
func (d *decider) packet(t *Ticket, pending []Change) handover.Packet {
	p := handover.Packet{}
	if list := t.handovers(pending); len(list) > 0 {
		p = list[len(list)-1].Packet.Clone()
		delete(p, handover.Reason) // each handover has one of its own
	}
	if h := t.Handing; h != nil {
		for name, v := range h.Packet {
			p[name] = v
		}
	}
	value := func(field string) string { return t.value(field, pending) }
	for name, v := range map[string]handover.Value{
		handover.Description: {Text: d.firstWords(t), From: "customer"},
		handover.Steps:       {Items: d.tried(), From: "thread"},
		handover.Impact:      {Text: value(fieldImpact), From: "rules"},
		handover.Urgency:     {Text: value(fieldUrgency), From: "rules"},
		handover.CI:          {Text: d.itemOf(value(fieldCI)), From: "rules"},
		handover.Logs:        {Items: d.logs(), From: "thread"},
	} {
		f, ok := d.r.Handover.Field(name)
		if ok && p[name].IsZero() && (v.Text != "" || len(v.Items) > 0) {
			p.Fill(f, v)
		}
	}
	return p
}

// firstWords is what the customer wrote first.
func (d *decider) firstWords(t *Ticket) string {
	for _, e := range slices.Backward(d.k.History) {
		if e.Kind == EntryReceived && e.Text != "" {
			return e.Text
		}
	}
	return t.LastCustomer
}

// tried lists what was tried: answers to the customer together with what came back, and lines with a dash in notes.
func (d *decider) tried() []string {
	var items []string
	open := ""
	for _, e := range slices.Backward(d.k.History) {
		switch e.Kind {
		case EntryAnswered:
			open = excerpt(withoutCourtesy(e.Text))
		case EntryReceived:
			if open != "" {
				items = append(items, open+" -> "+excerpt(withoutCourtesy(e.Text)))
			}
			open = ""
		case EntryNoted:
			for line := range strings.SplitSeq(e.Text, "\n") {
				if step, ok := strings.CutPrefix(strings.TrimSpace(line), "- "); ok && step != "" {
					items = append(items, oneLine(step))
				}
			}
		}
	}
	return items
}

// withoutCourtesy leaves out a salutation on a line of its own: an excerpt has room for little.
func withoutCourtesy(text string) string {
	first, rest, ok := strings.Cut(strings.TrimSpace(text), "\n")
	if ok && len([]rune(first)) < 60 && strings.HasSuffix(strings.TrimSpace(first), ",") {
		return strings.TrimSpace(rest)
	}
	return text
}

// logs names the files of the ticket that are no pictures.
func (d *decider) logs() []string {
	var names []string
	for _, e := range slices.Backward(d.k.History) {
		names = union(names, logFiles(e.Attached))
	}
	return names
}

func logFiles(list []Attachment) []string {
	var names []string
	for _, a := range list {
		if !a.Inline && !strings.HasPrefix(a.Type, "image/") {
			names = append(names, a.Name)
		}
	}
	return names
}

// item is a configuration item as it is written; ok is false when there is none of that name.
func (r *Rules) item(name string) (id string, ok bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	if i, ok := r.Items[name]; ok {
		return i.ID, true
	}
	for _, i := range r.Items {
		if i.Name != "" && strings.EqualFold(i.Name, name) {
			if ok {
				return "", false // two are called that
			}
			id, ok = i.ID, true
		}
	}
	return id, id != ""
}

// known is how packets are checked: with a table of items a name has to stand in it.
func (r *Rules) known() handover.Known {
	if len(r.Items) == 0 {
		return nil
	}
	return r.item
}

// itemOf is a configuration item that derivation has found; "" when it found none.
func (d *decider) itemOf(ci string) string {
	if id, ok := d.r.item(ci); ok {
		return id
	}
	return ""
}

// offered lists items that may be meant: those that the thread names, and those that the team answers for.
func (d *decider) offered(t *Ticket, team string) []string {
	text := strings.ToLower(t.Subject + "\n" + t.LastCustomer)
	for _, e := range d.k.History {
		text += "\n" + strings.ToLower(e.Text)
	}
	var named, owned []string
	for key, i := range d.r.Items {
		switch {
		case strings.Contains(text, key) || len([]rune(i.Name)) > 3 && strings.Contains(text, strings.ToLower(i.Name)):
			named = append(named, i.ID)
		case i.Team == team:
			owned = append(owned, i.ID)
		}
	}
	all := append(sorted(named), sorted(owned)...)
	return all[:min(len(all), maxOffered)]
}

// threadOf is what customers wrote on the ticket, as mails that can be opened; the newest when they are too many.
func (d *Desk) threadOf(a *application, t *Ticket) []File {
	const most, room = 20, 8 << 20
	entries, err := a.tx.Entries(t.ID)
	if err != nil {
		d.Log.Warn("a ticket's mails cannot be attached", "ticket", t.Number, "err", err)
		return nil
	}
	var files []File
	size := 0
	for _, e := range slices.Backward(entries) {
		if e.Kind != EntryReceived || e.Message == 0 || len(files) == most {
			continue
		}
		m, err := a.tx.Stored(e.Message)
		if err != nil {
			continue // erased
		}
		raw, err := d.Raw(m)
		if err != nil {
			d.Log.Warn("a mail cannot be attached", "ticket", t.Number, "message", m.Key, "err", err)
			continue
		}
		if size += len(raw); size > room {
			break
		}
		files = append(files, File{Name: e.At.In(a.r.zone()).Format("2006-01-02-1504") + ".eml", Type: "message/rfc822", Data: raw})
	}
	slices.Reverse(files)
	return files
}
