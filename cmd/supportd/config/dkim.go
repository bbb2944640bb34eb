package config

import (
	"os"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"supportd/cmd/supportd/dkim"
)

// DKIM is one signature that a brand's mails get.
type DKIM struct {
	dkim.Signature        // without a key where secrets are not read
	KeyFile        string // as the configuration names it
}

// dkimKeys are one signature.
type dkimKeys struct {
	section
	Domain   opt[string] `key:"domain" kind:"domain" example:"nordwind.example" doc:"The domain that signs. Default: that of from."`
	Selector opt[string] `key:"selector" kind:"selector" required:"yes" example:"s2026" doc:"Names the key among those of the domain: its public half is published at SELECTOR._domainkey.DOMAIN. A new key gets a new selector."`
	KeyFile  opt[string] `key:"key_file" kind:"path" required:"yes" example:"dkim.pem" doc:"File with the private key (PEM), RSA of at least 2048 bits or Ed25519, relative to this file, readable for its owner only. supportd dkim key makes one."`
}

// maxKeyFile bounds a key file, in octets.
const maxKeyFile = 64 << 10

// parseSelector checks one label, or several with dots between them (RFC 6376 §3.1).
func parseSelector(s string) (any, error) {
	lower := strings.ToLower(s)
	for label := range strings.SplitSeq(lower, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || label[0] == '-' {
			return nil, &fault{what: "can be no part of a name in the name service", fix: "use letters, digits and dashes, such as s2026"}
		}
	}
	return lower, nil
}

// signatures settles what a brand's mails are signed with.
func (r *resolver) signatures(k list[dkimKeys], from string) []DKIM {
	var all []DKIM
	_, sender, _ := strings.Cut(strings.ToLower(from), "@")
	if ascii, err := idna.Lookup.ToASCII(sender); err == nil {
		sender = ascii
	}
	seen := map[string]bool{}
	for _, keys := range k.items {
		s := DKIM{KeyFile: keys.KeyFile.val}
		s.Domain, s.Selector = strings.ToLower(keys.Domain.val), keys.Selector.val
		if s.Domain == "" {
			s.Domain = sender
		}
		switch {
		case seen[s.Name()] && s.Selector != "":
			r.report("E02", keys.Selector.at, "give each key a selector of its own", "%s is named twice", s.Name())
		case keys.Domain.given && s.Domain != "" && sender != "" && !sameOrganisation(s.Domain, sender):
			r.warn("", keys.Domain.at, "sign with the domain of from, or delete the key", "mails come from %s: for receivers a signature of %s says nothing about them (RFC 7489 §3.1)", sender, s.Domain)
		}
		seen[s.Name()] = true
		if keys.KeyFile.val != "" {
			s.Key = r.signingKey(keys.KeyFile)
		}
		all = append(all, s)
	}
	return all
}

// sameOrganisation reports whether two domains are registered by the same organisation.
func sameOrganisation(a, b string) bool {
	x, err := publicsuffix.EffectiveTLDPlusOne(a)
	y, err2 := publicsuffix.EffectiveTLDPlusOne(b)
	return a == b || err == nil && err2 == nil && x == y
}

// signingKey reads a private key.
func (r *resolver) signingKey(k opt[string]) dkim.Key {
	if r.getenv == nil {
		return dkim.Key{}
	}
	name, handed := r.credential(k.val)
	p := r.path(name)
	if _, err := os.Stat(p); err != nil {
		r.report("E03", k.at, "run supportd dkim key "+p, "%s: %s", p, plainError(err))
		return dkim.Key{}
	}
	data, ok := r.file(k.at, name, maxKeyFile, true)
	if !ok {
		return dkim.Key{}
	}
	if info, err := os.Stat(p); !handed && err == nil && info.Mode().Perm()&0o077 != 0 {
		r.report("", k.at, "run chmod 600 "+p, "%s can be read or changed by other users (mode %04o)", p, info.Mode().Perm())
		return dkim.Key{}
	}
	key, err := dkim.ParseKey(data)
	if err != nil {
		r.report("", k.at, "run supportd dkim key and name the file it makes", "%s: %s", p, err)
	}
	return key
}
