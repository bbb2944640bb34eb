package parse

import (
	"strings"
)

// word is one encoded-word (RFC 2047 §2), its text still encoded.
type word struct {
	charset string
	base64  bool
	text    string
}

// wordScan finds encoded-words in one value in linear time: where the next "?=" stands is remembered.
type wordScan struct {
	s    string
	stop int // where the last search for "?=" ended
	end  int // place of the "?=" found there, or len(s)
}

// decodeWords decodes the encoded-words of an unstructured value. It takes more than RFC 2047 allows: words without
// white space between them, inside quotes, with spaces in them, without their end, and characters that are cut in two
// by neighbouring words. The result is one line of valid UTF-8.
func decodeWords(s, hint string) string {
	if !strings.Contains(s, "=?") {
		return oneLine(s)
	}
	var out strings.Builder
	sc := wordScan{s: s}
	var run []byte // decoded octets of neighbouring words with one charset
	charset, inRun := "", false
	flush := func() {
		if inRun {
			out.WriteString(decodeCharset(run, charset, false).text)
			run, inRun = run[:0], false
		}
	}
	pos, plain := 0, 0
	for pos < len(s) {
		i := strings.Index(s[pos:], "=?")
		if i < 0 {
			break
		}
		at := pos + i
		w, end, ok := sc.word(at)
		if !ok {
			pos = at + 2
			continue
		}
		between := s[plain:at]
		if blank := strings.TrimLeft(between, " \t") == ""; !(blank && inRun) {
			flush()
			out.WriteString(between)
		}
		if inRun && !strings.EqualFold(charset, w.charset) {
			flush()
		}
		charset, inRun = w.charset, true
		run = appendWord(run, w)
		pos, plain = end, end
	}
	flush()
	out.WriteString(s[plain:])
	return oneLine(out.String())
}

// word reads the encoded-word at pos, where "=?" stands.
func (sc *wordScan) word(pos int) (w word, end int, ok bool) {
	s := sc.s
	i := pos + 2
	for i < len(s) && i < pos+2+80 && isToken(s[i]) {
		i++
	}
	if i == pos+2 || i+2 >= len(s) || s[i] != '?' || s[i+2] != '?' {
		return w, 0, false
	}
	switch s[i+1] {
	case 'b', 'B':
		w.base64 = true
	case 'q', 'Q':
	default:
		return w, 0, false
	}
	w.charset, _, _ = strings.Cut(s[pos+2:i], "*") // RFC 2231 §5: a language may follow
	text := i + 3
	if text > sc.end || sc.stop == 0 {
		sc.stop, sc.end = text, len(s)
		if j := strings.Index(s[text:], "?="); j >= 0 {
			sc.end = text + j
		}
	}
	end = sc.end
	// A word that lost its end stops where the next one starts.
	if j := strings.Index(s[text:end], "=?"); j >= 0 && sc.startsWord(text+j) {
		w.text = strings.TrimRight(s[text:text+j], " \t")
		return w, text + j, true
	}
	w.text = s[text:end]
	if end == len(s) {
		if w.base64 && strings.ContainsAny(w.text, " \t") || !w.base64 && strings.Contains(w.text, " ") {
			return w, 0, false
		}
		return w, end, true
	}
	return w, end + 2, true
}

// startsWord tells whether an encoded-word seems to start at pos.
func (sc *wordScan) startsWord(pos int) bool {
	s := sc.s
	i := pos + 2
	for i < len(s) && i < pos+2+80 && isToken(s[i]) {
		i++
	}
	return i > pos+2 && i+2 < len(s) && s[i] == '?' && s[i+2] == '?' && strings.IndexByte("bBqQ", s[i+1]) >= 0
}

func isToken(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte(`()<>@,;:"/[]?.=`, c) < 0
}

// appendWord decodes the octets of one word (RFC 2047 §4), as far as they can be read.
func appendWord(dst []byte, w word) []byte {
	if w.base64 {
		data, _ := decodeBase64([]byte(w.text))
		return append(dst, data...)
	}
	for i := 0; i < len(w.text); i++ {
		switch c := w.text[i]; {
		case c == '_':
			dst = append(dst, ' ')
		case c == '=' && i+2 < len(w.text) && hexValue(w.text[i+1]) >= 0 && hexValue(w.text[i+2]) >= 0:
			dst = append(dst, byte(hexValue(w.text[i+1])<<4|hexValue(w.text[i+2])))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// hexValue is the value of a hex digit of either case, or -1.
func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
