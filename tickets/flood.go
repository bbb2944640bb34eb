package tickets

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Floods (S-070). Who nobody vouches for can send any number of mails in any number of names. What they cause is bounded:
// tickets of one sender, acknowledgements over all, and notices to each of the staff. All mail is kept and all tickets are
// listed; senders who are authenticated have none of these limits, so that they are answered and told of as ever.

// flood is how much of something an hour may bring, by whose count.
const (
	unprovenMark = "unproven@" // before the brand's name: acknowledgements to who is not authenticated
	noticesMark  = "notices:"  // before a reader's address: notices about tickets of who is not authenticated
	floodMark    = "flood:"    // before an author's address: the admin was told that their mails are collected
	floodHour    = time.Hour
)

// knowUnproven looks how much mail of senders nobody vouches for has caused lately. The classifier has been asked.
func (tx *Tx) knowUnproven(k *Known, r *Rules, m *Message, now time.Time) (err error) {
	if k.Verdict == nil || k.Verdict.Auth == AuthPass || k.bound() {
		return nil
	}
	if k.UnprovenHour, err = tx.answersSince(unprovenMark+k.Brand.Name, now.Add(-floodHour)); err != nil {
		return err
	}
	n := r.Limits.TicketsPerHour
	if _, agent := r.agent(m.Author); agent || n <= 0 || r.Spam.PerSender > 0 || m.Author == "" || k.Intake.Monitoring {
		return nil
	}
	recent, err := tx.begun(m.Author, n)
	if err != nil || len(recent) < n || now.Sub(recent[len(recent)-1].created) > floodHour {
		return err
	}
	told, err := tx.answersSince(floodMark+m.Author, now.Add(-floodHour))
	if err != nil {
		return err
	}
	newest, err := recent[0].ticket()
	k.Flood = &Flood{Tickets: n, Newest: newest, Within: floodHour, Tell: told == 0}
	return err
}

// overUnproven says why somebody who is not authenticated gets no acknowledgement, or "".
func (d *decider) overUnproven() string {
	if limit := d.r.Limits.UnprovenPerHour; d.out.Verdict.Auth != AuthPass && limit > 0 && d.k.UnprovenHour >= limit {
		return fmt.Sprintf("%d senders who are not authenticated were answered in the last hour", d.k.UnprovenHour)
	}
	return ""
}

// tellFlood tells the admin, once an hour and author, whose mails are collected on one ticket.
func (d *decider) tellFlood(t *Ticket) {
	n := len(d.out.Mails)
	d.health("health.flood", map[string]string{"from": d.m.Author, "number": t.Number, "count": strconv.Itoa(d.k.Flood.Tickets)})
	if len(d.out.Mails) > n {
		d.out.Mails[n].CountAs = floodMark + d.m.Author
	}
}

// tooManyNotices reports whether a reader has been told enough in the last hour about tickets of senders nobody vouches
// for. The reader is told once that there is more.
func (d *Desk) tooManyNotices(a *application, m Mail) (bool, error) {
	t, limit := a.ticket, a.r.Limits.NoticesToOne
	if m.Internal == nil || m.NoTicket || m.Class != ClassNotice || t == nil || t.Verified || limit <= 0 {
		return false, nil
	}
	mark := noticesMark + strings.ToLower(m.To.Mail)
	n, err := a.tx.answersSince(mark, a.now.Add(-floodHour))
	if err != nil || n > limit {
		return err == nil, err
	}
	if err := a.tx.countAnswer(mark, a.now, OutgoingID(n)); err != nil || n < limit {
		return false, err
	}
	notice := healthMail(a.r, a.brand(t), []Line{{Key: "health.flood_notices", Args: map[string]string{"count": strconv.Itoa(limit)}}})
	notice.To, notice.Internal.Language = m.To, m.Internal.Language
	return true, d.owe(a, notice)
}
