package config

import (
	"fmt"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"unicode"

	"supportd/tickets"
)

// Kinds of values that name somebody or something on the network.

func parsePerson(s string) (any, error) {
	if !strings.Contains(s, "@") {
		if !isName(s) {
			return nil, &fault{what: fmt.Sprintf("%q is neither a mail address nor an id of people", clip(s)), fix: "write name@domain, or what stands in the column id"}
		}
		return s, nil
	}
	if _, err := parseAddress(s); err != nil {
		return nil, err
	}
	return s, nil
}

func parseAddress(s string) (any, error) {
	bad := &fault{what: fmt.Sprintf("%q is not a mail address", clip(s)), fix: "write name@domain or Name <name@domain>"}
	a := tickets.Address{Mail: strings.TrimSpace(s)}
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		rest, closed := strings.CutSuffix(strings.TrimSpace(s[i+1:]), ">")
		if !closed {
			return nil, bad
		}
		a.Mail, a.Name = rest, strings.TrimSpace(s[:i])
		if len(a.Name) >= 2 && a.Name[0] == '"' && a.Name[len(a.Name)-1] == '"' {
			a.Name = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(a.Name[1 : len(a.Name)-1])
		}
	}
	at := strings.LastIndexByte(a.Mail, '@')
	if at < 1 || len(a.Mail) > 254 || strings.ContainsFunc(s, unicode.IsControl) || strings.ContainsAny(a.Mail, " ,;<>()\"") {
		return nil, bad
	}
	if _, err := mail.ParseAddress("<" + a.Mail + ">"); err != nil || !isHost(a.Mail[at+1:]) {
		return nil, bad
	}
	return a, nil
}

// server is a host and the port to reach it on; port 0 leaves that to the TLS mode.
type server struct {
	host string
	port int
}

func parseServer(s string) (any, error) {
	if i := strings.Index(s, "://"); i >= 0 {
		host, _, _ := strings.Cut(s[i+3:], "/")
		return nil, &fault{what: fmt.Sprintf("wants a server, got the URL %q", clip(s)), fix: "write " + clip(host) + " and say by tls how to speak to it"}
	}
	bad := &fault{what: fmt.Sprintf("wants a server, host or host:port, got %q", clip(s)), fix: "write such as imap.nordwind.example or imap.nordwind.example:993"}
	host, port := s, ""
	if strings.Contains(s, ":") {
		var err error
		if host, port, err = net.SplitHostPort(s); err != nil {
			if net.ParseIP(s) != nil {
				return nil, &fault{what: fmt.Sprintf("wants a server, got %q", clip(s)), fix: "write IPv6 addresses in brackets, with a port: [" + s + "]:993"}
			}
			return nil, bad
		}
	}
	if !isHost(host) && net.ParseIP(host) == nil {
		return nil, bad
	}
	srv := server{host: host}
	if strings.Contains(s, ":") {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return nil, &fault{what: fmt.Sprintf("port %q is not a number from 1 to 65535", clip(port))}
		}
		srv.port = n
	}
	return srv, nil
}

func parseListen(s string) (any, error) {
	host, port, err := net.SplitHostPort(s)
	if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 1 || n > 65535 || host != "" && !isHost(host) && net.ParseIP(host) == nil {
		return nil, &fault{what: fmt.Sprintf("wants an address and port such as 127.0.0.1:8025, got %q", clip(s))}
	}
	return s, nil
}

// isHost checks a host name's letters and lengths (RFC 1123 §2.1), with letters of other alphabets (RFC 5890) and the
// underscore that names in practice have.
func isHost(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_' }) {
			return false
		}
	}
	return true
}

func parseHost(s string) (any, error) {
	if !isHost(s) {
		return nil, &fault{what: fmt.Sprintf("wants a host name such as mx.nordwind.example, got %q", clip(s))}
	}
	return strings.ToLower(s), nil
}

func parseDomain(s string) (any, error) {
	if !isHost(s) || !strings.Contains(s, ".") {
		return nil, &fault{what: fmt.Sprintf("wants a domain such as nordwind.example, got %q", clip(s)), fix: "write what stands behind the @"}
	}
	return strings.ToLower(s), nil
}
