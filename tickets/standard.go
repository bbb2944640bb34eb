package tickets

import (
	"maps"
	"slices"
	"strings"

	"supportd/tickets/command"
)

// StandardAnswer is a text of the admin that agents send with one line. Its template is TemplateStandard and its name.
type StandardAnswer struct {
	Name  string
	Title map[string]string // language to title
	Solve bool              // sending it solves the ticket
	Files []File            // go with it
}

// files are what goes with an answer; none for none.
func (a *StandardAnswer) files() []File {
	if a == nil {
		return nil
	}
	return a.Files
}

// standard has the command that sends a standard answer.
func standard() map[string]handler {
	return map[string]handler{"send": (*operation).send}
}

// send makes a standard answer the answer to the customer, below what the agent wrote. What the customer will read is
// rendered here, so that the ticket and the receipt hold exactly that.
func (op *operation) send(c command.Command) bool {
	if !op.public || op.entry.Kind == EntryNoted {
		return op.refuse(Line{Key: "refused.right", Args: map[string]string{"word": "#send"}})
	}
	if op.standard != nil || op.appointment {
		return op.refuse(Line{Key: "refused.conflict", Args: map[string]string{"word": "#send", "other": "#" + op.other("send")}})
	}
	a := op.findStandard(c)
	if a == nil {
		return false
	}
	own := op.entry.Text
	view := op.publicView(op.t)
	view.Agent, view.Signature, view.Text = op.agent.Name, op.agent.Signature[view.Language], own
	text, err := op.r.Renderer.Public(TemplateStandard+a.Name+TemplateStandardText, view)
	if err != nil {
		return op.refuse(Line{Key: "refused.answer_broken", Args: map[string]string{"name": a.Name, "reason": oneLine(err.Error())}})
	}
	if !op.answerWith(text.Text) {
		return false
	}
	op.standard, op.own = a, own
	op.entry.Template = TemplateStandard + a.Name
	op.lines = append(op.lines, Line{OK: true, Key: "did.send", Args: map[string]string{"name": a.Name}})
	if a.Solve && !op.has("solve") && !op.has("pending") {
		return op.solve(command.Command{Word: "solve"})
	}
	return true
}

// other is a command of the mail beside the named one.
func (op *operation) other(word string) string {
	for _, c := range op.text.Commands {
		if c.Word != word {
			return c.Word
		}
	}
	return word
}

// findStandard finds the answer that a name or the beginning of one means; nil when the mail is refused.
func (op *operation) findStandard(c command.Command) *StandardAnswer {
	want := strings.ToLower(strings.TrimSpace(c.Args))
	var found []string
	names := slices.Sorted(maps.Keys(op.r.Standard))
	for _, name := range names {
		if strings.EqualFold(name, want) {
			return op.r.Standard[name]
		}
		if strings.HasPrefix(strings.ToLower(name), want) {
			found = append(found, name)
		}
	}
	switch len(found) {
	case 1:
		return op.r.Standard[found[0]]
	case 0:
		op.refuse(Line{Key: "refused.answer", Args: map[string]string{"name": oneLine(c.Args), "candidates": strings.Join(names[:min(len(names), 20)], ", ")}})
	default:
		op.refuse(Line{Key: "refused.ambiguous", Args: map[string]string{"name": oneLine(c.Args), "candidates": strings.Join(found, ", ")}})
	}
	return nil
}

// answersFirst puts the commands that make an answer before those that need one, such as #solve.
func answersFirst(commands []command.Command) []command.Command {
	commands = slices.Clone(commands)
	slices.SortStableFunc(commands, func(a, b command.Command) int {
		rank := func(c command.Command) int {
			if c.Word == "send" {
				return 0
			}
			return 1
		}
		return rank(a) - rank(b)
	})
	return commands
}
