package tickets

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"supportd/tickets/command"
)

// What a ticket says of itself, and when it comes back to somebody.

// details has the commands that change a ticket's tags, subject and dates.
func details() map[string]handler {
	return map[string]handler{
		"tag":     func(op *operation, c command.Command) bool { return op.tag(c, false) },
		"untag":   func(op *operation, c command.Command) bool { return op.tag(c, true) },
		"subject": (*operation).retitle,
		"due":     (*operation).due,
		"snooze":  (*operation).snooze,
		"hold":    (*operation).snooze,
		"time":    (*operation).spend,
		"lang":    (*operation).speak,
		"sla":     (*operation).promise,
	}
}

const maxTags = 50

var tagName = regexp.MustCompile(`^[\pL\pN][\pL\pN._:/-]{0,39}$`)

// tag adds tags and takes them off: `#tag vpn -drucker`, `#untag vpn`.
func (op *operation) tag(c command.Command, off bool) bool {
	tags := strings.Fields(op.t.value(fieldTags, op.entry.Changes))
	for _, s := range signed(c.Args) {
		name := strings.ToLower(strings.TrimLeft(s.name, "~"))
		if !tagName.MatchString(name) {
			return op.refuse(Line{Key: "refused.tag", Args: map[string]string{"name": oneLine(s.name)}})
		}
		tags = slices.DeleteFunc(tags, func(t string) bool { return t == name })
		if !off && !s.minus {
			tags = append(tags, name)
		}
	}
	if len(tags) > maxTags {
		return op.refuse(Line{Key: "refused.too_many", Args: map[string]string{"word": "#" + c.Word, "count": formatInt(maxTags)}})
	}
	op.t.set(&op.entry.Changes, fieldTags, strings.Join(sorted(tags), " "))
	return op.did("did.tag", map[string]string{"tags": strings.Join(tags, ", ")})
}

// signedName is a word with the sign before it.
type signedName struct {
	name  string
	minus bool
}

// signed reads `+a -b, c`, also with blanks behind the signs.
func signed(args string) (list []signedName) {
	minus := false
	for _, w := range strings.FieldsFunc(args, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == ';' || r == '\u00a0' }) {
		switch bare := strings.TrimLeft(w, "+-"); {
		case bare == "":
			minus = strings.HasPrefix(w, "-")
		default:
			if bare != w {
				minus = strings.HasPrefix(w, "-")
			}
			list = append(list, signedName{bare, minus})
			minus = bare == w && minus // a sign that stands alone holds for all behind it
		}
	}
	return list
}

// retitle gives the ticket another subject.
func (op *operation) retitle(c command.Command) bool {
	s := cleanSubject(c.Args)
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200])
	}
	if s == "" {
		return op.refuse(Line{Key: "refused.args", Args: map[string]string{"word": "#subject", "usage": "#subject TEXT"}})
	}
	from := op.t.value(fieldSubject, op.entry.Changes)
	op.t.set(&op.entry.Changes, fieldSubject, s)
	return op.did("did.subject", map[string]string{"from": from, "to": s})
}

// when reads the time behind a command; ok is false when the mail is refused for it.
func (op *operation) when(c command.Command) (at time.Time, ok bool) {
	at, err := command.ParseWhen(c.Args, op.now, op.zone(), op.r.Calendar)
	if err == nil {
		return at, true
	}
	key := "when"
	if e, is := err.(*command.WhenError); is {
		key = e.Key
	}
	return at, op.refuse(Line{Key: "refused." + key, Args: map[string]string{"word": "#" + c.Word, "text": oneLine(c.Args)}})
}

// never reports whether a time is to be taken off.
func never(s string) bool {
	return slices.Contains([]string{"none", "never", "off", "-", "nie", "keine", "keins", "aus"}, strings.ToLower(s))
}

// due sets the date on which whoever works on the ticket is reminded.
func (op *operation) due(c command.Command) bool {
	if never(c.Args) {
		op.t.set(&op.entry.Changes, fieldDue, "")
		return op.did("did.due_off", nil)
	}
	at, ok := op.when(c)
	if !ok || !op.live(c) {
		return false
	}
	op.t.set(&op.entry.Changes, fieldDue, formatTime(at))
	return op.did("did.due", map[string]string{"until": formatTime(at)})
}

// holdFor is how long a ticket is put aside when nobody says until when.
const holdFor = "3 working days"

// snooze brings the ticket back to the agent at a time.
func (op *operation) snooze(c command.Command) bool {
	if never(c.Args) {
		op.t.set(&op.entry.Changes, fieldSnoozed, "")
		op.t.set(&op.entry.Changes, fieldSnoozedBy, "")
		return op.did("did.snooze_off", nil)
	}
	if c.Args == "" {
		c.Args = holdFor
	}
	if _, until, found := strings.Cut(strings.ToLower(c.Args), "until "); found {
		c.Args = until
	}
	at, ok := op.when(c)
	if !ok || !op.live(c) {
		return false
	}
	op.t.set(&op.entry.Changes, fieldSnoozed, formatTime(at))
	op.t.set(&op.entry.Changes, fieldSnoozedBy, strings.ToLower(op.agent.Address))
	return op.did("did.snooze", map[string]string{"until": formatTime(at)})
}

// live refuses a command on a ticket for which nobody has to do anything any more.
func (op *operation) live(c command.Command) bool {
	return State(op.t.value(fieldState, op.entry.Changes)).Live() || op.refuseState(c.Word)
}

// spend notes time that was spent on the ticket.
func (op *operation) spend(c command.Command) bool {
	spent, ok := command.ParseSpent(c.Args)
	if !ok {
		return op.refuse(Line{Key: "refused.args", Args: map[string]string{"word": "#time", "usage": "#time 1h 15m"}})
	}
	before, err := time.ParseDuration(firstNonEmpty(op.t.value(fieldSpent, op.entry.Changes), "0s"))
	if err != nil {
		before = 0 // a ticket has no other values
	}
	op.t.set(&op.entry.Changes, fieldSpent, (before + spent).String())
	return op.did("did.time", map[string]string{"age": spent.String(), "left": (before + spent).String()})
}

// speak chooses the language of the mails to the customer.
func (op *operation) speak(c command.Command) bool {
	want := strings.ToLower(c.Args)
	for code, names := range map[string][]string{"de": {"deutsch", "german"}, "en": {"englisch", "english"}} {
		if slices.Contains(names, want) {
			want = code
		}
	}
	if !slices.Contains(op.r.Languages, want) {
		return op.refuse(Line{Key: "refused.choice", Args: map[string]string{"word": "#lang", "name": oneLine(c.Args), "candidates": strings.Join(op.r.Languages, ", ")}})
	}
	op.t.set(&op.entry.Changes, fieldLanguage, want)
	return op.did("did.lang", map[string]string{"to": want})
}

// promise gives the ticket another service level; its clocks follow.
func (op *operation) promise(c command.Command) bool {
	var list []choice
	for _, name := range sorted(mapKeys(op.r.Levels)) {
		list = append(list, choice{value: name, names: []string{name}})
	}
	name, ok := op.choose(c, list)
	if !ok || !op.live(c) {
		return false
	}
	op.t.set(&op.entry.Changes, fieldServiceLevel, name)
	return op.did("did.sla", map[string]string{"to": name})
}

// did adds a line to the receipt.
func (op *operation) did(key string, args map[string]string) bool {
	if args == nil {
		args = map[string]string{}
	}
	op.lines = append(op.lines, Line{OK: true, Key: key, Args: args})
	return true
}

// ── what comes back ──

// returnTimers are when a ticket comes back to somebody.
func returnTimers(t *Ticket) (list []timer) {
	if !t.State.Live() {
		return nil
	}
	if !t.Snoozed.IsZero() {
		list = append(list, timer{t.Snoozed, "snoozed"})
	}
	if !t.Due.IsZero() {
		list = append(list, timer{t.Due, "due"})
	}
	return list
}

// comeBack tells whoever put the ticket aside, or works on it, that its time has come: once.
func (d *decider) comeBack(kind string) {
	t := d.out.Ticket
	if !slices.ContainsFunc(returnTimers(t), func(r timer) bool { return r.kind == kind && !r.at.After(d.now) }) {
		return
	}
	e := Entry{Kind: EntryChanged, Actor: Actor{Kind: ActorTimer, Name: kind}, Detail: "the time that an agent had set has come"}
	to, since := d.audience(), t.Due
	if kind == "snoozed" {
		if _, ok := d.r.agent(t.SnoozedBy); ok {
			to = []string{t.SnoozedBy}
		}
		since = t.Snoozed
		t.set(&e.Changes, fieldSnoozed, "")
		t.set(&e.Changes, fieldSnoozedBy, "")
	} else {
		t.set(&e.Changes, fieldDue, "")
	}
	d.entry(e)
	d.tell(to, TemplateEscalation, PurposeAnswer, false, func(v *InternalView) {
		v.Text, v.TextFrom = t.LastCustomer, t.Requester.Mail
		v.Lines = []Line{{Key: "back." + kind, Args: map[string]string{"since": formatTime(since)}}}
	})
}
