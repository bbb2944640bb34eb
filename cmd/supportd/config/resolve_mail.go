package config

import (
	"bytes"
	"crypto/x509"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"supportd/tickets"
)

// defaultRetry is how long to wait after each refusal for now.
func defaultRetry() []time.Duration {
	return []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour}
}

// login is how to reach a server and who to be there.
type login struct {
	host, tls, caFile, user string
	port                    int
	password                Secret
	oauth2                  *OAuth2
}

// login settles a server. protocol is IMAP or SMTP; ports are its default ports for implicit, starttls and none.
func (r *resolver) login(srv opt[server], k loginKeys, at place, protocol string, ports [3]int) login {
	l := login{host: srv.val.host, port: srv.val.port, tls: k.TLS.val, user: k.User.val, password: r.secret(k)}
	mode := slices.Index([]string{TLSImplicit, TLSStartTLS, TLSNone}, l.tls)
	if l.port == 0 && mode >= 0 {
		l.port = ports[mode]
	}
	switch {
	case l.tls == TLSNone && l.host != "" && !isLoopback(l.host):
		tat := k.TLS.at
		if !k.TLS.given {
			tat = srv.at
		}
		r.report("", tat, "write tls: starttls, or delete the key for implicit TLS", "passwords and mails would cross the network in clear text to %s", l.host)
	case l.tls == TLSImplicit && (l.port == ports[1] || l.port == 25 && protocol == "SMTP"):
		r.warn("", srv.at, "write tls: starttls, or "+protocol+"'s port for implicit TLS", "port %d usually begins in clear text, and tls is implicit", l.port)
	case l.tls == TLSStartTLS && l.port == ports[0]:
		r.warn("", srv.at, "delete tls: starttls", "port %d usually speaks TLS from the first byte, and tls is starttls", l.port)
	}
	if k.CAFile.given && k.CAFile.val != "" {
		l.caFile = r.path(k.CAFile.val)
		if data, ok := r.file(k.CAFile.at, k.CAFile.val, maxFile, false); ok && !x509.NewCertPool().AppendCertsFromPEM(data) {
			r.report("", k.CAFile.at, "it begins with -----BEGIN CERTIFICATE-----", "%s holds no certificate", l.caFile)
		}
	}
	secretGiven := k.Password.given || k.PasswordFile.given
	if k.OAuth2.given {
		if l.oauth2 = r.oauth2(k.OAuth2, k.User); secretGiven {
			r.report("", k.PasswordFile.at.or(k.Password.at, k.Password.given), "delete it, or oauth2", "a password and oauth2 cannot both be given")
		}
		return l
	}
	switch {
	case l.user == "" && secretGiven && !k.User.given:
		r.report("", at.key("user"), "write user: NAME", "is missing, though there is a password")
	case l.user != "" && !secretGiven:
		r.report("", at.key("password_file"), "write password_file: FILE", "is missing: %s needs a password for %s", protocol, l.user)
	}
	return l
}

// mailboxes settles the mailboxes of either form.
func (r *resolver) mailboxes(k *fileKeys) {
	if k.Mailbox.given {
		r.mailbox(ShortMailbox, k.Mailbox.mailboxCommonKeys, k.Mailbox.at)
		r.cfg.Mailboxes[0].Brand = ShortBrand
	}
	for _, e := range k.Mailboxes.entries {
		r.mailbox(e.name, e.keys.mailboxCommonKeys, e.at)
		m := &r.cfg.Mailboxes[len(r.cfg.Mailboxes)-1]
		m.Brand = e.keys.Brand.val
		if m.Brand == "" && len(k.Brands.entries) == 1 {
			m.Brand = k.Brands.entries[0].name
		}
		var names []string
		for _, b := range k.Brands.entries {
			names = append(names, b.name)
		}
		switch {
		case m.Brand == "" && len(names) > 1:
			r.report("", e.at.key("brand"), "write brand: and one of "+strings.Join(names, ", "), "is missing, as there are several brands")
		case e.keys.Brand.given && m.Brand != "" && !slices.Contains(names, m.Brand):
			r.report("E03", e.keys.Brand.at, didYouMean(m.Brand, names), "there is no brand %q", m.Brand)
		}
	}
	if !k.Mailbox.given && !k.Mailboxes.given {
		r.report("", place{path: "mailbox", line: 1, col: 1}, "write mailbox: {imap: imap.nordwind.example, smtp: smtp.nordwind.example, user: service, password_file: service.pw}", "is missing")
	}
	r.sameMailbox(k)
}

func (r *resolver) mailbox(name string, k mailboxCommonKeys, at place) {
	l := r.login(k.IMAP, k.loginKeys, at, "IMAP", [3]int{993, 143, 143})
	m := Mailbox{Name: name, Host: l.host, Port: l.port, TLS: l.tls, CAFile: l.caFile, User: l.user, Password: l.password,
		Folder: k.Folder.val, Poll: k.Poll.val, After: k.After.val, MoveTo: k.MoveTo.val, MaxSize: k.MaxSize.val,
		Trusted: k.Trusted.val, Plus: k.Plus.val, SenderKind: k.SenderKind.val, OAuth2: l.oauth2}
	if !k.User.given && !k.Password.given && !k.PasswordFile.given && !k.OAuth2.given {
		r.report("", at.key("user"), "write user and password_file", "is missing")
	}
	switch {
	case m.After == AfterMove && m.MoveTo == "":
		r.report("", at.key("move_to"), "write move_to: and the folder's name", "is missing, as after is move")
	case m.After != AfterMove && k.MoveTo.given:
		r.report("", k.MoveTo.at, "write after: move or delete move_to", "has no effect, as after is %s", m.After)
	case m.After == AfterMove && strings.EqualFold(m.MoveTo, m.Folder):
		r.report("", k.MoveTo.at, "choose another folder", "mails would be moved to the folder that they are read from")
	}
	r.folders(&m, k)
	if k.Since.val != "" {
		var err error
		if m.Since, err = time.ParseInLocation(time.DateOnly, k.Since.val, r.cfg.Zone); err != nil {
			m.Since, _ = time.Parse(time.RFC3339, k.Since.val) // its kind has checked that it is one of the two
		}
	}
	for _, a := range k.Addresses.items {
		if mail := bare(a.val); slices.Contains(m.Addresses, mail) {
			r.report("E02", a.at, "keep one of them", "%q stands here twice", mail)
		} else {
			m.Addresses = append(m.Addresses, mail)
		}
	}
	r.cfg.Mailboxes = append(r.cfg.Mailboxes, m)
}

// sameMailbox refuses two names for one folder, which would make two tickets of every mail.
func (r *resolver) sameMailbox(k *fileKeys) {
	type folder struct {
		host, user, folder string
		port               int
	}
	first := map[folder]string{}
	for i, e := range k.Mailboxes.entries {
		m := r.cfg.Mailboxes[len(r.cfg.Mailboxes)-len(k.Mailboxes.entries)+i]
		f := folder{strings.ToLower(m.Host), m.User, m.Folder, m.Port}
		if other, twice := first[f]; twice && m.Host != "" {
			r.report("E02", e.at, "delete one, or name another folder", "reads the same folder as mailbox %s", other)
		}
		first[f] = e.name
	}
}

// brands settles the brands of either form.
func (r *resolver) brands(k *fileKeys) {
	if k.Mailbox.given && !k.Brands.given {
		r.shortBrand(k)
	} else if !k.Brands.given && k.Mailboxes.given {
		r.report("", k.Mailboxes.at.sibling("brands"), "write brands: {NAME: {from: ADDRESS, smtp: {server: HOST, user: NAME, password_file: FILE}}}", "is missing")
	} else if k.From.given && !k.Mailbox.given && !k.Brands.given {
		r.report("", k.From.at, "write mailbox", "belongs to a mailbox, and there is none")
	}
	for _, e := range k.Brands.entries {
		b := Brand{Name: e.name, From: e.keys.From.val, TicketPrefix: e.keys.TicketPrefix.val,
			SMTP: r.smtp(e.keys.SMTP, e.keys.SMTP.at), DKIM: r.signatures(e.keys.DKIM, e.keys.From.val.Mail), AgentFrom: r.agentFrom(e.keys.AgentFrom),
			Templates:   r.texts(e.keys.Templates, "the built-in texts"),
			AddressForm: map[string]string{"de": e.keys.AddressForm.German.val, "en": e.keys.AddressForm.English.val}}
		r.cfg.Brands = append(r.cfg.Brands, b)
		r.defaultAddresses(b)
	}
	for i, e := range k.Brands.entries {
		r.brandMailboxes(r.cfg.Brands[len(r.cfg.Brands)-len(k.Brands.entries)+i], e.keys.From, e.at)
	}
	if r.cfg.Organisation == "" && len(r.cfg.Brands) > 0 {
		from := r.cfg.Brands[0].From
		_, domain, _ := strings.Cut(from.Mail, "@")
		if r.cfg.Organisation = from.Name; from.Name == "" {
			r.cfg.Organisation = domain
		}
	}
	for _, lang := range r.cfg.Languages {
		if lang != "de" && lang != "en" && !slices.ContainsFunc(r.cfg.Brands, func(b Brand) bool { return b.Templates != "" }) {
			r.warn("W29", place{path: "languages", line: 1, col: 1}.or(k.Languages.at, k.Languages.given).or(k.Organisation.Languages.at, k.Organisation.Languages.given).or(k.Language.at, k.Language.given && k.Language.val == lang),
				"name a folder with such texts in brands.NAME.templates", "there are no built-in texts in %q", lang)
		}
	}
}

// sibling is the place of another key of the same section.
func (p place) sibling(name string) place {
	if i := strings.LastIndexByte(p.path, '.'); i >= 0 {
		name = p.path[:i+1] + name
	}
	return place{path: name, line: p.line, col: p.col}
}

// or is other when it was given, else p.
func (p place) or(other place, given bool) place {
	if given {
		return other
	}
	return p
}

// shortBrand makes the short form's brand.
func (r *resolver) shortBrand(k *fileKeys) {
	smtp := k.Mailbox.SMTP
	inherits := !smtp.User.given && !smtp.PasswordFile.given && !smtp.Password.given && !smtp.OAuth2.given
	if inherits && k.Mailbox.User.given && (k.Mailbox.PasswordFile.given || k.Mailbox.Password.given) { // else a finding says so already
		smtp.User, smtp.PasswordFile, smtp.Password = k.Mailbox.User, k.Mailbox.PasswordFile, k.Mailbox.Password
	}
	if !smtp.TLS.given {
		smtp.TLS = k.Mailbox.TLS
	}
	if !smtp.CAFile.given {
		smtp.CAFile = k.Mailbox.CAFile
	}
	at := k.Mailbox.at
	if smtp.given {
		at = smtp.at
	}
	b := Brand{Name: ShortBrand, From: k.From.val, TicketPrefix: "T", SMTP: r.smtp(smtp, at), DKIM: r.signatures(k.DKIM, k.From.val.Mail),
		AddressForm: map[string]string{"de": "sie", "en": "last_name"}}
	if !k.From.given {
		r.report("", place{path: "from", line: k.Mailbox.at.line, col: k.Mailbox.at.col}, "write from: Name <address>", "is missing")
	}
	if len(r.cfg.Mailboxes) > 0 && inherits {
		if b.SMTP.OAuth2 = r.cfg.Mailboxes[0].OAuth2; b.SMTP.OAuth2 != nil {
			b.SMTP.User = r.cfg.Mailboxes[0].User
		}
	}
	r.cfg.Brands = append(r.cfg.Brands, b)
	r.defaultAddresses(b)
	r.brandMailboxes(b, k.From, k.Mailbox.at)
}

func (r *resolver) smtp(k smtpKeys, at place) SMTP {
	l := r.login(k.Server, k.loginKeys, at, "SMTP", [3]int{465, 587, 25})
	s := SMTP{Host: l.host, Port: l.port, TLS: l.tls, CAFile: l.caFile, User: l.user, Password: l.password,
		OAuth2: l.oauth2, Retry: k.Retry.vals(), GiveUp: k.GiveUp.val, Connections: k.Connections.val}
	if len(s.Retry) == 0 {
		s.Retry = defaultRetry()
	}
	if len(s.Retry) > 0 && s.GiveUp < s.Retry[0] {
		r.report("", k.GiveUp.at.or(k.Retry.at, !k.GiveUp.given), "give it more time", "mails would be given up before they are tried a second time")
	}
	return s
}

// defaultAddresses lets people write to a brand's from where a mailbox of the brand names no addresses.
func (r *resolver) defaultAddresses(b Brand) {
	for i := range r.cfg.Mailboxes {
		m := &r.cfg.Mailboxes[i]
		if m.Brand == b.Name && len(m.Addresses) == 0 && b.From.Mail != "" {
			m.Addresses = []string{bare(b.From)}
		}
	}
}

// brandMailboxes checks that answers to a brand's mails come back (E18).
func (r *resolver) brandMailboxes(b Brand, from opt[tickets.Address], at place) {
	mail := bare(b.From)
	var own, all []string
	found, unclear := false, len(r.cfg.Mailboxes) == 0
	for _, m := range r.cfg.Mailboxes {
		if m.Brand == b.Name {
			found = true
			own = append(own, m.Addresses...)
		}
		_, known := r.cfg.Brand(m.Brand)
		unclear = unclear || !known // a finding says so already
		all = append(all, m.Addresses...)
	}
	switch {
	case !found && unclear:
	case !found:
		r.report("E18", at, "write brand: "+b.Name+" in a mailbox, or delete the brand", "no mailbox belongs to brand %s", b.Name)
	case mail == "" || !found || slices.Contains(own, mail):
	case slices.Contains(all, mail):
		r.report("E18", from.at, "give that mailbox this brand, or send from "+orList(own), "%s belongs to a mailbox of another brand", mail)
	default:
		r.report("E18", from.at, "add it to the mailbox's addresses, or send from "+orList(own), "answers to %s would arrive in no mailbox", mail)
	}
}

// agentFrom checks the template of a display name by filling it in.
func (r *resolver) agentFrom(k opt[string]) string {
	t, err := template.New("agent_from").Option("missingkey=error").Parse(k.val)
	var out bytes.Buffer
	if err == nil {
		err = t.Execute(&out, map[string]map[string]string{"Agent": {"Name": "Kim Brandt", "FirstName": "Kim"}})
	}
	if err != nil {
		r.report("E16", k.at, "use {{.Agent.Name}} and {{.Agent.FirstName}}", "%q cannot be filled in", clip(k.val))
		return ""
	}
	return k.val
}

// maxTemplates bounds how much of a folder is looked at.
const maxTemplates = 1000

// texts checks that a folder of texts is there, and makes its texts count for the revision. without says what there is
// without the key.
func (r *resolver) texts(k opt[string], without string) string {
	if k.val == "" {
		return ""
	}
	dir := r.path(k.val)
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		what := dir + " is not a folder"
		if err != nil {
			what = strings.Replace(dir+": "+plainError(err), "the file", "the folder", 1)
		}
		r.report("E03", k.at, "make the folder, or delete the key for "+without, "%s", what)
		return ""
	}
	r.cfg.Files = append(r.cfg.Files, dir)
	files := 0
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if files++; files > maxTemplates {
			r.report("", k.at, "is it the right folder?", "%s holds more than %d files", dir, maxTemplates)
			return fs.SkipAll
		}
		if ext := filepath.Ext(name); e.IsDir() || ext != ".md" && ext != ".txt" {
			return nil
		}
		r.file(k.at, filepath.Join(k.val, name), maxText, false)
		return nil
	})
	if err != nil {
		r.report("", k.at, "", "%s: %s", dir, plainError(err))
	}
	return dir
}

// stateFolder checks that the state directory can be one.
func (r *resolver) stateFolder(k opt[string]) {
	if info, err := os.Stat(r.cfg.State); err == nil && !info.IsDir() {
		r.report("", k.at, "name a folder", "%s is a file", r.cfg.State)
	}
}
