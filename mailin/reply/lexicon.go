package reply

import (
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed lexicon.txt
var lexiconText string

// label says what a header line is about.
type label uint8

const (
	noLabel label = iota
	labelFrom
	labelTo
	labelCc
	labelDate
	labelSent // a date too, with a word that stands in no form that people fill in
	labelSubject
	labelReplyTo
	labelOther
)

// lexicon is lexicon.txt, in the form in which it is asked. It is never changed after it was read.
type lexicon struct {
	labels    map[string]label
	on        map[string]bool // first words of the line before a quote
	wrote     map[string]bool // words for "wrote", by their last word or as a whole
	wroteCJK  []string        // the same in scripts without spaces
	original  phrases
	forwarded phrases
	prefixes  map[string]bool
	marker    map[string]bool
	sentFrom  phrases
	sentence  map[string]bool
	closing   phrases
	disclaim  finder
	footer    phrases
	banner    finder
	months    []month

	wroteFirst map[string]bool // first words of entries of wrote that have two
	wroteLast  map[string]bool // last words of entries of wrote
	wroteWords int             // how many words the longest entry of wrote has
}

// month is the start of a word for a month.
type month struct {
	start  string
	number int
}

// phrases is a set of phrases, some of them with a "*" that stands for any text.
type phrases struct {
	whole map[string]bool
	wild  map[string][][]string // by their first word, "" when they start with "*": the parts between the stars
}

// words is the lexicon of the package.
var words = readLexicon(lexiconText)

func readLexicon(text string) *lexicon {
	x := &lexicon{labels: map[string]label{}, on: map[string]bool{}, wrote: map[string]bool{}, wroteFirst: map[string]bool{}, wroteLast: map[string]bool{},
		prefixes: map[string]bool{}, marker: map[string]bool{}, sentence: map[string]bool{}}
	sets := map[string]map[string]bool{"on": x.on, "forward-prefix": x.prefixes, "marker": x.marker, "sentence-word": x.sentence}
	lists := map[string]*phrases{"original": &x.original, "forwarded": &x.forwarded, "sent-from": &x.sentFrom,
		"closing": &x.closing, "footer": &x.footer}
	labels := map[string]label{"from": labelFrom, "to": labelTo, "cc": labelCc, "date": labelDate, "sent-date": labelSent,
		"subject": labelSubject, "reply-to": labelReplyTo, "other": labelOther}
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		case labels[section] != noLabel:
			if line = fold(line); x.labels[line] == noLabel {
				x.labels[line] = labels[section]
			}
		case sets[section] != nil:
			sets[section][fold(line)] = true
		case lists[section] != nil:
			lists[section].add(fold(line))
		case section == "wrote":
			x.addWrote(fold(line))
		case section == "disclaimer":
			x.disclaim.add(fold(line))
		case section == "banner":
			x.banner.add(fold(line))
		case section == "month":
			x.addMonth(strings.Fields(line))
		}
	}
	return x
}

func (x *lexicon) addWrote(s string) {
	if r, _ := utf8.DecodeRuneInString(s); unspaced(r) {
		x.wroteCJK = append(x.wroteCJK, s)
		return
	}
	x.wrote[s] = true
	x.wroteLast[s[strings.LastIndexByte(s, ' ')+1:]] = true
	if first, _, ok := strings.Cut(s, " "); ok {
		x.wroteFirst[first] = true
	}
	x.wroteWords = max(x.wroteWords, 1+strings.Count(s, " "))
}

func (x *lexicon) addMonth(fields []string) {
	n := 0
	for _, c := range fields[0] {
		n = n*10 + int(c-'0')
	}
	for _, f := range fields[1:] {
		x.months = append(x.months, month{f, n})
	}
}

func (p *phrases) add(s string) {
	if p.whole == nil {
		p.whole, p.wild = map[string]bool{}, map[string][][]string{}
	}
	if !strings.Contains(s, "*") {
		p.whole[s] = true
		return
	}
	first := ""
	if head, _, _ := strings.Cut(s, "*"); strings.Contains(head, " ") {
		first, _, _ = strings.Cut(head, " ")
	}
	p.wild[first] = append(p.wild[first], strings.Split(s, "*"))
}

// has reports whether a folded line is one of the phrases.
func (p *phrases) has(s string) bool {
	if p.whole[s] {
		return true
	}
	first, _, _ := strings.Cut(s, " ")
	for _, key := range [...]string{first, ""} {
		for _, parts := range p.wild[key] {
			if matchParts(s, parts) {
				return true
			}
		}
		if first == "" {
			break
		}
	}
	return false
}

// matchParts reports whether s is the parts, in order, with any text between them.
func matchParts(s string, parts []string) bool {
	last := len(parts) - 1
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1:last] {
		if _, s, ok = strings.Cut(s, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(s, parts[last])
}

// unspaced reports whether a character belongs to a script that is written without spaces between words.
func unspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// fold makes a text comparable: lower case, one space between words, plain quotes and colons, no invisible characters.
func fold(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' || c == '\t' || c == ' ' && (i == 0 || s[i-1] == ' ') {
			plain = false
			break
		}
	}
	if plain {
		return strings.TrimRight(s, " ")
	}
	b := make([]byte, 0, len(s))
	for i, r := range s {
		if r < utf8.RuneSelf { // most, and the cheapest to tell
			switch c := s[i]; {
			case c == ' ' || c == '\t':
				if len(b) > 0 && b[len(b)-1] != ' ' {
					b = append(b, ' ')
				}
			case c == '`':
				b = append(b, '\'')
			case 'A' <= c && c <= 'Z':
				b = append(b, c|0x20)
			default:
				b = append(b, c)
			}
			continue
		}
		switch r {
		case 0xA0, 0x2007, 0x202F, 0x3000:
			if len(b) > 0 && b[len(b)-1] != ' ' {
				b = append(b, ' ')
			}
			continue
		case 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x2066, 0x2067, 0x2068, 0x2069, 0xFEFF, 0xAD, 0x2060:
			continue
		case '’', '‘', '´':
			r = '\''
		case '“', '”', '„', '«', '»':
			r = '"'
		case '：':
			r = ':'
		case '，':
			r = ','
		case '–', '—', '−':
			r = '-'
		}
		b = utf8.AppendRune(b, unicode.ToLower(r))
	}
	return strings.TrimRight(string(b), " ")
}
