package classify

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"supportd/tickets"
)

func TestKind(t *testing.T) {
	report := func(kind, part, data string) func(*tickets.Message) {
		return func(m *tickets.Message) {
			m.Fields = append(m.Fields, tickets.Field{Name: "Content-Type", Value: `multipart/report; report-type="` + kind + `"; boundary=x`})
			m.Machine = append(m.Machine, tickets.MachinePart{Type: part, Data: []byte(data)})
		}
	}
	attached := func(part, data string) func(*tickets.Message) {
		return func(m *tickets.Message) {
			m.Fields = append(m.Fields, tickets.Field{Name: "Content-Type", Value: "multipart/mixed; boundary=x"})
			m.Machine = append(m.Machine, tickets.MachinePart{Type: part, Data: []byte(data)})
		}
	}
	failed := "Reporting-MTA: dns; mx.desk.example\n\nFinal-Recipient: rfc822; bob@firm.example\nAction: failed\nStatus: 5.1.1\n"
	for _, tt := range []struct {
		name, header, text string
		more               func(*tickets.Message)
		want               tickets.Kind
	}{
		{"customer", customer, "It does not print.", nil, tickets.KindHuman},
		{"vacation", "From: Bob <bob@firm.example>\nReturn-Path: <>\nSubject: Away\nAuto-Submitted: auto-replied (vacation)\n", "Back on Monday.", nil, tickets.KindAutoReply},
		{"Outlook", "From: Bob <bob@firm.example>\nReturn-Path: <bob@firm.example>\nSubject: Automatic reply: Ticket\n", "I am out of office.", nil, tickets.KindAutoReply},
		{"German Outlook", "From: Bob <bob@firm.example>\nReturn-Path: <bob@firm.example>\nSubject: Automatische Antwort: Ticket\n", "Ich bin im Urlaub.", nil, tickets.KindAutoReply},
		{"older Outlook", "From: Bob <bob@firm.example>\nSubject: Out of Office: Ticket\n", "I am out of the office until Monday.", nil, tickets.KindAutoReply},
		{"no header but the null path", "From: Bob <bob@firm.example>\nReturn-Path: <>\nSubject: Ticket\n", "Ich bin bis Montag nicht im Büro.", nil, tickets.KindAutoReply},
		{"X-Autoreply", "From: Bob <bob@firm.example>\nSubject: Hello\nX-Autoreply: yes\n", "Hello", nil, tickets.KindAutoReply},
		{"challenge", "From: Bob <bob@firm.example>\nSubject: Re: Hello\nPrecedence: auto_reply\n", "Click to be approved", nil, tickets.KindAutoReply},
		{"read receipt", "From: Bob <bob@firm.example>\nSubject: Read: Hello\n", "", report("disposition-notification", "message/disposition-notification", "Disposition: manual-action/MDN-sent-manually; displayed\n"), tickets.KindAutoReply},
		{"person writes about an absence notice", customer, "I get \"Automatic reply: out of office\" from your sales team, is somebody there?", nil, tickets.KindHuman},
		{"person asks how to set one up", "From: Anna <anna@kunde.example>\nReturn-Path: <anna@kunde.example>\nSubject: Out of office: how?\n", "How do I set up my out of office reply?", nil, tickets.KindHuman},
		{"person answers an absence notice", "From: Anna <anna@kunde.example>\nReturn-Path: <anna@kunde.example>\nSubject: AW: Automatische Antwort: Ticket\n", "Danke, bis Montag.", nil, tickets.KindHuman},
		{"person on holiday writes", customer, "I am on vacation until Monday, but the printer cannot wait.", nil, tickets.KindHuman},
		{"person says no automation", "From: Anna <anna@kunde.example>\nSubject: Hi\nAuto-Submitted: no\n", "Hi", nil, tickets.KindHuman},
		{"delivery report", "From: MAILER-DAEMON@mx.desk.example\nReturn-Path: <>\nSubject: Undelivered Mail Returned to Sender\n", "could not be delivered", report("delivery-status", "message/delivery-status", failed), tickets.KindBounce},
		{"internationalised report", "From: MAILER-DAEMON@mx.desk.example\nReturn-Path: <>\nSubject: Undelivered Mail\n", "", report("delivery-status", "message/global-delivery-status", strings.Replace(failed, "rfc822; bob", `utf-8; b\x{F6}b`, 1)), tickets.KindBounce},
		{"successful delivery", "From: MAILER-DAEMON@mx.desk.example\nReturn-Path: <>\nSubject: Delivery report\n", "", report("delivery-status", "message/delivery-status", strings.NewReplacer("failed", "delivered", "5.1.1", "2.1.5").Replace(failed)), tickets.KindReport},
		{"relayed", "From: MAILER-DAEMON@mx.desk.example\nReturn-Path: <>\nSubject: Delivery report\n", "", report("delivery-status", "message/delivery-status", strings.NewReplacer("failed", "relayed", "5.1.1", "2.0.0").Replace(failed)), tickets.KindReport},
		{"person forwards a report as attachment", customer, "I got this, what does it mean?", attached("message/rfc822", "From: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\n\n"+failed), tickets.KindHuman},
		{"person quotes a report", "Return-Path: <anna@kunde.example>\nFrom: Anna <anna@kunde.example>\nSubject: Fwd: Undelivered Mail Returned to Sender\n", "Why did this come back?\n\n> This is the mail system at host mx.example.\n> <bob@firm.example>: host mx said: 550 5.1.1 User unknown\n", nil, tickets.KindHuman},
		{"person writes about undelivered mail", "Return-Path: <anna@kunde.example>\nFrom: Anna <anna@kunde.example>\nSubject: Mail could not be delivered\n", "My mail to bob@firm.example could not be delivered: 550 5.1.1 user unknown. Help!", nil, tickets.KindHuman},
		{"postmaster of a customer writes", "Return-Path: <postmaster@firm.example>\nFrom: Postmaster <postmaster@firm.example>\nSubject: Mail delivery problem\nUser-Agent: Mozilla Thunderbird\n", "Our mails to you could not be delivered, we get 550 5.7.1 blocked.\n\nKind regards\nEve", nil, tickets.KindHuman},
		{"parcel service", "Return-Path: <noreply@parcel.example>\nFrom: no-reply@parcel.example\nSubject: Your parcel could not be delivered\nAuto-Submitted: auto-generated\n", "We were unable to deliver your parcel to Main Street 5.", nil, tickets.KindAutoReply},
		{"feedback report", "From: abuse@provider.example\nSubject: complaint\n", "", report("feedback-report", "message/feedback-report", "Feedback-Type: abuse\nUser-Agent: x\nVersion: 1\n"), tickets.KindFeedbackReport},
		{"feedback report without report-type", "From: abuse@provider.example\nSubject: complaint\n", "", attached("message/feedback-report", "Feedback-Type: abuse\nUser-Agent: x\nVersion: 1\n"), tickets.KindFeedbackReport},
		{"person passes a feedback report on", "From: Anna <anna@kunde.example>\nSubject: Fwd: complaint\n", "please look", attached("message/feedback-report", "Feedback-Type: abuse\n"), tickets.KindHuman},
		{"opt-out by the mail program", "From: Bob <bob@mail.example>\nSubject: unsubscribe\nAuto-Submitted: auto-replied\nX-Apple-Unsubscribe: true\n", "", nil, tickets.KindFeedbackReport},
		{"DMARC aggregate", "From: noreply-dmarc@provider.example\nSubject: Report domain: desk.example Submitter: provider.example Report-ID: <1>\n", "", nil, tickets.KindReport},
		{"TLS report", "From: tls@provider.example\nSubject: TLS\nTLS-Report-Domain: desk.example\n", "", nil, tickets.KindReport},
		{"mailing list", "From: Bob <bob@firm.example>\nSubject: [users] hello\nList-Id: Users <users.lists.example>\n", "Hello", nil, tickets.KindList},
		{"newsletter", "From: News <news@shop.example>\nSubject: 20 % off\nPrecedence: bulk\n", "Buy", nil, tickets.KindList},
		{"list post about bounces", "From: Bob <bob@firm.example>\nReturn-Path: <users-bounces@lists.example>\nSubject: Undelivered Mail Returned to Sender\nPrecedence: list\nList-Id: <users.lists.example>\n", "I get this:\n\n<eve@firm.example>: host mx said: 550 5.1.1 User unknown", nil, tickets.KindList},
		{"through the desk's own list", "From: Anna <anna@kunde.example>\nSubject: Help\nList-Id: Support <support.desk.example>\nPrecedence: list\n", "Help", nil, tickets.KindHuman},
		{"configured monitoring", "From: alerts@watch.example\nSubject: disk full\n", "", nil, tickets.KindMonitoring},
		{"configured monitoring domain", "From: db7@alerts.example\nSubject: disk full\n", "", nil, tickets.KindMonitoring},
		{"complaint told by Amazon SES", "From: no-reply@sns.amazonaws.com\nSubject: AWS Notification Message\n", `{"notificationType": "Complaint", "complaint": {}}`, nil, tickets.KindFeedbackReport},
		{"complaint told by Hotmail", "From: staff@hotmail.com\nSubject: complaint about message from 192.0.2.1\n", "", nil, tickets.KindFeedbackReport},
		{"Nagios", "From: nagios@mon.firm.example\nSubject: ** PROBLEM Service Alert: web/HTTP is CRITICAL **\n", "", nil, tickets.KindMonitoring},
		{"person quotes an alert", "From: Anna <anna@kunde.example>\nSubject: ** PROBLEM ** with my account\n", "", nil, tickets.KindHuman},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newClassifier(t, Config{Monitoring: []string{"alerts@watch.example", "@alerts.example"}, OwnLists: []string{"support.desk.example"}})
			m := letter(t, tt.header, tt.text)
			if tt.more != nil {
				tt.more(m)
			}
			v := k.Classify(m, tickets.Hints{})
			if v.Kind != tt.want {
				t.Errorf("kind %s, want %s (%v)", v.Kind, tt.want, v.Reasons)
			}
			if (v.Bounce != nil) != (v.Kind == tickets.KindBounce) {
				t.Errorf("kind %s with bounce %v", v.Kind, v.Bounce)
			}
		})
	}
}

// TestEveryValueHasItsReason holds that a verdict explains itself.
func TestEveryValueHasItsReason(t *testing.T) {
	k := newClassifier(t, Config{Team: "first", Answers: []Answer{{Name: "hours", Match: Match{Text: Text{Words: []string{"opening hours"}}}}}})
	m := letter(t, customer, "What are your opening hours?")
	v := k.Classify(m, tickets.Hints{})
	got := make(map[string]string)
	for _, r := range v.Reasons {
		if r.Why == "" {
			t.Errorf("%s has no reason", r.What)
		}
		got[r.What] = r.Value
	}
	want := map[string]string{"kind": "human", "auth": "none", "language": "de", "team": "first", "auto_answer": "hours"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("reasons %v, want %v", got, want)
	}
	if again := k.Classify(m, tickets.Hints{}); !reflect.DeepEqual(v, again) {
		t.Errorf("same message, other verdict: %v, then %v", v, again)
	}
}

func TestLanguage(t *testing.T) {
	long := strings.Repeat("words ", 40)
	for _, tt := range []struct {
		name, code string
		confidence float64
		text, hint string
		want       string
	}{
		{"sure", "en", 0.9, long, "", "en"},
		{"not sure enough", "en", 0.5, long, "", "de"},
		{"short texts need less when it is expected", "en", 0.5, "Please cancel", "en", "en"},
		{"short and sure", "en", 0.65, "please help", "", "en"},
		{"short, not sure, not expected", "en", 0.5, "Was ist mit Outlook?", "", "de"},
		{"short, but a guess", "en", 0.2, "ok", "", "de"},
		{"a foreign language", "fr", 1, long, "", "de"},
		{"the ticket's language", "fr", 1, long, "en", "en"},
		{"none told", "", 0, "", "", "de"},
		{"a hint that is none of the desk's", "", 0, "", "fr", "de"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := letter(t, customer, tt.text)
			m.Language = tickets.Language{Code: tt.code, Confidence: tt.confidence}
			v := newClassifier(t, Config{}).Classify(m, tickets.Hints{Language: tt.hint})
			if v.Language != tt.want {
				t.Errorf("language %q, want %q", v.Language, tt.want)
			}
		})
	}
}

func TestQuarantine(t *testing.T) {
	for _, tt := range []struct {
		name, header string
		held         bool
	}{
		{"clean", "X-Spam-Status: No, score=-2.1 required=5.0\nX-Spam-Flag: NO\nX-Rspamd-Action: no action\n", false},
		{"greylisted before", "X-Rspamd-Action: greylist\n", false},
		{"S-067 X-Spam-Flag", "X-Spam-Flag: YES\n", true},
		{"S-067 X-Spam-Status", "X-Spam-Status: Yes, score=9.1 required=5.0\n", true},
		{"S-067 a second field", "X-Spam-Status: No\nX-Spam-Status: Yes\n", true},
		{"S-067 the sender's clean mark above the filter's", "X-Spam-Flag: NO\nX-Spam-Score: -10\nX-Spam-Flag: YES\n", true},
		{"S-067 the sender's score above the filter's", "X-Spam-Score: -10\nX-Spam-Score: 9.5\n", true},
		{"S-067 the sender's score below the filter's", "X-Spam-Score: 9.5\nX-Spam-Score: -10\n", true},
		{"S-067 Rspamd", "X-Rspamd-Action: add header\n", true},
		{"S-067 Exchange Online", "X-Forefront-Antispam-Report: CIP:192.0.2.1;CTRY:US;SFV:SPM;CAT:SPM\n", true},
		{"S-067 virus", "X-Virus-Status: Infected (Eicar)\n", true},
		{"virus scanner found nothing", "X-Virus-Status: Clean\nX-Virus-Scanned: amavis\n", false},
		{"score from where it is configured", "X-Spam-Score: 7.5\n", true},
		{"score below", "X-Spam-Score: 6.9\n", false},
		{"score in X-Spam-Status", "X-Spam-Status: No, score=12.25 required=15\n", true},
		{"S-063 own X-Loop", "X-Loop: supportd@desk.example\n", true},
		{"another robot's X-Loop", "X-Loop: procmail@firm.example\n", false},
		{"S-063 51 hops", strings.Repeat("Received: from a by b; now\n", 51), true},
		{"50 hops", strings.Repeat("Received: from a by b; now\n", 50), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newClassifier(t, Config{ScoreAtLeast: 7, Loop: "supportd@desk.example"})
			v := k.Classify(letter(t, customer+tt.header, "Hello"), tickets.Hints{})
			if (v.Quarantine != "") != tt.held {
				t.Errorf("quarantine %q, want held %v", v.Quarantine, tt.held)
			}
			if tt.held && v.NoAnswer == "" {
				t.Error("a held mail may be answered")
			}
			if field, _, _ := strings.Cut(tt.header, ":"); strings.Contains(field, "Spam") && !strings.Contains(reasonFor(v, "quarantine"), field) && !tt.held {
				t.Errorf("the reason %q does not show %s", reasonFor(v, "quarantine"), field)
			}
		})
	}
}

func TestNewNamesEveryProblem(t *testing.T) {
	_, err := New(Config{
		Languages:    []string{"deutsch"},
		AuthservID:   []string{""},
		TrustedHosts: []string{" "},
		ScoreAtLeast: -1,
		Answers:      []Answer{{Name: "x"}, {}, {Name: "y", Match: Match{Text: Text{Regex: "("}}}, {Name: "z", Match: Match{Text: Text{Words: []string{"?"}}}}},
	})
	if err == nil {
		t.Fatal("a broken configuration was taken")
	}
	for _, want := range []string{"languages", "authserv-id", "trusted_hosts", "spam score", "answers[0].match: has an empty match", "answers[1]: an answer has no name", "answers[2].match.regex: read regex", "answers[3].match.words: \"?\""} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not speak of %q: %v", want, err)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a desk without a language was taken")
	}
}

// TestLinearTime holds that a mail of 1 MiB made to be slow is classified in linear time; it takes about 0.1 s. The
// limit is wide, so that a busy machine stays below it and only a wrong order of growth, which needs minutes, does not.
func TestLinearTime(t *testing.T) {
	const size = 1 << 20
	for name, unit := range map[string]string{
		"at signs":    "@",
		"addresses":   "a@b.example ",
		"brackets":    "<",
		"dots":        "a.b.",
		"codes":       "550 5.1.1 ",
		"near codes":  "550-5.1.",
		"quotes":      "> > > ",
		"short lines": "x@y\n",
		"colons":      "a:\n",
		"comments":    "((((",
		"equals":      "=\"",
		"failing":     "could not be delivered to <x@y.example>\n",
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat(unit, size/len(unit))
			m := letter(t, "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: a@desk.example\nSubject: Undelivered Mail\n", text)
			flat := strings.ReplaceAll(text, "\n", " ")
			for _, f := range []string{"Authentication-Results", "Received", "Auto-Submitted", "X-Spam-Status", "X-Failed-Recipients", "Content-Type", "List-Id"} {
				m.Fields = append(m.Fields, tickets.Field{Name: f, Value: flat})
			}
			for _, p := range []string{"message/delivery-status", "message/rfc822", "message/feedback-report"} {
				m.Machine = append(m.Machine, tickets.MachinePart{Type: p, Data: []byte(text[:256<<10])})
			}
			k := newClassifier(t, Config{AuthservID: []string{"mx.desk.example"}, ScoreAtLeast: 1})
			start := time.Now()
			k.Classify(m, tickets.Hints{})
			if d := time.Since(start); d > 30*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}
