package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v4"

	"supportd/classify"
	"supportd/tickets"
	"supportd/tickets/handover"
)

// same compares what two configurations say, not where they stand.
var same = cmp.Options{
	cmp.AllowUnexported(Secret{}),
	cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() }),
	cmp.Comparer(func(a, b *regexp.Regexp) bool { return a.String() == b.String() }),
	cmpopts.IgnoreFields(Config{}, "Path", "Dir", "Rev", "Files"),
	cmpopts.EquateEmpty(),
}

func TestShortFormInFull(t *testing.T) {
	t.Chdir(examples(t))
	got, _ := load(t, "short.yaml")
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	secret := Secret{value: "not-a-real-password", file: "hilfe.pw"}
	long, short := []Interval{{From: 8 * 60, To: 17 * 60}}, []Interval{{From: 8 * 60, To: 14 * 60}}
	var targets []PriorityTarget
	for _, p := range []string{"P1", "P2", "P3", "P4", "P5"} {
		targets = append(targets, PriorityTarget{Priority: p, Times: Times{FirstResponse: 4 * time.Hour, Resolve: 24 * time.Hour}})
	}
	remind := []Step{{Percent: 75, Notify: []string{"assignee"}}, {Percent: 100, Notify: []string{"team"}}}
	want := &Config{
		Organisation: "Tischlerei Huber", Zone: berlin, Languages: []string{"de", "en"},
		Mailboxes: []Mailbox{{Name: "support", Host: "imap.huber-tischlerei.example", Port: 993, TLS: "implicit", User: "hilfe",
			Password: secret, Folder: "INBOX", Poll: time.Minute, After: "leave", MaxSize: 25_000_000, Brand: "default",
			Addresses: []string{"hilfe@huber-tischlerei.example"}, Plus: true, Claim: "supportd"}},
		Brands: []Brand{{Name: "default", From: tickets.Address{Name: "Tischlerei Huber", Mail: "hilfe@huber-tischlerei.example"},
			SMTP: SMTP{Host: "smtp.huber-tischlerei.example", Port: 465, TLS: "implicit", User: "hilfe", Password: secret,
				Retry:  []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour},
				GiveUp: 5 * 24 * time.Hour, Connections: 4},
			TicketPrefix: "T", AddressForm: map[string]string{"de": "sie", "en": "last_name"}}},
		Teams: []Team{{Name: "support", Tier: 1, Calendars: []string{"standard"}, Members: []tickets.Address{
			{Mail: "max@huber-tischlerei.example"}, {Mail: "eva@huber-tischlerei.example"}, {Mail: "ali@huber-tischlerei.example"}}}},
		Calendars: []Calendar{{Name: "standard", Zone: berlin, Holidays: []string{"DE-BY", "DE-BY-KATH"},
			Hours: map[time.Weekday][]Interval{1: long, 2: long, 3: long, 4: long, 5: short}}},
		Calendar: "standard", Intake: "support",
		Levels: []ServiceLevel{{Name: "standard", Calendar: "standard", Targets: targets}}, DefaultLevel: "standard",
		SLA:         SLA{PauseOn: []string{"waiting_customer"}, UpgradeGrace: 25, WarnCustomer: true},
		Escalations: []Escalation{{Name: "default", Steps: map[string][]Step{"first_response": remind, "resolve": remind}}},
		Notices:     Notices{AtMost: 10, Within: 5 * time.Minute},
		Digests:     Digests{Personal: Digest{On: true, At: "07:30"}, Leads: Digest{On: true, At: "08:00"}},
		SafetyNet:   SafetyNet{Unowned: Catch{2 * time.Hour, []string{"team"}}, Untouched: Catch{40 * time.Hour, []string{"assignee", "team"}}, NoNextStep: true},
		Answers: []Answer{{Name: "oeffnungszeiten", File: "kb/oeffnungszeiten.md",
			Match: classify.Match{Subject: classify.Text{Words: []string{"öffnungszeiten", "geöffnet"}}},
			Text:  "Wir haben Montag bis Donnerstag von 8 bis 17 Uhr geöffnet, freitags bis 14 Uhr.\n\nIhre Tischlerei Huber\n"}},
		Matrix: defaultMatrix(), PriorityNames: defaultPriorityNames(), Threshold: classify.Threshold{Score: 3, Margin: 2},
		Routes:   classify.Route{Name: "root", To: "support"},
		Waiting:  Waiting{Remind: []time.Duration{20 * time.Hour, 50 * time.Hour}, After: 80 * time.Hour, Calendar: "standard"},
		SameText: 24 * time.Hour, Similar: 0.8, ReopenLimit: 5,
		CloseAfter: 7 * 24 * time.Hour, ReopenWithin: 14 * 24 * time.Hour,
		AuthservIDs: []string{"mx.huber-tischlerei.example"}, TrustedHosts: []string{"mx.huber-tischlerei.example"},
		Handover: handover.Default(false), VendorRemind: []Step{{Percent: 75, Notify: []string{"assignee"}}, {Percent: 100, Notify: []string{"assignee", "team_lead"}}},
		Redact: []string{"phone", "private_address", "credentials"},
		Health: Health{PollFailure: 10 * time.Minute, OutboxAfter: time.Hour, WarnBefore: 14 * 24 * time.Hour, TellOfSilence: true},
		State:  "state", Undo: 10 * time.Second, DiskFloor: 200_000_000, Admin: tickets.Address{Mail: "max@huber-tischlerei.example"},
	}
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("the short form means something else (-want +got):\n%s", diff)
	}
}

func TestExpandLoadsBackTheSame(t *testing.T) {
	t.Chdir(examples(t))
	warned, err := filepath.Glob("warn-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(good(t), warned...) {
		want, _ := load(t, name)
		if want == nil {
			t.Errorf("%s: does not load", name)
			continue
		}
		full, err := Expand(want)
		if err != nil {
			t.Fatal(err)
		}
		got, findings := parse("full form of "+name, full, ".", environment)
		if diff := cmp.Diff(want, got, same); diff != "" || findings.Errors() > 0 {
			t.Errorf("%s: the full form means something else (-want +got):\n%s%s%s", name, diff, said(findings), full)
		}
		again, err := Expand(got)
		if err != nil || !bytes.Equal(dropFirstLine(again), dropFirstLine(full)) {
			t.Errorf("%s: the full form of the full form differs: %v", name, err)
		}
	}
}

func dropFirstLine(b []byte) []byte {
	_, rest, _ := bytes.Cut(b, []byte("\n"))
	return rest
}

// TestSecretsAreNeverShown is S-176: no way to print a configuration or its faults shows a password.
func TestSecretsAreNeverShown(t *testing.T) {
	t.Chdir(examples(t))
	for name, canary := range map[string]string{"short.yaml": "not-a-real-password", "smallest.yaml": "canary-env-7f3a"} {
		c, _ := load(t, name)
		if got := c.Mailboxes[0].Password.Reveal(); got != canary {
			t.Fatalf("%s: password is %q, want %q", name, got, canary)
		}
		full, err := Expand(c)
		if err != nil {
			t.Fatal(err)
		}
		asJSON, err := json.Marshal(c.Mailboxes)
		if err != nil {
			t.Fatal(err)
		}
		asYAML, err := yaml.Dump(c.Mailboxes[0].Password)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("mailbox", "password", c.Mailboxes[0].Password, "all", c.Mailboxes)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("mailbox", "password", c.Mailboxes[0].Password, "all", c.Mailboxes)
		outs := []string{string(full), string(asJSON), string(asYAML), log.String(), NewSecret(canary).LogValue().String()}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			outs = append(outs, fmt.Sprintf(verb, *c))
		}
		for _, out := range outs {
			if strings.Contains(out, canary) || strings.Contains(out, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s: a password is shown: %s", name, out)
			}
		}
	}
	for _, name := range []string{"bad-secret-literal.yaml", "bad-secret-literal-number.yaml"} {
		_, findings := load(t, name)
		for _, canary := range []string{"hunter2-canary", "4711081512"} {
			if out := said(findings) + fmt.Sprintf("%+v", findings); strings.Contains(out, canary) {
				t.Errorf("%s: a password is repeated: %s", name, out)
			}
		}
	}
}

func TestRevisionAndFiles(t *testing.T) {
	dir := examples(t)
	t.Chdir(dir)
	first, _ := load(t, "full.yaml")
	if !regexp.MustCompile(`^[0-9a-f]{8}$`).MatchString(first.Rev) {
		t.Errorf("revision is %q, want 8 hex digits", first.Rev)
	}
	for _, want := range []string{"full.yaml", "service.pw", "alerts.pw", "ca.pem", "uk.ics", "kb/oeffnungszeiten.md", "templates/nordwind", "templates/nordwind/de/ack-new.md"} {
		if !slices.Contains(first.Files, want) {
			t.Errorf("%s is not watched: %q", want, first.Files)
		}
	}
	elsewhere, findings := func() (*Config, Findings) {
		data, err := os.ReadFile("full.yaml")
		if err != nil {
			t.Fatal(err)
		}
		return parse(filepath.Join(dir, "full.yaml"), data, dir, environment)
	}()
	if elsewhere == nil || elsewhere.Rev != first.Rev {
		t.Errorf("the revision depends on how the file is named: %+v %s", elsewhere, said(findings))
	}
	for _, step := range []struct {
		file    string
		changes bool
	}{{"service.pw", false}, {"kb/oeffnungszeiten.md", true}, {"templates/nordwind/de/ack-new.md", true}, {"ca.pem", true}, {"uk.ics", true}, {"full.yaml", true}} {
		before, _ := load(t, "full.yaml")
		data, err := os.ReadFile(step.file)
		if err != nil {
			t.Fatal(err)
		}
		if step.file != "service.pw" {
			data = append(data, '\n')
		} else {
			data = []byte("another-password\n")
		}
		if err := os.WriteFile(step.file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		after, findings := load(t, "full.yaml")
		if after == nil {
			t.Fatalf("after changing %s: %s", step.file, said(findings))
		}
		if changed := before.Rev != after.Rev; changed != step.changes {
			t.Errorf("after changing %s the revision changed: %t, want %t", step.file, changed, step.changes)
		}
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("large.yaml", bytes.Repeat([]byte("a: b\n"), 300_000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("folder.yaml", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"none.yaml":   "none.yaml: the file does not exist; make one with supportd init, or name another with -c FILE\n",
		"folder.yaml": "folder.yaml: this is a folder, not a file\n",
		"large.yaml":  "large.yaml: the file is larger than 1 MiB; this is hardly a configuration; is the name right?\n", // S-118
	} {
		c, findings := Load(name)
		if got := said(findings); got != want || c != nil || !findings.Unreadable() || findings.Err() == nil {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestLoadReadsTheEnvironment(t *testing.T) {
	t.Chdir(examples(t))
	t.Setenv("SUPPORT_PASSWORD", "from-outside")
	c, findings := Load("smallest.yaml")
	if c == nil || c.Mailboxes[0].Password.Reveal() != "from-outside" || len(findings) > 0 || findings.Err() != nil {
		t.Errorf("got %+v\n%s", c, said(findings))
	}
}

// bombs are files that grow without bound in readers that are not careful (S-118). Those that are merely full hold
// that many values.
func bombs(values int) map[string][]byte {
	laughs := "version: 1\nauto_answers:\n  - match: &m {words: &w [lol" + strings.Repeat(", lol", 10_000) + "], contains: *w}\n" + strings.Repeat("  - match: *m\n", 10_000)
	return map[string][]byte{
		"aliases":    []byte(laughs),
		"loop":       []byte("version: 1\nauto_answers: &a [{match: {any: *a}}]\n"),
		"flow depth": append([]byte("version: 1\nteam: "), bytes.Repeat([]byte("["), 1<<20-100)...),
		"map depth":  []byte("version: 1\nmailbox: " + strings.Repeat("{imap: ", 9000) + strings.Repeat("}", 9000)),
		"any depth":  []byte("version: 1\nauto_answers: [{match: " + strings.Repeat("{any: [", 4000) + strings.Repeat("]}", 4000) + "}]\n"),
		"dashes":     append([]byte("version: 1\nteam:\n"), bytes.Repeat([]byte("- "), 1<<19-100)...),
		"keys":       append([]byte("version: 1\n"), bytes.Repeat([]byte("a: b\n"), values)...),
		"new keys": func() []byte {
			b := []byte("version: 1\n")
			for i := range min(values, 80_000) {
				b = fmt.Appendf(b, "k%d: 1\n", i)
			}
			return b
		}(),
		"too large": append([]byte("version: 1\n"), bytes.Repeat([]byte("#"), 1<<20)...),
		"long name": append([]byte("version: 1\n"), bytes.Repeat([]byte("a"), 1<<19)...),
		"long text": []byte("version: 1\nteam: [" + strings.Repeat("a", 1<<19) + "]\n"),
		"members":   []byte("version: 1\nteam: [" + strings.Repeat("x, ", values) + "x]\n"),
		"regex":     []byte("version: 1\nauto_answers: [{match: {regex: '" + strings.Repeat("(a{10}){10}", 90) + "'}}]\n"),
		"zones":     []byte("version: 1\ntimezone: " + strings.Repeat("../", 1000) + "etc/passwd\n"),
		"durations": []byte("version: 1\nundo: " + strings.Repeat("9999999999999999999h", 10) + "\ndisk_floor: 99999999999999999999999GB\n"),
	}
}

// TestBombs is S-118: bombs are refused within 50 MiB of memory, allocated in all; see BenchmarkBombs for the time.
func TestBombs(t *testing.T) {
	for name, data := range bombs(20_000) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c, findings := parse(name, data, t.TempDir(), environment)
		runtime.ReadMemStats(&after)
		if c != nil || findings.Errors() == 0 {
			t.Errorf("%s: loads", name)
		}
		if len(findings) > maxFindings+1 {
			t.Errorf("%s: %d findings", name, len(findings))
		}
		if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 50 {
			t.Errorf("%s: took %d MiB", name, used)
		}
	}
}

func BenchmarkBombs(b *testing.B) {
	for name, data := range bombs(200_000) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parse(name, data, "", environment)
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	b.Chdir(examples(b))
	for b.Loop() {
		if c, _ := load(b, "full.yaml"); c == nil {
			b.Fatal("does not load")
		}
	}
}

// TestKeyTable holds that the table's own values can be read, so that the decoder never meets one that cannot.
func TestKeyTable(t *testing.T) {
	used := map[string]bool{}
	defer func() {
		for kind := range kinds {
			if !used[kind] {
				t.Errorf("no key is of kind %s", kind)
			}
		}
	}()
	for _, s := range sections() {
		for _, f := range keysOf(s.typ) {
			k, ok := kinds[f.tag.Get("kind")]
			used[f.tag.Get("kind")] = true
			if !ok {
				if f.tag.Get("kind") != "" {
					t.Errorf("%s of %s: there is no kind %q", f.key, s.title, f.tag.Get("kind"))
				}
				continue
			}
			for _, tag := range []string{"default", "min", "max"} {
				text := f.tag.Get(tag)
				if text == "" {
					continue
				}
				v, err := k.parse(text)
				if err != nil {
					t.Errorf("%s of %s: %s %q: %v", f.key, s.title, tag, text, err)
				} else if tag != "default" {
					compare(v, v)
				}
			}
			if f.tag.Get("kind") == "enum" && f.tag.Get("default") != "" && !slices.Contains(strings.Fields(f.tag.Get("values")), f.tag.Get("default")) {
				t.Errorf("%s of %s: the default is not among the values", f.key, s.title)
			}
			if ex := f.tag.Get("example"); ex == "" {
				t.Errorf("%s of %s: has no example", f.key, s.title)
			} else {
				tryExample(t, s.typ, f)
			}
		}
	}
}

// tryExample reads a key's example as the decoder would.
func tryExample(t *testing.T, section reflect.Type, f field) {
	t.Helper()
	var doc yaml.Node
	ex := f.tag.Get("example")
	if strings.HasPrefix(ex, "{{") || strings.HasPrefix(ex, "${") {
		ex = `"` + ex + `"` // examples that need quotes
	}
	if err := yaml.Load([]byte(f.key+": "+ex+"\n"), &doc); err != nil {
		t.Errorf("%s: example: %v", f.key, err)
		return
	}
	d := &decoder{name: "example", limit: 1000}
	d.field(doc.Content[0].Content[1], place{path: f.key, line: 1, col: 1}, reflect.New(section).Elem().FieldByIndex(f.index), f.tag)
	for _, finding := range d.findings {
		t.Errorf("%s: example: %s", f.key, finding)
	}
}

func TestRemarks(t *testing.T) {
	t.Chdir(examples(t))
	for name, want := range map[string][]string{
		"short.yaml":    {"mx.huber-tischlerei.example says in Authentication-Results", "new tickets go to team support", "health go to max@huber-tischlerei.example"},
		"smallest.yaml": {"mailbox support is trusted", "nothing is promised"},
		"loopback.yaml": {"mailbox support is trusted", "count around the clock"},
		"desk.yaml":     {"new tickets go to team service-desk, unless one of 7 routes says otherwise"},
		"full.yaml":     {"mailbox alerts is trusted", "new tickets go to team service-desk", "health go to r.schroeder@nordwind.example"},
	} {
		c, _ := load(t, name)
		got := strings.Join(c.Remarks(), "\n")
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: %q is not among\n%s", name, w, got)
			}
		}
	}
}

func TestStateDirOfBrokenFile(t *testing.T) {
	t.Chdir(t.TempDir())
	for content, want := range map[string]string{
		"version: [\nstate: \"here\" # x\n":       "conf/here",
		"state: /var/lib/supportd\nbroken: : :\n": "/var/lib/supportd",
		"version: 1\n":         "conf/state",
		"state:\nversion: 1\n": "conf/state",
		"state: {a: b}\n":      "conf/state",
	} {
		if err := os.MkdirAll("conf", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("conf/supportd.yaml", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := StateDir("conf/supportd.yaml"); got != want {
			t.Errorf("%q: got %q, want %q", content, got, want)
		}
	}
	if got := StateDir("none/supportd.yaml"); got != "none/state" {
		t.Errorf("without a file: got %q", got)
	}
}
