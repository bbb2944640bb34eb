package model

import "math/rand/v2"

// svm finds the weights of one class against all others: a linear machine with squared hinge loss, solved by dual
// coordinate descent that leaves aside examples which no longer change anything.
type svm struct {
	x     *matrix
	norm  []float32 // squared length of every row, with the bias
	alpha []float32
	live  []int32
}

// newSVM makes a solver for the rows of x; one for each goroutine. norm is shared, see squares.
func newSVM(x *matrix, norm []float32) *svm {
	return &svm{x: x, norm: norm, alpha: make([]float32, x.rows()), live: make([]int32, 0, x.rows())}
}

// squares returns the squared length of every row of x, with a bias of 1.
func squares(x *matrix) []float32 {
	norm := make([]float32, x.rows())
	for i := range norm {
		_, val := x.row(i)
		norm[i] = 1
		for _, v := range val {
			norm[i] += v * v
		}
	}
	return norm
}

const (
	svmCost  = 0.5 // what an error costs, against the length of the weights
	svmClose = 0.4 // how close to the optimum is near enough: nearer costs time and gains nothing

	svmRounds = 60
	svmBoost  = 5 // most that an example of a small class counts more
)

// solve learns from the rows which of them are of the class. cost is what an error costs by row, boost what it costs more
// for rows of the class. w gets the weights, and last the bias.
func (s *svm) solve(rows []int32, label []int32, class int32, cost []float32, boost float32, rng *rand.Rand, w []float32) {
	const far = float32(1e30)
	bias := len(w) - 1
	clear(w)
	live := append(s.live[:0], rows...)
	for _, i := range live {
		s.alpha[i] = 0
	}
	high := far // gradient above which an example without influence is left aside
	n := len(live)
	for range svmRounds {
		whole := n == len(live)
		newHigh, newLow := -far, far
		rng.Shuffle(n, func(a, b int) { live[a], live[b] = live[b], live[a] })
		for k := 0; k < n; k++ {
			i := live[k]
			idx, val := s.x.row(int(i))
			y, c := float32(-1), cost[i]
			if label[i] == class {
				y, c = 1, c*boost
			}
			slack := 0.5 / c
			alpha := s.alpha[i]
			g := y*(dot(idx, val, w)+w[bias]) - 1 + alpha*slack
			p := g
			if alpha == 0 {
				if g > high {
					n--
					live[k], live[n] = live[n], live[k]
					k--
					continue
				}
				p = min(g, 0)
			}
			newHigh, newLow = max(newHigh, p), min(newLow, p)
			if p > 1e-6 || p < -1e-6 {
				s.alpha[i] = max(alpha-g/(s.norm[i]+slack), 0)
				t := (s.alpha[i] - alpha) * y
				add(t, idx, val, w)
				w[bias] += t
			}
		}
		switch spread := newHigh - newLow; {
		case whole && spread <= 2*svmClose:
			return
		case spread <= svmClose:
			n = len(live) // look once more at those left aside
		}
		high = 0 // from now on, who is right by enough is left aside until the end
	}
}

// dot is the product of a sparse row with w.
func dot(idx []int32, val []float32, w []float32) float32 {
	val = val[:len(idx)]
	var a, b, c, d float32
	i := 0
	for ; i+4 <= len(idx); i += 4 {
		a += val[i] * w[idx[i]]
		b += val[i+1] * w[idx[i+1]]
		c += val[i+2] * w[idx[i+2]]
		d += val[i+3] * w[idx[i+3]]
	}
	for ; i < len(idx); i++ {
		a += val[i] * w[idx[i]]
	}
	return a + b + c + d
}

// add adds t times a sparse row to w.
func add(t float32, idx []int32, val []float32, w []float32) {
	val = val[:len(idx)]
	for i, j := range idx {
		w[j] += t * val[i]
	}
}
