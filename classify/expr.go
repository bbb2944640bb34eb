package classify

import (
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// Expressions are the way out where keys do not reach: typed, without side effects, always terminating (S8). Nothing in
// them can be proved, so check says W23.

// maxNodes bounds how large an expression may be.
const maxNodes = 500

// expression is a compiled condition of expr-lang.
type expression struct {
	program *vm.Program
	reads   phase
}

// facts as expressions see them. Missing values are empty.
type exprFacts struct {
	Subject      string   `expr:"subject"`
	Body         string   `expr:"body"`
	From         string   `expr:"from"`
	Domain       string   `expr:"domain"`
	To           []string `expr:"to"`
	Mailbox      string   `expr:"mailbox"`
	Brand        string   `expr:"brand"`
	SenderKind   string   `expr:"sender_kind"`
	Auth         string   `expr:"auth"`
	Language     string   `expr:"language"`
	ServiceLevel string   `expr:"service_level"`
	Category     string   `expr:"category"`
	Score        float64  `expr:"score"`
	Probability  float64  `expr:"probability"`
	Kind         string   `expr:"kind"`
	Service      string   `expr:"service"`
	Impact       string   `expr:"impact"`
	Urgency      string   `expr:"urgency"`
	Priority     string   `expr:"priority"`
	Route        []string `expr:"route"`
	Team         string   `expr:"team"`
	Tier         int      `expr:"tier"`
	Tags         []string `expr:"tags"`

	Mail     exprMail     `expr:"mail"`
	Customer exprCustomer `expr:"customer"`
	Person   exprPerson   `expr:"person"`
	CI       exprCI       `expr:"ci"`

	// Has reports whether subject or new text has a word or phrase, with the same rules as words.
	Has func(string) bool `expr:"has"`
	// Header returns the topmost header field with a name, or "".
	Header func(string) string `expr:"header"`
}

type exprMail struct {
	Importance   string   `expr:"importance"`
	Size         int64    `expr:"size"`
	Attachments  []string `expr:"attachments"`
	AlertSystem  string   `expr:"alert_system"`
	AlertHost    string   `expr:"alert_host"`
	AlertService string   `expr:"alert_service"`
	AlertState   string   `expr:"alert_state"`
}

type exprCustomer struct {
	Organisation string `expr:"organisation"`
	ServiceLevel string `expr:"service_level"`
	Region       string `expr:"region"`
	Brand        string `expr:"brand"`
	Contact      string `expr:"contact"`
	VIP          bool   `expr:"vip"`
}

type exprPerson struct {
	ID    string   `expr:"id"`
	Role  string   `expr:"role"`
	Teams []string `expr:"teams"`
}

type exprCI struct {
	ID          string `expr:"id"`
	Name        string `expr:"name"`
	Service     string `expr:"service"`
	OwnerTeam   string `expr:"owner_team"`
	Criticality string `expr:"criticality"`
	Vendor      string `expr:"vendor"`
	Location    string `expr:"location"`
}

// compileExpression checks types and names; the error shows the place.
func compileExpression(source string) (*expression, error) {
	program, err := expr.Compile(source, expr.Env(exprFacts{}), expr.AsBool(), expr.MaxNodes(maxNodes))
	if err != nil {
		return nil, err
	}
	e := &expression{program: program}
	if tree, err := parser.Parse(source); err == nil {
		ast.Walk(&tree.Node, e)
	}
	return e, nil
}

// Visit implements ast.Visitor: it notes the latest phase among the names that an expression uses.
func (e *expression) Visit(n *ast.Node) {
	id, ok := (*n).(*ast.IdentifierNode)
	if !ok {
		return
	}
	switch id.Value {
	case "category", "score", "kind":
		e.reads = max(e.reads, phaseCategory)
	case "ci", "service":
		e.reads = max(e.reads, phaseCI)
	case "impact":
		e.reads = max(e.reads, phaseImpact)
	case "urgency":
		e.reads = max(e.reads, phaseUrgency)
	case "priority":
		e.reads = max(e.reads, phasePriority)
	case "route", "team", "tier", "tags":
		e.reads = max(e.reads, phaseRoute)
	}
}

// holds evaluates the expression. One that fails while it runs, by an index out of range for instance, is not true.
func (e *expression) holds(s *state) bool {
	out, err := expr.Run(e.program, s.exprFacts())
	yes, ok := out.(bool)
	return err == nil && ok && yes
}

func (s *state) exprFacts() exprFacts {
	t, v := s.text(), &s.values
	_, domain, _ := cutLast(v[slotFrom].text, "@")
	return exprFacts{
		Subject: t.subject, Body: t.body, From: v[slotFrom].text, Domain: domain, To: v[slotTo].keys,
		Mailbox: v[slotMailbox].text, Brand: v[slotBrand].text, SenderKind: v[slotSenderKind].text, Auth: v[slotAuth].text,
		Language: v[slotLanguage].text, ServiceLevel: v[slotServiceLevel].text, Category: v[slotCategory].text,
		Score: v[slotScore].num, Probability: v[slotProbability].num, Kind: v[slotKind].text, Service: v[slotService].text, Impact: v[slotImpact].text,
		Urgency: v[slotUrgency].text, Priority: v[slotPriority].text, Route: v[slotRoute].keys, Team: v[slotTeam].text,
		Tier: int(v[slotTier].num), Tags: v[slotTags].keys,
		Mail: exprMail{Importance: v[slotImportance].text, Size: s.m.Size, Attachments: v[slotAttachment].keys,
			AlertSystem: v[slotAlertSystem].text, AlertHost: v[slotAlertHost].text, AlertService: v[slotAlertService].text,
			AlertState: v[slotAlertState].text},
		Customer: exprCustomer{Organisation: v[slotOrganisation].text, ServiceLevel: v[slotServiceLevel].text,
			Region: v[slotRegion].text, Brand: v[slotCustomerBrand].text, Contact: v[slotContact].text, VIP: v[slotVIP].text == "true"},
		Person: exprPerson{ID: v[slotPerson].text, Role: v[slotPersonRole].text, Teams: v[slotPersonTeam].keys},
		CI: exprCI{ID: v[slotCI].text, Name: v[slotCIName].text, Service: v[slotCIService].text, OwnerTeam: v[slotCIOwner].text,
			Criticality: v[slotCICriticality].text, Vendor: v[slotCIVendor].text, Location: v[slotCILocation].text},
		Has: func(words string) bool {
			key := normalise(words)
			return key != "" && (hasWords(t.nSubject, key) || hasWords(t.nBody, key))
		},
		Header: func(name string) string { return strings.TrimSpace(s.m.FirstField(name)) },
	}
}
