package model

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Three experts score every category: the one-against-the-rest machine, the softmax machine, and the admin's signals. mix is
// what each counts; their weighted sum is on the scale of the log odds.
type mix struct {
	Margin, Softmax, Signals float32
}

// opinion is what the experts say about one text that none of them has seen.
type opinion struct {
	row     int32
	label   int32 // what it is
	margin  []float32
	softmax []float32 // nil: the expert was not asked
	signals []float32 // nil: there are none
	known   float32   // share of its words that the experts know
}

// score is the weighted sum of the experts.
func (o *opinion) score(m mix, out []float32) {
	for k := range out {
		v := m.Margin * o.margin[k]
		if o.softmax != nil {
			v += m.Softmax * o.softmax[k]
		}
		if o.signals != nil {
			v += m.Signals * o.signals[k]
		}
		out[k] = v
	}
}

// firstMix is what is believed before there is anything to measure by.
func firstMix(softmax bool) mix {
	if softmax {
		return mix{Margin: 2, Softmax: 0.5, Signals: 1}
	}
	return mix{Margin: 4, Signals: 1}
}

// calibrated finds the mix under which the held-out opinions are most probable: by line search on one expert after the
// other. What speaks from few examples is pulled towards the first mix.
func calibrated(all []opinion, first mix, classes int) mix {
	if len(all) == 0 {
		return first
	}
	if n := 2000; len(all) > n {
		all = all[:n]
	}
	m := first
	p := make([]float32, classes)
	loss := func() float64 {
		sum := 0.0
		for i := range all {
			all[i].score(m, p)
			sum += logLoss(p, all[i].label)
		}
		pull := func(a, b float32) float64 {
			if b == 0 {
				return 0
			}
			d := math.Log(float64(a / b))
			return d * d
		}
		return sum + pull(m.Margin, first.Margin) + pull(m.Softmax, first.Softmax) + pull(m.Signals, first.Signals)
	}
	experts := []*float32{&m.Margin}
	if all[0].softmax != nil {
		experts = append(experts, &m.Softmax)
	}
	if all[0].signals != nil {
		experts = append(experts, &m.Signals)
	}
	for width := 3.0; width > 0.2; width /= 3 {
		for _, e := range experts {
			search(e, width, loss)
		}
		if len(experts) == 1 {
			width /= 3
		}
	}
	return m
}

// search finds by golden section the value of *e, within the width on a log scale around what it is, that costs least.
func search(e *float32, width float64, loss func() float64) {
	const golden = 0.6180339887498949
	mid := math.Log(float64(*e))
	at := func(x float64) float64 {
		*e = float32(math.Exp(x))
		return loss()
	}
	a, b := mid-width, mid+width
	c, d := b-golden*(b-a), a+golden*(b-a)
	fc, fd := at(c), at(d)
	for b-a > width/12 {
		if fc < fd {
			b, d, fd = d, c, fc
			c = b - golden*(b-a)
			fc = at(c)
		} else {
			a, c, fc = c, d, fd
			d = a + golden*(b-a)
			fd = at(d)
		}
	}
	*e = float32(math.Exp((a + b) / 2))
}

// logLoss is minus the logarithm of the probability that the scores give to the label.
func logLoss(score []float32, label int32) float64 {
	top := score[0]
	for _, v := range score {
		top = max(top, v)
	}
	sum := float32(0)
	for _, v := range score {
		if v > top-20 {
			sum += fastExp(v - top)
		}
	}
	return float64(top-score[label]) + math.Log(float64(sum))
}

// fastExp is e to the x for -20 ≤ x ≤ 0, with an error below 0.1 %.
func fastExp(x float32) float32 {
	x = 1 + x/256
	for range 8 {
		x *= x
	}
	return x
}

// scope tells texts that belong to one of the categories from those that belong to none: by the best score, its lead over the
// second, and the share of known words. What these count against each other is fixed: fitted to texts of categories left
// out it served to tell neighbours apart, and mail from elsewhere less well.
type scope struct {
	Bias  float32 // minus the sum below which a text belongs to none
	Floor float32 // 0.5; 0 when nothing was measured, and nothing is refused
}

const (
	scopeTop   = 1
	scopeLead  = 0.15
	scopeKnown = 3
)

func (s scope) of(top, lead, known float32) float32 {
	return float32(1 / (1 + math.Exp(-float64(s.Bias+scopeTop*top+scopeLead*lead+scopeKnown*known))))
}

// best returns the numbers of the best and the second best score; second is -1 when there is only one.
func best(score []float32) (first, second int) {
	first, second = 0, -1
	for k, v := range score[1:] {
		if v > score[first] {
			first, second = k+1, first
		} else if second < 0 || v > score[second] {
			second = k + 1
		}
	}
	return first, second
}

// summary is what scope looks at.
func summary(score []float32) (first int, top, lead float32) {
	first, second := best(score)
	if second < 0 {
		return first, score[first], score[first]
	}
	return first, score[first], score[first] - score[second]
}

// scopeOf sets the bias so that the share reject of the held-out opinions, all of which belong, is refused.
func scopeOf(all []opinion, m mix, classes int, reject float64) scope {
	if len(all) < 20 {
		return scope{}
	}
	var values []float32
	p := make([]float32, classes)
	for i := range all {
		all[i].score(m, p)
		_, top, lead := summary(p)
		values = append(values, scopeTop*top+scopeLead*lead+scopeKnown*all[i].known)
	}
	slices.Sort(values)
	return scope{Bias: -values[int(reject*float64(len(values)))], Floor: 0.5}
}

// bend is the last step from the best score's probability to the one that is told: a logistic function of its log odds
// (Platt). One scale for all scores leaves the sure and the unsure a little off, most where examples are few.
type bend struct{ Slope, Shift float64 }

// of bends one probability.
func (b bend) of(p float64) float64 {
	return 1 / (1 + math.Exp(-b.Slope*logOdds(p)-b.Shift))
}

func logOdds(p float64) float64 {
	p = min(max(p, 1e-6), 1-1e-6)
	return math.Log(p / (1 - p))
}

// bendOf fits a bend to the held-out opinions by gradient descent. It is pulled towards none at all, as by 20 examples.
func bendOf(all []opinion, m mix, classes int) bend {
	b := bend{Slope: 1}
	if len(all) < 20 {
		return b
	}
	var odds []float64
	var right []float64
	p := make([]float32, classes)
	for i := range all {
		all[i].score(m, p)
		probabilities(p)
		k, _ := best(p)
		odds = append(odds, logOdds(float64(p[k])))
		hit := 0.0
		if int32(k) == all[i].label {
			hit = 1
		}
		right = append(right, hit)
	}
	const pull, rate, rounds = 20, 0.1, 300
	n := float64(len(all)) + pull
	for range rounds {
		slope, shift := pull*(b.Slope-1), pull*b.Shift
		for i, x := range odds {
			e := 1/(1+math.Exp(-b.Slope*x-b.Shift)) - right[i]
			slope += e * x
			shift += e
		}
		b.Slope -= rate * slope / n
		b.Shift -= rate * shift / n
	}
	b.Slope = max(b.Slope, 0.05) // never less sure of what scored better
	return b
}

// folds deals the rows to n parts: every category evenly, and equal texts into the same part, so that no text helps to
// judge itself.
func folds(rows []int32, label []int32, key []uint64, n int, rng *rand.Rand) []int8 {
	fold := make([]int8, len(label))
	for i := range fold {
		fold[i] = -1
	}
	byClass := map[int32][]int32{}
	for _, i := range rows {
		byClass[label[i]] = append(byClass[label[i]], i)
	}
	for _, class := range sortedKeys(byClass) {
		members := byClass[class]
		rng.Shuffle(len(members), func(a, b int) { members[a], members[b] = members[b], members[a] })
		dealt := map[uint64]int8{}
		next := rng.IntN(n)
		for _, i := range members {
			f, ok := dealt[key[i]]
			if !ok {
				f = int8(next % n)
				dealt[key[i]] = f
				next++
			}
			fold[i] = f
		}
		if len(dealt) < 2 {
			for _, i := range members {
				fold[i] = -1 // nothing would be left to learn the category from
			}
		}
	}
	return fold
}

func sortedKeys[V any](m map[int32]V) []int32 {
	var keys []int32
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
