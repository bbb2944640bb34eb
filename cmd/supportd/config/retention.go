package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"supportd/tickets"
)

// Retention is how long things are kept, and whether the daemon removes by itself what was kept long enough.
type Retention struct {
	tickets.Retention
	Daily      bool
	Categories []KeptCategory // in the order of the file
}

// KeptCategory is a category whose tickets are kept for a time of their own.
type KeptCategory struct {
	Name   string
	Keep   tickets.Keep
	Reason string
}

// retentionKeys say how long things are kept.
type retentionKeys struct {
	section
	Apply       opt[string]         `key:"apply" kind:"enum" values:"manual daily" default:"manual" example:"daily" doc:"daily: the daemon removes every night what was kept long enough. manual: only supportd retention --apply does."`
	Spam        opt[tickets.Period] `key:"spam" kind:"period" example:"30d" doc:"How long mail is kept that is held, or was filed without a ticket, and tickets that were set aside with #spam. Default: for ever."`
	CSAT        opt[tickets.Period] `key:"csat_comments" kind:"period" example:"12m" doc:"How long comments of customers' ratings are kept. Read and checked; there are no ratings yet."`
	Tickets     retainedTicketsKeys `key:"tickets" doc:"How long closed tickets are kept."`
	Attachments opt[tickets.Period] `key:"attachments" kind:"period" example:"18m" doc:"How long the raw mail of closed tickets is kept when files came with it. Their text stays, and so do tickets of categories with a time of their own. Default: as long as the ticket."`
	Audit       opt[tickets.Period] `key:"audit" kind:"period" example:"36m" doc:"How long the desk's own log keeps what it says. That something was logged, and the chain of digests, stay. Default: for ever."`
	LegalHold   many[string]        `key:"legal_hold" kind:"text" one:"yes" example:"[NW-2026-004711]" doc:"Numbers of tickets of which nothing is removed, not even by supportd erase. Default: none."`
}

// retainedTicketsKeys say how long closed tickets are kept.
type retainedTicketsKeys struct {
	section
	Default    opt[tickets.Period]         `key:"default" kind:"period" example:"36m" doc:"After closing. Default: for ever."`
	Then       opt[string]                 `key:"then" kind:"enum" values:"pseudonymise delete" default:"pseudonymise" example:"delete" doc:"What happens then. pseudonymise takes everything out that says something of a person; figures by team and category stay."`
	Categories named[retainedCategoryKeys] `key:"categories" doc:"Categories whose tickets are kept for another time, by name."`
}

// retainedCategoryKeys are a category that is kept for a time of its own.
type retainedCategoryKeys struct {
	section
	Keep   opt[tickets.Period] `key:"keep" kind:"period" required:"yes" example:"6y" doc:"How long its closed tickets are kept."`
	From   opt[string]         `key:"from" kind:"enum" values:"closed year_end" default:"closed" example:"year_end" doc:"When the time begins: when the ticket is closed, or with the year after."`
	Reason opt[string]         `key:"reason" kind:"text" example:"Handelsbrief § 257 HGB" doc:"Why. When it names § 257 HGB or § 147 AO, shorter times than the law's are an error."`
}

var periodPattern = regexp.MustCompile(`^([1-9]\d{0,4})(d|m|y)$`)

// parsePeriod reads a time by the calendar. Months are m here: nothing is kept for minutes.
func parsePeriod(s string) (any, error) {
	m := periodPattern.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return nil, &fault{what: fmt.Sprintf("wants days, months or years such as 30d, 18m or 6y, got %q", clip(s)), fix: "m is a month here"}
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return nil, err
	}
	p := map[string]tickets.Period{"d": {Days: n}, "m": {Months: n}, "y": {Years: n}}[m[2]]
	if n > map[string]int{"d": 36500, "m": 1200, "y": 100}[m[2]] {
		return nil, &fault{what: fmt.Sprintf("%q is more than a hundred years", clip(s)), fix: "leave the key out: then it is for ever"}
	}
	return p, nil
}

// writtenPeriod is the inverse of parsePeriod.
func writtenPeriod(p tickets.Period) string {
	switch {
	case p.Years > 0:
		return strconv.Itoa(p.Years) + "y"
	case p.Months > 0:
		return strconv.Itoa(p.Months) + "m"
	}
	return strconv.Itoa(p.Days) + "d"
}

func (r *resolver) retention(k *fileKeys) {
	s, to := k.Retention, &r.cfg.Retention
	to.Daily = s.Apply.val == "daily"
	to.Spam, to.Attachments, to.Audit = s.Spam.val, s.Attachments.val, s.Audit.val
	to.Tickets = tickets.Keep{For: s.Tickets.Default.val}
	to.Delete = s.Tickets.Then.val == "delete"
	to.Hold = r.unique(s.LegalHold.items, strings.ToUpper)
	to.Retention.Categories = map[string]tickets.Keep{}
	if s.CSAT.given {
		r.warn("", s.CSAT.at, "leave it for later versions, or delete it", "is read, but there are no ratings to be kept yet")
	}
	names := namesIn(k.Categories.entries, func(e entry[categoryKeys]) string { return e.name })
	for _, e := range s.Tickets.Categories.entries {
		c := KeptCategory{Name: e.name, Reason: e.keys.Reason.val,
			Keep: tickets.Keep{For: e.keys.Keep.val, YearEnd: e.keys.From.val == "year_end"}}
		r.keptCategory(names, e)
		r.lawful(c, e.keys)
		to.Retention.Categories[c.Name] = c.Keep
		to.Categories = append(to.Categories, c)
	}
	if to.Daily && to.Spam.IsZero() && to.Tickets.For.IsZero() && to.Attachments.IsZero() && to.Audit.IsZero() && len(to.Categories) == 0 {
		r.warn("", s.Apply.at, "say how long things are kept, or delete it", "there is nothing to be removed: everything is kept for ever")
	}
}

// keptCategory reports a category that is none.
func (r *resolver) keptCategory(names []string, e entry[retainedCategoryKeys]) {
	for _, n := range names {
		if n == e.name {
			return
		}
	}
	r.report("E03", e.at, didYouMean(e.name, names), "there is no category %q", clip(e.name))
}

// lawful refuses times that are shorter than the German law's for what the reason names (E19). The law counts from the
// end of the year (§ 257 (5) HGB, § 147 (4) AO).
func (r *resolver) lawful(c KeptCategory, k retainedCategoryKeys) {
	years, what := legalMinimum(c.Reason)
	if years == 0 || !k.Keep.given {
		return
	}
	p := c.Keep.For
	if months := 12*p.Years + p.Months; months < 12*years && p.Days < 366*years {
		r.report("E19", k.Keep.at, fmt.Sprintf("write keep: %dy", years), "%s is shorter than what the law asks for: %s are kept for %d years", writtenPeriod(p), what, years)
	}
	if !c.Keep.YearEnd {
		at := k.From.at
		if !k.From.given {
			at = k.Keep.at
		}
		r.report("E19", at, "write from: year_end", "the law's time begins with the year after")
	}
}

var (
	commercialLaw = regexp.MustCompile(`257\s*HGB|147\s*AO`)
	booksOf       = regexp.MustCompile(`(?i)abschl|bilanz|inventar|handelsb[uü]ch`)
	vouchersOf    = regexp.MustCompile(`(?i)beleg|rechnung`)
)

// legalMinimum is how many years the law asks for that a reason names; 0 when it names none.
func legalMinimum(reason string) (years int, what string) {
	switch {
	case !commercialLaw.MatchString(reason):
		return 0, ""
	case booksOf.MatchString(reason):
		return 10, "books and accounts"
	case vouchersOf.MatchString(reason):
		return 8, "vouchers"
	}
	return 6, "commercial letters"
}

// expandRetention writes out what is kept how long.
func (c *Config) expandRetention() *node {
	n, s := block(), &c.Retention
	apply, then := "manual", "pseudonymise"
	if s.Daily {
		apply = "daily"
	}
	if s.Delete {
		then = "delete"
	}
	n.add("apply", text(apply))
	period := func(to *node, name string, p tickets.Period) {
		if !p.IsZero() {
			to.add(name, text(writtenPeriod(p)))
		}
	}
	period(n, "spam", s.Spam)
	kept := block()
	period(kept, "default", s.Tickets.For)
	kept.add("then", text(then))
	if len(s.Categories) > 0 {
		all := block()
		for _, cat := range s.Categories {
			one := block()
			period(one, "keep", cat.Keep.For)
			from := "closed"
			if cat.Keep.YearEnd {
				from = "year_end"
			}
			one.add("from", text(from))
			one.addText("reason", cat.Reason)
			all.add(cat.Name, one)
		}
		kept.add("categories", all)
	}
	n.add("tickets", kept)
	period(n, "attachments", s.Attachments)
	period(n, "audit", s.Audit)
	n.addTexts("legal_hold", s.Hold)
	return n
}
