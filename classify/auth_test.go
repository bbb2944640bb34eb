package classify

import (
	"strings"
	"testing"

	"supportd/tickets"
)

// arrived is what the desk's own mail server writes on top of a mail from outside.
const arrived = "Received: from out.kunde.example (out.kunde.example [192.0.2.7]) by mx.desk.example (Postfix) with ESMTPS id 1; now\n"

func TestAuth(t *testing.T) {
	const (
		ar   = "Authentication-Results: "
		from = "From: Anna <anna@kunde.example>\n"
	)
	for _, tt := range []struct {
		name, header string
		want         tickets.Authentication
	}{
		{"S-071 From alone", arrived + from, tickets.AuthNone},
		{"dmarc", ar + "mx.desk.example; dmarc=pass (p=none) header.from=kunde.example\n" + arrived + from, tickets.AuthPass},
		{"dkim", ar + "mx.desk.example; dkim=pass header.d=kunde.example header.s=x\n" + arrived + from, tickets.AuthPass},
		{"dkim with header.i only, as Gmail writes", ar + "mx.desk.example; dkim=pass header.i=@kunde.example header.s=x header.b=Vg/mKaN4\n" + arrived + from, tickets.AuthPass},
		{"dkim of a sub-domain", ar + "mx.desk.example; dkim=pass header.d=mail.kunde.example\n" + arrived + from, tickets.AuthPass},
		{"spf", ar + "mx.desk.example; spf=pass smtp.mailfrom=anna@kunde.example\n" + arrived + from, tickets.AuthPass},
		{"spf with a quoted address, as Rspamd writes", ar + "mx.desk.example; spf=pass (mx.desk.example: domain of \"anna@kunde.example\" designates 192.0.2.7 as permitted sender) smtp.mailfrom=\"anna@kunde.example\"\n" + arrived + from, tickets.AuthPass},
		{"below our Received, as Gmail writes", arrived + ar + "mx.desk.example; dmarc=pass header.from=kunde.example\n" + from, tickets.AuthPass},
		{"id in capitals", ar + "MX.Desk.Example 1; dmarc=pass header.from=kunde.example\n" + from, tickets.AuthPass},
		{"trailing semicolon", ar + "mx.desk.example; dmarc=pass header.from=kunde.example;\n" + from, tickets.AuthPass},
		{"a step inside the host", "Received: by 10.1.2.3 with SMTP id 4; now\n" + ar + "mx.desk.example; dmarc=pass header.from=kunde.example\n" + arrived + from, tickets.AuthPass},
		{"internationalised domain", ar + "mx.desk.example; dkim=pass header.d=müller.example\n" + "From: a@xn--mller-kva.example\n", tickets.AuthPass},

		{"dmarc=fail", ar + "mx.desk.example; spf=pass smtp.mailfrom=anna@kunde.example; dmarc=fail header.from=kunde.example\n" + arrived + from, tickets.AuthFail},
		{"dmarc=fail without a readable author", ar + "mx.desk.example; dmarc=fail header.from=kunde.example\n" + arrived + from + from, tickets.AuthFail},
		{"S-073 a pass on top, the real fail below it", ar + "mx.desk.example; dmarc=pass header.from=kunde.example\n" + ar + "mx.desk.example; dmarc=fail header.from=kunde.example\n" + arrived + from, tickets.AuthFail},
		{"S-073 a field for each method, one of them against it", ar + "mx.desk.example; spf=pass smtp.mailfrom=anna@kunde.example\n" + ar + "other.example; x=y\n" + ar + "mx.desk.example;\n\tdkim=none;\n\tdmarc=fail (p=reject) header.from=kunde.example\n" + arrived + from, tickets.AuthFail},
		{"S-073 a forged fail below a foreign host's Received says nothing", ar + "mx.desk.example; dmarc=pass header.from=kunde.example\n" + "Received: from a by relay.evil.example; now\n" + ar + "mx.desk.example; dmarc=fail\n" + from, tickets.AuthPass},
		{"S-073 others' fields above and between", ar + "evil.example; dmarc=pass header.from=kunde.example\n" + ar + "mx.desk.example; dmarc=none\n" + ar + "evil.example; dmarc=pass header.from=kunde.example\n" + arrived + from, tickets.AuthNone},
		{"S-075 folded, with a comment in each line", ar + "(one)\n\tmx.desk.example (two (nested))\n\t1; (three)\n\tdmarc=pass (four; dmarc=fail)\n\theader.from=kunde.example\n" + arrived + from, tickets.AuthPass},
		{"S-075 a pass that only the folding makes", ar + "mx.desk.example; dmarc=none reason=\"x\n\t; dmarc=pass header.from=kunde.example\"\n" + arrived + from, tickets.AuthNone},
		{"S-072 the id in a comment only", ar + "(mx.desk.example) evil.example; dmarc=pass header.from=kunde.example\n" + arrived + from, tickets.AuthNone},
		{"S-072 foreign id", ar + "evil.example; dmarc=pass header.from=kunde.example\n" + arrived + from, tickets.AuthNone},
		{"S-072 no id at all, as Microsoft writes", ar + "spf=pass smtp.mailfrom=kunde.example; dmarc=pass header.from=kunde.example\n" + arrived + from, tickets.AuthNone},
		{"S-072 id as a part of a longer one", ar + "mx.desk.example.evil.example; dmarc=pass header.from=kunde.example\n" + arrived + from, tickets.AuthNone},
		{"S-073 real fail, forged pass below", ar + "mx.desk.example; dmarc=fail header.from=kunde.example\n" + arrived + ar + "mx.desk.example; dmarc=pass header.from=kunde.example\n" + from, tickets.AuthFail},
		{"S-073 real none, forged pass right below", ar + "mx.desk.example; dmarc=none; spf=pass smtp.mailfrom=eve@evil.example\n" + ar + "mx.desk.example; dmarc=pass header.from=kunde.example\n" + arrived + from, tickets.AuthNone},
		{"S-073 forged alone, below a foreign host's Received", arrived + "Received: from a by relay.evil.example; now\n" + ar + "mx.desk.example; dmarc=pass header.from=kunde.example\n" + from, tickets.AuthNone},
		{"S-073 the foreign host takes our name in a comment", "Received: from a (by mx.desk.example) by relay.evil.example; now\n" + ar + "mx.desk.example; dmarc=pass header.from=kunde.example\n" + from, tickets.AuthNone},
		{"S-073 a Received without a host", "Received: from a; now\n" + ar + "mx.desk.example; dmarc=pass header.from=kunde.example\n" + from, tickets.AuthNone},
		{"S-074 spf of another domain", ar + "mx.desk.example; spf=pass smtp.mailfrom=eve@evil.example\n" + arrived + from, tickets.AuthNone},
		{"S-074 dkim of another domain", ar + "mx.desk.example; dkim=pass header.d=evil.example\n" + arrived + from, tickets.AuthNone},
		{"S-074 dmarc of another domain", ar + "mx.desk.example; dmarc=pass header.from=evil.example\n" + arrived + from, tickets.AuthNone},
		{"S-074 helo only", ar + "mx.desk.example; spf=pass smtp.helo=kunde.example\n" + arrived + from, tickets.AuthNone},
		{"S-074 a registrar's suffix is nobody's organisation", ar + "mx.desk.example; dkim=pass header.d=eve.github.io\n" + "From: a@anna.github.io\n", tickets.AuthNone},
		{"S-074 header.i of another domain than header.d", ar + "mx.desk.example; dkim=pass header.d=evil.example header.i=@kunde.example\n" + arrived + from, tickets.AuthNone},
		{"S-075 unknown method", ar + "mx.desk.example; magic=pass header.from=kunde.example\n" + arrived + from, tickets.AuthNone},
		{"S-075 unknown property", ar + "mx.desk.example; dkim=pass policy.d=kunde.example\n" + arrived + from, tickets.AuthNone},
		{"S-075 unknown result", ar + "mx.desk.example; dmarc=bestguesspass header.from=kunde.example\n" + arrived + from, tickets.AuthNone},
		{"S-075 unknown version", ar + "mx.desk.example 2; dmarc=pass header.from=kunde.example\n" + arrived + from, tickets.AuthNone},
		{"S-075 pass in a comment", ar + "mx.desk.example; dmarc=none (dmarc=pass header.from=kunde.example)\n" + arrived + from, tickets.AuthNone},
		{"S-075 pass in a quoted string", ar + "mx.desk.example; spf=none reason=\"; dmarc=pass header.from=kunde.example\"\n" + arrived + from, tickets.AuthNone},
		{"S-075 a comment hides the signer's domain", ar + "mx.desk.example; dkim=pass header.d=kunde.example(.evil.example; spf=pass (ok) smtp.mailfrom=x@evil.example\n" + arrived + from, tickets.AuthNone},
		{"S-075 the same, with a closing bracket", ar + "mx.desk.example; dkim=pass header.d=kunde.example(.evil.example) header.s=x\n" + arrived + from, tickets.AuthNone},
		{"S-075 the same, closed by the local part", ar + "mx.desk.example; dkim=pass header.d=kunde.example(.evil.example; spf=pass smtp.mailfrom=a)@evil.example\n" + arrived + from, tickets.AuthNone},
		{"S-075 a quote hides the signer's domain", ar + "mx.desk.example; dkim=pass header.d=kunde.example'a.evil.example\n" + arrived + from, tickets.AuthNone},
		{"S-075 a quoted string hides it", ar + "mx.desk.example; dkim=pass header.d=kunde.example\"a.evil.example\n" + arrived + from, tickets.AuthNone},
		{"S-075 two values for one property", ar + "mx.desk.example; dkim=pass header.d=evil.example header.d=kunde.example\n" + arrived + from, tickets.AuthNone},
		{"S-075 smuggled result after an unquoted address", ar + "mx.desk.example; spf=pass smtp.mailfrom=a; dmarc=pass header.from=kunde.example@evil.example\n" + arrived + from, tickets.AuthNone},
		{"S-075 an unreadable field of ours on top of a forged one", ar + "mx.desk.example; dkim=pass (\n" + ar + "mx.desk.example; dmarc=pass header.from=kunde.example\n" + arrived + from, tickets.AuthNone},
		{"S-075 no-result", ar + "mx.desk.example; none\n" + arrived + from, tickets.AuthNone},
		{"S-076 two From fields", ar + "mx.desk.example; dmarc=pass header.from=kunde.example\n" + arrived + from + "From: eve@evil.example\n", tickets.AuthNone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newClassifier(t, Config{AuthservID: []string{"mx.desk.example"}})
			v := k.Classify(letter(t, tt.header+"Return-Path: <anna@kunde.example>\n", "Hello"), tickets.Hints{})
			if v.Auth != tt.want {
				t.Errorf("auth %s, want %s (%v)", v.Auth, tt.want, v.Reasons)
			}
			if v.Auth == tickets.AuthFail && (v.NoAnswer == "" || v.Quarantine == "") {
				t.Errorf("S-064: a forged mail is answered (%q) or let in (%q)", v.NoAnswer, v.Quarantine)
			}
			// Without a configured id nothing counts, not even a failure (S-072).
			none := newClassifier(t, Config{})
			if v := none.Classify(letter(t, tt.header, "Hello"), tickets.Hints{}); v.Auth != tickets.AuthNone {
				t.Errorf("S-072: auth %s without a configured authserv-id", v.Auth)
			}
		})
	}
}

func TestTrustedHosts(t *testing.T) {
	header := "Received: from mx.desk.example by imap.desk.example with LMTP; now\n" +
		"Authentication-Results: mx.desk.example; dmarc=pass header.from=kunde.example\n" + arrived + "From: anna@kunde.example\n"
	m := letter(t, header, "Hello")
	if v := newClassifier(t, Config{AuthservID: []string{"mx.desk.example"}}).Classify(m, tickets.Hints{}); v.Auth != tickets.AuthNone {
		t.Errorf("auth %s above a Received of a host that is not trusted", v.Auth)
	}
	k := newClassifier(t, Config{AuthservID: []string{"mx.desk.example"}, TrustedHosts: []string{"mx.desk.example", "IMAP.desk.example."}})
	if v := k.Classify(m, tickets.Hints{}); v.Auth != tickets.AuthPass {
		t.Errorf("auth %s with both hosts trusted: %v", v.Auth, v.Reasons)
	}
}

func TestTrustedMailbox(t *testing.T) {
	k := newClassifier(t, Config{AuthservID: []string{"mx.desk.example"}})
	trusted := tickets.Hints{Trusted: true}
	if v := k.Classify(letter(t, customer, "Hello"), trusted); v.Auth != tickets.AuthPass {
		t.Errorf("auth %s in a trusted mailbox", v.Auth)
	}
	for _, from := range []string{"From: anna@kunde.example\nFrom: eve@evil.example\n", "", "From: undisclosed\n"} {
		if v := k.Classify(letter(t, from, "Hello"), trusted); v.Auth != tickets.AuthNone {
			t.Errorf("S-076: auth %s in a trusted mailbox with From %q", v.Auth, from)
		}
	}
	forged := letter(t, "Authentication-Results: mx.desk.example; dmarc=fail\n"+customer, "Hello")
	if v := k.Classify(forged, trusted); v.Auth != tickets.AuthFail {
		t.Errorf("auth %s for dmarc=fail in a trusted mailbox", v.Auth)
	}
}

// TestSilentCheckForbidsAnswers holds that where a trusted server checked and vouches for nothing, no automatic answer
// goes out, and that a missing check alone does not forbid one (S-064).
func TestSilentCheckForbidsAnswers(t *testing.T) {
	k := newClassifier(t, Config{AuthservID: []string{"mx.desk.example"}})
	checked := letter(t, "Authentication-Results: mx.desk.example; spf=softfail smtp.mailfrom=kunde.example; dkim=none; dmarc=none\n"+arrived+customer, "Hello")
	if v := k.Classify(checked, tickets.Hints{}); v.NoAnswer == "" {
		t.Error("S-064: an unauthenticated sender is answered although the server checked")
	}
	if v := k.Classify(letter(t, arrived+customer, "Hello"), tickets.Hints{}); v.NoAnswer != "" {
		t.Errorf("no answer to a mail that nobody checked: %s", v.NoAnswer)
	}
}

func FuzzAuthResults(f *testing.F) {
	for _, seed := range []string{
		"mx.desk.example; dmarc=pass header.from=kunde.example",
		"mx.desk.example 1; dkim=pass (x) header.d=kunde.example; spf=pass smtp.mailfrom=\"a b\"@kunde.example",
		"mx.desk.example; dkim=pass header.d=kunde.example(.evil.example; none",
		"mx.desk.example; none", "\"mx.desk.example\"; dmarc=pass", ";;;", "(((", "mx.desk.example\x00; dmarc=pass",
	} {
		f.Add(seed)
	}
	k, err := New(Config{Languages: []string{"de"}, AuthservID: []string{"mx.desk.example"}})
	if err != nil {
		f.Fatal(err)
	}
	none, err := New(Config{Languages: []string{"de"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		m := &tickets.Message{Author: "anna@kunde.example", ReturnPath: "anna@kunde.example", Fields: []tickets.Field{{Name: "Authentication-Results", Value: value}}}
		if v := none.Classify(m, tickets.Hints{}); v.Auth != tickets.AuthNone {
			t.Errorf("%q: auth %s without a configured id", value, v.Auth)
		}
		low := strings.ToLower(value)
		if v := k.Classify(m, tickets.Hints{}); v.Auth == tickets.AuthPass && (!strings.Contains(low, "mx.desk.example") || !strings.Contains(low, "kunde.example") || !strings.Contains(low, "pass")) {
			t.Errorf("%q: passes without id, domain and result", value)
		}
	})
}

// TestOwnCheck holds what signatures that the desk checked itself prove: only those of the author's own organisation, and
// only where no trusted server has said anything (S-185, S-074).
func TestOwnCheck(t *testing.T) {
	const from = "From: Anna <anna@kunde.example>\nDKIM-Signature: x\n"
	pass := func(domain string) tickets.Signature {
		return tickets.Signature{Domain: domain, Result: tickets.SignaturePass}
	}
	bad := tickets.Signature{Domain: "kunde.example", Result: tickets.SignatureInvalid, Why: "the body is another"}
	unknown := tickets.Signature{Domain: "kunde.example", Result: tickets.SignatureUnknown, Why: "no answer"}
	for _, tt := range []struct {
		name, header string
		signatures   []tickets.Signature
		want         tickets.Authentication
		why          string
	}{
		{"the author's domain", from, []tickets.Signature{pass("kunde.example")}, tickets.AuthPass, "signed by kunde.example"},
		{"below it", from, []tickets.Signature{pass("mail.kunde.example")}, tickets.AuthPass, "signed by mail.kunde.example"},
		{"behind a list's", from, []tickets.Signature{pass("list.example"), pass("kunde.example")}, tickets.AuthPass, "signed by kunde.example"},
		{"behind a broken one", from, []tickets.Signature{bad, pass("kunde.example")}, tickets.AuthPass, "signed by kunde.example"},
		{"another domain's", from, []tickets.Signature{pass("evil.example")}, tickets.AuthNone, "not the author's organisation"},
		{"a top-level domain's", from, []tickets.Signature{pass("example")}, tickets.AuthNone, "not the author's organisation"},
		{"a suffix that others are registered under", "From: a@anna.github.io\nDKIM-Signature: x\n", []tickets.Signature{pass("github.io")}, tickets.AuthNone, "not the author's organisation"},
		{"a domain that is none", from, []tickets.Signature{pass("kunde.example\nevil")}, tickets.AuthNone, "not the author's organisation"},
		{"broken", from, []tickets.Signature{bad}, tickets.AuthNone, "proves nothing: the body is another"},
		{"broken beside another domain's", from, []tickets.Signature{bad, pass("evil.example")}, tickets.AuthNone, "the body is another"},
		{"its key could not be had", from, []tickets.Signature{unknown}, tickets.AuthNone, "could not be looked up: no answer"},
		{"too many", from, []tickets.Signature{{Result: tickets.SignatureInvalid, Why: "it bears more than 5 signatures"}}, tickets.AuthNone, "more than 5"},
		{"not checked when it came", from, nil, tickets.AuthNone, "was not checked"},
		{"unsigned", "From: anna@kunde.example\n", nil, tickets.AuthNone, "nobody signed it"},
		{"S-076 two authors", from + "From: eve@evil.example\n", []tickets.Signature{pass("kunde.example")}, tickets.AuthNone, "not clear who wrote it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := letter(t, tt.header, "Hello")
			m.Signatures = tt.signatures
			k := newClassifier(t, Config{AuthservID: []string{"mx.desk.example"}, OwnCheck: true})
			v := k.Classify(m, tickets.Hints{})
			if v.Auth != tt.want || !strings.Contains(reasonFor(v, "auth"), tt.why) {
				t.Errorf("%s because %q, want %s because %q", v.Auth, reasonFor(v, "auth"), tt.want, tt.why)
			}
			// What nobody asked for does not count, whatever was found once.
			if v := newClassifier(t, Config{}).Classify(m, tickets.Hints{}); v.Auth != tickets.AuthNone {
				t.Errorf("%s although the desk is not to check", v.Auth)
			}
			// A trusted server's word stands, for and against.
			for word, want := range map[string]tickets.Authentication{"fail": tickets.AuthFail, "none": tickets.AuthNone} {
				m := letter(t, "Authentication-Results: mx.desk.example; dmarc="+word+"\n"+tt.header, "Hello")
				m.Signatures = tt.signatures
				if v := k.Classify(m, tickets.Hints{}); v.Auth != want || !k.Vouched(m) {
					t.Errorf("%s with dmarc=%s of the mail server, want %s", v.Auth, word, want)
				}
			}
		})
	}
}

func reasonFor(v tickets.Verdict, what string) string {
	for _, r := range v.Reasons {
		if r.What == what {
			return r.Why
		}
	}
	return ""
}
