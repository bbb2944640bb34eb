package setup

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"supportd/cmd/supportd/dkim"
)

// Domain is what a domain publishes about the mail that claims to come from it. A field is "" when there is no such
// record; Err says that the name service could not be asked, and then nothing is known.
type Domain struct {
	Name    string
	SPF     string // the record, RFC 7208
	SPFs    int    // how many SPF records there are; more than one counts as none (RFC 7208 §4.5)
	DMARC   string // the record, of the domain or of the organisational domain (RFC 7489 §6.6.3)
	DMARCAt string // the name it stands at
	Err     error
}

// Publishes asks what a domain publishes.
func Publishes(ctx context.Context, r *net.Resolver, domain string) Domain {
	d := Domain{Name: domain}
	texts, err := lookupTXT(ctx, r, domain)
	if err != nil {
		d.Err = err
		return d
	}
	for _, t := range texts {
		if lower := strings.ToLower(t); lower == "v=spf1" || strings.HasPrefix(lower, "v=spf1 ") {
			d.SPF, d.SPFs = t, d.SPFs+1
		}
	}
	names := []string{domain}
	if org, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil && org != domain {
		names = append(names, org)
	}
	for _, name := range names {
		texts, err := lookupTXT(ctx, r, "_dmarc."+name)
		if err != nil {
			d.Err = err
			return d
		}
		for _, t := range texts {
			if strings.HasPrefix(strings.ToUpper(t), "V=DMARC1") {
				d.DMARC, d.DMARCAt = t, "_dmarc."+name
				return d
			}
		}
	}
	return d
}

// DMARCPolicy is the value of p: none, quarantine or reject; "" without one.
func (d Domain) DMARCPolicy() string { return dkim.Tag(d.DMARC, "p") }

// DKIMKey reports whether the key that a signature names stands in the name service (RFC 6376 §3.6.2). A key with an
// empty p is revoked.
func DKIMKey(ctx context.Context, r *net.Resolver, selector, domain string) (bool, error) {
	texts, err := lookupTXT(ctx, r, selector+"._domainkey."+domain)
	for _, t := range texts {
		if dkim.Tag(t, "p") != "" {
			return true, nil
		}
	}
	return false, err
}

// DKIMRecords are the texts at the name of a key; nil without an error when there is none.
func DKIMRecords(ctx context.Context, r *net.Resolver, name string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, dkimLimit)
	defer cancel()
	return lookupTXT(ctx, r, name)
}

// dkimLimit is how long is waited for a key.
const dkimLimit = 10 * time.Second

// Signature is the domain and the selector of a DKIM-Signature field; "" when the field has none.
func Signature(field string) (domain, selector string) {
	return strings.ToLower(dkim.Tag(field, "d")), strings.ToLower(dkim.Tag(field, "s"))
}

// lookupTXT is nil without an error when the name, or a TXT record of it, does not exist.
func lookupTXT(ctx context.Context, r *net.Resolver, name string) ([]string, error) {
	texts, err := r.LookupTXT(ctx, name+".")
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return nil, nil
	}
	return texts, err
}
