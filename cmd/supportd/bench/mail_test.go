package bench

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"supportd/mailin"
)

func testTime() time.Time { return time.Date(2026, 1, 12, 9, 0, 0, 0, time.UTC) }

// The same seed makes the same mails, and the sizes and kinds are those of a support mailbox.
func TestGenerator(t *testing.T) {
	const n = 3000
	one, two := NewGenerator(1, "support@test.example", testTime()), NewGenerator(1, "support@test.example", testTime())
	kinds := map[string]int{}
	var sizes []int
	total, answers := 0, 0
	for range n {
		m, again := one.Next(), two.Next()
		if !bytes.Equal(m.Raw, again.Raw) {
			t.Fatal("another mail for the same seed")
		}
		if bytes.Count(m.Raw, []byte("\n")) != bytes.Count(m.Raw, []byte("\r\n")) {
			t.Fatal("a line without CRLF")
		}
		kinds[m.Kind]++
		sizes, total = append(sizes, len(m.Raw)), total+len(m.Raw)
		if bytes.Contains(m.Raw, []byte("\r\nIn-Reply-To: ")) {
			answers++
		}
	}
	slices.Sort(sizes)
	within := func(what string, have, low, high int) {
		t.Helper()
		t.Logf("%s: %d", what, have)
		if have < low || have > high {
			t.Errorf("%s is %d, want %d to %d", what, have, low, high)
		}
	}
	within("median size", sizes[n/2], 6_000, 13_000)
	within("size of one in ten", sizes[n*9/10], 60_000, 160_000)
	within("size of one in twenty", sizes[n*95/100], 120_000, 320_000)
	within("largest", sizes[n-1], 4_500_000, 5_500_000)
	within("mean size", total/n, 30_000, 70_000)
	within("answers", answers, n*28/100, n*44/100)
	for kind, percent := range map[string]int{"auto-reply": 3, "bounce": 3, "newsletter": 2, "forward": 1} {
		within(kind, kinds[kind], n*percent/200, n*percent*2/100)
	}
	if kinds["broken"] == 0 {
		t.Error("no broken mail")
	}
}

// What is made up is read as what it is meant to be.
func TestGeneratedMailsAreRead(t *testing.T) {
	g := NewGenerator(2, "support@test.example", testTime())
	for range 400 {
		m := g.Next()
		read := mailin.Parse(m.Raw, m.At)
		if m.Kind == "broken" {
			continue
		}
		if len(read.Defects) > 0 {
			t.Errorf("%s: %v\n%.3000s", m.Kind, read.Defects, m.Raw)
		}
		if read.Author == "" || read.ID == "" || read.Text == "" || read.Subject == "" {
			t.Errorf("%s: from %q, id %q, subject %q, %d octets of text", m.Kind, read.Author, read.ID, read.Subject, len(read.Text))
		}
	}
}
