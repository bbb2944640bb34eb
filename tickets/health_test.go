package tickets

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/tickets/calendar"
)

// look is what one look at one thing found, and what the admin is told of it.
type look struct {
	after time.Duration // since the look before
	state HealthState
	grade int
	told  string // keys of the lines
}

// Everything is told once when it has gone on for long enough, and once when it has been over for long enough; what
// comes and goes in between is not told at all (S-209).
func TestWeigh(t *testing.T) {
	const m = time.Minute
	check := HealthCheck{Key: "mailbox support", After: 10 * m, Settle: 5 * m, Line: Line{Key: "down"}, Over: Line{Key: "up"}}
	for name, looks := range map[string][]look{
		"goes on":           {{0, HealthWrong, 0, ""}, {9 * m, HealthWrong, 0, ""}, {m, HealthWrong, 0, "down"}, {m, HealthWrong, 0, ""}, {24 * time.Hour, HealthWrong, 0, ""}},
		"short":             {{0, HealthWrong, 0, ""}, {9 * m, HealthWrong, 0, ""}, {m, HealthFine, 0, ""}, {m, HealthWrong, 0, ""}, {9 * m, HealthWrong, 0, ""}, {m, HealthWrong, 0, "down"}},
		"ends":              {{0, HealthWrong, 0, ""}, {10 * m, HealthWrong, 0, "down"}, {m, HealthFine, 0, ""}, {4 * m, HealthFine, 0, ""}, {m, HealthFine, 0, "up"}, {m, HealthFine, 0, ""}},
		"flaps":             {{0, HealthWrong, 0, ""}, {10 * m, HealthWrong, 0, "down"}, {m, HealthFine, 0, ""}, {4 * m, HealthWrong, 0, ""}, {m, HealthFine, 0, ""}, {4 * m, HealthFine, 0, ""}, {m, HealthFine, 0, "up"}},
		"restart":           {{0, HealthWrong, 0, ""}, {10 * m, HealthWrong, 0, "down"}, {m, HealthUnknown, 0, ""}, {m, HealthWrong, 0, ""}, {m, HealthUnknown, 0, ""}, {m, HealthFine, 0, ""}, {5 * m, HealthFine, 0, "up"}},
		"starts":            {{0, HealthUnknown, 0, ""}, {20 * m, HealthFine, 0, ""}},
		"gets worse":        {{0, HealthWrong, 1, ""}, {10 * m, HealthWrong, 1, "down"}, {m, HealthWrong, 2, "down"}, {m, HealthWrong, 2, ""}, {m, HealthWrong, 1, ""}, {m, HealthWrong, 3, "down"}},
		"unknown and worse": {{0, HealthWrong, 0, ""}, {5 * m, HealthUnknown, 0, ""}, {5 * m, HealthWrong, 0, "down"}},
		"fine and unknown":  {{0, HealthWrong, 0, ""}, {10 * m, HealthWrong, 0, "down"}, {m, HealthFine, 0, ""}, {5 * m, HealthUnknown, 0, ""}, {m, HealthFine, 0, "up"}},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
			open := map[string]Trouble{}
			for i, l := range looks {
				now = now.Add(l.after)
				c := check
				c.State, c.Grade = l.state, l.grade
				var say []Line
				open, say = weigh(open, []HealthCheck{c}, now)
				var keys []string
				for _, s := range say {
					keys = append(keys, s.Key)
					if s.Args["since"] == "" {
						t.Errorf("look %d: %s without since", i, s.Key)
					}
				}
				if got := strings.Join(keys, " "); got != l.told {
					t.Errorf("look %d: told %q, want %q", i, got, l.told)
				}
			}
		})
	}
}

// Things that are counted are told with how many are new, at most once an hour, and never as over. What nobody checks any
// more ends without a word.
func TestWeighCounts(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	open := map[string]Trouble{"mailbox gone": {Key: "mailbox gone", Since: now, Told: now}}
	for i, l := range []struct {
		after time.Duration
		n     int
		count string
	}{{0, 2, "2"}, {time.Minute, 2, ""}, {time.Minute, 5, ""}, {58 * time.Minute, 6, "4"}, {time.Minute, 7, ""}, {2 * time.Hour, 7, "1"}, {24 * time.Hour, 7, ""}} {
		now = now.Add(l.after)
		var say []Line
		open, say = weigh(open, []HealthCheck{{Key: "given up", State: HealthWrong, Counts: true, Grade: l.n, Line: Line{Key: "lost"}}}, now)
		got := ""
		if len(say) > 0 {
			got = say[0].Args["count"]
		}
		if got != l.count || len(say) > 1 || len(open) != 1 {
			t.Errorf("look %d: %+v, want %q; open %v", i, say, l.count, open)
		}
	}
}

// Whatever is found in whatever order, nothing is told twice without an end or a worsening in between, nothing is told as
// over that was not told, and a restart changes nothing, since all is in what is kept.
func TestWeighAnyOrder(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
		open, told := map[string]Trouble{}, map[string]int{}
		for range 200 {
			now = now.Add(time.Duration(rnd.IntN(600)) * time.Second)
			var checks []HealthCheck
			for key := range 3 {
				checks = append(checks, HealthCheck{Key: fmt.Sprint(key), State: HealthState(rnd.IntN(3)), Grade: rnd.IntN(3), After: time.Duration(rnd.IntN(20)) * time.Minute,
					Settle: 5 * time.Minute, Line: Line{Key: "down", Args: map[string]string{"key": fmt.Sprint(key)}}, Over: Line{Key: "up", Args: map[string]string{"key": fmt.Sprint(key)}}})
			}
			next, say := weigh(open, checks, now)
			for _, l := range say {
				key := l.Args["key"]
				grade := slices.IndexFunc(checks, func(c HealthCheck) bool { return c.Key == key })
				switch {
				case l.Key == "down" && told[key] > checks[grade].Grade:
					t.Fatalf("seed %d: %s told again without being worse", seed, key)
				case l.Key == "up" && told[key] == 0:
					t.Fatalf("seed %d: %s is over and was never told", seed, key)
				}
				if told[key] = 0; l.Key == "down" {
					told[key] = checks[grade].Grade + 1
				}
			}
			if again, twice := weigh(next, checks, now); len(twice) > 0 || len(again) != len(next) {
				t.Fatalf("seed %d: the same look a second time tells %v", seed, twice)
			}
			open = next
		}
	}
}

// Ends of certificates and consents are told three times: ahead, at half of that, and on the last day.
func TestExpiryGrade(t *testing.T) {
	ends := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for before, want := range map[time.Duration]int{30 * day: 0, 14*day + 1: 0, 14 * day: 1, 8 * day: 1, 7 * day: 2, 2 * day: 2, day: 3, 0: 3, -day: 3} {
		if got := ExpiryGrade(ends, ends.Add(-before), 14*day); got != want {
			t.Errorf("%s before: grade %d, want %d", before, got, want)
		}
	}
}

// A health notice takes the first way that can be used.
func TestHealthBrand(t *testing.T) {
	r := &Rules{Brands: map[string]Brand{"a": {Name: "a", Server: "a"}, "b": {Name: "b", Server: "b"}}}
	for _, c := range []struct{ down, second, want string }{
		{"", "", "a via a"}, {"a", "", "b via b"}, {"a b", "", "a via a"}, {"a", "x", "a via x"}, {"a x", "x", "b via b"}, {"", "x", "a via a"}, {"b", "", "a via a"},
	} {
		down := map[string]bool{}
		for s := range strings.FieldsSeq(c.down) {
			down[s] = true
		}
		r.HealthServer = c.second
		if b := r.healthBrand(down); b.Name+" via "+b.Server != c.want {
			t.Errorf("down %q, second %q: %s via %s, want %s", c.down, c.second, b.Name, b.Server, c.want)
		}
	}
}

// hoursOf counts messages of a mailbox by hour, for weeks back from a time, as many as perHour says for an hour.
func hoursOf(now time.Time, weeks int, perHour func(t time.Time) int) map[int64]uint64 {
	counts := map[int64]uint64{}
	for h := hourOf(now) - int64(weeks)*7*24; h < hourOf(now); h++ {
		if n := perHour(time.Unix(h*3600, 0).In(now.Location())); n > 0 {
			counts[h] = uint64(n)
		}
	}
	return counts
}

// Silence is unusual only when every one of the past weeks had mail in just these hours, and enough of it; nights,
// weekends, holidays, quiet hours, few weeks and a change of the clocks tell nothing.
func TestSilence(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	week := map[time.Weekday][]calendar.Interval{}
	for d := time.Monday; d <= time.Friday; d++ {
		week[d] = []calendar.Interval{{From: 9 * 60, To: 17 * 60}}
	}
	hours, err := calendar.New(calendar.Schedule{Name: "x", Zone: berlin, Hours: week, Holidays: []string{"DE-BY"}})
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 5, 0, 0, berlin) }
	open := func(n int) func(time.Time) int {
		return func(t time.Time) int {
			if h := t.Hour(); t.Weekday() != time.Saturday && t.Weekday() != time.Sunday && h >= 9 && h < 17 {
				return n
			}
			return 0
		}
	}
	// until is the last message: what came at that time or later did not come this time.
	until := func(end time.Time, perHour func(time.Time) int) func(time.Time) int {
		return func(t time.Time) int {
			if t.Before(end) {
				return perHour(t)
			}
			return 0
		}
	}
	for name, c := range map[string]struct {
		now    time.Time
		counts map[int64]uint64
		want   bool
		usual  int
	}{
		"three busy hours": {at(25, 12), hoursOf(at(25, 12), 8, until(at(25, 9).Truncate(time.Hour), open(5))), true, 15},
		"one hour":         {at(25, 10), hoursOf(at(25, 10), 8, until(at(25, 9).Truncate(time.Hour), open(50))), false, 0},
		"the night":        {at(25, 7), hoursOf(at(25, 7), 8, open(5)), false, 0},
		"the weekend":      {at(22, 15), hoursOf(at(22, 15), 8, open(5)), false, 0},
		"over the weekend": {at(23, 11), hoursOf(at(23, 11), 8, until(at(20, 16), open(5))), true, 0},
		"something came":   {at(25, 12), hoursOf(at(25, 12), 8, open(5)), false, 0},
		"too little mail":  {at(25, 12), hoursOf(at(25, 12), 8, until(at(25, 9).Truncate(time.Hour), open(1))), false, 0},
		"three weeks only": {at(25, 12), hoursOf(at(25, 12), 3, until(at(25, 9).Truncate(time.Hour), open(5))), false, 0},
		"one quiet week": {at(25, 12), hoursOf(at(25, 12), 8, func(t time.Time) int {
			if t.Day() == 11 && t.Month() == 11 || !t.Before(at(25, 9).Truncate(time.Hour)) {
				return 0
			}
			return open(5)(t)
		}), false, 0},
		"nothing ever":        {at(25, 12), map[int64]uint64{}, false, 0},
		"the clocks changed":  {at(2, 12), hoursOf(at(2, 12), 8, until(at(2, 9).Truncate(time.Hour), open(5))), true, 15}, // summer time ended on 25 October
		"a holiday back then": {at(10, 12).AddDate(0, 0, 27), hoursOf(at(10, 12).AddDate(0, 0, 27), 8, until(at(10, 9).AddDate(0, 0, 27).Truncate(time.Hour), open(5))), true, 15},
		"a holiday":           {time.Date(2026, 12, 25, 12, 5, 0, 0, berlin), hoursOf(time.Date(2026, 12, 25, 12, 5, 0, 0, berlin), 8, until(time.Date(2026, 12, 25, 0, 0, 0, 0, berlin), open(5))), false, 0},
	} {
		s := silence(c.counts, hours, berlin, c.now)
		if s.Unusual != c.want || c.usual > 0 && s.Usual != c.usual {
			t.Errorf("%s: %+v, want %v", name, s, c.want)
		}
	}
	if hours.Between(at(20, 9), at(20, 10)) == 0 {
		t.Error("the calendar of this test has no hours")
	}
}

// The desk counts what comes, once for each message however often a mailbox is numbered anew, and forgets what is old.
func TestArrivalsAreCounted(t *testing.T) {
	k := newKit(t)
	count := func() (n uint64, hours int) {
		err := k.store.View(func(tx *Tx) error {
			return tx.btx.Bucket(bucketArrivals).ForEach(func(_, v []byte) error {
				hours++
				n += uint64(v[7])
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, hours
	}
	m := k.mail("a@customer.example", "eins", "Text")
	k.receive(m)
	k.receive(k.mail("a@customer.example", "zwei", "Text"))
	k.receive(m) // the same mail with another UID
	if n, hours := count(); n != 2 || hours != 1 {
		t.Errorf("%d messages in %d hours, want 2 in 1", n, hours)
	}
	k.clock.move(10 * 7 * 24 * time.Hour)
	k.receive(k.mail("a@customer.example", "drei", "Text"))
	if n, hours := count(); n != 1 || hours != 1 {
		t.Errorf("10 weeks later: %d messages in %d hours, want 1 in 1", n, hours)
	}
}

// What is wrong is told to the admin once, in one mail for all that begins at once; a restart tells nothing again.
func TestHealthIsTold(t *testing.T) {
	k := newKit(t, func(r *Rules) { r.Admin = "admin@staff.example" })
	look := func(state HealthState) []delivered {
		t.Helper()
		err := k.desk.Health(t.Context(), []HealthCheck{
			{Key: "mailbox support", State: state, After: 10 * time.Minute, Settle: time.Minute, Line: Line{Key: "health.mailbox_down", Args: map[string]string{"mailbox": "support"}}, Over: Line{Key: "health.mailbox_up", Args: map[string]string{"mailbox": "support"}}},
			{Key: "disk", State: state, Line: Line{Key: "health.disk_low"}, After: 10 * time.Minute},
		})
		if err != nil {
			t.Fatal(err)
		}
		return k.deliver()
	}
	begun := k.clock.Now()
	if d := look(HealthWrong); len(d) != 0 {
		t.Errorf("told at once:\n%s", summary(d))
	}
	k.clock.move(10 * time.Minute)
	d := look(HealthWrong)
	if len(d) != 1 {
		t.Fatalf("told:\n%s", summary(d))
	}
	for _, want := range []string{"health.mailbox_down", "health.disk_low", formatTime(begun)} {
		if !strings.Contains(string(d[0].Bytes), want) {
			t.Errorf("%q is missing in\n%s", want, d[0].Bytes)
		}
	}
	if d[0].Recipient != "admin@staff.example" || d[0].Class != ClassNotice {
		t.Errorf("a %s to %s", d[0].Class, d[0].Recipient)
	}
	k.reopen()
	if d := look(HealthUnknown); len(d) != 0 {
		t.Errorf("told after a restart:\n%s", summary(d))
	}
	if d := look(HealthWrong); len(d) != 0 {
		t.Errorf("told again after a restart:\n%s", summary(d))
	}
	look(HealthFine)
	k.clock.move(time.Minute)
	if d := look(HealthFine); len(d) != 1 || !strings.Contains(string(d[0].Bytes), "health.mailbox_up") {
		t.Errorf("told when it was over:\n%s", summary(d))
	}
	err := k.store.View(func(tx *Tx) error {
		if list, err := tx.Troubles(); err != nil || len(list) != 0 {
			t.Errorf("open: %+v, %v", list, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	k.healthy()
}

// A notice that waits for a server that cannot be used goes by the second way, with the same bytes; one of which an
// attempt may be under way stays.
func TestHealthTakesTheSecondWay(t *testing.T) {
	k := newKit(t, func(r *Rules) { r.Admin, r.HealthServer = "admin@staff.example", "(health)" })
	server := k.desk.Rules().healthBrand(nil).Server
	tell := func(key string, state HealthState) {
		t.Helper()
		err := k.desk.Health(t.Context(), []HealthCheck{
			{Key: key, State: HealthWrong, Line: Line{Key: "health.books"}},
			{Key: "smtp", State: state, After: time.Hour, Server: server, Line: Line{Key: "health.smtp_down"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	waiting := func() []Outgoing {
		t.Helper()
		due, _, err := k.desk.Due(t.Context(), k.clock.Now().Add(time.Hour), 10)
		if err != nil {
			t.Fatal(err)
		}
		return due
	}
	tell("a", HealthFine)
	before := waiting()
	if len(before) != 1 || before[0].Server != server {
		t.Fatalf("waiting: %+v", before)
	}
	if err := k.desk.Attempt(t.Context(), []Attempt{{ID: before[0].ID, At: k.clock.Now(), Next: k.clock.Now().Add(time.Minute)}}); err != nil {
		t.Fatal(err)
	}
	tell("a", HealthWrong)
	if w := waiting(); w[0].Server != server {
		t.Error("a mail that may be on its way was moved")
	}
	if err := k.desk.Settle(t.Context(), []Delivery{{ID: before[0].ID, At: k.clock.Now(), Result: ResultUntried, Next: k.clock.Now().Add(time.Minute)}}); err != nil {
		t.Fatal(err)
	}
	tell("a", HealthWrong)
	if w := waiting(); len(w) != 1 || w[0].Server != "(health)" || string(w[0].Bytes) != string(before[0].Bytes) || w[0].Next.After(k.clock.Now()) {
		t.Errorf("waiting: %+v", w)
	}
	k.healthy()
}

// Mails that should have left are counted with the time since when; those that were given up are, but for notices about
// health.
func TestOverdueAndGivenUp(t *testing.T) {
	k := newKit(t, func(r *Rules) { r.Admin = "admin@staff.example" })
	k.receive(k.mail("a@customer.example", "eins", "Text"))
	begun := k.clock.Now()
	overdue := func(after time.Duration) (n int, since time.Time, lost uint64) {
		t.Helper()
		err := k.store.View(func(tx *Tx) (err error) {
			n, since, err = tx.Overdue(k.clock.Now().Add(-after))
			lost = tx.GivenUp()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, since, lost
	}
	k.clock.move(59 * time.Minute)
	if n, _, _ := overdue(time.Hour); n != 0 {
		t.Errorf("%d overdue after 59 min", n)
	}
	k.clock.move(time.Minute)
	n, since, _ := overdue(time.Hour)
	if n < 2 || !since.Equal(begun) {
		t.Errorf("%d overdue since %s", n, since)
	}
	if err := k.desk.Health(t.Context(), []HealthCheck{{Key: "x", State: HealthWrong, Line: Line{Key: "health.books"}}}); err != nil {
		t.Fatal(err)
	}
	due, _, err := k.desk.Due(t.Context(), k.clock.Now(), 20)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range due {
		a := Attempt{ID: o.ID, At: k.clock.Now(), Next: k.clock.Now().Add(time.Minute)}
		if err := k.desk.Attempt(t.Context(), []Attempt{a}); err != nil {
			t.Fatal(err)
		}
		if err := k.desk.Settle(t.Context(), []Delivery{{ID: o.ID, At: k.clock.Now(), Result: ResultPermanent, Detail: "550 no"}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, lost := overdue(0); lost != uint64(len(due)-1) {
		t.Errorf("%d given up, want %d without the notice about health", lost, len(due)-1)
	}
}
