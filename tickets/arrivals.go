package tickets

import (
	"bytes"
	"encoding/binary"
	"time"
)

// How much mail a mailbox usually gets at which hour is learned from counts: one for each hour in which something came.
// From them follows when silence is unusual.

const (
	silenceWeeks   = 6          // looked back at
	silenceAtLeast = 4          // of them have to be known
	silenceLeast   = 3          // messages in the same hours of every one of them
	silenceMean    = 7          // messages in them on average: chance alone would leave them empty once in a thousand
	silenceHours   = 2          // of business, at least, have to have passed
	silenceLongest = 5 * 24     // hours looked back for the last message
	arrivalsKept   = 9 * 7 * 24 // hours
)

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

func arrivalKey(mailbox string, hour int64) []byte {
	return append(append([]byte(mailbox), 0), key64(uint64(hour))...)
}

// countArrivals notes when the messages of a batch came. What was known already, such as a mailbox that was numbered
// anew, does not count twice; very old mail does not count at all. The first message of an hour drops what is too old.
func (tx *Tx) countArrivals(b Batch, outcomes []Outcome, now time.Time) error {
	hours := map[int64]uint64{}
	for i, in := range b.Messages {
		r := outcomes[i].Result
		if in.Message == nil || r == Duplicate || r == Failed || outcomes[i].Why == settledBefore {
			continue
		}
		if h := hourOf(in.plausible(now).Arrived); h > hourOf(now)-arrivalsKept {
			hours[h]++
		}
	}
	bucket := tx.btx.Bucket(bucketArrivals)
	for h, n := range hours {
		key := arrivalKey(b.Mailbox, h)
		if old := bucket.Get(key); len(old) == 8 {
			n += binary.BigEndian.Uint64(old)
		} else if err := tx.forgetArrivals(b.Mailbox, hourOf(now)-arrivalsKept); err != nil {
			return err
		}
		if err := bucket.Put(key, key64(n)); err != nil {
			return err
		}
	}
	return nil
}

// forgetArrivals drops the counts of a mailbox up to an hour.
func (tx *Tx) forgetArrivals(mailbox string, hour int64) error {
	c := tx.btx.Bucket(bucketArrivals).Cursor()
	from, to := arrivalKey(mailbox, 0), arrivalKey(mailbox, hour)
	var old [][]byte
	for k, _ := c.Seek(from); k != nil && bytes.Compare(k, to) <= 0; k, _ = c.Next() {
		old = append(old, bytes.Clone(k))
	}
	for _, k := range old {
		if err := tx.btx.Bucket(bucketArrivals).Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// Silence is what a mailbox's silence means.
type Silence struct {
	Unusual bool
	Since   time.Time // the hour of the last message
	Usual   int       // messages in the same hours of past weeks, on average
}

// Silence says whether a mailbox has been empty for unusually long.
func (tx *Tx) Silence(mailbox string, r *Rules, now time.Time) Silence {
	counts := map[int64]uint64{}
	c := tx.btx.Bucket(bucketArrivals).Cursor()
	prefix := append([]byte(mailbox), 0)
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix) && len(k) == len(prefix)+8 && len(v) == 8; k, v = c.Next() {
		counts[int64(binary.BigEndian.Uint64(k[len(prefix):]))] = binary.BigEndian.Uint64(v)
	}
	zone := r.Zone
	if zone == nil {
		zone = time.UTC
	}
	return silence(counts, r.Calendar, zone, now)
}

// silence compares the business hours since the last message with the same hours of the past weeks, by the clock on the
// wall. It says nothing before at least four of them are known, and counts no week in which one of the hours was none of
// business, such as a holiday's. It would rather say nothing than cry wolf.
func silence(counts map[int64]uint64, cal Calendar, zone *time.Location, now time.Time) Silence {
	first, last := int64(1<<62), int64(-1)
	for h := range counts {
		first, last = min(first, h), max(last, h)
	}
	var hours []time.Time
	for h := hourOf(now) - 1; h > last && hourOf(now)-h <= silenceLongest; h-- {
		if start := time.Unix(h*3600, 0); cal.Between(start, start.Add(time.Hour)) == time.Hour {
			hours = append(hours, start.In(zone))
		}
	}
	if last < 0 || len(hours) < silenceHours {
		return Silence{}
	}
	weeks, total := 0, uint64(0)
	for week := 1; week <= silenceWeeks; week++ {
		n, known := uint64(0), true
		for _, h := range hours {
			then := h.AddDate(0, 0, -7*week)
			known = known && hourOf(then) > first && cal.Between(then, then.Add(time.Hour)) == time.Hour
			n += counts[hourOf(then)]
		}
		if !known {
			continue
		}
		if n < silenceLeast {
			return Silence{}
		}
		weeks, total = weeks+1, total+n
	}
	if weeks < silenceAtLeast || total < silenceMean*uint64(weeks) {
		return Silence{}
	}
	return Silence{Unusual: true, Since: time.Unix((last+1)*3600, 0).UTC(), Usual: int(total / uint64(weeks))}
}
