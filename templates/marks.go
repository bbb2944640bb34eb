package templates

import (
	"slices"
	"strings"

	"supportd/tickets"
)

// Marks are the desk's own words in its notices, in all its languages: what says at the top of them what a reply does, and
// the labels of what no customer is told.
func (s *Set) Marks() tickets.Marks {
	var m tickets.Marks
	for _, lang := range s.languages {
		p := s.phrases[lang]
		for _, key := range []string{"reply.public", "reply.internal", "reply.command", "reply.note", "reply.no_right", "reply.form", "reply.consult"} {
			sentence := p.texts[key].source
			if i := strings.IndexAny(sentence, "[{"); i >= 0 {
				sentence = sentence[:i]
			}
			if sentence = strings.TrimRight(sentence, ". "); len(sentence) >= minMark {
				m.Sentences = append(m.Sentences, sentence)
			}
		}
		for _, key := range []string{"label.state", "label.team", "label.assignee", "label.priority", "label.category", "label.item"} {
			if label := p.texts[key].source; label != "" {
				m.Labels = append(m.Labels, label)
			}
		}
	}
	slices.Sort(m.Sentences)
	slices.Sort(m.Labels)
	m.Sentences, m.Labels = slices.Compact(m.Sentences), slices.Compact(m.Labels)
	return m
}

// minMark is from how many octets on a sentence of a notice is taken for one wherever it stands.
const minMark = 20
