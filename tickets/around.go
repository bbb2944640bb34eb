package tickets

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What a notice about a customer's mail says beside it: who they are, what reads like it, what may be done. It only
// tells; nothing is decided by it.

// usefulCommands are the three that are most likely wanted next.
func usefulCommands(t *Ticket) []string {
	switch t.State {
	case StateSolved, StateClosed:
		return []string{"#reopen", "#note", "#show"}
	case StateHandedOver:
		return []string{"#take", "#return", "#note"}
	case StateWaitingVendor:
		return []string{"#solve", "#note", "#show"}
	case StateScheduled:
		return []string{"#solve", "#schedule", "#note"}
	}
	if t.Assignee == "" {
		return []string{"#take", "#solve", "#note"}
	}
	return []string{"#solve", "#pending", "#note"}
}

// around is what is known beside the mail that is being decided about, the same for every reader but for the language.
type around struct {
	d        *decider
	vip      bool
	phone    string
	answer   *StandardAnswer // fits what the customer wrote; nil for none
	team     string          // of a higher tier, which has solved such tickets
	solvedBy int             // so many of those that are named
}

// around gathers it. It is complete for a new ticket; for a mail on an old one it is about the person.
func (d *decider) around() *around {
	c := &around{d: d}
	t := d.out.Ticket
	if d.m == nil || d.m.Author == "" || !t.participant(d.m.Author) {
		return c
	}
	c.vip, c.phone = d.out.Verdict.Customer.VIP, phoneIn(d.m.Signature)
	if d.out.New {
		c.answer = d.r.fittingAnswer(d.k.words, t)
		c.team, c.solvedBy = solvers(d.r.tellableSimilar(d.k.Similar, t), t)
	}
	return c
}

// fill completes one reader's view.
func (c *around) fill(v *InternalView) {
	d, t := c.d, c.d.out.Ticket
	v.VIP, v.Phone = c.vip, c.phone
	if !d.out.New {
		return
	}
	for _, s := range d.r.tellableSimilar(d.k.Similar, t) {
		v.Similar = append(v.Similar, s.listed())
	}
	if b := d.k.Burst; b != nil && b.Led != "" {
		v.Suggestions = append(v.Suggestions, Line{Key: "suggest.major", Args: map[string]string{"number": b.Led}})
	}
	if asks := d.asks(); len(asks) > 0 {
		v.Suggestions = append(v.Suggestions, Line{Key: "suggest.asked", Args: map[string]string{"asked": strings.Join(asks, ", ")}})
	}
	if line, ok := c.category(v.Language); ok {
		v.Suggestions = append(v.Suggestions, line)
	}
	if c.team != "" {
		v.Suggestions = append(v.Suggestions, Line{Key: "suggest.team", Args: map[string]string{"team": c.team, "count": strconv.Itoa(c.solvedBy)}})
		v.Commands = mostUseful("#escalate "+c.team, v.Commands)
	}
	if c.answer != nil {
		title := firstNonEmpty(c.answer.Title[v.Language], c.answer.Title[t.Language])
		v.Suggestions = append(v.Suggestions, Line{Key: "suggest.answer", Args: map[string]string{"name": c.answer.Name, "title": title}})
		v.Commands = mostUseful("#send "+c.answer.Name, v.Commands)
	}
}

// mostUseful puts a command behind the first of three; the second last one gives way.
func mostUseful(command string, list []string) []string {
	return slices.Insert(slices.Clone(list[:2]), 1, command)
}

// category says what the desk takes the mail to be about, how sure it is of that, and who gets it on escalation.
func (c *around) category(language string) (Line, bool) {
	found := c.d.out.Verdict.Category
	if found.Name == "" {
		return Line{}, false
	}
	args := map[string]string{"name": c.d.r.categoryName(found.Name, language)}
	if found.Probability > 0 {
		args["percent"] = strconv.Itoa(int(math.Round(100 * found.Probability)))
	}
	if found.RunnerUp != "" && found.RunnerUpScore > 0 && 2*found.RunnerUpScore >= found.Score {
		args["other"] = c.d.r.categoryName(found.RunnerUp, language)
	}
	if team := c.d.r.SecondTier[found.Name]; team != c.d.out.Ticket.Team {
		args["team"] = team
	}
	return Line{Key: "suggest.category", Args: args}, true
}

// categoryName is a category as people read it.
func (r *Rules) categoryName(name, language string) string {
	for _, k := range r.Categories {
		if k.Name == name {
			return firstNonEmpty(k.Labels[language], name)
		}
	}
	return name
}

// solvers is the team of a higher tier that has solved most of the tickets which read like this one, if it was more than
// one of them.
func solvers(list []Similar, t *Ticket) (team string, count int) {
	solved := map[string]int{}
	for _, s := range list {
		if s.Tier > t.Tier && !s.SolvedAt.IsZero() && !s.State.Live() {
			solved[s.Team]++
		}
	}
	for _, name := range sorted(mapKeys(solved)) {
		if solved[name] > max(1, count) {
			team, count = name, solved[name]
		}
	}
	return team, count
}

// listed is a similar ticket as a notice names it.
func (s Similar) listed() Listed {
	l := Line{Key: "similar.open", Args: map[string]string{"team": s.Team}}
	if !s.State.Live() {
		l = Line{Key: "similar.solved", Args: map[string]string{"team": s.Team, "since": formatTime(s.SolvedAt), "text": s.Resolution}}
	}
	return Listed{Number: s.Number, Subject: s.Subject, State: s.State, Lines: []Line{l}}
}

// fittingAnswer is the standard answer whose name or title has most in common with what the customer wrote: a word of its
// name, or two of its title. Words of the category's name count too.
func (r *Rules) fittingAnswer(words []uint32, t *Ticket) *StandardAnswer {
	var best *StandardAnswer
	most := 0
	words = append(slices.Clone(words), unusualWords(t.Category)...)
	for _, name := range sorted(mapKeys(r.Standard)) {
		a := r.Standard[name]
		title := firstNonEmpty(a.Title[t.Language], a.Title[r.language()])
		points := 2*common(words, unusualWords(name)) + common(words, unusualWords(title))
		if points >= 2 && points > most {
			best, most = a, points
		}
	}
	return best
}

func common(a, b []uint32) (n int) {
	for _, w := range b {
		if slices.Contains(a, w) {
			n++
		}
	}
	return n
}

// phonePattern is a telephone number with what stands before one in signatures, or an international one.
var phonePattern = regexp.MustCompile(`(?i)(?:\b(?:tel(?:efon|ephone)?|fon|phone|mobil[e]?|handy|durchwahl|direct)\b[.: ]*|(?:^|\s))((?:\+|0)[0-9][0-9 ()/.\-–]{5,22}[0-9])(?:\s|$)`)

// phoneIn finds a telephone number in a signature; "" for none. A fax machine's is none.
func phoneIn(signature string) string {
	const enough = 2 << 10
	for line := range strings.Lines(signature[:min(len(signature), enough)]) {
		if strings.Contains(strings.ToLower(line), "fax") || !strings.ContainsAny(line, "0123456789") {
			continue
		}
		if m := phonePattern.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			return m[1]
		}
	}
	return ""
}
