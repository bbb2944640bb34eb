package model

import (
	"errors"
	"fmt"
	"slices"
)

// late is what was learnt since the training: changes of single weights, n-grams that were not known, and new categories.
type late struct {
	base    int // number of the first n-gram that is new
	classes []string
	count   int
	voc     vocabulary
	change  map[int32][]change // by n-gram
	cells   int                // in change
	trials  []trial            // what was said of each text before it was learnt; by key
}

type change struct {
	class  int32
	weight float32
}

// maxLate bounds the changes; long before, a training is due.
const maxLate = 1 << 20

// ErrFull is returned by Learn when so much was learnt since the training that the model has to be trained again.
var ErrFull = errors.New("too much was learnt since the last training; train the model again")

func (l *late) init(base int) {
	l.base = base
	if l.change == nil {
		l.change = map[int32][]change{}
	}
}

func (l *late) grams() int { return l.base + len(l.voc.hash) }

func (l *late) find(h uint64) int32 {
	if n := l.voc.find(h); n != noGram {
		return n + int32(l.base)
	}
	return noGram
}

func (l *late) at(n int32, k int) float32 {
	for _, c := range l.change[n] {
		if int(c.class) == k {
			return c.weight
		}
	}
	return 0
}

func (l *late) add(n, k int32, weight float32) {
	list := l.change[n]
	for i := range list {
		if list[i].class == k {
			list[i].weight += weight
			return
		}
	}
	l.change[n] = append(list, change{k, weight})
	l.cells++
}

// multiply adds the changes to the scores. A category that is new starts where the others are on average.
func (l *late) multiply(s *scratch, classes int) {
	if l.count == 0 {
		return
	}
	if len(l.classes) > 0 && classes > 0 {
		var sum float32
		for _, v := range s.score[:classes] {
			sum += v
		}
		for k := range l.classes {
			s.score[classes+k] = sum / float32(classes)
		}
	}
	for i, n := range s.rows {
		for _, c := range l.change[n] {
			s.score[c.class] += c.weight * s.values[i]
			s.signals[c.class] += c.weight * s.values[i]
		}
	}
}

// Learning goes on until the text is judged right with that probability, or so many times.
const (
	sureEnough = 0.7
	maxSteps   = 40
)

// Learn corrects the model by one example, at once: the next text like it is judged accordingly. It changes as little as
// that takes (a passive-aggressive step) and nothing if the model was right already. A label that is new becomes a category;
// one that is no category (Options.Ignore) teaches that the text belongs to none. The rest of what the example can teach
// comes with the next training.
func (m *Model) Learn(e Example) error {
	if e.Label == "" {
		return errors.New("learn an example: it has no label")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.late.cells > maxLate {
		return fmt.Errorf("learn an example: %w", ErrFull)
	}
	s := &scratch{}
	s.doc.read(e.Text)
	if len(s.doc.words) == 0 {
		return errors.New("learn an example: its text has no word")
	}
	k := m.classOf(e.Label)
	for i := range s.doc.grams {
		if h := s.doc.grams[i].hash; m.find(h) == noGram {
			m.late.voc.number(h)
		}
	}
	m.late.count++
	m.vector(s)
	var length float32
	for _, v := range s.values {
		length += v * v
	}
	m.scores(s)
	m.try(e, s)
	for range maxSteps {
		m.scores(s)
		p := m.judge(s)
		if k < 0 {
			if !p.Known {
				break
			}
			m.push(s, s.chosen, -1/length)
			continue
		}
		if p.Best == e.Label && p.Known && p.Probability >= sureEnough {
			break
		}
		rival := s.chosen
		if rival == k {
			rival = m.rival(s, k)
		}
		if rival < 0 || !m.taught() && s.score[rival] <= 0 {
			m.push(s, k, 1/length) // nothing speaks for another category: none of them is to suffer
			continue
		}
		t := max(1, 1+s.score[rival]-s.score[k]) / (2 * length)
		m.push(s, k, t)
		m.push(s, rival, -t)
	}
	return nil
}

// try keeps what the model says of a text that it is about to learn for the first time.
func (m *Model) try(e Example, s *scratch) {
	t := trial{key: textKey(e.Text), held: true, got: int32(s.first())}
	if _, ok := slices.BinarySearchFunc(m.trials, t, trial.compare); ok {
		return
	}
	if i, ok := slices.BinarySearchFunc(m.late.trials, t, trial.compare); !ok {
		m.late.trials = slices.Insert(m.late.trials, i, t)
	}
}

// classOf numbers a label: -1 for one that is no category.
func (m *Model) classOf(label string) int {
	if slices.Contains(m.options.Ignore, label) {
		return -1
	}
	if k, ok := slices.BinarySearch(m.classes, label); ok {
		return k
	}
	k := slices.Index(m.late.classes, label)
	if k < 0 {
		k = len(m.late.classes)
		m.late.classes = append(m.late.classes, label)
	}
	return len(m.classes) + k
}

// rival is the best category besides k, or -1.
func (m *Model) rival(s *scratch, k int) int {
	first, second := best(s.score)
	if first == k {
		return second
	}
	return first
}

func (m *Model) push(s *scratch, k int, t float32) {
	for i, n := range s.rows {
		m.late.add(n, int32(k), t*s.values[i])
	}
}
