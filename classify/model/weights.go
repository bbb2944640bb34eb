package model

import (
	"encoding/binary"
	"math"
)

// weights are those of all n-grams and categories, in one byte each with a scale for every n-gram: a quarter of the memory,
// and eight of them are multiplied at once.
type weights struct {
	stride int       // bytes of a row: a multiple of eight
	cell   []byte    // by n-gram and category, 128 is nought
	scale  []float32 // by n-gram
	rarity []float32 // by n-gram
	bias   []float32 // by category
}

// bytesPerGram is what an n-gram takes besides its row: hash, count, scale, rarity, and two places in the table.
const bytesPerGram = 8 + 4 + 4 + 4 + 2*4

func stride(classes int) int { return (classes + 7) &^ 7 }

// quantise mixes the experts into one and rounds.
func quantise(e experts, m mix, c *corpus, classes int) weights {
	grams := len(c.count)
	w := weights{stride: stride(classes), scale: make([]float32, grams), rarity: make([]float32, grams), bias: make([]float32, classes)}
	w.cell = make([]byte, w.stride*grams)
	at := func(n, k int) float32 {
		v := m.Margin * e.margin[k][n]
		if e.softmax != nil {
			v += m.Softmax * e.softmax[n*classes+k]
		}
		return v
	}
	row := make([]float32, classes)
	for n := range grams {
		w.rarity[n] = c.rarity(c.count[n])
		var top float32
		for k := range row {
			row[k] = at(n, k)
			top = max(top, row[k], -row[k])
		}
		w.scale[n] = top / 127
		cells := w.cell[n*w.stride : (n+1)*w.stride]
		for k := range cells {
			cells[k] = 128
			if k < classes && top > 0 {
				cells[k] = byte(128 + int(math.Round(float64(row[k]/w.scale[n]))))
			}
		}
	}
	for k := range classes {
		w.bias[k] = at(grams, k)
	}
	return w
}

// at is one weight; 0 for n-grams and categories that were not trained on.
func (w *weights) at(n int32, k int) float32 {
	if int(n) >= len(w.scale) || k >= len(w.bias) {
		return 0
	}
	return w.scale[n] * float32(int(w.cell[int(n)*w.stride+k])-128)
}

// multiply sets out to the scores of the text in s. The values are rounded to a byte as well; so eight products fit into two
// multiplications of 64 bits, whose lanes of 16 bits are then added to lanes of 32 bits. Whole numbers make the result the
// same on every machine.
func (w *weights) multiply(s *scratch, out []float32) {
	const bytes0, lanes = 0x00ff00ff00ff00ff, 0x0000ffff0000ffff
	copy(out, w.bias)
	var top float32
	for i, n := range s.rows {
		if int(n) < len(w.scale) {
			top = max(top, s.values[i]*w.scale[n])
		}
	}
	if top == 0 {
		return
	}
	if need := w.stride / 2; cap(s.acc) < need {
		s.acc = make([]uint64, need)
	} else {
		s.acc = s.acc[:need]
		clear(s.acc)
	}
	var sum int64
	for i, n := range s.rows {
		if int(n) >= len(w.scale) {
			continue
		}
		q := uint64(s.values[i]*w.scale[n]/top*255 + 0.5)
		if q == 0 {
			continue
		}
		sum += int64(q)
		cells := w.cell[int(n)*w.stride : int(n)*w.stride+w.stride]
		acc := s.acc
		for len(cells) >= 8 && len(acc) >= 4 {
			x := binary.LittleEndian.Uint64(cells)
			even, odd := (x&bytes0)*q, (x>>8&bytes0)*q
			acc[0] += even & lanes
			acc[1] += odd & lanes
			acc[2] += even >> 16 & lanes
			acc[3] += odd >> 16 & lanes
			cells, acc = cells[8:], acc[4:]
		}
	}
	unit := top / 255
	for k := range out {
		lane := s.acc[k/8*4+k%4] >> (k % 8 / 4 * 32) & 0xffffffff
		out[k] += unit * float32(int64(lane)-128*sum)
	}
}
