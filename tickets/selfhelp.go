package tickets

import (
	"fmt"
	"time"
)

// Automatic answers with a proposed solution (T08): who gets one, and whether a person looks at the ticket beside it.

// Help bounds the automatic answers to one sender: so many in that time; further tickets are acknowledged as ever. 0: no bound
// beyond that on all automatic mail.
type Help struct {
	PerSender int
	Within    time.Duration
}

// helpMark stands before an address under which automatic answers are counted, beside all automatic mail.
const helpMark = "help:"

// knowHelp looks how many automatic answers the sender got lately.
func (tx *Tx) knowHelp(k *Known, r *Rules, to string, now time.Time) (err error) {
	if r.Help.PerSender > 0 {
		k.Helped, err = tx.answersSince(helpMark+to, now.Add(-r.Help.Within))
	}
	return err
}

// help is the configured answer that a new ticket gets in place of an acknowledgement; nil for none. It is sent to who is
// authenticated only, and it does not say whether anything may be sent at all.
func (d *decider) help() *Answer {
	a, ok := d.r.Answers[d.out.Verdict.AutoAnswer]
	if !ok || d.out.Verdict.Auth != AuthPass || d.tooMuchHelp() != "" {
		return nil
	}
	return &a
}

// tooMuchHelp says why a sender gets no further automatic answer, or "".
func (d *decider) tooMuchHelp() string {
	if n := d.r.Help.PerSender; n > 0 && d.k.Helped >= n {
		return fmt.Sprintf("%s got %d automatic answers within %s", d.m.ReturnPath, d.k.Helped, d.r.Help.Within)
	}
	return ""
}

// settledByHelp reports whether the automatic answer solves the new ticket, so that nobody needs to be told of it. What is most
// urgent and what concerns many is for people, whatever was answered.
func (d *decider) settledByHelp() bool {
	t, a := d.out.Ticket, d.help()
	return a != nil && a.Solves && t.FollowUpOf == 0 && t.Priority != topPriority && !d.r.Major.concerns(t) && !d.bursts() && d.noAnswer() == ""
}

// settleByHelp solves the ticket that an automatic answer was sent to. An answer of the customer's opens it again, and then its
// team is told.
func (d *decider) settleByHelp(a *Answer, text string) {
	t := d.out.Ticket
	e := Entry{Kind: EntryChanged, Actor: Actor{Kind: ActorSystem}, Detail: "solved by the automatic answer " + a.Name}
	d.move(t, &e, eventSolve)
	t.set(&e.Changes, fieldResolution, text)
	t.set(&e.Changes, fieldResolutionCode, "automatic")
	d.entry(e)
	d.reason("state", string(t.State), "the automatic answer "+a.Name+" solves it (keep_open: false)")
}
