package model

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds of what is looked at. What a mail is about stands at its beginning, and no word is longer than maxWord bytes.
const (
	maxText = 4000 // bytes
	maxWord = 64   // bytes
)

// Which n-grams are taken. Pairs are any two words near each other, in either order: they tell short messages apart, and
// only cost time in long ones.
const (
	minLetters = 2
	maxLetters = 5
	pairWindow = 12 // words
	pairText   = 32 // words; longer texts get no pairs
)

// A block is a kind of n-gram; the n-grams of a block are weighed among each other.
type block uint8

const (
	wordBlock  block = iota // words, two words in a row, first and last word
	charBlock               // letters inside a word
	pairBlock               // two words near each other
	blockCount = 3
)

// Every n-gram is known by a 64-bit hash. The seeds keep the kinds apart: the word "an" is not the letters "an".
const (
	wordSeed  uint64 = 0x9e3779b97f4a7c15
	nextSeed  uint64 = 0xc2b2ae3d27d4eb4f
	charSeed  uint64 = 0x165667b19e3779f9
	pairSeed  uint64 = 0x27d4eb2f165667c5
	firstSeed uint64 = 0x85ebca6b27d4eb2f
	lastSeed  uint64 = 0xff51afd7ed558ccd
	hashPrime uint64 = 0x100000001b3
)

// gram is one occurrence of an n-gram: its hash, the word of the document it lies in, and its block.
type gram struct {
	hash  uint64
	word  int32
	block block
	whole bool // a single word
}

// document is a text made ready: normalised, split into words, and its n-grams. Its memory is used again by the next read.
type document struct {
	text  []byte   // normalised, a blank around every word
	words [][2]int // from, to in text
	grams []gram
	hash  []uint64 // of every word
	nfkc  []byte
}

// read makes d the document of s.
func (d *document) read(s string) {
	d.normalise(s)
	d.split()
	d.grams = d.grams[:0]
	d.addWords()
	d.addPairs()
	for w, at := range d.words {
		d.addLetters(w, at[0]-1, min(at[1]+1, at[0]+maxWord))
	}
}

func (d *document) word(i int) string { return string(d.text[d.words[i][0]:d.words[i][1]]) }

// clip cuts s to at most n bytes and no rune in two.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// fold is the normalised form of s, without blanks around it.
func fold(s string) string {
	var d document
	d.normalise(s)
	if len(d.text) < 2 {
		return ""
	}
	return string(d.text[1 : len(d.text)-1])
}

// normalise does what domain rules do to words: NFKC, lower case, ä=ae, ö=oe, ü=ue, ß=ss, other accents kept, and one
// blank for everything that is neither letter nor digit.
func (d *document) normalise(s string) {
	s = clip(s, maxText)
	d.text = append(d.text[:0], ' ')
	if isASCII(s) {
		for i := range len(s) {
			d.put(rune(s[i]))
		}
	} else {
		d.nfkc = norm.NFKC.AppendString(d.nfkc[:0], s)
		for b := d.nfkc; len(b) > 0; {
			r, n := utf8.DecodeRune(b)
			d.put(r)
			b = b[n:]
		}
	}
	if d.text[len(d.text)-1] != ' ' {
		d.text = append(d.text, ' ')
	}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (d *document) put(r rune) {
	switch {
	case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
		d.text = append(d.text, byte(r))
		return
	case 'A' <= r && r <= 'Z':
		d.text = append(d.text, byte(r)+'a'-'A')
		return
	case r < utf8.RuneSelf, !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r):
		if d.text[len(d.text)-1] != ' ' {
			d.text = append(d.text, ' ')
		}
		return
	}
	switch r = unicode.ToLower(r); r {
	case 'ä':
		d.text = append(d.text, "ae"...)
	case 'ö':
		d.text = append(d.text, "oe"...)
	case 'ü':
		d.text = append(d.text, "ue"...)
	case 'ß':
		d.text = append(d.text, "ss"...)
	default:
		d.text = utf8.AppendRune(d.text, r)
	}
}

func (d *document) split() {
	d.words = d.words[:0]
	for start, i := 1, 1; i < len(d.text); i++ {
		if d.text[i] == ' ' {
			d.words = append(d.words, [2]int{start, i})
			start = i + 1
		}
	}
}

func (d *document) addWords() {
	d.hash = d.hash[:0]
	for w, at := range d.words {
		h := wordSeed
		for _, c := range d.text[at[0]:at[1]] {
			h = (h ^ uint64(c)) * hashPrime
		}
		d.hash = append(d.hash, h)
		d.add(gram{hash: h, word: int32(w), block: wordBlock, whole: true})
		if w > 0 {
			d.add(gram{hash: (d.hash[w-1]^nextSeed)*hashPrime ^ h, word: int32(w), block: wordBlock})
		}
	}
	if n := len(d.words); n > 0 {
		d.add(gram{hash: d.hash[0] ^ firstSeed, word: 0, block: wordBlock})
		d.add(gram{hash: d.hash[n-1] ^ lastSeed, word: int32(n - 1), block: wordBlock})
	}
}

func (d *document) addPairs() {
	if len(d.words) > pairText {
		return
	}
	for w, h := range d.hash {
		for _, g := range d.hash[max(0, w-pairWindow):w] {
			d.add(gram{hash: (min(g, h)^pairSeed)*hashPrime ^ max(g, h), word: int32(w), block: pairBlock})
		}
	}
}

// addLetters adds the n-grams of the letters from..to, which include the blanks around their word.
func (d *document) addLetters(word, from, to int) {
	for i := from; i < to; i++ {
		if !utf8.RuneStart(d.text[i]) {
			continue
		}
		h, j := charSeed, i
		for n := 1; n <= maxLetters && j < to; n++ {
			h = (h ^ uint64(d.text[j])) * hashPrime
			for j++; j < to && !utf8.RuneStart(d.text[j]); j++ {
				h = (h ^ uint64(d.text[j])) * hashPrime
			}
			if n >= minLetters {
				d.add(gram{hash: h, word: int32(word), block: charBlock})
			}
		}
	}
}

// add mixes the high bits of the hash into the low ones: tables look at those.
func (d *document) add(g gram) {
	g.hash ^= g.hash >> 32
	d.grams = append(d.grams, g)
}
