package classify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"supportd/tickets"
)

// route is a compiled node of the tree; what its file leaves unset is inherited already.
type route struct {
	name  string
	path  string
	match *node // nil for the root
	team  string
	tier  int
	dedup *dedup
	kids  []*route
	find  *selection // among kids
	from  *Route
}

// dedup says which alerts are one.
type dedup struct {
	key      template
	window   time.Duration
	noteOnly bool
}

// Defaults of Dedup.
const (
	defaultKey    = "{{.mail.alert_host}}/{{.mail.alert_service}}"
	defaultWindow = 24 * time.Hour
)

// routes compiles the tree.
func (cp *compiler) routes() *route {
	c := cp.config
	root := c.Routes
	if root.Match != nil {
		cp.lint("E04", "routes.match", "the root matches everything; put the condition on a route below it")
	}
	if root.Name == "" {
		root.Name = "root"
	}
	if root.To == "" {
		root.To = c.Team
	}
	names := map[string]string{}
	return cp.route(&root, nil, "routes", names)
}

func (cp *compiler) route(r *Route, parent *route, path string, names map[string]string) *route {
	out := &route{name: r.Name, path: path, team: r.To, from: r}
	if r.Name == "" {
		cp.lint("E04", path, "a route needs a name, so that people can be told why")
	} else if other, twice := names[r.Name]; twice {
		cp.lint("E02", path+".name", "%q is the name of %s already", r.Name, other)
	}
	names[r.Name] = path
	if parent != nil {
		if r.Match == nil {
			cp.lint("E06", path, "route %q has no match; only the root goes without", r.Name)
		} else {
			out.match = cp.match(r.Match, path+".match", phaseRoute)
			cp.unused(out.match, template{}, path+".match")
		}
		out.dedup = parent.dedup
		if r.To == "" {
			out.team = parent.team
		}
	} else {
		out.dedup = cp.dedup(&Dedup{}, path)
	}
	if r.To != "" && !cp.knownTeam(r.To) {
		cp.lint("E03", path+".to", "there is no team %q", r.To)
	}
	for _, t := range cp.config.Teams {
		if t.Name == out.team {
			out.tier = t.Tier
		}
	}
	if r.Dedup != nil {
		out.dedup = cp.dedup(r.Dedup, path+".dedup")
	}
	for i := range r.Routes {
		out.kids = append(out.kids, cp.route(&r.Routes[i], out, fmt.Sprintf("%s.routes[%d]", path, i), names))
	}
	var conditions []*node
	for _, kid := range out.kids {
		if kid.match == nil {
			return out // an error, which is told
		}
		conditions = append(conditions, kid.match)
	}
	out.find = newSelection(conditions)
	return out
}

func (cp *compiler) dedup(d *Dedup, path string) *dedup {
	key := d.Key
	if key == "" {
		key = defaultKey
	}
	out := &dedup{key: cp.template(key, nil, phaseRoute, path+".key"), window: d.Window}
	if out.window == 0 {
		out.window = defaultWindow
	}
	switch d.Recovery {
	case "", "solve":
	case "note":
		out.noteOnly = true
	default:
		cp.lint("E03", path+".recovery", "%q is neither solve nor note", d.Recovery)
	}
	if d.Window < 0 {
		cp.lint("E10", path+".window", "%s is no time to come", d.Window)
	}
	return out
}

// route walks down the tree: among the children, in order, the first that matches is entered (S11).
func (s *state) route() {
	v, at := s.v, s.k.root
	v.Route = []string{at.name}
	why := "the root: everything starts there"
	for {
		next := s.enter(at)
		if next == nil {
			break
		}
		at = next
		v.Route = append(v.Route, at.name)
		why = at.match.why(s)
	}
	s.captures = nil
	v.Team, v.Tier = at.team, at.tier
	if len(s.k.root.kids) > 0 {
		s.because("route", strings.Join(v.Route, " ▸ "), why, at.name)
		s.because("team", v.Team, "of the route "+at.name, at.name)
	} else {
		s.because("team", v.Team, "the desk's team for new tickets", "")
	}
	s.putMany(slotRoute, v.Route)
	s.put(slotTeam, v.Team)
	s.putNumber(slotTier, float64(v.Tier), fmt.Sprint(v.Tier))
	if v.Alert != nil {
		v.Alert.Key, v.Alert.Window, v.Alert.NoteOnly = strings.ToLower(at.dedup.key.fill(s)), at.dedup.window, at.dedup.noteOnly
		s.because("alert", v.Alert.Key, fmt.Sprintf("alerts with this key within %s are one", at.dedup.window), at.name)
	}
}

// enter returns the child that is entered, or nil.
func (s *state) enter(r *route) *route {
	if len(r.kids) == 0 {
		return nil
	}
	var taken *route
	for _, i := range r.find.candidates(s) {
		s.captures = nil
		if r.kids[i].match.holds(s) {
			taken = r.kids[i]
			break
		}
	}
	if !s.explain {
		return taken
	}
	for _, kid := range r.kids {
		if kid == taken {
			break
		}
		s.because("route_not", kid.name, kid.match.whyNot(s), kid.path)
	}
	return taken
}

// Occasions of rules.
const (
	onNewTicket     = "new_ticket"
	onCustomerReply = "customer_reply"
)

// addition is a compiled rule.
type addition struct {
	name  string
	place string
	match *node
	add   Additions
	says  string // what it adds, in words
}

// additions are the rules for one occasion.
type additions struct {
	list []addition
	find *selection
}

// rules compiles the rules for one occasion.
func (cp *compiler) rules(occasion string) additions {
	var out additions
	var conditions []*node
	names := map[string]bool{}
	for i := range cp.config.Rules {
		r := &cp.config.Rules[i]
		path := fmt.Sprintf("rules[%d]", i)
		on := r.On
		if on == "" {
			on = onNewTicket
		}
		if on != occasion {
			if on != onNewTicket && on != onCustomerReply && occasion == onNewTicket {
				cp.lint("E03", path+".on", "%q is no occasion; there are new_ticket and customer_reply", r.On)
			}
			continue
		}
		if r.Name == "" {
			cp.lint("E04", path, "a rule needs a name, so that people can be told why")
		} else if names[r.Name] {
			cp.lint("E02", path+".name", "there is a rule %q already", r.Name)
		}
		names[r.Name] = true
		if len(r.Set) > 0 {
			cp.lint("E14", path, "rule %q sets %s; rules only add (tags, watchers, checklist, notify), so that their order cannot matter. Use derive or routes for that", r.Name, strings.Join(r.Set, ", "))
		}
		a := addition{name: r.Name, place: path, add: r.Add}
		if r.Match == nil {
			cp.lint("E06", path, "rule %q has no match", r.Name)
			continue
		}
		a.match = cp.match(r.Match, path+".match", phaseRules)
		cp.unused(a.match, template{}, path+".match")
		cp.additions(&a, path)
		out.list, conditions = append(out.list, a), append(conditions, a.match)
	}
	out.find = newSelection(conditions)
	return out
}

// additions checks what a rule adds, resolves people to addresses and puts it into words.
func (cp *compiler) additions(a *addition, path string) {
	add := &a.add
	if len(add.Tags)+len(add.Watchers)+len(add.Checklists)+len(add.Notify) == 0 {
		cp.lint("E14", path+".add", "rule %q adds nothing", a.name)
	}
	var says []string
	for _, tag := range add.Tags {
		if tag == "" || strings.ContainsAny(tag, " \t\r\n") {
			cp.lint("E12", path+".add.tags", "%q is no tag: a tag is one word", tag)
		}
		says = append(says, "+tag "+tag)
	}
	add.Watchers = slices.Clone(add.Watchers)
	for i, w := range add.Watchers {
		says = append(says, "+watcher "+w)
		if p := cp.person(w); p != "" {
			add.Watchers[i] = p
		} else {
			cp.lint("E03", path+".add.watchers", "%q is neither a person of the people's table nor an address", w)
		}
	}
	for _, c := range add.Checklists {
		says = append(says, "+checklist "+c)
	}
	for _, n := range add.Notify {
		says = append(says, "+notify "+n)
	}
	a.says = strings.Join(says, ", ")
}

// person resolves an id or an address to a lower-case address, or "".
func (cp *compiler) person(name string) string {
	if strings.Contains(name, "@") {
		return strings.ToLower(name)
	}
	for _, p := range cp.config.People {
		if strings.EqualFold(p.ID, name) {
			return strings.ToLower(p.Mail)
		}
	}
	return ""
}

// apply applies every rule that matches. What one adds is no other's to see (S12).
func (s *state) apply(rules additions) {
	if len(rules.list) == 0 {
		return
	}
	v := s.v
	for _, i := range rules.find.candidates(s) {
		r := &rules.list[i]
		if !r.match.holds(s) {
			continue
		}
		v.Rules = append(v.Rules, r.name)
		v.Tags = append(v.Tags, r.add.Tags...)
		v.Watchers = append(v.Watchers, r.add.Watchers...)
		v.Checklists = append(v.Checklists, r.add.Checklists...)
		v.Notify = append(v.Notify, r.add.Notify...)
		s.because("rule", r.name, r.match.why(s)+" ("+r.says+")", r.place)
	}
	s.captures = nil
	v.Tags, v.Watchers, v.Checklists, v.Notify = set(v.Tags), set(v.Watchers), set(v.Checklists), set(v.Notify)
}

// set sorts a list and drops what stands in it twice.
func set[T cmp.Ordered](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

// ofTicket fills in what the ticket says that a message continues: for rules on replies.
func (s *state) ofTicket(t *tickets.Ticket) {
	if t == nil {
		return
	}
	s.put(slotCategory, t.Category)
	if c := s.k.categories.byName[t.Category]; c != nil {
		s.put(slotKind, c.Kind)
	}
	s.factsOfCI(t.CI, s.k.tables.cis[strings.ToLower(t.CI)])
	s.put(slotImpact, t.Impact)
	s.put(slotUrgency, t.Urgency)
	s.put(slotPriority, t.Priority)
	s.put(slotTeam, t.Team)
	s.putNumber(slotTier, float64(t.Tier), fmt.Sprint(t.Tier))
	s.putMany(slotTags, t.Tags)
	if t.Organisation != "" {
		s.put(slotOrganisation, t.Organisation)
		s.put(slotServiceLevel, t.ServiceLevel)
	}
}
