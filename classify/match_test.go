package classify

import (
	"strings"
	"testing"

	"supportd/tickets"
)

// TestMatchers goes through what conditions can say (S7, S8), each as the only rule of a desk.
func TestMatchers(t *testing.T) {
	yes, no := true, false
	m := from(t, "Anna.Berg@sub.kunde.example", "Drucker-Problem im Büro: STRASSE 5", "Der Druckerausdruck der Bestellung 4711 fehlt.\nGrüße")
	m.Author = strings.ToLower(m.Author)
	m.To = []tickets.Address{{Mail: "service@desk.example"}}
	m.Cc = []tickets.Address{{Mail: "boss@werk.example"}}
	m.Fields = append(m.Fields, tickets.Field{Name: "X-Source", Value: "Shop 7"}, tickets.Field{Name: "X-Priority", Value: "1 (Highest)"})
	m.Attachments = []tickets.Attachment{{Name: "Rechnung März.pdf"}, {Name: "foto.jpg"}}
	m.Size = 5000
	text := func(x Text) *Match { return &Match{Text: x} }
	field := func(f FieldMatch) *Match { return when(f) }
	for _, tt := range []struct {
		name  string
		match *Match
		want  bool
	}{
		{"word", words("drucker"), true},
		{"any of the words", words("scanner", "drucker"), true},
		{"umlaut written out", words("buero"), true},
		{"sharp s", words("straße"), true},
		{"phrase", words("drucker problem"), true},
		{"phrase over a line", words("fehlt gruesse"), true},
		{"phrase over subject and text", words("5 der"), false},
		{"part of a word", words("bestell"), false},
		{"part of a known compound", words("ausdruck"), true},
		{"word of the text in the subject", subjectWords("bestellung"), false},
		{"word of the subject in the text", &Match{Body: Text{Words: []string{"problem"}}}, false},
		{"contains", text(Text{Contains: []string{"estell"}}), true},
		{"contains what is not there", text(Text{Contains: []string{"estelll"}}), false},
		{"contains in the subject", &Match{Subject: Text{Contains: []string{"estell"}}}, false},
		{"regex on the text as written", text(Text{Regex: `Bestellung \d{4}\b`}), true},
		{"regex heeds case", text(Text{Regex: `bestellung \d{4}`}), false},
		{"regex without case", text(Text{Regex: `(?i)BESTELLUNG \d{4}`}), true},
		{"regex of the subject", &Match{Subject: Text{Regex: `^Drucker`}}, true},
		{"all of a text", text(Text{Words: []string{"drucker"}, Contains: []string{"xx"}}), false},
		{"value", field(is1("language", "DE")), true},
		{"one of the values", field(is1("language", "fr", "de")), true},
		{"another value", field(is1("language", "fr")), false},
		{"missing equals nothing", field(is1("ci.owner_team", "network")), false},
		{"missing is not unequal by itself", not(field(is1("ci.owner_team", "network"))), true},
		{"exists", field(FieldMatch{Field: "customer.organisation", Exists: &yes}), true},
		{"does not exist", field(FieldMatch{Field: "ci.owner_team", Exists: &no}), true},
		{"does not exist, but does", field(FieldMatch{Field: "language", Exists: &no}), false},
		{"domain", field(FieldMatch{Field: "from", Domain: []string{"kunde.example"}}), true},
		{"domain with its own dot", field(FieldMatch{Field: "from", Domain: []string{"unde.example"}}), false},
		{"address", field(FieldMatch{Field: "from", Address: []string{"ANNA.berg@sub.kunde.example"}}), true},
		{"address of a copy", field(FieldMatch{Field: "to", Address: []string{"boss@werk.example"}}), true},
		{"domain of a copy", field(FieldMatch{Field: "to", Domain: []string{"werk.example"}}), true},
		{"number at least", field(is1("mail.size", ">=5000")), true},
		{"number more", field(is1("mail.size", ">5000")), false},
		{"number less or equal", field(is1("mail.size", "<=4999", "=5000")), true},
		{"header", field(is1("header.x-source", "shop 7")), true},
		{"header has a word", field(FieldMatch{Field: "header.X-Source", Text: Text{Words: []string{"shop"}}}), true},
		{"header that is missing", field(FieldMatch{Field: "header.X-Other", Exists: &yes}), false},
		{"attachment", field(FieldMatch{Field: "mail.attachment", Text: Text{Contains: []string{".pdf"}}}), true},
		{"attachment by regex", field(FieldMatch{Field: "mail.attachment", Text: Text{Regex: `\.jpg$`}}), true},
		{"importance", field(is1("mail.importance", "high")), true},
		{"yes", field(is1("customer.vip", "no")), true},
		{"any", anyOf(words("xx"), words("drucker")), true},
		{"any of none", anyOf(words("xx"), words("yy")), false},
		{"all", &Match{All: []Match{*words("drucker"), *words("xx")}}, false},
		{"not", not(words("xx")), true},
		{"not all of it", not(&Match{All: []Match{*words("drucker"), *words("xx")}}), true},
		{"expression", &Match{Expr: `language == "de" and mail.size > 4000 and has("drucker problem")`}, true},
		{"expression with the domain", &Match{Expr: `domain endsWith "kunde.example" and not customer.vip`}, true},
		{"expression with a header", &Match{Expr: `header("X-Source") startsWith "Shop" and len(to) == 2`}, true},
		{"expression with later values", &Match{Expr: `category == "hardware.printer" and priority in ["P4", "P5"] and tier == 1`}, true},
		{"expression that is not true", &Match{Expr: `score > 100`}, false},
		{"expression that fails", &Match{Expr: `to[7] == "x"`}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := serviceDesk()
			c.Rules = []Rule{{Name: "r", Match: tt.match, Add: Additions{Tags: []string{"t"}}}}
			v := newClassifier(t, c).Classify(m, tickets.Hints{Mailbox: "service"})
			if got := len(v.Rules) == 1; got != tt.want {
				t.Errorf("%s: %v, want %v", newClassifier(t, c).onNew.list[0].match.describe(), got, tt.want)
			}
			if _, _, why := place(v, "rule"); tt.want && (why == "" || strings.HasPrefix(why, " (")) {
				t.Errorf("no reason: %q", why)
			}
			// As a route, it says why it was not entered.
			c.Routes = Route{Name: "root", Routes: []Route{{Name: "r", Match: tt.match}}}
			if strings.HasPrefix(tt.name, "expression with later") {
				return
			}
			v = newClassifier(t, c).Classify(m, tickets.Hints{Mailbox: "service", Explain: true})
			if got := len(v.Route) == 2; got != tt.want {
				t.Errorf("as a route %v, want %v", got, tt.want)
			}
			if _, _, why := place(v, "route_not"); !tt.want && why == "" {
				t.Error("no reason against it")
			}
		})
	}
}

func TestCompounds(t *testing.T) {
	for _, tt := range []struct {
		text string
		want bool
	}{
		{"Druckerproblem", true}, {"Netzwerkdrucker", true}, {"Druckerstörungsmeldung", true}, {"Abteilungsdrucker", true}, {"DRUCKER-TREIBER", true},
		{"Gedrucktes", false}, {"Druckerei", false}, {"Buchdrucker", false}, {"Ausdruckerix", false},
	} {
		k := newClassifier(t, Config{Rules: []Rule{{Name: "r", Match: words("drucker"), Add: Additions{Tags: []string{"t"}}}}})
		if v := k.Classify(letter(t, customer, tt.text), tickets.Hints{}); (len(v.Rules) == 1) != tt.want {
			t.Errorf("%s: %v, want %v", tt.text, len(v.Rules) == 1, tt.want)
		}
	}
}

// FuzzNeeded holds that no match is lost by looking for the literals of a regex first.
func FuzzNeeded(f *testing.F) {
	for _, s := range []string{`(?i)\b(?P<ci>(?:SRV|FW|DB)-\d{3,5})\b`, `(?i)straße|strasse`, `a(b|cd)?ef+`, `(?i)kiss`, `x{0,2}yy`, `[ab]cc`, `\x{17f}est`, `^$`, `(?s)ab.cd`} {
		f.Add(s, "Test SRV-4711, KISS \u017ftra\u017fe abef")
	}
	f.Fuzz(func(t *testing.T, source, text string) {
		if len(source) > 200 || len(text) > 1000 {
			return
		}
		p, err := compilePattern(source)
		if err != nil || p.needs == nil || !p.re.MatchString(text) {
			return
		}
		folded := foldLiteral(text)
		var g grams
		g.add(folded)
		for _, n := range p.needs {
			if strings.Contains(folded, n) {
				if !g.may(n) {
					t.Fatalf("the filter denies %q in %q", n, folded)
				}
				return
			}
		}
		t.Fatalf("%q matches %q, which has none of %q", source, text, p.needs)
	})
}

// TestAlerts holds what becomes of monitoring mails: the mailbox makes them such, the host names the item, the route the
// key.
func TestAlerts(t *testing.T) {
	k := newClassifier(t, serviceDesk())
	icinga := "***** Host Monitoring on mon *****\n\nfw-001 is DOWN!\n\nHost: fw-001\nService: ping\n"
	for _, tt := range []struct {
		name, mailbox, header, subject, text string
		kind                                 tickets.Kind
		ci, route, key                       string
	}{
		{"known by its form", "service", "", "[PROBLEM] Host fw-001.desk.example is DOWN!", strings.ReplaceAll(icinga, "Service: ping\n", ""), tickets.KindMonitoring, "FW-001", "monitoring-network", "fw-001.desk.example/"},
		{"own key, noted only", "alerts", "", "[PROBLEM] db-100 on db-100 is CRITICAL!", "", tickets.KindMonitoring, "DB-100", "monitoring-database", "db-100"},
		{"automatic mail to the mailbox", "alerts", "Auto-Submitted: auto-generated\n", "Check_MK: srv-4711/CPU load OK -> CRIT", "", tickets.KindMonitoring, "SRV-4711", "monitoring", "srv-4711/cpu load"},
		{"bulk mail to the mailbox", "alerts", "Precedence: bulk\n", "Backup failed", "", tickets.KindMonitoring, "unknown", "monitoring", ""},
		{"absence notice to the mailbox", "alerts", "Auto-Submitted: auto-replied\n", "Automatic reply: x", "I am on holiday", tickets.KindAutoReply, "unknown", "english", ""},
		{"a person writes", "service", "", "Re: [PROBLEM] Host fw-001 is DOWN!", icinga, tickets.KindHuman, "unknown", "english", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := letter(t, "Return-Path: <mon@desk.example>\nFrom: mon@desk.example\nSubject: "+tt.subject+"\n"+tt.header, tt.text)
			m.Language = tickets.Language{Code: "en", Confidence: 1}
			if tt.kind == tickets.KindHuman {
				m.Reply = "What is this?"
			}
			v := k.Classify(m, tickets.Hints{Mailbox: tt.mailbox})
			key := ""
			if v.Alert != nil {
				key = v.Alert.Key
			}
			if v.Kind != tt.kind || v.CI != tt.ci || v.Route[len(v.Route)-1] != tt.route || key != tt.key {
				t.Errorf("%s, ci %s, route %v, key %q: %v", v.Kind, v.CI, v.Route, key, v.Reasons)
			}
			if v.Kind == tickets.KindMonitoring && v.NoAnswer == "" {
				t.Error("an alert may be answered")
			}
			if a := v.Alert; a != nil && (a.NoteOnly != (tt.ci == "DB-100") || a.Window == 0) {
				t.Errorf("alert %+v", a)
			}
		})
	}
}
