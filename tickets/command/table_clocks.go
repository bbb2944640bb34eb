package command

// clocks has the commands that answer an escalation.
func clocks() []Row {
	return []Row{
		{Word: "ack", Aliases: []string{"acknowledge", "seen", "gesehen", "quittieren"}, Usage: "#ack", Help: map[string]string{
			"de": "bestätigt eine Eskalation: Sie wird Ihnen nicht wiederholt; die Frist läuft weiter",
			"en": "acknowledges an escalation: it is not repeated; the deadline stands"}},
		{Word: "more", Aliases: []string{"moretime", "extend", "laenger", "länger"}, Takes: Required, Usage: "#more 30m REASON", Help: map[string]string{
			"de": "gibt Ihrem Team mehr Zeit, bevor das Ticket übergeben werden soll; mit Grund",
			"en": "gives your team more time before the ticket should be handed over; with the reason"}},
	}
}
