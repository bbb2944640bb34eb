package config

import (
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"supportd/tickets"
)

// questionsKeys are what acknowledgements ask, by category.
type questionsKeys struct {
	section
	of []questionsOf
}

type questionsOf struct {
	category string
	at       place
	asks     many[string]
}

func (k *questionsKeys) read(d *decoder, n *yaml.Node, at place, _ reflect.StructTag) {
	k.mark(at, true)
	tag := reflect.StructTag(`kind:"enum" one:"yes" values:"` + strings.Join(tickets.Questions(), " ") + `"`)
	d.mapping(n, at, "categories with what is asked such as {network.vpn: [device, error_text]}", func(name string, kat place, kn *yaml.Node) {
		q := questionsOf{category: name, at: kat}
		q.asks.read(d, kn, kat, tag)
		k.of = append(k.of, q)
	})
}

func (k *questionsKeys) absent(_ *decoder, at place, _ reflect.StructTag) { k.at = at }

// questions settles what acknowledgements ask.
func (r *resolver) questions(k *fileKeys) {
	for _, q := range k.Questions.of {
		var names []string
		for _, c := range r.cfg.Categories {
			names = append(names, c.Name)
		}
		if !slices.Contains(names, q.category) {
			r.report("E03", q.at, didYouMean(q.category, names), "there is no category %q", clip(q.category))
			continue
		}
		if r.cfg.Questions == nil {
			r.cfg.Questions = map[string][]string{}
		}
		r.cfg.Questions[q.category] = r.unique(q.asks.items, strings.ToLower)
	}
}

// expandQuestions writes them down again.
func (c *Config) expandQuestions(root *node) {
	if len(c.Questions) == 0 {
		return
	}
	all := block()
	for _, k := range c.Categories {
		if asks := c.Questions[k.Name]; len(asks) > 0 {
			all.add(k.Name, texts(asks))
		}
	}
	root.add("questions", all)
}
