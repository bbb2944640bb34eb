package parse

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gogs/chardet"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// decoded is text that was made valid UTF-8.
type decoded struct {
	text    string
	charset string // the charset it was read in
	guessed bool   // that is not the declared one
}

const (
	detectMin  = 40       // octets; shorter text is guesswork
	detectMax  = 16 << 10 // octets looked at
	detectSure = 50       // per cent
	// detectForeign is what is asked for, in per cent, when most octets are no ASCII: that is no Western text.
	detectForeign = 15
	replacement   = "\uFFFD"
)

// decodeCharset makes UTF-8 of b. The declared charset is trusted when b decodes in it; else, with detect, it is
// detected; else it is Windows-1252. Unreadable octets become U+FFFD. The result is at most four times as long as b.
func decodeCharset(b []byte, declared string, detect bool) decoded {
	name := normaliseCharset(declared)
	if isUnicodeName(name) {
		if d, ok := decodeUnicode(b, name); ok {
			return d
		}
	} else if d, ok := decodeDeclared(b, name); ok {
		return d
	}
	d := decodeGuess(b, detect)
	d.guessed = true
	return d
}

// isUnicodeName tells whether a declaration leaves UTF-8 (of which ASCII is a part) as the first try.
func isUnicodeName(name string) bool {
	switch name {
	case "", "utf-8", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown", "unknown", "binary", "8bit", "7bit", "none", "iso-10646":
		return true
	}
	return false
}

func decodeUnicode(b []byte, name string) (decoded, bool) {
	if name == "" || name == "us-ascii" {
		name = "utf-8"
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(b) {
		return decoded{}, false
	}
	if bytes.IndexByte(b, 0x1b) >= 0 && (bytes.Contains(b, []byte("\x1b$B")) || bytes.Contains(b, []byte("\x1b$@"))) && isASCII(b) {
		return decoded{text: convert(japanese.ISO2022JP, b), charset: "iso-2022-jp", guessed: true}, true
	}
	return decoded{text: string(b), charset: name}, true
}

// decodeDeclared reads b in the charset that was declared for it, when there is such a charset and b fits it.
func decodeDeclared(b []byte, name string) (decoded, bool) {
	switch name {
	case "utf-7", "unicode-1-1-utf-7", "csutf7":
		return decoded{text: decodeUTF7(b), charset: "utf-7"}, true
	case "iso-2022-kr", "csiso2022kr":
		return decoded{text: convert(korean.EUCKR, shiftOut(b)), charset: "iso-2022-kr"}, true
	}
	enc := lookupCharset(name)
	if enc == nil {
		return decoded{}, false
	}
	if isLatin(name) && utf8.Valid(b) && !isASCII(b) {
		// Octets of Latin-1 text hardly ever make valid UTF-8; mailers that label UTF-8 as Latin-1 are common.
		return decoded{text: string(b), charset: "utf-8", guessed: true}, true
	}
	text := convert(enc, b)
	if bad := strings.Count(text, replacement); bad > 0 && bad*20 > len(text)/4+20 {
		return decoded{}, false
	}
	return decoded{text: text, charset: name}, true
}

// decodeGuess reads b without a usable declaration.
func decodeGuess(b []byte, detect bool) decoded {
	if utf8.Valid(b) {
		return decoded{text: string(b), charset: "utf-8"}
	}
	if mostlyUTF8(b) {
		return decoded{text: strings.ToValidUTF8(string(b), replacement), charset: "utf-8"}
	}
	if detect && len(b) >= detectMin {
		if name := detectCharset(b[:min(len(b), detectMax)]); name != "" {
			return decoded{text: convert(lookupCharset(name), b), charset: name}
		}
	}
	return decoded{text: convert(charmap.Windows1252, b), charset: "windows-1252"}
}

// detectCharset guesses a charset by the letters that occur, or gives "". Between equals the one that comes first in
// the alphabet wins, so that the same mail is always read the same way.
func detectCharset(sample []byte) string {
	if thai(sample) {
		return "windows-874"
	}
	results, err := chardet.NewTextDetector().DetectAll(sample)
	if err != nil {
		return ""
	}
	best, sure := "", detectSure-1
	if highShare(sample) > 40 {
		sure = detectForeign - 1 // Windows-1252 is out of the question
	}
	for _, r := range results {
		name := normaliseCharset(r.Charset)
		if r.Confidence < sure || lookupCharset(name) == nil {
			continue
		}
		if r.Confidence == sure && best != "" && name > best {
			continue
		}
		// One character may be cut in two by the sample's end.
		if strings.Count(convert(lookupCharset(name), sample), replacement) <= 1 {
			best, sure = name, r.Confidence
		}
	}
	return best
}

// thai tells whether text is Thai in TIS-620 or one of its supersets: nothing but Thai characters beyond ASCII, and
// the vowel and tone marks that stand above and below consonants in every Thai sentence.
func thai(b []byte) bool {
	consonants, marks, high := 0, 0, 0
	for _, c := range b {
		switch {
		case c < utf8.RuneSelf:
			continue
		case c >= 0xa1 && c <= 0xce:
			consonants++
		case c == 0xd1, c >= 0xd4 && c <= 0xda, c >= 0xe7 && c <= 0xee:
			marks++
		case c < 0xa0, c > 0xda && c < 0xdf, c > 0xfb:
			return false
		}
		high++
	}
	return high > 20 && highShare(b) > 40 && 100*marks/high >= 12 && 100*consonants/high >= 40
}

// highShare is how many per cent of the octets that are no white space are beyond ASCII.
func highShare(b []byte) int {
	high, all := 0, 1
	for _, c := range b {
		if c > ' ' {
			all++
		}
		if c >= utf8.RuneSelf {
			high++
		}
	}
	return 100 * high / all
}

// mostlyUTF8 tells whether b is UTF-8 with a little damage: a cut character or a stray octet.
func mostlyUTF8(b []byte) bool {
	good, bad := 0, 0
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			bad++
		} else {
			good++
		}
		i += n
	}
	return good > 0 && good >= 2*bad
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isLatin(name string) bool {
	return name == "iso-8859-1" || name == "windows-1252" || name == "iso-8859-15"
}

// convert decodes and makes sure that the result is UTF-8, whatever the decoder does.
func convert(enc encoding.Encoding, b []byte) string {
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		out = append(out, replacement...)
	}
	return strings.ToValidUTF8(string(out), replacement)
}

// normaliseCharset brings the many spellings of charset names to those that can be looked up.
func normaliseCharset(name string) string {
	name = strings.ToLower(strings.Trim(name, " \t\"'`;,.<>()"))
	if len(name) > 40 {
		return "x-unknown"
	}
	if i := strings.IndexAny(name, " \t;,"); i > 0 {
		name = name[:i]
	}
	name = strings.TrimPrefix(name, "charset=")
	name = strings.ReplaceAll(name, "_", "-")
	switch name {
	case "utf8", "utf-8-sig", "utf8mb4", "unicode-1-1-utf-8", "csutf8", "utf-8.":
		return "utf-8"
	case "ascii", "us", "usascii", "iso646-us", "ansi-x3.4-1968", "iso-646", "us-ascii-us":
		return "us-ascii"
	case "latin1", "latin-1", "iso8859-1", "8859-1", "iso-8859", "iso-8859-1-windows", "iso88591", "iso-latin-1", "iso-8859-1-nl":
		return "iso-8859-1"
	case "cp1252", "cp-1252", "win-1252", "windows1252", "ansi", "1252", "x-ansi", "windows-1252-nl":
		return "windows-1252"
	case "shift-jis", "sjis", "x-sjis", "ms-kanji", "cp932", "windows-31j", "shiftjis", "x-ms-cp932":
		return "shift_jis"
	case "gb2312", "gb-2312", "gbk", "cp936", "ms936", "x-gbk", "gb18030", "euc-cn", "gb-2312-80", "windows-936", "csgb2312", "hz-gb2312":
		return "gb18030"
	case "ks-c-5601-1987", "ksc5601", "ks-c-5601", "cp949", "ms949", "uhc", "euckr", "ksc-5601", "x-windows-949", "5601":
		return "euc-kr"
	case "eucjp", "x-euc-jp", "ujis":
		return "euc-jp"
	case "cp-850":
		return "ibm850"
	case "cp-437":
		return "ibm437"
	case "tis-620", "tis620", "iso-8859-11", "cp874", "windows874":
		return "windows-874"
	case "koi8", "koi8r", "koi-8-r":
		return "koi8-r"
	case "big-5", "cp950", "x-x-big5":
		return "big5"
	}
	if rest, ok := strings.CutPrefix(name, "cp12"); ok {
		return "windows-12" + strings.TrimPrefix(rest, "-")
	}
	if rest, ok := strings.CutPrefix(name, "iso8859-"); ok {
		return "iso-8859-" + rest
	}
	return name
}

// lookupCharset finds a charset's encoding, or nil. The labels of the web are asked first: there iso-8859-1 is
// Windows-1252, which is what senders mean.
func lookupCharset(name string) encoding.Encoding {
	switch name {
	case "", "replacement":
		return nil
	case "gb18030":
		return simplifiedchinese.GB18030
	case "hz-gb-2312":
		return simplifiedchinese.HZGB2312
	case "utf-16", "utf16", "iso-10646-ucs-2", "ucs-2", "unicode":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case "utf-16le", "utf-16-le":
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case "utf-16be", "utf-16-be":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case "ibm850", "cp850":
		return charmap.CodePage850
	case "ibm437", "cp437":
		return charmap.CodePage437
	}
	if enc, err := htmlindex.Get(name); err == nil {
		if n, _ := htmlindex.Name(enc); n != "replacement" && n != "x-user-defined" {
			return enc
		}
		return nil
	}
	if enc, err := ianaindex.MIME.Encoding(name); err == nil && enc != nil {
		return enc
	}
	return nil
}

// shiftOut turns ISO-2022-KR (RFC 1557) into EUC-KR: between SO and SI the high bit is set.
func shiftOut(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\x1b$)C"), nil)
	out := make([]byte, 0, len(b))
	shifted := false
	for _, c := range b {
		switch {
		case c == 0x0e:
			shifted = true
		case c == 0x0f, c == '\n':
			if shifted = false; c == '\n' {
				out = append(out, c)
			}
		case shifted && c > ' ' && c < 0x7f:
			out = append(out, c|0x80)
		default:
			out = append(out, c)
		}
	}
	return out
}

// decodeUTF7 reads UTF-7 (RFC 2152). What is no UTF-7 is kept as it stands.
func decodeUTF7(b []byte) string {
	var out strings.Builder
	out.Grow(len(b))
	for i := 0; i < len(b); {
		c := b[i]
		if c != '+' {
			if c < utf8.RuneSelf {
				out.WriteByte(c)
			} else {
				out.WriteString(replacement)
			}
			i++
			continue
		}
		end := i + 1
		for end < len(b) && base64Value(b[end]) >= 0 {
			end++
		}
		run := b[i+1 : end]
		if end < len(b) && b[end] == '-' {
			end++
		}
		if len(run) == 0 {
			out.WriteByte('+')
		} else {
			out.WriteString(utf7Run(run))
		}
		i = end
	}
	return out.String()
}

// utf7Run decodes one run of modified base64: UTF-16 without padding.
func utf7Run(run []byte) string {
	units := make([]uint16, 0, len(run)*3/8+1)
	bits, n := uint32(0), 0
	for _, c := range run {
		bits = bits<<6 | uint32(base64Value(c))
		if n += 6; n >= 16 {
			n -= 16
			units = append(units, uint16(bits>>n))
			bits &= 1<<n - 1
		}
	}
	return string(utf16.Decode(units))
}
