package model

import (
	"strings"
	"testing"
)

// BenchmarkTrain measures a training on 10,000 short messages in 6 categories, all of its held-out parts included, on one
// goroutine.
func BenchmarkTrain(b *testing.B) {
	examples := desk(10_000/6, 1)
	for b.Loop() {
		mustTrain(b, Options{Workers: 1}, examples, nil, nil, nil)
	}
}

// BenchmarkClassify measures one message: a short one, a usual one of 600 letters, and the longest that is looked at.
func BenchmarkClassify(b *testing.B) {
	m := mustTrain(b, Options{}, desk(200, 1), deskSignals(), nil, nil)
	const line = "Seit Montag druckt der Netzwerkdrucker im zweiten Stock nicht mehr, bitte um Hilfe. "
	for _, bb := range []struct{ name, text string }{
		{"short", line}, {"600", strings.Repeat(line, 7)}, {"longest", strings.Repeat(line, 60)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				m.Classify(bb.text)
			}
		})
	}
}

// BenchmarkLearn measures one correction.
func BenchmarkLearn(b *testing.B) {
	m := mustTrain(b, Options{}, desk(200, 1), deskSignals(), nil, nil)
	examples := []Example{{"network.vpn", "Der Drucker im Heimbüro druckt nur ohne Tunnel"}, {"hardware.printer", "Der Drucker im Heimbüro druckt nur ohne Tunnel"}}
	for i := 0; b.Loop(); i++ {
		if err := m.Learn(examples[i%2]); err != nil {
			b.Fatal(err)
		}
	}
}
