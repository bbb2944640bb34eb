package tickets

import "slices"

// The life of a ticket as data: event × state → next state (domain.md §4.2). Every cell is filled.

type event string

const (
	eventCustomer   event = "customer message"
	eventThanks     event = "customer thanks only"
	eventConfirm    event = "customer says that it is solved"
	eventAutomatic  event = "automatic mail"
	eventBounce     event = "bounce of our mail"
	eventReply      event = "agent public reply"
	eventWait       event = "agent reply and #wait"
	eventNote       event = "internal note"
	eventTake       event = "#take or #assign"
	eventRelease    event = "#release to the team"
	eventEscalate   event = "#escalate, complete"
	eventGaps       event = "#escalate, incomplete"
	eventReturn     event = "#return"
	eventAsk        event = "#ask"
	eventVendor     event = "#vendor and #ok"
	eventVendorMail event = "vendor message"
	eventSchedule   event = "#schedule"
	eventDate       event = "date reached"
	eventSolve      event = "#solve"
	eventSilence    event = "waiting timer over"
	eventClose      event = "close timer over"
	eventReopen     event = "#reopen"
	eventMerge      event = "#merge into another"
	eventUnmerge    event = "#unmerge"
	eventSpam       event = "#spam"
	eventAdmit      event = "#release from quarantine"
	eventRecovery   event = "monitoring recovery, nobody has acted"
	eventAlarm      event = "monitoring problem again"
	eventProblem    event = "solution of its problem accepted"
	eventRecompute  event = "impact, urgency or item changed"

	// The same events where it counts who acts, or whether somebody did.
	eventReplyOutside   event = "agent public reply, not of the team it was handed to"
	eventSolveOwner     event = "#solve by the owner"
	eventAlarmUntouched event = "monitoring problem again, nobody has acted"
)

// What stands in a cell beside states.
const (
	stays      State = "="          // the state is as before
	audited    State = "audit"      // the same; nobody needs to act on it
	refused    State = "refused"    // not allowed; the mail that answers it says so
	forwarded  State = "forwarded"  // the ticket that took this one in gets it
	previous   State = "previous"   // what it was before
	impossible State = "impossible" // cannot happen: no timer and no mail brings it about
)

// A row of the table has a cell for every state, in the order of States.
type row [10]State

// transitions says where each event leads.
var transitions = func() map[event]row {
	const (
		same, note, no, over, none = stays, audited, refused, forwarded, impossible
		open, gone, wait, vend     = StateOpen, StateHandedOver, StateWaitingCustomer, StateWaitingVendor
		date, done, shut           = StateScheduled, StateSolved, StateClosed
		merg, quar                 = StateMerged, StateQuarantined
	)
	return map[event]row{
		//                new   open  gone  wait  vend  date  done  shut  merg  quar
		eventCustomer:   {same, same, same, open, same, open, open, open, over, same},
		eventThanks:     {same, same, same, open, same, same, same, same, over, same},
		eventConfirm:    {done, done, done, done, done, done, shut, same, over, same},
		eventAutomatic:  {note, note, note, note, note, note, note, note, note, note},
		eventBounce:     {same, same, same, open, same, open, open, note, note, note},
		eventReply:      {open, same, open, same, same, same, same, no, no, no},
		eventWait:       {wait, wait, no, same, wait, wait, no, no, no, no},
		eventNote:       {same, same, same, same, same, same, same, same, over, same},
		eventTake:       {open, same, open, same, same, same, no, no, no, no},
		eventRelease:    {same, same, same, same, same, same, no, no, no, no},
		eventEscalate:   {gone, gone, gone, gone, gone, gone, no, no, no, no},
		eventGaps:       {same, same, same, same, same, same, no, no, no, no},
		eventReturn:     {no, same, open, no, no, no, no, no, no, no},
		eventAsk:        {same, same, same, same, same, same, no, no, no, no},
		eventVendor:     {vend, vend, no, vend, same, vend, no, no, no, no},
		eventVendorMail: {note, same, same, same, open, same, open, note, over, note},
		eventSchedule:   {date, date, no, date, date, same, no, no, no, no},
		eventDate:       {none, none, none, none, none, open, none, none, none, none},
		eventSolve:      {done, done, no, done, done, done, same, no, no, no},
		eventSilence:    {none, none, none, done, none, none, none, none, none, none},
		eventClose:      {none, none, none, none, none, none, shut, none, none, none},
		eventReopen:     {no, no, no, open, open, open, open, open, no, no},
		eventMerge:      {merg, merg, merg, merg, merg, merg, merg, merg, no, no},
		eventUnmerge:    {no, no, no, no, no, no, no, no, previous, no},
		eventSpam:       {quar, quar, quar, quar, no, no, quar, no, no, same},
		eventAdmit:      {none, none, none, none, none, none, none, none, none, StateNew},
		eventRecovery:   {done, same, same, same, same, same, same, same, over, same},
		eventAlarm:      {same, same, same, same, same, same, open, same, over, same},
		eventProblem:    {done, done, done, done, done, done, same, same, note, note},
		eventRecompute:  {same, same, same, same, same, same, note, no, no, no},

		eventReplyOutside:   {open, same, no, same, same, same, same, no, no, no},
		eventSolveOwner:     {done, done, done, done, done, done, same, no, no, no},
		eventAlarmUntouched: {same, same, same, same, same, same, StateNew, same, over, same},
	}
}()

// cell is what the table says; an event or a state that it does not have is refused.
func cell(s State, e event) State {
	i := slices.Index(States(), s)
	r, ok := transitions[e]
	if i < 0 || !ok {
		return refused
	}
	return r[i]
}

// next returns the state after the event for a ticket that was in another before; ok is false when it is not allowed.
func next(s, before State, e event) (State, bool) {
	switch n := cell(s, e); n {
	case refused, forwarded, impossible:
		return s, false
	case stays, audited:
		return s, true
	case previous:
		if before == "" {
			return s, false
		}
		return before, true
	default:
		return n, true
	}
}

// move changes the ticket's state as the event demands, within the entry, together with the times that belong to the
// state; its clocks follow when the entry is appended. It reports whether the event is allowed.
func (d *decider) move(t *Ticket, e *Entry, ev event) bool {
	from := State(t.value(fieldState, e.Changes))
	to, ok := next(from, State(t.value(fieldStateBefore, e.Changes)), ev)
	if !ok {
		return false
	}
	t.set(&e.Changes, fieldState, string(to))
	if to == from {
		return true
	}
	put, was := !to.onStage(), !from.onStage()
	switch {
	case put && !was:
		t.set(&e.Changes, fieldStateBefore, string(from))
	case was && !put:
		t.set(&e.Changes, fieldStateBefore, "")
	}
	switch {
	case to == StateSolved:
		t.set(&e.Changes, fieldSolvedAt, formatTime(d.now))
	case to == StateClosed:
		t.set(&e.Changes, fieldClosedAt, formatTime(d.now))
	case to.Live() && (from == StateSolved || from == StateClosed):
		t.set(&e.Changes, fieldSolvedAt, "")
		t.set(&e.Changes, fieldClosedAt, "")
		t.set(&e.Changes, fieldConfirmed, "")
		t.set(&e.Changes, fieldResolutionCode, "")
		t.set(&e.Changes, fieldReopened, formatInt(t.Reopened+1))
		e.Detail = detailReopened
	}
	return true
}

// onStage is false for states that a ticket is put into beside its life, and comes back from.
func (s State) onStage() bool { return s != StateMerged && s != StateQuarantined }

const detailReopened = "reopened"
