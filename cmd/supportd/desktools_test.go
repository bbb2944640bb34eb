package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/cmd/supportd/config"
	"supportd/mailin"
	"supportd/tickets"
)

// The tools for admins, on the small desk in testdata/desk.

// sampleDesk is a copy of that desk, with its password.
func sampleDesk(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "desk")
	if err := os.CopyFS(dir, os.DirFS("../../testdata/desk")); err != nil {
		t.Fatal(err)
	}
	if s, ok := t.(interface{ Setenv(string, string) }); ok {
		s.Setenv("DESK_PASSWORD", "secret")
	}
	return dir
}

// changed is another copy of the desk with one text of its configuration replaced.
func changedDesk(t testing.TB, pairs ...string) string {
	t.Helper()
	dir := sampleDesk(t)
	file := filepath.Join(dir, configName)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the sample desk does not say %q", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// running is a desk on a real store, without servers.
type running struct {
	testing.TB
	desk  *tickets.Desk
	store *tickets.Store
	now   time.Time
	uid   uint32
}

func openDesk(t testing.TB, dir string) *running {
	t.Helper()
	j, err := newJudge(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{TB: t, now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return r.now }
	if r.store, err = tickets.OpenStore(filepath.Join(dir, "state"), tickets.Options{Now: clock, Random: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	r.desk = newDesk(r.store, j.rules, clock, slog.New(slog.DiscardHandler))
	if _, err := r.desk.Place(context.Background(), "service", 1); err != nil {
		t.Fatal(err)
	}
	return r
}

// receive takes mails in, and returns what became of each.
func (r *running) receive(raws ...[]byte) []tickets.Outcome {
	r.Helper()
	b := tickets.Batch{Mailbox: "service", UIDValidity: 1}
	for _, raw := range raws {
		r.uid++
		b.Messages = append(b.Messages, tickets.Incoming{Source: tickets.Source{Mailbox: "service", UIDValidity: 1, UID: r.uid},
			Arrived: r.now, Size: int64(len(raw)), Raw: raw, Message: mailin.Parse(raw, r.now)})
	}
	b.Through = r.uid
	out, err := r.desk.Receive(context.Background(), b)
	if err != nil {
		r.Fatal(err)
	}
	return out
}

// sampleMail is an authenticated mail to the sample desk.
func sampleMail(from, subject, text string) []byte {
	return sampleMailWith("", from, subject, text)
}

func sampleMailWith(more, from, subject, text string) []byte {
	_, domain, _ := strings.Cut(from, "@")
	id := fmt.Sprintf("%x", mathrand.Uint64())
	return []byte(strings.ReplaceAll(fmt.Sprintf("Return-Path: <%s>\nAuthentication-Results: mx.nordwind.example; dmarc=pass header.from=%s\n%sFrom: Sabine Krause <%s>\n"+
		"To: service@nordwind.example\nSubject: %s\nMessage-ID: <%s@%s>\nDate: Mon, 23 Nov 2026 09:00:00 +0000\nContent-Type: text/plain; charset=utf-8\n\n%s\n",
		from, domain, more, from, subject, id, domain, text), "\n", "\r\n"))
}

const (
	krause = "s.krause@muster-maschinenbau.example"
	vpn    = "Guten Tag, der VPN-Tunnel bricht ab. Was sollen wir tun? Kundennummer 471123, Telefon 040 1234567."
	toner  = "Guten Tag, der Drucker druckt nicht mehr, obwohl der Toner neu ist."
)

// jsonOf runs a command and decodes what it prints.
func jsonOf[T any](t *testing.T, wantCode int, args ...string) T {
	t.Helper()
	out, errs, code := program(t, nil, append(args, "--json")...)
	if code != wantCode {
		t.Fatalf("supportd %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, wantCode, out, errs)
	}
	var v T
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("supportd %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return v
}

func configOf(dir string) string { return filepath.Join(dir, configName) }

// ── explain ──

// Every value has a reason, and those that the configuration decides name their place in it.
func TestExplainGivesEveryReason(t *testing.T) {
	dir := sampleDesk(t)
	mail := filepath.Join(dir, "fixtures", "vpn-leipzig.eml")
	x := jsonOf[explanation](t, exitFine, "explain", "-c", configOf(dir), "--at", "2026-11-27 16:40:12", mail)
	places := map[string]string{"category": "categories[network.vpn]", "ci": "derive.ci[1]", "impact": "derive.impact[0]", "urgency": "derive.urgency[0]",
		"priority": "matrix[high][high]", "route": "root", "rule": "rules[0]"}
	for _, what := range []string{"kind", "auth", "customer", "language", "category", "ci", "impact", "urgency", "priority", "route", "team", "tier", "rules",
		"clocks", "mails", "thread", "config_rev", "result"} {
		if r := x.reason(what); r == nil || r.Why == "" {
			t.Errorf("%s has no reason", what)
		}
	}
	for what, place := range places {
		if r := x.reason(what); r == nil || r.Place != place {
			t.Errorf("%s: %+v, want its place %s", what, r, place)
		}
	}
	var refused []string
	for _, r := range x.Why {
		if r.What == "route_not" {
			refused = append(refused, r.Value)
		}
	}
	if !slices.Equal(refused, []string{"monitoring", "phishing", "english"}) {
		t.Errorf("routes not taken: %v", refused)
	}
	if x.Category.Name != "network.vpn" || x.Category.Why == "" || !slices.Contains(x.Category.Evidence, "forticlient") || x.Priority != "P1" ||
		x.Customer != "Muster Maschinenbau GmbH" || x.ServiceLevel != "gold" || x.Team != "service-desk" || x.Tier != 1 || !slices.Equal(x.Rules, []string{"gold-watch"}) {
		t.Errorf("%+v", x)
	}
	if len(x.Clocks) != 2 || !x.Clocks[0].Due.Equal(time.Date(2026, 11, 30, 9, 40, 12, 0, time.UTC)) || x.Clocks[0].Why == "" || x.Mails[0].Why == "" {
		t.Errorf("clocks %+v, mails %+v", x.Clocks, x.Mails)
	}
	out, _, _ := program(t, nil, "explain", "-c", configOf(dir), "--at", "2026-11-27 16:40:12", mail)
	for _, want := range []string{"✗ english", "derive.ci[1]", "forticlient 4 + vpn 4", "nothing was sent or stored"} {
		if !strings.Contains(out, want) {
			t.Errorf("the text does not say %q:\n%s", want, out)
		}
	}
}

// A ticket and a message of the desk are explained by what the desk knew, and nothing of it is changed.
func TestExplainStored(t *testing.T) {
	dir := sampleDesk(t)
	d := openDesk(t, dir)
	first := sampleMail(krause, "Tunnel", vpn)
	d.receive(first)
	id := mailin.Parse(first, d.now).ID
	d.now = d.now.Add(time.Hour)
	var number string
	if err := d.store.View(func(tx *tickets.Tx) error {
		t1, err := tx.Ticket(1)
		if err == nil {
			number = t1.Number
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := d.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{number, strings.ToLower(number), "1", "message:1", id, "<" + id + ">"} {
		x := jsonOf[explanation](t, exitFine, "explain", "-c", configOf(dir), name)
		if x.Message != id || x.Category.Name != "network.vpn" || x.Ticket == nil || x.Ticket.Number != number || x.Result != tickets.Created {
			t.Errorf("%s: %+v", name, x)
		}
		if due := x.Clocks[0].Due; !due.Equal(time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: due %s, want it counted from the arrival", name, due)
		}
	}
	if _, errs, code := program(t, nil, "explain", "-c", configOf(dir), "NW-2026-000099"); code != exitNoRun || !strings.Contains(errs, "not found") {
		t.Errorf("a ticket that is not there: exit code %d, %s", code, errs)
	}
}

// ── diff ──

// manyMails fills a desk with mails about three things.
func manyMails(t testing.TB, dir string, n int) {
	t.Helper()
	d := openDesk(t, dir)
	defer d.store.Close()
	texts := [][2]string{{"Tunnel", vpn}, {"Drucker", toner}, {"Frage", "Guten Tag, wann ist die Kantine am Freitag offen? Bitte antworten Sie mir."}}
	for done := 0; done < n; {
		var batch [][]byte
		for len(batch) < 64 && done < n {
			batch = append(batch, sampleMail(fmt.Sprintf("kunde%d@muster-maschinenbau.example", done%500), fmt.Sprintf("%s %d", texts[done%3][0], done), texts[done%3][1]))
			done++
		}
		d.receive(batch...)
		d.now = d.now.Add(time.Minute)
	}
}

// What another configuration would have moved, exactly, twice the same; nothing is stored or sent.
func TestDiff(t *testing.T) {
	dir := sampleDesk(t)
	manyMails(t, dir, 30)
	next := changedDesk(t, "{drucker: 3, printer: 3, toner: 2}", "{toner: 2}", "first_response: 4h", "first_response: 2h",
		"- {name: english,", "- {name: vpn, match: {category: network.vpn}, to: network, overlaps: [monitoring]}\n    - {name: english,",
		"overlaps: [monitoring, phishing]}\nrules", "overlaps: [monitoring, phishing, vpn]}\nrules")
	r := jsonOf[diffReport](t, exitFound, "diff", "-c", configOf(dir), "--since", "all", dir, next)
	if r.Messages != 30 || r.Tickets != 30 || r.Changed != 30 {
		t.Errorf("%d messages, %d tickets, %d changed, want 30 of each", r.Messages, r.Tickets, r.Changed)
	}
	if want := []diffMove{{From: "service-desk", To: "network", Count: 10}}; !slices.Equal(r.Team, want) {
		t.Errorf("team %+v, want %+v", r.Team, want)
	}
	if want := []diffMove{{From: "hardware.printer", To: "other", Count: 10}}; !slices.Equal(r.Category, want) {
		t.Errorf("category %+v, want %+v", r.Category, want)
	}
	if len(r.Deadlines) != 1 || r.Deadlines[0].Clock != "first_response" || r.Deadlines[0].Earlier != 30 || r.Deadlines[0].MaxEarlier != "2h0m0s" {
		t.Errorf("deadlines %+v", r.Deadlines)
	}
	for _, m := range r.Mails {
		if m.Mail == "ticket-to-team" && (m.Old != 60 || m.New != 50) { // service-desk has two members, network one
			t.Errorf("mails %+v", m)
		}
	}
	one, _, _ := program(t, nil, "diff", "-c", configOf(dir), "--since", "all", "--only", "team", dir, next)
	two, _, _ := program(t, nil, "replay", "-c", configOf(dir), "--since", "all", "--only", "team", next)
	if one != two {
		t.Errorf("not the same twice:\n%s\n%s", one, two)
	}
	if !strings.Contains(one, "service-desk → network 10") || strings.Count(one, "team: service-desk → network\n") != 10 {
		t.Errorf("%s", one)
	}
	same := jsonOf[diffReport](t, exitFine, "diff", "-c", configOf(dir), "--since", "all", dir, dir)
	if same.Changed != 0 || len(same.Differ) != 0 {
		t.Errorf("a configuration differs from itself: %+v", same.Differ)
	}
	if doc := jsonOf[tickets.Diagnosis](t, exitFine, "doctor", "-c", configOf(dir)); doc.Books.Created != 30 {
		t.Errorf("after all that the books say %+v", doc.Books)
	}
}

// Only tickets that agents worked on count for accuracy, and a change counts as right when it is their last word.
func TestDiffAccuracy(t *testing.T) {
	r := &replay{old: &judge{}, fresh: &judge{}}
	add := func(old, fresh, final string, worked bool) {
		r.twice = append(r.twice, twice{key: uint64(len(r.twice) + 1), opened: true, category: [2]string{old, fresh}, team: [2]string{"desk", "desk"},
			ended:  &tickets.Ended{Number: "NW-1", Category: final, Team: "desk", Worked: worked},
			differ: compareDecisions(decided(old), decided(fresh))})
	}
	add("other", "vpn", "vpn", true)
	add("other", "vpn", "vpn", true)
	add("other", "vpn", "other", true)
	add("other", "other", "other", true)
	add("other", "vpn", "vpn", false)
	r.old.config, r.old.rules, r.fresh.config, r.fresh.rules = emptySide("a"), &tickets.Rules{Rev: "a"}, emptySide("b"), &tickets.Rules{Rev: "b"}
	d := r.report(time.Time{})
	if want := []diffMove{{From: "other", To: "vpn", Count: 4, Right: 2, Wrong: 1}}; !slices.Equal(d.Category, want) {
		t.Errorf("%+v, want %+v", d.Category, want)
	}
	if a := d.Accuracy[0]; a.What != "category" || a.Tickets != 4 || a.Old != 0.5 || a.New != 0.75 {
		t.Errorf("%+v", a)
	}
	// Wilson's interval for 3 of 4 at 95 % is 0.3006 to 0.9544.
	if m := d.Accuracy[0].Margin; m < 0.326 || m > 0.328 {
		t.Errorf("margin %v, want 0.327", m)
	}
}

func decided(category string) tickets.Decision {
	return tickets.Decision{New: true, Ticket: &tickets.Ticket{}, Verdict: tickets.Verdict{Category: tickets.Category{Name: category}}}
}

func emptySide(path string) *config.Config { return &config.Config{Path: path} }

// How far back to look can be said in the ways that people say it, and nothing else is taken for one.
func TestParseSince(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{"90d": now.AddDate(0, 0, -90), "36h": now.Add(-36 * time.Hour), "all": {},
		"2026-11-01": time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)} {
		if got, err := parseSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "-3d", "90", "gestern", "2026-13-01"} {
		if got, err := parseSince(text, now); err == nil {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// ── test ──

func TestTableOfTheSampleDesk(t *testing.T) {
	dir := sampleDesk(t)
	out, errs, code := program(t, nil, "test", "-c", configOf(dir))
	if code != exitFine || !strings.Contains(out, "routes 5/5, derive 9/10 (derive.impact[1] never hit), rules 2/2, answers 1/1") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

func TestTableFailures(t *testing.T) {
	dir := changedDesk(t, "to: security, overlaps", "to: network, overlaps")
	r := jsonOf[testReport](t, exitFound, "test", "-c", configOf(dir))
	if len(r.Failed) != 1 {
		t.Fatalf("%+v, want one failure", r.Failed)
	}
	f := r.Failed[0]
	if f.What != "team" || f.Got != "network" || f.Want != "security" || f.Line == 0 || f.Why != "phishing of the route phishing" || r.OK {
		t.Errorf("%+v", r)
	}
	for text, want := range map[string]string{
		"- mail: fixtures/printer.eml\n  expect: {teem: x}":                   `:2: expect: there is no "teem"`,
		"- mail: fixtures/none.eml\n  expect: {team: x}":                      "there is no such file",
		"- mial: fixtures/printer.eml\n  expect: {team: x}":                   `:1: there is no "mial"`,
		"- mail: fixtures/printer.eml":                                        ":1: a test needs mail and expect",
		"mail: x":                                                             "want a list of tests",
		"- mail: fixtures/printer.eml\n  at: soon\n  expect: {team: x}":       `:1: at: "soon"`,
		"- mail: fixtures/printer.eml\n  mailbox: sales\n  expect: {team: x}": `:1: mailbox: the configuration has no "sales"`,
		"- mail: fixtures/printer.eml\n  expect: {team: {a: b}}":              ":2: expect: team: want one value",
		"- mail: [": "the table is not YAML",
		"- mail: fixtures/printer.eml\n  follows: fixtures/a.eml\n  expect: {team: x}": "there is no such file",
	} {
		file := filepath.Join(dir, "bad.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, errs, code := program(t, nil, "test", "-c", configOf(dir), file); code != exitNoRun || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%q: exit code %d, %s, want %q", text, code, errs, want)
		}
	}
}

// A recorded ticket holds nothing of whoever wrote it, is decided about as before, and the table passes with it.
func TestRecordForgetsWhoWroteIt(t *testing.T) {
	dir := sampleDesk(t)
	d := openDesk(t, dir)
	text := "Guten Tag Frau Brunnenschmied,\n\nder VPN-Tunnel auf FW-0012 bricht ab, sagt auch Herr Wattenbek. Meine Nummer: 471123, Telefon +49 40 1234567, " +
		"Mail privat.krause@web.example, siehe https://intern.muster.example/akte/471123.\nNochmal: Kundennummer 471123, Rechner NB-88123.\n\nMit freundlichen Grüßen\nSabine Krause\nLeitung Einkauf, Büro 3.14\n"
	raw := sampleMailWith("X-Internal-Id: geheim-17\nCc: Bodo Wattenbek <b.wattenbek@fremd.example>\n", krause, "VPN von Krause, Nummer 471123", text)
	d.receive(raw)
	if err := d.store.Close(); err != nil {
		t.Fatal(err)
	}
	r := jsonOf[recorded](t, exitFine, "test", "-c", configOf(dir), "--record", "1")
	if len(r.Changed) != 0 {
		t.Errorf("decided otherwise without names: %+v", r.Changed)
	}
	b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.Mail)))
	if err != nil {
		t.Fatal(err)
	}
	fixture := string(b)
	for _, canary := range []string{"Krause", "Sabine", "Brunnenschmied", "Wattenbek", "471123", "1234567", "privat", "web.example", "fremd.example", "intern.muster",
		"geheim", "Einkauf", "88123", "3.14"} {
		if strings.Contains(strings.ToLower(fixture), strings.ToLower(canary)) {
			t.Errorf("%q is in the recorded mail:\n%s", canary, fixture)
		}
	}
	for _, kept := range []string{"VPN", "FW-0012", "muster-maschinenbau.example", "dmarc=pass"} {
		if !strings.Contains(fixture, kept) {
			t.Errorf("%q is not in the recorded mail:\n%s", kept, fixture)
		}
	}
	if number := "100001"; strings.Count(fixture, number) != 3 {
		t.Errorf("the number that stands three times is not the same three times:\n%s", fixture)
	}
	if out, errs, code := program(t, nil, "test", "-c", configOf(dir)); code != exitFine || !strings.HasPrefix(out, "8 tests") {
		t.Errorf("after recording: exit code %d\n%s%s", code, out, errs)
	}
	if _, errs, code := program(t, nil, "test", "-c", configOf(dir), "--record", "1"); code != exitNoRun || !strings.Contains(errs, "is there already") {
		t.Errorf("once more: exit code %d, %s", code, errs)
	}
}

// The stored mail through two configurations, as supportd diff does it on a store of its own. The mails are like those
// that people write: with a reply's quotes below, and every tenth with an attachment.
//
//	go test ./cmd/supportd -run xxx -bench Diff -benchtime 3x
func BenchmarkDiff(b *testing.B) {
	const stored = 20000
	b.Setenv("DESK_PASSWORD", "secret")
	dir := sampleDesk(b)
	d := openDesk(b, dir)
	for done := 0; done < stored; {
		var batch [][]byte
		for len(batch) < 64 && done < stored {
			batch = append(batch, realisticMail(done))
			done++
		}
		d.receive(batch...)
		d.now = d.now.Add(time.Minute)
	}
	if err := d.store.Close(); err != nil {
		b.Fatal(err)
	}
	next := changedDesk(b, "{drucker: 3, printer: 3, toner: 2}", "{toner: 2}")
	a := &app{streams: streams{out: io.Discard, err: io.Discard}, config: configOf(dir), json: true, now: time.Now}
	for b.Loop() {
		if err := a.diff(b.Context(), dir, next, time.Time{}, ""); err != nil && err != error(exitCode(exitFound)) {
			b.Fatal(err)
		}
	}
	b.ReportMetric(stored*float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}

func realisticMail(n int) []byte {
	texts := []string{vpn, toner, "Guten Tag, wann ist die Kantine am Freitag offen? Bitte antworten Sie mir."}
	quote := strings.Repeat("> Wir haben Ihre Nachricht erhalten und melden uns, sobald wir mehr wissen. Bitte haben Sie etwas Geduld.\r\n", 12)
	from := fmt.Sprintf("kunde%d@muster-maschinenbau.example", n%500)
	text := fmt.Sprintf("%s Vorgang %d.\r\n\r\nMit freundlichen Grüßen\r\nSabine Krause\r\n\r\nAm 20.11.2026 um 10:00 schrieb Einkauf:\r\n%s", texts[n%3], n, quote)
	if n%10 != 0 {
		return sampleMail(from, fmt.Sprintf("Anfrage %d", n), text)
	}
	attachment := strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 250)
	head, _, _ := strings.Cut(string(sampleMail(from, fmt.Sprintf("Anfrage %d", n), "")), "Content-Type:")
	return []byte(head + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text +
		"\r\n--x\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + attachment + "--x--\r\n")
}
