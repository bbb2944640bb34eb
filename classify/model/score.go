package model

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// Score is how well a model did on texts that it had not seen.
type Score struct {
	Texts    int     `json:"texts"`
	Accuracy float64 `json:"accuracy"`
	MacroF1  float64 `json:"macro_f1"` // mean over the categories of the texts and of the answers
	LogLoss  float64 `json:"log_loss"` // mean, natural logarithm
	ECE      float64 `json:"ece"`      // expected calibration error, ten bins of equal width
}

// outcome is one text that was judged.
type outcome struct {
	want, got   int32
	probability float64 // of got
	loss        float64 // minus logarithm of the probability of want
}

func scoreOf(all []outcome) Score {
	const bins = 10
	s := Score{Texts: len(all)}
	if len(all) == 0 {
		return s
	}
	right, said, is := map[int32]int{}, map[int32]int{}, map[int32]int{}
	var sure, hits [bins]float64
	for _, o := range all {
		b := min(bins-1, int(o.probability*bins))
		sure[b] += o.probability
		said[o.got]++
		is[o.want]++
		s.LogLoss += o.loss
		if o.got == o.want {
			right[o.got]++
			hits[b]++
			s.Accuracy++
		}
	}
	n := float64(len(all))
	for b := range bins {
		s.ECE += math.Abs(sure[b]-hits[b]) / n
	}
	s.Accuracy /= n
	s.LogLoss /= n
	for k := range said {
		if _, ok := is[k]; !ok {
			is[k] = 0
		}
	}
	for k, count := range is {
		if both := count + said[k]; both > 0 {
			s.MacroF1 += 2 * float64(right[k]) / float64(both)
		}
	}
	s.MacroF1 /= float64(len(is))
	return s
}

// trial is what became of one example while it was held back: kept to compare models on what neither had seen.
type trial struct {
	key  uint64 // of the text
	held bool   // it was held back; else it was only learnt from
	got  int32  // number of the category that it was taken for
}

// record keeps the score of the held-out opinions and the trials.
func (m *Model) record(held []opinion, t *trainer) {
	p := make([]float32, len(t.classes))
	var all []outcome
	by := map[uint64]trial{}
	for _, i := range t.given {
		by[t.key[i]] = trial{key: t.key[i]}
	}
	for i := range held {
		o := &held[i]
		o.score(m.mix, p)
		probabilities(p)
		k, _ := best(p)
		loss := -math.Log(max(float64(p[o.label]), 1e-9))
		all = append(all, outcome{o.label, int32(k), m.bend.of(float64(p[k])), loss})
		by[t.key[o.row]] = trial{t.key[o.row], true, int32(k)}
	}
	m.score = scoreOf(all)
	m.trials = m.trials[:0]
	for _, r := range by {
		m.trials = append(m.trials, r)
	}
	slices.SortFunc(m.trials, trial.compare)
}

func (t trial) compare(u trial) int { return cmp.Compare(t.key, u.key) }

// Score is the cross-validated score of the model's training: every text was judged by a model that had not seen it. With
// few examples each was held back once; with many, enough of them were. Texts is 0 when there were none.
func (m *Model) Score() Score { return m.score }

// trial finds what became of a text when it was held back, or before it was learnt.
func (m *Model) trial(key uint64) (trial, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, list := range [][]trial{m.late.trials, m.trials} {
		if i, ok := slices.BinarySearchFunc(list, trial{key: key}, trial.compare); ok {
			return list[i], true
		}
	}
	return trial{}, false
}

// category names a category by its number.
func (m *Model) category(k int32) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if k < 0 || int(k) >= len(m.classes)+len(m.late.classes) {
		return ""
	}
	return m.name(int(k))
}

// Comparison says whether a new model may take the place of an old one, with the figures of both on the same texts.
type Comparison struct {
	Texts    int     `json:"texts"` // judged by both, seen by neither
	Old      float64 `json:"old"`   // accuracy
	New      float64 `json:"new"`
	OldScore Score   `json:"old_score"` // of each one's own training
	NewScore Score   `json:"new_score"`
	Replace  bool    `json:"replace"`
	Why      string  `json:"why"`
}

// Compare decides whether next may replace old, by the desk's own examples that next was trained on. Each is judged by a
// model that had not seen it: by next when it was held back; by old when it was held back there, or as it is if old never
// learnt from it. next replaces old if it is right at least as often. If the categories are not the same, old cannot serve any
// more, and next replaces it. A nil old is replaced.
func Compare(old, next *Model, examples []Example) Comparison {
	c := Comparison{NewScore: next.score}
	if old == nil {
		c.Replace, c.Why = true, "there was no model before"
		return c
	}
	c.OldScore = old.score
	if !slices.Equal(old.classes, next.classes) {
		c.Replace, c.Why = true, "the categories have changed"
		return c
	}
	var before, after int
	for _, e := range examples {
		key := textKey(e.Text)
		n, ok := next.trial(key)
		if !ok || !n.held {
			continue
		}
		said := ""
		switch o, ok := old.trial(key); {
		case !ok:
			said = old.Classify(e.Text).Best
		case o.held:
			said = old.category(o.got)
		default:
			continue
		}
		c.Texts++
		if said == e.Label {
			before++
		}
		if next.category(n.got) == e.Label {
			after++
		}
	}
	if c.Texts == 0 {
		c.Replace, c.Why = true, "there is no example to compare by"
		return c
	}
	c.Old, c.New = float64(before)/float64(c.Texts), float64(after)/float64(c.Texts)
	c.Replace = after >= before
	word := "at least as often"
	if !c.Replace {
		word = "less often"
	}
	c.Why = fmt.Sprintf("of %d examples neither had seen, the new model is right on %d and the old one on %d: %s", c.Texts, after, before, word)
	return c
}

// Report is how a model does on a test set.
type Report struct {
	Score            // of the texts that belong to a category
	Coverage float64 // share of those that the model says it knows
	Covered  float64 // accuracy on them
	Outside  int     // texts that belong to none
	// Recall is the share of the outside texts of which the model says that it does not know; AUROC how well Scope tells
	// outside from inside. Both are NaN without outside texts.
	Recall, AUROC float64
	Took          time.Duration // for all texts
}

// Evaluate judges the test texts. Labels of Options.Ignore are texts that belong to none. now is read before and after.
func Evaluate(m *Model, test []Example, now func() time.Time) Report {
	classes := map[string]int32{}
	number := func(name string) int32 {
		k, ok := classes[name]
		if !ok {
			k = int32(len(classes))
			classes[name] = k
		}
		return k
	}
	answers := make([]Prediction, len(test))
	begin := now()
	for i, e := range test {
		answers[i] = m.Classify(e.Text)
	}
	r := Report{Took: now().Sub(begin), Recall: math.NaN(), AUROC: math.NaN()}
	var all []outcome
	var in, out []float64
	known, right, refused := 0, 0, 0
	for i, e := range test {
		p := answers[i]
		if slices.Contains(m.options.Ignore, e.Label) {
			out = append(out, p.Scope)
			if !p.Known {
				refused++
			}
			continue
		}
		in = append(in, p.Scope)
		o := outcome{want: number(e.Label), got: number(p.Best), probability: p.Probability}
		switch {
		case p.Best == e.Label:
			o.loss = -math.Log(max(p.Probability, 1e-9))
		case p.RunnerUp == e.Label:
			o.loss = -math.Log(max(p.RunnerUpProbability, 1e-9))
		default:
			o.loss = -math.Log(max(1-p.Probability-p.RunnerUpProbability, 1e-9))
		}
		all = append(all, o)
		if p.Known {
			known++
			if p.Best == e.Label {
				right++
			}
		}
	}
	r.Score, r.Outside = scoreOf(all), len(out)
	if len(in) > 0 {
		r.Coverage = float64(known) / float64(len(in))
	}
	if known > 0 {
		r.Covered = float64(right) / float64(known)
	}
	if len(out) > 0 {
		r.Recall = float64(refused) / float64(len(out))
		r.AUROC = auroc(in, out)
	}
	return r
}

// auroc is the probability that a value of high is above one of low; equal ones count half.
func auroc(high, low []float64) float64 {
	if len(high) == 0 {
		return math.NaN()
	}
	slices.Sort(low)
	sum := 0.0
	for _, v := range high {
		below, _ := slices.BinarySearch(low, v)
		upTo := below
		for upTo < len(low) && low[upTo] == v {
			upTo++
		}
		sum += float64(below) + float64(upTo-below)/2
	}
	return sum / float64(len(high)) / float64(len(low))
}
