package clock_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"supportd/tickets/calendar"
	"supportd/tickets/clock"
)

func berlin(t testing.TB) *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// workdays is 08–18 on weekdays, with the holidays of the regions.
func workdays(t testing.TB, regions ...string) *calendar.Calendar {
	s := calendar.Schedule{Name: "work", Zone: berlin(t), Hours: map[time.Weekday][]calendar.Interval{}, Holidays: regions}
	for d := time.Monday; d <= time.Friday; d++ {
		s.Hours[d] = []calendar.Interval{{From: 8 * 60, To: 18 * 60}}
	}
	c, err := calendar.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func always(t testing.TB) *calendar.Calendar {
	s := calendar.Schedule{Name: "always", Zone: berlin(t), Hours: map[time.Weekday][]calendar.Interval{}}
	for d := time.Sunday; d <= time.Saturday; d++ {
		s.Hours[d] = []calendar.Interval{{From: 0, To: 24 * 60}}
	}
	c, err := calendar.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at(t testing.TB, s string) time.Time {
	v, err := time.ParseInLocation("2006-01-02 15:04", s, berlin(t))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func wants(t *testing.T, h clock.Hours, c clock.Clock, now time.Time, used time.Duration, due string) {
	t.Helper()
	if got := c.Used(h, now); got != used {
		t.Errorf("used %s, want %s", got, used)
	}
	if got := c.Deadline(h, now); !got.Equal(at(t, due)) {
		t.Errorf("due %s, want %s", got.In(berlin(t)), due)
	}
}

// The life of a clock in the reference listing (domain.md §3.6), step by step.
func TestPauseRetargetStopResume(t *testing.T) {
	h := workdays(t, "DE")
	c := clock.New(clock.Clock{Kind: clock.Resolve, Target: 24 * time.Hour, Priority: "P3"}, h, at(t, "2026-11-23 15:30"))
	wants(t, h, c, at(t, "2026-11-23 15:30"), 0, "2026-11-26 09:30")
	c = c.Pause(h, at(t, "2026-11-23 16:10"))
	if !c.Paused() || c.Running() {
		t.Errorf("%+v is not paused", c)
	}
	wants(t, h, c, at(t, "2026-11-24 09:20"), 40*time.Minute, "2026-11-26 12:40")
	c = c.Resume(h, at(t, "2026-11-24 09:20"))
	wants(t, h, c, at(t, "2026-11-24 14:00"), 5*time.Hour+20*time.Minute, "2026-11-26 12:40")
	if w := c.Waited(h, at(t, "2026-11-24 14:00")); w != 3*time.Hour+10*time.Minute {
		t.Errorf("waited %s", w)
	}
	c = c.Retarget(h, clock.Promise{Target: 8 * time.Hour, Priority: "P2"}, h, 25, at(t, "2026-11-24 14:00"))
	wants(t, h, c, at(t, "2026-11-24 14:00"), 5*time.Hour+20*time.Minute, "2026-11-24 16:40")
	if c.Graced() {
		t.Error("2:40 h are left of 8 h: there is no need of grace")
	}
	c = c.End(h, at(t, "2026-11-24 16:05"), "solved")
	wants(t, h, c, at(t, "2026-11-25 10:00"), 7*time.Hour+25*time.Minute, "2026-11-24 16:40")
	if c.State(at(t, "2026-12-25 10:00")) != "met" || c.Why != "solved" {
		t.Errorf("%+v", c)
	}
	c = c.Resume(h, at(t, "2026-11-25 10:00"))
	wants(t, h, c, at(t, "2026-11-25 10:00"), 7*time.Hour+25*time.Minute, "2026-11-25 10:35")
	if c.Missed(h, at(t, "2026-11-25 10:35")) || !c.Missed(h, at(t, "2026-11-25 10:36")) {
		t.Error("it is missed after its deadline, not at it")
	}
	c = c.End(h, at(t, "2026-11-25 11:00"), "solved")
	if c.State(at(t, "2026-11-25 11:00")) != "missed" || !c.Breached.Equal(at(t, "2026-11-25 10:35")) {
		t.Errorf("%+v", c)
	}
}

// A higher priority leaves at least a quarter of the new target, in working time; a lower one gives the derived deadline;
// what was broken stays so (S24).
func TestRetarget(t *testing.T) {
	h, all := workdays(t, "DE"), always(t)
	start := at(t, "2026-11-23 08:00")
	c := clock.New(clock.Clock{Kind: clock.Resolve, Target: 24 * time.Hour}, h, start)
	now := at(t, "2026-11-24 17:00") // 19 h are used up
	up := c.Retarget(h, clock.Promise{Target: 8 * time.Hour}, h, 25, now)
	if !up.Graced() || !up.Deadline(h, now).Equal(at(t, "2026-11-25 09:00")) {
		t.Errorf("due %s, want two working hours from now", up.Deadline(h, now).In(berlin(t)))
	}
	paused := up.Pause(h, at(t, "2026-11-24 17:30")).Resume(h, at(t, "2026-11-26 08:00"))
	if due := paused.Deadline(h, at(t, "2026-11-26 08:00")); !due.Equal(at(t, "2026-11-26 09:30")) {
		t.Errorf("grace is lost in a pause: due %s", due.In(berlin(t)))
	}
	down := up.Retarget(h, clock.Promise{Target: 40 * time.Hour}, h, 25, now)
	if down.Graced() || !down.Deadline(h, now).Equal(at(t, "2026-11-26 18:00")) {
		t.Errorf("due %s", down.Deadline(h, now).In(berlin(t)))
	}
	// Another calendar counts from the begin: P1 around the clock.
	p1 := c.Retarget(h, clock.Promise{Target: 40 * time.Hour, Calendar: "always"}, all, 25, now)
	if used := p1.Used(all, now); used != 33*time.Hour {
		t.Errorf("used %s around the clock, want 33 h", used)
	}
	late := at(t, "2026-11-27 09:00")
	broken := c.Retarget(h, clock.Promise{Target: 80 * time.Hour}, h, 25, late)
	if broken.State(late) != "missed" || !broken.Breached.Equal(at(t, "2026-11-25 12:00")) {
		t.Errorf("a broken promise was mended: %+v", broken)
	}
	none := c.Retarget(h, clock.Promise{}, h, 25, now)
	if !none.Due.IsZero() || !none.Deadline(h, now).IsZero() || none.Missed(h, late) {
		t.Errorf("nothing is promised: %+v", none)
	}
	again := none.Retarget(h, clock.Promise{Target: 24 * time.Hour}, h, 25, now)
	if used := again.Used(h, now); used != 19*time.Hour {
		t.Errorf("time without a promise is not counted: %s", used)
	}
}

// What a changed calendar says of days that are over does not touch what was counted; what lies ahead follows it (S25).
func TestCalendarChange(t *testing.T) {
	before, after := workdays(t, "DE"), workdays(t, "DE-BY") // 6 January is a holiday in Bavaria
	c := clock.New(clock.Clock{Kind: clock.Resolve, Target: 30 * time.Hour}, before, at(t, "2027-01-05 08:00"))
	c = c.Pause(before, at(t, "2027-01-06 18:00"))
	if used := c.Used(after, at(t, "2027-01-07 08:00")); used != 20*time.Hour {
		t.Errorf("used %s of closed segments, want 20 h", used)
	}
	running := clock.New(clock.Clock{Kind: clock.Resolve, Target: 30 * time.Hour}, before, at(t, "2027-01-04 08:00"))
	if due := running.Deadline(after, at(t, "2027-01-04 09:00")); !due.Equal(at(t, "2027-01-07 18:00")) {
		t.Errorf("due %s: a holiday that was entered before its day counts at once", due.In(berlin(t)))
	}
}

func TestBackdateRestartFold(t *testing.T) {
	h := workdays(t, "DE")
	c := clock.New(clock.Clock{Kind: clock.FirstResponse, Target: 4 * time.Hour}, h, at(t, "2026-11-23 12:00"))
	if due := c.Backdate(h, at(t, "2026-11-23 09:00")).Deadline(h, at(t, "2026-11-23 12:00")); !due.Equal(at(t, "2026-11-23 13:00")) {
		t.Errorf("merged, due %s", due.In(berlin(t)))
	}
	if c.Backdate(h, at(t, "2026-11-23 13:00")).Start() != c.Start() {
		t.Error("a later start was taken over (S26)")
	}
	c = c.Fire("default/50", 1, at(t, "2026-11-23 14:00"))
	again := c.Restart(h, at(t, "2026-11-24 08:00"))
	if again.Epoch != 1 || len(again.Steps) != 0 || !again.Due.Equal(at(t, "2026-11-24 12:00")) {
		t.Errorf("%+v", again)
	}
	long := clock.New(clock.Clock{Kind: clock.Resolve, Target: 1000 * time.Hour}, h, at(t, "2026-11-23 08:00"))
	now := at(t, "2026-11-23 08:00")
	for range 200 {
		long = long.Pause(h, now.Add(time.Minute)).Resume(h, now.Add(2*time.Minute))
		now = now.Add(2 * time.Minute)
	}
	if len(long.Segments) > 70 || long.Used(h, now) != 200*time.Minute {
		t.Errorf("%d segments, %s used", len(long.Segments), long.Used(h, now))
	}
}

// Clocks that the first version stored have a deadline and no segments: nothing that was promised changes.
func TestStoredByTheFirstVersion(t *testing.T) {
	h := workdays(t, "DE")
	read := func(text string) clock.Clock {
		var c clock.Clock
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back clock.Clock
		if err := json.Unmarshal(again, &back); err != nil || !reflect.DeepEqual(c, back) {
			t.Errorf("stored anew it is another: %s", again)
		}
		return c
	}
	// Paused for a day before: due later than start and target say.
	c := read(`{"kind":"resolve","target":86400000000000,"start":"2026-11-23T07:00:00Z","due":"2026-11-26T11:00:00Z","fired":[50]}`)
	now := at(t, "2026-11-25 08:00")
	if !c.Running() || !c.Deadline(h, now).Equal(c.Due) || c.Fired("default/50").Times != 1 {
		t.Errorf("%+v", c)
	}
	p := c.Pause(h, now)
	if due := p.Resume(h, now).Deadline(h, now); !due.Equal(at(t, "2026-11-26 12:00")) {
		t.Errorf("paused and resumed at once, due %s", due.In(berlin(t)))
	}
	if due := p.Resume(h, at(t, "2026-11-25 10:00")).Deadline(h, now); !due.Equal(at(t, "2026-11-26 14:00")) {
		t.Errorf("two hours later, due %s", due.In(berlin(t)))
	}
	c = read(`{"kind":"resolve","target":86400000000000,"start":"2026-11-23T07:00:00Z","due":"2026-11-25T11:00:00Z","paused":"2026-11-24T09:00:00Z"}`)
	if !c.Paused() {
		t.Errorf("%+v is not paused", c)
	}
	if due := c.Resume(h, at(t, "2026-11-25 10:00")).Deadline(h, now); !due.Equal(at(t, "2026-11-26 12:00")) {
		t.Errorf("a day of pause, due %s", due.In(berlin(t)))
	}
	c = read(`{"kind":"first_response","target":14400000000000,"start":"2026-11-23T07:00:00Z","due":"2026-11-23T11:00:00Z","stop":"2026-11-23T12:00:00Z"}`)
	if !c.Stopped() || c.State(now) != "missed" {
		t.Errorf("%+v is %s", c, c.State(now))
	}
	c = read(`{"kind":"resolve","target":86400000000000,"start":"2026-11-23T07:00:00Z","due":"2026-11-25T11:00:00Z","stop":"2026-11-24T07:00:00Z"}`)
	if due := c.Resume(h, at(t, "2026-11-26 08:00")).Deadline(h, now); c.State(now) != "met" || !due.Equal(at(t, "2026-11-27 12:00")) {
		t.Errorf("reopened, due %s", due.In(berlin(t)))
	}
}

// What was used up, what is left and the deadline agree, whatever happened and in whatever order the clock of the wall ran.
func TestDeadlineFollowsFromSegments(t *testing.T) {
	h := workdays(t, "DE-BY")
	const seed, lives = 20261122, 3000
	random := rand.New(rand.NewPCG(seed, 0))
	for life := range lives {
		now := at(t, "2026-10-20 08:00").Add(time.Duration(random.IntN(120*24*60)) * time.Minute)
		c := clock.New(clock.Clock{Kind: clock.Resolve, Target: time.Duration(1+random.IntN(80)) * time.Hour}, h, now)
		for range random.IntN(12) {
			now = now.Add(time.Duration(random.IntN(30*60)-60) * time.Minute)
			switch random.IntN(5) {
			case 0:
				c = c.Pause(h, now)
			case 1, 2:
				c = c.Resume(h, now)
			case 3:
				c = c.End(h, now, "solved")
			case 4:
				c = c.Retarget(h, clock.Promise{Target: time.Duration(1+random.IntN(80)) * time.Hour}, h, 25, now)
			}
			last := c.Segments[len(c.Segments)-1]
			if now.Before(last.From) {
				now = last.From
			}
			for i, s := range c.Segments {
				if i > 0 && s.From.Before(c.Segments[i-1].To) || !s.To.IsZero() && s.To.Before(s.From) {
					t.Fatalf("seed %d, life %d: segments overlap: %+v", seed, life, c.Segments)
				}
			}
			if !c.Running() {
				continue
			}
			due := c.Deadline(h, now)
			if left := c.Allowed() - c.Used(h, now); left > 0 && h.Between(now, due) != left {
				t.Fatalf("seed %d, life %d: %s left, %s until the deadline", seed, life, left, h.Between(now, due))
			} else if left <= 0 && due.After(now) {
				t.Fatalf("seed %d, life %d: nothing is left, and it is due at %s, after %s", seed, life, due, now)
			}
			if used := c.Used(h, due); due.After(now) && used != c.Allowed() {
				t.Fatalf("seed %d, life %d: %s used at the deadline of %s", seed, life, used, c.Allowed())
			}
		}
	}
	t.Logf("seed %d: %d lives", seed, lives)
}

// BenchmarkDeadline derives one deadline of a clock with a pause.
func BenchmarkDeadline(b *testing.B) {
	h := workdays(b, "DE")
	c := clock.New(clock.Clock{Kind: clock.Resolve, Target: 24 * time.Hour}, h, at(b, "2026-11-23 15:30"))
	c = c.Pause(h, at(b, "2026-11-23 16:10")).Resume(h, at(b, "2026-11-24 09:20"))
	now := at(b, "2026-11-24 10:00")
	for b.Loop() {
		c.Deadline(h, now)
	}
}
