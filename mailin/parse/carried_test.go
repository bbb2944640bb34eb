package parse

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

// What says that it can go on as it came is, decoded, what Files gives; anything that a mail must not hold does not say so.
func TestBase64AsItCame(t *testing.T) {
	data := bytes.Repeat([]byte("Drucker\x00\xff"), 100)
	encoded := base64.StdEncoding.EncodeToString(data)
	lines := func(n int, end string) string {
		var b strings.Builder
		for rest := encoded; rest != ""; {
			k := min(n, len(rest))
			b.WriteString(rest[:k] + end)
			rest = rest[k:]
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		body string
		want bool
	}{
		"lines of 76":        {lines(76, "\r\n"), true},
		"lines of 60":        {lines(60, "\r\n"), true},
		"blank lines behind": {lines(76, "\r\n") + "\r\n\r\n", true},
		"one long line":      {encoded[:996] + "\r\n", true},
		"too long a line":    {encoded + "\r\n", false},
		"LF alone":           {lines(76, "\n"), false},
		"a CR on its own":    {strings.Replace(lines(76, "\r\n"), "\r\n", "\r", 1), false},
		"stray characters":   {"!" + lines(76, "\r\n"), false},
		"text behind":        {lines(76, "\r\n") + "-- \r\nlist footer\r\n", false},
		"nothing":            {"", true},
	} {
		raw := []byte("From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ntext\r\n" +
			"--x\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + c.body + "\r\n--x--\r\n")
		list, files := Message(raw).Attachments, Files(raw)
		if len(list) != 1 || len(files) != 1 {
			t.Fatalf("%s: %d attachments, %d files", name, len(list), len(files))
		}
		if (list[0].Base64 != nil) != c.want {
			t.Errorf("%s: can go on as it came: %v, want %v", name, list[0].Base64 != nil, c.want)
		}
		if list[0].Base64 == nil {
			continue
		}
		if got, err := base64.StdEncoding.DecodeString(string(list[0].Base64)); err != nil || !bytes.Equal(got, files[0].Data) {
			t.Errorf("%s: decoded to %d octets, want %d (%v)", name, len(got), len(files[0].Data), err)
		}
	}
}
