package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"supportd/cmd/supportd/config"
	"supportd/tickets"
	"supportd/tickets/calendar"
)

// deskWith writes a configuration that ends with rest, and its password, and returns its path.
func deskWith(t *testing.T, rest string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "supportd.yaml")
	text := `version: 1
mailbox: {imap: "127.0.0.1:143", smtp: "127.0.0.1:25", tls: none, user: desk, password_file: pw}
from: desk@nordwind.example
timezone: Europe/Berlin
` + rest
	for name, s := range map[string]string{file: text, filepath.Join(filepath.Dir(file), "pw"): "secret\n"} {
		if err := os.WriteFile(name, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

func load(t *testing.T, rest string) *config.Config {
	t.Helper()
	c, findings := config.Load(deskWith(t, rest))
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	return c
}

const oneTeam = "team: [anna@nordwind.example]\n"

// TestRegionsAreThoseOfTheConfiguration holds that every region that may be written has holidays, and the other way round.
func TestRegionsAreThoseOfTheConfiguration(t *testing.T) {
	_, findings := config.Load(deskWith(t, oneTeam+"holidays: [nowhere]\n"))
	_, known, ok := strings.Cut(findings.Err().Error(), "known are ")
	if !ok {
		t.Fatalf("the regions are not named in %v", findings.Err())
	}
	taken := strings.Split(strings.TrimSpace(known), ", ")
	var have []string
	for _, r := range calendar.Regions() {
		have = append(have, r.Code)
	}
	slices.Sort(taken)
	slices.Sort(have)
	if diff := gocmp.Diff(have, taken); diff != "" {
		t.Errorf("regions with holidays (-) and those that the configuration takes (+):\n%s", diff)
	}
}

// TestTargetsCountInTheirCalendar goes from the file to a deadline.
func TestTargetsCountInTheirCalendar(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 12, 23, 16, 10, 0, 0, berlin)
	for _, v := range []struct {
		name, rest string
		want       time.Time
	}{
		{"short form", oneTeam + "hours: {mo-fr: \"08:00-18:00\"}\nholidays: [DE]\n", time.Date(2026, 12, 24, 14, 10, 0, 0, berlin)},
		{"no hours", oneTeam, start.Add(8 * time.Hour)},
		{"the one called standard", oneTeam + `calendars:
  night: {hours: {mo-fr: "00:00-06:00"}}
  standard: {hours: {mo-fr: "08:00-18:00"}, holidays: DE, days: {"12-24": closed}}
`, time.Date(2026, 12, 28, 14, 10, 0, 0, berlin)},
		{"the only one", oneTeam + `calendars:
  late: {hours: {mo-fr: ["08:00-12:00", "13:00-18:00"]}, days: {"2026-12-24..2026-12-31": "16:00-24:00"}}
`, time.Date(2026, 12, 24, 22, 10, 0, 0, berlin)},
		{"a zone of its own", oneTeam + `calendars:
  uk: {timezone: Europe/London, hours: {mo-fr: "09:00-17:30"}, holidays: GB-ENG}
`, time.Date(2026, 12, 24, 15, 40, 0, 0, berlin)},
	} {
		t.Run(v.name, func(t *testing.T) {
			rules, err := buildRules(load(t, v.rest))
			if err != nil {
				t.Fatal(err)
			}
			if got := rules.Calendar.Add(start, 8*time.Hour); !got.Equal(v.want) {
				t.Errorf("8h from %s is %s, want %s", start, got, v.want)
			}
		})
	}
}

func TestNothingSaidAboutHours(t *testing.T) {
	c, err := buildCalendar(&config.Config{})
	if err != nil || c != (tickets.AroundTheClock{}) {
		t.Errorf("got %v, %v", c, err)
	}
	if _, err := buildCalendar(&config.Config{Path: "x.yaml", Calendar: "gone"}); err == nil || !strings.Contains(err.Error(), `x.yaml: there is no calendar "gone"`) {
		t.Errorf("got %v", err)
	}
}

// TestCalendarNobodyWorksIn finds it in check, also when no target is counted in it.
func TestCalendarNobodyWorksIn(t *testing.T) {
	file := deskWith(t, oneTeam+`calendars:
  standard: {hours: {mo-fr: "08:00-18:00"}}
  never: {hours: {mo-fr: "08:00-18:00"}, days: {"01-01..12-31": closed}}
`)
	out, _, code := program(t, nil, "-c", file, "check")
	if code != exitFound || !strings.Contains(out, `calendar "never": there is no working time in it`) {
		t.Errorf("exit code %d: %s", code, out)
	}
}

const fullDesk = `
calendars:
  standard: {hours: {mo-fr: "08:00-18:00"}, holidays: DE-BY}
  early: {hours: {mo-fr: "07:00-13:00"}, holidays: DE-BY}
  late: {hours: {mo-fr: "12:00-17:30"}, holidays: DE-BY-KATH, days: {"12-24": closed, "2027-01-06": "12:00-13:00"}}
teams:
  one: {tier: 1, calendar: [early, late], members: [anna@nordwind.example]}
`

func TestCalendarCommand(t *testing.T) {
	file := deskWith(t, fullDesk)
	show := func(args ...string) calendarReport {
		t.Helper()
		out, errs, code := program(t, nil, append([]string{"-c", file, "--json", "calendar"}, args...)...)
		var r calendarReport
		if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitFine {
			t.Fatalf("exit code %d, %v: %s", code, err, errs)
		}
		return r
	}
	r := show("--year", "2027")
	// 2027 has 261 days from Monday to Friday.
	var work int
	for _, h := range r.Holidays {
		d := time.Date(h.Date.Year, h.Date.Month, h.Date.Day, 0, 0, 0, 0, time.UTC).Weekday()
		if d != time.Saturday && d != time.Sunday {
			work++
		}
	}
	if len(r.Holidays) != 12 || r.Days != 261-work || r.Hours != float64(10*r.Days) || len(r.Months) != 12 {
		t.Errorf("12 holidays, %d of them on workdays: %+v", work, r)
	}
	if !r.Targets || r.Calendar != "standard" || r.Zone != "Europe/Berlin" || r.Year != 2027 || len(r.Teams) != 0 {
		t.Errorf("%+v", r)
	}
	// The last half hour of each day, the afternoon of 24 December, and nothing on 6 January, which is a holiday here.
	if want := 0.5*float64(r.Days-1) + 5; r.Uncovered != want {
		t.Errorf("no team works in %v hours, want %v", r.Uncovered, want)
	}
	late := show("late", "--year", "2027")
	want := []calendarException{
		{Date: calendar.Date{Year: 2027, Month: 1, Day: 6}, From: "2027-01-06", Hours: []string{"12:00-13:00"}},
		{Date: calendar.Date{Year: 2027, Month: 12, Day: 24}, From: "12-24", Hours: []string{}},
	}
	if diff := gocmp.Diff(want, late.Other); diff != "" {
		t.Error(diff)
	}
	if late.Targets || late.Uncovered != 0 || !slices.Equal(late.Teams, []string{"one"}) {
		t.Errorf("%+v", late)
	}
	var epiphany, assumption calendarHoliday
	for _, h := range late.Holidays {
		switch h.Name {
		case "Heilige Drei Könige":
			epiphany = h
		case "Mariä Himmelfahrt":
			assumption = h
		}
	}
	if !epiphany.Worked || epiphany.Region != "DE-BY" || assumption.Worked || assumption.Region != "DE-BY-KATH" {
		t.Errorf("%+v %+v", epiphany, assumption)
	}
	if r := show(); r.Year != time.Now().In(time.UTC).Year() && r.Year != time.Now().Year() {
		t.Errorf("without a year it is %d", r.Year)
	}

	out, errs, code := program(t, nil, "-c", file, "calendar", "late", "--year", "2027")
	for _, want := range []string{"late, 2027, times in Europe/Berlin", "works by it: one", "2027-01-06  Wed  Heilige Drei Könige, worked", "DE-BY-KATH", "closed", "12-24"} {
		if code != exitFine || !strings.Contains(out, want) {
			t.Errorf("exit code %d, %q is not in\n%s%s", code, want, out, errs)
		}
	}
	out, _, _ = program(t, nil, "-c", file, "calendar", "--year", "2027")
	if !strings.Contains(out, "counted in it") || !strings.Contains(out, "no team works in") {
		t.Errorf("%s", out)
	}
	for _, v := range []struct{ args, want string }{
		{"gone", `there is no calendar "gone": known are standard, early, late`}, {"--year 12", "write a year from 1970 to 2399"},
	} {
		out, errs, code := program(t, nil, append([]string{"-c", file, "calendar"}, strings.Fields(v.args)...)...)
		if code != exitNoRun || out != "" || !strings.Contains(errs, v.want) {
			t.Errorf("%s: exit code %d, %s", v.args, code, errs)
		}
	}
}

// TestCalendarOfMidnightZones counts every month in zones whose clocks are changed at midnight, or leave out a day.
func TestCalendarOfMidnightZones(t *testing.T) {
	for zone, want := range map[string]float64{"America/Havana": 8760, "Pacific/Apia": 8736, "Asia/Beirut": 8760} {
		c := load(t, fmt.Sprintf("%scalendars: {standard: {timezone: %s, hours: 24/7}}\n", oneTeam, zone))
		r, err := showCalendar(c, "standard", 2011)
		if err != nil || r.Hours != want {
			t.Errorf("%s has %v hours in 2011, want %v (%v)", zone, r.Hours, want, err)
		}
	}
}

// TestCalendarsPage holds the table of regions in docs/calendars.md to the program. Run with -update to make it anew.
func TestCalendarsPage(t *testing.T) {
	const file, begin, end = "../../docs/calendars.md", "<!-- regions -->\n", "<!-- end of regions -->"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(page), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", file)
	}
	_, example, _ := strings.Cut(head, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	if c := load(t, oneTeam+example); len(c.Calendars) != 1 || len(c.Calendars[0].Days) != 3 {
		t.Errorf("the example of %s is read as %+v", file, c.Calendars)
	}
	var b strings.Builder
	b.WriteString("\n| code | region | holidays | note |\n| --- | --- | --- | --- |\n")
	for _, r := range calendar.Regions() {
		kept := strings.Join(r.Own, ", ")
		if r.Within != "" {
			kept = "those of " + r.Within + "; " + kept
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.Code, r.Name, kept, r.Note)
	}
	want := head + begin + b.String() + "\n" + end + tail
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := gocmp.Diff(want, string(page)); diff != "" {
		t.Errorf("%s differs from the program; run go test ./cmd/supportd -run Page -update:\n%s", file, diff)
	}
}

// TestCalendarCommandNamesTheFile is a calendar with holidays of a file: each is listed with its name there and the file,
// and is no working day.
func TestCalendarCommandNamesTheFile(t *testing.T) {
	file := deskWith(t, oneTeam+"calendars: {standard: {hours: {mo-fr: \"09:00-17:00\"}, holidays_ics: own.ics}}\n")
	event := "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260702\nRRULE:FREQ=YEARLY\nSUMMARY:Founders' Day\nEND:VEVENT\nEND:VCALENDAR\n"
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "own.ics"), []byte(event), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, code := program(t, nil, "-c", file, "calendar", "--year", "2027")
	for _, want := range []string{"2027-07-02", "Fri", "Founders' Day", "own.ics", "2080:00", "260"} { // 261 less one
		if code != exitFine || !strings.Contains(out, want) {
			t.Errorf("exit code %d: %q is missing in\n%s%s", code, want, out, errs)
		}
	}
}
