package tickets

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Machines that answer every mail and do not say that they are machines (S-061). One mail of theirs cannot be told from a
// person's; what they do over a day can: mail with nearly the same text comes again and again, each time after an
// automatic answer to the one before. Such mail makes no further ticket and gets no further answer, and the admin is told
// once. What varies its text is noticed by its pace. A form on a web page can look the same, so nothing is hidden: the
// team reads what joins.

const (
	loopBack     = 24 * time.Hour  // looked back, and how long such an author gets no automatic answers
	loopAfter    = 2 * time.Hour   // what comes later than that after an automatic answer was not caused by it
	loopTickets  = 2               // tickets of nearly the same text, with which the next such mail makes none
	loopLooked   = 10              // tickets of the author looked at
	loopWords    = 8               // texts of fewer words say nothing: people write "see attachment" every day
	loopLikeness = 0.8             // share of runs of three words that two texts have in common to be nearly the same
	loopRhythm   = 3               // automatic answers in a row that each brought a mail soon: no further one
	loopSoon     = 5 * time.Minute // what counts as soon
)

// Loop is what the store knows of an author who was answered automatically within the last day.
type Loop struct {
	Told    bool        // they were found to be a machine within the last day
	Answers []time.Time // when automatic answers went to the return path, oldest first
	Recent  []*glimpse  // of the tickets that they began within the last day, newest first
}

// loopMark is the name under which a loop with an author is remembered, beside the counts of automatic answers.
func loopMark(author string) string { return "loop:" + author }

// knowLoop looks what went to and fro with the author of a new mail.
func (tx *Tx) knowLoop(k *Known, r *Rules, m *Message, now time.Time) error {
	if k.bound() || m.Author == "" || k.AnswersDay == 0 {
		return nil
	}
	if _, agent := r.agent(m.Author); agent {
		return nil
	}
	told, err := tx.answersSince(loopMark(m.Author), now.Add(-loopBack))
	if err != nil {
		return err
	}
	recent, err := tx.begun(m.Author, loopLooked)
	if err != nil {
		return err
	}
	recent = slices.DeleteFunc(recent, func(g *glimpse) bool { return now.Sub(g.created) > loopBack })
	k.Loop = &Loop{Told: told > 0, Answers: tx.answerTimes(m.ReturnPath, now.Add(-loopBack)), Recent: recent}
	return nil
}

// answerTimes are the instants of automatic answers to an address, oldest first.
func (tx *Tx) answerTimes(address string, since time.Time) []time.Time {
	prefix := append([]byte(strings.ToLower(address)), 0)
	c := tx.btx.Bucket(bucketAnswers).Cursor()
	var times []time.Time
	for k, _ := c.Seek(append(bytes.Clone(prefix), timeKey(since)...)); k != nil && bytes.HasPrefix(k, prefix) && len(k) >= len(prefix)+8; k, _ = c.Next() {
		times = append(times, keyTime(k[len(prefix):len(prefix)+8]))
	}
	return times
}

// alike are the tickets that say nearly what the message says, and that it may join.
func (l *Loop) alike(m *Message, verified bool) []*Ticket {
	text := wordsOnly(m.NewText())
	var found []*Ticket
	for _, g := range l.Recent {
		if g.verified != verified {
			continue
		}
		if t, err := g.ticket(); err == nil && nearly(text, wordsOnly(t.LastCustomer)) {
			found = append(found, t)
		}
	}
	return found
}

// wordsOnly is the wording of a text without any word that has a digit: machines count.
func wordsOnly(s string) *wording {
	words := strings.Fields(s[:min(len(s), 16<<10)])
	return wordingOf(strings.Join(slices.DeleteFunc(words, func(w string) bool { return strings.ContainsFunc(w, unicode.IsDigit) }), " "))
}

// nearly reports whether two texts are nearly the same, and long enough to tell.
func nearly(a, b *wording) bool {
	return len(a.hashes) >= loopWords && len(b.hashes) >= loopWords && a.likeness(b) >= loopLikeness
}

// follows reports whether a mail may have been caused by the last automatic answer: what arrived before it was not.
func (l *Loop) follows(arrived time.Time) bool {
	if len(l.Answers) == 0 {
		return false
	}
	gap := arrived.Sub(l.Answers[len(l.Answers)-1])
	return gap > 0 && gap <= loopAfter
}

// paced reports whether each of the last automatic answers brought a new mail soon, this one included.
func (l *Loop) paced(arrived time.Time) bool {
	if len(l.Answers) < loopRhythm {
		return false
	}
	last := append(slices.Clone(l.Answers[len(l.Answers)-loopRhythm:]), arrived)
	for i := 1; i < len(last); i++ {
		if gap := last[i].Sub(last[i-1]); gap <= 0 || gap > loopSoon {
			return false
		}
	}
	return true
}

// looped says why a loop forbids an automatic answer, or "".
func (d *decider) looped() string {
	switch l := d.k.Loop; {
	case l == nil:
		return ""
	case l.Told:
		return fmt.Sprintf("%s was found to answer automatic mail by itself within the last %s", d.m.Author, hours(loopBack))
	case l.paced(d.in.Arrived):
		return fmt.Sprintf("the last %d automatic answers to it each brought a new mail within %s: a machine may be answering", loopRhythm, loopSoon)
	}
	return ""
}

func hours(d time.Duration) string { return fmt.Sprintf("%d hours", d/time.Hour) }

// joinedLoop lets a mail that a machine seems to have sent in answer to an automatic mail of ours join the newest ticket
// that says the same. The admin is told once a day and author.
func (d *decider) joinedLoop() bool {
	l := d.k.Loop
	if l == nil || !l.Told && !l.follows(d.in.Arrived) || d.k.Admitted || d.out.Verdict.NoAnswer != "" || d.out.Verdict.Alert != nil ||
		d.out.Verdict.Auth == AuthFail || slices.ContainsFunc(d.m.Attachments, func(a Attachment) bool { return !a.Inline }) {
		return false
	}
	same := l.alike(d.m, d.out.Verdict.Auth == AuthPass)
	into := slices.IndexFunc(same, func(t *Ticket) bool { return t.State.Live() && t.State != StateQuarantined })
	if len(same) < loopTickets || into < 0 {
		return false
	}
	before := same[into]
	t := before.clone()
	d.out.Ticket, d.k.Ticket = t, before
	why := fmt.Sprintf("nearly the same text has begun %d tickets within %s, after automatic answers: a machine may be answering", len(same), hours(loopBack))
	e := d.received()
	d.move(t, &e, eventCustomer)
	e.Detail = "joined: " + why
	d.entry(e)
	d.reason("thread", t.Number, why)
	d.reason("answer", "none", why)
	d.end(Appended, "on "+t.Number+": "+why)
	d.tellCustomerReplied()
	if !l.Told {
		n := len(d.out.Mails)
		d.health("health.loop", map[string]string{"from": d.m.Author, "number": t.Number})
		if len(d.out.Mails) > n {
			d.out.Mails[n].CountAs = loopMark(d.m.Author)
		}
	}
	return true
}
