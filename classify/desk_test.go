package classify

import (
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/tickets"
)

// words, value and yes are short forms for conditions.
func words(list ...string) *Match { return &Match{Text: Text{Words: list}} }

func subjectWords(list ...string) *Match { return &Match{Subject: Text{Words: list}} }

func is1(field string, values ...string) FieldMatch { return FieldMatch{Field: field, Values: values} }

func when(fields ...FieldMatch) *Match { return &Match{Fields: fields} }

// serviceDesk is a desk with three tiers, two languages and two brands.
func serviceDesk() Config {
	return Config{
		Languages: []string{"de", "en"}, AuthservID: []string{"mx.desk.example"}, Team: "service-desk",
		Mailboxes: []Mailbox{{Name: "service", Brand: "nord"}, {Name: "books", Brand: "bookware"}, {Name: "alerts", Brand: "nord", Monitoring: true}},
		Customers: []Customer{
			{Organisation: "Kunde AG", Domains: []string{"kunde.example"}, ServiceLevel: "gold", Region: "HH", Contact: "A. Berg", VIPs: []string{"chef@kunde.example"}},
			{Organisation: "Werk GmbH", Domains: []string{"werk.example", "sub.kunde.example"}, ServiceLevel: "standard"},
		},
		People: []Person{{ID: "r.schroeder", Mail: "r.schroeder@desk.example", Role: "service_manager"}, {ID: "k.brandt", Mail: "K.Brandt@desk.example", Teams: []string{"service-desk"}}},
		CMDB: []CI{
			{ID: "SVC-VPN", Service: "vpn", OwnerTeam: "network", Criticality: "business_critical", DependsOn: []string{"FW-001"}},
			{ID: "FW-001", Service: "vpn", OwnerTeam: "network", Criticality: "business_critical"},
			{ID: "SRV-4711", Service: "files", OwnerTeam: "server", Criticality: "normal", DependsOn: []string{"FW-001"}},
			{ID: "DB-100", Service: "books", OwnerTeam: "database", Criticality: "business_critical", DependsOn: []string{"SRV-4711"}},
		},
		Teams: []Team{{"service-desk", 1}, {"service-desk-en", 1}, {"network", 2}, {"server", 2}, {"database", 2}, {"workplace", 2}, {"applications", 2}, {"security", 2}},
		Categories: []Category{
			{Name: "access.password", Kind: "service_request", Tier2: "workplace", Signals: map[string]float64{"passwort": 3, "password": 3, "gesperrt": 2, "anmelden": 1}},
			{Name: "access.joiner", Kind: "service_request", Tier2: "workplace", Signals: map[string]float64{"neuer mitarbeiter": 4, "eintritt": 3}},
			{Name: "hardware.printer", Kind: "incident", Tier2: "workplace", Signals: map[string]float64{"drucker": 3, "printer": 3, "toner": 2}},
			{Name: "hardware.client", Kind: "incident", Tier2: "workplace", Signals: map[string]float64{"notebook": 2, "laptop": 2, "dockingstation": 3}},
			{Name: "network.vpn", Kind: "incident", Tier2: "network", Signals: map[string]float64{"vpn": 4, "forticlient": 4, "tunnel": 1}},
			{Name: "security.phishing", Kind: "incident", Tier2: "security", Signals: map[string]float64{"phishing": 4, "verdächtige mail": 4, "betrug": 2}},
			{Name: "other", Kind: "incident", Tier2: "workplace", Default: true},
		},
		Derive: Derive{
			CI: []Derivation{
				{When: &Match{Body: Text{Regex: `(?i)\b(?P<ci>(?:SRV|FW|DB|NB)-\d{3,5})\b`}}, Set: "{{.ci}}"},
				{When: when(is1("category", "network.vpn")), Set: "SVC-VPN"},
				{Set: "unknown"},
			},
			Impact: []Derivation{
				{When: when(is1("ci.criticality", "business_critical"), is1("sender_kind", "monitoring")), Set: "high"},
				{When: subjectWords("alle", "standort", "outage", "whole office"), Set: "high"},
				{When: &Match{Any: []Match{*when(is1("customer.vip", "true")), *words("mehrere kollegen", "several users")}}, Set: "medium"},
				{Set: "low"},
			},
			Urgency: []Derivation{
				{When: when(is1("ci.criticality", "business_critical")), Set: "high"},
				{When: when(is1("category", "security.phishing")), Set: "high"},
				{When: &Match{Any: []Match{*words("dringend", "urgent"), *when(is1("mail.importance", "high"))}}, Set: "medium"},
				{Set: "low"},
			},
		},
		Matrix: Matrix{"high": {"high": "P1", "medium": "P2", "low": "P3"}, "medium": {"high": "P2", "medium": "P3", "low": "P4"}, "low": {"high": "P3", "medium": "P4", "low": "P5"}},
		Routes: Route{Name: "root", To: "service-desk", Routes: []Route{
			{Name: "monitoring", Match: when(is1("sender_kind", "monitoring")), To: "server", Dedup: &Dedup{Window: 12 * time.Hour}, Routes: []Route{
				{Name: "monitoring-network", Match: when(is1("ci.owner_team", "network")), To: "network"},
				{Name: "monitoring-database", Match: when(is1("ci.owner_team", "database")), To: "database", Dedup: &Dedup{Key: "{{.ci}}", Recovery: "note"}},
			}},
			{Name: "phishing", Match: when(is1("category", "security.phishing")), To: "security"},
			{Name: "bookware", Match: when(is1("mailbox", "books")), To: "applications", Routes: []Route{
				{Name: "bookware-howto", Match: when(is1("kind", "service_request")), To: "service-desk"},
			}},
			{Name: "english", Match: when(is1("language", "en")), To: "service-desk-en"},
		}},
		Rules: []Rule{
			{Name: "gold-watch", Match: when(is1("service_level", "gold"), is1("priority", "P1", "P2")), Add: Additions{Watchers: []string{"r.schroeder"}, Tags: []string{"gold"}}},
			{Name: "vip-watch", Match: when(is1("customer.vip", "true")), Add: Additions{Watchers: []string{"k.brandt", "r.schroeder"}, Tags: []string{"vip", "gold"}}},
			{Name: "joiner", Match: when(is1("category", "access.joiner")), Add: Additions{Checklists: []string{"checklists/joiner.md"}}},
			{Name: "complaint", On: "customer_reply", Match: words("eskalation", "escalate", "beschwerde"), Add: Additions{Tags: []string{"complaint"}, Notify: []string{"team_lead"}}},
		},
		Answers: []Answer{{Name: "password", Match: Match{Fields: []FieldMatch{is1("category", "access.password"), is1("score", ">=5")}}}},
	}
}

// from makes a mail of an authenticated sender.
func from(t testing.TB, author, subject, text string) *tickets.Message {
	t.Helper()
	m := letter(t, "Return-Path: <"+author+">\nFrom: "+author+"\nTo: service@desk.example\nSubject: "+subject+"\n", text)
	_, domain, _ := strings.Cut(author, "@")
	m.Fields = append([]tickets.Field{{Name: "Authentication-Results", Value: "mx.desk.example; dmarc=pass header.from=" + domain}}, m.Fields...)
	m.Language = tickets.Language{Code: "de", Confidence: 1}
	return m
}

// place returns where the configuration decided a value, and why.
func place(v tickets.Verdict, what string) (value, place, why string) {
	for _, r := range v.Reasons {
		if r.What == what {
			return r.Value, r.Place, r.Why
		}
	}
	return "", "", ""
}

func TestPhases(t *testing.T) {
	k := newClassifier(t, serviceDesk())
	v := k.Classify(from(t, "s.krause@kunde.example", "VPN am Standort Leipzig tot", "Das VPN (FortiClient) geht seit heute nicht."), tickets.Hints{Mailbox: "service", Explain: true})
	for _, want := range []struct{ what, value, place, why string }{
		{"customer", "Kunde AG", "customers", "by kunde.example"},
		{"service_level", "gold", "customers", "of the customer Kunde AG"},
		{"category", "network.vpn", "categories[network.vpn]", "8 = forticlient 4 + vpn 4; need 3, margin 2"},
		{"ci", "SVC-VPN", "derive.ci[1]", "category = network.vpn"},
		{"service", "vpn", "cmdb", "of SVC-VPN"},
		{"impact", "high", "derive.impact[1]", `subject word "standort"`},
		{"urgency", "high", "derive.urgency[0]", "ci.criticality = business_critical"},
		{"priority", "P1", "matrix[high][high]", "impact high, urgency high"},
		{"route", "root", "root", "the root: everything starts there"},
		{"team", "service-desk", "root", "of the route root"},
		{"rule", "gold-watch", "rules[0]", "service_level = gold, priority = P1 (+tag gold, +watcher r.schroeder)"},
		{"route_not", "monitoring", "routes.routes[0]", "sender_kind = human, wanted monitoring"},
	} {
		value, at, why := place(v, want.what)
		if value != want.value || at != want.place || why != want.why {
			t.Errorf("%s: %q at %q because %q, want %q at %q because %q", want.what, value, at, why, want.value, want.place, want.why)
		}
	}
	var rejected []string
	for _, r := range v.Reasons {
		if r.What == "route_not" {
			rejected = append(rejected, r.Value+": "+r.Why)
		}
	}
	want := []string{"monitoring: sender_kind = human, wanted monitoring", "phishing: category = network.vpn, wanted security.phishing",
		"bookware: mailbox = service, wanted books", "english: language = de, wanted en"}
	if !slices.Equal(rejected, want) {
		t.Errorf("rejected %q, want %q", rejected, want)
	}
	if v.Tier != 1 || v.Service != "vpn" || !slices.Equal(v.DependsOn, []string{"FW-001"}) || v.Category.Score != 8 || v.Category.Tier2 != "network" {
		t.Errorf("verdict %+v", v)
	}
}

// TestDecisions goes through what a desk of three tiers gets, one mail a row.
func TestDecisions(t *testing.T) {
	k := newClassifier(t, serviceDesk())
	for _, tt := range []struct {
		name, author, mailbox, subject, text string
		category, ci, priority               string
		route, tags, watchers, answer        string
	}{
		{"nothing fits", "x@y.example", "service", "Hallo", "Ich habe eine Frage.", "other", "unknown", "P5", "root", "", "", ""},
		{"below the score", "x@y.example", "service", "Hallo", "Mein Notebook ist langsam.", "other", "unknown", "P5", "root", "", "", ""},
		{"below the margin", "x@y.example", "service", "Drucker und Dockingstation", "kaputt", "other", "unknown", "P5", "root", "", "", ""},
		{"margin kept", "x@y.example", "service", "Drucker, Toner und Laptop", "leer", "hardware.printer", "unknown", "P5", "root", "", "", ""},
		{"umlauts and phrases", "x@y.example", "service", "Verdaechtige Mail", "Was tun?", "security.phishing", "unknown", "P3", "root ▸ phishing", "", "", ""},
		{"words of the quote do not count", "x@y.example", "service", "Frage", "Hallo", "other", "unknown", "P5", "root", "", "", ""},
		{"compound", "x@y.example", "service", "Netzwerkdruckerfehler", "Hilfe", "hardware.printer", "unknown", "P5", "root", "", "", ""},
		{"hyphen", "x@y.example", "service", "VPN-Problem", "Hilfe", "network.vpn", "SVC-VPN", "P3", "root", "", "", ""},
		{"named group", "x@y.example", "service", "Laufwerk", "srv-4711 antwortet nicht", "other", "SRV-4711", "P5", "root", "", "", ""},
		{"named group that the cmdb does not have", "x@y.example", "service", "Laufwerk", "NB-999 ist weg", "other", "NB-999", "P5", "root", "", "", ""},
		{"urgent words are medium at most", "x@y.example", "service", "DRINGEND!!!", "dringend, sofort, Stillstand", "other", "unknown", "P4", "root", "", "", ""},
		{"vip", "chef@kunde.example", "service", "Frage", "Bitte um Rückruf", "other", "unknown", "P4", "root", "gold vip", "k.brandt@desk.example r.schroeder@desk.example", ""},
		{"not a vip", "s@kunde.example", "service", "Frage", "Bitte um Rückruf", "other", "unknown", "P5", "root", "", "", ""},
		{"brand's mailbox", "x@y.example", "books", "Frage", "Wie buche ich?", "other", "unknown", "P5", "root ▸ bookware", "", "", ""},
		{"deepest wins", "x@y.example", "books", "Passwort", "Passwort gesperrt", "access.password", "unknown", "P5", "root ▸ bookware ▸ bookware-howto", "", "", "password"},
		{"first wins", "x@y.example", "books", "Phishing", "was tun", "security.phishing", "unknown", "P3", "root ▸ phishing", "", "", ""},
		{"score too low for the answer", "x@y.example", "service", "Passwort", "anmelden geht nicht", "access.password", "unknown", "P5", "root", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := from(t, tt.author, tt.subject, tt.text)
			m.Text += "\n> VPN forticlient\n"
			v := k.Classify(m, tickets.Hints{Mailbox: tt.mailbox})
			got := []string{v.Category.Name, v.CI, v.Priority, strings.Join(v.Route, " ▸ "), strings.Join(v.Tags, " "), strings.Join(v.Watchers, " "), v.AutoAnswer}
			want := []string{tt.category, tt.ci, tt.priority, tt.route, tt.tags, tt.watchers, tt.answer}
			if !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q\n%v", got, want, v.Reasons)
			}
			if again := k.Classify(m, tickets.Hints{Mailbox: tt.mailbox, Explain: true}); again.Team != v.Team || again.Priority != v.Priority {
				t.Errorf("explaining it changes it: %v, %v", v, again)
			}
		})
	}
}

// TestForgedSenderIsNobody holds that a forged mail gets no customer's service level (S-064), and that doubt is told.
func TestForgedSenderIsNobody(t *testing.T) {
	k := newClassifier(t, serviceDesk())
	m := from(t, "chef@kunde.example", "Frage", "Hallo")
	m.Fields[0].Value = "mx.desk.example; dmarc=fail header.from=kunde.example"
	if v := k.Classify(m, tickets.Hints{Mailbox: "service"}); v.Customer != (tickets.Customer{}) || len(v.Watchers) > 0 {
		t.Errorf("a forged mail is of %+v, with watchers %v", v.Customer, v.Watchers)
	}
	m.Fields = m.Fields[1:]
	v := k.Classify(m, tickets.Hints{Mailbox: "service"})
	if _, _, why := place(v, "customer"); !strings.Contains(why, "nobody vouches") {
		t.Errorf("customer because %q", why)
	}
}

// TestReplyIsNotRoutedAgain holds S6: behind the agent's back nothing is decided anew, and complaints are seen.
func TestReplyIsNotRoutedAgain(t *testing.T) {
	k := newClassifier(t, serviceDesk())
	h := tickets.Hints{Mailbox: "service", OnTicket: true, Ticket: &tickets.Ticket{Category: "network.vpn", Priority: "P1", Organisation: "Kunde AG", ServiceLevel: "gold"}}
	v := k.Classify(from(t, "s@kunde.example", "Re: VPN", "Ich will eine Eskalation. Und mein Drucker druckt nicht."), h)
	if v.Category.Name != "" || v.Priority != "" || v.Route != nil || v.CI != "" {
		t.Errorf("a reply was decided anew: %+v", v)
	}
	if !slices.Equal(v.Rules, []string{"complaint"}) || !slices.Equal(v.Tags, []string{"complaint"}) || !slices.Equal(v.Notify, []string{"team_lead"}) {
		t.Errorf("rules %v tags %v notify %v", v.Rules, v.Tags, v.Notify)
	}
	if v := k.Classify(from(t, "s@kunde.example", "VPN", "Eskalation"), tickets.Hints{Mailbox: "service"}); len(v.Rules) > 0 {
		t.Errorf("rules %v for a new ticket", v.Rules)
	}
}

// fixed is a Scorer that knows one thing.
type fixed struct{ scores Scores }

func (f fixed) Score(string, string) Scores { return f.scores }

func TestScorerDecidesCategory(t *testing.T) {
	c := serviceDesk()
	c.Scorer = fixed{Scores{Best: "hardware.printer", Known: true, Probability: 0.93, RunnerUp: "other", Evidence: []Evidence{{"druckt", 1.5}}}}
	v := newClassifier(t, c).Classify(from(t, "x@y.example", "VPN", "VPN"), tickets.Hints{Mailbox: "service"})
	if v.Category.Name != "hardware.printer" || v.Category.Probability != 0.93 || v.Category.Kind != "incident" || len(v.Category.Evidence) != 1 {
		t.Errorf("category %+v", v.Category)
	}
	for _, unsure := range []Scores{{Best: "hardware.printer", Probability: 0.4}, {Best: "no.such", Known: true}, {}} {
		c.Scorer = fixed{unsure}
		if v := newClassifier(t, c).Classify(from(t, "x@y.example", "VPN", "VPN"), tickets.Hints{Mailbox: "service"}); v.Category.Name != "other" {
			t.Errorf("%+v: category %+v", unsure, v.Category)
		}
	}
	// `score` is about the signals whoever decides, so that conditions on it mean the same before and after the desk has learnt.
	c.Scorer = fixed{Scores{Best: "network.vpn", Known: true, Probability: 0.93}}
	if v := newClassifier(t, c).Classify(from(t, "x@y.example", "VPN", "VPN"), tickets.Hints{Mailbox: "service"}); v.Category.Score != 4 {
		t.Errorf("category %+v", v.Category)
	}
	c.Scorer = fixed{Scores{Abstains: true}}
	if v := newClassifier(t, c).Classify(from(t, "x@y.example", "VPN", "VPN"), tickets.Hints{Mailbox: "service"}); v.Category.Name != "network.vpn" || v.Category.Probability != 0 {
		t.Errorf("the signals decide when the scorer abstains: %+v", v.Category)
	}
}

// TestOrderOfCategoriesAndRules holds that neither order matters (S9, S12).
func TestOrderOfCategoriesAndRules(t *testing.T) {
	c := serviceDesk()
	m := from(t, "chef@kunde.example", "VPN am Standort: neuer Mitarbeiter", "Drucker, Toner, Laptop")
	want := newClassifier(t, c).Classify(m, tickets.Hints{Mailbox: "service"})
	slices.Reverse(c.Categories)
	slices.Reverse(c.Rules)
	got := newClassifier(t, c).Classify(m, tickets.Hints{Mailbox: "service"})
	slices.Sort(want.Rules)
	slices.Sort(got.Rules)
	if got.Category.Name != want.Category.Name || got.Category.RunnerUp != want.Category.RunnerUp || !slices.Equal(got.Tags, want.Tags) ||
		!slices.Equal(got.Watchers, want.Watchers) || !slices.Equal(got.Rules, want.Rules) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// S10: what a person has given stands, and the rest follows from it: priority, route, rules.
func TestWhatPeopleGiveStands(t *testing.T) {
	k := newClassifier(t, serviceDesk())
	m := from(t, "chef@kunde.example", "Frage", "Wann haben Sie geöffnet?")
	v := k.Classify(m, tickets.Hints{Mailbox: "service", Given: tickets.Given{Category: "security.phishing", CI: "db-100", Impact: "medium", Urgency: "high"}})
	if v.Category.Name != "security.phishing" || v.Category.Tier2 != "security" || v.CI != "DB-100" || v.Impact != "medium" || v.Urgency != "high" ||
		v.Priority != "P2" || v.Team != "security" {
		t.Errorf("got %+v", v)
	}
	for _, what := range []string{"category", "ci", "impact", "urgency"} {
		if !slices.ContainsFunc(v.Reasons, func(r tickets.Reason) bool { return r.What == what && r.Why == tickets.Given{}.Why() }) {
			t.Errorf("no reason for %s: %+v", what, v.Reasons)
		}
	}
	if v := k.Classify(m, tickets.Hints{Mailbox: "service", Given: tickets.Given{Category: "gone"}}); v.Category.Name != "other" {
		t.Errorf("a category that is gone stands: %+v", v.Category)
	}
}
