package config

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"supportd/classify"
	"supportd/tickets"
)

// Expand writes a configuration in the full form, with every default spelled out. Loaded from the same folder it gives
// the same Config. Passwords stay where they are: the file or variable is named.
func Expand(c *Config) ([]byte, error) {
	root := block()
	root.add("version", plain(strconv.Itoa(FormatVersion), "!!int"))

	org := block()
	org.add("name", text(c.Organisation))
	org.add("timezone", text(c.Zone.String()))
	org.add("languages", texts(c.Languages))
	org.addTexts("staff_domains", c.StaffDomains)
	for _, t := range []struct{ key, file string }{{"people", c.PeopleFile}, {"customers", c.CustomersFile}, {"cmdb", c.CMDBFile}} {
		if t.file != "" {
			org.add(t.key, text(c.relative(t.file)))
		}
	}
	root.add("organisation", org)

	boxes, brands, calendars, teams := block(), block(), block(), block()
	for _, m := range c.Mailboxes {
		boxes.add(m.Name, c.expandMailbox(m))
	}
	root.add("mailboxes", boxes)
	for _, b := range c.Brands {
		brands.add(b.Name, c.expandBrand(b))
	}
	root.add("brands", brands)
	for _, cal := range c.Calendars {
		calendars.add(cal.Name, expandCalendar(cal))
	}
	root.add("calendars", calendars)
	for _, t := range c.Teams {
		teams.add(t.Name, c.expandTeam(t))
	}
	root.add("teams", teams)
	c.expandTiers(root)
	c.expandClassification(root)
	c.expandQuestions(root)

	c.expandPromises(root)
	if c.Standard != "" {
		root.add("standard_answers", text(c.relative(c.Standard)))
	}
	if len(c.Answers) > 0 {
		answers := &node{Kind: yaml.SequenceNode}
		for _, a := range c.Answers {
			one := block()
			one.add("name", text(a.Name))
			one.add("match", expandMatch(&a.Match))
			one.add("send", text(c.relative(a.File)))
			one.add("keep_open", plain(strconv.FormatBool(!a.Solves), "!!bool"))
			answers.Content = append(answers.Content, one.yaml())
		}
		all := block()
		if l := c.AnswerLimit; l.N > 0 {
			all.add("limit", block().add("per_sender", text(rate{l.N, l.Within}.String())).add("per_ticket", plain("1", "!!int")))
		}
		root.add("auto_answers", all.add("answers", answers))
	}
	root.add("lifecycle", block().
		add("waiting_customer", c.expandWaiting()).
		add("duplicates", c.expandDuplicates()).
		add("solved", block().add("close_after", text(written(c.CloseAfter)))).
		add("reopen", block().
			add("within", text(written(c.ReopenWithin))).
			add("thanks_does_not_reopen", plain(strconv.FormatBool(!c.ThanksReopen), "!!bool")).
			add("limit", text(rate{c.ReopenLimit, 24 * time.Hour}.String()))))
	root.add("spam", expandSpam(c))
	root.add("retention", c.expandRetention())
	root.add("state", text(c.relative(c.State)))
	root.addText("listen", c.Listen)
	root.add("undo", text(written(c.Undo)))
	root.add("disk_floor", text(writtenSize(c.DiskFloor)))
	root.add("health", c.expandHealth())
	if c.Admin.Mail != "" {
		root.add("admin", address(c.Admin))
	}

	var b bytes.Buffer
	fmt.Fprintf(&b, "# The full form of %s: what supportd reads in it, with every default.\n", filepath.Base(c.Path))
	out, err := yaml.Dump(root.yaml(), yaml.WithIndent(2), yaml.WithLineWidth(-1))
	if err != nil {
		return nil, fmt.Errorf("write the full form: %w", err)
	}
	b.Write(out)
	return Format(b.Bytes())
}

func (c *Config) expandMailbox(m Mailbox) *node {
	n := block()
	n.add("imap", text(net.JoinHostPort(m.Host, strconv.Itoa(m.Port))))
	c.login(n, m.TLS, m.CAFile, m.User, m.Password, m.OAuth2)
	n.add("folder", text(m.Folder))
	n.add("poll", text(written(m.Poll)))
	n.add("after", text(m.After))
	n.addText("move_to", m.MoveTo)
	n.addText("sent", m.Sent)
	if m.SentCopies {
		n.add("sent_copies", plain("true", "!!bool"))
	}
	n.add("claim", text(cmp.Or(m.Claim, "none")))
	if len(m.Moves) > 0 {
		moves := &node{Kind: yaml.SequenceNode}
		for _, move := range m.Moves {
			one := block().add("folder", text(move.Folder)).add("do", text(move.Do))
			one.addText("team", move.Team)
			one.addText("by", move.By)
			moves.Content = append(moves.Content, one.yaml())
		}
		n.add("actions", moves)
	}
	n.addMirror(m.Mirror)
	if !m.Since.IsZero() {
		n.add("since", quoted(m.Since.Format(time.RFC3339)))
	}
	n.add("max_size", text(writtenSize(m.MaxSize)))
	n.add("brand", text(m.Brand))
	n.add("addresses", texts(m.Addresses))
	n.add("plus_addresses", plain(strconv.FormatBool(m.Plus), "!!bool"))
	n.add("trusted", plain(strconv.FormatBool(m.Trusted), "!!bool"))
	n.addText("sender_kind", m.SenderKind)
	return n
}

// login adds what mailboxes and SMTP servers have in common.
func (c *Config) login(n *node, tls, caFile, user string, password Secret, o *OAuth2) {
	n.add("tls", text(tls))
	if caFile != "" {
		n.add("ca_file", text(c.relative(caFile)))
	}
	n.addText("user", user)
	n.addText("password_file", password.file)
	if password.env != "" {
		n.add("password", quoted("${"+password.env+"}"))
	}
	if o != nil {
		n.add("oauth2", c.expandOAuth2(o))
	}
}

func (c *Config) expandOAuth2(o *OAuth2) *node {
	n := block().add("provider", text(o.Provider)).add("grant", text(string(o.Grant)))
	n.addText("tenant", o.Tenant)
	n.addText("client_id", o.ClientID)
	n.addText("client_secret_file", o.Secret.file)
	if o.Secret.env != "" {
		n.add("client_secret", quoted("${"+o.Secret.env+"}"))
	}
	if !o.SecretExpires.IsZero() {
		n.add("client_secret_expires", quoted(o.SecretExpires.Format(time.RFC3339)))
	}
	n.addText("service_account_file", o.Key.file)
	n.addText("token_url", o.TokenURL)
	n.addText("device_url", o.DeviceURL)
	n.addText("auth_url", o.AuthURL)
	n.addTexts("scopes", o.Scopes)
	if o.CAFile != "" {
		n.add("ca_file", text(c.relative(o.CAFile)))
	}
	return n
}

func (c *Config) expandHealth() *node {
	n := block()
	if c.Health.SMTP != nil {
		n.add("smtp", c.expandSMTP(*c.Health.SMTP))
	}
	return n.add("outbox_after", text(written(c.Health.OutboxAfter))).add("warn_before", text(written(c.Health.WarnBefore))).
		add("silence", plain(strconv.FormatBool(c.Health.TellOfSilence), "!!bool"))
}

func (c *Config) expandBrand(b Brand) *node {
	n := block()
	n.add("from", address(b.From))
	n.addText("agent_from", b.AgentFrom)
	n.add("smtp", c.expandSMTP(b.SMTP))
	if len(b.DKIM) > 0 {
		n.add("dkim", expandDKIM(b.DKIM))
	}
	n.add("ticket_prefix", text(b.TicketPrefix))
	if b.Templates != "" {
		n.add("templates", text(c.relative(b.Templates)))
	}
	form := block().add("de", text(b.AddressForm["de"])).add("en", text(b.AddressForm["en"]))
	form.Style = yaml.FlowStyle
	return n.add("address_form", form)
}

func expandDKIM(all []DKIM) *node {
	list := &node{Kind: yaml.SequenceNode}
	for _, s := range all {
		one := block().add("domain", text(s.Domain)).add("selector", text(s.Selector)).add("key_file", text(s.KeyFile))
		list.Content = append(list.Content, one.yaml())
	}
	return list
}

func (c *Config) expandSMTP(s SMTP) *node {
	smtp := block()
	smtp.add("server", text(net.JoinHostPort(s.Host, strconv.Itoa(s.Port))))
	c.login(smtp, s.TLS, s.CAFile, s.User, s.Password, s.OAuth2)
	var retry []string
	for _, d := range s.Retry {
		retry = append(retry, written(d))
	}
	smtp.add("retry", texts(retry))
	smtp.add("give_up", text(written(s.GiveUp)))
	return smtp.add("connections", plain(strconv.Itoa(s.Connections), "!!int"))
}

func (c *Config) expandTeam(t Team) *node {
	n := block().add("tier", plain(strconv.Itoa(t.Tier), "!!int"))
	members := &node{Kind: yaml.SequenceNode}
	for _, m := range t.Members {
		if !slices.ContainsFunc(c.People, func(p classify.Person) bool { return p.Mail == bare(m) && slices.Contains(p.Teams, t.Name) }) {
			members.Content = append(members.Content, address(m).yaml())
		}
	}
	if len(members.Content) > 0 {
		n.add("members", members)
	}
	n.addText("address", t.Address)
	if t.Lead.Mail != "" {
		n.add("lead", address(t.Lead))
	}
	n.add("calendar", texts(t.Calendars))
	n.addTexts("skills", t.Skills)
	if ola := expandOLA(t.OLA); ola != nil {
		n.add("ola", ola)
	}
	n.addText("on_call", t.OnCall)
	n.add("restricted", plain(strconv.FormatBool(t.Restricted), "!!bool"))
	return n
}

func expandCalendar(cal Calendar) *node {
	n := block()
	n.add("timezone", text(cal.Zone.String()))
	n.add("hours", expandHours(cal.Hours))
	n.addTexts("holidays", cal.Holidays)
	n.addText("holidays_ics", cal.File)
	if len(cal.Days) > 0 {
		days := block()
		for _, o := range cal.Days {
			name := o.From
			if o.To != o.From {
				name += ".." + o.To
			}
			days.addKey(quoted(name), expandIntervals(o.Hours))
		}
		n.add("days", days)
	}
	return n
}

// aroundTheClock reports whether every minute of a week is working time.
func aroundTheClock(week map[time.Weekday][]Interval) bool {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if !slices.Equal(week[day], []Interval{allDay}) {
			return false
		}
	}
	return true
}

// expandHours writes a week from Monday, with equal neighbours as spans.
func expandHours(week map[time.Weekday][]Interval) *node {
	if aroundTheClock(week) {
		return text("24/7")
	}
	names := []string{"mo", "tu", "we", "th", "fr", "sa", "su"}
	n := block()
	for i := 0; i < 7; {
		j := i + 1
		for j < 7 && slices.Equal(week[time.Weekday((i+1)%7)], week[time.Weekday((j+1)%7)]) {
			j++
		}
		if intervals := week[time.Weekday((i+1)%7)]; len(intervals) > 0 {
			name := names[i]
			if j > i+1 {
				name += "-" + names[j-1]
			}
			n.add(name, expandIntervals(intervals))
		}
		i = j
	}
	return n
}

func expandIntervals(intervals []Interval) *node {
	if len(intervals) == 0 {
		return text("closed")
	}
	l := &node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, iv := range intervals {
		l.Content = append(l.Content, quoted(iv.String()).yaml())
	}
	return l
}

func expandRemind(steps []Step) *node {
	n := block()
	for _, s := range steps {
		n.add(strconv.Itoa(s.Percent)+"%", texts(s.Notify))
	}
	return n
}

func expandSpam(c *Config) *node {
	n := block()
	n.addTexts("trust_auth_results_from", c.AuthservIDs)
	n.addTexts("trusted_hosts", c.TrustedHosts)
	if c.VerifyDKIM {
		n.add("verify_dkim", truth(true))
	}
	q := block()
	if c.ScoreAtLeast > 0 {
		q.add("score_at_least", plain(strconv.FormatFloat(c.ScoreAtLeast, 'f', -1, 64), "!!float"))
	}
	if c.Spam.OwnScore > 0 {
		q.add("own_score", plain(strconv.FormatFloat(c.Spam.OwnScore, 'f', -1, 64), "!!float"))
	}
	q.add("dmarc", text("fail")).add("spam_header", texts(verdictFields))
	s := c.Spam
	n.addTexts("allow", s.Allow)
	if s.PerSender > 0 {
		n.add("rate_limit", block().add("per_sender", text(rate{s.PerSender, s.Within}.String())).add("on_exceed", text(s.OnExceed)))
	}
	if s.DigestTo.Mail != "" {
		n.add("digest", block().add("to", address(s.DigestTo)).add("at", quoted(s.DigestAt)))
	}
	n.addTexts("blocked_attachments", s.Blocked)
	return n.add("quarantine", q).add("never_answer", texts([]string{"bulk", "list", "auto_submitted", "null_sender", "quarantined"}))
}

// relative is a path as it is written in the file.
func (c *Config) relative(p string) string {
	if rest, err := filepath.Rel(c.Dir, p); err == nil && filepath.IsLocal(rest) {
		return filepath.ToSlash(rest)
	}
	return p
}

// written is a duration as one writes it: 4h, 90s.
func written(d time.Duration) string {
	switch {
	case d%time.Hour == 0 && d > 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d%time.Minute == 0 && d > 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	case d%time.Second == 0:
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s"
}

func writtenSize(n int64) string {
	if n%1_000_000 == 0 && n > 0 {
		return strconv.FormatInt(n/1_000_000, 10) + "MB"
	}
	return strconv.FormatInt(n, 10) + "B"
}

// writtenAddress is an address as one writes it, the name in quotes where it needs them.
func writtenAddress(a tickets.Address) string {
	switch {
	case a.Name == "":
		return a.Mail
	case strings.ContainsAny(a.Name, `"\<>`):
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.Name) + `" <` + a.Mail + ">"
	}
	return a.Name + " <" + a.Mail + ">"
}

// node is a YAML node under construction.
type node yaml.Node

func (n *node) yaml() *yaml.Node { return (*yaml.Node)(n) }

func block() *node { return &node{Kind: yaml.MappingNode} }

func plain(value, tag string) *node { return &node{Kind: yaml.ScalarNode, Tag: tag, Value: value} }

func text(s string) *node { return plain(s, "!!str") }

func quoted(s string) *node {
	return &node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle}
}

func texts(values []string) *node {
	l := &node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, v := range values {
		l.Content = append(l.Content, text(v).yaml())
	}
	return l
}

func address(a tickets.Address) *node { return text(writtenAddress(a)) }

// add appends a key and returns n.
func (n *node) add(key string, value *node) *node { return n.addKey(text(key), value) }

func (n *node) addKey(key, value *node) *node {
	n.Content = append(n.Content, key.yaml(), value.yaml())
	return n
}

// addText and addTexts leave out what is empty.
func (n *node) addText(key, value string) {
	if value != "" {
		n.add(key, text(value))
	}
}

func (n *node) addTexts(key string, values []string) {
	if len(values) > 0 {
		n.add(key, texts(values))
	}
}

func (c *Config) expandDuplicates() *node {
	same, similar := block(), block()
	if c.SameText > 0 {
		same.add("within", text(written(c.SameText))).add("do", text("merge"))
	} else {
		same.add("do", text("nothing"))
	}
	if c.Similar > 0 {
		similar.add("threshold", number(c.Similar)).add("do", text("suggest"))
	} else {
		similar.add("do", text("nothing"))
	}
	return block().add("same_sender_same_text", same).add("similar", similar)
}

func (c *Config) expandWaiting() *node {
	var times []string
	for _, d := range c.Waiting.Remind {
		times = append(times, written(d))
	}
	n := block().add("remind", texts(times))
	if c.Waiting.After == 0 {
		n.add("then", text("nothing"))
	} else {
		n.add("then", text("solve")).add("after", text(written(c.Waiting.After)))
	}
	n.addText("calendar", c.Waiting.Calendar)
	return n
}
