package reply

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"supportd/mailin/htmltext"
)

// intro is a line or some lines that introduce a quote: "On 3 May 2024 at 10:00, Ada wrote:".
type intro struct {
	start, end int  // lines[start:end]
	strong     bool // it can be nothing else; a weak one needs a quote below it
}

const (
	maxIntroLines = 6
	maxIntroText  = 600
	maxWeakText   = 100
)

// readIntro finds the introduction that ends at line j and starts after line floor.
func readIntro(lines []line, j, floor int) (intro, bool) {
	text := lines[j].text
	if text == "" || len(text) > maxIntro || !introEnd(text) {
		return intro{}, false
	}
	best := intro{}
	span := "" // the lines so far, folded
	telling := false
	for i := j; i >= floor && i > j-maxIntroLines; i-- {
		l := lines[i]
		if l.blank() {
			if !strings.HasPrefix(strings.TrimSpace(span), "<") {
				break
			}
			continue
		}
		if len(l.text)+len(span) > maxIntroText || l.in&htmltext.Rule != 0 {
			break
		}
		own := introText(lines, i)
		telling = telling || tells(own)
		span = strings.TrimRight(fold(own)+" "+span, " ")
		if !telling && (i < j || !weakIntro(span)) || strings.Count(span, ">") > strings.Count(span, "<") {
			continue // an address began further up
		}
		switch started, ok := judgeIntro(span); {
		case ok && started:
			return intro{i, j + 1, true}, true
		case ok && !best.strong && span[0] != '<':
			best = intro{i, j + 1, true}
		case i == j && weakIntro(span):
			best = intro{i, j + 1, false}
		}
	}
	return best, best.end > 0
}

// groupWise reports whether a line is the introduction of GroupWise: ">>> Ada <ada@example.org> 05.02.2024 10:12 >>>".
func groupWise(raw string) bool {
	s, ok := strings.CutPrefix(raw, ">>> ")
	if !ok || len(s) > maxIntro {
		return false
	}
	s, ok = strings.CutSuffix(s, ">>>")
	return ok && dateLike(s) && len(s) > 12 && !strings.HasPrefix(s, ">")
}

// introText is the text of a line as part of an introduction: a ">" that only closes an address is put back.
func introText(lines []line, i int) string {
	l := lines[i]
	if l.depth > 0 && strings.HasPrefix(l.raw, ">") && i > 0 && (lines[i-1].depth == 0 || strings.HasPrefix(l.raw, ">:")) {
		return l.raw
	}
	return l.text
}

// tells reports whether a line has a digit or an address, or stands between dashes. Without one of these nothing is
// surely an introduction.
func tells(text string) bool {
	return strings.ContainsAny(text, "0123456789@") || text[0] == '-'
}

// introEnd reports whether a line can be the last of an introduction. It is asked for every line, so it is cheap.
func introEnd(text string) bool {
	text = strings.TrimRight(text, " *_-")
	switch {
	case strings.HasSuffix(text, ":"), strings.HasSuffix(text, "："), strings.HasSuffix(text, ">"), strings.HasSuffix(text, ";"):
		return true
	}
	return len(text) <= 150 && (digitOf(text[:min(len(text), 24)]) < 24 || mayEndWithWrote(text) && endsWithWrote(fold(text)))
}

// mayEndWithWrote is a first look whether a text that is not folded ends with a word for "wrote": most lines end with
// another one, and cost no more then.
func mayEndWithWrote(text string) bool {
	i := strings.LastIndexByte(text, ' ') + 1
	var last [24]byte
	if len(text)-i > len(last) {
		return true
	}
	n := 0
	for ; i < len(text); i++ {
		c := text[i] | 0x20
		if c < 'a' || c > 'z' {
			return true
		}
		last[n] = c
		n++
	}
	return words.wroteLast[string(last[:n])]
}

// judgeIntro judges lines that were folded and joined to one. started reports whether they start the way introductions do.
func judgeIntro(s string) (started, ok bool) {
	bare := strings.Trim(s, "-*_ \t|")
	dashed := len(s) > len(bare)+2 && s[0] == '-'
	colon := strings.HasSuffix(bare, ":")
	bare = strings.TrimRight(bare, ": ")
	first, _, _ := strings.Cut(bare, " ")
	digit := digitOf(bare)
	_, size := utf8.DecodeRuneInString(bare)
	starts := words.on[strings.TrimRight(first, ",:")] || words.on[bare[:min(size, len(bare))]] && size > 1 || digit < 24
	dated := dateLike(bare)
	at := strings.IndexByte(bare, '@')
	address := at > 0 && at+1 < len(bare)
	last, any := wroteIn(bare)
	switch {
	case last && (dated || address) && (colon || dashed || starts && digit >= 0):
		return starts, true
	case last && dashed && len(bare) < maxWeakText:
		return starts, true
	case any && colon && (address || dated && afterWrote(bare) <= 5):
		return starts, true
	case colon && address && quotesName(first):
		return true, true
	case colon && dated && endsWithAddress(bare):
		return digit < 24, true
	case dated && digit < 24 && starts && endsWithAddress(bare) && !strings.Contains(bare, ": "):
		return true, strings.HasSuffix(bare, ">") && yearFirst(bare)
	case yearFirst(bare) && gmtName(bare):
		return true, true
	}
	return starts, false
}

// weakIntro reports whether a line says that someone wrote something, without saying when.
func weakIntro(span string) bool {
	s := strings.Trim(span, "-*_ \t")
	if len(s) > maxWeakText || !strings.HasSuffix(s, ":") {
		return false
	}
	s = strings.TrimRight(s, ": ")
	if n := strings.Count(s, " "); n < 1 || n > 7 {
		return false
	}
	last, any := wroteIn(s)
	first, _, _ := strings.Cut(s, " ")
	return last || any && afterWrote(s) <= 4 || quotesName(first) && !strings.ContainsAny(s, ".!?")
}

// quotesName reports whether an introduction that starts with this word needs no date: "Zitat von Ada:".
func quotesName(first string) bool {
	return first == "zitat" || first == "quoting" || first == "citando"
}

// wroteIn reports whether a folded text has a word for "wrote" at its end, and whether it has one at all.
func wroteIn(s string) (last, any bool) {
	if endsWithWrote(s) {
		return true, true
	}
	before := ""
	for word := range strings.FieldsSeq(s) {
		if k := strings.LastIndexByte(word, '>'); k >= 0 {
			word = word[k+1:]
		}
		if words.wrote[word] || words.wroteFirst[before] && words.wrote[before+" "+word] {
			return false, true
		}
		before = word
	}
	return false, false
}

// endsWithWrote reports whether a folded text ends with a word for "wrote".
func endsWithWrote(s string) bool {
	s = strings.TrimRight(s, ":-*_ ;")
	for _, w := range words.wroteCJK {
		if strings.HasSuffix(s, w) {
			return true
		}
	}
	i := len(s)
	for range words.wroteWords {
		i = strings.LastIndexAny(s[:i], " >\"")
		if words.wrote[s[i+1:]] {
			return true
		}
		if i < 0 || s[i] != ' ' {
			return false
		}
	}
	return false
}

// afterWrote counts the words after the last word for "wrote".
func afterWrote(s string) int {
	f := strings.Fields(s)
	for i := len(f) - 1; i >= 0; i-- {
		if words.wrote[f[i]] || i > 0 && words.wrote[f[i-1]+" "+f[i]] {
			return len(f) - 1 - i
		}
	}
	return len(f)
}

// endsWithAddress reports whether a text ends with an address, in brackets or not.
func endsWithAddress(s string) bool {
	s = strings.TrimRight(s, ":; ")
	i := strings.LastIndexAny(s, " <([\"")
	return strings.IndexByte(s[i+1:], '@') > 0 && !strings.HasSuffix(s, "@")
}

// digitOf is the index of the first digit, or a large number.
func digitOf(s string) int {
	if i := strings.IndexAny(s, "0123456789"); i >= 0 {
		return i
	}
	return 1 << 20
}

// yearFirst reports whether a text starts with a date that starts with its year: 2024-05-03 or 2024/5/3.
func yearFirst(s string) bool {
	return len(s) > 8 && isYear(s[:4]) && (s[4] == '-' || s[4] == '/') && '0' <= s[5] && s[5] <= '9'
}

// gmtName reports whether a text that starts with a date goes on with "GMT+02:00 Some Name", as Gmail once wrote.
func gmtName(s string) bool {
	_, rest, ok := strings.Cut(s[:min(len(s), 120)], " gmt")
	return ok && len(rest) > 4 && (rest[0] == '+' || rest[0] == '-') && strings.Contains(rest, " ")
}

func isYear(s string) bool {
	return len(s) == 4 && (s[:2] == "19" || s[:2] == "20") && isDigits(s)
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// dateLike reports whether a text has a year, a date or a time of day in it.
func dateLike(s string) bool {
	for i := 0; i < len(s); {
		if s[i] < '0' || s[i] > '9' {
			i++
			continue
		}
		j := i
		for j < len(s) && '0' <= s[j] && s[j] <= '9' {
			j++
		}
		n := j - i
		if n == 4 && isYear(s[i:j]) && !letterBefore(s, i) {
			return true
		}
		if n <= 2 && j+1 < len(s) && strings.IndexByte(":./-", s[j]) >= 0 && '0' <= s[j+1] && s[j+1] <= '9' {
			k := j + 1
			for k < len(s) && '0' <= s[k] && s[k] <= '9' {
				k++
			}
			if m := k - j - 1; s[j] == ':' && m == 2 || m <= 2 && k < len(s) && s[k] == s[j] || s[j] == '/' && m <= 2 {
				return true
			}
		}
		i = j
	}
	return strings.ContainsAny(s, "年년")
}

func letterBefore(s string, i int) bool {
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return i > 0 && unicode.IsLetter(r) && !unspaced(r)
}
