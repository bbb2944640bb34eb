package command

// standard has the command that sends a standard answer.
func standard() []Row {
	return []Row{
		{Word: "send", Aliases: []string{"canned", "macro", "template", "snippet", "senden"}, Takes: Required, Reaches: true, Usage: "#send NAME", Help: map[string]string{
			"de": "schickt dem Kunden die Standardantwort NAME; eigener Text darunter steht in der Mail darüber",
			"en": "sends the customer the standard answer NAME; text of your own stands above it in the mail"}},
	}
}
