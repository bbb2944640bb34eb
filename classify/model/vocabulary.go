package model

import "math"

// vocabulary numbers the n-grams that a model knows and counts the texts each stands in.
type vocabulary struct {
	hash  []uint64 // by number
	count []uint32 // texts that have it, by number
	texts int      // texts it was made of
	slot  []int32  // open addressing: number + 1, or 0
}

const noGram = int32(-1)

// find returns the number of an n-gram, or noGram.
func (v *vocabulary) find(h uint64) int32 {
	if len(v.slot) == 0 {
		return noGram
	}
	mask := uint64(len(v.slot) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		n := v.slot[i]
		if n == 0 || v.hash[n-1] == h {
			return n - 1
		}
	}
}

// number returns the number of an n-gram, and gives it one if it has none.
func (v *vocabulary) number(h uint64) int32 {
	if 2*len(v.hash) >= len(v.slot) {
		v.rehash(max(1024, 2*len(v.slot)))
	}
	if n := v.find(h); n != noGram {
		return n
	}
	v.hash = append(v.hash, h)
	v.count = append(v.count, 0)
	v.enter(int32(len(v.hash)))
	return int32(len(v.hash) - 1)
}

// rehash makes the table anew with the given number of slots, a power of two.
func (v *vocabulary) rehash(slots int) {
	v.slot = make([]int32, slots)
	for n := range v.hash {
		v.enter(int32(n + 1))
	}
}

func (v *vocabulary) enter(n int32) {
	mask := uint64(len(v.slot) - 1)
	i := v.hash[n-1] & mask
	for v.slot[i] != 0 {
		i = (i + 1) & mask
	}
	v.slot[i] = n
}

// slots is the size of a table for n n-grams: at most half of it is used.
func slots(n int) int {
	s := 1024
	for s < 2*n {
		s *= 2
	}
	return s
}

// rarity is the smoothed inverse document frequency of an n-gram that stands in count of the texts.
func (v *vocabulary) rarity(count uint32) float32 {
	return float32(math.Log(float64(1+v.texts)/float64(1+count))) + 1
}

// matrix is texts as sparse rows.
type matrix struct {
	start []int // row i is start[i]..start[i+1]
	index []int32
	value []float32
}

func (m *matrix) rows() int { return len(m.start) - 1 }

func (m *matrix) row(i int) ([]int32, []float32) {
	a, b := m.start[i], m.start[i+1]
	return m.index[a:b], m.value[a:b]
}

// corpus is the texts of a training: every text once as a row, and the vocabulary made of them.
type corpus struct {
	matrix
	vocabulary
	block []block // of every n-gram
	whole []bool  // single words
	seen  []int32 // last row that had the n-gram, + 1; while reading
	at    []int32 // where in that row
}

// readTexts makes the corpus of the texts. The values are how often an n-gram stands in a text, until weigh.
func readTexts(texts []string) *corpus {
	c := &corpus{}
	c.start = append(make([]int, 0, len(texts)+1), 0)
	var d document
	for i, s := range texts {
		d.read(s)
		from := len(c.index)
		for _, g := range d.grams {
			n := c.number(g.hash)
			if int(n) == len(c.block) {
				c.block = append(c.block, g.block)
				c.whole = append(c.whole, g.whole)
				c.seen = append(c.seen, 0)
				c.at = append(c.at, 0)
			}
			if c.seen[n] == int32(i+1) {
				c.value[from+int(c.at[n])]++
				continue
			}
			c.seen[n], c.at[n] = int32(i+1), int32(len(c.index)-from)
			c.count[n]++
			c.index = append(c.index, n)
			c.value = append(c.value, 1)
		}
		c.start = append(c.start, len(c.index))
	}
	c.texts = len(texts)
	c.seen, c.at = nil, nil
	return c
}

// prune leaves at most limit n-grams: pairs that stand in one text go first, as they tell nothing about another, then the
// rarest of all.
func (c *corpus) prune(limit int) {
	kept := 0
	keep := func(n int, least uint32) bool {
		return c.count[n] >= least && (c.count[n] > 1 || c.block[n] != pairBlock)
	}
	least := uint32(1)
	for ; ; least++ {
		kept = 0
		for n := range c.count {
			if keep(n, least) {
				kept++
			}
		}
		if kept <= limit {
			break
		}
	}
	to := make([]int32, len(c.count))
	k := 0
	for n := range c.count {
		to[n] = noGram
		if keep(n, least) {
			to[n] = int32(k)
			c.hash[k], c.count[k], c.block[k], c.whole[k] = c.hash[n], c.count[n], c.block[n], c.whole[n]
			k++
		}
	}
	c.hash, c.count, c.block, c.whole = c.hash[:k], c.count[:k], c.block[:k], c.whole[:k]
	c.rehash(slots(k))
	out, from := 0, 0
	for i := range c.rows() {
		end := c.start[i+1]
		for j := from; j < end; j++ {
			if n := to[c.index[j]]; n != noGram {
				c.index[out], c.value[out] = n, c.value[j]
				out++
			}
		}
		from, c.start[i+1] = end, out
	}
	c.index, c.value = c.index[:out], c.value[:out]
}

// weigh turns counts into values: 1 + log of the count, times rarity, every block of a text of length 1 (pairs of 0.8).
func (c *corpus) weigh() {
	rarity := make([]float32, len(c.count))
	for n, count := range c.count {
		rarity[n] = c.rarity(count)
	}
	for i := range c.rows() {
		idx, val := c.row(i)
		var sum [blockCount]float32
		for j, n := range idx {
			val[j] = damp(val[j]) * rarity[n]
			sum[c.block[n]] += val[j] * val[j]
		}
		f := factors(sum)
		for j, n := range idx {
			val[j] *= f[c.block[n]]
		}
	}
}

// damp is what a count is worth: the tenth mention adds less than the second.
func damp(count float32) float32 {
	if count == 1 {
		return 1
	}
	return 1 + float32(math.Log(float64(count)))
}

// factors give every block its length, from the sums of its squares.
func factors(sum [blockCount]float32) [blockCount]float32 {
	f := [blockCount]float32{wordBlock: 1, charBlock: 1, pairBlock: 0.8}
	for b, s := range sum {
		if s > 0 {
			f[b] /= float32(math.Sqrt(float64(s)))
		}
	}
	return f
}
