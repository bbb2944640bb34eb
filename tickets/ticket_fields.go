package tickets

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

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

// ticketField is how one field of a ticket is written as text and read again. Both directions stand side by side, so that
// what an entry says was before is what taking it back brings about.
type ticketField struct {
	get func(t *Ticket) string                            // nil: it is only ever added to
	put func(t *Ticket, after string, at time.Time) error // at: when the entry was made
}

// text is a field that stands as it is.
func text(of func(*Ticket) *string) ticketField {
	return ticketField{
		func(t *Ticket) string { return *of(t) },
		func(t *Ticket, s string, _ time.Time) error { *of(t) = s; return nil },
	}
}

// words is a list of words without blanks in them.
func words(of func(*Ticket) *[]string) ticketField {
	return ticketField{
		func(t *Ticket) string { return strings.Join(*of(t), " ") },
		func(t *Ticket, s string, _ time.Time) error { *of(t) = strings.Fields(s); return nil },
	}
}

// instant is a point in time; the zero one is "".
func instant(of func(*Ticket) *time.Time) ticketField {
	return ticketField{
		func(t *Ticket) string { return formatTime(*of(t)) },
		func(t *Ticket, s string, _ time.Time) (err error) { *of(t), err = parseTime(s); return err },
	}
}

// count is a number; 0 is "".
func count(of func(*Ticket) *int) ticketField {
	return ticketField{
		func(t *Ticket) string { return formatInt(*of(t)) },
		func(t *Ticket, s string, _ time.Time) (err error) { *of(t), err = parseInt(s); return err },
	}
}

// reference is another ticket; none is "".
func reference(of func(*Ticket) *TicketID) ticketField {
	return ticketField{
		func(t *Ticket) string { return formatInt(int(*of(t))) },
		func(t *Ticket, s string, _ time.Time) (err error) { *of(t), err = parseID(s); return err },
	}
}

// flag is yes or "".
func flag(of func(*Ticket) *bool) ticketField {
	return ticketField{
		func(t *Ticket) string { return formatBool(*of(t)) },
		func(t *Ticket, s string, _ time.Time) error { *of(t) = s != ""; return nil },
	}
}

// packed is a field that changes as a whole, kept as JSON; what is empty is "".
func packed[T any](of func(*Ticket) *T) ticketField {
	return ticketField{
		func(t *Ticket) string { return packField(of(t)) },
		func(t *Ticket, s string, _ time.Time) error { return unpackField(of(t), s) },
	}
}

// ticketFields has every field by its name.
var ticketFields = map[string]ticketField{
	fieldNumber:         text(func(t *Ticket) *string { return &t.Number }),
	fieldSubject:        text(func(t *Ticket) *string { return &t.Subject }),
	fieldLanguage:       text(func(t *Ticket) *string { return &t.Language }),
	fieldMailbox:        text(func(t *Ticket) *string { return &t.Mailbox }),
	fieldTeam:           text(func(t *Ticket) *string { return &t.Team }),
	fieldOwner:          text(func(t *Ticket) *string { return &t.Owner }),
	fieldAssignee:       text(func(t *Ticket) *string { return &t.Assignee }),
	fieldCategory:       text(func(t *Ticket) *string { return &t.Category }),
	fieldPriority:       text(func(t *Ticket) *string { return &t.Priority }),
	fieldImpact:         text(func(t *Ticket) *string { return &t.Impact }),
	fieldUrgency:        text(func(t *Ticket) *string { return &t.Urgency }),
	fieldCI:             text(func(t *Ticket) *string { return &t.CI }),
	fieldService:        text(func(t *Ticket) *string { return &t.Service }),
	fieldOrganisation:   text(func(t *Ticket) *string { return &t.Organisation }),
	fieldServiceLevel:   text(func(t *Ticket) *string { return &t.ServiceLevel }),
	fieldResolution:     text(func(t *Ticket) *string { return &t.Resolution }),
	fieldResolutionCode: text(func(t *Ticket) *string { return &t.ResolutionCode }),
	fieldSnoozedBy:      text(func(t *Ticket) *string { return &t.SnoozedBy }),
	fieldChannel:        text(func(t *Ticket) *string { return &t.Channel }),
	fieldSpent:          text(func(t *Ticket) *string { return &t.Spent }),
	fieldLastPublic:     text(func(t *Ticket) *string { return &t.LastPublic }),
	fieldLastCustomer:   text(func(t *Ticket) *string { return &t.LastCustomer }),
	fieldAbsenceTold:    text(func(t *Ticket) *string { return &t.AbsenceTold }),

	fieldTags:       words(func(t *Ticket) *[]string { return &t.Tags }),
	fieldWatchers:   words(func(t *Ticket) *[]string { return &t.Watchers }),
	fieldGiven:      words(func(t *Ticket) *[]string { return &t.Given }),
	fieldMuted:      words(func(t *Ticket) *[]string { return &t.Muted }),
	fieldCopies:     words(func(t *Ticket) *[]string { return &t.Copies }),
	fieldMergedFrom: words(func(t *Ticket) *[]string { return &t.MergedFrom }),
	fieldLinks:      words(func(t *Ticket) *[]string { return &t.Links }),

	fieldSolvedAt:    instant(func(t *Ticket) *time.Time { return &t.SolvedAt }),
	fieldClosedAt:    instant(func(t *Ticket) *time.Time { return &t.ClosedAt }),
	fieldDue:         instant(func(t *Ticket) *time.Time { return &t.Due }),
	fieldSnoozed:     instant(func(t *Ticket) *time.Time { return &t.Snoozed }),
	fieldScheduledAt: instant(func(t *Ticket) *time.Time { return &t.ScheduledAt }),
	fieldAskedAt:     instant(func(t *Ticket) *time.Time { return &t.AskedAt }),
	fieldRemindAfter: instant(func(t *Ticket) *time.Time { return &t.RemindAfter }),
	fieldTouched:     instant(func(t *Ticket) *time.Time { return &t.Touched }),
	fieldFreeSince:   instant(func(t *Ticket) *time.Time { return &t.FreeSince }),

	fieldTier:      count(func(t *Ticket) *int { return &t.Tier }),
	fieldReopened:  count(func(t *Ticket) *int { return &t.Reopened }),
	fieldReminded:  count(func(t *Ticket) *int { return &t.Reminded }),
	fieldDisagreed: count(func(t *Ticket) *int { return &t.Disagreed }),

	fieldVerified:  flag(func(t *Ticket) *bool { return &t.Verified }),
	fieldConfirmed: flag(func(t *Ticket) *bool { return &t.Confirmed }),
	fieldAgreed:    flag(func(t *Ticket) *bool { return &t.Agreed }),
	fieldLevel1:    flag(func(t *Ticket) *bool { return &t.Level1Capable }),

	fieldFollowUpOf: reference(func(t *Ticket) *TicketID { return &t.FollowUpOf }),
	fieldMergedInto: reference(func(t *Ticket) *TicketID { return &t.MergedInto }),

	fieldRequester:    packed(func(t *Ticket) *Address { return &t.Requester }),
	fieldParticipants: packed(func(t *Ticket) *[]Address { return &t.Participants }),
	fieldChecklists:   packed(func(t *Ticket) *[]string { return &t.Checklists }),
	fieldAlert:        packed(func(t *Ticket) **AlertState { return &t.Alert }),
	fieldOverride:     packed(func(t *Ticket) **Override { return &t.Override }),
	fieldHandovers:    packed(func(t *Ticket) *[]Handover { return &t.Handovers }),
	fieldHanding:      packed(func(t *Ticket) **Handing { return &t.Handing }),
	fieldConsults:     packed(func(t *Ticket) *[]Consult { return &t.Consults }),
	fieldVendors:      packed(func(t *Ticket) *[]VendorCase { return &t.VendorCases }),

	fieldState:       {func(t *Ticket) string { return string(t.State) }, putState},
	fieldStateBefore: {func(t *Ticket) string { return string(t.StateBefore) }, func(t *Ticket, s string, _ time.Time) error { t.StateBefore = State(s); return nil }},
	fieldThread:      {put: putThread},
	fieldClock:       {put: putClock},
	fieldCaught:      {put: putCaught},
}

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
	if f := ticketFields[field]; f.get != nil {
		return f.get(t)
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

func (t *Ticket) applyChange(c Change, at time.Time) error {
	f, ok := ticketFields[c.Field]
	if !ok {
		return fmt.Errorf("unknown field %q", c.Field)
	}
	return f.put(t, c.After, at)
}

// putState sets the state, and since when it stands.
func putState(t *Ticket, s string, at time.Time) error {
	t.State, t.StateSince = State(s), at
	return nil
}

// putThread adds one Message-ID to those in a person's client.
func putThread(t *Ticket, s string, _ time.Time) error {
	address, id, _ := strings.Cut(s, " ")
	if t.Thread == nil {
		t.Thread = map[string][]string{}
	}
	t.Thread[address] = boundThread(append(t.Thread[address], id))
	return nil
}

// putCaught notes when the safety net caught the ticket for a reason.
func putCaught(t *Ticket, s string, _ time.Time) (err error) {
	name, when, _ := strings.Cut(s, " ")
	if t.Caught == nil {
		t.Caught = map[string]time.Time{}
	}
	t.Caught[name], err = parseTime(when)
	return err
}

// putClock replaces the clock of a kind.
func putClock(t *Ticket, value string, _ time.Time) error {
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
