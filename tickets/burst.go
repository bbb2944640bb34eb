package tickets

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Bursts: several people write about the same within an hour, more of them than chance would have. What is the same is the
// configuration item, else the category. What is expected is read from the hours a week before, and two weeks, up to eight; how
// improbable the hour is decides (Poisson). Only senders who are authenticated count, each once: nobody can make a major incident
// with made-up addresses. It needs no further reading of the store: the index of similar tickets knows the newest.

const (
	burstSpan  = time.Hour
	burstWeeks = 8
	// burstChance is how probable an hour may at most be by chance: three false alarms in sixty thousand looks, which is a year.
	burstChance = 5e-5
	// burstLeast is expected of what was never seen.
	burstLeast = 0.05
	// maxBurst bounds how many tickets a notice names.
	maxBurst = 20
)

// tagMajor marks a ticket that was declared a major incident; as long as it is live, no further ticket about the same is.
const tagMajor = "major"

// Burst is what several people wrote about the same lately. The message that is being decided counts.
type Burst struct {
	About    string   // configuration item or category
	People   int      // different senders
	Numbers  []string // of their tickets, the newest first
	Expected float64  // senders in such an hour
	Led      string   // number of the ticket that is led for it already; "" for none
}

// unusual reports whether so many people are more than chance would have.
func (b Burst) unusual() bool { return b.People >= 3 && tail(b.People, b.Expected) < burstChance }

// tail is the probability of n or more where mean are expected (Poisson).
func tail(n int, mean float64) float64 {
	p, term := 0.0, math.Exp(-mean)
	for i := range n {
		p += term
		term *= mean / float64(i+1)
	}
	return max(0, 1-p)
}

// about is what a ticket is about, for bursts; "" for what cannot be told.
func about(ci, category string, known bool) string {
	if ci != "" && !strings.EqualFold(ci, "unknown") {
		return ci
	}
	if known {
		return category
	}
	return ""
}

// knowBurst looks whether a message that begins something new is one of many about the same. The classifier has been asked.
func (tx *Tx) knowBurst(k *Known, r *Rules, m *Message, now time.Time) error {
	if !r.Major.Burst || k.Ticket != nil || k.Verdict == nil || k.Verdict.Auth != AuthPass || m.Author == "" {
		return nil
	}
	v := k.Verdict
	what := about(v.CI, v.Category.Name, v.Category.Score > 0)
	if what == "" {
		return nil
	}
	if err := tx.store.alike.fill(tx); err != nil {
		return err
	}
	c := burstCount{what: what, now: now, oldest: now, people: map[string]bool{strings.ToLower(m.Author): true}}
	written := map[TicketID]bool{} // in this transaction: the index does not know it yet
	for _, t := range slices.Backward(append(slices.Clone(tx.touched), tx.pending)) {
		if t != nil && !written[t.ID] {
			written[t.ID] = true
			c.add(remember(t))
		}
	}
	tx.store.alike.newest(func(t *remembered) {
		if !written[t.ID] {
			c.add(t)
		}
	})
	k.Burst = c.burst()
	return nil
}

// newest calls fn for the tickets of the index, the newest first.
func (x *alike) newest(fn func(*remembered)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range x.ring {
		fn(x.ring[(x.next+2*len(x.ring)-1-i)%len(x.ring)])
	}
}

// burstCount counts who wrote about something within the last hour, and who did in the same hour of the weeks before.
type burstCount struct {
	what    string
	now     time.Time
	people  map[string]bool
	before  [burstWeeks]map[string]bool
	oldest  time.Time
	numbers []string
	led     string
}

func (c *burstCount) add(t *remembered) {
	const week = 7 * 24 * time.Hour
	if t.created.Before(c.oldest) {
		c.oldest = t.created
	}
	age := c.now.Sub(t.created)
	if !t.verified || t.ci != c.what && t.category != c.what || age < 0 {
		return
	}
	if t.major && t.State.Live() && c.led == "" {
		c.led = t.Number
	}
	if age <= burstSpan {
		c.people[t.requester] = true
		if len(c.numbers) < maxBurst {
			c.numbers = append(c.numbers, t.Number)
		}
		return
	}
	if n := int(age / week); n >= 1 && n <= burstWeeks && age%week <= burstSpan {
		if c.before[n-1] == nil {
			c.before[n-1] = map[string]bool{}
		}
		c.before[n-1][t.requester] = true
	}
}

func (c *burstCount) burst() *Burst {
	weeks := min(burstWeeks, max(1, int(c.now.Sub(c.oldest)/(7*24*time.Hour))))
	sum := 0
	for _, w := range c.before {
		sum += len(w)
	}
	return &Burst{About: c.what, People: len(c.people), Numbers: c.numbers, Expected: max(burstLeast, float64(sum)/float64(weeks)), Led: c.led}
}

// bursts reports whether the new ticket is the one that makes it a burst.
func (d *decider) bursts() bool {
	b := d.k.Burst
	return d.r.Major.Burst && b != nil && b.Led == "" && b.unusual()
}
