package command

// fields has the commands that put right what the desk decided about a ticket.
func fields() []Row {
	return []Row{
		{Word: "cat", Aliases: []string{"category", "kategorie", "type"}, Takes: Required, Usage: "#cat CATEGORY", Help: map[string]string{
			"de": "berichtigt, worum es geht (Kategorie, so weit ihr Name eindeutig ist); daraus lernt der Desk",
			"en": "puts right what it is about (category, as much of its name as is unique); the desk learns from it"}},
		{Word: "priority", Aliases: []string{"prio", "severity", "prioritaet", "priorität"}, Takes: Required, Usage: "#priority P2 REASON",
			Short: map[string]string{"urgent": "urgent", "dringend": "urgent", "high": "high", "hoch": "high", "normal": "normal", "low": "low", "niedrig": "low"}, Help: map[string]string{
				"de": "setzt die Priorität von Hand, mit Grund; #priority auto nimmt wieder die aus Auswirkung und Dringlichkeit",
				"en": "sets the priority by hand, with a reason; #priority auto takes the one of impact and urgency again"}},
		{Word: "impact", Aliases: []string{"auswirkung"}, Takes: Required, Usage: "#impact high|medium|low", Help: map[string]string{
			"de": "berichtigt die Auswirkung: hoch, mittel oder niedrig",
			"en": "puts right how much is affected"}},
		{Word: "urgency", Aliases: []string{"dringlichkeit"}, Takes: Required, Usage: "#urgency high|medium|low", Help: map[string]string{
			"de": "berichtigt die Dringlichkeit: hoch, mittel oder niedrig",
			"en": "puts right how soon it is needed"}},
		{Word: "ci", Aliases: []string{"item", "asset", "geraet", "gerät"}, Takes: Required, Usage: "#ci NAME", Help: map[string]string{
			"de": "nennt das betroffene Gerät oder System (Konfigurationselement), oder unknown",
			"en": "names the configuration item that is affected, or unknown"}},
		{Word: "reroute", Aliases: []string{"neuzuordnen"}, Usage: "#reroute", Help: map[string]string{
			"de": "entscheidet neu, wohin das Ticket gehört; was Menschen berichtigt haben, bleibt",
			"en": "decides anew where the ticket belongs; what people have put right stays"}},
	}
}
