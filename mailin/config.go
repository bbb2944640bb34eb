package mailin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"supportd/tickets"
)

// TLSMode is how a connection is protected.
type TLSMode string

const (
	TLSImplicit TLSMode = "implicit" // TLS from the first byte (RFC 8314); the default
	TLSStart    TLSMode = "starttls" // STARTTLS, required: a server without it is refused
	TLSNone     TLSMode = "none"     // cleartext; to loopback addresses only
)

// After is what is done to a message on the server once it is settled.
type After string

const (
	AfterLeave After = "leave" // nothing: the mailbox is opened read-only
	AfterFlag  After = "flag"  // Keyword is added
	AfterMove  After = "move"  // it is moved to MoveTo
)

// Defaults of a Config.
const (
	DefaultFolder  = "INBOX"
	DefaultPoll    = time.Minute
	DefaultIdle    = 9 * time.Minute
	DefaultMaxSize = 25 << 20
	DefaultKeyword = "$SupportdDone"
)

// Config says which mailbox to follow, and how. Name, Host, User and one of Password and Token are required.
type Config struct {
	Name string // of the mailbox in the configuration; part of every Source
	Host string
	Port int // 0: 993, or 143 when TLS is not implicit
	TLS  TLSMode
	User string
	// Password is asked for at every login, so that a changed one is picked up without a restart.
	Password func() (string, error)
	// Token, when set, is used in place of Password: it gives an OAuth2 access token for one login, by OAUTHBEARER (RFC
	// 7628) or XOAUTH2. refused is the token that the server has just refused, "" for none. An error that has a method
	// Permanent() bool which says true is one that trying again soon cannot help.
	Token  func(ctx context.Context, refused string) (string, error)
	CAFile string // PEM file with roots that are trusted beside the system's

	Folder  string        // default INBOX
	Poll    time.Duration // look at the mailbox at least this often; default 60 s
	Idle    time.Duration // end IDLE at the latest after this; default and most 9 min
	After   After         // default leave
	MoveTo  string        // required for AfterMove
	Keyword string        // for AfterFlag, and for AfterMove on servers that cannot move safely
	Since   time.Time     // mail that arrived before is settled unread; zero: when the desk first saw the mailbox
	Sent    string        // folder for sent mail, or \Sent; for Probe
	Acting  []string      // folders in which moving is an action; for Probe
	Claim   string        // folder in which desks say that they read the mailbox; "": nobody says so
	// Mirrored is what the messages are to show of their tickets, for Probe; nil: nothing.
	Mirrored *tickets.Mirror
	MaxSize  int64 // octets; of larger mail only the header and a prefix are read; default 25 MiB
}

func (c Config) withDefaults() Config {
	c.TLS = cmp.Or(c.TLS, TLSImplicit)
	if c.Port == 0 {
		c.Port = 993
		if c.TLS != TLSImplicit {
			c.Port = 143
		}
	}
	c.Folder = cmp.Or(c.Folder, DefaultFolder)
	if strings.EqualFold(c.Folder, "inbox") {
		c.Folder = "INBOX" // STATUS and LIST compare by letter; RFC 9051 §5.1 does not
	}
	c.Poll = cmp.Or(c.Poll, DefaultPoll)
	c.Idle = min(cmp.Or(c.Idle, DefaultIdle), DefaultIdle)
	c.After = cmp.Or(c.After, AfterLeave)
	c.Keyword = cmp.Or(c.Keyword, DefaultKeyword)
	c.MaxSize = cmp.Or(c.MaxSize, DefaultMaxSize)
	return c
}

// check finds what can be found wrong without a connection.
func (c Config) check() error {
	switch {
	case c.Name == "" || c.Host == "":
		return errors.New("a mailbox needs a name and a host")
	case c.TLS != TLSImplicit && c.TLS != TLSStart && c.TLS != TLSNone:
		return fmt.Errorf("tls %q is unknown: write implicit, starttls or none", c.TLS)
	case c.TLS == TLSNone && !isLoopback(c.Host):
		return fmt.Errorf("tls: none is allowed to loopback addresses only, not to %s", c.Host)
	case c.User == "" || c.Password == nil && c.Token == nil:
		return errors.New("a mailbox needs a user and a password")
	case c.After != AfterLeave && c.After != AfterFlag && c.After != AfterMove:
		return fmt.Errorf("after %q is unknown: write leave, flag or move", c.After)
	case c.After == AfterMove && c.MoveTo == "":
		return errors.New("after: move needs move_to")
	case c.After == AfterMove && c.MoveTo == c.Folder:
		return errors.New("move_to is the folder that is read: choose another one")
	}
	return nil
}

// addr is host:port.
func (c Config) addr() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

// where names the mailbox in errors: mailbox "support" at imap.example.org:993.
func (c Config) where() string { return fmt.Sprintf("mailbox %q at %s", c.Name, c.addr()) }

// isLoopback reports whether host can only be this machine, without asking a name server.
func isLoopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
