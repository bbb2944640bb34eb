package command

// people has the commands about who takes part, who gets mail, and what of a mail is sent.
func people() []Row {
	return []Row{
		{Word: "queue", Aliases: []string{"group", "team", "move", "department", "warteschlange"}, Takes: Required, Usage: "#queue TEAM", Help: map[string]string{
			"de": "gibt das Ticket an ein anderes Team",
			"en": "gives the ticket to another team"}},
		{Word: "requester", Aliases: []string{"requestor", "submitter", "from", "customer", "converttoticket", "kunde"}, Takes: Required, Reaches: true, Usage: "#requester ADDRESS", Help: map[string]string{
			"de": "macht diese Adresse zum Kunden des Tickets",
			"en": "makes that address the ticket's customer"}},
		{Word: "cc", Aliases: []string{"addcc", "addcontact", "invite", "inviteemail", "nosy", "kopie"}, Takes: Required, Reaches: true, Usage: "#cc +ADDRESS -ADDRESS", Help: map[string]string{
			"de": "nimmt jemanden auf, der Antworten in Kopie bekommt und antworten darf; mit einem Minus davor nimmt es ihn heraus",
			"en": "adds somebody who gets answers in copy and may answer; with a minus before it takes them off"}},
		{Word: "delcc", Aliases: []string{"uncc", "removecc"}, Takes: Required, Reaches: true, Usage: "#delcc ADDRESS", Help: map[string]string{
			"de": "nimmt jemanden aus dem Ticket heraus",
			"en": "takes somebody off the ticket"}},
		{Word: "watch", Aliases: []string{"subscribe", "follow", "track", "notify", "addadmincc", "beobachten"}, Takes: Optional, Usage: "#watch [NAME]", Help: map[string]string{
			"de": "schickt Ihnen, oder der genannten Person im Service, ab jetzt alles zu diesem Ticket",
			"en": "sends you, or the agent you name, everything about the ticket from now on"}},
		{Word: "mute", Aliases: []string{"unwatch", "unsubscribe", "ignore", "unfollow", "stumm"}, Usage: "#mute", Help: map[string]string{
			"de": "schickt Ihnen zu diesem Ticket nichts mehr, solange Sie es nicht bearbeiten",
			"en": "sends you nothing more about the ticket unless you work on it"}},
		{Word: "nocc", Usage: "#nocc", Aliases: []string{"ohnekopie"}, Help: map[string]string{
			"de": "schickt diese Antwort nur an den Kunden, ohne Kopien",
			"en": "sends this answer to the customer only, without copies"}},
		{Word: "noreply", Aliases: []string{"quietpost", "commandsonly"}, Usage: "#noreply", Help: map[string]string{
			"de": "schickt dem Kunden nichts: der Text bleibt als Notiz, auch die Lösung wird nicht gemeldet",
			"en": "sends the customer nothing: the text stays as a note, and a solution is not announced"}},
		{Word: "quiet", Aliases: []string{"leise", "noreceipt"}, Usage: "#quiet", Help: map[string]string{
			"de": "lässt die Quittung weg",
			"en": "omits the receipt"}},
		{Word: "post", Aliases: []string{"postanyway", "trotzdem"}, Reaches: true, Usage: "#post", Help: map[string]string{
			"de": "schickt den Text, der eben abgelehnt wurde, trotzdem an den Kunden; die Befehle der Mail bleiben ungetan",
			"en": "sends the text that was just refused to the customer after all; the commands of that mail stay undone"}},
	}
}
