package main

import (
	"fmt"
	"maps"
	"slices"

	"supportd/classify"
	"supportd/classify/model"
)

// buildScorer makes what tells categories apart. With signals alone, the signals decide, and nil is returned. With
// examples in the configuration a model learns from them, and has the signals as what it believed before.
func buildScorer(cc classify.Config) (classify.Scorer, error) {
	var examples []model.Example
	priors := map[string]map[string]float64{}
	names := map[string][]string{}
	var ignore []string // the default category means "none of these": it is not learnt
	for _, c := range cc.Categories {
		if c.Default {
			ignore = append(ignore, c.Name)
			continue
		}
		for _, text := range c.Examples {
			examples = append(examples, model.Example{Label: c.Name, Text: text})
		}
		if len(c.Signals) > 0 {
			priors[c.Name] = maps.Clone(c.Signals)
		}
		names[c.Name] = slices.Sorted(maps.Values(c.Labels))
	}
	if len(examples) == 0 {
		return nil, nil
	}
	m, err := model.Train(model.Options{Seed: 1, Ignore: ignore}, examples, priors, names, nil)
	if err != nil {
		return nil, fmt.Errorf("learn from the categories' examples: %w", err)
	}
	return modelScorer{m}, nil
}

// modelScorer lets a model stand where a Scorer is wanted.
type modelScorer struct{ model *model.Model }

// Score implements classify.Scorer. The score is the probability in percent, so that `score:` conditions can be written
// about it.
func (s modelScorer) Score(text, _ string) classify.Scores {
	p := s.model.Classify(text)
	scores := classify.Scores{
		Best: p.Best, Known: p.Known, Probability: p.Probability, Score: 100 * p.Probability,
		RunnerUp: p.RunnerUp, RunnerUpScore: 100 * p.RunnerUpProbability, Why: "learnt from the examples",
	}
	for _, e := range p.Evidence {
		scores.Evidence = append(scores.Evidence, classify.Evidence{Text: e.Text, Weight: e.Weight})
	}
	return scores
}
