package redact

import (
	"encoding/base64"
	"strings"
	"testing"
)

// S-176: however a server repeats a login, its secret does not come along, and what else it says stays.
func TestLogin_S176(t *testing.T) {
	for _, secret := range []string{"hunter2", `with "quotes" and \`, "müßig-ö", strings.Repeat("token.", 200)} {
		quoted := strings.ReplaceAll(strings.ReplaceAll(secret, `\`, `\\`), `"`, `\"`)
		plain := "\x00hilfe\x00" + secret
		for _, said := range []string{
			secret, "LOGIN \"hilfe\" \"" + quoted + "\"", base64.StdEncoding.EncodeToString([]byte(secret)),
			base64.StdEncoding.EncodeToString([]byte(plain)), base64.RawStdEncoding.EncodeToString([]byte(plain)),
			base64.URLEncoding.EncodeToString([]byte(plain)), "AUTH" + base64.StdEncoding.EncodeToString([]byte(plain)),
			base64.StdEncoding.EncodeToString([]byte("n,a=hilfe,\x01host=h\x01port=993\x01auth=Bearer " + secret + "\x01\x01")),
		} {
			got := Login("535 5.7.8: "+said+" = no", secret)
			if !strings.HasPrefix(got, "535 5.7.8: ") || !strings.HasSuffix(got, " = no") || strings.Contains(got, said) || !strings.Contains(got, hidden) {
				t.Errorf("%q becomes %q", said, got)
			}
		}
	}
	if text := "authentication failed for hilfe@nordwind.example, see https://example.org/abcdefgh"; Login(text, "hunter2", "") != text {
		t.Errorf("%q becomes %q", text, Login(text, "hunter2", ""))
	}
}
