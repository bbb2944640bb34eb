package main

import (
	"context"
	"net"
	"time"

	"supportd/classify"
	"supportd/cmd/supportd/dkim"
	"supportd/tickets"
)

// newVerifier checks signatures with keys from a name service; nil is the system's.
func newVerifier(r *net.Resolver, now func() time.Time) *dkim.Verifier {
	if r == nil {
		r = net.DefaultResolver
	}
	return &dkim.Verifier{Now: now, LookupTXT: func(ctx context.Context, name string) ([]string, error) {
		return r.LookupTXT(ctx, name+".")
	}}
}

// ownCheck judges what signatures say about a mail's author, and believes nobody else's word.
func ownCheck() (*classify.Classifier, error) {
	return classify.New(classify.Config{Languages: []string{"en"}, OwnCheck: true, Team: "desk"})
}

// checkSignatures is what the Pollers have checked of a mail, when the configuration wants it: the signatures of a person's
// mail about which no trusted server has said anything. It is stored with the message, so that whoever asks later why the
// desk decided as it did gets the same answer, whatever became of the keys.
func (d *Daemon) checkSignatures(ctx context.Context, raw []byte, m *tickets.Message) []tickets.Signature {
	c := d.config.Load()
	if !c.VerifyDKIM || m.Author == "" || m.FirstField("DKIM-Signature") == "" {
		return nil
	}
	if k, ok := d.desk.Rules().Classifier.(*classify.Classifier); ok && k.Vouched(m) {
		return nil
	}
	found := d.verifier.Check(ctx, raw)
	for _, s := range found {
		if s.Result == tickets.SignatureUnknown {
			d.log.Warn("key of a signature not looked up; its sender counts as unproven", "message", m.ID, "domain", s.Domain, "err", s.Why)
		}
	}
	return found
}
