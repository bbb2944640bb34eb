package templates

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"supportd/tickets"
	"supportd/tickets/handover"
)

// Handovers as people read and answer them: lines of "label: value", with >>> before those that are to be filled in. The
// labels and words are such that an answer with them is understood again.

func (p *phrases) form(rows []handover.Row) []string {
	lines := []string{}
	for _, r := range first(rows) {
		lines = append(lines, p.formRow(r)...)
	}
	return lines
}

func (p *phrases) formRow(r handover.Row) []string {
	label := p.label(r.Field)
	var lines []string
	value := cleanText(r.Value.Text)
	switch {
	case r.Value.Escape != "":
		lines = append(lines, strings.TrimSuffix(label+": "+p.word("escape", r.Value.Escape)+": "+strings.Join(value, " "), ": "))
	case len(r.Value.Items) > 0:
		lines = append(lines, label+":")
		for _, item := range cleanLines(r.Value.Items) {
			lines = append(lines, "- "+item)
		}
	case len(value) > 0 && (r.Gap == nil || r.Gap.Said == ""):
		value = p.cut(value, formExtent())
		lines = append(lines, label+": "+p.word("choice", value[0]))
		for _, more := range value[1:] {
			lines = append(lines, strings.TrimSpace("| "+more)) // nobody's line begins a line of ours
		}
	}
	if r.Gap == nil {
		return lines
	}
	return append(lines, p.gap(label, r)...)
}

// gap is the line to be filled in, with what it wants.
func (p *phrases) gap(label string, r handover.Row) []string {
	g := r.Gap
	var words []string
	for _, w := range g.OneOf {
		words = append(words, p.word("choice", w))
	}
	args := map[string]string{"want": strconv.Itoa(g.Want), "words": strings.Join(words, ", "), "said": shown(g.Said, maxName)}
	if g.Have > 0 {
		args["have"] = strconv.Itoa(g.Have)
	}
	want := p.fill("need."+g.Need, args)
	if e := p.word("escape", g.Or); g.Or != "" {
		key := "form.or_why"
		if g.Or == handover.NotReproducible {
			key = "form.or"
		}
		want += ", " + p.fill(key, map[string]string{"escape": e})
	}
	lines := []string{">>> " + label + ": …"}
	if g.Need == handover.NeedItems {
		lines, want = []string{">>> - … -> …"}, label+": "+want
	}
	lines = append(lines, wrapped("("+want+")")...)
	if len(r.Choices) > 0 {
		var list []string
		for i, c := range r.Choices {
			list = append(list, strconv.Itoa(i+1)+") "+shown(c, maxName))
		}
		lines = append(lines, wrapped(p.fill("form.choices", map[string]string{"list": strings.Join(list, " ")}))...)
	}
	return lines
}

// wrapped breaks a sentence of ours into indented lines.
func wrapped(s string) []string {
	var lines []string
	for word := range strings.FieldsSeq(s) {
		n := len(lines) - 1
		if n < 0 || len([]rune(lines[n]))+len([]rune(word)) >= columns-4 {
			lines = append(lines, "   "+" "+word)
			continue
		}
		lines[n] += " " + word
	}
	return levelled(lines)
}

// label is the name of a field; one that the configuration has added is called as it stands there.
func (p *phrases) label(field string) string {
	name := p.word("form", field)
	r, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r)) + name[size:]
}

// vendorData is what templates for third parties see.
func (s *Set) vendorData(lang string, v tickets.VendorView) map[string]any {
	data := s.commonData(s.phrases[lang], lang, v.Desk, v.DeskAddress, v.Number, v.Subject)
	data["footer"] = s.look.footer(lang)
	data["reference"] = shown(v.Reference, maxName)
	data["contract"] = shown(v.Contract, maxName)
	data["agent"] = isolated(cleanName(v.Agent))
	data["text"] = cleanText(v.Text)
	data["item"] = shown(v.Item, maxName)
	data["description"] = s.phrases[lang].cut(cleanText(v.Description), textExtent())
	data["diagnosis"] = s.phrases[lang].cut(cleanText(v.Diagnosis), textExtent())
	data["steps"] = shownLines(v.Steps)
	data["reproduction"] = shownLines(v.Reproduction)
	return data
}

// Vendor renders a template for a third party. Any other is refused.
func (s *Set) Vendor(name string, v tickets.VendorView) (tickets.Rendered, error) {
	if _, err := s.lookup(name, audienceVendor); err != nil {
		return tickets.Rendered{}, err
	}
	lang := s.Language(v.Language)
	return s.render(name, lang, s.vendorData(lang, v), len(v.Text)+len(v.Description)+len(v.Diagnosis))
}

func vendorFields() []field {
	return append(commonFields(),
		textField("reference", "their own number for the case; empty while it is unknown"),
		textField("contract", "number of the contract"),
		textField("agent", "name of the person who asks"),
		listField("text", "lines that the person wrote for them"),
		textField("item", "configuration item; empty when unknown"),
		listField("description", "lines of the description"),
		listField("diagnosis", "lines of what was found out"),
		listField("steps", "what was tried"),
		listField("reproduction", "how to reproduce it"),
		listField("footer", "the brand's name and footer; where a text does not place them they stand above the line above which people answer, or at the end"),
	)
}

// SampleVendor is a view to try and to show templates for third parties with.
func SampleVendor(lang string, full bool) tickets.VendorView {
	v := tickets.VendorView{Language: lang, Desk: "Nordwind Service", DeskAddress: "service@nordwind.example", Number: "NW-2026-004711"}
	if !full {
		return v
	}
	v.Reference, v.Contract, v.Agent, v.Item = "4711222", "FC-10-882", "Jan Petersen", "FW-0012"
	if lang == "de" {
		v.Subject, v.Text = "VPN bricht ab", "Bitte prüfen Sie das angehängte Protokoll."
		v.Description, v.Diagnosis = "Seit heute 9:10 bricht die Einwahl nach 30 Sekunden ab.", "Die Firewall verwirft Pakete der zweiten Phase."
		v.Steps, v.Reproduction = []string{"Neustart -> keine Änderung", "Update -> keine Änderung"}, []string{"Einwählen", "30 Sekunden warten"}
		return v
	}
	v.Subject, v.Text = "VPN breaks off", "Please have a look at the log attached."
	v.Description, v.Diagnosis = "Since 9:10 today the tunnel breaks off after 30 seconds.", "The firewall drops packets of the second phase."
	v.Steps, v.Reproduction = []string{"restart -> no change", "update -> no change"}, []string{"dial in", "wait for 30 seconds"}
	return v
}

// sampleForm is a packet that lacks something.
func sampleForm(lang string) []handover.Row {
	r := handover.Default(true)
	p := handover.Packet{
		handover.Description: {Text: SamplePublic(lang, true).Quote}, handover.Steps: {Items: []string{"restart -> no change"}},
		handover.Impact: {Text: "low"}, handover.Urgency: {Text: "high"}, handover.Logs: {Escape: handover.NoneWithReason, Text: "off"},
	}
	return r.Form(2, p, r.Check(2, p, nil), []string{"FW-0012", "NB-2291"})
}
