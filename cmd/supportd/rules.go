package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"supportd/classify"
	"supportd/cmd/supportd/config"
	"supportd/mailin"
	"supportd/mailout"
	"supportd/templates"
	"supportd/tickets"
)

// buildRules makes what the desk obeys out of what the configuration says. Everything is built, and every template
// tried, before anything is swapped.
func buildRules(c *config.Config) (*tickets.Rules, error) {
	classifier, err := buildClassifier(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Path, err)
	}
	return rulesWith(c, classifier)
}

// rulesWith are the rules of a configuration with a classifier for it.
func rulesWith(c *config.Config, classifier *classify.Classifier) (*tickets.Rules, error) {
	renderer, err := buildRenderer(c)
	if err != nil {
		return nil, err
	}
	hours, err := buildCalendar(c)
	if err != nil {
		return nil, err
	}
	patience, err := calendarNamed(c, c.Waiting.Calendar)
	if err != nil {
		return nil, err
	}
	r := &tickets.Rules{
		Rev: c.Rev, Zone: c.Zone, Languages: c.Languages,
		Brands: map[string]tickets.Brand{}, Mailboxes: map[string]tickets.Intake{},
		Teams: map[string]tickets.Team{}, Agents: map[string]tickets.Agent{}, DefaultTeam: c.Intake,
		Admin: c.Admin.Mail, CloseAfter: c.CloseAfter, ReopenWithin: c.ReopenWithin, Undo: c.Undo,
		Waiting:    tickets.Waiting{Remind: c.Waiting.Remind, After: c.Waiting.After, Calendar: patience},
		Duplicates: tickets.Duplicates{Within: c.SameText, Similar: c.Similar}, ThanksReopen: c.ThanksReopen,
		Limits: tickets.DefaultLimits(), Retention: c.Retention.Retention, Calendar: hours, Answers: map[string]tickets.Answer{},
		Classifier: classifier, Marks: renderer.marks(), Renderer: renderer, Composer: composer(c),
	}
	if c.Health.SMTP != nil {
		r.HealthServer = healthServer
	}
	for _, b := range c.Brands {
		r.Brands[b.Name] = tickets.Brand{
			Name: b.Name, Desk: firstOf(b.From.Name, c.Organisation, b.From.Mail), From: b.From, AgentName: agentName(b),
			Server: b.Name, Prefix: b.TicketPrefix, Plus: plus(c, b.Name),
		}
	}
	for _, m := range c.Mailboxes {
		r.Mailboxes[m.Name] = tickets.Intake{Brand: m.Brand, Trusted: m.Trusted, Monitoring: m.SenderKind == "monitoring", MaxSize: m.MaxSize, Copies: m.SentCopies, Mirror: m.Mirror}
		for _, move := range m.Moves {
			r.Mailboxes[tickets.MovedTo(m.Name, move.Folder)] = tickets.Intake{Brand: m.Brand, MaxSize: m.MaxSize,
				Action: &tickets.FolderAction{Mailbox: m.Name, Folder: move.Folder, Do: move.Do, Team: move.Team, Agent: move.By}}
		}
		if m.Sent != "" {
			r.Mailboxes[tickets.SentOf(m.Name)] = tickets.Intake{Brand: m.Brand, MaxSize: m.MaxSize, Sent: true}
		}
	}
	for _, p := range c.People {
		r.Agents[p.Mail] = tickets.Agent{Address: p.Mail, Name: firstOf(p.Name, nameFrom(p.Mail)), Language: p.Language}
	}
	for _, t := range c.Teams {
		team := tickets.Team{Name: t.Name, Tier: t.Tier, Address: strings.ToLower(t.Address), Lead: strings.ToLower(t.Lead.Mail), Restricted: t.Restricted}
		for _, m := range t.Members {
			address := strings.ToLower(m.Mail)
			team.Members = append(team.Members, address)
			if _, known := r.Agents[address]; !known {
				r.Agents[address] = tickets.Agent{Address: address, Name: firstOf(m.Name, nameFrom(address))}
			}
		}
		for _, s := range t.Skills {
			team.Skills = append(team.Skills, strings.ToLower(s))
		}
		r.Teams[t.Name] = team
	}
	if err := buildTiers(c, r); err != nil {
		return nil, err
	}
	if r.Standard, err = buildStandard(c, renderer); err != nil {
		return nil, err
	}
	for _, a := range c.Answers {
		r.Answers[a.Name] = tickets.Answer{Name: a.Name, Text: map[string]string{"": a.Text}, Solves: a.Solves}
	}
	r.Help = tickets.Help{PerSender: c.AnswerLimit.N, Within: c.AnswerLimit.Within}
	if err := buildPromises(r, c); err != nil {
		return nil, err
	}
	nameThings(r, c)
	r.Spam = tickets.SpamPolicy{PerSender: c.Spam.PerSender, Within: c.Spam.Within, Blocked: c.Spam.Blocked, ListTo: strings.ToLower(c.Spam.DigestTo.Mail)}
	r.Unvouched = len(c.AuthservIDs) == 0 && !c.VerifyDKIM
	r.Spam.ListAt = sinceMidnight(c.Spam.DigestAt)
	for _, a := range c.Agents {
		if agent, ok := r.Agents[strings.ToLower(a.Who.Mail)]; ok {
			agent.Signature = a.Signature
			r.Agents[strings.ToLower(a.Who.Mail)] = agent
		}
	}
	r.Notices = tickets.Notices{AtMost: c.Notices.AtMost, Within: c.Notices.Within}
	r.Overviews = tickets.Overviews{Personal: daily(c.Digests.Personal), Leads: daily(c.Digests.Leads)}
	r.Limits.ReopensPerDay = c.ReopenLimit
	return r, nil
}

func daily(d config.Digest) tickets.Daily {
	return tickets.Daily{On: d.On, At: sinceMidnight(d.At), NotFor: d.NotFor}
}

// sinceMidnight is a time of day such as 07:30; what is none is midnight.
func sinceMidnight(clock string) time.Duration {
	at, err := time.Parse("15:04", clock)
	if err != nil {
		return 0
	}
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
}

// nameThings says what people can name in commands, and read in mails.
func nameThings(r *tickets.Rules, c *config.Config) {
	for _, k := range c.Categories {
		r.Categories = append(r.Categories, tickets.CategoryChoice{Name: k.Name, Labels: k.Labels})
	}
	r.Questions = c.Questions
	r.PriorityNames, r.Checklists = c.PriorityNames, c.Checklists
}

// plus reports whether a brand's reply addresses may carry a token: the mailbox of its address must take them.
func plus(c *config.Config, brand string) bool {
	for _, m := range c.Mailboxes {
		if m.Brand == brand && !m.Plus {
			return false
		}
	}
	return true
}

// agentName makes the display name of an agent's answers.
func agentName(b config.Brand) func(tickets.Agent) string {
	if b.AgentFrom == "" {
		return nil
	}
	return func(a tickets.Agent) string {
		first, _, _ := strings.Cut(a.Name, " ")
		return strings.NewReplacer(
			"{{.Agent.FirstName}}", first, "{{ .Agent.FirstName }}", first,
			"{{.Agent.Name}}", a.Name, "{{ .Agent.Name }}", a.Name).Replace(b.AgentFrom)
	}
}

// nameFrom makes a name out of an address: anna.berg@x is Anna Berg.
func nameFrom(address string) string {
	local, _, _ := strings.Cut(address, "@")
	words := strings.FieldsFunc(local, func(r rune) bool { return r == '.' || r == '_' || r == '-' })
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}

// reservedNames are those that nobody but the desk may bear in a mail of ours.
func reservedNames(c *config.Config) []string {
	var names []string
	for _, b := range c.Brands {
		if b.From.Name != "" {
			names = append(names, b.From.Name)
		}
	}
	return names
}

func buildRenderer(c *config.Config) (brandRenderer, error) {
	sets := map[string]*templates.Set{}
	shared := map[string]*templates.Set{} // brands with the same texts have them once
	var faults []error
	for _, b := range c.Brands {
		same := fmt.Sprintf("%q %q", b.Templates, b.AddressForm)
		if shared[same] == nil {
			var overrides fs.FS
			if b.Templates != "" {
				overrides = os.DirFS(b.Templates)
			}
			set, err := templates.Load(overrides, templates.Options{Languages: c.Languages, AddressForm: b.AddressForm, Answers: standardFolder(c), Folder: beside(c, b.Templates)})
			if err != nil {
				faults = append(faults, err)
				continue
			}
			shared[same] = set
		}
		sets[b.From.Mail] = shared[same]
	}
	return brandRenderer(sets), errors.Join(faults...)
}

// beside is how the names of a folder's files begin, as one says them beside the configuration file.
func beside(c *config.Config, folder string) string {
	if rest, err := filepath.Rel(c.Dir, folder); err == nil && filepath.IsLocal(rest) {
		folder = filepath.ToSlash(rest)
	}
	return folder + "/"
}

// brandRenderer renders with the texts of the brand that speaks.
type brandRenderer map[string]*templates.Set

// marks are those of the notices of all brands.
func (b brandRenderer) marks() (all tickets.Marks) {
	for _, address := range slices.Sorted(maps.Keys(b)) {
		m := b[address].Marks()
		all.Sentences, all.Labels = append(all.Sentences, m.Sentences...), append(all.Labels, m.Labels...)
	}
	return all
}

// Public implements tickets.Renderer.
func (b brandRenderer) Public(name string, v tickets.PublicView) (tickets.Rendered, error) {
	return b.of(v.DeskAddress).Public(name, v)
}

// Internal implements tickets.Renderer.
func (b brandRenderer) Internal(name string, v tickets.InternalView) (tickets.Rendered, error) {
	return b.of(v.DeskAddress).Internal(name, v)
}

// Vendor implements tickets.Renderer.
func (b brandRenderer) Vendor(name string, v tickets.VendorView) (tickets.Rendered, error) {
	return b.of(v.DeskAddress).Vendor(name, v)
}

func (b brandRenderer) of(address string) *templates.Set {
	if set, ok := b[address]; ok {
		return set
	}
	for _, address := range slices.Sorted(maps.Keys(b)) {
		return b[address]
	}
	return nil
}

// buildClassifier makes what decides about mails by a configuration, for tools: with what the desk has learnt and stored.
func buildClassifier(c *config.Config) (*classify.Classifier, error) {
	cc := c.Classification()
	scorer, err := configScorer(cc, c.State)
	if err != nil {
		return nil, err
	}
	if cc.SpamAtLeast > 0 {
		spam, err := newSpamOpinion(c.State)
		if err != nil && spam == nil {
			return nil, err
		}
		cc.Spam = spam
	}
	return classifierWith(cc, scorer)
}

func classifierWith(cc classify.Config, s classify.Scorer) (*classify.Classifier, error) {
	cc.Scorer = s
	return classify.New(cc)
}

// acting are the folders of a mailbox in which moving is an action.
func acting(m config.Mailbox) []string {
	var folders []string
	for _, move := range m.Moves {
		folders = append(folders, move.Folder)
	}
	return folders
}

// mailboxConfig is what a Poller needs to know of a mailbox.
func mailboxConfig(m config.Mailbox, a *accounts) mailin.Config {
	return mailin.Config{
		Name: m.Name, Host: m.Host, Port: m.Port, TLS: mailin.TLSMode(m.TLS), User: m.User, CAFile: m.CAFile,
		Password: func() (string, error) { return m.Password.Reveal(), nil }, Token: a.token(mailboxUse(m)),
		Folder: m.Folder, Poll: m.Poll, After: mailin.After(m.After), MoveTo: m.MoveTo, Since: m.Since, MaxSize: m.MaxSize, Claim: m.Claim, Sent: m.Sent, Acting: acting(m), Mirrored: m.Mirror,
	}
}

// healthServer is what the Sender calls the second way out for mails about the desk's health; no brand can be called so.
const healthServer = "(health)"

// serverConfigs is what the Sender needs to know of every SMTP server, by name.
func serverConfigs(c *config.Config, a *accounts) map[string]mailout.Server {
	servers := map[string]mailout.Server{}
	for _, b := range c.Brands {
		servers[b.Name] = brandServer(b, a)
	}
	if s := c.Health.SMTP; s != nil {
		servers[healthServer] = serverConfig(healthServer, *s, a.token(healthUse(*s)))
	}
	return servers
}

func brandServer(b config.Brand, a *accounts) mailout.Server {
	return serverConfig(b.Name, b.SMTP, a.token(brandUse(b)))
}

func serverConfig(name string, s config.SMTP, token tokenFunc) mailout.Server {
	return mailout.Server{
		Name: name, Host: s.Host, Port: s.Port, TLS: mailout.TLS(s.TLS), User: s.User, Password: s.Password.Reveal(), Token: token,
		CAFile: s.CAFile, Retry: s.Retry, GiveUp: s.GiveUp, Connections: s.Connections,
	}
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
