package templates

import (
	"time"

	"supportd/tickets"
)

// Sample renders a template, or a standard answer as answer/NAME, with made-up data: everything filled, or as little as
// can be.
func (s *Set) Sample(name, lang string, full bool) (tickets.Rendered, error) {
	switch sp, _ := specOf(name); sp.audience {
	case audienceInternal:
		return s.Internal(name, SampleInternal(name, lang, full))
	case audienceVendor:
		return s.Vendor(name, SampleVendor(lang, full))
	}
	v := SamplePublic(lang, full)
	if name == tickets.TemplateAutoAnswer {
		v.ReopenUntil = time.Time{} // the ticket stays open, as it does unless it is configured otherwise
	}
	return s.Public(name, v)
}

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
	v.State = tickets.StateOpen
	v.Appointment = time.Date(2026, time.December, 1, 14, 0, 0, 0, v.Zone)
	v.AnswerBy = time.Date(2026, time.December, 7, 10, 40, 0, 0, v.Zone)
	v.FollowUpOf = "NW-2026-003999"
	v.Questions = []string{"device", "error_text"}
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

// SampleInternal is the same for one of the templates for staff.
func SampleInternal(template, lang string, full bool) tickets.InternalView {
	v := tickets.InternalView{Language: lang, Desk: "Nordwind Service", DeskAddress: "service@nordwind.example", Number: "NW-2026-004711"}
	v.Zone = sampleZone()
	v.Lines = sampleLines(template, full)
	v.ReplyIsPublic, v.Mode = sampleReply(template)
	if !full {
		return v
	}
	p := SamplePublic(lang, true)
	v.Subject, v.Text, v.TextFrom, v.TextAt = p.Subject, p.Quote, "kim.krause@customer.example", p.QuoteAt
	v.State, v.Team, v.Tier, v.Priority, v.Assignee = tickets.StateOpen, "Service Desk", 1, "P3", "jan.petersen@nordwind.example"
	v.PriorityBy, v.Category, v.Item = "kim.brandt@nordwind.example", "hardware.printer", "PRN-0042"
	v.Requester, v.Verified = tickets.Address{Name: "Kim Krause", Mail: "kim.krause@customer.example"}, template != tickets.TemplateHeld
	v.Attachments = []tickets.Attachment{
		{Name: "display.jpg", Type: "image/jpeg", Size: 184_320}, {Name: "driver.exe", Type: "application/x-msdownload", Size: 2_400_000, Dangerous: true}}
	v.Deadlines = []tickets.Deadline{
		{Clock: "first_response", Due: p.PromisedBy.Add(-72 * time.Hour), Over: true}, {Clock: "resolve", Due: p.PromisedBy.Add(6 * time.Hour)}}
	v.Commands = []string{"#take", "#solve", "#assign NAME"}
	v.Hints = []string{"NW-2026-004402"}
	v.PriorityWhy, v.Checklist, v.Quoted = "board meeting", "- look at the display\n- print a test page", "On Friday the manufacturer wrote:\n> Please use driver 4.2."
	v.Warnings = []string{"Reply-To: names another domain than From"}
	took := "took the ticket"
	v.Organisation, v.VIP, v.Phone, v.Speaks, v.Level = "Krause & Partner", true, "+49 40 123456-78", lang, "gold"
	if template == tickets.TemplateTicketToTeam {
		v.Similar, v.Suggestions = sampleSimilar(p), sampleSuggestions()
	}
	if lang == "de" {
		v.PriorityWhy, v.Checklist, v.Quoted = "Sitzung des Vorstands", "- Meldung im Display lesen\n- Testseite drucken", "Am Freitag schrieb der Hersteller:\n> Bitte den Treiber 4.2 verwenden."
		v.Warnings = []string{"Reply-To: nennt eine andere Domain als From"}
		took = "hat das Ticket übernommen"
	}
	v.Recent = []tickets.RecentEntry{{At: p.QuoteAt, Who: "Jan Petersen", What: took}}
	v.Form = sampleForm(lang)
	if template == tickets.TemplateVendorDraft {
		w := SampleVendor(lang, true)
		v.Text, v.Sent, v.SentTo = "", w.Subject+"\n\n"+w.Text, []string{"tac@fortinet.example"}
	}
	if template == tickets.TemplateReceipt {
		v.Text, v.Sent, v.SentTo = "", p.Text, []string{v.Requester.Mail}
	}
	if template == tickets.TemplateGathered {
		listed := []tickets.Listed{{Number: v.Number, Subject: v.Subject, State: v.State, Lines: sampleLines(tickets.TemplateEscalation, full)}}
		if full {
			listed[0].Priority, listed[0].Assignee = v.Priority, v.Assignee
			listed = append(listed, tickets.Listed{Number: "NW-2026-004712", Subject: "VPN", State: tickets.StateNew, Lines: sampleLines(tickets.TemplateSafety, full)})
		}
		return tickets.InternalView{Language: lang, Desk: v.Desk, DeskAddress: v.DeskAddress, Requester: v.Requester, Mode: v.Mode, Listed: listed, Zone: v.Zone}
	}
	if template == tickets.TemplateMany {
		return sampleMany(v, p)
	}
	if template == tickets.TemplatePersonal || template == tickets.TemplateLead {
		return sampleOverview(template, v, p)
	}
	if template == tickets.TemplateHealth {
		return tickets.InternalView{Language: lang, Desk: v.Desk, DeskAddress: v.DeskAddress, Lines: v.Lines, Zone: v.Zone}
	}
	return v
}

// sampleSimilar are tickets that read like the one that is shown.
func sampleSimilar(p tickets.PublicView) []tickets.Listed {
	line := func(key string, args map[string]string) []tickets.Line { return []tickets.Line{{Key: key, Args: args}} }
	return []tickets.Listed{
		{Number: "NW-2026-004688", Subject: p.Subject, State: tickets.StateOpen, Lines: line("similar.open", map[string]string{"team": "workplace"})},
		{Number: "NW-2026-004402", Subject: "PRN-0042", State: tickets.StateSolved, Lines: line("similar.solved",
			map[string]string{"team": "workplace", "since": p.QuoteAt.AddDate(0, 0, -9).Format(time.RFC3339), "text": "Toner 49X"})},
	}
}

func sampleSuggestions() []tickets.Line {
	return []tickets.Line{
		{Key: "suggest.category", Args: map[string]string{"name": "hardware.printer", "percent": "92", "other": "hardware.client", "team": "workplace"}},
		{Key: "suggest.team", Args: map[string]string{"team": "workplace", "count": "2"}},
		{Key: "suggest.answer", Args: map[string]string{"name": "toner", "title": "Toner"}},
	}
}

// sampleReply is what a plain reply to the notice does.
func sampleReply(template string) (public bool, mode string) {
	switch template {
	case tickets.TemplateReceipt, tickets.TemplateRefused, tickets.TemplateVendorDraft, tickets.TemplatePersonal, tickets.TemplateLead, tickets.TemplateMany:
		return false, "command"
	case tickets.TemplateHandoverGaps, tickets.TemplateHandoverAsked:
		return false, "form"
	case tickets.TemplateConsultQuestion:
		return false, "consult"
	case tickets.TemplateHandoverAccepted, tickets.TemplateHandoverDispute, tickets.TemplateConsultAnswer, tickets.TemplateLearnBack,
		tickets.TemplateVendorReplied, tickets.TemplateAssigneeAbsent:
		return false, "note"
	case tickets.TemplateUndelivered, tickets.TemplateHeld, tickets.TemplateNote:
		return false, "note"
	case tickets.TemplateHealth, tickets.TemplateGathered:
		return false, "no right"
	}
	return true, ""
}

// sampleLines are what the desk says in the notice, with all arguments or with as few as can be.
func sampleLines(template string, full bool) []tickets.Line {
	line := func(ok bool, key string, args ...string) tickets.Line {
		l := tickets.Line{OK: ok, Key: key, Args: map[string]string{}}
		for i := 0; full && i+1 < len(args); i += 2 {
			l.Args[args[i]] = args[i+1]
		}
		return l
	}
	switch template {
	case tickets.TemplateHandoverGaps, tickets.TemplateHandoverAsked:
		return []tickets.Line{line(false, "handover.lacks", "team", "network", "missing", "3", "of", "6"), line(false, "handover.force", "word", "#escalate!")}
	case tickets.TemplateHandoverPacket:
		return []tickets.Line{line(false, "handover.from", "who", "anna@nordwind.example", "team", "service-desk", "tier", "1", "reason", "knowledge")}
	case tickets.TemplateHandoverAccepted:
		return []tickets.Line{line(false, "handover.accepted", "who", "jan.petersen@nordwind.example", "team", "network", "rating", "3")}
	case tickets.TemplateHandoverReturned:
		return []tickets.Line{line(false, "handover.returned", "who", "jan.petersen@nordwind.example", "team", "network", "reason", "the router is not ours")}
	case tickets.TemplateHandoverDispute:
		return []tickets.Line{line(false, "dispute.intro", "team", "network", "who", "jan.petersen@nordwind.example", "reason", "not ours"),
			line(false, "dispute.handed", "at", "2026-11-27T14:04:17Z", "who", "anna@nordwind.example", "from", "service-desk", "to", "network", "reason", "knowledge"),
			line(false, "dispute.returned", "at", "2026-11-27T15:04:17Z", "who", "jan.petersen@nordwind.example", "team", "network", "reason", "not ours"), line(false, "dispute.decide")}
	case tickets.TemplateConsultQuestion:
		return []tickets.Line{line(false, "consult.question", "who", "anna@nordwind.example")}
	case tickets.TemplateConsultAnswer:
		return []tickets.Line{line(false, "consult.answer", "who", "jan.petersen@nordwind.example")}
	case tickets.TemplateLearnBack:
		return []tickets.Line{line(false, "learn.solved", "who", "jan.petersen@nordwind.example", "team", "network"), line(false, "learn.t1able")}
	case tickets.TemplateVendorDraft:
		return []tickets.Line{line(false, "vendor.draft", "vendor", "fortinet", "to", "tac@fortinet.example"), line(false, "vendor.redacted", "what", "phone", "count", "2")}
	case tickets.TemplateVendorReplied:
		return []tickets.Line{line(false, "vendor.replied", "vendor", "fortinet", "reference", "4711222")}
	case tickets.TemplateAssigneeAbsent:
		return []tickets.Line{line(false, "absent.assignee", "who", "anna@nordwind.example", "until", "2026-12-14T00:00:00Z", "team", "service-desk")}
	case tickets.TemplateReceipt:
		return []tickets.Line{line(true, "did.reply_later", "to", "kim.krause@customer.example", "until", "2026-11-27T14:04:17Z"),
			line(true, "did.solve", "until", "2026-12-14T16:00:00Z"), line(true, "did.state", "from", "open", "to", "solved")}
	case tickets.TemplateRefused:
		return []tickets.Line{line(false, "refused.unknown", "word", "#slove", "suggestion", "#solve"), line(false, "refused.nothing_done")}
	case tickets.TemplateEscalation:
		return []tickets.Line{line(false, "clock.warning", "clock", "resolve", "percent", "80", "left", "1h36m0s", "due", "2026-11-30T15:40:00Z")}
	case tickets.TemplateTimeBox:
		return []tickets.Line{line(false, "clock.breach", "clock", "time_box", "over", "5m0s", "due", "2026-11-30T15:40:00Z")}
	case tickets.TemplateSafety:
		return []tickets.Line{line(false, "clock.unowned", "age", "2h10m0s")}
	case tickets.TemplateMajorIncident:
		return []tickets.Line{line(false, "major.declared", "team", "network", "every", "30m0s")}
	case tickets.TemplateUndelivered:
		return []tickets.Line{line(false, "undelivered.bounced", "to", "kim.krause@customer.example", "status", "5.1.1", "reason", "no such user"),
			line(false, "undelivered.what_now", "to", "kim.krause@customer.example")}
	case tickets.TemplateHeld:
		return []tickets.Line{line(false, "held.stranger", "from", "ina@elsewhere.example"), line(false, "held.what_now", "id", "7")}
	case tickets.TemplateHealth:
		return []tickets.Line{line(false, "health.mailbox_down", "mailbox", "support", "since", "2026-11-30T09:40:00Z", "reason", "connection refused")}
	}
	return nil
}

// sampleZone is Central European Time in winter, without need of a zone database.
func sampleZone() *time.Location { return time.FixedZone("CET", 60*60) }
