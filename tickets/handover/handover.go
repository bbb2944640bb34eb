// Package handover knows what the next tier has to be told before it is bothered: which fields a packet has, which of
// them are missing, and what an agent's lines fill in. It is about texts only; tickets, mails and people are the desk's.
package handover

import (
	"slices"
	"strings"
	"unicode"
)

// Fields that the desk fills in by itself as far as it can. A configuration may name others.
const (
	Description     = "description"
	Steps           = "steps_tried"
	CI              = "affected_ci"
	Impact          = "impact"
	Urgency         = "urgency"
	Reason          = "reason"
	Diagnosis       = "diagnosis"
	Reproduction    = "reproduction"
	Logs            = "logs"
	Workaround      = "workaround"
	CustomerPromise = "customer_promise"
)

// What may stand instead of a value.
const (
	UnknownWithReason = "unknown_with_reason"
	NoneWithReason    = "none_with_reason"
	NotReproducible   = "not_reproducible"
)

// Escapes lists what may stand instead of a value.
func Escapes() []string { return []string{UnknownWithReason, NoneWithReason, NotReproducible} }

// InCMDB is the only table that a value can be asked to stand in.
const InCMDB = "cmdb"

// Field says when a value is good enough. The zero Field wants anything at all.
type Field struct {
	Name       string
	MinWords   int
	MinItems   int      // the value is a list
	OneOf      []string // the value is one of these words
	In         string   // InCMDB: the value is a configuration item; "" for any text
	Or         string   // one of Escapes, or ""
	Attachment bool     // a file does as well as a text
	Optional   bool     // never asked for
}

// List reports whether the field's value is a list.
func (f Field) List() bool { return f.MinItems > 0 }

// Rules say what a packet needs, and what becomes of one that lacks something.
type Rules struct {
	Fields     []Field // in the order of the form
	Tier2      []string
	Tier3      []string
	Ask        bool     // what lacks something stays where it is, and is asked for
	PassAndAsk []string // of these priorities it goes on at once, and is asked for beside
	OwnerStays bool     // whoever answers for the ticket goes on doing so
	Return     Return
}

// Return says how a team gives back what it was handed.
type Return struct {
	Once        bool // each team may do it once for a ticket
	NeedsReason bool
	TellLeads   bool // a second time the leads of both teams are told, and nothing moves
}

// Default is what holds without a configuration. items says whether there are configuration items to choose from.
func Default(items bool) Rules {
	levels := []string{"high", "medium", "low"}
	r := Rules{
		Fields: []Field{
			{Name: Description, MinWords: 20},
			{Name: Steps, MinItems: 2},
			{Name: CI, In: InCMDB, Or: UnknownWithReason},
			{Name: Impact, OneOf: levels},
			{Name: Urgency, OneOf: levels},
			{Name: Reason, OneOf: []string{"knowledge", "access_rights", "code_change", "data_change", "vendor_defect", "capacity"}},
			{Name: Diagnosis, MinWords: 20},
			{Name: Reproduction, MinItems: 1, Or: NotReproducible},
			{Name: Logs, Attachment: true, Or: NoneWithReason},
			{Name: Workaround, Optional: true},
			{Name: CustomerPromise, Optional: true},
		},
		Tier2: []string{Description, Steps, CI, Impact, Urgency, Reason},
		Ask:   true, PassAndAsk: []string{"P1", "P2"}, OwnerStays: true,
		Return: Return{Once: true, NeedsReason: true, TellLeads: true},
	}
	if !items {
		r.Fields = slices.DeleteFunc(r.Fields, func(f Field) bool { return f.Name == CI })
		r.Tier2 = slices.DeleteFunc(r.Tier2, func(name string) bool { return name == CI })
	}
	r.Tier3 = append(slices.Clone(r.Tier2), Diagnosis, Reproduction, Logs)
	return r
}

// Field returns the field of that name.
func (r Rules) Field(name string) (Field, bool) {
	for _, f := range r.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// Required lists what a team of that tier needs.
func (r Rules) Required(tier int) []string {
	switch {
	case tier >= 3:
		return r.Tier3
	case tier == 2:
		return r.Tier2
	}
	return nil
}

// Value is what stands in a field.
type Value struct {
	Text   string   `json:"text,omitempty"`
	Items  []string `json:"items,omitempty"`
	Escape string   `json:"escape,omitempty"` // which of Escapes; Text has the reason
	From   string   `json:"from,omitempty"`   // where the desk took it from: customer, thread, rules; "" from the agent
}

// IsZero reports whether there is nothing.
func (v Value) IsZero() bool { return v.Text == "" && len(v.Items) == 0 && v.Escape == "" }

// Packet is what is handed over, by field.
type Packet map[string]Value

// Clone copies a packet.
func (p Packet) Clone() Packet {
	c := Packet{}
	for name, v := range p {
		v.Items = slices.Clone(v.Items)
		c[name] = v
	}
	return c
}

// maxText bounds a value in runes, maxItems a list.
const (
	maxText  = 4000
	maxItems = 30
)

// Fill puts a value into the packet: a text replaces what was there, items of a list are added to it.
func (p Packet) Fill(f Field, v Value) {
	v.Text = cut(v.Text)
	if f.List() && v.Escape == "" {
		items := slices.Clone(p[f.Name].Items)
		for _, item := range v.Items {
			if item = cut(item); item != "" && !slices.Contains(items, item) && len(items) < maxItems {
				items = append(items, item)
			}
		}
		v.Items, v.Text = items, ""
	}
	p[f.Name] = v
}

func cut(s string) string {
	s = strings.TrimSpace(s)
	if r := []rune(s); len(r) > maxText {
		return string(r[:maxText-1]) + "…"
	}
	return s
}

// What a gap wants.
const (
	NeedWords      = "words"      // more words
	NeedItems      = "items"      // more items of a list
	NeedChoice     = "choice"     // one of the words allowed
	NeedItem       = "item"       // a configuration item that exists
	NeedAttachment = "attachment" // a file
	NeedWhy        = "why"        // the reason for what stands instead of a value
	NeedText       = "text"       // anything at all
)

// Gap is what a field lacks.
type Gap struct {
	Field string   `json:"field"`
	Need  string   `json:"need"`
	Want  int      `json:"want,omitempty"` // how many words or items
	Have  int      `json:"have,omitempty"`
	OneOf []string `json:"one_of,omitempty"`
	Or    string   `json:"or,omitempty"`
	Said  string   `json:"said,omitempty"` // what stood there and cannot be used
}

// Known tells how a configuration item is written that people call by that name; ok is false when there is none.
type Known func(name string) (id string, ok bool)

// Check lists what a packet lacks for a team of that tier, in the order of the form. A nil known takes every name for an
// item.
func (r Rules) Check(tier int, p Packet, known Known) []Gap {
	var gaps []Gap
	required := r.Required(tier)
	for _, f := range r.Fields {
		if slices.Contains(required, f.Name) {
			if g, lacks := f.lacks(p[f.Name], known); lacks {
				gaps = append(gaps, g)
			}
		}
	}
	return gaps
}

// lacks says what the field's value lacks.
func (f Field) lacks(v Value, known Known) (Gap, bool) {
	g := Gap{Field: f.Name, Or: f.Or, OneOf: f.OneOf}
	switch {
	case v.Escape != "":
		g.Need = NeedWhy
		return g, v.Escape != f.Or || v.Escape != NotReproducible && words(v.Text) == 0
	case f.Attachment:
		g.Need = NeedAttachment
		return g, len(v.Items) == 0 && words(v.Text) == 0
	case f.List():
		g.Need, g.Want, g.Have = NeedItems, f.MinItems, len(v.Items)
		return g, g.Have < g.Want
	case len(f.OneOf) > 0:
		g.Need, g.Said = NeedChoice, v.Text
		return g, !slices.Contains(f.OneOf, v.Text)
	case f.In == InCMDB:
		g.Need, g.Said = NeedItem, v.Text
		ok := v.Text != ""
		if ok && known != nil {
			_, ok = known(v.Text)
		}
		return g, !ok
	case f.MinWords > 0:
		g.Need, g.Want, g.Have = NeedWords, f.MinWords, words(v.Text)
		return g, g.Have < g.Want
	}
	g.Need = NeedText
	return g, words(v.Text) == 0 && len(v.Items) == 0
}

// words counts what has a letter or a digit in it.
func words(s string) int {
	n := 0
	for w := range strings.FieldsSeq(s) {
		if strings.ContainsFunc(w, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			n++
		}
	}
	return n
}

// Row is one line of the form that people see.
type Row struct {
	Field    string
	Value    Value
	Gap      *Gap // nil: nothing is missing
	Required bool
	Choices  []string // to answer by number
}

// Form lays a packet out for people: all that is required, and what else is filled in.
func (r Rules) Form(tier int, p Packet, gaps []Gap, choices []string) []Row {
	var rows []Row
	required := r.Required(tier)
	for _, f := range r.Fields {
		row := Row{Field: f.Name, Value: p[f.Name], Required: slices.Contains(required, f.Name)}
		for _, g := range gaps {
			if g.Field == f.Name {
				row.Gap = &g
				if f.In == InCMDB {
					row.Choices = choices
				}
			}
		}
		if row.Required || !row.Value.IsZero() {
			rows = append(rows, row)
		}
	}
	return rows
}
