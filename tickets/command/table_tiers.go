package command

// tiers has the commands that hand a ticket on: to another team, a colleague, a third party, and those who are there.
func tiers() []Row {
	return []Row{
		{Word: "escalate", Aliases: []string{"up", "bump", "eskalieren", "eskaliere", "uebergeben", "übergeben"}, Takes: Optional, Reaches: true, Usage: "#escalate TEAM REASON", Help: map[string]string{
			"de": "übergibt das Ticket an ein Fachteam (Name oder Fachgebiet; ohne: das der Kategorie); was fehlt, wird gefragt",
			"en": "hands the ticket to a team that knows more (name or skill; without: the category's); what is missing is asked for"}},
		{Word: "escalate!", Aliases: []string{"eskalieren!"}, Takes: Required, Reaches: true, Usage: "#escalate! REASON", Help: map[string]string{
			"de": "übergibt trotz fehlender Angaben, wenn zweimal gefragt wurde; der Grund wird gezählt",
			"en": "hands it over although something is missing, after it was asked for twice; the reason is counted"}},
		{Word: "tier", Aliases: []string{"level", "stufe"}, Takes: Required, Reaches: true, Usage: "#tier 2|3", Help: map[string]string{
			"de": "übergibt an das Team der genannten Stufe",
			"en": "hands the ticket to the team of that tier"}},
		{Word: "accept", Aliases: []string{"annehmen"}, Takes: Optional, Usage: "#accept 1|2|3", Help: map[string]string{
			"de": "nimmt ein übergebenes Ticket an; die Zahl sagt, wie gut die Angaben waren (3 ist am besten)",
			"en": "takes a ticket that was handed over; the number says how good the packet was (3 is best)"}},
		{Word: "return", Aliases: []string{"down", "deescalate", "sendback", "zurueckgeben", "zurückgeben"}, Takes: Optional, Usage: "#return REASON", Help: map[string]string{
			"de": "gibt ein übergebenes Ticket mit Grund zurück; beim zweiten Mal entscheiden die Leitungen",
			"en": "gives a ticket that was handed over back, with a reason; the second time the leads decide"}},
		{Word: "t1able", Usage: "#t1able", Help: map[string]string{
			"de": "sagt beim Lösen, dass es das nächste Mal Stufe 1 kann",
			"en": "says, when solving, that tier 1 can do it next time"}},
		{Word: "ask", Aliases: []string{"consult", "frage", "fragen"}, Takes: Required, Usage: "#ask TEAM|NAME QUESTION", Help: map[string]string{
			"de": "fragt ein Team oder eine Person; die Antwort bleibt intern und kommt zu Ihnen",
			"en": "asks a team or a person; the answer stays inside and comes to you"}},
		{Word: "vendor", Aliases: []string{"side", "hersteller"}, Takes: Required, Usage: "#vendor NAME TEXT", Help: map[string]string{
			"de": "entwirft eine Anfrage an einen Hersteller und zeigt sie Ihnen; #ok schickt sie ab",
			"en": "drafts a request to a third party and shows it to you; #ok sends it"}},
		{Word: "ok", Aliases: []string{"okay"}, Reaches: true, Usage: "#ok", Help: map[string]string{
			"de": "schickt ab, was Ihnen vorher gezeigt wurde",
			"en": "sends what you were shown before"}},
		{Word: "absent", Aliases: []string{"away", "abwesend"}, Takes: Required, Usage: "#absent until DATE", Help: map[string]string{
			"de": "meldet Sie bis zu diesem Tag ab; Ihre Tickets gehen so lange an das Team",
			"en": "says that you are away until that day; your tickets go to the team meanwhile"}},
		{Word: "back", Aliases: []string{"wiederda"}, Usage: "#back", Help: map[string]string{
			"de": "meldet Sie zurück",
			"en": "says that you are there again"}},
	}
}
