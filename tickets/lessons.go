package tickets

import (
	"context"
	"encoding/binary"
	"slices"
	"time"
)

// Lesson is what one ticket teaches about categories.
type Lesson struct {
	Ticket   TicketID
	Category string // "": the ticket does not say what it is about, and only its text is of use
	Text     string // subject and new text of the mail that opened it
	// Corrected: a person gave the category. Otherwise somebody has solved the ticket with it and saw no reason to change it.
	Corrected bool
	Spam      bool      // somebody set it aside as spam; it teaches nothing about categories
	At        time.Time // when the ticket changed last
}

// LessonText is the text of a message as lessons have it.
func LessonText(m *Message) string { return m.Subject + "\n" + m.NewText() }

// Lessons returns what the newest tickets teach, up to limit, oldest first. Alerts teach nothing: machines need no guessing.
// It holds up nobody for longer than some hundred tickets take to be read.
func (s *Store) Lessons(ctx context.Context, limit int) ([]Lesson, error) {
	const perView = 300
	var all []Lesson
	before := TicketID(0) // 0: from the newest on
	for done := false; !done && len(all) < limit; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := s.View(func(tx *Tx) error {
			c := tx.btx.Bucket(bucketTickets).Cursor()
			var k, v []byte
			if before == 0 {
				k, v = c.Last()
			} else {
				if at, _ := c.Seek(key64(uint64(before))); at == nil {
					k, v = c.Last()
				} else {
					k, v = c.Prev()
				}
			}
			for n := 0; k != nil && n < perView && len(all) < limit; n++ {
				before = TicketID(binary.BigEndian.Uint64(k))
				var t Ticket
				if err := decodeRecord(v, &t); err != nil {
					return err
				}
				l, ok, err := tx.lesson(&t)
				if err != nil {
					return err
				}
				if ok {
					all = append(all, l)
				}
				k, v = c.Prev()
			}
			done = k == nil
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Reverse(all)
	return all, nil
}

// lesson is what a ticket teaches; ok is false when it is nothing.
func (tx *Tx) lesson(t *Ticket) (l Lesson, ok bool, err error) {
	if t.Alert != nil || t.State == StateMerged {
		return l, false, nil
	}
	l = Lesson{Ticket: t.ID, At: t.Updated, Corrected: slices.Contains(t.Given, fieldCategory), Spam: t.State == StateQuarantined}
	solved := (t.State == StateSolved || t.State == StateClosed) && t.Assignee != ""
	if l.Corrected = l.Corrected && !l.Spam; l.Corrected || solved {
		l.Category = t.Category
	}
	const early = 6 // entries within which the first mail stands
	err = tx.each(bucketEntries, key64(uint64(t.ID)), func(_, v []byte) (bool, error) {
		var e Entry
		if err := decodeRecord(v, &e); err != nil {
			return false, err
		}
		if e.Kind == EntryReceived && e.Text != "" {
			l.Text, ok = t.Subject+"\n"+e.Text, true
		}
		return !ok && e.Seq < early, nil
	})
	return l, ok, err
}
