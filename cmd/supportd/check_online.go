package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/cmd/supportd/setup"
	"supportd/mailin"
	"supportd/mailout"
	"supportd/tickets"
)

// States of a hop.
const (
	hopFine    = "ok"
	hopNote    = "note" // worth knowing; nothing has to be done
	hopWarning = "warning"
	hopFault   = "fault" // the desk does not work like this
)

// hop is one step on the way of a mail, and what check --online found there.
type hop struct {
	Where string `json:"where"` // the mailbox, server or domain
	Hop   string `json:"hop"`   // dns, login, certificate, …
	State string `json:"state"`
	What  string `json:"what"`
	Do    string `json:"do,omitempty"` // what to do about it
}

// String is one line; what to do follows on a line of its own.
func (h hop) String() string {
	marks := map[string]string{hopFine: "✓", hopNote: "·", hopWarning: "!", hopFault: "✗"}
	text := marks[h.State] + " " + h.What
	if !strings.HasPrefix(h.What, h.Where) {
		text = marks[h.State] + " " + h.Where + ": " + h.What
	}
	if h.Do != "" {
		text += "\n    → " + h.Do
	}
	return text
}

// online is one run of check --online.
type online struct {
	config   *config.Config
	resolver *net.Resolver
	wait     time.Duration // for a test mail to come back; 0: none is sent
	now      func() time.Time
	random   io.Reader
	told     func(hop)                  // of each hop as soon as it is known
	waiting  func(string)               // that it may take a while; for people at a terminal
	follower func(m string) settledFunc // says what a running desk has read of a mailbox; nil: none runs

	tokens *accounts
	report *checkReport
}

// settledFunc says whether the running desk is done with a message.
type settledFunc func(ctx context.Context, uid uint32) bool

const probeLimit = 30 * time.Second // for all that is asked of one server

func (o *online) tell(where, name, state, what, do string) {
	h := hop{Where: where, Hop: name, State: state, What: what, Do: do}
	o.report.Hops = append(o.report.Hops, h)
	o.told(h)
}

// run logs in everywhere, one server after the other, looks at the domains and the disk, and lets test mails go round.
func (o *online) run(ctx context.Context) {
	o.disk()
	reachable := map[string]bool{} // names of brands
	for _, b := range o.config.Brands {
		reachable[b.Name] = o.server(ctx, b)
	}
	if s := o.config.Health.SMTP; s != nil {
		o.server(ctx, config.Brand{Name: healthServer, SMTP: *s})
	}
	domains := map[string]bool{}
	for _, b := range o.config.Brands {
		_, domain, _ := strings.Cut(b.From.Mail, "@")
		if domain != "" && !domains[domain] {
			domains[domain] = true
			o.domain(ctx, domain)
		}
		o.signatures(ctx, b)
	}
	for _, m := range o.config.Mailboxes {
		junk, ok := o.mailbox(ctx, m)
		i := slices.IndexFunc(o.config.Brands, func(b config.Brand) bool { return b.Name == m.Brand })
		if o.wait > 0 && ok && i >= 0 && reachable[m.Brand] {
			o.trip(ctx, m, o.config.Brands[i], junk)
		}
	}
}

func (o *online) mailbox(ctx context.Context, m config.Mailbox) (junk string, ok bool) {
	o.names(ctx, "mailbox "+m.Name, m.Host)
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	p, err := mailin.Probe(ctx, mailboxConfig(m, o.tokens))
	seen := mailboxProbe{Name: m.Name, Report: &p}
	if err != nil {
		seen.Error = err.Error()
	}
	o.report.Mailboxes = append(o.report.Mailboxes, seen)
	if err != nil {
		o.tell(p.Where, "login", hopFault, err.Error(), "")
		return "", false
	}
	o.tell(p.Where, "login", hopFine, fmt.Sprintf("%s: logged in, %s%s", p.Where, count(int(p.Messages), "message", "messages"), certificate(p.TLS, p.CertExpires, o.now())), "")
	o.tell(p.Where, "capabilities", hopFine, fmt.Sprintf("new mail is told at once (IDLE): %s, MOVE: %s, UIDPLUS: %s, keywords: %s", yesNo(p.Idle), yesNo(p.Move), yesNo(p.UIDPlus), p.Keywords), "")
	folders := fmt.Sprintf("%s; the desk reads %s", count(len(p.Folders), "folder", "folders"), m.Folder)
	if !p.SpecialUse {
		folders += "; the server does not tell which are for what (SPECIAL-USE)"
	}
	if p.Junk != "" {
		folders += ", junk goes to " + p.Junk
	}
	o.tell(p.Where, "folders", hopFine, folders, "")
	if p.QuotaLimit > 0 {
		state, do := hopFine, ""
		if p.QuotaUsed > p.QuotaLimit/10*9 {
			state, do = hopWarning, "make room: a full mailbox refuses mail"
		}
		o.tell(p.Where, "quota", state, fmt.Sprintf("the mailbox holds %s of %s", megabytes(p.QuotaUsed), megabytes(p.QuotaLimit)), do)
	}
	for _, problem := range p.Problems {
		what, do, _ := strings.Cut(problem, ": ")
		if strings.HasPrefix(what, "move_to") || strings.HasPrefix(what, "after") || strings.HasPrefix(what, "sent") || strings.HasPrefix(what, "actions") || strings.HasPrefix(what, "mirror") {
			what, do = problem, ""
		}
		o.tell(p.Where, "mailbox", hopFault, what, do)
	}
	return p.Junk, true
}

func (o *online) server(ctx context.Context, b config.Brand) bool {
	o.names(ctx, "smtp server "+b.Name, b.SMTP.Host)
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	p, err := mailout.Probe(ctx, brandServer(b, o.tokens))
	seen := serverProbe{Name: b.Name, Report: &p}
	if err != nil {
		seen.Error = err.Error()
	}
	o.report.Servers = append(o.report.Servers, seen)
	where := fmt.Sprintf("smtp server %q at %s", p.Server, p.Addr)
	if err != nil {
		o.tell(where, "login", hopFault, err.Error(), "")
		return false
	}
	login := "no login wanted"
	if p.LoggedIn {
		login = "logged in"
	}
	o.tell(where, "login", hopFine, where+": "+login+certificate(p.TLS, p.NotAfter, o.now()), "")
	if !p.NotAfter.IsZero() && p.DaysLeft(o.now()) < 21 {
		o.tell(where, "certificate", hopWarning, fmt.Sprintf("the server's certificate ends in %s", count(p.DaysLeft(o.now()), "day", "days")), "have it renewed")
	}
	return true
}

// names tells where a host's name leads. A name that leads nowhere is told by the login that fails, too; here it is said
// whose fault that is.
func (o *online) names(ctx context.Context, where, host string) {
	if net.ParseIP(host) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host) // whoever connects asks the system, too
	if err != nil {
		o.tell(where, "dns", hopFault, fmt.Sprintf("%s: the name %s cannot be looked up: %v", where, host, err), "check the name, and this machine's name service")
		return
	}
	o.tell(where, "dns", hopFine, fmt.Sprintf("%s: %s is %s", where, host, strings.Join(addresses, ", ")), "")
}

// domain tells what the rest of the world believes of mail that claims to come from the desk's domain.
func (o *online) domain(ctx context.Context, domain string) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	d := setup.Publishes(ctx, o.resolver, domain)
	switch {
	case d.Err != nil:
		o.tell(domain, "spf", hopWarning, "what the domain publishes cannot be looked up: "+d.Err.Error(), "check this machine's name service")
		return
	case d.SPFs > 1:
		o.tell(domain, "spf", hopWarning, fmt.Sprintf("there are %d SPF records, which counts as none (RFC 7208 §4.5)", d.SPFs), "join them into one TXT record")
	case d.SPF == "":
		o.tell(domain, "spf", hopWarning, "there is no SPF record: others may take the desk's mails for forged", `add a TXT record such as "v=spf1 mx -all" that names the server which sends them`)
	default:
		o.tell(domain, "spf", hopFine, "SPF: "+short(d.SPF), "")
	}
	if d.DMARC == "" {
		o.tell(domain, "dmarc", hopWarning, "there is no DMARC record: anybody may write in the desk's name", `add a TXT record _dmarc.`+domain+` such as "v=DMARC1; p=quarantine"`)
		return
	}
	o.tell(domain, "dmarc", hopFine, "DMARC: "+short(d.DMARC), "")
}

// short cuts a text that somebody else wrote, and makes one line of it.
func short(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}

func (o *online) disk() {
	free, err := tickets.FreeBytes(o.config.State)
	floor := uint64(o.config.DiskFloor)
	where := "state directory " + o.config.State
	switch {
	case err != nil:
		o.tell(where, "disk", hopWarning, "the free space cannot be told: "+err.Error(), "")
	case free < floor:
		o.tell(where, "disk", hopFault, fmt.Sprintf("%s are free, less than disk_floor (%s): no mail would be taken in", megabytes(int64(free)), megabytes(int64(floor))), "make room")
	case free < 4*floor:
		o.tell(where, "disk", hopWarning, fmt.Sprintf("%s are free; below %s no mail is taken in", megabytes(int64(free)), megabytes(int64(floor))), "make room")
	default:
		o.tell(where, "disk", hopFine, megabytes(int64(free))+" are free", "")
	}
}

func megabytes(n int64) string {
	if n >= 10e9 {
		return fmt.Sprintf("%d GB", n/1e9)
	}
	return fmt.Sprintf("%d MB", n/1e6)
}
