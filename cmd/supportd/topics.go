package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"supportd/classify"
	"supportd/classify/model"
	"supportd/tickets"
)

// topics is what a configuration teaches about categories.
type topics struct {
	names    map[string][]string           // category → what people call it
	priors   map[string]map[string]float64 // category → its signals
	examples []model.Example
	ignore   []string // the default category means "none of these": it is not learnt
}

func topicsOf(cc classify.Config) topics {
	t := topics{names: map[string][]string{}, priors: map[string]map[string]float64{}}
	for _, c := range cc.Categories {
		if c.Default {
			t.ignore = append(t.ignore, c.Name)
			continue
		}
		for _, text := range c.Examples {
			t.examples = append(t.examples, model.Example{Label: c.Name, Text: text})
		}
		if len(c.Signals) > 0 {
			t.priors[c.Name] = maps.Clone(c.Signals)
		}
		t.names[c.Name] = slices.Sorted(maps.Values(c.Labels))
	}
	return t
}

// empty reports whether there is nothing to tell apart.
func (t topics) empty() bool { return len(t.names) < 2 }

// fingerprint is the same for configurations that teach the same.
func (t topics) fingerprint() string {
	b, err := json.Marshal([]any{t.names, t.priors, t.examples, t.ignore})
	if err != nil {
		panic(err) // maps and lists of texts and numbers only
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// train makes a model of what the configuration and the desk's own tickets teach. Tickets of categories that are gone
// teach nothing. It returns the examples too, to compare models by. Without any example the model knows the signals alone.
func (t topics) train(o model.Options, lessons []tickets.Lesson) (*model.Model, []model.Example, error) {
	examples := slices.Clone(t.examples)
	var loose []string
	for _, l := range lessons {
		switch _, known := t.names[l.Category]; {
		case l.Spam:
		case known:
			examples = append(examples, model.Example{Label: l.Category, Text: l.Text})
		case !slices.Contains(t.ignore, l.Category) || !l.Corrected:
			loose = append(loose, l.Text)
		}
	}
	o.Seed, o.Ignore = cmp.Or(o.Seed, 1), t.ignore
	m, err := model.Train(o, examples, t.priors, t.names, loose)
	if err != nil {
		return nil, nil, fmt.Errorf("learn the categories: %w", err)
	}
	return m, examples, nil
}
