package command

// conversation has the commands that an answer to a customer needs.
func conversation() []Row {
	return []Row{
		{Word: "solve", Aliases: []string{"solved", "resolve", "resolved", "close", "closed", "done", "fixed", "geloest", "gelöst", "erledigt"}, Usage: "#solve", Takes: Optional, Reaches: true,
			Choices: []string{"fixed", "implemented", "workaround", "answered", "duplicate", "notreproducible", "withdrawn", "bydesign", "wontfix"}, Help: map[string]string{
				"de": "löst das Ticket; der Text darunter geht als Lösung an den Kunden. Dahinter darf stehen, wie: fixed, workaround, answered, duplicate, not_reproducible, withdrawn oder by_design",
				"en": "solves the ticket; the text below goes to the customer as the solution. How may stand behind it: fixed, workaround, answered, duplicate, not_reproducible, withdrawn or by_design"}},
		{Word: "pending", Aliases: []string{"wait", "waiting", "stalled", "moreinfo", "warten"}, Reaches: true, Usage: "#pending", Help: map[string]string{
			"de": "stellt dem Kunden die Frage darunter und wartet auf seine Antwort",
			"en": "asks the customer the question below and waits for the answer"}},
		{Word: "reopen", Aliases: []string{"open", "wiederoeffnen", "wiederöffnen"}, Usage: "#reopen", Help: map[string]string{
			"de": "öffnet ein gelöstes oder geschlossenes Ticket wieder",
			"en": "opens a solved or closed ticket again"}},
		{Word: "take", Aliases: []string{"mine", "me", "own", "claim", "nehmen"}, Usage: "#take", Help: map[string]string{
			"de": "übernimmt das Ticket",
			"en": "makes the ticket yours"}},
		{Word: "assign", Aliases: []string{"assignee", "owner", "assignedto", "a", "reassign", "zuweisen"}, Takes: Required, Usage: "#assign NAME", Help: map[string]string{
			"de": "gibt das Ticket an eine Person des Teams (Name oder Adresse, so weit er eindeutig ist)",
			"en": "gives the ticket to a person (name or address, as much of it as is unique)"}},
		{Word: "release", Aliases: []string{"unassign", "drop", "noowner", "freigeben"}, Takes: Optional, Usage: "#release", Help: map[string]string{
			"de": "gibt das Ticket an das Team zurück; mit einer Nummer: lässt die zurückgehaltene Mail N zu",
			"en": "gives the ticket back to its team; with a number: lets the held mail N in"}},
		{Word: "note", Aliases: []string{"internal", "private", "comment", "confidential", "maintonly", "notiz"}, Takes: Text1, Usage: "#note", Help: map[string]string{
			"de": "der Text bleibt im Team; der Kunde bekommt nichts",
			"en": "the text stays inside the team; the customer gets nothing"}},
		{Word: "reply", Aliases: []string{"public", "replyonly", "antwort"}, Takes: Text1, Reaches: true, Usage: "#reply", Help: map[string]string{
			"de": "der Text geht an den Kunden",
			"en": "the text goes to the customer"}},
		{Word: "admit", Aliases: []string{"zulassen"}, Takes: Required, Usage: "#admit N", Help: map[string]string{
			"de": "lässt die zurückgehaltene Mail N zum Ticket zu",
			"en": "lets the held mail N join the ticket"}},
		{Word: "reject", Aliases: []string{"ablehnen"}, Takes: Required, Usage: "#reject N", Help: map[string]string{
			"de": "verwirft die zurückgehaltene Mail N",
			"en": "drops the held mail N"}},
	}
}
