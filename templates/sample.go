package templates

import (
	"time"

	"supportd/tickets"
)

// SamplePublic is a view to try and to show templates with: everything filled, or as little as can be.
func SamplePublic(lang string, full bool) tickets.PublicView {
	v := tickets.PublicView{Language: lang, Desk: "Nordwind Service", DeskAddress: "service@nordwind.example", Number: "NW-2026-004711"}
	if !full {
		return v
	}
	v.Zone = sampleZone()
	at := time.Date(2026, time.November, 27, 15, 4, 0, 0, v.Zone)
	v.Requester, v.Agent = "Kim Krause", "Jan Petersen"
	v.QuoteFrom, v.QuoteAt = "Kim Krause", at
	v.PromisedBy = time.Date(2026, time.November, 30, 10, 40, 0, 0, v.Zone)
	v.ReopenUntil = time.Date(2026, time.December, 14, 17, 0, 0, 0, v.Zone)
	v.FollowUpOf = "NW-2026-003999"
	if lang == "de" {
		v.Subject = "Drucker im Empfang druckt nur leere Seiten"
		v.Text = "Bitte tauschen Sie die Tonerkassette aus. Eine neue liegt im Schrank neben dem Gerät.\n\nDruckt er danach wieder?"
		v.Quote = "Guten Tag,\n\nseit heute Morgen druckt das Gerät nur leere Seiten.\nIm Display steht: Fehler 79.\n\nKim Krause"
		return v
	}
	v.Subject = "Reception printer only prints blank pages"
	v.Text = "Please replace the toner cartridge. You will find a new one in the cupboard beside the printer.\n\nDoes it print again after that?"
	v.Quote = "Hello,\n\nsince this morning the printer only prints blank pages.\nThe display says: error 79.\n\nKim Krause"
	return v
}

// SampleInternal is the same for staff.
func SampleInternal(lang string, full bool) tickets.InternalView {
	v := tickets.InternalView{Language: lang, Desk: "Nordwind Service", DeskAddress: "service@nordwind.example", Number: "NW-2026-004711",
		Lines: []tickets.Line{{OK: true, Key: "did.nothing"}}}
	if !full {
		return v
	}
	p := SamplePublic(lang, true)
	v.Zone, v.Subject, v.Text, v.TextFrom, v.TextAt = p.Zone, p.Subject, p.Quote, p.QuoteFrom, p.QuoteAt
	v.State, v.Team, v.Tier, v.Priority, v.Assignee = tickets.StateOpen, "Service Desk", 1, "P3", "Jan Petersen"
	v.Requester, v.ReplyIsPublic = tickets.Address{Name: "Kim Krause", Mail: "kim.krause@customer.example"}, true
	v.Attachments = []tickets.Attachment{
		{Name: "display.jpg", Type: "image/jpeg", Size: 184_320}, {Name: "driver.exe", Type: "application/x-msdownload", Size: 2_400_000, Dangerous: true}}
	v.Deadlines = []tickets.Deadline{
		{Clock: "first_response", Due: p.PromisedBy.Add(-72 * time.Hour), Over: true}, {Clock: "resolve", Due: p.PromisedBy.Add(6 * time.Hour)}}
	v.Lines = []tickets.Line{
		{OK: true, Key: "did.reply", Args: map[string]string{"to": v.Requester.Mail}},
		{OK: true, Key: "did.solve", Args: map[string]string{"until": p.ReopenUntil.Format(time.RFC3339)}},
	}
	v.Sent, v.SentTo = p.Text, []string{v.Requester.Mail}
	v.Commands = []string{"#take", "#solve", "#assign NAME"}
	v.Hints = []string{"NW-2026-004402"}
	if lang == "de" {
		v.Warnings = []string{"Die Adresse des Absenders ist nicht bestätigt."}
		v.Recent = []tickets.RecentEntry{{At: p.QuoteAt, Who: "Jan Petersen", What: "hat das Ticket übernommen"}}
		v.Quoted = "Am Freitag schrieb der Hersteller:\n> Bitte den Treiber 4.2 verwenden."
		return v
	}
	v.Warnings = []string{"The sender's address is not verified."}
	v.Recent = []tickets.RecentEntry{{At: p.QuoteAt, Who: "Jan Petersen", What: "took the ticket"}}
	v.Quoted = "On Friday the manufacturer wrote:\n> Please use driver 4.2."
	return v
}

// sampleZone is Central European Time in winter, without need of a zone database.
func sampleZone() *time.Location { return time.FixedZone("CET", 60*60) }
