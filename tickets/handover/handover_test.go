package handover

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func items(name string) (string, bool) {
	for _, id := range []string{"SVC-VPN", "FW-0012", "NB-2291"} {
		if strings.EqualFold(id, name) {
			return id, true
		}
	}
	return "", false
}

const twenty = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"

func fullPacket() Packet {
	return Packet{
		Description: {Text: twenty}, Steps: {Items: []string{"restart -> same", "update -> same"}}, CI: {Text: "FW-0012"},
		Impact: {Text: "low"}, Urgency: {Text: "high"}, Reason: {Text: "knowledge"}, Diagnosis: {Text: twenty},
		Reproduction: {Items: []string{"dial in"}}, Logs: {Items: []string{"vpn.log"}},
	}
}

func TestCheckFindsEachGap(t *testing.T) {
	r := Default(true)
	if gaps := r.Check(3, fullPacket(), items); gaps != nil {
		t.Fatalf("a complete packet lacks %+v", gaps)
	}
	for name, c := range map[string]struct {
		field string
		value Value
		tier  int
		need  string
	}{
		"nothing":                   {Description, Value{}, 2, NeedWords},
		"nineteen words":            {Description, Value{Text: strings.TrimSuffix(twenty, " twenty")}, 2, NeedWords},
		"dashes are no words":       {Description, Value{Text: strings.Repeat("- ", 40)}, 2, NeedWords},
		"one step":                  {Steps, Value{Items: []string{"restart"}}, 2, NeedItems},
		"an item that is not there": {CI, Value{Text: "FW-9999"}, 2, NeedItem},
		"unknown without a reason":  {CI, Value{Escape: UnknownWithReason}, 2, NeedWhy},
		"an escape of another one":  {CI, Value{Escape: NotReproducible}, 2, NeedWhy},
		"a level that is none":      {Impact, Value{Text: "huge"}, 2, NeedChoice},
		"no reason":                 {Reason, Value{}, 2, NeedChoice},
		"no diagnosis":              {Diagnosis, Value{Text: "broken"}, 3, NeedWords},
		"no reproduction":           {Reproduction, Value{}, 3, NeedItems},
		"no logs":                   {Logs, Value{}, 3, NeedAttachment},
	} {
		p := fullPacket()
		p[c.field] = c.value
		gaps := r.Check(c.tier, p, items)
		if len(gaps) != 1 || gaps[0].Field != c.field || gaps[0].Need != c.need {
			t.Errorf("%s: %+v, want one gap: %s wants %s", name, gaps, c.field, c.need)
		}
	}
	for name, v := range map[string]map[string]Value{
		"unknown with a reason": {CI: {Escape: UnknownWithReason, Text: "no label"}}, "not reproducible": {Reproduction: {Escape: NotReproducible}},
		"no logs with a reason": {Logs: {Escape: NoneWithReason, Text: "logging is off"}}, "logs as text": {Logs: {Text: "error 0x31"}},
	} {
		p := fullPacket()
		for field, value := range v {
			p[field] = value
		}
		if gaps := r.Check(3, p, items); gaps != nil {
			t.Errorf("%s lacks %+v", name, gaps)
		}
	}
}

// A second tier is not asked what only the third needs; a first tier is asked nothing.
func TestCheckByTier(t *testing.T) {
	r := Default(true)
	if gaps := r.Check(1, Packet{}, items); gaps != nil {
		t.Errorf("tier 1 lacks %+v", gaps)
	}
	if n := len(r.Check(2, Packet{}, items)); n != 6 {
		t.Errorf("tier 2: %d gaps, want 6", n)
	}
	if n := len(r.Check(3, Packet{}, items)); n != 9 {
		t.Errorf("tier 3: %d gaps, want 9", n)
	}
	if n := len(Default(false).Check(2, Packet{}, nil)); n != 5 {
		t.Errorf("without items: %d gaps, want 5", n)
	}
}

func TestRead(t *testing.T) {
	r := Default(true)
	offered := []string{"SVC-VPN", "FW-0012", "NB-2291"}
	gaps := r.Check(2, Packet{}, items)
	one := func(fields ...string) []Gap {
		return slices.DeleteFunc(slices.Clone(gaps), func(g Gap) bool { return !slices.Contains(fields, g.Field) })
	}
	for name, c := range map[string]struct {
		text string
		gaps []Gap
		want Packet
		rest string
	}{
		"keys as in the YAML": {"description: It breaks.\nimpact: high\nurgency: low\nreason: data_change", gaps,
			Packet{Description: {Text: "It breaks."}, Impact: {Text: "high"}, Urgency: {Text: "low"}, Reason: {Text: "data_change"}}, ""},
		"German": {"Beschreibung: Es bricht ab.\nAuswirkung: niedrig\nDringlichkeit: hoch\nGrund: Zugriffsrechte", gaps,
			Packet{Description: {Text: "Es bricht ab."}, Impact: {Text: "low"}, Urgency: {Text: "high"}, Reason: {Text: "access_rights"}}, ""},
		"two on a line": {"auswirkung:     niedrig      dringlichkeit: hoch", gaps, Packet{Impact: {Text: "low"}, Urgency: {Text: "high"}}, ""},
		"a text over lines": {"description: It breaks\nevery morning.\n\nreason: capacity", gaps,
			Packet{Description: {Text: "It breaks\nevery morning."}, Reason: {Text: "capacity"}}, ""},
		"a text that the form shows": {"Beschreibung: Guten Tag,\n|\n| es bricht ab.\n| \nreason: capacity", gaps,
			Packet{Description: {Text: "Guten Tag,\nes bricht ab."}, Reason: {Text: "capacity"}}, ""},
		"a list below its name": {"versuche:\n- Neustart -> nichts\n- Update -> nichts", gaps,
			Packet{Steps: {Items: []string{"Neustart -> nichts", "Update -> nichts"}}}, ""},
		"a list without a name":      {"* restart\n2. update", gaps, Packet{Steps: {Items: []string{"restart", "update"}}}, ""},
		"items behind a word":        {"urgency: high\n- restart\n- update", gaps, Packet{Urgency: {Text: "high"}, Steps: {Items: []string{"restart", "update"}}}, ""},
		"a number of those offered":  {"2", gaps, Packet{CI: {Text: "FW-0012"}}, ""},
		"ci and its number":          {"ci: 3)", gaps, Packet{CI: {Text: "NB-2291"}}, ""},
		"a number that is none":      {"7", gaps, Packet{}, "7"},
		"an item in a sentence":      {"CI: it is fw-0012, I think", gaps, Packet{CI: {Text: "FW-0012"}}, ""},
		"an item alone":              {"nb-2291", gaps, Packet{CI: {Text: "NB-2291"}}, ""},
		"an unknown item":            {"ci: unbekannt: Aufkleber fehlt", gaps, Packet{CI: {Escape: UnknownWithReason, Text: "Aufkleber fehlt"}}, ""},
		"a reason with more":         {"reason: knowledge, we never had that", gaps, Packet{Reason: {Text: "knowledge"}}, ""},
		"a word that one allows":     {"Wissen", gaps, Packet{Reason: {Text: "knowledge"}}, ""},
		"a word that two allow":      {"hoch", gaps, Packet{}, "hoch"},
		"the whole text for one gap": {"Der Tunnel bricht ab.\nJeden Tag.", one(Description), Packet{Description: {Text: "Der Tunnel bricht ab.\nJeden Tag."}}, ""},
		"lines for one list":         {"Neustart\nUpdate", one(Steps), Packet{Steps: {Items: []string{"Neustart", "Update"}}}, ""},
		"a word for one gap":         {"Mir fehlt das Wissen", one(Reason), Packet{Reason: {Text: "Mir fehlt das Wissen"}}, ""},
		"text for several gaps":      {"Please help.", gaps, Packet{}, "Please help."},
		"the form's own lines":       {"> grund: knowledge\n> >>> ci: 2\n> >>> - … -> …\n> beschreibung: …", gaps, Packet{CI: {Text: "FW-0012"}}, ""},
		"filled in where it stands":  {">>> - Neustart -> nichts\n>>> - … -> …", gaps, Packet{Steps: {Items: []string{"Neustart -> nichts"}}}, ""},
		"no field of ours":           {"Hinweis: eilt", gaps, Packet{}, "Hinweis: eilt"},
		"empty values":               {"grund:\nci: …\n", gaps, Packet{}, ""},
	} {
		got, rest := r.Read(c.text, c.gaps, offered, items)
		if !reflect.DeepEqual(got, c.want) || rest != c.rest {
			t.Errorf("%s:\n got %+v, rest %q\nwant %+v, rest %q", name, got, rest, c.want, c.rest)
		}
	}
}

// Items are added to a list, a text is replaced, and both are bounded.
func TestFill(t *testing.T) {
	r := Default(true)
	steps, _ := r.Field(Steps)
	text, _ := r.Field(Description)
	p := Packet{}
	p.Fill(steps, Value{Items: []string{"a", "b"}})
	p.Fill(steps, Value{Items: []string{"b", "c"}})
	p.Fill(text, Value{Text: "first"})
	p.Fill(text, Value{Text: strings.Repeat("ä", 10_000)})
	if got := p[Steps].Items; !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("items %q", got)
	}
	if n := len([]rune(p[Description].Text)); n != maxText {
		t.Errorf("a text of %d runes", n)
	}
}

func TestFormShowsWhatIsAsked(t *testing.T) {
	r := Default(true)
	p := fullPacket()
	delete(p, CI)
	p[Workaround] = Value{Text: "mobile phone"}
	rows := r.Form(2, p, r.Check(2, p, items), []string{"SVC-VPN"})
	var names []string
	for _, row := range rows {
		names = append(names, row.Field)
		if missing := row.Gap != nil; missing != (row.Field == CI) || missing != (len(row.Choices) > 0) {
			t.Errorf("%+v", row)
		}
	}
	if want := []string{Description, Steps, CI, Impact, Urgency, Reason, Diagnosis, Reproduction, Logs, Workaround}; !slices.Equal(names, want) {
		t.Errorf("rows %q, want %q", names, want)
	}
}

// FuzzRead holds: whatever an agent writes, only fields of the form come out, and a check of them does not fail.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"", "reason: knowledge", ">>> ci: 2", "> >>> - a -> b", "auswirkung: hoch  grund: wissen", "- a\n- b", "1", "ci: unknown: x", ":::", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := Default(true)
		gaps := r.Check(3, Packet{}, items)
		got, _ := r.Read(s, gaps, []string{"SVC-VPN"}, items)
		p := Packet{}
		for name, v := range got {
			field, ok := r.Field(name)
			if !ok || v.IsZero() {
				t.Fatalf("%q: %s: %+v", s, name, v)
			}
			p.Fill(field, v)
		}
		r.Form(3, p, r.Check(3, p, items), nil)
	})
}
