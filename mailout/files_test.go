package mailout

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"supportd/tickets"
)

// S-113: files come back as they were, whether they are encoded here or go on as they came, beside a text alone and
// beside text and HTML.
func TestComposeFilesSurvive(t *testing.T) {
	data := make([]byte, 5000)
	for i := range data {
		data[i] = byte(i * 7)
	}
	var lines []string
	for rest := base64.StdEncoding.EncodeToString(data); rest != ""; {
		n := min(60, len(rest))
		lines, rest = append(lines, rest[:n]), rest[n:]
	}
	came := []byte(strings.Join(lines, "\r\n"))
	for _, html := range []string{"", "<p>hi</p>"} {
		l := letter(tickets.ClassAnswer)
		l.HTML = html
		l.Attached = []tickets.File{
			{Name: "a.bin", Type: "application/octet-stream", Data: data},
			{Name: "b.bin", Type: "application/octet-stream", Base64: came},
			{Name: "line.bin", Type: "application/octet-stream", Data: data[:lineOctets]},
			{Name: "empty.bin", Type: "application/octet-stream"},
			{Name: "none.bin", Type: "application/octet-stream", Base64: []byte{}},
		}
		raw := compose(t, l)
		parts := content(t, parse(t, raw))
		texts := len(parts) - len(l.Attached)
		if want := map[bool]int{true: 1, false: 2}[html == ""]; texts != want {
			t.Fatalf("%d parts of text, want %d\n%.2000s", texts, want, raw)
		}
		for i, want := range [][]byte{data, data, data[:lineOctets], nil, nil} {
			p := parts[texts+i]
			got, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(p.body)))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("file %d: %d octets, want %d (%v)", i, len(got), len(want), err)
			}
		}
		for line := range bytes.Lines(raw[bytes.Index(raw, []byte("filename=\"a.bin\"")):bytes.Index(raw, []byte("filename=\"b.bin\""))]) {
			if len(line) > 78 {
				t.Errorf("a line of %d octets", len(line))
			}
		}
	}
}

// What came in lines that no mail may have is refused, not passed on.
func TestComposeRefusesBrokenLines(t *testing.T) {
	for _, came := range []string{"QUJD\nREVG", "QUJD\rREVG", strings.Repeat("QUJD", 300)} {
		l := letter(tickets.ClassAnswer)
		l.Attached = []tickets.File{{Name: "a.bin", Type: "application/octet-stream", Base64: []byte(came)}}
		if raw, err := new(Composer).Compose(l); err == nil {
			t.Errorf("%.20q was taken: %d octets", came, len(raw))
		}
	}
}
