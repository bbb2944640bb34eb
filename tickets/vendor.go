package tickets

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"supportd/tickets/command"
	"supportd/tickets/handover"
	"supportd/tickets/redact"
)

// Third parties: an agent sees first, exactly, what they would get; #ok sends it. They have a thread of their own, and
// nothing of the customer's side is in it (domain.md S37, P5).

// vendor is #vendor NAME [TEXT]: it drafts a request and shows it to the agent.
func (op *operation) vendor(c command.Command) bool {
	v, rest, ok := op.vendorIn(c.Args)
	if !ok {
		return false
	}
	if cell(op.t.State, eventVendor) == refused {
		return op.refuseState("vendor")
	}
	list := op.t.vendorCases(op.entry.Changes)
	i := slices.IndexFunc(list, func(o VendorCase) bool { return o.Vendor == v.Name })
	if i < 0 {
		list, i = append(list, VendorCase{Vendor: v.Name}), len(list)
	}
	one := &list[i]
	text := strings.TrimSpace(strings.TrimSpace(rest) + "\n" + op.noteText())
	if text == "" && one.Sent > 0 {
		return op.refuse(Line{Key: "refused.needs_text", Args: map[string]string{"word": "#vendor"}})
	}
	view, found := op.vendorView(v, one, text)
	one.By, one.Draft, one.Redacted = strings.ToLower(op.agent.Address), &view, found
	op.t.set(&op.entry.Changes, fieldVendors, formatJSON(list))
	op.formed = true
	op.later = append(op.later, func() { op.showDraft(v, view, found) })
	return true
}

// vendorIn finds the third party that a command's arguments begin with: by its name, or by a skill it stands behind.
func (op *operation) vendorIn(args string) (Vendor, string, bool) {
	names := slices.Sorted(maps.Keys(op.r.Vendors))
	longest, found := 0, []string{}
	for _, name := range names {
		for _, word := range append([]string{name}, op.r.Vendors[name].Skills...) {
			n := begins(args, word)
			if n > longest {
				longest, found = n, nil
			}
			if n > 0 && n == longest && !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
	}
	switch len(found) {
	case 1:
		return op.r.Vendors[found[0]], strings.TrimLeft(args[longest:], " :,–-\""), true
	case 0:
		first, _, _ := strings.Cut(args, " ")
		op.refuse(Line{Key: "refused.vendor", Args: map[string]string{"name": first, "candidates": strings.Join(names, ", ")}})
	default:
		op.refuse(Line{Key: "refused.ambiguous", Args: map[string]string{"name": args[:longest], "candidates": strings.Join(found, ", ")}})
	}
	return Vendor{}, "", false
}

// vendorView is what a third party would get: the first time all that was found out, later the agent's words only.
func (op *operation) vendorView(v Vendor, one *VendorCase, text string) (VendorView, []redact.Found) {
	rules := redact.Rules{What: op.r.Redact, Names: op.customerNames(), Language: v.Language}
	if _, domain, ok := cutAddress(v.To.Mail); ok {
		rules.Keep = append(rules.Keep, domain)
	}
	counts := map[string]int{}
	clean := func(s string) string {
		s, found := rules.Text(s)
		for _, f := range found {
			counts[f.What] += f.Count
		}
		return s
	}
	all := func(list []string) []string {
		var out []string
		for _, s := range list {
			out = append(out, clean(s))
		}
		return out
	}
	view := VendorView{Language: v.Language, Desk: op.k.Brand.Desk, DeskAddress: op.k.Brand.From.Mail, Number: op.t.Number, Reference: one.Reference,
		Contract: v.Contract, Subject: clean(op.t.Subject), Agent: op.agent.Name, Text: clean(op.withoutStaff(text))}
	if one.Sent == 0 {
		p := op.packet(op.t, op.entry.Changes)
		view.Item = op.itemOf(firstNonEmpty(p[handover.CI].Text, op.t.CI))
		if text == "" || len(op.t.Handovers) > 0 { // without the agent's words the customer's have to do
			view.Description = clean(p[handover.Description].Text)
		}
		view.Diagnosis, view.Reproduction = clean(p[handover.Diagnosis].Text), all(p[handover.Reproduction].Items)
		if p[handover.Steps].From == "" {
			view.Steps = all(p[handover.Steps].Items)
		}
	}
	var found []redact.Found
	for _, what := range []string{redact.Name, redact.Mail, redact.Phone, redact.PrivateAddress, redact.Credentials} {
		if n := counts[what]; n > 0 {
			found = append(found, redact.Found{What: what, Count: n})
		}
	}
	return view, found
}

// customerNames are what names the customer's side.
func (op *operation) customerNames() []string {
	names := []string{op.t.Requester.Name, op.t.Organisation}
	for _, p := range append([]Address{op.t.Requester}, op.t.Participants...) {
		names = append(names, p.Name)
		if local, _, ok := cutAddress(p.Mail); ok && strings.ContainsAny(local, "._-") {
			names = append(names, strings.NewReplacer(".", " ", "_", " ", "-", " ").Replace(local))
		}
	}
	return names
}

// withoutStaff writes the desk's address for the agents' own.
func (op *operation) withoutStaff(text string) string {
	for address := range op.r.Agents {
		text = replaceAddress(text, address, op.k.Brand.From.Mail)
	}
	return text
}

// showDraft shows the agent what #ok sends, and what was taken out of it.
func (op *operation) showDraft(v Vendor, view VendorView, found []redact.Found) {
	lines := []Line{{Key: "vendor.draft", Args: map[string]string{"vendor": v.Name, "to": v.To.Mail}}}
	for _, f := range found {
		lines = append(lines, Line{Key: "vendor.redacted", Args: map[string]string{"what": f.What, "count": strconv.Itoa(f.Count)}})
	}
	if len(found) == 0 {
		lines = append(lines, Line{Key: "vendor.nothing_redacted"})
	}
	op.tell([]string{op.agent.Address}, TemplateVendorDraft, PurposeNote, false, func(iv *InternalView) {
		iv.Mode = "command"
		iv.Text, iv.TextFrom, iv.Attachments, iv.Warnings = "", "", nil, nil
		iv.Lines, iv.SentTo = lines, []string{v.To.Mail}
		iv.Commands = []string{"#ok", "#vendor " + v.Name + " TEXT"}
	})
	op.out.Mails[len(op.out.Mails)-1].Vendor = &view
	op.lastMailIsReceipt()
}

// approve is #ok: what was shown goes to the third party.
func (op *operation) approve(c command.Command) bool {
	list := op.t.vendorCases(op.entry.Changes)
	i := slices.IndexFunc(list, func(o VendorCase) bool { return o.Draft != nil })
	if i < 0 {
		return op.refuse(Line{Key: "refused.no_draft", Args: map[string]string{"word": "#ok"}})
	}
	one := &list[i]
	v, ok := op.r.Vendors[one.Vendor]
	if !ok {
		return op.refuse(Line{Key: "refused.vendor", Args: map[string]string{"name": one.Vendor, "candidates": strings.Join(slices.Sorted(maps.Keys(op.r.Vendors)), ", ")}})
	}
	if !op.move(op.t, &op.entry, eventVendor) {
		return op.refuseState("ok")
	}
	view := *one.Draft
	first := !slices.ContainsFunc(list, func(o VendorCase) bool { return o.Sent > 0 })
	one.Draft, one.SentAt, one.Sent, one.By = nil, op.now, one.Sent+1, strings.ToLower(op.agent.Address)
	op.t.set(&op.entry.Changes, fieldVendors, formatJSON(list))
	op.startVendorClock(op.t, &op.entry, v)
	if op.t.Assignee == "" {
		op.t.set(&op.entry.Changes, fieldAssignee, op.agent.Address)
	}
	key := "did.vendor"
	until := op.now.Add(op.r.Undo)
	if op.r.Undo > 0 {
		key = "did.vendor_later"
	}
	op.done(key, map[string]string{"vendor": v.Name, "to": v.To.Mail, "until": formatTime(until)})
	op.later = append(op.later, func() {
		op.out.Mails = append(op.out.Mails, Mail{To: v.To, Class: ClassAnswer, Template: TemplateVendorRequest, Vendor: &view, Purpose: PurposeVendor,
			NotBefore: until, Attach: op.entry.Kind != EntryNoted, Agent: op.agent})
		if first && op.t.Alert == nil && !op.r.Mailboxes[op.t.Mailbox].Monitoring {
			op.toCustomer(TemplateWithVendor, op.publicView(op.t))
			op.holdBack(TemplateWithVendor, until)
		}
	})
	return true
}

// written is the text of a mail that goes outside.
func (m Mail) written() string {
	switch {
	case m.Public != nil:
		return m.Public.Text
	case m.Vendor != nil:
		return m.Vendor.Text
	}
	return ""
}

// ofVendor reports whether an address belongs to a third party that was asked about the ticket.
func (t *Ticket) ofVendor(r *Rules, address string) bool {
	return slices.ContainsFunc(t.VendorCases, func(c VendorCase) bool {
		v, ok := r.Vendors[c.Vendor]
		return ok && strings.EqualFold(v.To.Mail, address)
	})
}

// outside reports whether somebody beyond the staff gets mail about the ticket at an address.
func (t *Ticket) outside(r *Rules, address string) bool {
	return t.participant(address) || t.ofVendor(r, address)
}
