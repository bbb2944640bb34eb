package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/cmd/supportd/setup"
	"supportd/cmd/supportd/setup/dnstest"
	"supportd/mailin"
	"supportd/mailout"
	"supportd/tickets"
)

// newOnline is a check whose hops can be looked at.
func newOnline(t *testing.T) (*online, *dnstest.Server) {
	t.Helper()
	names := startNames(t)
	return &online{config: &config.Config{State: t.TempDir()}, resolver: setup.NameServer(names.Addr()), now: time.Now,
		told: func(hop) {}, waiting: func(string) {}, report: &checkReport{}}, names
}

// last is the hop that was told last, on one line.
func (o *online) last() string {
	if len(o.report.Hops) == 0 {
		return ""
	}
	return strings.ReplaceAll(o.report.Hops[len(o.report.Hops)-1].String(), "\n    ", " ")
}

func TestCheckComparesClocks(t *testing.T) {
	sent := time.Date(2026, 11, 22, 8, 0, 0, 500e6, time.UTC)
	for arrived, want := range map[time.Duration]string{
		0:                                   "✓ m: the server's clock and ours agree",
		-500 * time.Millisecond:             "✓ m: the server's clock and ours agree", // whole seconds
		2 * time.Second:                     "✓ m: the server's clock and ours agree", // it took that long
		-time.Minute:                        "! m: the server's clock is 1m0s behind ours",
		time.Minute + 3500*time.Millisecond: "! m: the server's clock is 1m1s ahead of ours",
		-time.Hour:                          "✗ m: the server's clock is 1h0m0s behind ours",
	} {
		o, _ := newOnline(t)
		o.clock("m", &testMail{sent: sent}, mailin.Sighting{Arrived: sent.Add(arrived), Seen: sent.Add(3 * time.Second)})
		if got := o.last(); !strings.HasPrefix(got, want) {
			t.Errorf("arrived %s after it was sent: %s, want %s", arrived, got, want)
		}
	}
	o, _ := newOnline(t)
	if o.clock("m", &testMail{sent: sent}, mailin.Sighting{}); o.last() != "" {
		t.Errorf("a server without INTERNALDATE: %s", o.last())
	}
}

func TestCheckProposesWhomToBelieve(t *testing.T) {
	for _, c := range []struct {
		trusted []string
		fields  string
		box     config.Mailbox
		want    string
	}{
		{nil, "Authentication-Results: MX.huber.example. 1; dkim=pass\r\nAuthentication-Results: forged.example; dkim=pass\r\n", config.Mailbox{}, "→ write trust_auth_results_from: mx.huber.example"},
		{[]string{"mx.huber.example"}, "Authentication-Results: mx.huber.example; none\r\n", config.Mailbox{}, "✓ m: Authentication-Results of mx.huber.example are believed"},
		{[]string{"imap.huber.example"}, "Authentication-Results: mx.huber.example; none\r\n", config.Mailbox{}, "! m: the configuration believes imap.huber.example, and the server writes Authentication-Results of mx.huber.example"},
		{[]string{"mx.huber.example"}, "", config.Mailbox{}, "· m: the test mail came back without Authentication-Results, as own mail often does"},
		{nil, "", config.Mailbox{}, "! m: the test mail came back without Authentication-Results: it is not known who vouches"},
		{nil, "Authentication-Results: spf=pass smtp.mailfrom=x; dkim=none\r\n", config.Mailbox{}, "! m: the server writes Authentication-Results without its name"},
		{nil, "", config.Mailbox{Trusted: true}, "· m: trusted: true"},
	} {
		o, _ := newOnline(t)
		o.config.AuthservIDs = c.trusted
		o.vouching("m", c.box, mailin.Parse([]byte(c.fields+"From: a@huber.example\r\n\r\n"), time.Time{}))
		if got := o.last(); !strings.Contains(got, c.want) {
			t.Errorf("%q believed, %q: %s, want %s", c.trusted, c.fields, got, c.want)
		}
	}
}

func TestCheckLooksForTheSignature(t *testing.T) {
	o, names := newOnline(t)
	names.TXT("k1._domainkey.huber.example", "v=DKIM1; p=MIIB")
	brand := config.Brand{From: tickets.Address{Mail: "hilfe@desk.huber.example"}}
	for fields, want := range map[string]string{
		"": "· desk.huber.example: the test mail came back without a DKIM signature of desk.huber.example",
		"DKIM-Signature: v=1; d=relay.example; s=k1; b=x\r\n":                                                    "· desk.huber.example: the test mail came back without a DKIM signature",
		"DKIM-Signature: v=1; d=relay.example; s=k1; b=x\r\nDKIM-Signature: v=1; d=huber.example; s=k1; b=x\r\n": "✓ desk.huber.example: DKIM: signed by huber.example, key k1",
		"DKIM-Signature: v=1; d=huber.example; s=k2; b=x\r\n":                                                    "✗ desk.huber.example: mails are signed (DKIM), and the key k2._domainkey.huber.example is not published",
	} {
		o.signature(t.Context(), brand, mailin.Parse([]byte(fields+"From: hilfe@desk.huber.example\r\n\r\n"), time.Time{}))
		if got := o.last(); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s, want %s", fields, got, want)
		}
	}
}

func TestCheckLooksAtTheDomain(t *testing.T) {
	o, names := newOnline(t)
	names.TXT("two.example", "v=spf1 -all")
	names.TXT("two.example", "v=spf1 mx")
	names.TXT("_dmarc.two.example", "v=DMARC1; p=reject; "+strings.Repeat("x", 200))
	o.domain(t.Context(), "none.example")
	o.domain(t.Context(), "two.example")
	var all strings.Builder
	for _, h := range o.report.Hops {
		all.WriteString(h.String() + "\n")
	}
	for _, want := range []string{"! none.example: there is no SPF record", `→ add a TXT record such as "v=spf1`, "! none.example: there is no DMARC record", "! two.example: there are 2 SPF records", "✓ two.example: DMARC: v=DMARC1; p=reject; x", "…\n"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, all.String())
		}
	}
}

func TestCheckLooksAtTheDisk(t *testing.T) {
	o, _ := newOnline(t)
	for floor, want := range map[int64]string{1: "✓", 1 << 60: "✗"} {
		o.config.DiskFloor = floor
		if o.disk(); !strings.HasPrefix(o.last(), want) {
			t.Errorf("disk_floor %d: %s", floor, o.last())
		}
	}
}

// What a server says to a test mail is told with what to do.
func TestCheckTellsRefusals(t *testing.T) {
	for want, err := range map[string]error{
		"→ try again later": &mailout.Refusal{Server: "s", Recipient: "a@b.example", Detail: "450 4.2.0 later", Later: true},
		"→ check from, user and password_file: the account must": &mailout.Refusal{Server: "s", Recipient: "a@b.example", Detail: "553 no", Sender: true},
		"→ check the address":          &mailout.Refusal{Server: "s", Recipient: "a@b.example", Detail: "550 5.1.1 no"},
		"✗ m: something else happened": errors.New("something else happened"),
	} {
		o, _ := newOnline(t)
		o.refused("m", "round trip", err)
		if got := o.last(); !strings.Contains(got, want) || !strings.Contains(got, err.Error()) {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
	o, _ := newOnline(t)
	o.plusAddress("m", config.Mailbox{Plus: true}, &testMail{to: "hilfe+abc@b.example"}, &mailout.Refusal{Detail: "550 5.1.1 no such user"}, false)
	if got := o.last(); !strings.Contains(got, "answers would get lost: the server says 550 5.1.1 no such user → write plus_addresses: false") {
		t.Error(got)
	}
	o.plusAddress("x", config.Mailbox{}, &testMail{to: "hilfe+abc@b.example"}, nil, true)
	if got := o.last(); !strings.HasPrefix(got, "· x: mail to hilfe+… arrives here, though plus_addresses is false") {
		t.Error(got)
	}
}
