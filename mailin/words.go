package mailin

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/emersion/go-imap/v2"
)

// folderError is a folder that could not be opened.
type folderError struct {
	folder  string
	nearest string // the existing name that is most like it, or ""
	err     error
}

func (e *folderError) Error() string { return fmt.Sprintf("open folder %q: %v", e.folder, e.err) }
func (e *folderError) Unwrap() error { return e.err }

// inWords says in one line what went wrong, where, and what to do.
func inWords(err error, cfg Config) string {
	if err == nil {
		return ""
	}
	var claimed *claimedError
	if errors.As(err, &claimed) {
		return cfg.where() + ": " + claimed.Error() // its length is bounded, and its end is what to do
	}
	return cfg.where() + ": " + oneLine(words(err, cfg))
}

func words(err error, cfg Config) string {
	var dns *net.DNSError
	var folder *folderError
	var status *imap.Error
	var refused *refusedToken
	var token *tokenError
	if errors.As(err, &token) {
		return token.Error() // what is wrong is not at this server
	}
	if s := tlsWords(err, cfg); s != "" {
		return s
	}
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("no such host %q: check host", cfg.Host)
	case errors.As(err, &dns):
		return fmt.Sprintf("the name %q cannot be looked up now: check the network", cfg.Host)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: check port, and whether the server runs"
	case errors.As(err, &refused):
		return refused.Error() + ": check user, scopes, and that the account may use IMAP"
	case errors.Is(err, errLogin) && cfg.Token != nil:
		return err.Error() + ": use password_file, or another server"
	case errors.Is(err, errLogin):
		return strings.ReplaceAll(err.Error(), "\n", " ") + ": check user and password"
	case errors.As(err, &folder) && errors.As(err, &status):
		s := fmt.Sprintf("folder %q cannot be opened, the server says %q: check folder", folder.folder, oneLine(status.Text))
		if folder.nearest != "" {
			s += fmt.Sprintf("; there is %q", folder.nearest)
		}
		return s
	case errors.As(err, &status) && status.Type == imap.StatusResponseTypeBye:
		return fmt.Sprintf("the server sends us away: %q", oneLine(status.Text))
	case errors.Is(err, errNoAnswer) || isTimeout(err):
		return "no answer in time: check host, port and firewall"
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET):
		var bye *byeError
		if errors.As(err, &bye) {
			return err.Error()
		}
		return "the server closed the connection"
	}
	return err.Error()
}

// tlsWords explains what is wrong with the protection of the connection.
func tlsWords(err error, cfg Config) string {
	var expired x509.CertificateInvalidError
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &expired) && expired.Reason == x509.Expired:
		return fmt.Sprintf("the server's certificate is valid from %s to %s only: renew it, or set this machine's clock",
			expired.Cert.NotBefore.Format(time.DateOnly), expired.Cert.NotAfter.Format(time.DateOnly))
	case errors.As(err, &name):
		names := append(name.Certificate.DNSNames, name.Certificate.Subject.CommonName)
		return fmt.Sprintf("the server's certificate is not for %q but for %s: use that name as host", cfg.Host, strings.Join(names[:max(1, min(3, len(names)-1))], ", "))
	case errors.As(err, &unknown):
		return "the server's certificate is signed by nobody this machine knows: name its root in ca_file"
	case errors.As(err, &record):
		return "the server does not speak TLS on this port: use port 993, or tls: starttls with port 143"
	}
	return ""
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
