package command

// newMail has the commands of a mail that answers none of the desk's: a ticket in somebody's name, and work on tickets
// by their numbers.
func newMail() []Row {
	return []Row{
		{Word: "for", Aliases: []string{"behalf", "onbehalf", "fuer", "für"}, Takes: Required, Anywhere: true, Reaches: true, Usage: "#for ADDRESS", Help: map[string]string{
			"de": "in einer neuen Mail: eröffnet ein Ticket im Namen dieser Person; mit Nummern statt einer Adresse: die Befehle gelten für diese Tickets",
			"en": "in a new mail: opens a ticket in that person's name; with numbers instead of an address: the commands are for those tickets"}},
		{Word: "fwd", Aliases: []string{"forward", "forwarded", "weitergeleitet"}, Anywhere: true, Reaches: true, Usage: "#fwd", Help: map[string]string{
			"de": "in einer weitergeleiteten Mail: eröffnet ein Ticket für ihren Absender und bestätigt es ihm; Ihr Text bleibt intern",
			"en": "in a forwarded mail: opens a ticket for its sender and tells them; your own text stays inside"}},
		{Word: "call", Aliases: []string{"phone", "anruf", "telefon", "telefonat"}, Takes: Optional, Anywhere: true, Usage: "#call [12min]", Help: map[string]string{
			"de": "ein Telefonat, mit seiner Dauer: im Ticket als Notiz, in einer neuen Mail mit #for als Ticket",
			"en": "a phone call, with how long it took: on a ticket it is a note, in a new mail with #for it opens a ticket"}},
		{Word: "channel", Aliases: []string{"kanal", "via"}, Takes: Required, Anywhere: true, Choices: []string{"phone", "telefon", "chat", "onsite", "vorort", "mail"}, Usage: "#channel phone|chat|onsite", Help: map[string]string{
			"de": "in einer neuen Mail mit #for: auf welchem Weg das Anliegen kam",
			"en": "in a new mail with #for: how it came in"}},
		{Word: "at", Takes: Required, Anywhere: true, Usage: "#at 14:05", Help: map[string]string{
			"de": "in einer neuen Mail mit #for: wann es war; ab da laufen die Fristen",
			"en": "in a new mail with #for: when that was; the clocks start then"}},
		{Word: "ticket", Aliases: []string{"nummer", "number", "nr"}, Takes: Required, Anywhere: true, Usage: "#ticket NUMBER", Help: map[string]string{
			"de": "in einer neuen Mail: die Befehle gelten für dieses Ticket; nur solche, die nichts an den Kunden schicken",
			"en": "in a new mail: the commands are for that ticket; only those that send the customer nothing"}},
	}
}
