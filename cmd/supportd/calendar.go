package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"supportd/cmd/supportd/config"
	"supportd/tickets"
	"supportd/tickets/calendar"
)

// buildCalendar is the working time in which targets are counted. All other calendars are tried as well, so that a fault
// in one of them is found before anything is swapped.
func buildCalendar(c *config.Config) (tickets.Calendar, error) {
	if len(c.Calendars) == 0 && c.Calendar == "" {
		return tickets.AroundTheClock{}, nil // nothing is said about hours
	}
	var targets tickets.Calendar
	var wrong []error
	for _, one := range c.Calendars {
		built, err := calendar.New(schedule(one))
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", c.Path, err))
		} else if one.Name == c.Calendar {
			targets = built
		}
	}
	if targets == nil && len(wrong) == 0 {
		wrong = append(wrong, fmt.Errorf("%s: there is no calendar %q", c.Path, c.Calendar))
	}
	return targets, errors.Join(wrong...)
}

// schedule is a calendar of the configuration as it is counted.
func schedule(c config.Calendar) calendar.Schedule {
	s := calendar.Schedule{Name: c.Name, Zone: c.Zone, Hours: map[time.Weekday][]calendar.Interval{}, Holidays: c.Holidays, Dated: c.Dated}
	for day, hours := range c.Hours {
		s.Hours[day] = intervals(hours)
	}
	for _, d := range c.Days {
		s.Days = append(s.Days, calendar.Override{From: d.From, To: d.To, Hours: intervals(d.Hours)})
	}
	return s
}

func intervals(list []config.Interval) []calendar.Interval {
	var all []calendar.Interval
	for _, i := range list {
		all = append(all, calendar.Interval{From: i.From, To: i.To})
	}
	return all
}

func (a *app) calendarCommand() *cobra.Command {
	var year int
	cmd := &cobra.Command{
		Use: "calendar [NAME]", Short: "show a year of a calendar: open hours, holidays, exceptions", Args: cobra.MaximumNArgs(1),
		Long: "calendar prints what a calendar of the configuration comes to in a year: its open hours by month, every holiday with the\nregion or file that it comes from, and the days with other hours. Without a name it is the one in which targets are counted.",
		RunE: func(_ *cobra.Command, args []string) error {
			c, findings := config.Load(a.config)
			if err := findings.Err(); err != nil {
				return err
			}
			name := c.Calendar
			if len(args) > 0 {
				name = args[0]
			}
			if year == 0 {
				year = a.now().In(c.Zone).Year()
			}
			r, err := showCalendar(c, name, year)
			if err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) { writeCalendar(w, r) })
		},
	}
	cmd.Flags().IntVar(&year, "year", 0, "the year; 0: this one")
	return cmd
}

// calendarReport is the machine-readable answer of calendar.
type calendarReport struct {
	Calendar  string              `json:"calendar"`
	Zone      string              `json:"zone"`
	Year      int                 `json:"year"`
	Targets   bool                `json:"targets"` // first_response and resolve are counted in it
	Hours     float64             `json:"open_hours"`
	Days      int                 `json:"open_days"`
	Uncovered float64             `json:"uncovered_hours"` // of a calendar with targets: hours in which no team works
	Months    []calendarMonth     `json:"months"`
	Holidays  []calendarHoliday   `json:"holidays"`
	Other     []calendarException `json:"exceptions"`
	Teams     []string            `json:"teams"`
}

type calendarMonth struct {
	Month string  `json:"month"` // 2027-01
	Hours float64 `json:"open_hours"`
	Days  int     `json:"open_days"`
}

type calendarHoliday struct {
	Date   calendar.Date `json:"date"`
	Name   string        `json:"name"`
	Region string        `json:"region"`
	Worked bool          `json:"worked"` // an exception gives it hours
}

type calendarException struct {
	Date  calendar.Date `json:"date"`
	From  string        `json:"from"` // the key in the configuration
	Hours []string      `json:"hours"`
}

// showCalendar counts a year of a calendar.
func showCalendar(c *config.Config, name string, year int) (*calendarReport, error) {
	if year < 1970 || year > 2399 {
		return nil, fmt.Errorf("--year %d: write a year from 1970 to 2399", year)
	}
	i := slices.IndexFunc(c.Calendars, func(o config.Calendar) bool { return o.Name == name })
	if i < 0 {
		var names []string
		for _, o := range c.Calendars {
			names = append(names, o.Name)
		}
		return nil, fmt.Errorf("%s: there is no calendar %q: known are %s", c.Path, name, strings.Join(names, ", "))
	}
	shown := c.Calendars[i]
	built, err := calendar.New(schedule(shown))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Path, err)
	}
	r := &calendarReport{Calendar: name, Zone: shown.Zone.String(), Year: year, Targets: name == c.Calendar,
		Holidays: []calendarHoliday{}, Other: []calendarException{}, Teams: []string{}}
	for m := time.January; m <= time.December; m++ {
		month := calendarMonth{Month: fmt.Sprintf("%04d-%02d", year, m)}
		for day := 1; day <= time.Date(year, m+1, 0, 0, 0, 0, 0, time.UTC).Day(); day++ {
			open := built.Between(time.Date(year, m, day, 0, 0, 0, 0, shown.Zone), time.Date(year, m, day+1, 0, 0, 0, 0, shown.Zone))
			if open > 0 {
				month.Hours += open.Hours()
				month.Days++
			}
		}
		r.Months = append(r.Months, month)
		r.Hours += month.Hours
		r.Days += month.Days
	}
	for _, d := range built.Special(year) {
		for _, h := range d.Holidays {
			r.Holidays = append(r.Holidays, calendarHoliday{Date: d.Date, Name: h.Name, Region: h.Region, Worked: len(d.Hours) > 0})
		}
		if d.Override == "" {
			continue
		}
		e := calendarException{Date: d.Date, From: d.Override, Hours: []string{}}
		for _, h := range d.Hours {
			e.Hours = append(e.Hours, h.String())
		}
		r.Other = append(r.Other, e)
	}
	for _, t := range c.Teams {
		if slices.Contains(t.Calendars, name) {
			r.Teams = append(r.Teams, t.Name)
		}
	}
	if r.Targets {
		r.Uncovered, err = uncovered(c, shown, year, schedule)
	}
	return r, err
}

// uncovered counts the hours of a year in which targets run and no team works; counted says what of the calendars counts.
func uncovered(c *config.Config, targets config.Calendar, year int, counted func(config.Calendar) calendar.Schedule) (float64, error) {
	var teams []calendar.Schedule
	for _, o := range c.Calendars {
		if slices.ContainsFunc(c.Teams, func(t config.Team) bool { return slices.Contains(t.Calendars, o.Name) }) {
			teams = append(teams, counted(o))
		}
	}
	if len(teams) == 0 {
		return 0, nil // no team has hours of its own
	}
	staffed, err := calendar.New(teams...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.Path, err)
	}
	all, err := calendar.New(append(teams, counted(targets))...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.Path, err)
	}
	from, to := time.Date(year, time.January, 1, 0, 0, 0, 0, targets.Zone), time.Date(year+1, time.January, 1, 0, 0, 0, 0, targets.Zone)
	return (all.Between(from, to) - staffed.Between(from, to)).Hours(), nil
}

func writeCalendar(w io.Writer, r *calendarReport) {
	fmt.Fprintf(w, "%s, %d, times in %s\n", r.Calendar, r.Year, r.Zone)
	if r.Targets {
		fmt.Fprintln(w, "first_response and resolve are counted in it")
		if r.Uncovered > 0 {
			fmt.Fprintf(w, "no team works in %s of its hours\n", hoursText(r.Uncovered))
		}
	}
	if len(r.Teams) > 0 {
		fmt.Fprintf(w, "works by it: %s\n", strings.Join(r.Teams, ", "))
	}
	fmt.Fprintln(w)
	t := newTable(w, "month", "open hours", "open days")
	for _, m := range r.Months {
		t.AppendRow([]any{m.Month, hoursText(m.Hours), m.Days})
	}
	t.AppendFooter([]any{"year", hoursText(r.Hours), r.Days})
	right := func(n int) table.ColumnConfig {
		return table.ColumnConfig{Number: n, Align: text.AlignRight, AlignFooter: text.AlignRight}
	}
	t.SetColumnConfigs([]table.ColumnConfig{right(2), right(3)})
	t.Style().Format.Footer = text.FormatDefault
	t.Render()
	if len(r.Holidays) > 0 {
		fmt.Fprintln(w)
		t := newTable(w, "date", "", "holiday", "region or file")
		for _, h := range r.Holidays {
			name := h.Name
			if h.Worked {
				name += ", worked"
			}
			t.AppendRow([]any{h.Date, h.Date.Weekday().String()[:3], name, h.Region})
		}
		t.Render()
	}
	if len(r.Other) > 0 {
		fmt.Fprintln(w)
		t := newTable(w, "date", "", "hours", "exception")
		for _, o := range r.Other {
			hours := strings.Join(o.Hours, " ")
			if hours == "" {
				hours = "closed"
			}
			t.AppendRow([]any{o.Date, o.Date.Weekday().String()[:3], hours, o.From})
		}
		t.Render()
	}
}

// hoursText is a number of hours as hours and minutes.
func hoursText(h float64) string {
	minutes := int(h*60 + 0.5)
	return fmt.Sprintf("%d:%02d", minutes/60, minutes%60)
}
