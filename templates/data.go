package templates

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"supportd/tickets"
)

// Data given to templates is made here, by two functions that share nothing but commonData: what tickets.PublicView
// does not hold cannot reach a customer (P5). Values are strings, ints, bools, and lists of strings or of maps of these;
// nothing has a method or is a pointer (S-115). All strings are cleaned (S-144).

// Bounds of what is shown of other people's texts. All of them together are less than what Gmail shows of a page (102 KB),
// and far less than maxOutput: no text, however long, keeps a mail from being made.
const (
	maxLineRunes = 2000
	maxListed    = 50 // entries of a list
)

// extent is how much is shown of a text.
type extent struct {
	lines  int
	octets int // as HTML
}

func textExtent() extent      { return extent{400, 32 << 10} }
func sentExtent() extent      { return extent{400, 24 << 10} }
func quoteExtent() extent     { return extent{20, 12 << 10} }
func checklistExtent() extent { return extent{100, 8 << 10} }
func formExtent() extent      { return extent{15, 8 << 10} }

func (s *Set) commonData(p *phrases, lang, desk, address, number, subject string) map[string]any {
	number = clip(cleanLine(number), maxName)
	subject = cleanSubject(subject, number)
	if subject == "" {
		subject = p.fill("subject.none", nil)
	}
	data := make(map[string]any, 40)
	data["language"] = lang
	data["desk"] = shown(desk, maxName)
	data["desk_address"] = clip(cleanLine(address), maxValue)
	data["number"] = number
	data["subject"] = isolated(subject)
	data["marker"] = p.texts["marker"].source
	return data
}

// publicData is what templates for customers see. uses names the variables that the template shows, and only those are
// made; nil means all.
func (s *Set) publicData(sp spec, uses map[string]bool, lang string, v tickets.PublicView) map[string]any {
	p := s.phrases[lang]
	data := s.commonData(p, lang, v.Desk, v.DeskAddress, v.Number, v.Subject)
	shows := func(names ...string) bool {
		return uses == nil || slices.ContainsFunc(names, func(n string) bool { return uses[n] })
	}
	form := s.opts.AddressForm[lang]
	informal := form == "du" || form == "first_name"
	name := cleanName(v.Requester)
	data["informal"] = informal
	data["requester"] = isolated(name)
	data["greeting"] = p.greeting(name, informal)
	data["agent"] = isolated(cleanName(v.Agent))
	data["signature"] = cleanText(v.Signature)
	data["footer"] = s.look.footer(lang)
	data["follow_up_of"] = shown(v.FollowUpOf, maxName)
	if shows("questions") {
		data["questions"] = p.questions(v.Questions)
	}
	if shows("text") {
		data["text"] = cleanText(v.Text)
	}
	if shows("quote") {
		data["quote"] = p.cut(cleanText(v.Quote), quoteExtent())
	}
	if shows("quote_from", "quote_at", "quote_line") {
		from, at := isolated(clip(harmless(cleanLine(v.QuoteFrom)), maxName)), p.moment(v.QuoteAt, v.Zone, "dated")
		data["quote_from"] = from
		data["quote_at"] = at
		data["quote_line"] = p.dated("quote", from, at)
	}
	if shows("promised_by") {
		data["promised_by"] = p.moment(v.PromisedBy, v.Zone, "long")
	}
	if shows("reopen_until") {
		data["reopen_until"] = p.moment(v.ReopenUntil, v.Zone, "long")
	}
	if v.State != "" && shows("standing") {
		data["standing"] = p.fill("standing."+string(v.State), nil)
	} else if shows("standing") {
		data["standing"] = ""
	}
	if shows("appointment") {
		data["appointment"] = p.moment(v.Appointment, v.Zone, "long")
	}
	if shows("answer_by") {
		data["answer_by"] = p.moment(v.AnswerBy, v.Zone, "long")
	}
	if sp.only == nil {
		return data
	}
	allowed := make(map[string]any, len(sp.only))
	for _, name := range sp.only {
		if value, ok := data[name]; ok {
			allowed[name] = value
		}
	}
	return allowed
}

// questions are what a customer is asked, as numbered sentences.
func (p *phrases) questions(names []string) []string {
	list := make([]string, 0, len(names))
	for i, name := range names {
		list = append(list, strconv.Itoa(i+1)+". "+p.fill("question."+name, nil))
	}
	return list
}

func (p *phrases) greeting(name string, informal bool) string {
	key := "greeting"
	if informal {
		key += ".informal"
		name, _, _ = strings.Cut(name, " ")
	}
	if name == "" {
		return p.fill(key+".nameless", nil)
	}
	return p.fill(key, map[string]string{"name": isolated(name)})
}

// dated is the line above somebody's text; "" when nobody is known.
func (p *phrases) dated(key, from, at string) string {
	switch {
	case from == "":
		return ""
	case at == "":
		return p.fill(key+".undated", map[string]string{"from": from})
	}
	return p.fill(key+".dated", map[string]string{"from": from, "at": at})
}

// cut keeps the beginning of a text and says how many lines are left out.
func (p *phrases) cut(lines []string, e extent) []string {
	octets := 0
	for i, line := range lines {
		line = clip(line, maxLineRunes)
		for j := range len(line) {
			octets++
			if strings.IndexByte(`&<>"'`, line[j]) >= 0 {
				octets += len("&#34;") - 1
			}
		}
		if i >= e.lines || octets > e.octets {
			return append(lines[:i:i], p.fill("text.cut", map[string]string{"count": strconv.Itoa(len(lines) - i)}))
		}
		octets += len("<br>")
		lines[i] = line
	}
	return lines
}

// internalData is what templates for staff see. Its error is about unknown line keys, and only when the set is strict.
func (s *Set) internalData(lang string, v tickets.InternalView) (map[string]any, error) {
	p := s.phrases[lang]
	if v.Restricted {
		v.Subject = p.fill("subject.restricted", nil)
	}
	data := s.commonData(p, lang, v.Desk, v.DeskAddress, v.Number, v.Subject)
	requester, address := isolated(cleanName(v.Requester.Name)), clip(cleanLine(v.Requester.Mail), maxValue)
	data["reply_line"] = p.replyLine(v, address)
	data["reply_is_public"] = v.ReplyIsPublic
	data["state"] = isolated(p.word("state", string(v.State)))
	data["team"] = shown(v.Team, maxName)
	data["tier"] = v.Tier
	data["priority"] = shown(v.Priority, maxName)
	data["category"], data["item"] = shown(v.Category, maxName), shown(v.Item, maxName)
	data["checklist"] = p.cut(cleanText(v.Checklist), checklistExtent())
	data["assignee"] = shown(v.Assignee, maxName)
	data["requester"] = requester
	data["requester_address"] = address
	data["organisation"], data["vip"] = shown(v.Organisation, maxName), v.VIP
	data["phone"], data["level"] = isolated(clip(harmless(cleanLine(v.Phone)), maxName)), shown(v.Level, maxName)
	data["speaks"] = isolated(p.word("language", v.Speaks))
	data["verified"] = v.Verified
	data["text"] = p.cut(cleanText(v.Text), textExtent())
	from, at := isolated(clip(harmless(cleanLine(v.TextFrom)), maxName)), p.moment(v.TextAt, v.Zone, "dated")
	data["text_from"] = from
	data["text_at"] = at
	data["text_line"] = p.dated("said", from, at)
	data["quoted"] = p.cut(cleanText(v.Quoted), quoteExtent())
	data["attachments"] = p.attachments(v.Attachments)
	data["warnings"] = p.warnings(v)
	deadlines := p.deadlines(v)
	data["deadlines"] = deadlines
	data["recent"] = p.recent(v)
	listed, err := p.listed(v.Listed, v.Zone)
	data["listed"], data["listed_count"] = listed, len(v.Listed)
	if err != nil && s.opts.Strict {
		return nil, err
	}
	groups, err := p.groups(v)
	data["groups"], data["count"] = groups, v.Count
	if err != nil && s.opts.Strict {
		return nil, err
	}
	similar, err := p.listed(v.Similar, v.Zone)
	data["similar"] = similar
	if err != nil && s.opts.Strict {
		return nil, err
	}
	suggestions, err := p.sentences(v.Suggestions, v.Zone)
	data["suggestions"] = suggestions
	if err != nil && s.opts.Strict {
		return nil, err
	}
	lines, headline, err := p.lines(v)
	if err != nil && s.opts.Strict {
		return nil, err
	}
	data["lines"] = lines
	data["headline"] = headline
	data["form"] = p.form(v.Form)
	data["sent"] = p.cut(cleanText(v.Sent), sentExtent())
	data["sent_to"] = strings.Join(shownLines(v.SentTo), ", ")
	data["commands"] = cleanLines(v.Commands)
	data["hints"] = p.hints(v.Hints)
	data["facts"] = p.facts(data, v, deadlines)
	return data, nil
}

func (p *phrases) replyLine(v tickets.InternalView, address string) string {
	if v.ReplyIsPublic {
		return p.fill("reply.public", map[string]string{"to": strings.Join(append([]string{isolated(address)}, first(shownLines(v.Copies))...), ", ")})
	}
	switch v.Mode {
	case "command", "note", "form", "consult":
		return p.fill("reply."+v.Mode, nil)
	case "no right":
		return p.fill("reply.no_right", nil)
	}
	return p.fill("reply.internal", nil)
}

// facts are the ticket at a glance. What is empty is left out.
func (p *phrases) facts(data map[string]any, v tickets.InternalView, deadlines []map[string]any) []map[string]any {
	facts := make([]map[string]any, 0, 14+len(deadlines))
	add := func(label, value string) {
		if value != "" {
			facts = append(facts, map[string]any{"label": label, "value": value})
		}
	}
	text := func(name string) string { return data[name].(string) }
	add(p.fill("label.number", nil), text("number"))
	if v.Subject != "" {
		add(p.fill("label.subject", nil), text("subject"))
	}
	who := strings.TrimSpace(text("requester") + " <" + isolated(text("requester_address")) + ">")
	if text("requester_address") == "" {
		who = text("requester")
	} else if text("requester") == "" {
		who = text("requester_address")
	}
	add(p.fill("label.requester", nil), who)
	organisation := text("organisation")
	if v.VIP {
		organisation = strings.TrimSpace(organisation + " (" + p.fill("fact.vip", nil) + ")")
	}
	add(p.fill("label.organisation", nil), organisation)
	add(p.fill("label.phone", nil), text("phone"))
	add(p.fill("label.speaks", nil), text("speaks"))
	add(p.fill("label.level", nil), text("level"))
	add(p.fill("label.copies", nil), strings.Join(first(shownLines(v.Copies)), ", "))
	add(p.fill("label.state", nil), text("state"))
	team := text("team")
	if team != "" && v.Tier > 0 {
		team = p.fill("fact.team_tier", map[string]string{"team": team, "tier": strconv.Itoa(v.Tier)})
	}
	add(p.fill("label.team", nil), team)
	assignee := text("assignee")
	if assignee == "" && team != "" {
		assignee = p.fill("fact.unassigned", nil)
	}
	add(p.fill("label.assignee", nil), assignee)
	priority := text("priority")
	if by := shown(v.PriorityBy, maxName); by != "" && priority != "" {
		args := map[string]string{"priority": priority, "by": by}
		if why := shown(v.PriorityWhy, maxValue); why != "" {
			args["reason"] = why
		}
		priority = p.fill("fact.priority_by", args)
	}
	add(p.fill("label.priority", nil), priority)
	add(p.fill("label.category", nil), text("category"))
	add(p.fill("label.item", nil), text("item"))
	for _, d := range deadlines {
		add(d["clock"].(string), d["text"].(string))
	}
	return facts
}

func (p *phrases) deadlines(v tickets.InternalView) []map[string]any {
	list := make([]map[string]any, 0, len(v.Deadlines))
	for _, d := range first(v.Deadlines) {
		due := p.moment(d.Due, v.Zone, "short")
		text := due
		if d.Over {
			text += " (" + p.fill("over", nil) + ")"
		}
		list = append(list, map[string]any{"clock": isolated(clip(harmless(p.word("clock", d.Clock)), maxName)), "due": due, "over": d.Over, "text": text})
	}
	return list
}

func (p *phrases) recent(v tickets.InternalView) []map[string]any {
	list := make([]map[string]any, 0, len(v.Recent))
	for _, r := range first(v.Recent) {
		list = append(list, map[string]any{
			"at":   p.moment(r.At, v.Zone, "short"),
			"who":  shown(r.Who, maxName),
			"what": shown(r.What, maxValue),
		})
	}
	return list
}

// groups are tickets below headings.
func (p *phrases) groups(v tickets.InternalView) (list []map[string]any, unknown error) {
	list = make([]map[string]any, 0, len(v.Groups))
	for _, g := range v.Groups {
		named, err := p.listed(g.Tickets, v.Zone)
		if err != nil {
			unknown = err
		}
		more := ""
		if left := len(g.Tickets) - len(named); left > 0 {
			more = p.fill("overview.more", map[string]string{"count": strconv.Itoa(left)})
		}
		list = append(list, map[string]any{"title": p.fill(g.Key, nil), "count": len(g.Tickets), "more": more, "tickets": named})
	}
	return list, unknown
}

// listed are tickets that a notice names.
func (p *phrases) listed(tickets []tickets.Listed, zone *time.Location) (list []map[string]any, unknown error) {
	list = make([]map[string]any, 0, len(tickets))
	for _, t := range first(tickets) {
		texts, err := p.sentences(t.Lines, zone)
		if err != nil {
			unknown = err
		}
		number := clip(cleanLine(t.Number), maxName)
		if t.Restricted {
			t.Subject = p.fill("subject.restricted", nil)
		}
		list = append(list, map[string]any{"number": number, "subject": isolated(cleanSubject(t.Subject, number)), "state": isolated(p.word("state", string(t.State))),
			"priority": shown(t.Priority, maxName), "assignee": shown(t.Assignee, maxName), "text": strings.Join(texts, " · "),
			"reply": clip(harmless(cleanLine(t.Reply)), maxValue)})
	}
	return list, unknown
}

// sentences are lines of which nothing is done or refused.
func (p *phrases) sentences(lines []tickets.Line, zone *time.Location) (texts []string, unknown error) {
	texts = make([]string, 0, len(lines))
	for _, l := range first(lines) {
		text, err := p.line(l, zone)
		if err != nil {
			unknown = err
		}
		texts = append(texts, text)
	}
	return texts, unknown
}

func (p *phrases) lines(v tickets.InternalView) (lines []map[string]any, headline string, unknown error) {
	lines = make([]map[string]any, 0, len(v.Lines))
	for i, l := range first(v.Lines) {
		text, err := p.line(l, v.Zone)
		if err != nil {
			unknown = err
		}
		mark := p.fill("mark.refused", nil)
		if l.OK {
			mark = p.fill("mark.done", nil)
		}
		if kind, _, _ := strings.Cut(l.Key, "."); kind == "list" || kind == "figure" || l.Key == "did.ticket" {
			mark = "" // what was asked for, not what was done
		}
		if i == 0 {
			headline = closed(clip(strings.TrimSuffix(firstSentence(text), "."), 80))
		}
		lines = append(lines, map[string]any{"ok": l.OK, "mark": mark, "text": text})
	}
	return lines, headline, unknown
}

// firstSentence ends at the first full stop with a blank behind it that belongs to no number: "Mo 30.11. 16:40" is one.
func firstSentence(text string) string {
	for i := 1; i+1 < len(text); i++ {
		if text[i] == '.' && text[i+1] == ' ' && (text[i-1] < '0' || text[i-1] > '9') {
			return text[:i]
		}
	}
	return text
}

func (p *phrases) attachments(files []tickets.Attachment) []map[string]any {
	list := make([]map[string]any, 0, len(files))
	for _, a := range first(files) {
		name, size := shown(a.Name, maxName), p.size(a.Size)
		key := "attachment"
		if a.Dangerous {
			key = "attachment.dangerous"
		}
		if a.Blocked {
			key = "attachment.blocked"
		}
		list = append(list, map[string]any{"name": name, "size": size, "type": shown(a.Type, maxName), "dangerous": a.Dangerous,
			"text": p.fill(key, map[string]string{"name": name, "size": size})})
	}
	return list
}

// warnings leaves out what the list of attachments says in better words: the bare name of a dangerous file. That a domain
// is another than it seems comes first.
func (p *phrases) warnings(v tickets.InternalView) []string {
	list := slices.DeleteFunc(shownLines(v.Warnings), func(w string) bool {
		return slices.ContainsFunc(v.Attachments, func(a tickets.Attachment) bool { return a.Dangerous && shown(a.Name, maxValue) == w })
	})
	if v.Lookalike == (tickets.Lookalike{}) {
		return list
	}
	args := map[string]string{"domain": shown(v.Lookalike.Domain, maxValue), "like": shown(v.Lookalike.Like, maxValue)}
	return append([]string{p.fill("warning.looks_like", args)}, list...)
}

// hints makes a sentence of a hint that is a bare ticket number.
func (p *phrases) hints(values []string) []string {
	list := shownLines(values)
	for i, h := range list {
		if !strings.Contains(h, " ") && strings.ContainsAny(h, "0123456789") {
			list[i] = p.fill("hint.ticket", map[string]string{"number": h})
		}
	}
	return list
}

func cleanLines(values []string) []string {
	list := make([]string, 0, len(values))
	for _, v := range first(values) {
		if v = clip(cleanLine(v), maxValue); v != "" {
			list = append(list, v)
		}
	}
	return list
}

// shownLines are values as they may stand in lines of ours.
func shownLines(values []string) []string {
	list := cleanLines(values)
	for i, v := range list {
		list[i] = isolated(v)
	}
	return list
}

// first bounds a list.
func first[T any](list []T) []T { return list[:min(len(list), maxListed)] }
