package tickets

// The life of a ticket as data: event × state → next state (domain.md §4.2). Every cell is filled.

type event string

const (
	eventCustomer  event = "customer message"
	eventThanks    event = "customer thanks only"
	eventAutomatic event = "automatic mail"
	eventBounce    event = "bounce of our mail"
	eventReply     event = "agent public reply"
	eventWait      event = "agent reply and #wait"
	eventNote      event = "internal note"
	eventTake      event = "#take or #assign"
	eventRelease   event = "#release"
	eventSolve     event = "#solve"
	eventReopen    event = "#reopen"
	eventClose     event = "close timer"
	eventRecovery  event = "monitoring recovery, nobody has acted"
	eventAlarm     event = "monitoring problem again"

	eventAlarmUntouched event = "monitoring problem again, nobody has acted"
)

const (
	stays   State = "="
	refused State = "refused"
)

// transitions says where each event leads. stays: the state is as before. refused: the event is not allowed, and the
// mail that answers it says so.
var transitions = map[event]map[State]State{
	eventCustomer:  {StateNew: stays, StateOpen: stays, StateWaitingCustomer: StateOpen, StateSolved: StateOpen, StateClosed: StateOpen},
	eventThanks:    {StateNew: stays, StateOpen: stays, StateWaitingCustomer: StateOpen, StateSolved: stays, StateClosed: stays},
	eventAutomatic: {StateNew: stays, StateOpen: stays, StateWaitingCustomer: stays, StateSolved: stays, StateClosed: stays},
	eventBounce:    {StateNew: stays, StateOpen: stays, StateWaitingCustomer: StateOpen, StateSolved: StateOpen, StateClosed: stays},
	eventReply:     {StateNew: StateOpen, StateOpen: stays, StateWaitingCustomer: stays, StateSolved: stays, StateClosed: refused},
	eventWait:      {StateNew: StateWaitingCustomer, StateOpen: StateWaitingCustomer, StateWaitingCustomer: stays, StateSolved: refused, StateClosed: refused},
	eventNote:      {StateNew: stays, StateOpen: stays, StateWaitingCustomer: stays, StateSolved: stays, StateClosed: stays},
	eventTake:      {StateNew: StateOpen, StateOpen: stays, StateWaitingCustomer: stays, StateSolved: refused, StateClosed: refused},
	eventRelease:   {StateNew: stays, StateOpen: stays, StateWaitingCustomer: stays, StateSolved: refused, StateClosed: refused},
	eventSolve:     {StateNew: StateSolved, StateOpen: StateSolved, StateWaitingCustomer: StateSolved, StateSolved: stays, StateClosed: refused},
	eventReopen:    {StateNew: refused, StateOpen: refused, StateWaitingCustomer: StateOpen, StateSolved: StateOpen, StateClosed: StateOpen},
	eventClose:     {StateNew: refused, StateOpen: refused, StateWaitingCustomer: refused, StateSolved: StateClosed, StateClosed: stays},
	eventRecovery:  {StateNew: StateSolved, StateOpen: stays, StateWaitingCustomer: stays, StateSolved: stays, StateClosed: stays},
	eventAlarm:     {StateNew: stays, StateOpen: stays, StateWaitingCustomer: stays, StateSolved: StateOpen, StateClosed: stays},

	eventAlarmUntouched: {StateNew: stays, StateOpen: stays, StateWaitingCustomer: stays, StateSolved: StateNew, StateClosed: stays},
}

// next returns the state after the event; ok is false when it is refused.
func next(s State, e event) (State, bool) {
	switch n := transitions[e][s]; n {
	case refused:
		return s, false
	case stays:
		return s, true
	default:
		return n, true
	}
}

// move changes the ticket's state as the event demands, within the entry, together with the times that belong to the
// state. It reports whether the event is allowed.
func (d *decider) move(t *Ticket, e *Entry, ev event) bool {
	from := State(t.value(fieldState, e.Changes))
	to, ok := next(from, ev)
	if !ok {
		return false
	}
	t.set(&e.Changes, fieldState, string(to))
	switch {
	case to == from:
	case to == StateSolved:
		t.set(&e.Changes, fieldSolvedAt, formatTime(d.now))
		stopClock(t, e, clockResolve, d.now)
	case to == StateClosed:
		t.set(&e.Changes, fieldClosedAt, formatTime(d.now))
	case to == StateWaitingCustomer:
		pauseClock(t, e, d.now)
	case to.Live() && !from.Live():
		t.set(&e.Changes, fieldSolvedAt, "")
		t.set(&e.Changes, fieldClosedAt, "")
		t.set(&e.Changes, fieldConfirmed, "")
		t.set(&e.Changes, fieldReopened, formatInt(t.Reopened+1))
		e.Detail = detailReopened
		d.resumeClock(t, e)
	case from == StateWaitingCustomer:
		d.resumeClock(t, e)
	}
	return true
}

const detailReopened = "reopened"
