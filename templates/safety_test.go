package templates

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"

	"supportd/tickets"
)

// nasty are texts that try to be more than text.
func nasty() map[string]string {
	return map[string]string{
		"template":    `{{.}} {{.marker}} {{template "layout" .}} {{define "x"}}{{end}} }} {{`,
		"script":      `<script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)>`,
		"attributes":  `" onmouseover="alert(1)' style='x:expression(1)`,
		"links":       `<a href="javascript:alert(1)">x</a> [x](javascript:alert(1)) ![x](https://track.example/p.gif) <https://evil.example>`,
		"commands":    "#solve\n/solve\n!solve\n#note x\n\t#take\n  #assign me\n\u00a0#undo",
		"headings":    "Das Ticket:\nBefehle:\n  #solve\nIhre Antwort bleibt intern.\n# Heading\n- item\n1. item\n> quote",
		"marker":      "--- Bitte oberhalb dieser Zeile antworten ---\n--- Please reply above this line ---\n-- \nsig",
		"controls":    "a\x00b\x01P\x02injected\x03c\x04d\x1b[31m\x7f\u0085e\u2028f\u2029g\rh\vi\fj",
		"bidi":        "\u202egnp.exe\u202c \u2066x\u2069 \u200fא\u200e user\u200b\u200d\ufeff\u00ad\u2060\U000e0041name",
		"rtl":         "مرحبا بالعالم שלום עולם",
		"emoji":       "👩‍👩‍👧‍👦 🇩🇪 ✅ 🏳️‍🌈",
		"long":        strings.Repeat("Maximilian ", 50),
		"unbroken":    strings.Repeat("x", 5000),
		"token":       "zqa00000q zqa00001q",
		"entities":    "&lt;b&gt; &amp; &#35;solve \\* *bold* _em_ `code`",
		"broken":      "\xff\xfe\xc3\x28 \xed\xa0\x80",
		"headers":     "x\r\nBcc: evil@evil.example\r\n\r\nbody",
		"empty":       "",
		"only blanks": " \t\r\n \u00a0",
	}
}

func nastyPublic(lang, s string) tickets.PublicView {
	at := time.Date(2026, 11, 27, 15, 4, 0, 0, time.UTC)
	return tickets.PublicView{Language: lang, Desk: "Nordwind Service", DeskAddress: "service@nordwind.example", Number: "NW-2026-004711",
		Subject: s, Requester: s, Agent: "Jan", Text: "Answer.\n" + s, Quote: s, QuoteFrom: s, QuoteAt: at, PromisedBy: at, ReopenUntil: at}
}

func nastyInternal(lang, s string) tickets.InternalView {
	at := time.Date(2026, 11, 27, 15, 4, 0, 0, time.UTC)
	return tickets.InternalView{Language: lang, Desk: "Nordwind Service", DeskAddress: "service@nordwind.example", Number: "NW-2026-004711",
		Subject: s, State: tickets.State(s), Team: s, Tier: 1, Priority: s, Assignee: s, Requester: tickets.Address{Name: s, Mail: s}, ReplyIsPublic: true,
		Text: s, TextFrom: s, TextAt: at, Quoted: s, Attachments: []tickets.Attachment{{Name: s, Type: s, Dangerous: true}, {Name: "a.png", Size: -1}},
		Warnings: []string{s}, Deadlines: []tickets.Deadline{{Clock: s, Due: at, Over: true}}, Recent: []tickets.RecentEntry{{At: at, Who: s, What: s}},
		Lines: []tickets.Line{{Key: "did.reply", OK: true, Args: map[string]string{"to": s}}, {Key: s, Args: map[string]string{s: s}},
			{Key: "refused.unknown", Args: map[string]string{"word": s, "suggestion": s}}},
		Sent: s, SentTo: []string{s}, Hints: []string{s}}
}

func nastyVendor(lang, input string) tickets.VendorView {
	return tickets.VendorView{Language: lang, Desk: input, DeskAddress: input, Number: input, Reference: input, Contract: input, Subject: input, Agent: input,
		Text: input, Item: input, Description: input, Diagnosis: input, Steps: []string{input}, Reproduction: []string{input}}
}

// eachNasty renders every template with every nasty text in every language.
func eachNasty(t *testing.T, f func(t *testing.T, name string, sp spec, input string, r tickets.Rendered)) {
	eachOf(t, nasty(), f)
}

func eachOf(t *testing.T, inputs map[string]string, f func(t *testing.T, name string, sp spec, input string, r tickets.Rendered)) {
	s, err := Load(nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for what, input := range inputs {
		for _, lang := range []string{"de", "en"} {
			for _, name := range s.Names() {
				sp, _ := specOf(name)
				var r tickets.Rendered
				var err error
				switch sp.audience {
				case audiencePublic:
					r, err = s.Public(name, nastyPublic(lang, input))
				case audienceVendor:
					r, err = s.Vendor(name, nastyVendor(lang, input))
				default:
					r, err = s.Internal(name, nastyInternal(lang, input))
				}
				if err != nil {
					t.Fatalf("%s in %s with %s: %v", name, lang, what, err)
				}
				f(t, what+" in "+lang+"/"+name, sp, input, r)
			}
		}
	}
}

// S-114: mail data is never parsed as a template. S-109: no line end gets into a subject.
func TestDataIsNeverATemplate_S114(t *testing.T) {
	eachNasty(t, func(t *testing.T, name string, sp spec, input string, r tickets.Rendered) {
		if strings.Contains(input, "{{.}}") && sp.only == nil {
			if !strings.Contains(r.Subject+r.Text, "{{.}}") {
				t.Errorf("the subject {{.}} does not stand there as it is:\n%s\n%s", r.Subject, r.Text)
			}
		}
		if strings.ContainsAny(r.Subject, "\r\n\x00") || len([]rune(r.Subject)) > maxHeader {
			t.Errorf("subject %q", r.Subject)
		}
		if strings.Contains(input, "zqa") && strings.Contains(r.HTML, "{{") {
			t.Error("a token in data became an action")
		}
	})
}

var (
	command    = regexp.MustCompile(`^[\s\p{Z}]*[#/!][a-z]`)
	active     = regexp.MustCompile(`\s(on[a-z]+|src|href|action)\s*=`)
	tagPattern = regexp.MustCompile(`<[a-zA-Z/!][^>]*>`)
	ourTags    = regexp.MustCompile(`^</?(html|head|meta|title|style|body|table|tr|td|th|p|div|br|ul|li|h2|code|blockquote|wbr)\b`)
)

// S-116 and S-140: nothing of a mail becomes HTML.
func TestDataIsNeverHTML_S116_S140(t *testing.T) {
	eachNasty(t, func(t *testing.T, name string, _ spec, _ string, r tickets.Rendered) {
		for _, tag := range tagPattern.FindAllString(r.HTML, -1) {
			low := strings.ToLower(tag)
			if strings.HasPrefix(low, "<!doctype") || strings.HasPrefix(low, "<!--[if mso]>") || strings.HasPrefix(low, "<![endif]") {
				continue
			}
			if !ourTags.MatchString(low) || active.MatchString(low) {
				t.Errorf("%s holds the tag %s", name, tag)
			}
		}
	})
}

// A line of a mail never begins a line of ours: what looks like a command, a heading or the marker is quoted.
func TestMailTextNeverBeginsALine(t *testing.T) {
	eachNasty(t, func(t *testing.T, name string, sp spec, input string, r tickets.Rendered) {
		if sp.audience != audienceInternal {
			return // the answer's own text goes out as it is
		}
		markers := 0
		for line := range strings.SplitSeq(r.Text, "\n") {
			if command.MatchString(line) {
				t.Errorf("%s has the line %q", name, line)
			}
			if ourMarker.MatchString(line) {
				markers++
			}
		}
		if want := map[bool]int{true: 1, false: 0}[sp.marker]; markers != want {
			t.Errorf("%s has %d marker lines:\n%s", name, markers, r.Text)
		}
		if strings.Contains(input, "Ihre Antwort bleibt intern.") {
			for line := range strings.SplitSeq(r.Text, "\n") {
				if line == "Ihre Antwort bleibt intern." || line == "  #solve" {
					t.Errorf("%s: a mail writes our line %q", name, line)
				}
			}
		}
	})
}

// S-144: control, bidirectional and invisible characters are neutralised everywhere, also in texts.
func TestInvisibleCharactersAreNeutralised_S144(t *testing.T) {
	eachNasty(t, func(t *testing.T, name string, _ spec, input string, r tickets.Rendered) {
		for form, text := range map[string]string{"subject": r.Subject, "text": r.Text, "html": r.HTML} {
			for _, c := range text {
				switch {
				case isIsolate(c) && strings.ContainsFunc(input, rightToLeft): // ours; see TestRightToLeftIsIsolated
				case c == '\n' && form != "subject", c == '\t' && form != "subject", c == 0x200d: // joiners in emoji
				case unicode.Is(unicode.Cc, c), unicode.Is(unicode.Cf, c):
					t.Errorf("%s: %s holds %U", name, form, c)
				}
			}
		}
	})
}

func TestCleaning(t *testing.T) {
	cases := []struct{ in, line string }{
		{"a\r\nb\tc  d", "a b c d"},
		{"\u202egnp.exe", "gnp.exe"},
		{"pay\u200bpal", "paypal"},
		{"👩\u200d👧 x\u200dy", "👩\u200d👧 xy"},
		{"می\u200cخواهم", "می\u200cخواهم"},
		{"a\xffb", "a\ufffdb"},
		{"\x1b]0;x\a", "]0;x"},
		{"", ""},
	}
	for _, c := range cases {
		if got := cleanLine(c.in); got != c.line {
			t.Errorf("cleanLine(%q) = %q, want %q", c.in, got, c.line)
		}
	}
	// S-112: a name that looks like an address or a link is no name.
	for in, want := range map[string]string{"Krause, Kim": "Kim Krause", "support@us": "", "visit www.evil.example": "", `"Kim Krause"`: "Kim Krause",
		"Win at https://evil.example": "", "Nordwind GmbH, Einkauf, Halle 3": "Nordwind GmbH, Einkauf, Halle 3"} {
		if got := cleanName(in); got != want {
			t.Errorf("cleanName(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"Re: AW: re[2]: Drucker [NW-1]": "Drucker", "AW:AW:x": "x", "Rechnung: offen": "Rechnung: offen",
		"Fwd: Re: x": "Fwd: Re: x", "Re:": "", "回复:打印机": "打印机"} {
		if got := cleanSubject(in, "NW-1"); got != want {
			t.Errorf("cleanSubject(%q) = %q, want %q", in, got, want)
		}
	}
	if got := clipSubject(strings.Repeat("ä", 400) + " [NW-2026-1]"); len([]rune(got)) != maxHeader || !strings.HasSuffix(got, "… [NW-2026-1]") {
		t.Errorf("a long subject becomes %q", got)
	}
}

// S-065: a mail to an unauthenticated sender holds none of their text.
func TestGenericAcknowledgementHoldsNoTextOfTheSender_S065(t *testing.T) {
	const canary = "https://canary.example/c4n4ry"
	s := mustLoad(t)
	for _, lang := range []string{"de", "en"} {
		v := nastyPublic(lang, canary)
		v.Agent, v.Text, v.FollowUpOf = canary, canary, canary
		r, err := s.Public(tickets.TemplateAckGeneric, v)
		if err != nil {
			t.Fatal(err)
		}
		if all := r.Subject + r.Text + r.HTML; strings.Contains(all, "c4n4ry") || !strings.Contains(r.Subject, v.Number) {
			t.Errorf("the generic acknowledgement is\n%s\n%s", r.Subject, r.Text)
		}
	}
	for _, name := range []string{"subject", "requester", "greeting", "text", "quote", "quote_from", "follow_up_of"} {
		err := faultsOf(override("de/ack-generic.md", "public", "{{.number}} {{if ."+name+"}}x{{end}}"))
		if err == nil || !strings.Contains(err.Error(), "de/ack-generic.md:6: variable ."+name+" is not for ack-generic") {
			t.Errorf("an ack-generic that uses .%s loads: %v", name, err)
		}
	}
}

// override is a tree with one template.
func override(file, audience, body string) fstest.MapFS {
	return fstest.MapFS{file: {Data: []byte("---\nsubject: x [{{.number}}]\naudience: " + audience + "\nhtml: no\n---\n" + body + "\n")}}
}

// P5: the two renderers do not mix, and a customer's data has no key that only staff may see.
func TestRenderersDoNotMix(t *testing.T) {
	s := mustLoad(t)
	for _, name := range append(s.Names(), "nosuch", "", "layout", "quote") {
		sp, known := specOf(name)
		_, err := s.Public(name, SamplePublic("de", true))
		if (err == nil) != (known && sp.audience == audiencePublic) {
			t.Errorf("Public(%q): %v", name, err)
		}
		_, err = s.Vendor(name, SampleVendor("de", true))
		if (err == nil) != (known && sp.audience == audienceVendor) {
			t.Errorf("Vendor(%q): %v", name, err)
		}
		_, err = s.Internal(name, SampleInternal(name, "de", true))
		if (err == nil) != (known && sp.audience == audienceInternal) {
			t.Errorf("Internal(%q): %v", name, err)
		}
	}
}

func TestPublicDataHasOnlyPublicKeys(t *testing.T) {
	// Whoever adds a field to PublicView has to say here that customers may see it.
	allowed := map[string]bool{}
	for _, f := range []string{"Language", "Desk", "DeskAddress", "Number", "Subject", "Requester", "Agent", "Text", "Quote", "QuoteFrom", "QuoteAt",
		"PromisedBy", "ReopenUntil", "AnswerBy", "State", "Appointment", "FollowUpOf", "Questions", "Zone", "Signature"} {
		allowed[f] = true
	}
	view := reflect.TypeFor[tickets.PublicView]()
	for i := range view.NumField() {
		if !allowed[view.Field(i).Name] {
			t.Errorf("PublicView has the field %s, which is not known to be fit for customers", view.Field(i).Name)
		}
	}
	s := mustLoad(t)
	staffOnly := map[string]bool{}
	for _, n := range shapeOf(spec{audience: audienceInternal}).names() {
		staffOnly[n] = true
	}
	for _, n := range shapeOf(spec{audience: audiencePublic}).names() {
		delete(staffOnly, n)
	}
	for name := range s.publicData(spec{}, nil, "de", SamplePublic("de", true)) {
		if staffOnly[name] {
			t.Errorf("customers' data has the key %q of staff", name)
		}
	}
	for _, name := range []string{"team", "tier", "assignee", "state", "facts", "recent", "warnings", "lines", "hints", "commands", "requester_address"} {
		if !staffOnly[name] {
			t.Errorf("%s is not for staff only", name)
		}
		err := faultsOf(override("en/ack-new.md", "public", "{{if ."+name+"}}x{{end}}"))
		if err == nil || !strings.Contains(err.Error(), "en/ack-new.md:6: variable ."+name+" is for staff only") {
			t.Errorf("a template for customers that uses .%s loads: %v", name, err)
		}
	}
}

// S-115: template data has no methods and no pointers, and is what the documentation says.
func TestDataIsPlain_S115(t *testing.T) {
	s := mustLoad(t)
	internal, err := s.internalData("de", SampleInternal(tickets.TemplateReceipt, "de", true))
	if err != nil {
		t.Fatal(err)
	}
	for who, data := range map[audience]map[string]any{
		audiencePublic: s.publicData(spec{}, nil, "de", SamplePublic("de", true)), audienceInternal: internal, audienceVendor: s.vendorData("de", SampleVendor("de", true))} {
		sh := shapeOf(spec{audience: who})
		for _, name := range sh.names() {
			if _, ok := data[name]; !ok {
				t.Errorf("%s: .%s is documented and missing", who, name)
			}
		}
		plain(t, string(who), reflect.ValueOf(data), sh)
	}
	for _, body := range []string{"{{.Secret}}", "{{.text.Len}}", "{{.number.String}}", "{{call .text}}", "{{printf \"%v\" .}}", "{{index . \"x\"}}", "{{.}}", "{{$}}",
		"{{html .text}}", "{{slice .number 1}}", "{{nil}}", "{{.number 1}}", "{{1 | .number}}"} {
		if err := faultsOf(override("de/ack-new.md", "public", body)); err == nil {
			t.Errorf("a template with %s loads", body)
		}
	}
}

func plain(t *testing.T, path string, v reflect.Value, sh *shape) {
	t.Helper()
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.NumMethod() > 0 {
		t.Errorf("%s has methods: %s", path, v.Type())
	}
	switch {
	case sh.kind == kindText && v.Kind() == reflect.String, sh.kind == kindNumber && v.Kind() == reflect.Int, sh.kind == kindFlag && v.Kind() == reflect.Bool:
	case sh.kind == kindList && v.Kind() == reflect.Slice:
		for i := range v.Len() {
			plain(t, fmt.Sprintf("%s[%d]", path, i), v.Index(i), sh.elem)
		}
	case sh.kind == kindRecord && v.Kind() == reflect.Map:
		for _, k := range v.MapKeys() {
			field := sh.field(k.String())
			if field == nil {
				t.Errorf("%s.%s is not documented", path, k)
				continue
			}
			plain(t, path+"."+k.String(), v.MapIndex(k), field)
		}
	default:
		t.Errorf("%s is a %s, documented as %s", path, v.Kind(), sh.kind)
	}
}

// S-117: output and time are bounded, recursion and functions that make much of little are refused.
func TestBombs_S117(t *testing.T) {
	refused := map[string]string{
		`{{printf "%1000000000d" 1}}`:                                            "function printf is unknown here",
		`{{define "x"}}{{template "x" .}}{{end}}{{template "x"}}`:                `defines a template "x"`,
		`{{block "body" .}}x{{end}}`:                                             `defines a template "body"`,
		`{{template "body" .}}`:                                                  `there is no block "body"`,
		`{{template "layout" .}}`:                                                `there is no block "layout"`,
		`{{range 100000000000}}{{end}}`:                                          "is no list",
		strings.Repeat("{{if .number}}", 9) + "x" + strings.Repeat("{{end}}", 9): "deep inside each other",
		strings.Repeat("x ", maxSource/2+1):                                      "at most 64 KiB",
	}
	for body, want := range refused {
		if err := faultsOf(override("de/ack-new.md", "public", body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: error is %v, want %q", body, err, want)
		}
	}
	nested := "{{range .text}}{{range $.text}}{{range $.text}}%s{{end}}{{end}}{{end}}\n"
	v := SamplePublic("de", true)
	v.Text = strings.Repeat("line\n", 2000)
	clock := time.Date(2026, 11, 27, 15, 4, 0, 0, time.UTC)
	for body, want := range map[string]error{fmt.Sprintf(nested, "wide"): errTooLong, fmt.Sprintf(nested, ""): errTooLong} {
		s, err := Load(override("de/ack-new.md", "public", "x "+body), Options{Now: func() time.Time { return clock }}) // which stands still
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Public(tickets.TemplateAckNew, v); !errors.Is(err, want) {
			t.Errorf("%s: error is %v, want %v", body, err, want)
		}
	}
	s, err := Load(override("de/ack-new.md", "public", "x "+fmt.Sprintf(nested, "")), Options{Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	s.opts.Now = func() time.Time { clock = clock.Add(time.Second); return clock }
	if _, err := s.Public(tickets.TemplateAckNew, v); !errors.Is(err, errTooSlow) {
		t.Errorf("a template that runs for too long: %v", err)
	}
}

// An answer of a person is never cut, however long it is.
func TestLongAnswersGoOutWhole(t *testing.T) {
	s := mustLoad(t)
	v := SamplePublic("en", true)
	v.Text = strings.Repeat(`"quoted" & <tagged>`+"\n", 40_000) + "end."
	r, err := s.Public(tickets.TemplateAgentReply, v)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(r.Text, v.Text) || !strings.Contains(r.HTML, "end.") {
		t.Error("a long answer was cut")
	}
}
