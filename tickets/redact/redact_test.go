package redact

import (
	"strings"
	"testing"
)

func all(language string) Rules {
	return Rules{What: []string{Phone, PrivateAddress, Credentials}, Names: []string{"Sabine Krause", "Muster & Söhne GmbH"},
		Keep: []string{"vendor.example"}, Language: language}
}

func TestTakesOut(t *testing.T) {
	for text, want := range map[string]string{
		"Frau Krause meldet":                              "Frau [Name] meldet",
		"Sabine Krauses Notebook":                         "[Name] Notebook",
		"Bei SABINE KRAUSE und bei Sabine":                "Bei [Name] und bei [Name]",
		"Krauser und Vorkrause bleiben":                   "Krauser und Vorkrause bleiben",
		"Muster & Söhne GmbH sagt":                        "[Name] sagt",
		"s.krause@muster.example oder tac@vendor.example": "[Mailadresse] oder tac@vendor.example",
		"Tel. 040 / 123 456-78, bitte":                    "Tel. [Telefonnummer], bitte",
		"Rückruf: +49 (0)40 1234567":                      "Rückruf: [Telefonnummer]",
		"Durchwahl 4711":                                  "Durchwahl [Telefonnummer]",
		"00491711234567":                                  "[Telefonnummer]",
		"(040) 1234567":                                   "[Telefonnummer]",
		"Passwort: geheim!1":                              "Passwort: [Zugangsdaten]",
		"das Kennwort lautet \"zwei Worte\" glaube ich":   "das Kennwort lautet [Zugangsdaten] glaube ich",
		"password for admin is hunter2":                   "password for admin is [Zugangsdaten]",
		"DB_PASSWORD=x1y2":                                "DB_PASSWORD=[Zugangsdaten]",
		"PIN = 1234":                                      "PIN = [Zugangsdaten]",
		"https://kim:pw@host/x":                           "https://[Zugangsdaten]@host/x",
		"Authorization: Bearer abcdefghijklmnop":          "Authorization: Bearer [Zugangsdaten]",
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nEnde": "[Zugangsdaten]\nEnde",
		"Hauptstraße 12a, 20095 Hamburg kommt":                                       "[Anschrift] kommt",
		"wohnt Am Rathaus-Platz 5":                                                   "wohnt [Anschrift]",
		"at 12 High Street, SW1A 1AA today":                                          "at [Anschrift] today",
	} {
		if got, _ := all("de").Text(text); got != want {
			t.Errorf("%q\n is   %q\n want %q", text, got, want)
		}
	}
}

// What a vendor needs stays: dates, times, addresses of the network, versions, codes, paths.
func TestLeaves(t *testing.T) {
	for _, text := range []string{
		"Am 24.11.2026 um 09:41 Uhr, 2026-11-24T09:41:00", "10.0.0.1 und 192.168.10.20 und 0.0.0.0", "FortiOS 7.4.3 build 2573", "Fehler 0x80070005, Code 4711",
		"ORA-00060: deadlock detected", "/var/log/vpn.log", "SRV-0042 und NB-20001", "[Name] und [Anschrift]", "Nr. 12345 Timeout nach 30 s", "20 % von 1500 Paketen",
		"Das Passwort wurde abgelehnt.", "Token abgelaufen", "Port 500 und 4500", "Ticket 1234567", "TLS 1.2, RFC 5322",
	} {
		if got, found := all("de").Text(text); got != text || found != nil {
			t.Errorf("%q became %q, found %v", text, got, found)
		}
	}
}

func TestOnlyWhatIsAskedFor(t *testing.T) {
	text := "Sabine Krause, s.krause@muster.example, Tel. 040 1234567, Passwort: x, Hauptstraße 1"
	r := Rules{Names: []string{"Sabine Krause"}}
	got, found := r.Text(text)
	if got != "[name], [mail address], Tel. 040 1234567, Passwort: x, Hauptstraße 1" {
		t.Errorf("got %q", got)
	}
	if len(found) != 2 || found[0] != (Found{Name, 1}) || found[1] != (Found{Mail, 1}) {
		t.Errorf("found %v", found)
	}
}

// FuzzText holds: no canary comes through, and a second pass changes nothing.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "Tel. ", "Passwort: ", "a@b.c", "[", "Krause", "\n\n", "x=", "ß"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		text := before + " s.krause@muster.example \nPasswort: canary-secret\nSabine Krause\n" + after
		got, _ := all("en").Text(text)
		if strings.Contains(got, "s.krause@muster.example") && !strings.Contains(before+after, "s.krause@muster.example") || strings.Contains(got, "\nSabine Krause\n") {
			t.Fatalf("%q became %q", text, got)
		}
	})
}
