package config

import (
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"

	"supportd/classify"
)

// expandClassification adds what says what mails are about and where they go.
func (c *Config) expandClassification(root *node) {
	matrix, names := block(), block()
	for _, impact := range levelWords() {
		row := block()
		row.Style = yaml.FlowStyle
		for _, urgency := range levelWords() {
			row.add(urgency, text(c.Matrix[impact][urgency]))
		}
		matrix.add(impact, row)
	}
	for _, p := range slices.Sorted(maps.Keys(c.PriorityNames)) {
		names.add(p, expandLabels(c.PriorityNames[p]))
	}
	root.add("priorities", block().add("matrix", matrix).add("names", names))
	if len(c.Categories) > 0 {
		categories := block()
		for _, k := range c.Categories {
			categories.add(k.Name, expandCategory(k))
		}
		root.add("categories", categories)
		threshold := block().add("score", number(c.Threshold.Score)).add("margin", number(c.Threshold.Margin))
		threshold.Style = yaml.FlowStyle
		root.add("category_threshold", threshold)
	}
	if d := c.Derive; len(d.CI)+len(d.Impact)+len(d.Urgency) > 0 {
		derive := block()
		for _, l := range []struct {
			name string
			list []classify.Derivation
		}{{"ci", d.CI}, {"impact", d.Impact}, {"urgency", d.Urgency}} {
			if len(l.list) == 0 {
				continue
			}
			all := &node{Kind: yaml.SequenceNode}
			for _, item := range l.list {
				one := block()
				if item.When != nil {
					one.add("when", expandMatch(item.When))
				}
				all.Content = append(all.Content, one.add("set", text(item.Set)).yaml())
			}
			derive.add(l.name, all)
		}
		root.add("derive", derive)
	}
	root.add("routes", expandRoute(c.Routes))
	if len(c.Rules) > 0 {
		rules := &node{Kind: yaml.SequenceNode}
		for _, r := range c.Rules {
			rules.Content = append(rules.Content, expandRule(r).yaml())
		}
		root.add("rules", rules)
	}
}

func levelWords() []string { return vocabulary("impact") }

func number(f float64) *node { return plain(strconv.FormatFloat(f, 'f', -1, 64), "!!float") }

func expandLabels(labels map[string]string) *node {
	n := block()
	n.Style = yaml.FlowStyle
	for _, language := range slices.Sorted(maps.Keys(labels)) {
		n.add(language, text(labels[language]))
	}
	return n
}

func expandCategory(k classify.Category) *node {
	n := block().add("kind", text(k.Kind))
	n.addText("tier2", k.Tier2)
	if len(k.Labels) > 0 {
		n.add("name", expandLabels(k.Labels))
	}
	if len(k.Signals) > 0 {
		signals := block()
		signals.Style = yaml.FlowStyle
		for _, word := range slices.Sorted(maps.Keys(k.Signals)) {
			signals.add(word, number(k.Signals[word]))
		}
		n.add("signals", signals)
	}
	n.addTexts("examples", k.Examples)
	return n.add("default", plain(strconv.FormatBool(k.Default), "!!bool"))
}

func expandRoute(r classify.Route) *node {
	n := block().add("name", text(r.Name))
	if r.Match != nil {
		n.add("match", expandMatch(r.Match))
	}
	n.addText("to", r.To)
	if d := r.Dedup; d != nil {
		n.add("dedup", block().add("key", text(d.Key)).add("recovery", text(d.Recovery)).add("window", text(written(d.Window))))
	}
	n.addTexts("overlaps", r.Overlaps)
	if len(r.Routes) > 0 {
		below := &node{Kind: yaml.SequenceNode}
		for _, child := range r.Routes {
			below.Content = append(below.Content, expandRoute(child).yaml())
		}
		n.add("routes", below)
	}
	return n
}

func expandRule(r classify.Rule) *node {
	n := block().add("name", text(r.Name)).add("on", text(r.On))
	if r.Match != nil {
		n.add("match", expandMatch(r.Match))
	}
	add := block()
	add.addTexts("tags", r.Add.Tags)
	add.addTexts("watchers", r.Add.Watchers)
	add.addTexts("checklist", r.Add.Checklists)
	add.addTexts("notify", r.Add.Notify)
	return n.add("add", add)
}

// expandMatch writes a condition.
func expandMatch(m *classify.Match) *node {
	n := block()
	for _, scope := range []struct {
		name string
		text classify.Text
	}{{"subject", m.Subject}, {"body", m.Body}} {
		if inner := block(); expandText(inner, scope.text) {
			n.add(scope.name, inner)
		}
	}
	expandText(n, m.Text)
	for _, f := range m.Fields {
		n.add(f.Field, expandField(f))
	}
	for _, l := range []struct {
		name string
		list []classify.Match
	}{{"any", m.Any}, {"all", m.All}} {
		if len(l.list) == 0 {
			continue
		}
		all := &node{Kind: yaml.SequenceNode}
		for i := range l.list {
			all.Content = append(all.Content, expandMatch(&l.list[i]).yaml())
		}
		n.add(l.name, all)
	}
	if m.Not != nil {
		n.add("not", expandMatch(m.Not))
	}
	n.addText("expr", m.Expr)
	return n
}

// expandText adds what a text has to contain, and reports whether that is anything.
func expandText(n *node, t classify.Text) bool {
	n.addTexts("words", t.Words)
	n.addTexts("contains", t.Contains)
	n.addText("regex", t.Regex)
	return len(t.Words)+len(t.Contains)+len(t.Regex) > 0
}

func expandField(f classify.FieldMatch) *node {
	field, _ := fieldNamed(f.Field)
	if len(f.Values) > 0 {
		l := &node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, v := range f.Values {
			one := text(v)
			if field.Kind == classify.FieldYesNo {
				one = plain(v, "!!bool")
			}
			l.Content = append(l.Content, one.yaml())
		}
		return l
	}
	n := block()
	n.addTexts("domain", f.Domain)
	n.addTexts("address", f.Address)
	expandText(n, f.Text)
	if f.Exists != nil {
		n.add("exists", plain(strconv.FormatBool(*f.Exists), "!!bool"))
	}
	return n
}
