package model

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// A small desk: categories with the things and the troubles people write about, in German and English.
func deskWords() map[string][2][]string {
	return map[string][2][]string{
		"access.password":  {{"mein Passwort", "das Kennwort", "my password", "mein Benutzerkonto", "the login"}, {"ist gesperrt", "abgelaufen", "vergessen", "is locked", "expired again", "zurücksetzen bitte"}},
		"hardware.printer": {{"der Drucker", "der Laserdrucker im Flur", "the printer", "das Multifunktionsgerät", "toner cartridge"}, {"druckt nicht mehr", "Papierstau seit heute", "paper jam", "ist leer", "prints blank pages", "zieht kein Papier"}},
		"network.vpn":      {{"die VPN-Verbindung", "der Tunnel", "the vpn client", "Einwahl von zuhause", "FortiClient"}, {"bricht ständig ab", "cannot connect", "Zeitüberschreitung", "drops every hour", "verbindet nicht"}},
		"software.install": {{"bitte Visio", "eine Lizenz für Acrobat", "please install Slack", "die neue Software", "an update"}, {"installieren", "auf meinem Notebook", "is needed for a project", "freischalten", "einrichten lassen"}},
		"app.invoice":      {{"der Rechnungslauf", "die Buchung", "the invoice run", "eine Gutschrift", "posting"}, {"wurde doppelt gebucht", "shows the wrong amount", "lässt sich nicht abschließen", "is missing", "Betrag stimmt nicht"}},
		"security.phishing": {{"verdächtige Mail", "a suspicious email", "angeblich von der Bank", "a strange attachment", "eine Phishing-Nachricht"},
			{"soll ich darauf klicken?", "asks for my bank data", "Link zu fremder Seite", "received this morning", "möchte meine Daten"}},
	}
}

// desk draws n examples of every category.
func desk(n int, seed uint64) []Example {
	rng := rand.New(rand.NewPCG(seed, 7))
	hello := []string{"Hallo,", "Guten Morgen,", "Hi team,", "Dear support,", ""}
	end := []string{"Danke!", "Viele Grüße", "thanks a lot", "Bitte um Hilfe.", ""}
	pick := func(list []string) string { return list[rng.IntN(len(list))] }
	var all []Example
	words := deskWords()
	for _, label := range []string{"access.password", "app.invoice", "hardware.printer", "network.vpn", "security.phishing", "software.install"} {
		for range n {
			w := words[label]
			all = append(all, Example{label, strings.Join([]string{pick(hello), pick(w[0]), pick(w[1]), pick(end)}, " ")})
		}
	}
	rng.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	return all
}

// deskSignals are what an admin would write.
func deskSignals() map[string]map[string]float64 {
	return map[string]map[string]float64{
		"access.password":  {"passwort": 3, "kennwort": 3, "password": 3, "gesperrt": 2, "login": 1},
		"hardware.printer": {"drucker": 3, "printer": 3, "toner": 2, "papierstau": 3, "paper jam": 3},
		"network.vpn":      {"vpn": 4, "tunnel": 1, "einwahl": 2, "größe der pakete": 3},
		"network.wlan":     {"wlan": 3, "lan": 1, "kein netz": 3},
		"database":         {"ora-": 4, "timeout": 1, "straße": 3},
	}
}

func mustTrain(t testing.TB, o Options, examples []Example, priors map[string]map[string]float64, names map[string][]string, loose []string) *Model {
	t.Helper()
	m, err := Train(o, examples, priors, names, loose)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// noise is n texts of words that mean nothing, each with one of k labels drawn by lot.
func noise(n, k int, seed uint64) []Example {
	rng := rand.New(rand.NewPCG(seed, 11))
	var all []Example
	for range n {
		var words []string
		for range 8 {
			words = append(words, fmt.Sprintf("w%03d", rng.IntN(300)))
		}
		all = append(all, Example{fmt.Sprintf("c%d", rng.IntN(k)), strings.Join(words, " ")})
	}
	return all
}
