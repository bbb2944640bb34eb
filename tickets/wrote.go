package tickets

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What somebody wrote is known again by its words, not by its lines: whoever quotes it wraps it anew. A text is looked for
// by every run of its words that is long enough, and by each of its lines, which may be shorter. What several others write
// too is a phrase and nobody's trace.
const (
	runWords  = 8  // words of a run at least; it goes on until it has the octets
	runOctets = 40 //
	runMost   = 16 // words of a run at most
	lineLeast = 32 // octets of a line that is looked for everywhere
	lineShort = 16 // octets of a line that is looked for, as a whole line, where something else of the same person stands
	lineWords = 3  // words of such a line at least
	phraseOf  = 3  // from so many other writers on it is a phrase
)

// weight is how much it says that a run of words is found somewhere.
type weight byte

const (
	nothing weight = iota
	short          // a short line: says something only beside other traces
	full
)

// wrote is what is looked for, by the hashes of words.
type wrote struct {
	heads map[uint64]bool // of the first two words of each
	all   map[uint64]weight
}

func newWrote() wrote { return wrote{map[uint64]bool{}, map[uint64]weight{}} }

// term is a word in a text: its hash, folded, and where it stands.
type term struct {
	hash     uint64
	from, to int
}

// terms cuts a text into words. In an escaped one, which is part of a JSON value, a backslash and what belongs to it is no
// part of a word.
func terms(b []byte, escaped bool) (list []term) {
	const start = 14695981039346656037
	from, h := -1, uint64(start)
	var folded [2 * utf8.UTFMax]byte
	for i := 0; i < len(b); {
		r, size := rune(b[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(b[i:])
		}
		word := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' ||
			r >= utf8.RuneSelf && r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
		if !word {
			if from >= 0 {
				list = append(list, term{h, from, i})
				from, h = -1, start
			}
			if escaped && r == '\\' && i+1 < len(b) {
				size = 2
				if b[i+1] == 'u' {
					size = min(6, len(b)-i)
				}
			}
			i += size
			continue
		}
		if from < 0 {
			from = i
		}
		if r < utf8.RuneSelf {
			if r <= 'Z' && r >= 'A' {
				r |= 0x20
			}
			h = (h ^ uint64(r)) * 1099511628211
		} else {
			for _, c := range appendFolded(folded[:0], unicode.ToLower(r)) {
				h = (h ^ uint64(c)) * 1099511628211
			}
		}
		i += size
	}
	if from >= 0 {
		list = append(list, term{h, from, len(b)})
	}
	return list
}

// further is the hash of a run with one more word.
func further(run, word uint64) uint64 {
	return (run ^ word) * 0x9e3779b97f4a7c15 // odd, so that the order of the words counts
}

func (r *wrote) keep(list []term, w weight) {
	h := uint64(0)
	for i, t := range list {
		if h = further(h, t.hash); i == min(1, len(list)-1) {
			r.heads[h] = true
		}
	}
	r.all[h] = max(r.all[h], w)
}

// add makes what somebody wrote part of what is looked for. Lines that they quote are not theirs, and a salutation says nothing.
func (r *wrote) add(text string) {
	text = afterSalutation(text)
	for _, block := range ownBlocks(text) {
		list := terms([]byte(block), false)
		for i := range list {
			for n := runWords; n <= runMost && i+n <= len(list); n++ {
				if list[i+n-1].to-list[i].from >= runOctets {
					r.keep(list[i:i+n], full)
					break
				}
			}
		}
		for line := range strings.SplitSeq(block, "\n") {
			line = strings.TrimSpace(line)
			switch list := terms([]byte(line), false); {
			case len(list) == 0:
			case len(list) <= runWords && len(line) >= lineLeast:
				r.keep(list, full)
			case len(list) >= lineWords && len(list) <= runMost && len(line) >= lineShort:
				r.keep(list, short)
			}
		}
	}
}

// afterSalutation is a text without the words that it greets with, as far as a comma or the end of its first line tells.
func afterSalutation(text string) string {
	text = strings.TrimSpace(text)
	const most = 60
	if i := strings.IndexAny(text[:min(len(text), most)], ",!\n"); i >= 0 && text[i] != '\n' {
		return text[i+1:]
	}
	return text
}

// ownBlocks are the parts of a text between the lines that it quotes.
func ownBlocks(text string) (blocks []string) {
	var block strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), ">") {
			blocks = append(blocks, block.String())
			block.Reset()
			continue
		}
		block.WriteString(line)
		block.WriteByte('\n')
	}
	return append(blocks, block.String())
}

// each calls fn for every run that is looked for in b, with its hash and the words it is: the longest that begins at each
// word. It ends when fn returns false.
func (r *wrote) each(b []byte, escaped bool, fn func(hash uint64, list []term, w weight) bool) {
	if len(r.all) == 0 {
		return
	}
	list := terms(b, escaped)
	for i := range list {
		h := uint64(0)
		for n := 1; n <= runMost && i+n <= len(list); n++ {
			h = further(h, list[i+n-1].hash)
			if n == 2 && !r.heads[h] {
				break
			}
			if n == 1 && !r.heads[h] {
				continue
			}
			w := r.all[h]
			if w == short && !wholeLine(b, list, i, i+n, escaped) {
				w = nothing
			}
			if w != nothing && !fn(h, list[i:i+n], w) {
				return
			}
		}
	}
}

// wholeLine reports whether the words from one to another are all of their line.
func wholeLine(b []byte, list []term, from, to int, escaped bool) bool {
	ends := func(between []byte) bool {
		return bytes.IndexByte(between, '\n') >= 0 || escaped && (bytes.Contains(between, []byte(`\n`)) || bytes.IndexByte(between, '"') >= 0)
	}
	return (from == 0 || ends(b[list[from-1].to:list[from].from])) && (to == len(list) || ends(b[list[to-1].to:list[to].from]))
}

// in is the most that a run in b says; full as soon as one does.
func (r *wrote) in(b []byte) (most weight) {
	look := func(_ uint64, _ []term, w weight) bool {
		most = max(most, w)
		return most != full
	}
	r.each(b, false, look)
	if most != full && bytes.IndexByte(b, '\\') >= 0 {
		r.each(b, true, look)
	}
	return most
}

// withoutLines is a text without the lines that a run is found in, short ones included when they count, each replaced.
func (r *wrote) withoutLines(s, by string, shorts bool) (string, bool) {
	var marked [][2]int // octets, in ascending order of where they begin
	r.each([]byte(s), false, func(_ uint64, list []term, w weight) bool {
		if w == full || shorts {
			marked = append(marked, [2]int{list[0].from, list[len(list)-1].to})
		}
		return true
	})
	if len(marked) == 0 {
		return s, false
	}
	var out strings.Builder
	next, reach := 0, 0 // reach: up to where what has begun goes on
	for start := 0; start <= len(s); {
		end := start + strings.IndexByte(s[start:], '\n')
		if end < start {
			end = len(s)
		}
		for next < len(marked) && marked[next][0] < end {
			reach = max(reach, marked[next][1])
			next++
		}
		if reach > start && strings.TrimSpace(s[start:end]) != "" {
			out.WriteString(by)
		} else {
			out.WriteString(s[start:end])
		}
		if end < len(s) {
			out.WriteByte('\n')
		}
		start = end + 1
	}
	return out.String(), true
}

// writers counts who writes what is looked for, beside the person: each phrase is known by a few.
type writers map[uint64]map[string]bool

// note counts what somebody wrote.
func (n writers) note(r *wrote, who, text string) {
	for _, block := range ownBlocks(text) {
		r.each([]byte(block), false, func(hash uint64, _ []term, _ weight) bool {
			if n[hash] == nil {
				n[hash] = map[string]bool{}
			}
			if len(n[hash]) < phraseOf {
				n[hash][strings.ToLower(who)] = true
			}
			return true
		})
	}
}

// withoutPhrases no longer looks for what several others wrote too.
func (r *wrote) withoutPhrases(n writers) {
	for hash, who := range n {
		if len(who) >= phraseOf {
			delete(r.all, hash)
		}
	}
}
