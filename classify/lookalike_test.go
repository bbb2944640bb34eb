package classify

import (
	"strings"
	"testing"

	"golang.org/x/net/idna"

	"supportd/tickets"
)

// TestLookalikes holds which domains are told to be like a known one, and which are left alone (S-187).
func TestLookalikes(t *testing.T) {
	l := newLookalikes([]string{"corp.example", "support.nordwind.example", "müller.example", "outlook.com"}, []string{"muster-maschinenbau.example", "paypal.com", "kunde.example", "bank.co.uk"})
	ascii := func(d string) string {
		a, err := idna.ToASCII(d)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for domain, want := range map[string]string{
		"c0rp.example":                 "corp.example",
		"corp-example.com":             "corp.example",
		"mail.c0rp.example":            "corp.example",
		"cοrp.example":                 "corp.example", // Greek omicron
		ascii("cοrp.example"):          "corp.example", // the same, as it travels
		"pаypal.com":                   "paypal.com",   // Cyrillic а
		"paypa1.com":                   "paypal.com",
		"paypai.com":                   "paypal.com",
		"nordvvind.example":            "nordwind.example",
		"nordwlnd.example":             "nordwind.example",
		"nordwnid.example":             "nordwind.example",
		"nordwin.example":              "nordwind.example",
		"nordwindd.example":            "nordwind.example",
		"nordwind.com":                 "nordwind.example",
		"nordwind.co.uk":               "nordwind.example",
		"nordwind-service.com":         "nordwind.example",
		"muller.example":               "xn--mller-kva.example",
		"muster-rnaschinenbau.example": "muster-maschinenbau.example",
		"muster-maschinebau.example":   "muster-maschinenbau.example",

		"corp.example":            "",
		"anything.corp.example":   "",
		"carp.example":            "", // short names have too many neighbours
		"corp.com":                "",
		"nordwind.example":        "",
		"kunde.com":               "", // another ending is told of for the desk's own only
		"kunden-service.example":  "",
		"bank.com":                "",
		"nordwindmacher.example":  "",
		"nardwand.example":        "", // two letters
		"other.example":           "",
		"outlook.de":              "", // everybody may have an address there
		"example":                 "",
		"":                        "",
		"[192.0.2.1]":             "",
		strings.Repeat("a", 9999): "",
	} {
		if like, why := l.find(domain); like != want || (why == "") != (want == "") {
			t.Errorf("%.60s looks like %q (%s), want %q", domain, like, why, want)
		}
	}
}

// TestLookalikeVerdict holds that the verdict says so whoever the sender is, and decides nothing by it.
func TestLookalikeVerdict(t *testing.T) {
	c := Config{AuthservID: []string{"mx.desk.example"}, Domains: []string{"nordwind.example"},
		Customers: []Customer{{Organisation: "Muster", Domains: []string{"muster.example"}}}}
	k := newClassifier(t, c)
	for from, want := range map[string]string{"kim@nordwlnd.example": "nordwind.example", "kim@rnuster.example": "muster.example", "kim@muster.example": "", "kim@else.example": ""} {
		header := "Return-Path: <" + from + ">\nFrom: " + from + "\nAuthentication-Results: mx.desk.example; dmarc=pass header.from=" + strings.Split(from, "@")[1] + "\n"
		v := k.Classify(letter(t, header, "Guten Tag"), tickets.Hints{})
		if v.Lookalike.Like != want || v.Auth != tickets.AuthPass || v.Quarantine != "" || v.NoAnswer != "" {
			t.Errorf("%s: looks like %q, want %q (%s, %q, %q)", from, v.Lookalike.Like, want, v.Auth, v.Quarantine, v.NoAnswer)
		}
		if why := reasonFor(v, "looks_like"); (why == "") != (want == "") {
			t.Errorf("%s: %q", from, why)
		}
	}
}
