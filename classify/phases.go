package classify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"supportd/tickets"
)

// because records the reason for a value and its place in the configuration.
func (s *state) because(what, value, why, place string) {
	s.v.Reasons = append(s.v.Reasons, tickets.Reason{What: what, Value: value, Why: why, Place: place})
}

// signals is the Scorer of a configuration that has no other: the weights of a category's signals that a message has,
// each once, added up (S9). The order of categories is irrelevant.
type signals struct {
	ids     []int
	weights []float64
	texts   []string
}

// categories of a configuration, ready for use.
type categories struct {
	byName    map[string]*Category
	signals   []signals // by index of Config.Categories
	def       string
	threshold Threshold
}

func (cp *compiler) categories() categories {
	c := cp.config
	cs := categories{byName: map[string]*Category{}, threshold: c.Threshold}
	if cs.threshold == (Threshold{}) {
		cs.threshold = Threshold{Score: 3, Margin: 2}
	}
	for i := range c.Categories {
		cat := &c.Categories[i]
		path := "categories[" + cat.Name + "]"
		if cat.Name == "" || cs.byName[cat.Name] != nil {
			cp.lint("E02", path, "a category needs a name of its own")
		}
		cs.byName[cat.Name] = cat
		if cat.Default {
			if cs.def != "" {
				cp.lint("E02", path+".default", "%s is the default already; one category can be", cs.def)
			}
			cs.def = cat.Name
		}
		if cat.Tier2 != "" && !cp.knownTeam(cat.Tier2) {
			cp.lint("E03", path+".tier2", "there is no team %q", cat.Tier2)
		}
		var sig signals
		for _, text := range sortedKeys(cat.Signals) {
			key := normalise(text)
			if key == "" {
				cp.lint("E12", path+".signals", "%q has no letter or digit to look for", text)
				continue
			}
			id := cp.phrases.add(key)
			if at := slices.Index(sig.ids, id); at >= 0 {
				cp.lint("E02", path+".signals", "%q and %q are the same once ä is ae and ß is ss", sig.texts[at], text)
				continue
			}
			sig.ids, sig.weights, sig.texts = append(sig.ids, id), append(sig.weights, cat.Signals[text]), append(sig.texts, text)
		}
		cs.signals = append(cs.signals, sig)
	}
	if len(c.Categories) > 0 && cs.def == "" {
		cp.lint("E03", "categories", "none of them has default: true; one is needed for mail that fits no other")
	}
	return cs
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// knownTeam reports whether a team exists. Without a list of teams every name is taken.
func (cp *compiler) knownTeam(name string) bool {
	return len(cp.config.Teams) == 0 || slices.ContainsFunc(cp.config.Teams, func(t Team) bool { return t.Name == name })
}

// category decides what the message is about.
func (s *state) category() {
	k := s.k
	if len(k.config.Categories) == 0 {
		return
	}
	if name := s.given.Category; k.categories.byName[name] != nil {
		s.settle(tickets.Category{Name: name}, s.given.Why())
		return
	}
	points := s.points()
	sc := Scores{Abstains: true}
	if k.config.Scorer != nil {
		t := s.text()
		sc = k.config.Scorer.Score(t.subject+"\n"+t.body, s.v.Language)
		if sc.Known && k.categories.byName[sc.Best] == nil {
			sc.Known, sc.Why = false, fmt.Sprintf("it would be %q, which the configuration does not have; %s", sc.Best, sc.Why)
		}
		if sc.RunnerUp != "" {
			sc.Why = fmt.Sprintf("probability %.2f, runner-up %s %.2f; %s", sc.Probability, sc.RunnerUp, sc.RunnerUpProbability, sc.Why)
		}
	}
	sum := ""
	if sc.Abstains {
		sc = s.signals(points)
		sum = fmt.Sprintf("%.3g = ", points[sc.Best])
	}
	c := tickets.Category{Name: sc.Best, Score: points[sc.Best], Probability: sc.Probability, RunnerUp: sc.RunnerUp, RunnerUpScore: points[sc.RunnerUp]}
	if !sc.Known {
		c = tickets.Category{Name: k.categories.def, RunnerUp: sc.Best, RunnerUpScore: points[sc.Best]}
	}
	var why []string
	for _, e := range sc.Evidence {
		c.Evidence = append(c.Evidence, tickets.Evidence{Text: e.Text, Weight: e.Weight})
		why = append(why, fmt.Sprintf("%s %.3g", e.Text, e.Weight))
	}
	text := sum + strings.Join(why, " + ")
	if !sc.Known {
		text = "no category is sure enough"
		if sc.Best != "" {
			text += fmt.Sprintf(": %s has %s%s", sc.Best, sum, strings.Join(why, " + "))
		}
	}
	if sc.Why != "" {
		text += "; " + sc.Why
	}
	s.settle(c, text)
}

// settle takes a category.
func (s *state) settle(c tickets.Category, why string) {
	if cat := s.k.categories.byName[c.Name]; cat != nil {
		c.Kind, c.Tier2 = cat.Kind, cat.Tier2
	}
	s.v.Category = c
	s.put(slotCategory, c.Name)
	s.putNumber(slotScore, c.Score, fmt.Sprintf("%.3g", c.Score))
	if c.Probability > 0 {
		s.putNumber(slotProbability, c.Probability, fmt.Sprintf("%.2f", c.Probability))
	}
	s.put(slotKind, c.Kind)
	s.because("category", c.Name, why, "categories["+c.Name+"]")
}

// maxEvidence is how many words are kept as evidence.
const maxEvidence = 8

// points adds up the weights of each category's signals that the message has, each once. Categories without any are not in it.
func (s *state) points() map[string]float64 {
	t, cs := s.text(), &s.k.categories
	points := map[string]float64{}
	for i, sig := range cs.signals {
		for j, id := range sig.ids {
			if t.inSubject.has(id) || t.inBody.has(id) {
				points[s.k.config.Categories[i].Name] += sig.weights[j]
			}
		}
	}
	return points
}

// signals decides by the words that the configuration lists.
func (s *state) signals(points map[string]float64) Scores {
	t, cs := s.text(), &s.k.categories
	best, second := -1, -1
	scores := make([]float64, len(cs.signals))
	for i := range cs.signals {
		scores[i] = points[s.k.config.Categories[i].Name]
		switch {
		case scores[i] <= 0:
		case best < 0 || s.before(i, best, scores):
			best, second = i, best
		case second < 0 || s.before(i, second, scores):
			second = i
		}
	}
	need := fmt.Sprintf("need %.3g, margin %.3g", cs.threshold.Score, cs.threshold.Margin)
	if best < 0 {
		return Scores{Why: need}
	}
	sc := Scores{Best: s.k.config.Categories[best].Name, Why: need}
	margin := scores[best]
	if second >= 0 {
		sc.RunnerUp = s.k.config.Categories[second].Name
		margin -= scores[second]
		sc.Why = fmt.Sprintf("runner-up %s %.3g; %s", sc.RunnerUp, scores[second], need)
	}
	sc.Known = scores[best] >= cs.threshold.Score && margin >= cs.threshold.Margin
	sig := cs.signals[best]
	for j, id := range sig.ids {
		if t.inSubject.has(id) || t.inBody.has(id) {
			sc.Evidence = append(sc.Evidence, Evidence{Text: sig.texts[j], Weight: sig.weights[j]})
		}
	}
	slices.SortStableFunc(sc.Evidence, func(a, b Evidence) int { return cmp.Compare(b.Weight, a.Weight) })
	sc.Evidence = sc.Evidence[:min(len(sc.Evidence), maxEvidence)]
	return sc
}

// before orders categories by score, and those of the same score by name, so that their order in the file is
// irrelevant.
func (s *state) before(i, j int, scores []float64) bool {
	if scores[i] != scores[j] {
		return scores[i] > scores[j]
	}
	return s.k.config.Categories[i].Name < s.k.config.Categories[j].Name
}

// Levels of impact and urgency, the highest first.
var levels = []string{"high", "medium", "low"}

// derivation is a compiled entry of a derive list.
type derivation struct {
	when *node // nil: always
	set  template
}

func (cp *compiler) derive(list []Derivation, field string, at phase, allowed []string) []derivation {
	var out []derivation
	for i := range list {
		e := &list[i]
		path := fmt.Sprintf("derive.%s[%d]", field, i)
		var d derivation
		if e.When != nil {
			d.when = cp.match(e.When, path+".when", at)
		} else if i < len(list)-1 {
			cp.lint("E08", path, "has no when, so the entries below it are never reached; move it to the end")
		}
		d.set = cp.template(e.Set, d.when, at, path+".set")
		cp.unused(d.when, d.set, path+".when")
		if e.Set == "" {
			cp.lint("E08", path+".set", "sets nothing")
		} else if allowed != nil && !slices.Contains(allowed, e.Set) {
			cp.lint("E03", path+".set", "%q is none of %s", e.Set, strings.Join(allowed, ", "))
		}
		out = append(out, d)
	}
	if n := len(list); n > 0 && list[n-1].When != nil {
		cp.lint("E08", fmt.Sprintf("derive.%s[%d]", field, n-1), "the last entry of derive.%s has a when, so nothing is set when none matches; add one without a when at the end", field)
	}
	return out
}

// first takes the first entry that matches.
func (s *state) first(list []derivation) (set, why string, at int) {
	for i, d := range list {
		s.captures = nil
		if d.when != nil && !d.when.holds(s) {
			continue
		}
		if set = d.set.fill(s); set == "" {
			continue
		}
		why = "nothing above it matches"
		if d.when != nil {
			why = d.when.why(s)
		}
		return set, why, i
	}
	return "", "", -1
}

// derived decides configuration item, impact and urgency.
func (s *state) derived() {
	d := &s.k.derive
	if s.given.CI != "" {
		s.setCI(s.given.CI, s.given.Why(), "")
	} else if set, why, at := s.first(d.ci); at >= 0 {
		s.setCI(set, why, fmt.Sprintf("derive.ci[%d]", at))
	}
	if a := s.v.Alert; a != nil && s.ci == nil && s.given.CI == "" {
		// A monitoring system names its hosts as the cmdb does, or with the domain behind.
		short, _, _ := strings.Cut(a.Host, ".")
		for _, name := range [...]string{a.Host, short} {
			if s.k.tables.cis[name] != nil {
				s.setCI(name, "the host that the alert is about", "cmdb")
				break
			}
		}
	}
	s.v.Impact = s.level("impact", slotImpact, s.given.Impact, d.impact)
	s.v.Urgency = s.level("urgency", slotUrgency, s.given.Urgency, d.urgency)
	s.captures = nil
}

// level decides impact or urgency: what a person has given, else what the list says.
func (s *state) level(what string, at slot, given string, list []derivation) string {
	set, why, place := given, s.given.Why(), ""
	if given == "" {
		var i int
		if set, why, i = s.first(list); i < 0 {
			return ""
		}
		place = fmt.Sprintf("derive.%s[%d]", what, i)
	}
	s.put(at, set)
	s.because(what, set, why, place)
	return set
}

func (s *state) setCI(id, why, place string) {
	ci := s.k.tables.cis[strings.ToLower(id)]
	if ci != nil {
		id = ci.ID
	}
	s.v.CI = id
	s.because("ci", id, why, place)
	s.factsOfCI(id, ci)
	if ci == nil {
		return
	}
	s.v.Service, s.v.DependsOn = ci.Service, s.k.tables.needs(ci)
	if ci.Service != "" {
		s.because("service", ci.Service, "of "+ci.ID, "cmdb")
	}
}

func (s *state) factsOfCI(id string, ci *CI) {
	s.ci = ci
	s.put(slotCI, id)
	if ci == nil {
		return
	}
	s.put(slotCIName, ci.Name)
	s.put(slotCIService, ci.Service)
	s.put(slotService, ci.Service)
	s.put(slotCIOwner, ci.OwnerTeam)
	s.put(slotCICriticality, ci.Criticality)
	s.put(slotCIVendor, ci.Vendor)
	s.put(slotCILocation, ci.Location)
}

// priority looks the priority up (S14).
func (s *state) priority() {
	v := s.v
	p := s.k.config.Matrix[v.Impact][v.Urgency]
	if p == "" {
		return
	}
	v.Priority = p
	s.put(slotPriority, p)
	s.because("priority", p, fmt.Sprintf("impact %s, urgency %s", v.Impact, v.Urgency), fmt.Sprintf("matrix[%s][%s]", v.Impact, v.Urgency))
}
