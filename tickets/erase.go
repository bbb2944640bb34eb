package tickets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Erasing a person (GDPR Art. 17): their tickets go whole; in the tickets of others what they wrote, their address and
// their name go; raw mail that speaks of them goes; and the files are written anew, so that nothing is left on pages that
// are free. The audit trail keeps its digests (Art. 17(3)(b), (e)): it still verifies and says nothing of the person.

// Person is whom an erasure or an export is about.
type Person struct {
	Address string
	Names   []string // beside the full names that stand with the address
}

// Erasure is what was erased, or would be: the certificate. It names nobody.
type Erasure struct {
	At      time.Time `json:"at"`
	Preview bool      `json:"preview"` // nothing was changed
	Salt    string    `json:"salt"`
	Subject string    `json:"subject"` // SHA-256 of the salt in hex, a line feed and the address in lower case
	Rev     string    `json:"config_rev"`

	Tickets   []string    `json:"ticket_numbers"`
	Removed   Removed     `json:"removed"`
	Rewritten []Compacted `json:"files_rewritten"`
	Left      []string    `json:"left"` // files in the state directory where the person is still found
	// Waiting is how many mails to others wait in the outbox and speak of the person. They are owed, and leave first.
	Waiting int `json:"waiting"`

	Names []string `json:"names,omitempty"` // that are looked for; in a preview only
}

// Erase erases a person, or says what would be erased. It may take long: everything that is stored is looked through.
// Intake goes on meanwhile.
func (d *Desk) Erase(ctx context.Context, p Person, random io.Reader, preview bool) (Erasure, error) {
	e := Erasure{At: d.Now().UTC(), Preview: preview, Rev: d.Rules().Rev, Tickets: []string{}, Left: []string{}}
	address := strings.ToLower(strings.TrimSpace(p.Address))
	if err := checkAddress(address); err != nil {
		return e, err
	}
	if _, agent := d.Rules().agent(address); agent || d.Rules().isOwn(address) {
		return e, fmt.Errorf("%s is the desk's own, or one of its people's: only customers can be erased", address)
	}
	salt := make([]byte, 16)
	if _, err := io.ReadFull(random, salt); err != nil {
		return e, fmt.Errorf("make a salt: %w", err)
	}
	e.Salt = hex.EncodeToString(salt)
	sum := sha256.Sum256([]byte(e.Salt + "\n" + address))
	e.Subject = hex.EncodeToString(sum[:])
	h := &hunt{desk: d, address: address, names: slices.Clone(p.Names)}
	if err := d.eraseRows(ctx, h, &e); err != nil || preview {
		return e, err
	}
	Failpoint("erase.rows")
	var err error
	if e.Rewritten, err = d.Store.Rewrite(ctx); err != nil {
		return e, fmt.Errorf("the person is erased from the records, not yet from the files: %w; the next start does the rest", err)
	}
	e.Waiting = h.waiting
	e.Left, err = d.Store.filesWith(h.traces)
	return e, err
}

// eraseRounds is how often mail that came in meanwhile is looked for again.
const eraseRounds = 5

// eraseRows erases the person from the records, until nothing is found any more.
func (d *Desk) eraseRows(ctx context.Context, h *hunt, e *Erasure) error {
	for round := range eraseRounds {
		if err := h.search(ctx); err != nil {
			return err
		}
		if hold := h.held(); len(hold) > 0 {
			return fmt.Errorf("%s must be kept (retention.legal_hold): nothing was erased", strings.Join(hold, ", "))
		}
		if e.Preview {
			e.Names, e.Removed = h.names, h.expected()
		}
		if round > 0 && h.empty() {
			return nil
		}
		e.Tickets = append(e.Tickets, h.numbers...)
		if e.Preview {
			return nil
		}
		var done Removed
		err := d.Store.Update(ctx, func(tx *Tx) (err error) {
			if done, err = h.remove(tx); err != nil {
				return err
			}
			return tx.logRemoval(d.Now().UTC(), "person.erased", "subject "+e.Subject+" (salted)", done)
		})
		if err != nil {
			return err
		}
		e.Removed.add(done)
	}
	return errors.New("mail about the person keeps coming in: stop the daemon and erase once more")
}

func (r *Removed) add(o Removed) {
	r.Tickets += o.Tickets
	r.Entries += o.Entries
	r.Messages += o.Messages
	r.Raw += o.Raw
	r.Outgoing += o.Outgoing
	r.Held += o.Held
	r.Redacted += o.Redacted
	r.Rows += o.Rows
}

// remove takes out of the store what was found.
func (h *hunt) remove(tx *Tx) (Removed, error) {
	r := newRemoval(tx, h.desk.Rules(), "erased")
	for id := range h.tickets {
		if _, err := tx.Ticket(id); err == nil {
			r.tickets[id] = true
		} else if !errors.Is(err, ErrNotFound) {
			return r.done, err
		}
	}
	for key := range h.messages {
		r.messages[key] = true
	}
	for key := range h.clear {
		r.clear = append(r.clear, key)
	}
	rewrite := map[TicketID]bool{}
	for _, at := range h.rows {
		if id := ticketOfRow(at.bucket, at.key); id != 0 {
			rewrite[id] = !r.tickets[id]
		} else if err := h.removeRow(tx, r, at); err != nil {
			return r.done, fmt.Errorf("%s %x: %w", at.bucket, at.key, err)
		}
	}
	for id := range rewrite {
		if !rewrite[id] {
			continue
		}
		n, err := tx.rewriteEntries(id, h.redactEntry)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return r.done, err
		}
		r.done.Redacted += n
	}
	err := r.carryOut()
	return r.done, err
}

// redactEntry takes the person out of an entry of somebody else's ticket. What they wrote there goes whole.
func (h *hunt) redactEntry(e *Entry) (bool, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return false, err
	}
	theirs := strings.EqualFold(e.From, h.address)
	fresh, changed, err := h.traces.redactJSON(b, true)
	if err != nil || !changed && !theirs {
		return false, err
	}
	*e = Entry{}
	if err := json.Unmarshal(fresh, e); err != nil {
		return false, err
	}
	if theirs {
		e.Attached, e.MessageID = nil, ""
		if e.Text != "" {
			e.Text = erasedText
		}
		for i := range e.Changes {
			if e.Changes[i].Field == fieldLastCustomer {
				e.Changes[i].After = erasedText
			}
		}
	}
	return true, nil
}

// removeRow removes a row, or takes the person out of it.
func (h *hunt) removeRow(tx *Tx, r *removal, at storeRow) error {
	b := tx.btx.Bucket(at.bucket)
	v := b.Get(at.key)
	if v == nil {
		return nil
	}
	if bytes.Equal(at.bucket, bucketBytes) || bytes.Equal(at.bucket, bucketOutbox) {
		id := OutgoingID(binary.BigEndian.Uint64(at.key))
		o, err := tx.Outgoing(id)
		if err != nil {
			return err
		}
		if strings.EqualFold(o.Recipient, h.address) {
			r.outgoing[id] = true
			return nil
		}
	}
	payload, l, err := payloadOf(v)
	if err != nil || h.traces.in(at.key) == full || bytes.Equal(at.bucket, bucketPrincipals) {
		r.done.Rows++
		return b.Delete(at.key)
	}
	fresh, changed, err := h.traces.redactJSON(payload, true)
	if err != nil || !changed {
		return err
	}
	r.done.Redacted++
	if l.link.IsZero() {
		return tx.put(at.bucket, at.key, json.RawMessage(fresh))
	}
	return tx.redact(at.bucket, at.key, json.RawMessage(fresh))
}
