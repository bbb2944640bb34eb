package tickets

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// What third parties write. It is bound to its ticket by the reply address that they were given, or by their own number
// for the case in a mail that is certainly theirs; it stays inside, and customers never see it (domain.md S37).

var bucketReferences = []byte("references") // vendor, 0, their number → ticket ID

// byReference says that a third party's number leads to the ticket.
const byReference = "third party's number"

// vendorOf finds the third party that an address belongs to: the address itself, else its domain.
func (r *Rules) vendorOf(address string) (Vendor, bool) {
	_, domain, ok := cutAddress(address)
	if !ok {
		return Vendor{}, false
	}
	var found []Vendor
	for _, name := range slices.Sorted(maps.Keys(r.Vendors)) {
		v := r.Vendors[name]
		if strings.EqualFold(v.To.Mail, address) {
			return v, true
		}
		if v.speaksFrom(domain) {
			found = append(found, v)
		}
	}
	if len(found) != 1 {
		return Vendor{}, false
	}
	return found[0], true
}

// speaksFrom reports whether a domain is the third party's, or below it.
func (v Vendor) speaksFrom(domain string) bool {
	_, own, ok := cutAddress(v.To.Mail)
	return ok && (domain == own || strings.HasSuffix(domain, "."+own))
}

// referenceIn finds their number for a case in their mail; "" when there is none.
func (v Vendor) referenceIn(m *Message) string {
	if v.Reference == nil {
		return ""
	}
	for _, text := range []string{m.Subject, m.NewText()} {
		if found := v.Reference.FindStringSubmatch(text[:min(len(text), 64<<10)]); len(found) > 1 && found[1] != "" && len(found[1]) <= 100 {
			return found[1]
		}
	}
	return ""
}

// knowReference finds the ticket by a third party's own number for it, when nothing better says where a mail belongs.
func (tx *Tx) knowReference(k *Known, r *Rules, m *Message) bool {
	v, ok := r.vendorOf(m.Author)
	if !ok || m.Author == "" {
		return false
	}
	number := v.referenceIn(m)
	if number == "" {
		return false
	}
	id := tx.btx.Bucket(bucketReferences).Get(referenceKey(v.Name, number))
	if len(id) != 8 {
		return false
	}
	k.By, k.Token, k.TokenOwner = byReference, Token{Purpose: PurposeVendor, Ticket: TicketID(binary.BigEndian.Uint64(id))}, v.To.Mail
	return true
}

func referenceKey(vendor, number string) []byte {
	return append(append([]byte(vendor), 0), strings.ToLower(number)...)
}

// indexReferences makes the numbers of third parties lead to the ticket.
func (a *application) indexReferences() error {
	if a.ticket == nil {
		return nil
	}
	for _, c := range a.ticket.VendorCases {
		if c.Reference == "" {
			continue
		}
		if err := a.tx.btx.Bucket(bucketReferences).Put(referenceKey(c.Vendor, c.Reference), key64(uint64(a.ticket.ID))); err != nil {
			return err
		}
	}
	return nil
}

// fromVendor reports whether the mail continues what was asked of a third party.
func (d *decider) fromVendor() bool { return d.k.Token.Purpose&^purposeID == PurposeVendor }

// vendorWrote deals with the mail of a third party on its ticket.
func (d *decider) vendorWrote() {
	_, domain, _ := cutAddress(d.m.Author)
	v, ok := d.r.vendorOf(d.k.TokenOwner)
	switch {
	case d.out.Verdict.Auth == AuthFail && !d.k.Admitted:
		d.hold("the sender is forged, says the mail server (dmarc=fail)", "held.forged")
		return
	case !ok || !v.speaksFrom(domain) && !d.k.Admitted:
		d.hold("it is no mail of the third party that was asked", "held.stranger")
		return
	case d.k.By == byReference && d.out.Verdict.Auth != AuthPass && !d.k.Admitted:
		d.hold("it names a number of "+v.Name+", but nobody vouches for the sender", "held.unverified")
		return
	}
	t := d.out.Ticket
	e := Entry{Kind: EntryVendor, Actor: Actor{Kind: ActorVendor, Name: v.Name}, From: d.from().Mail, Text: d.m.NewText(), MessageID: d.m.ID,
		Verified: d.out.Verdict.Auth == AuthPass, Attached: d.m.Attachments}
	number := d.noteVendor(v, &e, true)
	closed := !t.State.Live()
	d.move(t, &e, eventVendorMail)
	d.entry(e)
	d.reason("thread", t.Number, "by its "+d.by()+", from "+v.Name)
	d.end(Appended, "from "+v.Name+", on "+t.Number)
	to := d.audience()
	if owner := strings.ToLower(t.Owner); closed && owner != "" {
		to = union([]string{owner}, to)
	}
	d.tell(to, TemplateVendorReplied, PurposeNote, true, func(iv *InternalView) {
		iv.Lines = []Line{{Key: "vendor.replied", Args: map[string]string{"vendor": v.Name, "reference": number}}}
		iv.Commands = []string{"#vendor " + v.Name + " TEXT", "#reply", "#solve"}
	})
}

// noteVendor notes on the ticket what their mail says about the case: that they wrote, and their number.
func (d *decider) noteVendor(v Vendor, e *Entry, answered bool) (number string) {
	t := d.out.Ticket
	list := t.vendorCases(e.Changes)
	for i := range list {
		if list[i].Vendor != v.Name {
			continue
		}
		if list[i].Reference == "" {
			list[i].Reference = v.referenceIn(d.m)
		}
		if answered {
			list[i].AnsweredAt = d.now
		}
		number = list[i].Reference
	}
	t.set(&e.Changes, fieldVendors, formatJSON(list))
	if d.m.ID != "" && answered {
		e.Changes = append(e.Changes, Change{Field: fieldThread, After: strings.ToLower(v.To.Mail) + " " + d.m.ID})
	}
	return number
}

// vendorAutomatic notes a third party's automatic mail, which often is the first to name their number.
func (d *decider) vendorAutomatic(e *Entry) {
	_, domain, _ := cutAddress(d.m.Author)
	if v, ok := d.r.vendorOf(d.k.TokenOwner); ok && d.fromVendor() && v.speaksFrom(domain) && d.out.Verdict.Auth != AuthFail {
		d.noteVendor(v, e, false)
	}
}
