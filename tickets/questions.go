package tickets

import (
	"regexp"
	"slices"
	"strings"
)

// Questions that an acknowledgement asks: what the team needs to know of mails of a category, and this mail does not say. They are
// asked once, with the acknowledgement, and never by a mail of their own; the answers come back as any other mail on the ticket.

// maxAsked bounds how much one mail asks: who is asked more answers less.
const maxAsked = 4

// question is one thing that can be asked, and how it can be told that a mail says it. What cannot be told for certain counts as not
// said: being asked twice costs less than asking back.
type question struct {
	name  string
	given func(*Message) bool
}

// Questions are the names of all that can be asked.
func Questions() []string {
	var names []string
	for _, q := range questions {
		names = append(names, q.name)
	}
	return names
}

var questions = []question{
	{"affected", says(`\b(?:alle|niemand|keiner|mehrere|kolleg\w*|nur ich|nur bei mir|everyone|everybody|nobody|several|colleagues?|only me|all of us)\b`)},
	{"deadline", says(`\b(?:bis (?:zum |spätestens )?(?:\d|montag|dienstag|mittwoch|donnerstag|freitag|morgen|heute|ende)|spätestens|frist|deadline|by (?:\d|monday|tuesday|wednesday|thursday|friday|tomorrow|today|the end)|no later than)`)},
	{"device", says(`\b[a-zäöü]{2,5}-?\d{3,}\b|\b(?:modell|model|seriennummer|serial|inventarnummer|asset tag)\b`)},
	{"error_text", func(m *Message) bool { return saysError.MatchString(askedIn(m)) || attaches(m, "image/") }},
	{"location", says(`\b(?:raum|zimmer|büro|etage|stock|stockwerk|gebäude|haus|halle|standort|filiale|home ?-?office|empfang|keller|room|floor|building|office|site|branch|reception|basement)\b`)},
	{"phone", func(m *Message) bool { return phoneIn(m.Signature) != "" || phoneIn(askedIn(m)) != "" }},
	{"screenshot", func(m *Message) bool { return attaches(m, "image/", "application/pdf", "video/") }},
	{"since_when", says(`\b(?:seit|seitdem|heute|gestern|vorgestern|letzte[nr]? woche|since|today|yesterday|this morning|last week)\b|\b\d{1,2}[:.]\d{2} ?(?:uhr|am|pm)\b`)},
	{"steps", says(`\b(?:wenn ich|sobald ich|zuerst|danach|anschließend|when i|as soon as i|after i|first i|and then)\b|(?m:^ *1[.)] .*\n+ *2[.)] )`)},
	{"version", says(`\b(?:version|release|build)\b[ .:]*v?\d|\bv\d+(?:\.\d+)*\b|\b\d+\.\d+\.\d+\b`)},
}

var saysError = regexp.MustCompile(`(?i)[„"“”«»].{6,200}[“”"«»]|\b(?:fehler(?:code|nummer|meldung)?|error(?: code| message)?|meldung|message|code)\b[ :#-]*(?:0x[0-9a-f]+|\d{2,})|\b(?:fehlermeldung|error message|meldung|message)\b ?(?::|lautet|says)|\b0x[0-9a-f]{4,}\b`)

// says makes a test for a pattern in the subject and the new text, whatever the case.
func says(pattern string) func(*Message) bool {
	re := regexp.MustCompile("(?i)" + pattern)
	return func(m *Message) bool { return re.MatchString(askedIn(m)) }
}

// askedIn is where an answer may stand.
func askedIn(m *Message) string {
	const enough = 16 << 10
	text := m.Subject + "\n" + m.NewText()
	return strings.ToValidUTF8(text[:min(len(text), enough)], "")
}

// attaches reports whether a file of one of these types came with the mail; pictures within the text may be of a signature.
func attaches(m *Message, types ...string) bool {
	return slices.ContainsFunc(m.Attachments, func(a Attachment) bool {
		return !a.Inline && slices.ContainsFunc(types, func(t string) bool { return strings.HasPrefix(strings.ToLower(a.Type), t) })
	})
}

// missing are the names of what is asked about a category, and a mail does not say; the first few.
func (r *Rules) missing(category string, m *Message) (names []string) {
	for _, name := range r.Questions[category] {
		i := slices.IndexFunc(questions, func(q question) bool { return q.name == name })
		if i >= 0 && !questions[i].given(m) && len(names) < maxAsked {
			names = append(names, name)
		}
	}
	return names
}

// asks are the questions of the acknowledgement that the message's new ticket gets. Whoever may be forged is asked nothing, as they
// get nothing but the number, and so is whom an automatic answer may have helped.
func (d *decider) asks() []string {
	t := d.out.Ticket
	if !d.out.New || t.FollowUpOf != 0 || d.out.Verdict.Auth != AuthPass || d.help() != nil || d.noAnswer() != "" {
		return nil
	}
	return d.r.missing(t.Category, d.m)
}
