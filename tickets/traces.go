package tickets

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// traces is what a person leaves behind: addresses and names, which are looked for as whole words in any case, the Message-IDs
// of what they wrote, and its words, wherever they were quoted.
type traces struct {
	words *regexp.Regexp
	wrote wrote
	ids   map[[idWindow]byte]bool
	sums  map[uint64]bool // rolling sums of ids
}

const (
	idWindow   = 24 // octets of a Message-ID that it is known by; shorter ones are not looked for
	erasedText = "[erased]"
)

func newTraces() *traces {
	return &traces{wrote: newWrote(), ids: map[[idWindow]byte]bool{}, sums: map[uint64]bool{}}
}

// setWords says which addresses and names are looked for; there has to be one.
func (t *traces) setWords(addresses, names []string) {
	var words []string
	for _, a := range addresses {
		words = append(words, regexp.QuoteMeta(a), regexp.QuoteMeta(strings.Replace(a, "@", "=", 1))) // the second: in return paths of lists
	}
	for _, n := range names {
		words = append(words, regexp.QuoteMeta(n))
		if first, last, ok := strings.Cut(n, " "); ok && !strings.Contains(last, " ") {
			words = append(words, regexp.QuoteMeta(last+", "+first))
		}
	}
	t.words = regexp.MustCompile("(?i)" + strings.Join(words, "|"))
}

// addID makes a Message-ID part of what is looked for, unless it is too short to be nobody else's.
func (t *traces) addID(id string) {
	if len(id) >= idWindow {
		var key [idWindow]byte
		copy(key[:], id)
		t.ids[key] = true
		t.sums[windowSum(key[:])] = true
	}
}

const sumBase = 1099511628211 // a large odd number: sums are taken modulo 2^64

func windowSum(b []byte) (sum uint64) {
	for _, c := range b {
		sum = sum*sumBase + uint64(c)
	}
	return sum
}

// in is how much says that anything of the person stands in b.
func (t *traces) in(b []byte) weight {
	if t.wordIn(b) || t.idAt(b) >= 0 {
		return full
	}
	return t.wrote.in(b)
}

func (t *traces) wordIn(b []byte) bool {
	for from := 0; ; {
		m := t.words.FindIndex(b[from:])
		if m == nil {
			return false
		}
		if wholeWord(b, from+m[0], from+m[1]) {
			return true
		}
		from += m[0] + 1
	}
}

// idAt is where a Message-ID that is looked for begins, or -1.
func (t *traces) idAt(b []byte) int {
	if len(b) < idWindow || len(t.ids) == 0 {
		return -1
	}
	top := uint64(1)
	for range idWindow - 1 {
		top *= sumBase
	}
	sum := windowSum(b[:idWindow])
	for i := 0; ; i++ {
		if t.sums[sum] && t.ids[[idWindow]byte(b[i:i+idWindow])] {
			return i
		}
		if i+idWindow >= len(b) {
			return -1
		}
		sum = (sum-uint64(b[i])*top)*sumBase + uint64(b[i+idWindow])
	}
}

// wholeWord reports whether what stands from one place to another is no part of a longer word or address.
func wholeWord(b []byte, from, to int) bool {
	before, _ := utf8.DecodeLastRune(b[:from])
	after, size := utf8.DecodeRune(b[to:])
	if from > 0 && (letter(before) || strings.ContainsRune(".+-%", before) && bytes.ContainsAny(b[from:to], "@=")) {
		return false
	}
	if to < len(b) && (letter(after) || after == '-') {
		return false
	}
	if after == '.' && bytes.ContainsAny(b[from:to], "@=") {
		next, _ := utf8.DecodeRune(b[to+size:])
		return !letter(next) || to+size >= len(b)
	}
	return true
}

func letter(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r == '_'
}

// redacted is a text without what is looked for, short lines too when they count. A line that the person wrote goes whole.
func (t *traces) redacted(s string, shorts bool) (string, bool) {
	s, changed := t.wrote.withoutLines(s, erasedText, shorts)
	if t.idAt([]byte(s)) >= 0 {
		lines := strings.Split(s, "\n")
		for i, line := range lines {
			if t.idAt([]byte(line)) >= 0 {
				lines[i] = erasedText
			}
		}
		s, changed = strings.Join(lines, "\n"), true
	}
	var out strings.Builder
	for start, from := 0, 0; ; {
		m := t.words.FindStringIndex(s[from:])
		if m == nil {
			out.WriteString(s[start:])
			break
		}
		a, b := from+m[0], from+m[1]
		if !wholeWord([]byte(s), a, b) {
			from = a + 1
			continue
		}
		out.WriteString(s[start:a])
		out.WriteString(erasedText)
		start, from, changed = b, b, true
	}
	return out.String(), changed
}

// redactJSON is a JSON value without what is looked for, in keys and texts.
func (t *traces) redactJSON(payload []byte, shorts bool) (fresh []byte, changed bool, err error) {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, false, err
	}
	v = t.redactValue(v, shorts, &changed)
	if !changed {
		return payload, false, nil
	}
	fresh, err = json.Marshal(v)
	return fresh, true, err
}

func (t *traces) redactValue(v any, shorts bool, changed *bool) any {
	switch v := v.(type) {
	case string:
		s, touched := t.redacted(v, shorts)
		*changed = *changed || touched
		return s
	case []any:
		for i := range v {
			v[i] = t.redactValue(v[i], shorts, changed)
		}
	case map[string]any:
		for key, value := range v {
			value = t.redactValue(value, shorts, changed)
			fresh, touched := t.redacted(key, shorts)
			if *changed = *changed || touched; touched {
				delete(v, key)
			}
			v[fresh] = value
		}
	}
	return v
}

// inFile reports whether anything of the person stands in a file, on a free page or wherever.
func (t *traces) inFile(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	const chunk, overlap = 1 << 20, 4 << 10
	buf := make([]byte, 0, chunk+overlap)
	for {
		n, err := io.ReadFull(f, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if t.in(buf) == full {
			return true, nil
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		buf = buf[:copy(buf, buf[len(buf)-overlap:])]
	}
}

// inMail is how much says that anything of the person stands in a mail of somebody else, however it is encoded.
func (t *traces) inMail(raw []byte, m *Message, files []File) weight {
	most := t.in(raw)
	look := func(b []byte) {
		if most != full {
			most = max(most, t.in(b))
		}
	}
	if m != nil {
		for _, s := range []string{m.Subject, m.Text, m.HTML, m.Quoted} {
			look([]byte(s))
		}
		for _, list := range [][]Address{m.From, m.Sender, m.ReplyTo, m.To, m.Cc} {
			for _, a := range list {
				look([]byte(a.Name + " " + a.Mail))
			}
		}
	}
	for _, f := range files {
		look(f.Data)
		look([]byte(f.Name))
	}
	return most
}
