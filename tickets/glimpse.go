package tickets

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
	"time"
)

// Who writes is compared with what they wrote before, with each mail. To read and take apart the same few tickets each time
// would be much of the work of an intake. What was made of a ticket's row is kept, together with the row: it is used only
// where the row still is the same, octet for octet. So nothing has to be told of changes, and a transaction that is
// rolled back leaves nothing behind that is wrong.

// maxGlimpses bounds how many are kept.
const maxGlimpses = 256

// glimpse is what is compared of an earlier ticket. It is shared: nobody changes it.
type glimpse struct {
	row      []byte // from which it was made
	id       TicketID
	state    State
	verified bool
	created  time.Time
	subject  string   // bare
	said     *wording // what the requester wrote last
}

// glimpseOf reads a ticket's row.
func glimpseOf(id TicketID, row []byte) (*glimpse, error) {
	var t struct { // as in Ticket; the rest, which is most of it, is passed over
		ID           TicketID  `json:"id"`
		State        State     `json:"state"`
		Subject      string    `json:"subject"`
		Verified     bool      `json:"verified"`
		Created      time.Time `json:"created"`
		LastCustomer string    `json:"last_customer"`
	}
	if err := decodeRecord(row, &t); err != nil {
		return nil, fmt.Errorf("ticket %d: %w", id, err)
	}
	if t.ID != id {
		return nil, inAnothersPlace(id, t.ID)
	}
	g := &glimpse{row: bytes.Clone(row), id: id, state: t.State, verified: t.Verified, created: t.Created, subject: bareSubject(t.Subject),
		said: wordingOf(t.LastCustomer)}
	g.said.shingles()
	g.said.hashes = nil // the runs are made of them, and nothing else is
	return g, nil
}

func inAnothersPlace(id, found TicketID) error {
	return fmt.Errorf("ticket %d: %w: ticket %d stands in its place", id, errDamaged, found)
}

// ticket reads the whole ticket; the copy may be changed.
func (g *glimpse) ticket() (*Ticket, error) {
	t := new(Ticket)
	if err := decodeRecord(g.row, t); err != nil {
		return nil, fmt.Errorf("ticket %d: %w", g.id, err)
	}
	if t.ID != g.id {
		return nil, inAnothersPlace(g.id, t.ID)
	}
	return t, nil
}

// glimpses are those that were needed last. It is safe for use by several goroutines.
type glimpses struct {
	mu   sync.Mutex
	byID map[TicketID]*glimpse
	ring []TicketID // the oldest is overwritten first
	next int
}

// find returns what is kept of a ticket, when it is of this row.
func (x *glimpses) find(id TicketID, row []byte) *glimpse {
	x.mu.Lock()
	defer x.mu.Unlock()
	if g := x.byID[id]; g != nil && bytes.Equal(g.row, row) {
		return g
	}
	return nil
}

func (x *glimpses) keep(g *glimpse) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byID == nil {
		x.byID = map[TicketID]*glimpse{}
	}
	if x.byID[g.id] == nil {
		if len(x.ring) < maxGlimpses {
			x.ring = append(x.ring, g.id)
		} else {
			delete(x.byID, x.ring[x.next])
			x.ring[x.next] = g.id
			x.next = (x.next + 1) % maxGlimpses
		}
	}
	x.byID[g.id] = g
}

// forget drops all that is kept: for when people's data were erased.
func (x *glimpses) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.byID, x.ring, x.next = nil, nil, 0
}

// begun returns what is compared of the newest tickets of a requester, newest first.
func (tx *Tx) begun(address string, limit int) ([]*glimpse, error) {
	if err := tx.writePending(); err != nil {
		return nil, err
	}
	prefix := append([]byte(address), 0)
	c := tx.btx.Bucket(bucketRequesters).Cursor()
	rows := tx.btx.Bucket(bucketTickets)
	var found []*glimpse
	k, _ := c.Seek(append(bytes.Clone(prefix), key64(^uint64(0))...))
	if k == nil {
		k, _ = c.Last()
	}
	for ; k != nil && len(found) < limit && bytes.Compare(k, prefix) >= 0; k, _ = c.Prev() {
		if !bytes.HasPrefix(k, prefix) {
			continue
		}
		id := TicketID(binary.BigEndian.Uint64(k[len(prefix):]))
		row := rows.Get(k[len(prefix):])
		if row == nil {
			return nil, fmt.Errorf("ticket %d: %w", id, ErrNotFound)
		}
		g := tx.store.glimpses.find(id, row)
		if g == nil {
			var err error
			if g, err = glimpseOf(id, row); err != nil {
				return nil, err
			}
			tx.store.glimpses.keep(g)
		}
		found = append(found, g)
	}
	return found, nil
}
