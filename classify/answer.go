package classify

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"supportd/tickets"
)

func (t Text) empty() bool { return len(t.Words) == 0 && len(t.Contains) == 0 && t.Regex == "" }

// answerRule is an Answer ready for use.
type answerRule struct {
	name                  string
	subject, body, either textRule
}

type textRule struct {
	set      bool
	words    []string // normalised, blanks around
	contains []string // normalised
	regex    *regexp.Regexp
}

func compileAnswer(a Answer) (answerRule, error) {
	rule := answerRule{name: a.Name}
	if a.Name == "" {
		return rule, errors.New("check auto_answers: an answer has no name")
	}
	if a.Match.Subject.empty() && a.Match.Body.empty() && a.Match.Text.empty() {
		return rule, fmt.Errorf("check auto_answers: %s has an empty match, which would fit every mail", a.Name)
	}
	for _, part := range []struct {
		text Text
		rule *textRule
	}{{a.Match.Subject, &rule.subject}, {a.Match.Body, &rule.body}, {a.Match.Text, &rule.either}} {
		r, err := compileText(part.text)
		if err != nil {
			return rule, fmt.Errorf("check auto_answers: %s: %w", a.Name, err)
		}
		*part.rule = r
	}
	return rule, nil
}

func compileText(t Text) (textRule, error) {
	r := textRule{set: !t.empty()}
	for _, w := range t.Words {
		n := normalise(w)
		if n == "" {
			return r, fmt.Errorf("%q has no letter or digit to look for", w)
		}
		r.words = append(r.words, " "+n+" ")
	}
	for _, c := range t.Contains {
		n := normalise(c)
		if n == "" {
			return r, fmt.Errorf("%q has no letter or digit to look for", c)
		}
		r.contains = append(r.contains, n)
	}
	if t.Regex != "" {
		re, err := regexp.Compile(t.Regex)
		if err != nil {
			return r, fmt.Errorf("read regex: %w", err)
		}
		r.regex = re
	}
	return r, nil
}

// maxMatched bounds how much of a text automatic answers are looked for in.
const maxMatched = 64 << 10

// matches reports whether a text satisfies the rule, and what it was that fitted.
func (r textRule) matches(raw, normal string) (what string, ok bool) {
	var fitted []string
	if len(r.words) > 0 {
		w, ok := firstIn(" "+normal+" ", r.words)
		if !ok {
			return "", false
		}
		fitted = append(fitted, fmt.Sprintf("the words %q", strings.TrimSpace(w)))
	}
	if len(r.contains) > 0 {
		c, ok := firstIn(normal, r.contains)
		if !ok {
			return "", false
		}
		fitted = append(fitted, fmt.Sprintf("%q", c))
	}
	if r.regex != nil {
		if !r.regex.MatchString(raw) {
			return "", false
		}
		fitted = append(fitted, "the regex "+r.regex.String())
	}
	return strings.Join(fitted, " and "), true
}

func firstIn(s string, list []string) (string, bool) {
	for _, w := range list {
		if strings.Contains(s, w) {
			return w, true
		}
	}
	return "", false
}

// answer finds the automatic answer that fits, unless none may be given. A message on a ticket is never answered by a
// text of the rules: somebody is on it already.
func (k *Classifier) answer(m *tickets.Message, h tickets.Hints, v *tickets.Verdict) {
	if len(k.answers) == 0 || v.NoAnswer != "" || v.Quarantine != "" || h.OnTicket {
		return
	}
	body := m.Reply
	if len(body) > maxMatched {
		body = strings.ToValidUTF8(body[:maxMatched], "")
	}
	subject, text := normalise(m.Subject), normalise(body)
	for _, r := range k.answers {
		if why, ok := r.fits(m.Subject, subject, body, text); ok {
			v.AutoAnswer = r.name
			because(v, "auto_answer", r.name, why)
			return
		}
	}
}

func (r answerRule) fits(subject, normalSubject, body, normalBody string) (string, bool) {
	var why []string
	if r.subject.set {
		what, ok := r.subject.matches(subject, normalSubject)
		if !ok {
			return "", false
		}
		why = append(why, "the subject has "+what)
	}
	if r.body.set {
		what, ok := r.body.matches(body, normalBody)
		if !ok {
			return "", false
		}
		why = append(why, "the text has "+what)
	}
	if r.either.set {
		// A line of its own between the two, so that no phrase spans both.
		what, ok := r.either.matches(subject+"\n"+body, normalSubject+" \n "+normalBody)
		if !ok {
			return "", false
		}
		why = append(why, "subject or text has "+what)
	}
	return strings.Join(why, ", "), true
}

// normalise makes texts comparable (domain.md S8): NFKC, lower case, ä=ae, ö=oe, ü=ue, ß=ss, accents kept, everything
// that is neither letter nor digit a single blank. "Drucker-Problem" so has the words "drucker" and "problem".
func normalise(s string) string {
	s = strings.ToLower(norm.NFKC.String(s))
	var b strings.Builder
	b.Grow(len(s) + 8)
	gap := false
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		switch r {
		case 'ä':
			b.WriteString("ae")
		case 'ö':
			b.WriteString("oe")
		case 'ü':
			b.WriteString("ue")
		case 'ß':
			b.WriteString("ss")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
