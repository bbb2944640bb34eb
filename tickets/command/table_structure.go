package command

// scheduling has the commands about appointments.
func scheduling() []Row {
	return []Row{
		{Word: "schedule", Aliases: []string{"appointment", "termin"}, Takes: Required, Reaches: true, Usage: "#schedule WHEN", Help: map[string]string{
			"de": "vereinbart einen Termin mit dem Kunden, etwa #schedule morgen 14:00; der Text darunter geht mit",
			"en": "makes an appointment with the customer, such as #schedule tomorrow 14:00; the text below goes with it"}},
	}
}

// structure has the commands about several tickets, and the one that sets a ticket aside.
func structure() []Row {
	return []Row{
		{Word: "merge", Aliases: []string{"forcemerge", "zusammenfuehren", "zusammenführen"}, Takes: Required, Reaches: true, Usage: "#merge NUMBER", Help: map[string]string{
			"de": "macht das Ticket zu einem Teil von NUMBER; nur Tickets derselben Person",
			"en": "makes the ticket a part of NUMBER; only tickets of the same person"}},
		{Word: "unmerge", Aliases: []string{"trennen"}, Takes: Optional, Reaches: true, Usage: "#unmerge [NUMBER]", Help: map[string]string{
			"de": "macht ein zusammengeführtes Ticket wieder eigenständig",
			"en": "makes a merged ticket stand on its own again"}},
		{Word: "duplicate", Aliases: []string{"dup", "doppelt"}, Takes: Required, Reaches: true, Usage: "#duplicate NUMBER", Help: map[string]string{
			"de": "dasselbe wie NUMBER: führt zusammen oder verknüpft, wenn es zwei Personen sind",
			"en": "the same as NUMBER: merges, or links when there are two persons"}},
		{Word: "link", Aliases: []string{"relate", "refersto", "referredtoby", "dependson", "dependedonby", "memberof", "block", "blocks", "blockedby", "verknuepfen", "verknüpfen"}, Takes: Required, Usage: "#link NUMBER", Help: map[string]string{
			"de": "notiert an beiden Tickets, dass sie zusammengehören",
			"en": "notes on both tickets that they belong together"}},
		{Word: "split", Aliases: []string{"new", "abtrennen"}, Takes: Optional, Usage: "#split [SUBJECT]", Help: map[string]string{
			"de": "eröffnet für die letzte Nachricht des Kunden ein eigenes Ticket",
			"en": "opens a ticket of its own for the customer's last message"}},
		{Word: "spam", Aliases: []string{"junk", "delete", "deleted"}, Usage: "#spam", Help: map[string]string{
			"de": "legt das Ticket in die Quarantäne; #release holt es zurück",
			"en": "puts the ticket into quarantine; #release brings it back"}},
	}
}
