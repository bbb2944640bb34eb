package mailout

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"time"
)

// ProbeReport is what a server showed of itself to somebody who sent nothing.
type ProbeReport struct {
	Server   string    `json:"server"`
	Addr     string    `json:"addr"`               // host:port
	TLS      string    `json:"tls,omitempty"`      // version, such as "TLS 1.3"; "" without TLS
	NotAfter time.Time `json:"not_after,omitzero"` // when the first certificate of the chain expires
	LoggedIn bool      `json:"logged_in"`

	STARTTLS   bool     `json:"starttls"` // offered before encryption; not known with implicit TLS
	Auth       []string `json:"auth,omitempty"`
	Size       int64    `json:"size"` // octets; 0 means that no limit is told
	EightBit   bool     `json:"8bitmime"`
	SMTPUTF8   bool     `json:"smtputf8"`
	DSN        bool     `json:"dsn"`
	Pipelining bool     `json:"pipelining"`
}

// DaysLeft returns how many whole days the certificate is still good for.
func (r ProbeReport) DaysLeft(now time.Time) int { return int(r.NotAfter.Sub(now).Hours() / 24) }

// Probe connects, encrypts, logs in and leaves again, and reports what it saw. It sends no mail. The error is one plain
// line that says what did not work, where, and what to do.
func Probe(ctx context.Context, server Server) (ProbeReport, error) {
	server, err := server.withDefaults()
	if err != nil {
		return ProbeReport{}, err
	}
	report := ProbeReport{Server: server.Name, Addr: server.addr(), STARTTLS: server.TLS == TLSStart}
	s, err := connect(ctx, server, new(net.Dialer).DialContext, "")
	if err != nil {
		return report, err
	}
	defer s.quit()
	report.LoggedIn = s.loggedIn
	report.Auth = s.mechanisms()
	report.Size, report.SMTPUTF8, report.DSN, report.Pipelining = s.size, s.utf8, s.dsn, s.pipelining
	report.EightBit, _ = s.client.Extension("8BITMIME")
	if !report.STARTTLS {
		report.STARTTLS, _ = s.client.Extension("STARTTLS")
	}
	if state, ok := s.client.TLSConnectionState(); ok {
		report.TLS = tls.VersionName(state.Version)
		report.NotAfter = expiry(state.PeerCertificates)
	}
	return report, nil
}

// expiry returns when the first of the certificates expires.
func expiry(chain []*x509.Certificate) time.Time {
	var first time.Time
	for _, c := range chain {
		first = earlier(first, c.NotAfter)
	}
	return first
}
