package command

// details has the commands that change what a ticket says of itself, and when it comes back.
func details() []Row {
	return []Row{
		{Word: "tag", Aliases: []string{"tags", "label", "labels", "relabel", "keyword", "keywords", "schlagwort"}, Takes: Required, Usage: "#tag NAME -NAME", Help: map[string]string{
			"de": "hängt Schlagworte an; mit einem Minus davor nimmt es sie ab",
			"en": "adds tags; with a minus before it takes one off"}},
		{Word: "untag", Aliases: []string{"unlabel", "removelabel", "removetag"}, Takes: Required, Usage: "#untag NAME", Help: map[string]string{
			"de": "nimmt Schlagworte ab",
			"en": "takes tags off"}},
		{Word: "subject", Aliases: []string{"title", "retitle", "betreff"}, Takes: Required, Usage: "#subject TEXT", Help: map[string]string{
			"de": "gibt dem Ticket einen anderen Betreff",
			"en": "gives the ticket another subject"}},
		{Word: "due", Aliases: []string{"deadline", "faellig", "fällig"}, Takes: Required, Usage: "#due WHEN", Help: map[string]string{
			"de": "setzt ein Datum, an dem die Bearbeitung erinnert wird, wenn das Ticket dann noch offen ist; #due none löscht es",
			"en": "sets a date on which whoever works on the ticket is reminded if it is still open; #due none takes it off"}},
		{Word: "snooze", Aliases: []string{"remind", "remindme", "defer", "erinnern", "wiedervorlage"}, Takes: Required, Usage: "#snooze WHEN", Help: map[string]string{
			"de": "legt Ihnen das Ticket zu dieser Zeit wieder vor",
			"en": "brings the ticket back to you at that time"}},
		{Word: "hold", Aliases: []string{"onhold", "zurückstellen", "zurueckstellen"}, Takes: Optional, Usage: "#hold [WHEN]", Help: map[string]string{
			"de": "stellt das Ticket zurück und legt es Ihnen wieder vor: ohne Zeit nach drei Arbeitstagen",
			"en": "puts the ticket aside and brings it back to you: without a time after three working days"}},
		{Word: "time", Aliases: []string{"spend", "timeworked", "spent", "zeit"}, Takes: Required, Usage: "#time 15m", Help: map[string]string{
			"de": "schreibt Arbeitszeit auf",
			"en": "notes time spent"}},
		{Word: "sla", Aliases: []string{"servicelevel"}, Takes: Required, Usage: "#sla NAME", Help: map[string]string{
			"de": "gibt dem Ticket eine andere Zusage (Service-Level)",
			"en": "gives the ticket another service level"}},
		{Word: "lang", Aliases: []string{"language", "sprache"}, Takes: Required, Usage: "#lang de", Help: map[string]string{
			"de": "wählt die Sprache der Mails an den Kunden",
			"en": "chooses the language of the mails to the customer"}},
		{Word: "status", Aliases: []string{"state", "zustand"}, Takes: Required, Usage: "#status NAME", Means: map[string]string{
			"solved": "solve", "resolved": "solve", "closed": "solve", "close": "solve", "done": "solve", "fixed": "solve", "gelöst": "solve", "geloest": "solve", "erledigt": "solve", "geschlossen": "solve",
			"open": "reopen", "reopened": "reopen", "offen": "reopen", "wieder offen": "reopen", "pending": "pending", "waiting": "pending", "stalled": "pending", "wartend": "pending", "wartet": "pending",
			"hold": "hold", "onhold": "hold", "on hold": "hold", "deleted": "spam", "spam": "spam", "rejected": "spam", "zurückgestellt": "hold", "inprogress": "take", "in progress": "take", "in bearbeitung": "take",
		}, Help: map[string]string{
			"de": "dasselbe wie der Befehl dieses Zustands: #status solved ist #solve",
			"en": "the same as the command of that state: #status solved is #solve"}},
		{Word: "set", Aliases: []string{"field", "cf", "setze"}, Takes: Required, Sets: true, Usage: "#set FIELD=VALUE", Help: map[string]string{
			"de": "dasselbe wie der Befehl dieses Feldes: #set tag=vpn ist #tag vpn",
			"en": "the same as the command of that field: #set tag=vpn is #tag vpn"}},
	}
}
