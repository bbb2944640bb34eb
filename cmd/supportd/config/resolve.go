package config

import (
	"net"
	"slices"
	"strings"
	"time"

	"supportd/classify"
	"supportd/tickets"
)

// resolve brings the short and the full form together, checks what the keys say about each other, and fills cfg. It
// goes on after every error, so that all of them are told at once.
func (r *resolver) resolve(k *fileKeys) {
	if k.Version.given && k.Version.val != FormatVersion && r.findingsBelow(k.Version.at) == 0 {
		r.report("", k.Version.at, "write version: 1", "there is no version %d of the file format", k.Version.val)
	}
	r.mixed(k)
	r.organisation(k)
	r.calendars(k)
	r.mailboxes(k)
	r.brands(k)
	r.people(k)
	r.teams(k)
	r.moves(k)
	r.desk(k)
	r.customers(k)
	r.items(k)
	r.handover(k)
	r.vendors(k)
	r.promises(k)
	r.spam(k)
	r.digests(k)
	r.agents(k)
	r.priorities(k)
	r.categories(k)
	r.retention(k)
	r.routes(k)
	r.derive(k)
	r.rules(k)
	r.answers(k)
	r.questions(k)
	r.ownAddresses(k)
	r.authentication(k)
	r.busFactor(k)
}

// warn adds a finding that does not keep the configuration from being used.
func (r *resolver) warn(code string, at place, fix, format string, args ...any) {
	r.remark("", code, at, fix, format, args...)
}

// remark is warn with a mail that proves it. Beyond maxWarnings they are only counted.
func (r *resolver) remark(example, code string, at place, fix, format string, args ...any) {
	if r.warnings++; r.warnings > maxWarnings {
		return
	}
	before := len(r.findings)
	r.report(code, at, fix, format, args...)
	if len(r.findings) > before {
		r.findings[before].Warning, r.findings[before].Example = true, example
	}
}

// mixed refuses keys of the short form beside those of the full form that say the same.
func (r *resolver) mixed(k *fileKeys) {
	clash := func(short place, shortGiven bool, full string, fullGiven bool) {
		if shortGiven && fullGiven {
			r.report("E02", short, "keep one; supportd config expand prints the full form", "says the same as %s, which is given too", full)
		}
	}
	clash(k.Mailbox.at, k.Mailbox.given, "mailboxes", k.Mailboxes.given)
	clash(k.Mailbox.at, k.Mailbox.given, "brands", k.Brands.given)
	clash(k.From.at, k.From.given, "brands", k.Brands.given)
	clash(k.DKIM.at, k.DKIM.given, "brands", k.Brands.given)
	clash(k.Team.at, k.Team.given, "teams", k.Teams.given)
	clash(k.Hours.at, k.Hours.given, "calendars", k.Calendars.given)
	clash(k.Holidays.at, k.Holidays.given, "calendars", k.Calendars.given)
	clash(k.Timezone.at, k.Timezone.given, "organisation.timezone", k.Organisation.Timezone.given)
	clash(k.Language.at, k.Language.given, "organisation.languages", k.Organisation.Languages.given)
	clash(k.Languages.at, k.Languages.given, "organisation.languages", k.Organisation.Languages.given)
	clash(k.TrustAuth.at, k.TrustAuth.given, "spam.trust_auth_results_from", k.Spam.TrustAuth.given)
}

// organisation settles name, zone and languages.
func (r *resolver) organisation(k *fileKeys) {
	c := r.cfg
	c.Organisation = k.Organisation.Name.val
	c.StaffDomains = k.Organisation.StaffDomains.vals()
	c.Zone = time.UTC
	for _, zone := range []opt[*time.Location]{k.Organisation.Timezone, k.Timezone} {
		if zone.val != nil {
			c.Zone = zone.val
		}
	}
	languages := k.Organisation.Languages
	if k.Languages.given {
		languages = k.Languages
	}
	c.Languages = r.unique(languages.items, func(s string) string { return s })
	if len(c.Languages) == 0 {
		c.Languages = []string{"de", "en"}
	}
	if lang := k.Language; lang.val != "" {
		i := slices.Index(c.Languages, lang.val)
		if i < 0 && languages.given {
			r.report("E03", lang.at, "add it there, or choose one of them", "%q is not among languages (%s)", lang.val, strings.Join(c.Languages, ", "))
			return
		}
		if i >= 0 {
			c.Languages = slices.Delete(c.Languages, i, i+1)
		}
		c.Languages = slices.Insert(c.Languages, 0, lang.val)
	}
}

// unique returns the values of a list and reports those that stand in it twice.
func (r *resolver) unique(items []opt[string], key func(string) string) []string {
	var all []string
	for _, it := range items {
		if slices.ContainsFunc(all, func(s string) bool { return key(s) == key(it.val) }) {
			r.report("E02", it.at, "keep one of them", "%q stands here twice", it.val)
			continue
		}
		all = append(all, it.val)
	}
	return all
}

// calendars settles the calendars and which of them the targets are counted in.
func (r *resolver) calendars(k *fileKeys) {
	c := r.cfg
	if !k.Calendars.given {
		c.Calendar = ShortCalendar
		c.Calendars = []Calendar{{Name: ShortCalendar, Zone: c.Zone, Hours: k.Hours.week, Holidays: r.unique(k.Holidays.items, strings.ToUpper)}}
		return
	}
	for _, e := range k.Calendars.entries {
		cal := Calendar{Name: e.name, Zone: c.Zone, Hours: e.keys.Hours.week, Days: e.keys.Days.days,
			Holidays: r.unique(e.keys.Holidays.items, strings.ToUpper)}
		if e.keys.Timezone.val != nil {
			cal.Zone = e.keys.Timezone.val
		}
		cal.File, cal.Dated = e.keys.ICS.val, r.holidaysFile(e.keys.ICS)
		c.Calendars = append(c.Calendars, cal)
		if e.name == ShortCalendar || len(k.Calendars.entries) == 1 {
			c.Calendar = e.name
		}
	}
	for _, e := range k.ServiceLevels.entries {
		main := e.keys.Default.val || e.name == ShortLevel || len(k.ServiceLevels.entries) == 1
		if cal := e.keys.Calendar.val; c.Calendar == "" && main && slices.Contains(c.calendarNames(), cal) {
			c.Calendar = cal
		}
	}
	needed := k.FirstResponse.given || k.Resolve.given || !k.Teams.given
	for _, e := range k.Teams.entries {
		needed = needed || !e.keys.Calendar.given
	}
	if c.Calendar == "" && len(c.Calendars) > 0 && !needed {
		c.Calendar = c.Calendars[0].Name
	}
	if c.Calendar == "" && len(c.Calendars) > 0 {
		r.report("E03", k.Calendars.at, "call the one in which first_response and resolve are counted "+ShortCalendar,
			"none of the %d calendars is called %s", len(c.Calendars), ShortCalendar)
	}
}

// desk settles targets, life cycle, spam and the program's own keys.
func (r *resolver) desk(k *fileKeys) {
	c := r.cfg
	r.waiting(&k.Lifecycle.Waiting)
	r.life(&k.Lifecycle)
	c.CloseAfter, c.ReopenWithin = k.Lifecycle.Solved.CloseAfter.val, k.Lifecycle.Reopen.Within.val
	trust := k.Spam.TrustAuth
	if k.TrustAuth.given {
		trust = k.TrustAuth
	}
	c.AuthservIDs = r.unique(trust.items, strings.ToLower)
	c.TrustedHosts = r.unique(k.Spam.TrustedHosts.items, strings.ToLower)
	if len(c.TrustedHosts) == 0 {
		c.TrustedHosts = slices.Clone(c.AuthservIDs)
	}
	c.VerifyDKIM = k.Spam.VerifyDKIM.val
	c.ScoreAtLeast = k.Spam.Quarantine.ScoreAtLeast.val
	c.State = r.path(k.State.val)
	r.stateFolder(k.State)
	c.Listen, c.Undo, c.DiskFloor = k.Listen.val, k.Undo.val, k.DiskFloor.val
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && !isLoopback(host) {
		r.warn("", k.Listen.at, "write 127.0.0.1:PORT and put a web server with a login in front of it", "everybody who reaches %s can read the status page: it has no login", c.Listen)
	}
	c.Health = Health{PollFailure: k.SafetyNet.PollFailure.After.val, OutboxAfter: k.Health.OutboxAfter.val,
		WarnBefore: k.Health.WarnBefore.val, TellOfSilence: k.Health.Silence.val}
	if k.Health.SMTP.given {
		s := r.smtp(k.Health.SMTP, k.Health.SMTP.at)
		c.Health.SMTP = &s
	}
	c.Admin = k.Admin.val
	for _, t := range c.Teams {
		for _, a := range append([]tickets.Address{t.Lead}, t.Members...) {
			if c.Admin.Mail == "" {
				c.Admin = a
			}
		}
	}
	if c.Admin.Mail == "" && k.Teams.given && r.findingsBelow(k.Teams.at) == 0 {
		r.report("", place{path: "admin", line: k.Teams.at.line, col: k.Teams.at.col}, "write admin: name@domain", "is missing, as no team has members: nobody would be told when the desk itself has trouble")
	}
}

// isLoopback reports whether a host is this machine, whatever the network says.
func isLoopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// spam settles the part of the spam policy that the admin decides.
func (r *resolver) spam(k *fileKeys) {
	s, to := k.Spam, &r.cfg.Spam
	to.OwnScore = s.Quarantine.OwnScore.val
	to.Allow = r.unique(s.Allow.items, strings.ToLower)
	to.Blocked = r.unique(s.Blocked.items, strings.ToLower)
	if s.RateLimit.given {
		to.PerSender, to.Within, to.OnExceed = s.RateLimit.PerSender.val.n, s.RateLimit.PerSender.val.per, s.RateLimit.OnExceed.val
	}
	if _, ok := r.staff(s.Digest.To); ok && s.Digest.given {
		to.DigestTo, _ = r.person(s.Digest.To)
		to.DigestAt = s.Digest.At.val
	}
}

// staff is who a recipient is: a word such as assignee, or the address of one of the staff. ok is false when it was
// reported instead: what recipients get quotes customers, so nobody outside may be one by a slip of the pen (S-121).
func (r *resolver) staff(who opt[string]) (name string, ok bool) {
	if slices.Contains(recipients, who.val) {
		return who.val, true
	}
	a, ok := r.person(who, recipients...)
	if ok && !r.isStaff(bare(a)) {
		r.report("E03", who.at, "name a member, lead or address of a team, or admin", "%s is nobody of this desk", bare(a))
		return "", false
	}
	return bare(a), ok
}

// isStaff reports whether an address belongs to the people, to a team, to the admin or to a staff domain.
func (r *resolver) isStaff(address string) bool {
	address = strings.ToLower(address)
	if address == bare(r.cfg.Admin) {
		return true
	}
	_, domain, _ := strings.Cut(address, "@")
	if slices.Contains(r.cfg.StaffDomains, domain) {
		return true
	}
	if slices.ContainsFunc(r.cfg.People, func(p classify.Person) bool { return p.Mail == address }) {
		return true
	}
	return slices.ContainsFunc(r.cfg.Teams, func(t Team) bool {
		return address == t.Address || address == bare(t.Lead) ||
			slices.ContainsFunc(t.Members, func(m tickets.Address) bool { return bare(m) == address })
	})
}

// bare is the address alone, lower case.
func bare(a any) string {
	if addr, ok := a.(tickets.Address); ok {
		return strings.ToLower(addr.Mail)
	}
	return ""
}

// authentication warns when nobody can be told from somebody who only claims to be them.
func (r *resolver) authentication(k *fileKeys) {
	if len(r.cfg.AuthservIDs) > 0 || r.cfg.VerifyDKIM || k.TrustAuth.given || k.Spam.TrustAuth.given {
		return
	}
	var names []string
	for _, m := range r.cfg.Mailboxes {
		if !m.Trusted {
			names = append(names, m.Name)
		}
	}
	if len(names) == 0 {
		return
	}
	at, key := k.Mailboxes.at, "spam: {trust_auth_results_from: NAME}"
	if k.Mailbox.given {
		at, key = k.Mailbox.at, "trust_auth_results_from: NAME"
	}
	r.warn("", at, "write "+key+", NAME being the first word of the Authentication-Results field that your mail server puts above every mail; or trusted: true in the mailbox if only people who logged in can write to it; or spam: {verify_dkim: true}, when your server writes no such field",
		"nothing says who authenticates senders, so agents' answers and commands from %s will be held", strings.Join(names, ", "))
}
