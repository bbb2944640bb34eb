package classify

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/tickets"
)

// child makes a route below the root.
func child(name string, m *Match, more ...func(*Route)) Route {
	r := Route{Name: name, Match: m, To: "team-" + name}
	for _, change := range more {
		change(&r)
	}
	return r
}

func under(kids ...Route) func(*Route) { return func(r *Route) { r.Routes = kids } }

func to(team string) func(*Route) { return func(r *Route) { r.To = team } }

func meant(names ...string) func(*Route) { return func(r *Route) { r.Overlaps = names } }

func not(m *Match) *Match { return &Match{Not: m} }

func anyOf(list ...*Match) *Match {
	m := &Match{}
	for _, one := range list {
		m.Any = append(m.Any, *one)
	}
	return m
}

// lints returns the findings as "code path", without those that other tests are about.
func lints(c Config, codes ...string) (list []string, all []Lint) {
	for _, l := range c.Lint() {
		for _, code := range codes {
			if l.Code == code {
				list = append(list, l.Code+" "+l.Path)
				all = append(all, l)
			}
		}
	}
	return list, all
}

func TestShadowedRoutesAreProved(t *testing.T) {
	yes, no := true, false
	from := func(domains ...string) *Match { return when(FieldMatch{Field: "from", Domain: domains}) }
	for _, tt := range []struct {
		name  string
		kids  []Route
		want  string // code and path of the only E
		about string // part of what it says
	}{
		{"same condition", []Route{child("a", when(is1("mailbox", "books"))), child("b", when(is1("mailbox", "books")))}, "E05 routes.routes[1]", `by "a"`},
		{"other order of values", []Route{child("a", when(is1("language", "en", "de"))), child("b", when(is1("language", "de")))}, "E05 routes.routes[1]", `by "a"`},
		{"narrower is reached", []Route{child("a", when(is1("mailbox", "books"), is1("language", "de"))), child("b", when(is1("mailbox", "books")))}, "", ""},
		{"more conditions", []Route{child("a", when(is1("mailbox", "books"))), child("b", &Match{Fields: []FieldMatch{is1("mailbox", "books")}, Subject: Text{Words: []string{"x"}}})}, "E05 routes.routes[1]", ""},
		{"by two together", []Route{child("a", when(is1("mailbox", "service", "alerts"))), child("b", when(is1("mailbox", "books"))), child("c", when(is1("language", "de")))}, "E05 routes.routes[2]", `"a" and "b"`},
		{"by all languages", []Route{child("a", when(is1("language", "de"))), child("b", when(is1("language", "en"))), child("c", words("vpn"))}, "E05 routes.routes[2]", ""},
		{"one of two left over", []Route{child("a", when(is1("language", "de"))), child("b", words("vpn"))}, "", ""},
		{"phrase has the word", []Route{child("a", words("drucker")), child("b", subjectWords("drucker brennt"))}, "E05 routes.routes[1]", ""},
		{"word is not the phrase", []Route{child("a", subjectWords("drucker brennt")), child("b", words("drucker"))}, "", ""},
		{"subject is not text", []Route{child("a", subjectWords("drucker")), child("b", words("drucker"))}, "", ""},
		{"contains", []Route{child("a", &Match{Text: Text{Contains: []string{"druck"}}}), child("b", words("drucker", "ausdruck"))}, "E05 routes.routes[1]", ""},
		{"one word is not covered", []Route{child("a", words("drucker")), child("b", words("drucker", "toner"))}, "", ""},
		{"not and its opposite", []Route{child("a", words("vpn")), child("b", not(words("vpn"))), child("c", when(is1("language", "de")))}, "E05 routes.routes[2]", ""},
		{"any of", []Route{child("a", anyOf(words("vpn"), when(is1("language", "de")))), child("b", when(is1("language", "de"), is1("mailbox", "books")))}, "E05 routes.routes[1]", ""},
		{"domain above", []Route{child("a", from("kunde.example")), child("b", from("sub.kunde.example"))}, "E05 routes.routes[1]", ""},
		{"address of the domain", []Route{child("a", from("kunde.example")), child("b", when(FieldMatch{Field: "from", Address: []string{"x@kunde.example"}}))}, "E05 routes.routes[1]", ""},
		{"domain below", []Route{child("a", from("sub.kunde.example")), child("b", from("kunde.example"))}, "", ""},
		{"kind of the category", []Route{child("a", when(is1("kind", "incident"))), child("b", when(is1("category", "network.vpn", "hardware.printer")))}, "E05 routes.routes[1]", ""},
		{"owner of the item", []Route{child("a", when(is1("ci.owner_team", "network"))), child("b", when(is1("ci", "fw-001")))}, "E05 routes.routes[1]", ""},
		{"criticality has several items", []Route{child("a", when(is1("ci.owner_team", "network"))), child("b", when(is1("ci.criticality", "business_critical")))}, "", ""},
		{"priority from impact and urgency", []Route{child("a", when(is1("priority", "P1"))), child("b", when(is1("impact", "high"), is1("urgency", "high")))}, "E05 routes.routes[1]", ""},
		{"numbers", []Route{child("a", when(is1("score", ">=4"))), child("b", when(is1("score", ">6")))}, "E05 routes.routes[1]", ""},
		{"numbers that leave a gap", []Route{child("a", when(is1("score", ">4"))), child("b", when(is1("score", ">=4")))}, "", ""},
		{"numbers together", []Route{child("a", when(is1("score", ">4"))), child("b", when(is1("score", "<=4"))), child("c", words("x"))}, "E05 routes.routes[2]", ""},
		{"exists", []Route{child("a", when(FieldMatch{Field: "customer.organisation", Exists: &yes})), child("b", when(is1("service_level", "gold")))}, "E05 routes.routes[1]", ""},
		{"does not exist", []Route{child("a", when(FieldMatch{Field: "ci.owner_team", Exists: &no})), child("b", when(is1("ci", "nb-1234")))}, "E05 routes.routes[1]", ""},
		{"missing is no value", []Route{child("a", not(when(is1("service_level", "gold")))), child("b", when(FieldMatch{Field: "service_level", Exists: &no}))}, "E05 routes.routes[1]", ""},
		{"the same regex", []Route{child("a", &Match{Subject: Text{Regex: `\d+`}}), child("b", &Match{Subject: Text{Regex: `\d+`}, Fields: []FieldMatch{is1("language", "de")}})}, "E05 routes.routes[1]", ""},
		{"header", []Route{child("a", when(FieldMatch{Field: "header.X-Source", Exists: &yes})), child("b", when(is1("header.X-Source", "shop")))}, "E05 routes.routes[1]", ""},
		{"below a parent", []Route{child("p", when(is1("mailbox", "books")), under(child("a", when(is1("mailbox", "books", "service"))), child("b", words("x"))))}, "E05 routes.routes[0].routes[1]", `by "a"`},
		{"unlike its parent", []Route{child("p", when(is1("mailbox", "books")), under(child("a", when(is1("mailbox", "service")))))}, "E06 routes.routes[0].routes[0]", `below "p"`},
		{"unlike what its parent's category is", []Route{child("p", when(is1("category", "network.vpn")), under(child("a", when(is1("kind", "service_request")))))}, "E06 routes.routes[0].routes[0]", ""},
		{"contradicts itself", []Route{child("a", &Match{Fields: []FieldMatch{is1("language", "de"), is1("language", "en")}})}, "E06 routes.routes[0]", "no mail has"},
		{"no such category", []Route{child("a", when(is1("category", "network.vnp")))}, "E06 routes.routes[0]", ""},
		{"parents exclude a word", []Route{child("p", not(words("vpn")), under(child("a", subjectWords("kein vpn")))), child("x", when(is1("language", "de")))}, "E06 routes.routes[0].routes[0]", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := serviceDesk()
			c.Teams = nil
			c.Routes = Route{Name: "root", To: "service-desk", Routes: tt.kids}
			got, all := lints(c, "E05", "E06")
			if strings.Join(got, ", ") != tt.want {
				t.Fatalf("got %q, want %q: %v", got, tt.want, all)
			}
			if tt.want == "" {
				return
			}
			if !strings.Contains(all[0].What, tt.about) {
				t.Errorf("says %q, want %q in it", all[0].What, tt.about)
			}
			if all[0].Code == "E05" && all[0].Example == "" {
				t.Errorf("no example: %+v", all[0])
			}
		})
	}
}

func TestOverlaps(t *testing.T) {
	for _, tt := range []struct {
		name          string
		kids          []Route
		want, example string
	}{
		{"as in the book", serviceDesk().Routes.Routes[2:], "W22 routes.routes[1]", "mailbox=books brand=bookware language=en"},
		{"said to be meant", []Route{child("a", words("x")), child("b", words("y"), meant("a"))}, "", ""},
		{"words", []Route{child("a", words("x")), child("b", subjectWords("y"))}, "W22 routes.routes[1]", `subject="y and x"`},
		{"the same team", []Route{child("a", words("x"), to("t")), child("b", words("y"), to("t"))}, "", ""},
		{"disjoint", []Route{child("a", when(is1("language", "de"))), child("b", when(is1("language", "en"), is1("mailbox", "books")))}, "", ""},
		{"disjoint by the category's kind", []Route{child("a", when(is1("kind", "service_request"))), child("b", when(is1("category", "network.vpn")))}, "", ""},
		{"only where another one is first", []Route{child("a", words("x")), child("b", anyOf(words("x"), when(is1("mailbox", "books"))), meant("a")),
			child("c", anyOf(words("x"), when(is1("mailbox", "service"))), meant("a"))}, "", ""},
		{"regex with a sample", []Route{child("a", when(is1("mailbox", "books"))), child("b", &Match{Subject: Text{Regex: `(?i)order[ -](\d{6})`}})}, "W22 routes.routes[1]", `mailbox=books brand=bookware subject="ORDER-000000"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := serviceDesk()
			c.Teams = nil
			c.Routes = Route{Name: "root", To: "service-desk", Routes: tt.kids}
			got, all := lints(c, "W22")
			if strings.Join(got, ", ") != tt.want {
				t.Fatalf("got %q, want %q: %+v", got, tt.want, all)
			}
			if tt.example != "" && all[0].Example != tt.example {
				t.Errorf("example %q, want %q", all[0].Example, tt.example)
			}
		})
	}
}

func TestLintsOfTheWholeDesk(t *testing.T) {
	got, all := lints(serviceDesk(), "E05", "E06", "E07", "E08", "E12", "W23")
	if len(got) > 0 {
		t.Errorf("a sound desk has %v: %v", got, all)
	}
	for _, tt := range []struct {
		name   string
		break1 func(*Config)
		want   string
	}{
		{"E01", func(c *Config) { c.Rules[0].Match = when(is1("colour", "red")) }, "rules[0].match.colour"},
		{"E02", func(c *Config) { c.Routes.Routes[1].Name = "monitoring" }, "routes.routes[1].name"},
		{"E03", func(c *Config) { c.Routes.Routes[1].To = "secruity" }, "routes.routes[1].to"},
		{"E03", func(c *Config) { c.Rules[1].Add.Watchers = []string{"nobody"} }, "rules[1].add.watchers"},
		{"E03", func(c *Config) { c.Categories[6].Default = false }, "categories"},
		{"E03", func(c *Config) { c.CMDB[0].DependsOn = []string{"X"} }, "organisation.cmdb[SVC-VPN]"},
		{"E04", func(c *Config) { c.Routes.Routes[1].Name = "" }, "routes.routes[1]"},
		{"E06", func(c *Config) { c.Rules[0].Match = &Match{} }, "rules[0].match"},
		{"E06", func(c *Config) { c.Rules[0].Match = &Match{Any: []Match{{}}} }, "rules[0].match.any[0]"},
		{"E06", func(c *Config) { c.Rules[0].Match = when(is1("service_level", "platinum")) }, "rules[0].match"},
		{"E07", func(c *Config) { delete(c.Matrix["high"], "low") }, "priorities.matrix[high][low]"},
		{"E07", func(c *Config) { c.Matrix["high"]["high"] = "P3" }, "priorities.matrix[high][high]"},
		{"E07", func(c *Config) { c.Matrix["hihg"] = map[string]string{"low": "P1"} }, "priorities.matrix[hihg]"},
		{"E07", func(c *Config) { c.Matrix = nil }, "priorities.matrix"},
		{"E08", func(c *Config) { c.Derive.Impact = c.Derive.Impact[:3] }, "derive.impact[2]"},
		{"E08", func(c *Config) { c.Derive.Impact[0].When = nil }, "derive.impact[0]"},
		{"E08", func(c *Config) { c.Derive.Impact[0].When = when(is1("urgency", "high")) }, "derive.impact[0].when"},
		{"E08", func(c *Config) { c.Derive.CI[1].When = &Match{Expr: `priority == "P1"`} }, "derive.ci[1].when"},
		{"E08", func(c *Config) { c.Routes.Routes[1].Match = when(is1("team", "server")) }, "routes.routes[1].match"},
		{"E12", func(c *Config) { c.Derive.CI[0].Set = "{{.item}}" }, "derive.ci[0].set"},
		{"E12", func(c *Config) { c.Rules[0].Match = &Match{Subject: Text{Regex: "("}} }, "rules[0].match.subject.regex"},
		{"E12", func(c *Config) { c.Rules[0].Match = &Match{Expr: `category = 1`} }, "rules[0].match.expr"},
		{"E12", func(c *Config) { c.Derive.CI[0].Set = "SRV" }, "derive.ci[0].when"},
		{"E12", func(c *Config) { c.Rules[0].Match = &Match{Body: Text{Regex: `(?P<x>a)`}} }, "rules[0].match"},
		{"E12", func(c *Config) { c.Rules[0].Match = when(is1("score", "many")) }, "rules[0].match.score"},
		{"E14", func(c *Config) { c.Rules[0].Set = []string{"priority"} }, "rules[0]"},
		{"E20", func(c *Config) { c.Customers[1].Domains = []string{"kunde.example"} }, "organisation.customers[Werk GmbH]"},
		{"W23", func(c *Config) { c.Routes.Routes[1].Match = &Match{Expr: `len(body) > 1000`} }, "routes.routes[1]"},
	} {
		t.Run(tt.name+" "+tt.want, func(t *testing.T) {
			c := serviceDesk()
			tt.break1(&c)
			for _, l := range c.Lint() {
				if l.Code == tt.name && l.Path == tt.want && l.What != "" {
					return
				}
			}
			t.Errorf("not found among %+v", c.Lint())
		})
	}
}

// TestProofsAreTrue tries random trees on every mail there is, in a world of two languages, three mailboxes and two words:
// what lint calls unreachable nothing reaches, what nothing reaches lint calls so, examples are true, and
// looking routes up finds what trying them one by one finds.
func TestProofsAreTrue(t *testing.T) {
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	var mails []*tickets.Message
	var hints []tickets.Hints
	for _, subject := range []string{"", "x", "y", "x y", "y x"} {
		for i := range 2 * 2 * 3 {
			m := from(t, "x@y.example", subject, strings.Repeat("x", i/6))
			m.Language.Code = []string{"de", "en"}[i%2]
			mails, hints = append(mails, m), append(hints, tickets.Hints{Mailbox: []string{"service", "books", "alerts"}[i/2%3]})
		}
	}
	var condition func(depth int) *Match
	condition = func(depth int) *Match {
		if depth > 0 {
			a, b := condition(depth-1), condition(depth-1)
			switch random.IntN(5) {
			case 0:
				return anyOf(a, b)
			case 1:
				return &Match{All: []Match{*a, *b}}
			case 2:
				return not(a)
			}
		}
		return []*Match{words("x"), subjectWords("y"), subjectWords("x y"), when(is1("language", "de")), when(is1("mailbox", "books", "service")), when(is1("mailbox", "books")), when(is1("brand", "nord"))}[random.IntN(7)]
	}
	unreachable := 0
	for range 150 {
		c := Config{Languages: []string{"de", "en"}, Team: "t", Mailboxes: []Mailbox{{Name: "service", Brand: "nord"}, {Name: "books", Brand: "bookware"}, {Name: "alerts", Brand: "nord"}}}
		for i := range 4 {
			c.Routes.Routes = append(c.Routes.Routes, child(fmt.Sprint(i), condition(2)))
		}
		c.Routes.Routes[1].Routes = []Route{child("4", condition(1)), child("5", condition(1))}
		k := newClassifier(t, c)
		entered := map[string]bool{}
		for i, m := range mails {
			v := k.Classify(m, hints[i])
			for _, name := range v.Route {
				entered[name] = true
			}
			if v.Team != "t" {
				entered["at "+v.Route[len(v.Route)-1]] = true
			}
			plain := k.Classify(m, tickets.Hints{Mailbox: hints[i].Mailbox, Explain: true})
			if !slices.Equal(plain.Route, v.Route) {
				t.Fatalf("routes %v and %v", v.Route, plain.Route)
			}
		}
		told := map[string]bool{}
		for _, l := range c.Lint() {
			if l.Code != "E05" && l.Code != "E06" {
				continue
			}
			name := l.What[strings.Index(l.What, `"`)+1:]
			name = name[:strings.Index(name, `"`)]
			told[name] = true
			unreachable++
			if entered[name] {
				t.Fatalf("route %s is entered, though %+v: %s", name, l, tree(k.root))
			}
		}
		for _, name := range []string{"0", "1", "2", "3", "4", "5"} {
			below := name > "3"
			if !entered[name] && !told[name] && !(below && !entered["1"]) {
				t.Fatalf("route %s is never entered, and nothing says so: %s", name, tree(k.root))
			}
		}
	}
	if unreachable == 0 {
		t.Error("no tree had an unreachable route: the test tries nothing")
	}
}

// tree writes a tree of routes down.
func tree(r *route) string {
	s := r.name
	if r.match != nil {
		s += ": " + r.match.describe()
	}
	for _, kid := range r.kids {
		s += "\n" + strings.ReplaceAll(tree(kid), "\n", "\n  ")
	}
	return s
}

// BenchmarkLint measures the proofs for a tree of 500 routes that nearly all overlap.
func BenchmarkLint(b *testing.B) {
	c := large()
	c.Teams = nil
	for i := range c.Routes.Routes {
		c.Routes.Routes[i].To = fmt.Sprintf("team-%d", i%7)
	}
	for b.Loop() {
		if list := c.Lint(); len(list) < 300 {
			b.Fatalf("only %d findings", len(list))
		}
	}
}

// Proofs about many routes that cannot be looked into end: each of them is said to be unproved, and none is taken for shadowed.
func TestLintOfManyPatternsEnds(t *testing.T) {
	c := serviceDesk()
	c.Routes = Route{Name: "root", To: "service-desk"}
	for i := range 500 {
		m := &Match{Expr: fmt.Sprintf("subject contains 'x%d'", i)}
		if i%2 == 0 {
			m = &Match{Subject: Text{Regex: fmt.Sprintf("a%d.*b", i)}}
		}
		c.Routes.Routes = append(c.Routes.Routes, Route{Name: fmt.Sprintf("r%d", i), Match: m, To: "server"})
	}
	count := map[string]int{}
	for _, l := range c.Lint() {
		count[l.Code]++
	}
	if len(count) != 1 || count["W23"] != 500 {
		t.Errorf("found %v", count)
	}
}
