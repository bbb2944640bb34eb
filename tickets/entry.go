package tickets

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// EntryKind is what happened.
type EntryKind string

const (
	EntryCreated   EntryKind = "created"   // the ticket came to be
	EntryReceived  EntryKind = "received"  // a person's mail joined the ticket
	EntryAutomatic EntryKind = "automatic" // an automatic mail belongs to it; for the record only
	EntryAnswered  EntryKind = "answered"  // an agent's public answer
	EntryVendor    EntryKind = "vendor"    // a third party's mail; it stays inside
	EntryNoted     EntryKind = "noted"     // an internal note
	EntryQueued    EntryKind = "queued"    // the desk owes a mail
	EntryDelivery  EntryKind = "delivery"  // a mail could not be delivered, or only in doubt
	EntryBounced   EntryKind = "bounced"   // a delivery report about one of our mails came in
	EntryChanged   EntryKind = "changed"   // a command, a timer or a person changed something
	EntryHeld      EntryKind = "held"      // a mail for this ticket waits for a decision
	EntryRefused   EntryKind = "refused"   // a command mail was refused; nothing of it was done
	EntryClock     EntryKind = "clock"     // a clock started, stopped, paused, or reached a step
)

// Actor kinds.
const (
	ActorCustomer = "customer"
	ActorAgent    = "agent"
	ActorVendor   = "vendor"
	ActorSystem   = "system"
	ActorTimer    = "timer"
	ActorAdmin    = "admin" // at the command line
)

// Actor is who did it.
type Actor struct {
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"` // an address, a timer's name
}

// String is "agent anna@desk.example".
func (a Actor) String() string { return strings.TrimSpace(a.Kind + " " + a.Name) }

// Entry is one thing that happened to a ticket. Entries are only ever appended; applying the Changes of all of them in
// order gives the ticket.
type Entry struct {
	Ticket TicketID  `json:"ticket"`
	Seq    uint64    `json:"seq"` // 1, 2, 3 … within the ticket
	At     time.Time `json:"at"`
	Kind   EntryKind `json:"kind"`
	Actor  Actor     `json:"actor"`
	Cause  string    `json:"cause,omitempty"` // message key, timer or command line that brought it about
	Rev    string    `json:"rev,omitempty"`   // configuration revision

	Message   uint64   `json:"message,omitempty"` // key of the Stored message
	MessageID string   `json:"message_id,omitempty"`
	From      string   `json:"from,omitempty"`
	To        []string `json:"to,omitempty"`
	Text      string   `json:"text,omitempty"` // the new text
	// Public is, of a mail that was refused, the text that was on its way to the customer; #post sends it.
	Public   string       `json:"public,omitempty"`
	Verified bool         `json:"verified,omitempty"`
	Attached []Attachment `json:"attached,omitempty"`
	Outgoing OutgoingID   `json:"outgoing,omitempty"`
	Template string       `json:"template,omitempty"`
	Detail   string       `json:"detail,omitempty"` // in words
	Reasons  []Reason     `json:"reasons,omitempty"`
	Changes  []Change     `json:"changes,omitempty"`
}

// Change is one field of a ticket that got another value.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Names of fields that change. The zero value of each is "".
const (
	fieldNumber       = "number"
	fieldState        = "state"
	fieldStateBefore  = "state_before"
	fieldSubject      = "subject"
	fieldLanguage     = "language"
	fieldMailbox      = "mailbox"
	fieldRequester    = "requester"
	fieldVerified     = "verified"
	fieldParticipants = "participants"
	fieldTeam         = "team"
	fieldTier         = "tier"
	fieldOwner        = "owner"
	fieldAssignee     = "assignee"
	fieldPriority     = "priority"
	fieldTags         = "tags"
	fieldCategory     = "category"
	fieldImpact       = "impact"
	fieldUrgency      = "urgency"
	fieldCI           = "ci"
	fieldService      = "service"
	fieldOrganisation = "organisation"
	fieldServiceLevel = "service_level"
	fieldWatchers     = "watchers"   // After: addresses with blanks between
	fieldChecklists   = "checklists" // After: a JSON list
	fieldAlert        = "alert"      // After: the AlertState as JSON
	fieldGiven        = "given"      // After: names with blanks between
	fieldOverride     = "override"   // After: the Override as JSON
	fieldSolvedAt     = "solved_at"
	fieldClosedAt     = "closed_at"
	fieldReopened     = "reopened"
	fieldFollowUpOf   = "follow_up_of"
	fieldConfirmed    = "confirmed"
	fieldResolution   = "resolution"

	fieldMergedInto     = "merged_into"
	fieldMergedFrom     = "merged_from" // After: numbers with blanks between
	fieldLinks          = "links"       // After: numbers with blanks between
	fieldResolutionCode = "resolution_code"
	fieldScheduledAt    = "scheduled_at"
	fieldAgreed         = "agreed"
	fieldAskedAt        = "asked_at"
	fieldReminded       = "reminded"
	fieldRemindAfter    = "remind_after"

	fieldChannel   = "channel"
	fieldDue       = "due"
	fieldSnoozed   = "snoozed"
	fieldSnoozedBy = "snoozed_by"
	fieldSpent     = "spent"  // After: a duration such as 1h15m0s
	fieldMuted     = "muted"  // After: addresses with blanks between
	fieldCopies    = "copies" // After: addresses with blanks between

	fieldLastPublic   = "last_public"
	fieldLastCustomer = "last_customer"
	fieldDisagreed    = "disagreed"
	fieldLevel1       = "level1_capable"
	fieldAbsenceTold  = "absence_told"
	fieldThread       = "thread" // After: "address message-id", appended
	fieldClock        = "clock"  // After: the Clock as JSON, replacing the one of its kind
	fieldTouched      = "touched"
	fieldFreeSince    = "free_since"
	fieldCaught       = "caught" // After: "unowned 2026-…", replacing the one of that name
)

// set makes the change that gives the field its new value, or none when it has it already.
func (t *Ticket) set(changes *[]Change, field, after string) {
	before := t.value(field, *changes)
	if before != after {
		*changes = append(*changes, Change{Field: field, Before: before, After: after})
	}
}

// value is what a field would read after the changes that are not applied yet.
func (t *Ticket) value(field string, pending []Change) string {
	for i := len(pending) - 1; i >= 0; i-- {
		if pending[i].Field == field {
			return pending[i].After
		}
	}
	if text := t.text(field); text != nil {
		return *text
	}
	if p := t.packed(field); p != nil {
		return packField(p)
	}
	switch field {
	case fieldDisagreed:
		return formatInt(t.Disagreed)
	case fieldLevel1:
		return formatBool(t.Level1Capable)
	case fieldState:
		return string(t.State)
	case fieldStateBefore:
		return string(t.StateBefore)
	case fieldSolvedAt:
		return formatTime(t.SolvedAt)
	case fieldClosedAt:
		return formatTime(t.ClosedAt)
	case fieldTouched:
		return formatTime(t.Touched)
	case fieldFreeSince:
		return formatTime(t.FreeSince)
	case fieldReopened:
		return formatInt(t.Reopened)
	case fieldDue:
		return formatTime(t.Due)
	case fieldSnoozed:
		return formatTime(t.Snoozed)
	case fieldMuted:
		return strings.Join(t.Muted, " ")
	case fieldCopies:
		return strings.Join(t.Copies, " ")
	case fieldRequester:
		return formatJSON(t.Requester)
	case fieldMergedInto:
		return formatInt(int(t.MergedInto))
	case fieldMergedFrom:
		return strings.Join(t.MergedFrom, " ")
	case fieldLinks:
		return strings.Join(t.Links, " ")
	case fieldScheduledAt:
		return formatTime(t.ScheduledAt)
	case fieldAgreed:
		return formatBool(t.Agreed)
	case fieldAskedAt:
		return formatTime(t.AskedAt)
	case fieldReminded:
		return formatInt(t.Reminded)
	case fieldRemindAfter:
		return formatTime(t.RemindAfter)
	case fieldConfirmed:
		return formatBool(t.Confirmed)
	case fieldVerified:
		return formatBool(t.Verified)
	case fieldTags:
		return strings.Join(t.Tags, " ")
	case fieldGiven:
		return strings.Join(t.Given, " ")
	case fieldOverride:
		if t.Override == nil {
			return ""
		}
		return formatJSON(t.Override)
	case fieldWatchers:
		return strings.Join(t.Watchers, " ")
	case fieldChecklists:
		if len(t.Checklists) == 0 {
			return ""
		}
		return formatJSON(t.Checklists)
	case fieldAlert:
		if t.Alert == nil {
			return ""
		}
		return formatJSON(t.Alert)
	case fieldParticipants:
		if len(t.Participants) > 0 {
			return formatJSON(t.Participants)
		}
	}
	return ""
}

// stands reports whether a change that was made before is still what the ticket says, after the changes that are not
// applied yet.
func (t *Ticket) stands(c Change, pending []Change) bool {
	if c.Field != fieldClock {
		return t.value(c.Field, pending) == c.After
	}
	var made Clock
	if json.Unmarshal([]byte(c.After), &made) != nil {
		return false
	}
	now, ok := t.clock(made.Kind, pending)
	return ok && formatJSON(now) == formatJSON(made)
}

// text is where a field stands that is plain text, or nil.
func (t *Ticket) text(field string) *string {
	switch field {
	case fieldNumber:
		return &t.Number
	case fieldSubject:
		return &t.Subject
	case fieldLanguage:
		return &t.Language
	case fieldMailbox:
		return &t.Mailbox
	case fieldTeam:
		return &t.Team
	case fieldOwner:
		return &t.Owner
	case fieldAssignee:
		return &t.Assignee
	case fieldCategory:
		return &t.Category
	case fieldPriority:
		return &t.Priority
	case fieldImpact:
		return &t.Impact
	case fieldUrgency:
		return &t.Urgency
	case fieldCI:
		return &t.CI
	case fieldService:
		return &t.Service
	case fieldOrganisation:
		return &t.Organisation
	case fieldServiceLevel:
		return &t.ServiceLevel
	case fieldResolution:
		return &t.Resolution
	case fieldSnoozedBy:
		return &t.SnoozedBy
	case fieldChannel:
		return &t.Channel
	case fieldSpent:
		return &t.Spent
	case fieldResolutionCode:
		return &t.ResolutionCode
	case fieldLastPublic:
		return &t.LastPublic
	case fieldLastCustomer:
		return &t.LastCustomer
	case fieldAbsenceTold:
		return &t.AbsenceTold
	}
	return nil
}

// Replay rebuilds a ticket from its entries.
func Replay(entries []Entry) (*Ticket, error) {
	if len(entries) == 0 {
		return nil, fmt.Errorf("replay: a ticket has at least one entry")
	}
	t := &Ticket{ID: entries[0].Ticket}
	for _, e := range entries {
		if err := t.apply(e); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// apply makes the ticket what it is after the entry. It is the only place where a ticket changes.
func (t *Ticket) apply(e Entry) error {
	if e.Seq != t.Entries+1 {
		return fmt.Errorf("entry %d follows entry %d", e.Seq, t.Entries)
	}
	t.Entries = e.Seq
	t.Updated = e.At
	if t.Created.IsZero() {
		t.Created = e.At
	}
	for _, c := range e.Changes {
		if err := t.applyChange(c, e.At); err != nil {
			return fmt.Errorf("entry %d: %w", e.Seq, err)
		}
	}
	return nil
}

func (t *Ticket) applyChange(c Change, at time.Time) (err error) {
	if text := t.text(c.Field); text != nil {
		*text = c.After
		return nil
	}
	if p := t.packed(c.Field); p != nil {
		return unpackField(p, c.After)
	}
	switch c.Field {
	case fieldDisagreed:
		t.Disagreed, err = parseInt(c.After)
	case fieldLevel1:
		t.Level1Capable = c.After != ""
	case fieldState:
		t.State, t.StateSince = State(c.After), at
	case fieldStateBefore:
		t.StateBefore = State(c.After)
	case fieldRequester:
		err = json.Unmarshal([]byte(c.After), &t.Requester)
	case fieldParticipants:
		if t.Participants = nil; c.After != "" {
			err = json.Unmarshal([]byte(c.After), &t.Participants)
		}
	case fieldVerified:
		t.Verified = c.After != ""
	case fieldTier:
		t.Tier, err = parseInt(c.After)
	case fieldTags:
		t.Tags = strings.Fields(c.After)
	case fieldMuted:
		t.Muted = strings.Fields(c.After)
	case fieldCopies:
		t.Copies = strings.Fields(c.After)
	case fieldDue:
		t.Due, err = parseTime(c.After)
	case fieldSnoozed:
		t.Snoozed, err = parseTime(c.After)
	case fieldGiven:
		t.Given = strings.Fields(c.After)
	case fieldOverride:
		t.Override, err = unpackOverride(c.After)
	case fieldWatchers:
		t.Watchers = strings.Fields(c.After)
	case fieldChecklists:
		t.Checklists = nil
		if c.After != "" {
			err = json.Unmarshal([]byte(c.After), &t.Checklists)
		}
	case fieldAlert:
		t.Alert = nil
		if c.After != "" {
			err = json.Unmarshal([]byte(c.After), &t.Alert)
		}
	case fieldSolvedAt:
		t.SolvedAt, err = parseTime(c.After)
	case fieldClosedAt:
		t.ClosedAt, err = parseTime(c.After)
	case fieldReopened:
		t.Reopened, err = parseInt(c.After)
	case fieldMergedInto:
		t.MergedInto, err = parseID(c.After)
	case fieldMergedFrom:
		t.MergedFrom = strings.Fields(c.After)
	case fieldLinks:
		t.Links = strings.Fields(c.After)
	case fieldScheduledAt:
		t.ScheduledAt, err = parseTime(c.After)
	case fieldAgreed:
		t.Agreed = c.After != ""
	case fieldAskedAt:
		t.AskedAt, err = parseTime(c.After)
	case fieldReminded:
		t.Reminded, err = parseInt(c.After)
	case fieldRemindAfter:
		t.RemindAfter, err = parseTime(c.After)
	case fieldFollowUpOf:
		var n int
		n, err = parseInt(c.After)
		t.FollowUpOf = TicketID(n)
	case fieldConfirmed:
		t.Confirmed = c.After != ""
	case fieldThread:
		address, id, _ := strings.Cut(c.After, " ")
		if t.Thread == nil {
			t.Thread = map[string][]string{}
		}
		t.Thread[address] = boundThread(append(t.Thread[address], id))
	case fieldClock:
		err = t.applyClock(c.After)
	case fieldTouched:
		t.Touched, err = parseTime(c.After)
	case fieldFreeSince:
		t.FreeSince, err = parseTime(c.After)
	case fieldCaught:
		name, when, _ := strings.Cut(c.After, " ")
		if t.Caught == nil {
			t.Caught = map[string]time.Time{}
		}
		t.Caught[name], err = parseTime(when)
	default:
		err = fmt.Errorf("unknown field %q", c.Field)
	}
	return err
}

func (t *Ticket) applyClock(value string) error {
	var c Clock
	if err := json.Unmarshal([]byte(value), &c); err != nil {
		return err
	}
	for i := range t.Clocks {
		if t.Clocks[i].Kind == c.Kind {
			t.Clocks[i] = c
			return nil
		}
	}
	t.Clocks = append(t.Clocks, c)
	return nil
}

// maxThread bounds References: the first Message-ID and the last twenty (S-110).
const maxThread = 21

func boundThread(ids []string) []string {
	if len(ids) > maxThread {
		ids = slices.Delete(ids, 1, len(ids)-maxThread+1)
	}
	return ids
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, s)
}

func formatInt(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func parseInt(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	return strconv.Atoi(s)
}

func formatBool(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func formatJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only plain structs are passed
	}
	return string(b)
}
