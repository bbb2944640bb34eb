// Package setup finds the mail servers of an address and reads what the domain says about mail: SRV and MX records, a
// table of known providers, SPF, DKIM and DMARC. It only asks the name service; logging in, sending and writing files
// are the caller's business.
package setup

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// Ways to protect a connection, as the configuration writes them.
const (
	Implicit = "implicit"
	StartTLS = "starttls"
)

// Server is where a mail server is.
type Server struct {
	Host string
	Port int // 0: the usual one
	TLS  string
}

// String is host, or host:port where the port is not the usual one.
func (s Server) String() string {
	if s.Port == 0 {
		return s.Host
	}
	return net.JoinHostPort(s.Host, fmt.Sprint(s.Port))
}

// Candidate is a server that may be the right one.
type Candidate struct {
	Server
	By   string // what says so, such as "SRV _imaps._tcp.huber.example"
	Sure bool   // something said so; false: it is a guess
}

// Plan is where to look for the servers of a domain, the most likely ones first.
type Plan struct {
	Provider *Provider // nil: none that is known
	IMAP     []Candidate
	SMTP     []Candidate
}

// NameServer is a resolver that asks the name server at addr (host:port) and no other; "" is the system's resolver.
func NameServer(addr string) *net.Resolver {
	if addr == "" {
		return &net.Resolver{}
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, addr)
	}}
}

// Discover lists the servers that may hold the mail of a domain: those of a provider that is known by the domain, what
// the domain itself publishes (RFC 6186, RFC 8314 §5.1), those of a provider that is known by the domain's MX, and
// names that are usual. It never fails: without a name service the guesses are left.
func Discover(ctx context.Context, r *net.Resolver, domain string) Plan {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	var p Plan
	if p.Provider = providerOf(domain); p.Provider != nil {
		p.add(p.Provider, "", "the provider "+p.Provider.Name)
	}
	p.published(ctx, r, domain)
	if p.Provider == nil {
		if mx, err := r.LookupMX(ctx, domain+"."); err == nil {
			for _, m := range mx {
				host := strings.ToLower(strings.TrimSuffix(m.Host, "."))
				if known := providerOfMX(host); known != nil {
					p.Provider = known
					p.add(known, host, "the provider "+known.Name+", by its MX "+host)
					break
				}
			}
		}
	}
	for _, name := range []string{"imap.", "mail."} {
		p.IMAP = append(p.IMAP, Candidate{Server: Server{Host: name + domain, TLS: Implicit}, By: "a usual name"})
	}
	for _, name := range []string{"smtp.", "mail."} {
		p.SMTP = append(p.SMTP, Candidate{Server: Server{Host: name + domain, TLS: Implicit}, By: "a usual name"},
			Candidate{Server: Server{Host: name + domain, TLS: StartTLS}, By: "a usual name"})
	}
	return p
}

func (p *Plan) add(known *Provider, mx, by string) {
	p.IMAP = append(p.IMAP, Candidate{Server: known.IMAP.at(mx), By: by, Sure: true})
	p.SMTP = append(p.SMTP, Candidate{Server: known.SMTP.at(mx), By: by, Sure: true})
}

// published adds what the domain's SRV records say; implicit TLS comes first (RFC 8314 §3.3).
func (p *Plan) published(ctx context.Context, r *net.Resolver, domain string) {
	for _, s := range []struct {
		service string
		usual   int
		tls     string
		list    *[]Candidate
	}{
		{"imaps", 993, Implicit, &p.IMAP}, {"imap", 143, StartTLS, &p.IMAP},
		{"submissions", 465, Implicit, &p.SMTP}, {"submission", 587, StartTLS, &p.SMTP},
	} {
		_, records, err := r.LookupSRV(ctx, s.service, "tcp", domain+".")
		if err != nil {
			continue
		}
		for _, record := range records {
			host := strings.ToLower(strings.TrimSuffix(record.Target, "."))
			if host == "" || record.Port == 0 {
				continue // "." says that the service is not there (RFC 6186 §3.4)
			}
			server := Server{Host: host, Port: int(record.Port), TLS: s.tls}
			if server.Port == s.usual {
				server.Port = 0
			}
			*s.list = append(*s.list, Candidate{Server: server, By: "SRV _" + s.service + "._tcp." + domain, Sure: true})
		}
	}
}

// Of is the plan for a provider whose servers do not depend on the domain.
func Of(known *Provider) Plan {
	p := Plan{Provider: known}
	p.add(known, "", "the provider "+known.Name)
	return p
}

// NeedsMX reports whether the provider's servers are only known with the domain's MX.
func (p *Provider) NeedsMX() bool { return p.IMAP.Host == atMX }
