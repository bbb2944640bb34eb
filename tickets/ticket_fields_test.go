package tickets

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// What a field says of a ticket is what makes another ticket say the same, and "" makes it nothing again: both
// directions of every field fit together.
func TestFieldsReadWhatTheyWrite(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	values := map[string]string{fieldTier: "2", fieldRequester: `{"name":"K","mail":"kunde@customer.example"}`, fieldSpent: "1h15m0s"}
	for name, f := range ticketFields {
		if f.get == nil {
			continue // only ever added to
		}
		value := values[name]
		for _, try := range []string{value, "2026-03-02T09:00:00Z", "7", "yes", `["a"]`, `{"key":"a","problem":true,"last":"2026-03-02T09:00:00Z"}`,
			`[{"mail":"a@b.example"}]`, `{"priority":"P2","reason":"a"}`} {
			one := &Ticket{}
			if try == "" || f.put(one, try, at) != nil || f.get(one) == "" {
				continue
			}
			value = f.get(one)
			two := &Ticket{}
			if err := f.put(two, value, at); err != nil || f.get(two) != value || !reflect.DeepEqual(one, two) {
				t.Errorf("%s: %q makes %q, %v", name, value, f.get(two), err)
			}
			if err := f.put(two, "", at); err != nil || f.get(two) != "" {
				t.Errorf("%s: nothing makes %q, %v", name, f.get(two), err)
			}
			break
		}
		if value == "" {
			t.Errorf("%s: none of the values was taken", name)
		}
	}
}

// #undo of a ticket that went to another team gives back the tier, too.
func TestUndoGivesBackTheTier(t *testing.T) {
	k := newKit(t)
	id, sent := k.opened(kunde, "Drucker", "kaputt")
	notice := mailTo(t, sent, anna, TemplateTicketToTeam)
	k.receive(k.reply(notice, anna, "#queue second"))
	if tk := k.ticket(id); tk.Team != "second" || tk.Tier != 2 {
		t.Fatalf("%+v", tk)
	}
	k.receive(k.reply(notice, anna, "#undo"))
	if tk := k.ticket(id); tk.Team != "first" || tk.Tier != 1 {
		t.Errorf("after #undo: team %s, tier %d", tk.Team, tk.Tier)
	}
	for _, e := range k.entries(id) {
		for _, c := range e.Changes {
			if c.Field == fieldTier && c.Before == c.After || strings.Contains(c.Field, " ") {
				t.Errorf("%+v", c)
			}
		}
	}
	k.healthy()
}
