package mailout

import (
	"bytes"
	"math/rand/v2"
	"mime/quotedprintable"
	"strings"
	"testing"
	"time"
)

// What we write as quoted-printable is octet for octet what the standard library writes.
func TestQuoted(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	pieces := []string{"a", " ", "\t", "\n", "=", "é", "漢", "\x01", ".", "~", strings.Repeat("x", 74), strings.Repeat("x", 75), strings.Repeat("x", 76), strings.Repeat("ü", 13), "  \n"}
	for range 3000 {
		var text strings.Builder
		for range random.IntN(40) {
			text.WriteString(pieces[random.IntN(len(pieces))])
		}
		var want bytes.Buffer
		w := quotedprintable.NewWriter(&want)
		if _, err := w.Write([]byte(text.String())); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := appendQuoted(nil, text.String()); !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("seed %d: %q becomes\n%q, want\n%q", seed, text.String(), got, want.Bytes())
		}
	}
}

// Fields are folded at their blanks and keep what stands in them; without a value there is no field.
func TestAppendField(t *testing.T) {
	for _, value := range []string{"a", "two words", strings.Repeat("word ", 40) + "end", "a  b", strings.Repeat("x", 90), "y " + strings.Repeat("x", 90) + " z"} {
		got := string(appendField(nil, "Subject", value))
		if read := strings.ReplaceAll(strings.TrimSuffix(got, "\r\n"), "\r\n ", " "); strings.TrimPrefix(read, "Subject:") != " "+value {
			t.Errorf("%q is read as %q", value, read)
		}
		for line := range strings.SplitSeq(got, "\r\n") {
			if len(line) > 78 && strings.Contains(strings.TrimLeft(line, " "), " ") {
				t.Errorf("%q is %d octets long and could be folded", line, len(line))
			}
		}
	}
	if got := appendField(nil, "Subject", ""); len(got) > 0 {
		t.Errorf("%q", got)
	}
}
