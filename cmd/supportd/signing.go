package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/cmd/supportd/dkim"
	"supportd/cmd/supportd/setup"
	"supportd/mailout"
)

// composer makes mails as a configuration wants them: with its names, signed with its keys. A mail is signed when it is
// composed, in the transaction that owes it, so that every attempt sends the same octets (P2).
func composer(c *config.Config) *mailout.Composer {
	signers := map[string]dkim.Signer{} // by the address that mails come from
	for _, b := range c.Brands {
		for _, s := range b.DKIM {
			if s.Key.Has() {
				signers[b.From.Mail] = append(signers[b.From.Mail], s.Signature)
			}
		}
	}
	m := &mailout.Composer{Reserved: reservedNames(c)}
	if len(signers) > 0 {
		m.Sign = func(from string, raw []byte, at time.Time) ([]byte, error) { return signers[from].Sign(raw, at) }
	}
	return m
}

// signatures tells whether the keys that sign a brand's mails are published. A key that is not makes every signature fail,
// and a mail with a signature that fails is worse off than one without.
func (o *online) signatures(ctx context.Context, b config.Brand) {
	for _, s := range b.DKIM {
		if !s.Key.Has() {
			continue
		}
		texts, err := setup.DKIMRecords(ctx, o.resolver, s.Name())
		switch wrong := s.Published(texts); {
		case err != nil:
			o.tell(s.Domain, "dkim", hopWarning, "the key at "+s.Name()+" cannot be looked up: "+err.Error(), "check this machine's name service")
		case wrong != "":
			o.tell(s.Domain, "dkim", hopFault, fmt.Sprintf("mails of brand %s are signed with %s (%s), and at %s %s", b.Name, s.KeyFile, s.Key.Kind(), s.Name(), wrong),
				"publish this TXT record, or take the key out of brands."+b.Name+".dkim: "+s.Record())
		default:
			o.tell(s.Domain, "dkim", hopFine, fmt.Sprintf("DKIM: mails of brand %s are signed with %s (%s), and the key is published at %s", b.Name, s.KeyFile, s.Key.Kind(), s.Name()), "")
		}
	}
}

// signsItself reports whether a brand's mails from that domain are signed by the desk with a key of that name.
func signsItself(b config.Brand, domain, selector string) bool {
	for _, s := range b.DKIM {
		if strings.EqualFold(s.Domain, domain) && strings.EqualFold(s.Selector, selector) {
			return true
		}
	}
	return false
}
