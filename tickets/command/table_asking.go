package command

// asking has the commands that answer the agent, and the one that takes a mail back.
func asking() []Row {
	return []Row{
		{Word: "undo", Aliases: []string{"rueckgaengig", "rückgängig"}, Usage: "#undo", Help: map[string]string{
			"de": "nimmt die letzte Befehlsmail zurück, solange ihre Antwort noch nicht verschickt ist",
			"en": "takes your last command mail back, as long as its answer has not left"}},
		{Word: "show", Aliases: []string{"get", "history", "zeigen"}, Takes: Optional, Anywhere: true, Usage: "#show [NUMBER]", Help: map[string]string{
			"de": "schickt Ihnen den Verlauf dieses Tickets, oder des genannten",
			"en": "sends you the history of this ticket, or of the one you name"}},
		{Word: "list", Aliases: []string{"index", "liste"}, Takes: Optional, Anywhere: true, Usage: "#list mine|unassigned|overdue|all|TEAM", Help: map[string]string{
			"de": "schickt Ihnen eine Liste offener Tickets, das dringendste zuerst",
			"en": "sends you a list of open tickets, what is due first at the top"}},
		{Word: "search", Aliases: []string{"find", "suche", "suchen"}, Takes: Required, Anywhere: true, Usage: "#search WORDS", Help: map[string]string{
			"de": "sucht Tickets, in denen alle Worte vorkommen: in Nummer, Betreff, Kunde, Schlagworten und den letzten Texten",
			"en": "finds tickets that have all the words: in number, subject, customer, tags and the last texts"}},
		{Word: "figures", Aliases: []string{"mynumbers", "stats", "zahlen"}, Anywhere: true, Usage: "#figures", Help: map[string]string{
			"de": "schickt Ihnen Ihre eigenen Zahlen, die niemand sonst bekommt",
			"en": "sends you your own numbers, which nobody else gets"}},
		{Word: "digest", Aliases: []string{"overview", "ueberblick", "überblick"}, Takes: Required, Anywhere: true, Usage: "#digest on|off", Help: map[string]string{
			"de": "schaltet Ihren täglichen Überblick ein (on) oder aus (off)",
			"en": "switches your daily overview on or off"}},
		{Word: "report", Aliases: []string{"bericht"}, Takes: Optional, Anywhere: true, Usage: "#report [week|TEAM]", Help: map[string]string{
			"de": "schickt Ihnen die Zahlen des Desks oder eines Teams",
			"en": "sends you the numbers of the desk or of a team"}},
		{Word: "why", Aliases: []string{"explain", "warum"}, Takes: Optional, Anywhere: true, Usage: "#why [NUMBER]", Help: map[string]string{
			"de": "sagt, warum das Ticket so eingeordnet wurde: jeden Wert mit Grund und Stelle in der Konfiguration (auf Englisch)",
			"en": "says why the ticket was put where it is: each value with its reason and its place in the configuration"}},
		{Word: "help", Aliases: []string{"refcard", "?", "hilfe", "befehle"}, Takes: Optional, Anywhere: true, Usage: "#help [WORD]", Help: map[string]string{
			"de": "schickt Ihnen diese Liste, oder was ein Befehl tut",
			"en": "sends you this list, or what one command does"}},
	}
}
