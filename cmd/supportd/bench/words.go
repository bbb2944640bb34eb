package bench

import "strings"

// vocabulary is what one language's mails are made of. Their sentences mean nothing; their letters, lengths and words are
// those of support mail.
type vocabulary struct {
	words    []string
	subjects []string // with one number each
	wrote    string   // introduces a quote, with one name
}

func germanWords() *vocabulary {
	return &vocabulary{
		words: strings.Fields(`Guten Tag seit dem Update gestern Abend startet unser Programm nicht mehr richtig und die Anmeldung bricht ab
			Können Sie bitte prüfen warum der Drucker im zweiten Stock nur leere Blätter ausgibt Meine Rechnung enthält einen falschen Betrag
			Die Lieferung für unsere Münchner Straße ist beschädigt angekommen Wir benötigen dringend Ersatz Vielen Dank für Ihre Mühe
			Das Passwort läuft ständig ab Außerdem möchte ich den Vertrag zum Jahresende kündigen Größe Gerät Verlängerung Störung Netzwerk
			Verbindung langsam Fehlermeldung erscheint beim Öffnen jeder Datei Rückruf erwünscht Beste Grüße aus Köln`),
		subjects: []string{"Drucker %d druckt nicht", "Frage zur Rechnung %d", "Lieferung %d beschädigt", "Störung seit Vorgang %d", "Kündigung Vertrag %d", "Passwort für Konto %d gesperrt"},
		wrote:    "Am Mo., 12. Jan. 2026 um 09:12 Uhr schrieb %s:",
	}
}

func englishWords() *vocabulary {
	return &vocabulary{
		words: strings.Fields(`Hello since the upgrade last night our application no longer starts and every login attempt ends with an error
			Could you please check why the printer on the second floor only gives out blank pages My invoice shows a wrong amount
			The parcel for our office arrived damaged and we urgently need a replacement Thank you for your help
			The password expires all the time I would also like to cancel the contract at the end of the year network outage device warranty
			connection slow message appears whenever somebody opens a file please call back best regards from Dublin`),
		subjects: []string{"Printer %d does not print", "Question about invoice %d", "Delivery %d arrived damaged", "Outage since case %d", "Cancel contract %d", "Account %d is locked"},
		wrote:    "On Mon, 12 Jan 2026 at 09:12, %s wrote:",
	}
}

var (
	firstNames = []string{"Anna", "Jürgen", "Peter", "Sabine", "Björn", "Zoé", "Thomas", "Katrin", "Wolf", "John", "Mary", "Robert", "Linda", "Günther", "Søren", "Max", "Erika"}
	lastNames  = []string{"Schmidt", "Müller", "Weiß", "Fischer", "Meyer", "Wagner", "Becker", "Schäfer", "Koch", "Smith", "Johnson", "Brown", "Bauer", "Richter", "Klein"}
	domains    = []string{"example.com", "example.org", "example.net", "customer.example", "firma.example", "shop.example", "uni.example"}
)
