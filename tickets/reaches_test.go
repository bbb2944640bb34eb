package tickets

import (
	"slices"
	"testing"

	"supportd/tickets/command"
)

// S-078: what a command by number may do reaches nobody outside, as far as the table of commands says so.
func TestCommandsByNumberReachNobody_S078(t *testing.T) {
	for _, row := range command.Table() {
		if row.Reaches && slices.Contains(staysInside, row.Word) {
			t.Errorf("#%s reaches somebody outside, and is allowed by number", row.Word)
		}
	}
	for _, word := range []string{"send", "schedule", "merge", "ok", "escalate", "post", "solve", "pending", "reply", "requester", "cc", "for"} {
		if row, ok := command.Find(word); !ok || !row.Reaches {
			t.Errorf("#%s does not say that it reaches somebody outside", word)
		}
	}
}
