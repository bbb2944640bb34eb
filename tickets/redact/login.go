package redact

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
)

// hidden stands for a secret.
const hidden = "***"

// encoded is what may be base64 of something that says a secret.
var encoded = regexp.MustCompile(`[A-Za-z0-9+/_-]{8,}={0,2}`)

// Login takes the secrets of a login out of what a server says of it: servers repeat what they refuse, as it was sent, in
// an IMAP string (RFC 9051 §4.3) or within the base64 of a SASL exchange (RFC 4616, RFC 7628).
func Login(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		text = strings.ReplaceAll(text, secret, hidden)
		text = strings.ReplaceAll(text, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(secret), hidden)
		text = encoded.ReplaceAllStringFunc(text, func(run string) string {
			if speaks(run, secret) {
				return hidden
			}
			return run
		})
	}
	return text
}

// speaks reports whether a secret stands in what a run of letters is the base64 of, wherever in it the base64 begins: a
// name may stand right before it.
func speaks(run, secret string) bool {
	run = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(run, "="))
	for skip := range min(4, len(run)) {
		part := run[skip:]
		if len(part)%4 == 1 {
			part = part[:len(part)-1]
		}
		b, err := base64.RawStdEncoding.DecodeString(part)
		if err == nil && bytes.Contains(b, []byte(secret)) {
			return true
		}
	}
	return false
}
