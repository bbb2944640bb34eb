package language

import (
	_ "embed"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed words.txt
var wordsText string

// model weighs words and parts of words for each language. It is made of words.txt and never changed.
type model struct {
	codes    []string
	index    map[string]int
	cyrillic []bool
	words    map[string][]weight
	grams    map[string][]float64 // by language: how likely this part of a word is, as a logarithm
}

type weight struct {
	language int
	value    float64
}

// languages is the model of the package.
var languages = readModel(wordsText)

const (
	maxWord  = 24 // letters of a word that are read
	gramSize = 4
	// wordValue is what a whole word is worth that only one language has; parts of words are worth gramValue of their
	// logarithms, because they overlap.
	wordValue = 4.0
	gramValue = 0.35
)

func readModel(text string) *model {
	m := &model{index: map[string]int{}, words: map[string][]weight{}, grams: map[string][]float64{}}
	lists := [][]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			m.index[strings.Trim(line, "[]")] = len(m.codes)
			m.codes = append(m.codes, strings.Trim(line, "[]"))
			lists = append(lists, nil)
		default:
			lists[len(lists)-1] = append(lists[len(lists)-1], strings.Fields(line)...)
		}
	}
	totals := make([]float64, len(lists))
	for i, list := range lists {
		m.cyrillic = append(m.cyrillic, isCyrillic(list[0]))
		seen := map[string]bool{}
		for rank, word := range list {
			if !seen[word] {
				seen[word] = true
				m.words[word] = append(m.words[word], weight{language: i})
			}
			// The most frequent words shape a language more than the rest.
			count := 1 + 3*math.Exp(-float64(rank)/40)
			eachGram(word, func(g string) {
				if m.grams[g] == nil {
					m.grams[g] = make([]float64, len(lists))
				}
				m.grams[g][i] += count
				totals[i] += count
			})
		}
	}
	m.normalise(totals)
	return m
}

// normalise turns counts into logarithms and sets what whole words are worth.
func (m *model) normalise(totals []float64) {
	const smooth = 0.3
	kinds := float64(len(m.grams))
	for _, g := range m.grams {
		for i := range g {
			g[i] = math.Log((g[i] + smooth) / (totals[i] + smooth*kinds))
		}
	}
	for word, list := range m.words {
		value := wordValue / math.Sqrt(float64(len(list)))
		if utf8.RuneCountInString(word) == 1 {
			value /= 3 // single letters are often initials, units and list marks
		}
		for i := range list {
			list[i].value = value
		}
	}
}

func isCyrillic(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return unicode.Is(unicode.Cyrillic, r)
}

// eachGram calls f for the parts of a word, with a blank on both sides: all of two to gramSize letters.
func eachGram(word string, f func(string)) {
	var at [maxWord + 4]int
	s := " " + word + " "
	n := 0
	for i := range s {
		if n >= len(at)-1 {
			break
		}
		at[n] = i
		n++
	}
	at[n] = len(s)
	if n == len(at)-1 {
		at[n] = at[n-1]
		n--
	}
	for i := range n {
		for size := 2; size <= gramSize && i+size <= n; size++ {
			f(s[at[i]:at[i+size]])
		}
	}
}

// add adds what a word says to the score of each language. It reports whether the word is in a list.
func (m *model) add(scores []float64, word string) bool {
	known := m.words[word]
	for _, w := range known {
		scores[w.language] += w.value
	}
	part := gramValue
	if len(known) > 0 {
		part /= 3
	}
	eachGram(word, func(g string) {
		for i, value := range m.grams[g] { // none for a part that no language has
			scores[i] += part * value
		}
	})
	return len(known) > 0
}

// reading is what is read of a text.
type reading struct {
	words   []string
	letters int
	scripts [scriptCount]int
	persian int // letters that Persian has and Arabic has not
}

// plain is the text that was read, without addresses, numbers and marks.
func (r *reading) plain() string { return strings.Join(r.words, " ") }

// readWords takes the words out of a text: without quoted lines, addresses, numbers, and what looks like code.
func readWords(text string) *reading {
	r := &reading{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), ">") {
			continue
		}
		for field := range strings.FieldsSeq(line) {
			if len(field) > 200 || strings.ContainsAny(field, "@\\=_{}<>") || strings.Contains(field, "://") || strings.HasPrefix(field, "#") {
				continue
			}
			r.field(field)
			if r.letters >= maxLetters {
				return r
			}
		}
	}
	return r
}

// field reads the words of a text without white space.
func (r *reading) field(field string) {
	start, digits := -1, false
	for i, c := range field {
		switch {
		case unicode.IsLetter(c) || unicode.Is(unicode.M, c):
			if start < 0 {
				start = i
			}
			r.letters++
			r.scripts[scriptOf(c)]++
			if c == 'پ' || c == 'چ' || c == 'ژ' || c == 'گ' || c == 'ک' || c == 'ی' {
				r.persian++
			}
		case (c == '\'' || c == '’') && start >= 0:
		default:
			digits = digits || unicode.IsDigit(c)
			r.word(field, start, i, digits)
			start = -1
		}
	}
	r.word(field, start, len(field), digits)
}

func (r *reading) word(field string, start, end int, digits bool) {
	if start < 0 || digits {
		return
	}
	word := strings.Trim(strings.ReplaceAll(strings.ToLower(field[start:end]), "’", "'"), "'")
	// French and Italian leave letters out between words: "l'imprimante", "n'arrive", "dell'ordine".
	if head, tail, ok := strings.Cut(word, "'"); ok && languages.words[word] == nil && len(tail) > 2 {
		r.words = append(r.words, head)
		word = tail
	}
	if word != "" && utf8.RuneCountInString(word) <= maxWord*2 {
		r.words = append(r.words, word)
	}
}
