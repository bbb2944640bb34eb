package config

import (
	"fmt"
	"strings"
	"testing"
)

// TestDKIM holds what is signed with which key, in both forms, and that keys show nowhere.
func TestDKIM(t *testing.T) {
	t.Chdir(examples(t))
	c, findings := load(t, "dkim.yaml")
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	if d := c.Brands[0].DKIM; len(d) != 2 || d[0].Name() != "s2026a._domainkey.huber.example" || d[1].Name() != "s2026b._domainkey.huber.example" ||
		!strings.HasPrefix(d[0].Record(), "v=DKIM1; k=ed25519; p=") || !c.VerifyDKIM {
		t.Errorf("%+v", d)
	}
	if text := fmt.Sprintf("%+v %#v", c, c.Brands); strings.Contains(text, "PrivateKey") || !strings.Contains(text, "[key]") {
		t.Errorf("a key shows: %s", text)
	}
	c, findings = load(t, "signed.yaml")
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	if d := c.Brands[0].DKIM; len(d) != 1 || d[0].Name() != "s2026._domainkey.nordwind.example" || len(c.Brands[1].DKIM) != 0 {
		t.Errorf("%+v", c.Brands)
	}
	// Tools read no secrets: nothing can be signed then, and nothing is missing.
	if c, findings := LoadForTools("dkim.yaml"); len(findings) > 0 || c.Brands[0].DKIM[0].Key.Has() {
		t.Errorf("for tools: %v", findings)
	}
	if got := SecretFiles("dkim.yaml"); len(got) != 2 || got[1] != "dkim.pw" {
		t.Errorf("secret files %v", got)
	}
}
