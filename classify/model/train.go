package model

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Example is a text and the category that it belongs to.
type Example struct {
	Label string `json:"label"`
	Text  string `json:"text"`
}

// Options of a training. The zero value is good.
type Options struct {
	Seed     uint64   // of every random choice: same seed and same input, same model
	Floor    float64  // probability below which a category is not known; 0: 0.5
	Reject   float64  // share of messages that may be taken for belonging nowhere although they do not; 0: 0.05
	MaxBytes int      // most that a model may take; 0: 32 MiB
	Workers  int      // goroutines; 0: one for each processor
	Ignore   []string // labels that are no category, and never learnt; nil: oos, out_of_scope
}

// Bounds of what is trained on; the examples beyond are left out, the last ones stay.
const (
	maxExamples   = 100_000
	maxUnlabelled = 10_000
	maxClasses    = 2_000
)

const (
	heldOut     = 1500 // texts that are enough to measure by
	looseRows   = 4000 // unlabelled texts that are enough to measure by
	fewExamples = 50   // of a category on average: below, softmax is asked too, and unlabelled texts help
)

func (o Options) withDefaults() Options {
	o.Floor = cmp.Or(o.Floor, 0.5)
	o.Reject = cmp.Or(o.Reject, 0.05)
	o.MaxBytes = cmp.Or(o.MaxBytes, 32<<20)
	o.Workers = cmp.Or(o.Workers, runtime.GOMAXPROCS(0))
	if o.Ignore == nil {
		o.Ignore = []string{"oos", "out_of_scope"}
	}
	return o
}

// Train makes a model of the examples, the signals of every category (priors: words and what each weighs), its names in
// whatever languages, and texts of which nobody said what they are. Each may be missing: with signals alone, the model
// decides as the signals do. An error means that there is nothing to learn from, or that a signal cannot be used.
func Train(o Options, examples []Example, priors map[string]map[string]float64, names map[string][]string, unlabelled []string) (*Model, error) {
	o = o.withDefaults()
	if o.Floor < 0 || o.Floor > 1 || o.Reject < 0 || o.Reject > 0.5 {
		return nil, errors.New("train the model: the floor has to lie in 0…1 and the share to reject in 0…0.5")
	}
	t := &trainer{o: o, rng: rand.New(rand.NewPCG(o.Seed, 0x5eed))}
	if err := t.collect(examples, priors, names, unlabelled); err != nil {
		return nil, fmt.Errorf("train the model: %w", err)
	}
	return t.train(), nil
}

// trainer is one training.
type trainer struct {
	o       Options
	rng     *rand.Rand
	classes []string
	signals *signals
	texts   []string
	label   []int32  // by row; -1: unlabelled
	key     []uint64 // by row: equal texts have equal keys
	given   []int32  // rows of examples
	named   []int32  // rows of names
	loose   []int32  // rows of unlabelled texts
	corpus  *corpus
	norm    []float32
	soft    bool // ask the softmax expert
	guess   bool // learn from unlabelled texts
	mix     mix  // while guessing
}

func (t *trainer) collect(examples []Example, priors map[string]map[string]float64, names map[string][]string, unlabelled []string) error {
	class := map[string]int32{}
	for _, e := range examples {
		class[e.Label] = 0
	}
	for name := range priors {
		class[name] = 0
	}
	for name := range names {
		class[name] = 0
	}
	for _, name := range t.o.Ignore {
		delete(class, name)
	}
	for name := range class {
		t.classes = append(t.classes, name)
	}
	slices.Sort(t.classes)
	for i, name := range t.classes {
		class[name] = int32(i)
	}
	switch {
	case len(t.classes) == 0:
		return errors.New("there is no example and no signal of any category")
	case len(t.classes) > maxClasses:
		return fmt.Errorf("there are %d categories; at most %d can be told apart", len(t.classes), maxClasses)
	}
	used := map[string]map[string]float64{}
	for name, words := range priors {
		if _, ok := class[name]; ok {
			used[name] = words
		}
	}
	var err error
	if t.signals, err = newSignals(used, class); err != nil {
		return err
	}
	for _, e := range examples[max(0, len(examples)-maxExamples):] {
		if k, ok := class[e.Label]; ok {
			t.given = append(t.given, t.row(e.Text, k))
		}
	}
	for _, name := range t.classes {
		for _, n := range slices.Compact(slices.Sorted(slices.Values(names[name]))) {
			if fold(n) != "" {
				t.named = append(t.named, t.row(n, class[name]))
			}
		}
	}
	perClass := len(t.given) / len(t.classes)
	t.soft = perClass < fewExamples
	t.guess = len(unlabelled) > 0 && perClass < fewExamples && len(t.given)+len(t.named) > 0
	if t.guess {
		for _, s := range unlabelled[max(0, len(unlabelled)-maxUnlabelled):] {
			t.loose = append(t.loose, t.row(s, -1))
		}
		t.rng.Shuffle(len(t.loose), func(a, b int) { t.loose[a], t.loose[b] = t.loose[b], t.loose[a] })
	}
	return nil
}

func (t *trainer) row(text string, label int32) int32 {
	t.texts = append(t.texts, text)
	t.label = append(t.label, label)
	t.key = append(t.key, textKey(text))
	return int32(len(t.texts) - 1)
}

// textKey is the same for texts that differ in nothing that is looked at.
func textKey(text string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(fold(text)))
	return h.Sum64()
}

// SplitName makes words of the name of a category that is written as an identifier: card_arrival, network.vpn.
func SplitName(name string) string {
	return strings.NewReplacer("_", " ", ".", " ", "-", " ", "/", " ").Replace(name)
}

// taught is whether there is anything to learn from examples.
func (t *trainer) taught() bool {
	if len(t.classes) < 2 || len(t.given) == 0 && (len(t.signals.list) > 0 || len(t.named) == 0) {
		return false
	}
	seen := map[int32]bool{}
	for _, i := range slices.Concat(t.given, t.named) {
		seen[t.label[i]] = true
	}
	return len(seen) > 1
}

func (t *trainer) train() *Model {
	m := &Model{options: t.o, classes: t.classes, signals: t.signals, mix: firstMix(t.soft), bend: bend{Slope: 1}}
	if !t.taught() {
		m.ready()
		return m
	}
	t.corpus = readTexts(t.texts)
	t.corpus.weigh()
	t.corpus.prune(t.o.MaxBytes / (stride(len(t.classes)) + bytesPerGram))
	t.norm = squares(&t.corpus.matrix)
	t.mix = m.mix
	m.vocabulary = t.corpus.vocabulary
	m.examples = len(t.given)
	m.taughtBy = make([]uint32, len(t.classes))
	for _, i := range t.given {
		m.taughtBy[t.label[i]]++
	}

	held := t.holdOut(m)
	first := m.mix
	m.mix = calibrated(held, first, len(t.classes))
	m.bend = bendOf(held, m.mix, len(t.classes))
	m.scope = scopeOf(held, m.mix, len(t.classes), t.o.Reject)
	m.record(held, t)

	w := t.learn(slices.Concat(t.given, t.named), nil, true)
	m.weights = quantise(w, m.mix, t.corpus, len(t.classes))
	m.ready()
	return m
}

// parts of the examples, each held back once, until there are enough texts to measure by.
func (t *trainer) parts() int {
	if t.guess {
		return 4 // every part is a whole training with unlabelled texts
	}
	return 5
}

// holdOut trains without a part of the examples and asks about that part, in turn.
func (t *trainer) holdOut(m *Model) []opinion {
	n := t.parts()
	fold := folds(t.given, t.label, t.key, n, t.rng)
	split := func(part int) (train, test []int32) {
		for _, i := range t.given {
			if int(fold[i]) == part {
				test = append(test, i)
			} else {
				train = append(train, i)
			}
		}
		return append(train, t.named...), test
	}
	var held []opinion
	if t.guess { // what each expert counts is needed to guess with
		for part := range n {
			train, test := split(part)
			held = append(held, t.ask(t.fit(train, test, false), train, test)...)
		}
		t.mix = calibrated(held, t.mix, len(t.classes))
		held = held[:0]
	}
	all := t.loose
	t.loose = all[:min(len(all), looseRows)]
	defer func() { t.loose = all }()
	for part := 0; part < n && len(held) < heldOut; part++ {
		train, test := split(part)
		if len(test) == 0 {
			continue
		}
		held = append(held, t.ask(t.learn(train, test, false), train, test)...)
	}
	return held
}

// experts are the trained machines. Held-out texts need only the scores of their rows.
type experts struct {
	margin  [][]float32 // by category: weights and bias; nil when only scores were wanted
	softmax []float32   // by n-gram and category, last the bias; nil: not asked
	scores  [][]float32 // of margin, by place in test and category
}

// learn trains on the labelled rows, and then twice on what the experts think of the unlabelled ones as well: first on the
// half they are surest of, then on more of them.
func (t *trainer) learn(rows, test []int32, keep bool) experts {
	if !t.guess {
		return t.fit(rows, test, keep)
	}
	w := t.fit(rows, t.loose, false)
	for round, share := range []float64{0.5, 0.7} {
		guessed := t.guesses(w, share)
		if round == 1 {
			return t.fit(slices.Concat(rows, guessed), test, keep)
		}
		w = t.fit(slices.Concat(rows, guessed), t.loose, false)
	}
	return w
}

// guesses labels the unlabelled texts as the experts see them and returns the share they are surest of.
func (t *trainer) guesses(w experts, share float64) []int32 {
	type guess struct {
		row  int32
		lead float32
	}
	all := make([]guess, 0, len(t.loose))
	p := make([]float32, len(t.classes))
	for _, o := range t.ask(w, nil, t.loose) {
		o.score(t.mix, p)
		k, _, lead := summary(p)
		t.label[o.row] = int32(k)
		all = append(all, guess{o.row, lead})
	}
	slices.SortStableFunc(all, func(a, b guess) int { return cmp.Compare(b.lead, a.lead) })
	var rows []int32
	for _, g := range all[:int(share*float64(len(all)))] {
		rows = append(rows, g.row)
	}
	return rows
}

// fit trains the experts on the rows. Of the one-against-the-rest machine the scores of the test rows are kept, and with keep
// its weights.
func (t *trainer) fit(rows, test []int32, keep bool) experts {
	k, grams := len(t.classes), len(t.corpus.count)
	var e experts
	cost := make([]float32, len(t.label))
	weight := make([]float32, len(t.label))
	count := make([]int, k)
	for _, i := range rows {
		cost[i], weight[i] = svmCost, 1
		count[t.label[i]]++
	}
	if keep {
		e.margin = make([][]float32, k)
	}
	e.scores = make([][]float32, len(test))
	for i := range e.scores {
		e.scores[i] = make([]float32, k)
	}
	seed := t.rng.Uint64()
	work := make(chan int32)
	var wg sync.WaitGroup
	for range t.o.Workers {
		wg.Go(func() {
			s := newSVM(&t.corpus.matrix, t.norm)
			w := make([]float32, grams+1)
			for c := range work {
				if keep {
					w = make([]float32, grams+1)
					e.margin[c] = w
				}
				boost := float32(len(rows)) / float32(max(1, k*count[c]))
				s.solve(rows, t.label, c, cost, min(svmBoost, max(1, boost)), rand.New(rand.NewPCG(seed, uint64(c))), w)
				for i, row := range test {
					idx, val := t.corpus.row(int(row))
					e.scores[i][c] = dot(idx, val, w) + w[grams]
				}
			}
		})
	}
	for c := range k {
		work <- int32(c)
	}
	close(work)
	wg.Wait()
	if t.soft {
		e.softmax = softmax(&t.corpus.matrix, grams, rows, t.label, weight, k, rand.New(rand.NewPCG(seed, 1<<40)))
	}
	return e
}

// ask returns what the experts think of the test rows, the ones they were fitted for. train are the rows they learnt from.
func (t *trainer) ask(w experts, train, test []int32) []opinion {
	k, grams := len(t.classes), len(t.corpus.count)
	known := make([]bool, grams)
	for _, i := range train {
		idx, _ := t.corpus.row(int(i))
		for _, n := range idx {
			known[n] = true
		}
	}
	var d document
	out := make([]opinion, 0, len(test))
	for at, i := range test {
		o := opinion{row: i, label: t.label[i], margin: w.scores[at]}
		idx, val := t.corpus.row(int(i))
		if w.softmax != nil {
			o.softmax = slices.Clone(w.softmax[grams*k:])
			multiply(idx, val, w.softmax, o.softmax)
		}
		if len(t.signals.list) > 0 {
			o.signals = make([]float32, k)
			d.normalise(t.texts[i])
			d.split()
			t.signals.find(&d, func(g signal, _ int) { o.signals[g.class] += g.weight })
		}
		var sum, all float32
		for _, n := range idx {
			if t.corpus.whole[n] {
				r := t.corpus.rarity(t.corpus.count[n])
				all += r
				if known[n] {
					sum += r
				}
			}
		}
		if all > 0 {
			o.known = sum / all
		}
		out = append(out, o)
	}
	return out
}
