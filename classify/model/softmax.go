package model

import (
	"math"
	"math/rand/v2"
)

const (
	softmaxRounds = 12
	softmaxSteps  = 30_000 // examples looked at, in all rounds, when there are many: fewer rounds then
	softmaxLeast  = 6      // rounds
	softmaxRate   = 2.0
	softmaxIdle   = 0.003 // a class whose probability is that close to right is left alone
)

// softmax learns all classes at once by stochastic gradient descent on the log loss: better than one against the rest when
// a class has few examples. weight is what an example counts. The weights come as one row for every n-gram and, last, the
// bias; every row has one place for every class.
func softmax(x *matrix, grams int, rows []int32, label []int32, weight []float32, classes int, rng *rand.Rand) []float32 {
	w := make([]float32, (grams+1)*classes)
	bias := w[grams*classes:]
	p := make([]float32, classes)
	order := append([]int32(nil), rows...)
	rounds := min(softmaxRounds, max(softmaxLeast, softmaxSteps/max(1, len(order))))
	for round := range rounds {
		rate := softmaxRate / (1 + 0.3*float32(round)*softmaxRounds/float32(rounds))
		rng.Shuffle(len(order), func(a, b int) { order[a], order[b] = order[b], order[a] })
		for _, i := range order {
			idx, val := x.row(int(i))
			copy(p, bias)
			multiply(idx, val, w, p)
			probabilities(p)
			p[label[i]]--
			for k, g := range p {
				if g < softmaxIdle && g > -softmaxIdle {
					continue
				}
				t := rate * weight[i] * g
				for j, f := range idx {
					w[int(f)*classes+k] -= t * val[j]
				}
				bias[k] -= 0.1 * t
			}
		}
	}
	return w
}

// multiply adds the product of a sparse row with w to out, one place for every class.
func multiply(idx []int32, val []float32, w []float32, out []float32) {
	classes := len(out)
	for j, f := range idx {
		v := val[j]
		row := w[int(f)*classes : int(f)*classes+classes]
		for k := range row[:len(out)] {
			out[k] += v * row[k]
		}
	}
}

// probabilities turns scores into probabilities, in place.
func probabilities(p []float32) {
	top := p[0]
	for _, v := range p {
		top = max(top, v)
	}
	var sum float32
	for k, v := range p {
		p[k] = float32(math.Exp(float64(v - top)))
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
}
