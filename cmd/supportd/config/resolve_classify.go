package config

import (
	"regexp"
	"slices"
	"strings"

	"supportd/classify"
)

// priorities settles the matrix and the names of the priorities.
func (r *resolver) priorities(k *fileKeys) {
	c := r.cfg
	c.Matrix, c.PriorityNames = defaultMatrix(), defaultPriorityNames()
	if m := k.Priorities.Matrix; m.given {
		row := func(k rowKeys) map[string]string {
			return map[string]string{"high": k.High.val, "medium": k.Medium.val, "low": k.Low.val}
		}
		c.Matrix = classify.Matrix{"high": row(m.High), "medium": row(m.Medium), "low": row(m.Low)}
	}
	for _, e := range k.Priorities.Names.entries {
		names, ok := c.PriorityNames[e.name]
		if !ok {
			r.report("E03", e.at, "", "there is no priority %q; there are %s", e.name, orList(vocabulary("priority")))
			continue
		}
		for language, name := range e.keys.labels {
			names[language] = name
		}
	}
}

func defaultMatrix() classify.Matrix {
	return classify.Matrix{
		"high":   {"high": "P1", "medium": "P2", "low": "P3"},
		"medium": {"high": "P2", "medium": "P3", "low": "P4"},
		"low":    {"high": "P3", "medium": "P4", "low": "P5"},
	}
}

func defaultPriorityNames() map[string]map[string]string {
	return map[string]map[string]string{
		"P1": {"de": "Kritisch", "en": "Critical"}, "P2": {"de": "Hoch", "en": "High"}, "P3": {"de": "Mittel", "en": "Moderate"},
		"P4": {"de": "Niedrig", "en": "Low"}, "P5": {"de": "Planung", "en": "Planning"},
	}
}

// categories settles what mails can be about.
func (r *resolver) categories(k *fileKeys) {
	c := r.cfg
	c.Threshold = classify.Threshold{Score: k.CategoryThreshold.Score.val, Margin: k.CategoryThreshold.Margin.val}
	for _, e := range k.Categories.entries {
		r.team(e.keys.Tier2)
		category := classify.Category{Name: e.name, Kind: e.keys.Kind.val, Tier2: e.keys.Tier2.val, Labels: e.keys.Name.labels,
			Signals: e.keys.Signals.weights, Examples: e.keys.Examples.vals(), Default: e.keys.Default.val}
		if !category.Default && len(category.Signals) == 0 && len(category.Examples) == 0 && r.findingsBelow(e.at) == 0 {
			r.warn("W28", e.at, "write signals: {WORD: 3} or examples: [TEXT]", "nothing says what such mails look like, so it is never found")
		} else if all := total(category.Signals); !category.Default && len(category.Examples) == 0 && all < c.Threshold.Score && r.findingsBelow(e.at) == 0 {
			r.warn("W28", e.keys.Signals.at, "raise the weights, or lower category_threshold.score", "its words weigh %v together, less than the %v that a category needs, so it is never found", all, c.Threshold.Score)
		}
		c.Categories = append(c.Categories, category)
	}
	if !k.Categories.given && k.CategoryThreshold.given {
		r.warn("", k.CategoryThreshold.at, "write categories, or delete it", "there are no categories to be sure of")
	}
}

// total adds up what speaks for a category.
func total(signals map[string]float64) float64 {
	sum := 0.0
	for _, w := range signals {
		sum += max(0, w)
	}
	return sum
}

// team checks the name of a team.
func (r *resolver) team(k opt[string]) {
	names := namesIn(r.cfg.Teams, func(t Team) string { return t.Name })
	if k.val != "" && !slices.Contains(names, k.val) && len(names) > 0 {
		r.report("E03", k.at, didYouMean(k.val, names), "there is no team %q", clip(k.val))
	}
}

// routes settles the tree.
func (r *resolver) routes(k *fileKeys) {
	root := k.Routes
	r.team(root.To)
	names := map[string]int{strings.ToLower(root.Name.val): root.Name.at.line}
	r.cfg.Routes = classify.Route{Name: root.Name.val, To: r.cfg.Intake, Dedup: r.dedup(root.Dedup)}
	// Conditions may look at names of routes, so all of them are known before the first condition is.
	r.cfg.Routes.Routes = r.nameRoutes(root.Routes.items, names)
	r.matchRoutes(root.Routes.items, r.cfg.Routes.Routes)
}

// nameRoutes settles all but the conditions of routes that stand beside each other, and what is below them.
func (r *resolver) nameRoutes(items []routeKeys, names map[string]int) []classify.Route {
	var all []classify.Route
	for _, k := range items {
		r.team(k.To)
		if low := strings.ToLower(k.Name.val); low != "" {
			if line, twice := names[low]; twice {
				r.report("E02", k.Name.at, "give it another name", "there is a route called %q in %s already", k.Name.val, r.told(line, k.Name.at))
			}
			names[low] = k.Name.at.line
		}
		route := classify.Route{Name: k.Name.val, To: k.To.val, Dedup: r.dedup(k.Dedup)}
		for _, o := range k.Overlaps.items {
			earlier := namesIn(all, func(s classify.Route) string { return s.Name })
			if !slices.Contains(earlier, o.val) {
				r.report("E03", o.at, didYouMean(o.val, earlier), "no earlier route beside it is called %q", clip(o.val))
				continue
			}
			route.Overlaps = append(route.Overlaps, o.val)
		}
		route.Routes = r.nameRoutes(k.Routes.items, names)
		all = append(all, route)
	}
	return all
}

func (r *resolver) matchRoutes(items []routeKeys, routes []classify.Route) {
	for i := range items {
		routes[i].Match = r.match(&items[i].Match)
		r.unusedCaptures(&items[i].Match, nil)
		r.matchRoutes(items[i].Routes.items, routes[i].Routes)
	}
}

func (r *resolver) dedup(k dedupKeys) *classify.Dedup {
	if !k.given {
		return nil
	}
	return &classify.Dedup{Key: k.Key.val, Recovery: k.Recovery.val, Window: k.Window.val}
}

// derive settles how configuration item, impact and urgency are told.
func (r *resolver) derive(k *fileKeys) {
	d := &r.cfg.Derive
	for i := range k.Derive.CI.items {
		item := &k.Derive.CI.items[i]
		r.unusedCaptures(&item.When, placeholders(item.Set.val))
		if set := item.Set.val; set != "" && !strings.Contains(set, "{{") && len(r.cfg.CMDB) > 0 {
			if ids := r.inTables("ci"); !slices.ContainsFunc(ids, func(id string) bool { return strings.EqualFold(id, set) }) {
				r.report("E03", item.Set.at, suggest(set, ids), "there is no configuration item %q in %s", clip(set), r.cfg.CMDBFile)
			}
		}
		d.CI = append(d.CI, classify.Derivation{When: r.match(&item.When), Set: item.Set.val})
	}
	for _, l := range []struct {
		items []levelKeys
		to    *[]classify.Derivation
	}{{k.Derive.Impact.items, &d.Impact}, {k.Derive.Urgency.items, &d.Urgency}} {
		for i := range l.items {
			r.unusedCaptures(&l.items[i].When, nil)
			*l.to = append(*l.to, classify.Derivation{When: r.match(&l.items[i].When), Set: l.items[i].Set.val})
		}
	}
}

// placeholder is {{.name}} in a value.
var placeholder = regexp.MustCompile(`\{\{-?\s*\.([^{}\s-]*)\s*-?\}\}`)

// placeholders are the names in a value that are filled in.
func placeholders(value string) map[string]bool {
	used := map[string]bool{}
	for _, m := range placeholder.FindAllStringSubmatch(value, -1) {
		used[m[1]] = true
	}
	return used
}

// unusedCaptures reports named groups whose finds nobody takes.
func (r *resolver) unusedCaptures(k *conditionKeys, used map[string]bool) {
	for name, at := range captures(k) {
		if !used[name] {
			r.report("E12", at, "write (?:…), or {{."+name+"}} in set", "nothing takes what the group %q finds", clip(name))
		}
	}
}

// rules settles what is added to tickets.
func (r *resolver) rules(k *fileKeys) {
	first := map[string]int{}
	for i := range k.Rules.items {
		item := &k.Rules.items[i]
		if line, twice := first[strings.ToLower(item.Name.val)]; twice && item.Name.val != "" {
			r.report("E02", item.Name.at, "give it another name", "there is a rule called %q in %s already", item.Name.val, r.told(line, item.Name.at))
		}
		first[strings.ToLower(item.Name.val)] = item.Name.at.line
		r.unusedCaptures(&item.Match, nil)
		rule := classify.Rule{Name: item.Name.val, On: item.On.val, Match: r.match(&item.Match)}
		rule.Add.Tags = r.unique(item.Add.Tags.items, strings.ToLower)
		for _, w := range item.Add.Watchers.items {
			if _, ok := r.staff(w); ok && !slices.Contains(recipients, w.val) {
				rule.Add.Watchers = append(rule.Add.Watchers, w.val)
			} else if ok {
				r.report("E03", w.at, "name a person, or write it under notify", "%q is nobody in particular", w.val)
			}
		}
		for _, n := range item.Add.Notify.items {
			if _, ok := r.staff(n); ok {
				rule.Add.Notify = append(rule.Add.Notify, n.val)
			}
		}
		for _, list := range item.Add.Checklist.items {
			rule.Add.Checklists = append(rule.Add.Checklists, list.val)
			r.checklist(list)
		}
		if item.Add.given && len(rule.Add.Tags)+len(rule.Add.Watchers)+len(rule.Add.Notify)+len(rule.Add.Checklists) == 0 && r.findingsBelow(item.Add.at) == 0 {
			r.report("", item.Add.at, "write tags: [WORD] in it", "is empty and adds nothing")
		}
		r.cfg.Rules = append(r.cfg.Rules, rule)
	}
}

func (r *resolver) checklist(k opt[string]) {
	if k.val == "" {
		return
	}
	if data, ok := r.file(k.at, k.val, maxText, false); ok {
		if r.cfg.Checklists == nil {
			r.cfg.Checklists = map[string]string{}
		}
		r.cfg.Checklists[k.val] = r.answerText(k.at, r.path(k.val), data)
	}
}
