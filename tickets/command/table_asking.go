package command

// asking has the commands that answer the agent, and the one that takes a mail back.
func asking() []Row {
	return []Row{
		{Word: "undo", Aliases: []string{"rueckgaengig", "rückgängig"}, Usage: "#undo", Help: map[string]string{
			"de": "nimmt die letzte Befehlsmail zurück, solange ihre Antwort noch nicht verschickt ist",
			"en": "takes your last command mail back, as long as its answer has not left"}},
		{Word: "show", Aliases: []string{"get", "history", "zeigen"}, Usage: "#show", Help: map[string]string{
			"de": "schickt Ihnen den Verlauf des Tickets",
			"en": "sends you the history of the ticket"}},
		{Word: "help", Aliases: []string{"refcard", "?", "hilfe"}, Usage: "#help", Help: map[string]string{
			"de": "schickt Ihnen diese Liste",
			"en": "sends you this list"}},
	}
}
