package dkim

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Signature signs for one domain with one key.
type Signature struct {
	Domain   string // lower case, A-labels
	Selector string
	Key      Key
}

// Signer puts signatures on the mails of a brand: relaxed/relaxed, over the whole body (RFC 6376 §3.4). It is safe for use
// by several goroutines.
type Signer []Signature

// header fields that are signed, in this order. Each is named once more than a mail has it, so that nobody can add another
// one without breaking the signature (RFC 6376 §5.4.2).
var signedFields = [...]string{"From", "Reply-To", "Subject", "Date", "To", "Cc", "Message-ID", "In-Reply-To", "References", "MIME-Version",
	"Content-Type", "Content-Transfer-Encoding", "Auto-Submitted", "Sender", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"}

// Sign returns the mail with its signatures above it, made at that time: the same mail and time give the same octets. All
// line ends of the mail must be CRLF; otherwise it is taken as it is, long lines and 8-bit octets included.
func (s Signer) Sign(raw []byte, at time.Time) ([]byte, error) {
	if len(s) == 0 {
		return raw, nil
	}
	header, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok {
		return nil, fmt.Errorf("sign mail: its header has no end")
	}
	fields := splitFields(string(header))
	digest := sha256.Sum256(relaxedBody(body))
	out := bytes.NewBuffer(make([]byte, 0, len(raw)+len(s)*900))
	for _, one := range s {
		field, err := one.field(fields, digest[:], at)
		if err != nil {
			return nil, fmt.Errorf("sign mail for %s with %s: %w", one.Domain, one.Selector, err)
		}
		out.WriteString(field)
	}
	out.Write(raw)
	return out.Bytes(), nil
}

// field makes the DKIM-Signature field, with its CRLF.
func (s Signature) field(fields []string, bodyHash []byte, at time.Time) (string, error) {
	names, covered := pick(fields)
	field := "DKIM-Signature: v=1; a=" + s.Key.algorithm() + "; c=relaxed/relaxed;\r\n" +
		"\td=" + s.Domain + "; s=" + s.Selector + "; t=" + strconv.FormatInt(at.Unix(), 10) + ";\r\n" +
		"\th=" + strings.Join(folded(names), "\r\n\t ") + ";\r\n" +
		"\tbh=" + base64.StdEncoding.EncodeToString(bodyHash) + ";\r\n\tb="
	sum := sha256.Sum256([]byte(covered + relaxedField(field)))
	value, err := s.Key.sign(sum[:])
	if err != nil {
		return "", err
	}
	text := base64.StdEncoding.EncodeToString(value)
	for len(text) > 72 {
		field, text = field+text[:72]+"\r\n\t ", text[72:]
	}
	return field + text + "\r\n", nil
}

// folded joins names by colons to lines that are short enough to read.
func folded(names []string) []string {
	lines := []string{""}
	for i, n := range names {
		if i < len(names)-1 {
			n += ":"
		}
		last := len(lines) - 1
		if len(lines[last])+len(n) > 70 {
			lines, last = append(lines, ""), last+1
		}
		lines[last] += n
	}
	return lines
}

// pick names the fields to be signed and gives them as they are hashed: of fields with the same name the lowest first
// (RFC 6376 §5.4.2). What a mail does not have adds nothing.
func pick(fields []string) (names []string, covered string) {
	var text strings.Builder
	for _, name := range signedFields {
		for i := len(fields) - 1; i >= 0; i-- {
			if own, _, _ := strings.Cut(fields[i], ":"); strings.EqualFold(strings.TrimSpace(own), name) {
				names = append(names, name)
				text.WriteString(relaxedField(fields[i]) + "\r\n")
			}
		}
		names = append(names, name)
	}
	return names, text.String()
}

// splitFields cuts a header into its fields, each with its folds.
func splitFields(header string) []string {
	var fields []string
	for line := range strings.SplitSeq(header, "\r\n") {
		if n := len(fields); n > 0 && line != "" && (line[0] == ' ' || line[0] == '\t') {
			fields[n-1] += "\r\n" + line
			continue
		}
		fields = append(fields, line)
	}
	return fields
}

// relaxedField is a field in its relaxed form, without CRLF (RFC 6376 §3.4.2).
func relaxedField(field string) string {
	name, value, _ := strings.Cut(field, ":")
	value = strings.ReplaceAll(value, "\r\n", "")
	return strings.ToLower(strings.TrimRight(name, " \t")) + ":" + strings.Trim(squeeze(value), " ")
}

// squeeze makes every run of blanks and tabs one blank.
func squeeze(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	blank := false
	for i := range len(s) {
		c := s[i]
		if c == ' ' || c == '\t' {
			blank = true
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteByte(c)
	}
	if blank {
		b.WriteByte(' ')
	}
	return b.String()
}

// relaxedBody is a body in its relaxed form: no white space at the ends of lines, one blank for each run of it, no empty
// lines at the end, and a CRLF after the last line (RFC 6376 §3.4.4). An empty body stays empty.
func relaxedBody(body []byte) []byte {
	out := make([]byte, 0, len(body)+2)
	empty := 0 // lines that count only when another line follows
	for len(body) > 0 {
		line, rest, _ := bytes.Cut(body, []byte("\r\n"))
		body = rest
		before := len(out)
		for range empty {
			out = append(out, '\r', '\n')
		}
		start := len(out)
		blank := false
		for _, c := range line {
			if c == ' ' || c == '\t' {
				blank = true
				continue
			}
			if blank {
				out = append(out, ' ')
				blank = false
			}
			out = append(out, c)
		}
		if len(out) == start {
			out = out[:before]
			empty++
			continue
		}
		empty = 0
		out = append(out, '\r', '\n')
	}
	return out
}

// Key is a private key that signs mail: RSA with 2048 bits or more, or Ed25519.
type Key struct{ signer crypto.Signer }

// Format writes [key] for every verb, so that no log or dump ever shows it.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[key]") }

// Has reports whether there is a key.
func (k Key) Has() bool { return k.signer != nil }

// Equal reports whether two keys are the same, or both are missing.
func (k Key) Equal(other Key) bool {
	if !k.Has() || !other.Has() {
		return k.Has() == other.Has()
	}
	mine, ok := k.signer.(interface{ Equal(crypto.PrivateKey) bool })
	return ok && mine.Equal(other.signer)
}

func (k Key) algorithm() string {
	if _, ok := k.signer.(ed25519.PrivateKey); ok {
		return "ed25519-sha256"
	}
	return "rsa-sha256"
}

// sign signs a SHA-256. Ed25519 signs the hash as it would any octets (RFC 8463 §3).
func (k Key) sign(sum []byte) ([]byte, error) {
	if _, ok := k.signer.(*rsa.PrivateKey); ok {
		return k.signer.Sign(rand.Reader, sum, crypto.SHA256)
	}
	return k.signer.Sign(rand.Reader, sum, crypto.Hash(0))
}
