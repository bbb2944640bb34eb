// Package model tells from its text which category a message belongs to, how sure that is, and which words said so. It
// learns from the admin's signals, examples and corrected tickets, in seconds, with nothing but the desk's own texts.
//
// It does not decide what happens to a message, reads no mail and keeps no tickets: callers bring texts and labels, and
// store the bytes of a model.
//
// Texts become n-grams of words, of two words near each other, and of letters inside words, which is what makes German
// compounds, endings and misspellings count. One linear machine for every category (squared hinge loss against all others)
// scores them; with few examples a softmax machine does so too. What each of them and the signals count is fitted on
// examples that were held back, so that probabilities mean what they say.
package model

import (
	"math"
	"slices"
	"sync"
)

// Model is a trained classifier. It is safe for use by several goroutines, also while one calls Learn.
type Model struct {
	options  Options
	classes  []string // sorted
	signals  *signals
	mix      mix
	bend     bend
	scope    scope
	examples int
	taughtBy []uint32 // examples of each category
	score    Score
	trials   []trial
	vocabulary
	weights weights

	pool sync.Pool // of *scratch
	mu   sync.RWMutex
	late late // learnt since; guarded by mu
}

// Prediction is what a model thinks of one text.
type Prediction struct {
	Best                string  // the category; "" only when the model has none
	Probability         float64 // that Best is right, for a text that belongs to some category
	RunnerUp            string  // the second category; "" when there is none
	RunnerUpProbability float64
	Scope               float64 // 0…1: how much the text looks like one that belongs to any category at all
	Known               bool    // sure enough to act upon; else the category is "other", and a person decides
	Evidence            []Term  // what spoke most for Best, strongest first
}

// Term is a word of the text, normalised (lower case, ä as ae), or a signal of the admin, and what it weighed for the
// category, on the scale of log odds.
type Term struct {
	Text   string
	Weight float64
}

// maxEvidence is how many terms a prediction names.
const maxEvidence = 5

// Categories returns the names of what the model can tell apart, sorted; those learnt later come last.
func (m *Model) Categories() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Concat(m.classes, m.late.classes)
}

// Examples returns how many examples the model was trained on, and how many it has learnt since.
func (m *Model) Examples() (trained, since int) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.examples, m.late.count
}

// scratch is the memory of one classification.
type scratch struct {
	doc     document
	mark    []int32 // by n-gram: place in rows + 1, valid if rows says so
	rows    []int32
	times   []float32 // how often, by place in rows
	values  []float32
	block   []block
	acc     []uint64
	score   []float32
	plain   []float32 // of the signals
	signals []float32 // of the signals and of what was learnt since
	word    []float32
	known   float32
	p       []float32
	chosen  int // number of the category that was told
}

// ready is called once the model has all its parts.
func (m *Model) ready() {
	m.pool.New = func() any { return &scratch{} }
	m.late.init(len(m.hash))
}

// Classify says what a text is about. It never fails: an empty text belongs nowhere.
func (m *Model) Classify(text string) Prediction {
	s := m.pool.Get().(*scratch)
	defer m.pool.Put(s)
	m.mu.RLock()
	defer m.mu.RUnlock()
	s.doc.read(text)
	m.vector(s)
	m.scores(s)
	p := m.judge(s)
	if p.Best != "" {
		p.Evidence = m.evidence(s, s.chosen)
	}
	return p
}

// first is the number of the best category.
func (s *scratch) first() int {
	k, _ := best(s.score)
	return k
}

// vector makes the values of the document: the n-grams that are known, each once.
func (m *Model) vector(s *scratch) {
	for _, n := range s.rows {
		s.mark[n] = 0
	}
	if grams := m.late.grams(); len(s.mark) < grams {
		s.mark = make([]int32, grams+1024)
	}
	s.rows, s.times, s.values, s.block = s.rows[:0], s.times[:0], s.values[:0], s.block[:0]
	var sum [blockCount]float32
	rarest := m.rarity(1)
	var known, all float32
	for i := range s.doc.grams {
		g := &s.doc.grams[i]
		n := m.number(g.hash)
		if g.whole {
			if n == noGram {
				all += rarest
			} else {
				r := m.rarityOf(n)
				all += r
				known += r
			}
		}
		switch {
		case n == noGram:
			sum[g.block] += rarest * rarest
		case s.mark[n] > 0:
			s.times[s.mark[n]-1]++
		default:
			s.rows = append(s.rows, n)
			s.times = append(s.times, 1)
			s.block = append(s.block, g.block)
			s.mark[n] = int32(len(s.rows))
		}
	}
	for i, n := range s.rows {
		v := damp(s.times[i]) * m.rarityOf(n)
		s.values = append(s.values, v)
		sum[s.block[i]] += v * v
	}
	f := factors(sum)
	for i := range s.values {
		s.values[i] *= f[s.block[i]]
	}
	s.known = 0
	if all > 0 {
		s.known = known / all
	}
}

// number finds an n-gram among those trained on and those learnt since.
func (m *Model) number(h uint64) int32 {
	if n := m.find(h); n != noGram {
		return n
	}
	return m.late.find(h)
}

func (m *Model) rarityOf(n int32) float32 {
	if int(n) < len(m.weights.rarity) {
		return m.weights.rarity[n]
	}
	return m.rarity(1)
}

// scores computes the score of every category.
func (m *Model) scores(s *scratch) {
	k := len(m.classes)
	s.score = append(s.score[:0], make([]float32, k+len(m.late.classes))...)
	s.signals = append(s.signals[:0], make([]float32, len(s.score))...)
	if m.taught() {
		m.weights.multiply(s, s.score[:k])
	}
	m.signals.find(&s.doc, func(g signal, _ int) { s.signals[g.class] += g.weight })
	for i, v := range s.signals[:k] {
		s.score[i] += m.mix.Signals * v
	}
	s.plain = append(s.plain[:0], s.signals...)
	m.late.multiply(s, k)
}

// taught reports whether the model has learnt from examples; else it has only signals.
func (m *Model) taught() bool { return len(m.weights.scale) > 0 }

// young is a model whose probabilities could not be measured.
func (m *Model) young() bool { return m.score.Texts < 50 }

// judge makes the prediction of the scores.
func (m *Model) judge(s *scratch) Prediction {
	if len(s.score) == 0 {
		return Prediction{}
	}
	s.chosen = s.first()
	if len(s.doc.words) == 0 {
		return Prediction{Best: m.name(s.chosen)}
	}
	first, top, lead := summary(s.score)
	_, second := best(s.score)
	p := Prediction{Best: m.name(first)}
	s.p = append(s.p[:0], s.score...)
	if m.taught() {
		probabilities(s.p)
		p.Scope = float64(m.scope.of(top, lead, s.known))
		p.Known = p.Scope >= float64(m.scope.Floor)
	} else {
		m.signalProbabilities(s)
		p.Scope = float64(s.p[first])
		_, p.Known = decide(s.score)
		// A few words that a correction shares do not outweigh the admin's rule, unless they speak against its category.
		if k, ok := decide(s.plain); ok && k == first && s.score[k] >= 0.9*s.plain[k] {
			p.Known = true
		}
	}
	p.Probability = float64(s.p[first])
	if second >= 0 {
		p.RunnerUp, p.RunnerUpProbability = m.name(second), float64(s.p[second])
	}
	if m.taught() {
		sure := m.bend.of(p.Probability)
		p.RunnerUpProbability *= (1 - sure) / max(1-p.Probability, 1e-9)
		p.RunnerUpProbability, p.Probability = min(p.RunnerUpProbability, sure, 1-sure), sure
	}
	if m.taught() {
		p.Known = p.Known && p.Probability >= m.options.Floor
	}
	m.ruled(s, &p)
	return p
}

// fewTaught is from how many examples on a category is told by them, and not by the admin's rule.
const fewTaught = 5

// ruled lets the admin's rule stand, enough signals and clearly more than for any other, where little was measured or learnt
// yet: in a young model for the best category, and in any for one that has hardly an example. What was learnt since counts too.
func (m *Model) ruled(s *scratch, p *Prediction) {
	k, ok := decide(s.signals)
	switch {
	case !ok || !m.taught():
	case k == s.chosen && m.young():
		p.Known = true
	case k < len(m.taughtBy) && m.taughtBy[k] < fewTaught:
		if k != s.chosen {
			p.RunnerUp, p.RunnerUpProbability = p.Best, min(p.Probability, 1-m.options.Floor)
			p.Best, s.chosen = m.name(k), k
			p.Probability = m.options.Floor
		}
		p.Probability, p.Known = max(p.Probability, m.options.Floor), true
	}
}

// signalProbabilities turns scores of signals alone into probabilities: of the categories that have any, and of none, which
// counts as two points of signal.
func (m *Model) signalProbabilities(s *scratch) {
	const none = 2
	sum := math.Exp(none)
	for k, v := range s.score {
		s.p[k] = 0
		if v > 0 {
			s.p[k] = float32(math.Exp(float64(min(v, 80))))
			sum += float64(s.p[k])
		}
	}
	for k := range s.p {
		s.p[k] = float32(float64(s.p[k]) / sum)
	}
}

func (m *Model) name(k int) string {
	if k < len(m.classes) {
		return m.classes[k]
	}
	return m.late.classes[k-len(m.classes)]
}

// evidence adds up what every word and signal weighed for a category; letters count for the word they lie in.
func (m *Model) evidence(s *scratch, k int) []Term {
	s.word = append(s.word[:0], make([]float32, len(s.doc.words))...)
	for i := range s.doc.grams {
		g := &s.doc.grams[i]
		if n := m.number(g.hash); n != noGram {
			at := s.mark[n] - 1
			if at < 0 {
				continue
			}
			w := m.weights.at(n, k) + m.late.at(n, k)
			s.word[g.word] += w * s.values[at] / s.times[at]
		}
	}
	var terms []Term
	put := func(text string, weight float32) {
		for i := range terms {
			if terms[i].Text == text {
				terms[i].Weight += float64(weight)
				return
			}
		}
		terms = append(terms, Term{text, float64(weight)})
	}
	for w, v := range s.word {
		if v > 0 {
			put(s.doc.word(w), v)
		}
	}
	m.signals.find(&s.doc, func(g signal, _ int) {
		if int(g.class) == k && g.weight > 0 {
			put(g.text, m.mix.Signals*g.weight)
		}
	})
	slices.SortStableFunc(terms, func(a, b Term) int {
		switch {
		case a.Weight > b.Weight:
			return -1
		case a.Weight < b.Weight:
			return 1
		}
		return 0
	})
	return terms[:min(len(terms), maxEvidence)]
}
