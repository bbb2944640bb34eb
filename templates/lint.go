package templates

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Bounds of a readable sentence, in words.
const (
	maxSentence        = 28
	maxAverageSentence = 15
)

// banned are words that a desk does not write, by language. Each entry is matched as whole words, in any case.
func banned() map[string][]string {
	return map[string][]string{
		"de": {"zeitnah", "in kürze", "umgehend", "schnellstmöglich", "baldmöglichst", "leider", "sehr geehrte", "sehr geehrter",
			"nicht auf diese e-mail", "nicht auf diese mail", "no-reply", "noreply", "sie haben nicht", "wir bitten um ihr verständnis"},
		"en": {"asap", "shortly", "as soon as possible", "at our earliest convenience", "unfortunately", "do not reply", "don't reply",
			"no-reply", "noreply", "you failed", "you have not", "kindly", "dear sir", "valued customer"},
	}
}

// jargon are words of the house that customers do not know.
func jargon() []string {
	return []string{"tier", "sla", "ola", "queue", "first level", "second level", "1st level", "2nd level", "3rd level", "ticket"}
}

// Lint lists what is wrong with the tone of the templates, each with its file: exclamation marks, words that promise
// nothing, words that customers do not know, long sentences, no salutation or no next step in a first answer. The
// built-in texts have none of it.
func (s *Set) Lint() []string {
	var found []string
	for _, lang := range s.languages {
		for _, name := range s.Names() {
			c := s.texts[lang][name]
			found = append(found, lintTemplate(c)...)
		}
		p := s.phrases[lang]
		for _, k := range phraseKeys() {
			text := strings.ReplaceAll(p.texts[k.Key].source, "[", " ")
			for _, fault := range lintWords(text, p.lang, false) {
				found = append(found, fmt.Sprintf("%s/%s: %s: %s", p.lang, phrasesName, k.Key, fault))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func lintTemplate(c *compiled) []string {
	body, actions, err := cutActions(c.source.body, c.source.bodyLine)
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", c.file, err)}
	}
	public := c.spec.audience == audiencePublic
	var found []string
	for _, fault := range append(lintWords(c.source.subject, c.lang, public), lintWords(body, c.lang, public)...) {
		found = append(found, c.file+": "+fault)
	}
	shows := func(name string) bool {
		return slices.ContainsFunc(actions, func(a action) bool { return strings.Contains(a.source, "."+name) })
	}
	first := strings.HasPrefix(c.spec.name, "ack-") || c.spec.name == "auto-answer"
	if first && !shows("promised_by") {
		found = append(found, c.file+": says no next step: by when the desk answers (.promised_by)")
	}
	if first && !shows("greeting") && c.spec.only == nil {
		found = append(found, c.file+": greets nobody (.greeting)")
	}
	if c.spec.name == "solved" && !shows("reopen_until") {
		found = append(found, c.file+": does not say until when an answer reopens the request (.reopen_until)")
	}
	return found
}

var sentenceEnd = regexp.MustCompile(`[.?:]\s|[.?:]$|\n\s*\n|\\\n|\n- |\n#+ `)

func lintWords(text, lang string, public bool) []string {
	var found []string
	if strings.Contains(text, "!") {
		found = append(found, "has an exclamation mark")
	}
	words := " " + strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return strings.ContainsRune(" \n\t.,;:?()„“\"", r)
	}), " ") + " "
	unwanted := banned()[lang]
	if public {
		unwanted = append(slices.Clone(unwanted), jargon()...)
	}
	for _, w := range unwanted {
		if strings.Contains(words, " "+w+" ") {
			found = append(found, fmt.Sprintf("says %q", w))
		}
	}
	sentences, total := 0, 0
	for _, sentence := range sentenceEnd.Split(tokenPattern.ReplaceAllString(text, ""), -1) {
		n := len(strings.Fields(sentence))
		if n == 0 {
			continue
		}
		sentences++
		total += n
		if n > maxSentence {
			found = append(found, fmt.Sprintf("has a sentence of %d words: %.40s…", n, strings.TrimSpace(sentence)))
		}
	}
	if sentences > 0 && total > maxAverageSentence*sentences {
		found = append(found, fmt.Sprintf("its sentences have %d words on average, %d are easy to read", total/sentences, maxAverageSentence))
	}
	return found
}
