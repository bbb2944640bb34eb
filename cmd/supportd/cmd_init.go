package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"supportd/cmd/supportd/config"
	"supportd/cmd/supportd/setup"
	"supportd/mailin"
	"supportd/mailout"
)

// initFlags are what init is told on the command line.
type initFlags struct {
	config.InitOptions
	provider      string
	resolver      string
	passwordStdin bool

	password string                 // from standard input, or from a terminal
	again    func() (string, error) // asks for the password once more; nil without a terminal
	caPath   string                 // CAFile, as this process reaches it
}

func (a *app) initCommand() *cobra.Command {
	var o initFlags
	cmd := &cobra.Command{
		Use: "init", Short: "write a commented configuration for a mailbox", Args: cobra.NoArgs,
		Long: `init finds the mail servers of an address, tries the login, and writes the configuration file (-c, supportd.yaml) with
a comment at every key, the password in a file beside it that nobody else can read, and the schema that lets editors
complete and check. It never overwrites a file.

What the flags leave out is asked for on a terminal. The servers are those of --provider, those that the domain
publishes (SRV records), those of a provider that is known by the domain's MX, or usual names; --imap and --smtp name
them. Without a password nothing is tried. --state writes the state directory down; for a configuration in
/etc/supportd it is /var/lib/supportd.`,
		Example: `  supportd init
  supportd init --address "Nordwind Service <hilfe@nordwind.example>" --team anna@nordwind.example,ben@nordwind.example --language de
  supportd init --address hilfe@nordwind.example --team anna@nordwind.example --provider ionos --password-stdin < password`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.init(cmd.Context(), &o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.Address, "address", "", "what customers write to, with or without a display name")
	f.StringSliceVar(&o.Team, "team", nil, "addresses of the people who answer")
	f.StringVar(&o.provider, "provider", "", "whose servers they are, such as ionos, strato, gmx, mailbox.org, microsoft, google")
	f.StringVar(&o.IMAP, "imap", "", "host or host:port")
	f.StringVar(&o.SMTP, "smtp", "", "host or host:port")
	f.StringVar(&o.User, "user", "", "login name (default: the address, else what stands before its @)")
	f.BoolVar(&o.passwordStdin, "password-stdin", false, "read the password from standard input")
	f.StringVar(&o.OAuth2.ClientID, "client-id", "", "log in with access tokens (OAuth2): the desk's ID at Microsoft or Google")
	f.StringVar(&o.OAuth2.Tenant, "tenant", "", "OAuth2 at Microsoft: the directory (default: the address's domain)")
	f.StringVar(&o.OAuth2.SecretFile, "client-secret-file", "", "OAuth2: file with the client's secret, beside the configuration")
	f.StringVar(&o.TLS, "tls", "", "implicit, starttls or none, for servers that are named (default implicit)")
	f.StringVar(&o.CAFile, "ca-file", "", "certificates (PEM) that are trusted beside the system's")
	f.StringVar(&o.Language, "language", "", "de or en, of the desk and the comments (default: the environment's)")
	f.StringVar(&o.Timezone, "timezone", "", "such as Europe/Berlin")
	f.StringVar(&o.TrustAuth, "trust-auth", "", "the mail server's name in Authentication-Results (default: the IMAP host)")
	f.BoolVar(&o.Trusted, "trusted", false, "only people who logged in can write to the mailbox")
	f.StringVar(&o.resolver, "resolver", "", "ask this name server (host:port), not the system's")
	return cmd
}

func (a *app) init(ctx context.Context, o *initFlags) error {
	if _, err := os.Stat(a.config); err == nil {
		return fmt.Errorf("%s exists already and is left as it is; move it away, or name another with -c", a.config)
	}
	o.Language = cmp.Or(o.Language, environmentLanguage())
	o.Timezone = cmp.Or(o.Timezone, environmentZone())
	if err := a.learn(o); err != nil {
		return err
	}
	o.PasswordFile, o.State = "mailbox.pw", a.state
	if dir, err := filepath.Abs(filepath.Dir(a.config)); err == nil && dir == "/etc/supportd" && o.State == "" {
		o.State = "/var/lib/supportd" // a service writes nothing below /etc
	}
	if o.CAFile != "" {
		path, err := filepath.Abs(o.CAFile) // the file names it from its own folder
		if err != nil {
			return fmt.Errorf("--ca-file: %w", err)
		}
		o.caPath, o.CAFile = path, path
		if dir, err := filepath.Abs(filepath.Dir(a.config)); err == nil && filepath.Dir(path) == dir {
			o.CAFile = filepath.Base(path)
		}
	}
	// The servers are filled in below; what else there is has to be right before anybody is asked.
	trial := o.InitOptions
	trial.IMAP, trial.SMTP = cmp.Or(trial.IMAP, "imap.invalid"), cmp.Or(trial.SMTP, "smtp.invalid")
	if _, err := config.InitFile(trial); err != nil {
		return err
	}
	for tries := 1; ; tries++ {
		err := a.findServers(ctx, o)
		var refused *refusedLogin
		if errors.As(err, &refused) && o.again != nil && tries < 3 {
			fmt.Fprintln(a.out, refused.err)
			if o.password, err = o.again(); err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		break
	}
	text, err := config.InitFile(o.InitOptions)
	if err != nil {
		return err
	}
	return a.writeInit(o, text)
}

// learn asks for what the flags leave out, on a terminal; elsewhere it has to be given.
func (a *app) learn(o *initFlags) error {
	if o.passwordStdin {
		b, err := io.ReadAll(io.LimitReader(a.in, 4<<10))
		if err != nil {
			return fmt.Errorf("read the password from standard input: %w", err)
		}
		if o.password = strings.TrimRight(string(b), "\r\n"); o.password == "" || strings.ContainsAny(o.password, "\r\n\x00") {
			return errors.New("--password-stdin: standard input holds no password, or more than one line")
		}
	} else if terminal(a.in) && terminal(a.out) {
		i := newInterview(a.in, a.out)
		o.again = func() (string, error) { return i.password(o.Language) }
		return i.run(o)
	}
	if o.Address == "" || len(o.Team) == 0 {
		return errors.New("init wants --address (what customers write to) and --team (who answers); see supportd init --help")
	}
	return nil
}

// findServers decides which servers to name, and tries the login when the password is known.
func (a *app) findServers(ctx context.Context, o *initFlags) error {
	address := bareAddress(o.Address)
	plan := setup.Plan{}
	switch known := setup.ByName(o.provider); {
	case o.provider != "" && known == nil:
		return fmt.Errorf("--provider %q is not known; name the servers with --imap and --smtp", o.provider)
	case known != nil && !known.NeedsMX():
		plan = setup.Of(known)
	case o.IMAP == "" || o.SMTP == "":
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		plan = setup.Discover(ctx, setup.NameServer(o.resolver), domainOf(address))
		cancel()
	}
	if o.IMAP != "" {
		plan.IMAP = []setup.Candidate{namedServer(o.IMAP, o.TLS)}
	}
	if o.SMTP != "" {
		plan.SMTP = []setup.Candidate{namedServer(o.SMTP, o.TLS)}
	}
	t := &trial{app: a, flags: o, address: address, resolver: setup.NameServer(o.resolver)}
	imap, err := t.imap(ctx, plan.IMAP)
	if err != nil {
		return err
	}
	smtp, err := t.smtp(ctx, plan.SMTP)
	if err != nil {
		return err
	}
	o.IMAP, o.TLS, o.SMTP, o.SMTPTLS = imap.String(), imap.TLS, smtp.String(), smtp.TLS
	if o.OAuth2.ClientID != "" {
		if plan.Provider == nil || plan.Provider.OAuth2 == "" {
			return errors.New("--client-id: it is not known whose it is; add --provider microsoft or --provider google, or write oauth2 into the file as docs/admin.md says")
		}
		if o.OAuth2.Provider = plan.Provider.OAuth2; o.OAuth2.Provider == "microsoft" {
			o.OAuth2.Tenant = cmp.Or(o.OAuth2.Tenant, domainOf(address))
		}
	}
	if p := plan.Provider; p != nil {
		o.TrustAuth = cmp.Or(o.TrustAuth, p.TrustAuth)
		if note := p.Note.Text(o.Language); note != "" && o.password == "" && o.OAuth2.Provider == "" {
			fmt.Fprintf(a.out, "%s: %s\n", p.Name, note)
		}
	}
	return nil
}

// namedServer is a server that was named on the command line.
func namedServer(s, tls string) setup.Candidate {
	server := setup.Server{Host: s, TLS: cmp.Or(tls, setup.Implicit)}
	if host, port, err := net.SplitHostPort(s); err == nil {
		if n, err := strconv.Atoi(port); err == nil {
			server.Host, server.Port = host, n
		}
	}
	return setup.Candidate{Server: server, By: "as named", Sure: true}
}

// bareAddress is the address without its display name.
func bareAddress(s string) string {
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		s = strings.TrimSuffix(strings.TrimSpace(s[i+1:]), ">")
	}
	return strings.ToLower(strings.TrimSpace(s))
}

// trial tries candidates one after the other.
type trial struct {
	app      *app
	flags    *initFlags
	address  string
	resolver *net.Resolver
}

const trialLimit = 15 * time.Second // for one server

// imap finds the first IMAP server that takes the login. Without a password it is the first one that is there.
func (t *trial) imap(ctx context.Context, list []setup.Candidate) (setup.Server, error) {
	return t.first(ctx, "IMAP", "--imap", list, func(ctx context.Context, s setup.Server) error {
		users := []string{t.flags.User}
		if t.flags.User == "" {
			local, _, _ := strings.Cut(t.address, "@")
			users = []string{t.address, local}
		}
		var err error
		for _, user := range users {
			_, err = mailin.Probe(ctx, mailin.Config{Name: config.ShortMailbox, Host: s.Host, Port: s.Port, TLS: mailin.TLSMode(s.TLS), CAFile: t.flags.caPath,
				User: user, Password: func() (string, error) { return t.flags.password, nil }})
			if err == nil {
				t.flags.User = user
				return nil
			}
			if !mailin.IsLoginRefused(err) {
				return err
			}
		}
		return &refusedLogin{err}
	})
}

// smtp finds the first SMTP server that takes the login which the IMAP server took.
func (t *trial) smtp(ctx context.Context, list []setup.Candidate) (setup.Server, error) {
	return t.first(ctx, "SMTP", "--smtp", list, func(ctx context.Context, s setup.Server) error {
		_, err := mailout.Probe(ctx, mailout.Server{Name: config.ShortBrand, Host: s.Host, Port: s.Port, TLS: mailout.TLS(s.TLS), CAFile: t.flags.caPath,
			User: t.flags.User, Password: t.flags.password})
		return err
	})
}

// refusedLogin ends the search: the server is the right one, and the password is not.
type refusedLogin struct{ err error }

func (e *refusedLogin) Error() string { return e.err.Error() + "; nothing was written" }

func (t *trial) first(ctx context.Context, protocol, flag string, list []setup.Candidate, login func(context.Context, setup.Server) error) (setup.Server, error) {
	if t.flags.password == "" {
		return t.firstThere(ctx, protocol, list), nil
	}
	var tried []string
	for _, c := range list {
		ctx, cancel := context.WithTimeout(ctx, trialLimit)
		err := login(ctx, c.Server)
		cancel()
		var refused *refusedLogin
		switch {
		case err == nil:
			fmt.Fprintf(t.app.out, "✓ %s %s (%s): logged in as %s\n", protocol, c.Server, c.By, t.flags.User)
			return c.Server, nil
		case errors.As(err, &refused):
			return setup.Server{}, err
		}
		tried = append(tried, err.Error())
	}
	return setup.Server{}, fmt.Errorf("no %s server takes the login: %s; nothing was written; name the server with %s", protocol, strings.Join(tried, "; "), flag)
}

// firstThere is the first candidate that something speaks for, or whose name exists.
func (t *trial) firstThere(ctx context.Context, protocol string, list []setup.Candidate) setup.Server {
	for _, c := range list {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		_, err := t.resolver.LookupHost(ctx, c.Host+".")
		cancel()
		if c.Sure || err == nil {
			fmt.Fprintf(t.app.out, "%s %s (%s), not tried without a password\n", protocol, c.Server, c.By)
			return c.Server
		}
	}
	fmt.Fprintf(t.app.out, "%s %s is a guess: nothing says where the server is\n", protocol, list[0].Server)
	return list[0].Server
}

// writeInit writes the three files and says what to do next.
func (a *app) writeInit(o *initFlags, text []byte) error {
	dir := filepath.Dir(a.config)
	password := filepath.Join(dir, o.PasswordFile)
	var secret []byte
	if o.password != "" {
		secret = []byte(o.password + "\n")
	}
	if o.OAuth2.Provider != "" {
		secret = nil
	} else if err := writeNew(password, secret, 0o600); errors.Is(err, fs.ErrExist) && secret != nil {
		return fmt.Errorf("%s exists already and is left as it is; move it away", password)
	} else if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := writeNew(a.config, text, 0o644); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already and is left as it is; move it away, or name another with -c", a.config)
	} else if err != nil {
		return err
	}
	if err := writeNew(filepath.Join(dir, "supportd.schema.json"), config.Schema(), 0o644); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	steps := []string{"supportd check --online -c " + a.config, "supportd run -c " + a.config}
	switch {
	case o.OAuth2.SecretFile != "":
		steps = append([]string{"put the client's secret into " + filepath.Join(dir, o.OAuth2.SecretFile) + ", readable for you alone (chmod 600)"}, steps...)
	case o.OAuth2.Provider != "":
		steps = append([]string{"supportd login " + config.ShortMailbox + " -c " + a.config}, steps...)
	case secret == nil:
		steps = append([]string{"put the mailbox's password into " + password}, steps...)
	}
	fmt.Fprintf(a.out, "wrote %s\n\nnext:\n", a.config)
	for i, s := range steps {
		fmt.Fprintf(a.out, "  %d. %s\n", i+1, s)
	}
	return nil
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, b []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

// environmentLanguage is de where the environment speaks German (LC_ALL, LC_MESSAGES, LANG), else en.
func environmentLanguage() string {
	locale := cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG"))
	if locale == "de" || strings.HasPrefix(locale, "de_") || strings.HasPrefix(locale, "de.") {
		return "de"
	}
	return "en"
}

// environmentZone is the zone of TZ, else the one that this machine is set to; "" when neither tells one. UTC tells
// none: servers are set to it wherever they stand.
func environmentZone() string {
	zone := strings.TrimPrefix(os.Getenv("TZ"), ":")
	if zone == "" {
		link, err := os.Readlink("/etc/localtime")
		if err != nil {
			return ""
		}
		_, zone, _ = strings.Cut(link, "/zoneinfo/")
	}
	if _, err := time.LoadLocation(zone); err != nil || strings.HasSuffix(zone, "UTC") {
		return ""
	}
	return zone
}
