package main

import (
	"sync/atomic"

	"supportd/classify"
	"supportd/classify/model"
)

// liveScorer lets a model stand where a classify.Scorer is wanted, and another one take its place while it is asked. Without
// a model it leaves everything to the signals.
type liveScorer struct{ model atomic.Pointer[model.Model] }

// Score implements classify.Scorer.
func (s *liveScorer) Score(text, _ string) classify.Scores {
	m := s.model.Load()
	if m == nil {
		return classify.Scores{Abstains: true}
	}
	p := m.Classify(text)
	scores := classify.Scores{Best: p.Best, Known: p.Known, Probability: p.Probability, RunnerUp: p.RunnerUp,
		RunnerUpProbability: p.RunnerUpProbability, Why: "learnt"}
	for _, e := range p.Evidence {
		scores.Evidence = append(scores.Evidence, classify.Evidence{Text: e.Text, Weight: e.Weight})
	}
	return scores
}

// configScorer is what tools decide by: the model that the desk has learnt, as far as it is stored beside the store and fits the
// configuration, else one of the configuration's own examples; nil where the signals decide alone.
func configScorer(cc classify.Config, state string) (classify.Scorer, error) {
	t := topicsOf(cc)
	if t.empty() {
		return nil, nil
	}
	s := &liveScorer{}
	if m, about, err := readLearnt(state); err == nil && about.Topics == t.fingerprint() {
		s.model.Store(m)
		return s, nil
	}
	if len(t.examples) == 0 {
		return nil, nil
	}
	m, _, err := t.train(model.Options{}, nil)
	if err != nil {
		return nil, err
	}
	s.model.Store(m)
	return s, nil
}
