package reply

import (
	"strings"
	"unicode/utf8"

	"supportd/mailin/htmltext"
)

const (
	maxSignature = 24 // lines below "-- "
	maxRuled     = 8  // lines below a rule that is taken for a delimiter
	maxSignOff   = 12 // lines of a closing, a name and what follows
	signWidth    = 70 // octets of a line in a signature without a delimiter
)

// splitSignature parts a text from the signature below it. last says that nothing was cut below the text: only there a
// closing and a name count as a signature by themselves. whole says that all of the text may be a signature, as below a
// quote.
func splitSignature(lines []line, last, whole bool) (text, signature []line) {
	lines = trimBlank(lines)
	if whole {
		lines = append([]line{{}}, lines...)
	}
	end := len(lines)
	for range maxSignature {
		before := end
		end = skipContainer(lines, end)
		end = skipAdded(lines, end)
		end = skipDelimited(lines, end)
		if end == before {
			break
		}
	}
	end = skipDashName(lines, end, last)
	end = skipSignOff(lines, end, last)
	return trimBlank(lines[:end]), trimBlank(lines[end:])
}

func skipBlank(lines []line, end int) int {
	for end > 0 && lines[end-1].blank() {
		end--
	}
	return end
}

// skipContainer takes off what the client itself calls the signature.
func skipContainer(lines []line, end int) int {
	i := skipBlank(lines, end)
	j := i
	for j > 0 && (lines[j-1].in&htmltext.Signature != 0 || lines[j-1].blank()) {
		j--
	}
	if j == i || skipBlank(lines, j) == i {
		return end
	}
	return j
}

// skipAdded takes off the lines and paragraphs that phones, programs and companies add.
func skipAdded(lines []line, end int) int {
	i := skipBlank(lines, end)
	if i == 0 {
		return end
	}
	text := lines[i-1].text
	if isSentFrom(text) || words.footer.has(fold(text)) || text == "ᐧ" {
		return i - 1
	}
	start := i
	for start > 0 && !lines[start-1].blank() && i-start < maxSignature*2 {
		start--
	}
	if start > 0 && isDisclaimer(lines[start:i]) {
		return start
	}
	if i >= 2 && i-start == 2 && isSentFrom(lines[i-2].text+" "+text) {
		return i - 2
	}
	return end
}

// isSentFrom reports whether a line is one that a phone or a program adds.
func isSentFrom(text string) bool {
	if text == "" || len(text) > 200 {
		return false
	}
	s := fold(text)
	if i := strings.IndexByte(s, '<'); i > 0 && strings.HasSuffix(s, ">") {
		s = strings.TrimRight(s[:i], " ")
	}
	s = strings.Trim(s, "[]()*_-~ ")
	if i := strings.Index(s, "(http"); i > 0 {
		s = strings.TrimRight(s[:i], " ")
	}
	bare := strings.TrimRight(s, ".!")
	if n := strings.Count(s, " "); n > 13 || !words.sentFrom.has(bare) && !words.sentFrom.has(s) {
		return false
	}
	for word := range strings.FieldsSeq(s) {
		if words.sentence[strings.Trim(word, ",.;:!?")] {
			return false
		}
	}
	return true
}

// isDisclaimer reports whether a paragraph is a disclaimer.
func isDisclaimer(lines []line) bool {
	size := 0
	for _, l := range lines {
		size += len(l.text)
	}
	if size < 40 {
		return false
	}
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text)
		b.WriteByte(' ')
		if b.Len() > 4096 {
			break
		}
	}
	return words.disclaim.in(fold(b.String()))
}

// skipDelimited takes off what stands below a delimiter line.
func skipDelimited(lines []line, end int) int {
	cut := end
	below, widest, sentences := 0, 0, 0
	columns := false
	for i := end - 1; i > 0 && below <= maxSignature && end-i <= 4*maxSignature; i-- {
		l := lines[i]
		if l.blank() {
			continue
		}
		n := delimiter(l.text)
		if l.in&htmltext.Rule != 0 {
			n = 3
		}
		switch {
		case n == 0:
			below++
			widest = max(widest, len(l.text))
			columns = columns || strings.Contains(l.text, "  ") || strings.ContainsAny(l.text, "\t|")
			if isSentence(l.text) {
				sentences++
			}
			continue
		case n == 2:
			cut = i
		case below > maxRuled || widest > 90 || sentences > 1 || !signs(lines[i+1:end]) && (l.text == "" || l.text[0] != '_' || below > 3):
		case !lines[i-1].blank() && delimiter(lines[i-1].text) == 0 && (columns || below > 3):
			// A line under the head of a table, not above a name.
		default:
			cut = i
		}
	}
	return cut
}

// signs reports whether what stands below a rule looks like a signature: a name or a closing first, or a way to reach
// someone.
func signs(lines []line) bool {
	i := next(lines, 0)
	for i < len(lines) && delimiter(lines[i].text) != 0 {
		i = next(lines, i+1)
	}
	if i == len(lines) || isName(lines[i].text) || isClosing(lines[i].text) {
		return true
	}
	for _, l := range lines[i:] {
		if isContact(l.text) || isSentFrom(l.text) {
			return true
		}
	}
	return false
}

// delimiter tells what a line is: 2 for "--" and its like, 3 for a longer rule, 0 for neither.
func delimiter(text string) int {
	switch text {
	case "--", "- -", "—", "–", "__":
		return 2
	}
	if strings.ContainsAny(text, " \t") || !ruled(text, 3) {
		return 0
	}
	return 3
}

// skipDashName takes off a last line such as "-Ada" or, at the end of a mail, "/Ada".
func skipDashName(lines []line, end int, last bool) int {
	i := skipBlank(lines, end)
	if i < 2 {
		return end
	}
	text := lines[i-1].text
	name := strings.TrimLeft(text, "-–—")
	if name == text && last {
		name = strings.TrimLeft(text, "/~")
	}
	if marks := utf8.RuneCountInString(text) - utf8.RuneCountInString(name); marks < 1 || marks > 2 {
		return end
	}
	// "- Milk" below "- Bread" is the end of a list.
	if !isName(strings.TrimSpace(name)) || strings.HasPrefix(lines[i-2].text, text[:1]) || strings.HasPrefix(name, " ") && !lines[i-2].blank() {
		return end
	}
	return i - 1
}

// onlySignature reports whether lines are nothing but what is added at the end of mails.
func onlySignature(lines []line) bool {
	end := len(lines)
	for range maxSignature {
		before := end
		end = skipBlank(lines, skipAdded(lines, end))
		if end == before {
			break
		}
	}
	return end == 0
}

// onlySignOff reports whether lines are a closing, with or without a name, and nothing else.
func onlySignOff(lines []line) bool {
	if len(lines) > maxSignOff {
		return false
	}
	text := lines[0].text
	return closesWithName(text) || isClosing(text) && (len(lines) == 1 || signedBelow(lines[1:])) && !anyProse(lines)
}

func anyProse(lines []line) bool {
	for _, l := range lines {
		if isProse(l.text) {
			return true
		}
	}
	return false
}

// skipSignOff takes off a closing with a name, or a name with telephone numbers and the like.
func skipSignOff(lines []line, end int, last bool) int {
	end0 := end
	end = skipBlank(lines, end)
	floor := max(end-2*maxSignOff, 1) // never the first line
	best, contacts, count := end, 0, 0
	for i := end - 1; i >= floor; i-- {
		text := lines[i].text
		if text == "" {
			continue
		}
		if count++; count > maxSignOff || len(text) > signWidth && !isContact(text) {
			break
		}
		switch {
		case isClosing(text) && i < end-1 && signedBelow(lines[i+1:end]), closesWithName(text):
			best = i
		case isContact(text):
			contacts++
		case i < end-1 && best == end && (isName(text) || nameWithContact(text)) && contacts > 0 && startsBlock(lines, i):
			best = i
		case isSentence(text) || isProse(text):
			i = floor // what stands above is text
		}
	}
	if best == end {
		best = lastName(lines, end, floor)
	} else if !isClosing(lines[best].text) {
		best = nameAbove(lines, best, floor)
	}
	if best == end || !last && contacts < 2 {
		return end0
	}
	return best
}

// signedBelow reports whether what stands below a closing starts with whoever signs: a name, a company, "Your Nordwind
// team". One line of four words and more is taken for text.
func signedBelow(lines []line) bool {
	i := next(lines, 0)
	if i == len(lines) {
		return false
	}
	text := lines[i].text
	count := 0
	for word := range strings.FieldsSeq(text) {
		if bare := strings.Trim(word, ".,"); !isParticle(bare) && len(bare) > 1 && !strings.HasSuffix(word, ".") {
			count++
		}
	}
	if count <= 3 || next(lines, i+1) < len(lines) {
		return true
	}
	first, _, _ := strings.Cut(fold(text), " ")
	switch first {
	case "ihr", "ihre", "dein", "deine", "euer", "eure", "your", "the", "votre", "su", "il", "uw", "das", "die":
		return count <= 6
	}
	return strings.ContainsAny(text, "/|,&")
}

// lastName finds a last line that is a name and stands apart from what is said above it.
func lastName(lines []line, end, floor int) int {
	i := end - 1
	if i < floor || i < 1 {
		return end
	}
	text := lines[i].text
	number := nameWithContact(text)
	if !number && (!isName(text) || !lines[i-1].blank()) {
		return end
	}
	j := skipBlank(lines, i)
	if j == 0 {
		return end
	}
	if number && j < i {
		return i
	}
	above := lines[j-1].text
	switch r, _ := utf8.DecodeLastRuneInString(above); r {
	case '.', '!', '?', ')', ',', ';', '…', '>', '"', '。', '！', '？':
		return i
	}
	return end
}

// nameAbove finds the name of a person above the name of a company: it stands first in a paragraph of short lines.
func nameAbove(lines []line, best, floor int) int {
	i := skipBlank(lines, best)
	if i == best {
		return best
	}
	start := i
	for start > floor && !lines[start-1].blank() && !isSentence(lines[start-1].text) && len(lines[start-1].text) <= signWidth/2 {
		start--
	}
	if start < i && isName(lines[start].text) && (lines[start-1].blank() || isClosing(lines[start-1].text)) {
		if isClosing(lines[start-1].text) && start-1 >= floor {
			start--
		}
		return start
	}
	return best
}

// startsBlock reports whether line i starts a block: a blank line, a closing or a sentence stands above it. A block
// below a colon is what was announced there.
func startsBlock(lines []line, i int) bool {
	above := lines[i-1].text
	return above == "" || !isContact(above) && !isName(above) && !strings.HasSuffix(above, ":")
}

// isClosing reports whether a line is a closing and nothing else.
func isClosing(text string) bool {
	if len(text) > signWidth {
		return false
	}
	s := strings.Trim(fold(text), " ,.!;:-~*_)(。、！")
	return words.closing.has(s)
}

// closesWithName reports whether a line is a closing with a name: "Thanks, Ada", "LG Max", "Your pal, Craig."
func closesWithName(text string) bool {
	if len(text) > signWidth {
		return false
	}
	for i, r := range text {
		if r != ',' && r != '.' && r != '!' && r != '-' && r != '–' && r != ' ' {
			continue
		}
		head, name := text[:i], strings.TrimLeft(text[i:], ",.!-– ")
		if name == "" || !isName(name) && !nameWithContact(name) || !words.closing.has(fold(strings.TrimSpace(head))) {
			continue
		}
		if r != ' ' || briefClosing(head) {
			return true
		}
	}
	return false
}

// briefClosing reports whether a closing is followed by a name without a comma: "LG Max", "Gruß Max".
func briefClosing(s string) bool {
	switch s = fold(s); s {
	case "lg", "vg", "mfg", "bg", "gruß", "gruss", "grüße", "viele grüße", "liebe grüße", "mvh", "vlg", "glg", "beste grüße":
		return true
	}
	return false
}
