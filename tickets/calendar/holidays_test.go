package calendar

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func holidays(t *testing.T, region string, year int) []Holiday {
	t.Helper()
	list, err := Holidays(region, year)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestEaster(t *testing.T) {
	for year, want := range map[int]string{
		1818: "1818-03-22", 1943: "1943-04-25", 1954: "1954-04-18", 1981: "1981-04-19", 2000: "2000-04-23", 2008: "2008-03-23",
		2011: "2011-04-24", 2024: "2024-03-31", 2025: "2025-04-20", 2026: "2026-04-05", 2027: "2027-03-28", 2028: "2028-04-16",
		2038: "2038-04-25", 2049: "2049-04-18", 2076: "2076-04-19", 2285: "2285-03-22",
	} {
		if got := dateOf(easterSunday(year)).String(); got != want {
			t.Errorf("Easter %d is %s, want %s", year, got, want)
		}
	}
	// The same by Butcher's method, which goes another way.
	for year := 1583; year <= 4000; year++ {
		a, b, c := year%19, year/100, year%100
		d, e := b/4, b%4
		g := (8*b + 13) / 25
		h := (19*a + b - d - g + 15) % 30
		i, k := c/4, c%4
		l := (32 + 2*e + 2*i - h - k) % 7
		m := (a + 11*h + 22*l) / 451
		want := Date{year, time.Month((h + l - 7*m + 114) / 31), (h+l-7*m+114)%31 + 1}
		if got := dateOf(easterSunday(year)); got != want {
			t.Fatalf("Easter %d is %s, want %s", year, got, want)
		}
	}
}

// TestGermanCounts holds how many statutory holidays each region has in 2026, weekends included.
func TestGermanCounts(t *testing.T) {
	counts := map[string]int{
		"DE": 9, "DE-BW": 12, "DE-BY": 12, "DE-BY-KATH": 13, "DE-BY-AUGSBURG": 14, "DE-BE": 10, "DE-BB": 12, "DE-HB": 10, "DE-HH": 10,
		"DE-HE": 10, "DE-MV": 11, "DE-NI": 10, "DE-NW": 11, "DE-RP": 11, "DE-SL": 12, "DE-SN": 11, "DE-ST": 11, "DE-SH": 10, "DE-TH": 11,
	}
	seen := 0
	for _, r := range Regions() {
		if !strings.HasPrefix(r.Code, "DE") {
			continue
		}
		seen++
		if got := len(holidays(t, r.Code, 2026)); got != counts[r.Code] {
			t.Errorf("%s has %d holidays in 2026, want %d", r.Code, got, counts[r.Code])
		}
	}
	if seen != len(counts) {
		t.Errorf("%d German regions, want %d", seen, len(counts))
	}
}

// TestOtherCounts holds the numbers of the other countries, by weekday, as substitute days keep those the same.
func TestOtherCounts(t *testing.T) {
	for region, want := range map[string]int{"AT": 13, "CH": 4, "CH-ZH": 9} {
		if got := len(holidays(t, region, 2026)); got != want {
			t.Errorf("%s has %d holidays in 2026, want %d", region, got, want)
		}
	}
	extra := map[string]map[int]int{
		"GB-ENG": {2002: 1, 2011: 1, 2012: 1, 2022: 2, 2023: 1}, "GB-SCT": {2002: 1, 2011: 1, 2012: 1, 2022: 2, 2023: 1, 2026: 1},
		"GB-NIR": {2002: 1, 2011: 1, 2012: 1, 2022: 2, 2023: 1},
	}
	extra["GB-WLS"] = extra["GB-ENG"]
	for region, want := range map[string]int{"GB-ENG": 8, "GB-WLS": 8, "GB-SCT": 9, "GB-NIR": 10} {
		for year := 2007; year <= 2060; year++ {
			n := 0
			for _, h := range holidays(t, region, year) {
				if w := h.Date.Weekday(); w != time.Saturday && w != time.Sunday {
					n++
				}
			}
			if n != want+extra[region][year] {
				t.Errorf("%s has %d bank holidays in %d, want %d", region, n, year, want+extra[region][year])
			}
		}
	}
}

// TestDates holds single holidays: moving ones, ones that began or ended, and where each comes from.
func TestDates(t *testing.T) {
	for _, v := range []struct{ region, date, want string }{
		{"DE-SN", "2026-11-18", "Buß- und Bettag DE-SN"},
		{"DE-SN", "2022-11-16", "Buß- und Bettag DE-SN"}, // 23 November is a Wednesday
		{"DE-SN", "2022-11-23", ""},
		{"DE-BE", "2018-03-08", ""},
		{"DE-BE", "2019-03-08", "Internationaler Frauentag DE-BE"},
		{"DE-MV", "2022-03-08", ""},
		{"DE-MV", "2023-03-08", "Internationaler Frauentag DE-MV"},
		{"DE-TH", "2018-09-20", ""},
		{"DE-TH", "2019-09-20", "Weltkindertag DE-TH"},
		{"DE-BE", "2020-05-08", "Tag der Befreiung DE-BE"},
		{"DE-BE", "2024-05-08", ""},
		{"DE-BE", "2025-05-08", "Tag der Befreiung DE-BE"},
		{"DE-BE", "2026-05-08", ""},
		{"DE-BE", "2028-06-17", "Jahrestag des Aufstandes vom 17. Juni 1953 DE-BE"},
		{"DE-BE", "2029-06-17", ""},
		{"DE", "2017-10-31", "Reformationstag DE"},
		{"DE-SN", "2017-10-31", "Reformationstag DE"}, // once, from the larger region
		{"DE-SN", "2018-10-31", "Reformationstag DE-SN"},
		{"DE-HH", "2016-10-31", ""},
		{"DE-HH", "2018-10-31", "Reformationstag DE-HH"},
		{"DE-NI", "2018-10-31", "Reformationstag DE-NI"},
		{"DE-SH", "2018-10-31", "Reformationstag DE-SH"},
		{"DE-HB", "2018-10-31", "Reformationstag DE-HB"},
		{"DE-BE", "2018-10-31", ""},
		{"DE-BY", "2026-01-06", "Heilige Drei Könige DE-BY"},
		{"DE-BY-KATH", "2026-11-01", "Allerheiligen DE-BY"},
		{"DE-BY-AUGSBURG", "2026-08-15", "Mariä Himmelfahrt DE-BY-KATH"},
		{"DE-BY-AUGSBURG", "2026-08-08", "Augsburger Hohes Friedensfest DE-BY-AUGSBURG"},
		{"DE-BY-KATH", "2026-08-08", ""},
		{"DE-BY", "2026-08-15", ""},
		{"DE-SL", "2026-08-15", "Mariä Himmelfahrt DE-SL"},
		{"DE-BB", "2026-04-05", "Ostersonntag DE-BB"},
		{"DE-BB", "2026-05-24", "Pfingstsonntag DE-BB"},
		{"DE-HE", "2026-06-04", "Fronleichnam DE-HE"},
		{"DE-NW", "2026-11-01", "Allerheiligen DE-NW"},
		{"DE", "2026-04-03", "Karfreitag DE"},
		{"DE", "2026-05-14", "Christi Himmelfahrt DE"},
		{"DE", "2026-05-25", "Pfingstmontag DE"},
		{"DE", "2008-05-01", "Tag der Arbeit DE, Christi Himmelfahrt DE"},
		{"AT", "2026-10-26", "Nationalfeiertag AT"},
		{"AT", "2026-12-08", "Mariä Empfängnis AT"},
		{"AT", "2026-04-03", ""},
		{"CH-ZH", "2026-08-01", "Bundesfeier CH"},
		{"CH-ZH", "2026-05-01", "Tag der Arbeit CH-ZH"},
		{"CH-ZH", "2026-01-02", ""},
		{"GB-ENG", "2026-04-06", "Easter Monday GB-ENG"},
		{"GB-SCT", "2026-04-06", ""},
		{"GB-SCT", "2026-06-15", "World Cup bank holiday GB-SCT"},
		{"GB-ENG", "2026-06-15", ""},
		{"GB-ENG", "2026-08-31", "Summer bank holiday GB-ENG"},
		{"GB-SCT", "2026-08-03", "Summer bank holiday GB-SCT"},
		{"GB-SCT", "2026-11-30", "St Andrew's Day GB-SCT"},
		{"GB-SCT", "2025-12-01", "St Andrew's Day (substitute day) GB-SCT"},
		{"GB-SCT", "2027-11-29", ""},
		{"GB-SCT", "2024-12-02", "St Andrew's Day (substitute day) GB-SCT"},
		{"GB-NIR", "2026-07-13", "Battle of the Boyne (substitute day) GB-NIR"},
		{"GB-NIR", "2024-03-18", "St Patrick's Day (substitute day) GB-NIR"},
		{"GB-ENG", "2020-05-04", ""},
		{"GB-ENG", "2020-05-08", "Early May bank holiday GB"},
		{"GB-ENG", "2022-05-30", ""},
		{"GB-ENG", "2022-06-02", "Spring bank holiday GB"},
		{"GB-ENG", "2022-06-03", "Platinum Jubilee of Elizabeth II GB"},
		{"GB-ENG", "2023-01-02", "New Year's Day (substitute day) GB-ENG"},
		{"GB-SCT", "2023-01-02", "2nd January GB-SCT"},
		{"GB-SCT", "2023-01-03", "New Year's Day (substitute day) GB-SCT"},
		{"GB-SCT", "2022-01-03", "New Year's Day (substitute day) GB-SCT"},
		{"GB-SCT", "2022-01-04", "2nd January (substitute day) GB-SCT"},
		{"GB-SCT", "2021-01-04", "2nd January (substitute day) GB-SCT"},
		{"GB-ENG", "2021-12-27", "Christmas Day (substitute day) GB"},
		{"GB-ENG", "2021-12-28", "Boxing Day (substitute day) GB"},
		{"GB-ENG", "2022-12-26", "Boxing Day GB"},
		{"GB-ENG", "2022-12-27", "Christmas Day (substitute day) GB"},
		{"GB-ENG", "2026-12-28", "Boxing Day (substitute day) GB"},
		{"GB-ENG", "2026-12-25", "Christmas Day GB"},
		{"GB-ENG", "2026-05-04", "Early May bank holiday GB"},
		{"GB-ENG", "2026-05-25", "Spring bank holiday GB"},
	} {
		var got []string
		for _, h := range holidays(t, v.region, yearOf(t, v.date)) {
			if h.Date.String() == v.date {
				got = append(got, h.Name+" "+h.Region)
			}
		}
		if strings.Join(got, ", ") != v.want {
			t.Errorf("%s %s: got %q, want %q", v.region, v.date, got, v.want)
		}
	}
}

func yearOf(t *testing.T, date string) int {
	t.Helper()
	x, err := time.Parse(time.DateOnly, date)
	if err != nil {
		t.Fatal(err)
	}
	return x.Year()
}

// TestRegionTable holds that the table is in order: every code once, every larger region there and before its parts,
// nothing kept twice, and every list sorted and within its year.
func TestRegionTable(t *testing.T) {
	var before []string
	for _, r := range Regions() {
		if slices.Contains(before, r.Code) {
			t.Errorf("%s stands in the table twice", r.Code)
		}
		if r.Within != "" && (!slices.Contains(before, r.Within) || !strings.HasPrefix(r.Code, r.Within[:2])) {
			t.Errorf("%s is within %q, which is not before it", r.Code, r.Within)
		}
		if r.Name == "" || len(r.Own) == 0 {
			t.Errorf("%s has no name or adds nothing: %+v", r.Code, r)
		}
		before = append(before, r.Code)
		for year := 1990; year <= 2100; year++ {
			list := holidays(t, r.Code, year)
			for i, h := range list {
				if h.Date.Year != year || h.Name == "" || h.Region == "" {
					t.Errorf("%s %d: %+v", r.Code, year, h)
				}
				if i > 0 && h.Date.number() < list[i-1].Date.number() {
					t.Errorf("%s %d is not sorted at %s", r.Code, year, h.Date)
				}
				if slices.ContainsFunc(list[:i], func(o Holiday) bool { return o.Date == h.Date && o.Name == h.Name }) {
					t.Errorf("%s %d has %s twice", r.Code, year, h.Name)
				}
			}
		}
	}
}

func TestUnknownRegion(t *testing.T) {
	for _, code := range []string{"", "DE-", "de", "FR", "DE-BY-PROT"} {
		if list, err := Holidays(code, 2026); err == nil {
			t.Errorf("%q was taken for a region with %v", code, list)
		}
	}
}

func TestDateArithmetic(t *testing.T) {
	for n := -800000; n < 800000; n += 97 {
		d := dateOf(n)
		if d.number() != n {
			t.Fatalf("%s has number %d, want %d", d, d.number(), n)
		}
		if got, want := d.Weekday(), time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC).Weekday(); got != want {
			t.Fatalf("%s is a %s, want %s", d, got, want)
		}
	}
	if text, err := (Date{2026, 12, 4}).MarshalText(); err != nil || string(text) != "2026-12-04" {
		t.Errorf("%s, %v", text, err)
	}
	var d Date
	if err := d.UnmarshalText([]byte("2026-12-04")); err != nil || d != (Date{2026, 12, 4}) {
		t.Errorf("%s, %v", d, err)
	}
	if err := d.UnmarshalText([]byte("2026-02-30")); err == nil {
		t.Errorf("30 February is %s", d)
	}
}
