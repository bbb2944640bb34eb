package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A stored model is a magic line, the version of the format, the SHA-256 of the rest, and the rest: all numbers little
// endian, every list and text with its length before it.
const (
	magic      = "supportd model\n"
	version    = uint32(2)
	headLength = len(magic) + 4 + sha256.Size

	// MaxStored bounds a stored model, in bytes; a longer one is refused before anything is read of it.
	MaxStored = 128 << 20
	maxName   = 4096 // bytes of a name or signal
)

// ErrDamaged is returned by Decode for bytes that are no model, or no longer one.
var ErrDamaged = errors.New("the stored model is damaged")

// MarshalBinary returns the model as bytes for Decode, with what it learnt since its training.
func (m *Model) MarshalBinary() ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var w writer
	w.put(m.options.Seed, m.options.Floor, m.options.Reject, int64(m.options.MaxBytes))
	w.strings(m.options.Ignore)
	w.strings(m.classes)
	w.put(uint32(len(m.signals.list)))
	for _, g := range m.signals.list {
		w.string(g.text)
		w.put(g.class, g.weight)
	}
	w.put(m.mix, m.bend, m.scope, int64(m.examples))
	w.put(m.taughtBy)
	w.put(int64(m.score.Texts), m.score.Accuracy, m.score.MacroF1, m.score.LogLoss, m.score.ECE)
	w.trials(m.trials)
	w.vocabulary(&m.vocabulary)
	w.put(m.weights.scale, m.weights.bias)
	w.put(m.weights.cell)

	w.strings(m.late.classes)
	w.put(int64(m.late.count))
	w.vocabulary(&m.late.voc)
	w.put(uint32(m.late.cells))
	for _, n := range sortedKeys(m.late.change) {
		for _, c := range m.late.change[n] {
			w.put(n, c.class, c.weight)
		}
	}
	w.trials(m.late.trials)
	if w.err != nil {
		return nil, fmt.Errorf("store the model: %w", w.err)
	}
	if headLength+len(w.buf) > MaxStored {
		return nil, fmt.Errorf("store the model: it takes %d bytes, and at most %d can be read again", len(w.buf), MaxStored)
	}
	sum := sha256.Sum256(w.buf)
	out := append(make([]byte, 0, headLength+len(w.buf)), magic...)
	out = binary.LittleEndian.AppendUint32(out, version)
	return append(append(out, sum[:]...), w.buf...), nil
}

// Decode reads what MarshalBinary wrote. The error is ErrDamaged when the bytes are not that, and another one when they are
// of a newer version.
func Decode(b []byte) (*Model, error) {
	if len(b) > MaxStored || len(b) < headLength || string(b[:len(magic)]) != magic {
		return nil, fmt.Errorf("read the model: %w: it does not begin or end as one", ErrDamaged)
	}
	if v := binary.LittleEndian.Uint32(b[len(magic):]); v != version {
		return nil, fmt.Errorf("read the model: it has version %d and this program reads version %d; train it again", v, version)
	}
	body := b[headLength:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], b[headLength-sha256.Size:headLength]) {
		return nil, fmt.Errorf("read the model: %w: its checksum does not fit", ErrDamaged)
	}
	m, err := decode(body)
	if err != nil {
		return nil, fmt.Errorf("read the model: %w: %w", ErrDamaged, err)
	}
	return m, nil
}

func decode(body []byte) (*Model, error) {
	r := reader{rest: body}
	m := &Model{signals: &signals{}}
	var maxBytes, examples, texts int64
	r.get(&m.options.Seed, &m.options.Floor, &m.options.Reject, &maxBytes)
	m.options.MaxBytes = int(maxBytes)
	m.options.Ignore = r.strings()
	m.classes = r.strings()
	for range r.count(12) {
		g := signal{text: r.string()}
		r.get(&g.class, &g.weight)
		if r.err == nil && (g.class < 0 || int(g.class) >= len(m.classes) || g.text == "" || !finite(g.weight)) {
			r.err = errors.New("a signal is of no category")
		}
		m.signals.list = append(m.signals.list, g)
	}
	r.get(&m.mix, &m.bend, &m.scope, &examples)
	m.examples = int(examples)
	m.taughtBy = make([]uint32, r.count(4))
	r.get(m.taughtBy)
	r.get(&texts, &m.score.Accuracy, &m.score.MacroF1, &m.score.LogLoss, &m.score.ECE)
	m.score.Texts = int(texts)
	m.trials = r.trials()
	r.vocabulary(&m.vocabulary)
	m.weights.scale, m.weights.bias = r.floats(), r.floats()
	m.weights.cell = slices.Clone(r.bytes())
	if err := m.check(&r); err != nil {
		return nil, err
	}
	m.weights.stride = stride(len(m.classes))
	m.weights.rarity = make([]float32, len(m.count))
	for n, c := range m.count {
		m.weights.rarity[n] = m.rarity(c)
	}
	m.signals.enter()
	m.ready()
	if err := m.decodeLate(&r); err != nil {
		return nil, err
	}
	return m, nil
}

// check holds that the parts fit each other.
func (m *Model) check(r *reader) error {
	classes, grams := len(m.classes), len(m.hash)
	switch {
	case r.err != nil:
		return r.err
	case classes > maxClasses, !slices.IsSorted(m.classes), len(slices.Compact(slices.Clone(m.classes))) != classes:
		return errors.New("its categories are not in order")
	case len(m.weights.scale) != grams, grams > 0 && len(m.weights.bias) != classes, len(m.weights.cell) != grams*stride(classes):
		return errors.New("its weights do not fit its words")
	case !finite(m.mix.Margin, m.mix.Softmax, m.mix.Signals, m.scope.Bias, m.scope.Floor), !finite(m.weights.bias...), !finite(m.weights.scale...):
		return errors.New("a weight is no number")
	case len(m.taughtBy) > classes:
		return errors.New("it has examples of no category")
	case math.IsNaN(m.bend.Slope + m.bend.Shift + m.options.Floor + m.options.Reject):
		return errors.New("a probability is no number")
	}
	return nil
}

func (m *Model) decodeLate(r *reader) error {
	m.late.classes = r.strings()
	var count int64
	r.get(&count)
	m.late.count = int(count)
	r.vocabulary(&m.late.voc)
	for range r.count(12) {
		var n int32
		var c change
		r.get(&n, &c.class, &c.weight)
		if r.err == nil && (n < 0 || int(n) >= m.late.grams() || c.class < 0 || int(c.class) >= len(m.classes)+len(m.late.classes) || !finite(c.weight)) {
			r.err = errors.New("a correction is of no word or category")
		}
		if r.err != nil {
			return r.err
		}
		m.late.add(n, c.class, c.weight)
	}
	m.late.trials = r.trials()
	if r.err == nil && len(r.rest) > 0 {
		return errors.New("something follows its end")
	}
	return r.err
}

func finite(list ...float32) bool {
	for _, v := range list {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}

// writer collects the parts of a model.
type writer struct {
	buf []byte
	err error
}

// put appends values of fixed size; slices get their length before them.
func (w *writer) put(values ...any) {
	for _, v := range values {
		switch list := v.(type) {
		case []byte:
			w.length(len(list))
		case []float32:
			w.length(len(list))
		case []uint64:
			w.length(len(list))
		case []uint32:
			w.length(len(list))
		}
		buf, err := binary.Append(w.buf, binary.LittleEndian, v)
		if err != nil {
			w.err = err
			return
		}
		w.buf = buf
	}
}

func (w *writer) length(n int) { w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(n)) }

func (w *writer) string(s string) {
	s = clip(s, maxName)
	w.length(len(s))
	w.buf = append(w.buf, s...)
}

func (w *writer) strings(list []string) {
	w.length(len(list))
	for _, s := range list {
		w.string(s)
	}
}

func (w *writer) vocabulary(v *vocabulary) {
	w.put(int64(v.texts), v.hash, v.count)
}

func (w *writer) trials(list []trial) {
	w.length(len(list))
	for _, t := range list {
		w.put(t.key, t.held, t.got)
	}
}

// reader takes the parts of a model. The first error stays, and all that is read after it is empty. No length is believed
// that the bytes at hand cannot hold.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) get(values ...any) {
	for _, v := range values {
		if r.err != nil {
			return
		}
		n, err := binary.Decode(r.rest, binary.LittleEndian, v)
		if err != nil {
			r.err = errors.New("it ends too early")
			return
		}
		r.rest = r.rest[n:]
	}
}

// count reads the length of a list whose items take at least size bytes each.
func (r *reader) count(size int) int {
	var n uint32
	r.get(&n)
	if r.err == nil && int64(n)*int64(size) > int64(len(r.rest)) {
		r.err = errors.New("it ends too early")
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

func (r *reader) bytes() []byte {
	n := r.count(1)
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) string() string { return string(r.bytes()) }

func (r *reader) strings() []string {
	list := []string{}
	for range r.count(4) {
		list = append(list, r.string())
	}
	return list
}

func (r *reader) floats() []float32 {
	list := make([]float32, r.count(4))
	r.get(list)
	return list
}

func (r *reader) vocabulary(v *vocabulary) {
	var texts int64
	r.get(&texts)
	v.texts = int(max(texts, 0))
	v.hash = make([]uint64, r.count(8))
	r.get(v.hash)
	v.count = make([]uint32, r.count(4))
	r.get(v.count)
	if r.err == nil && len(v.hash) != len(v.count) {
		r.err = errors.New("its words are not counted")
	}
	if r.err == nil && len(v.hash) > 0 {
		v.rehash(slots(len(v.hash)))
	}
}

func (r *reader) trials() []trial {
	var list []trial
	for range r.count(13) {
		var t trial
		r.get(&t.key, &t.held, &t.got)
		list = append(list, t)
	}
	if !slices.IsSortedFunc(list, trial.compare) {
		r.err = errors.New("its trials are not in order")
	}
	return list
}
