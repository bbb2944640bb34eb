package config

import (
	"fmt"
	"testing"
	"time"

	"supportd/tickets"
)

func TestKinds(t *testing.T) {
	for _, c := range []struct {
		kind, text string
		want       any // nil: refused
	}{
		{"duration", "90s", 90 * time.Second}, {"duration", "1h30m", 90 * time.Minute}, {"duration", "1.5h", 90 * time.Minute},
		{"duration", "7d", 168 * time.Hour}, {"duration", "250ms", 250 * time.Millisecond}, {"duration", "0", time.Duration(0)},
		{"duration", "", nil}, {"duration", "5", nil}, {"duration", "5 m", nil}, {"duration", "-5m", nil}, {"duration", "m", nil},
		{"duration", "1..5h", nil}, {"duration", "9999999999h", nil}, {"duration", "5M", nil}, {"duration", "5m garbage", nil},
		{"target", "4h", 4 * time.Hour}, {"target", "1h30m", 90 * time.Minute}, {"target", "10s", 10 * time.Second}, {"target", "1d", nil}, {"target", "1d4h", nil}, {"target", "4", nil},
		{"size", "25MB", int64(25_000_000)}, {"size", "25 MB", int64(25_000_000)}, {"size", "1.5kB", int64(1500)}, {"size", "1GiB", int64(1 << 30)},
		{"size", "0B", int64(0)}, {"size", "25", nil}, {"size", "MB", nil}, {"size", "-1MB", nil}, {"size", "25mb", nil}, {"size", "1e99GB", nil},
		{"server", "imap.x.example", server{"imap.x.example", 0}}, {"server", "imap.x.example:993", server{"imap.x.example", 993}},
		{"server", "127.0.0.1:143", server{"127.0.0.1", 143}}, {"server", "[::1]:143", server{"::1", 143}}, {"server", "localhost", server{"localhost", 0}},
		{"server", "::1", nil}, {"server", "imap.x.example:0", nil}, {"server", "imap.x.example:", nil}, {"server", "imap x", nil}, {"server", "", nil}, {"server", "a@b", nil}, {"server", "imaps://x", nil},
		{"address", "a@b.example", tickets.Address{Mail: "a@b.example"}}, {"address", "A B <a@b.example>", tickets.Address{Name: "A B", Mail: "a@b.example"}},
		{"address", `"A, B" <a@b.example>`, tickets.Address{Name: "A, B", Mail: "a@b.example"}}, {"address", "Ä, B & Co. <a@b.example>", tickets.Address{Name: "Ä, B & Co.", Mail: "a@b.example"}},
		{"address", "jörg@exämple.example", tickets.Address{Mail: "jörg@exämple.example"}}, {"address", "a@localhost", tickets.Address{Mail: "a@localhost"}},
		{"address", "a@b@c", nil}, {"address", "a b@c.example", nil}, {"address", "<a@b.example", nil}, {"address", "a@", nil}, {"address", "@b", nil},
		{"address", "a\r\nBcc: x@y <a@b.example>", nil}, {"address", "a@b.example, c@d.example", nil}, {"address", "a@-b.example", nil}, {"address", "a@[1.2.3.4]", nil}, {"address", "..@b.example", nil},
		{"date", "2026-11-01", "2026-11-01"}, {"date", "2026-11-01T08:00:00+01:00", "2026-11-01T08:00:00+01:00"}, {"date", "2026-02-30", nil}, {"date", "1.11.2026", nil},
		{"listen", "127.0.0.1:80", "127.0.0.1:80"}, {"listen", ":80", ":80"}, {"listen", "[::1]:80", "[::1]:80"}, {"listen", "80", nil}, {"listen", "x:0", nil}, {"listen", "a b:80", nil},
		{"host", "MX.x.example", "mx.x.example"}, {"host", "mx.x.example:25", nil}, {"domain", "x.example", "x.example"}, {"domain", "x", nil}, {"domain", "@x.example", nil},
		{"prefix", "NW", "NW"}, {"prefix", "nw", nil}, {"prefix", "1A", nil}, {"prefix", "ABCDEFGHIJK", nil},
		{"env", "${A_1}", envName("A_1")}, {"env", "$A", nil}, {"env", "${1A}", nil}, {"env", "${}", nil}, {"env", "${A}x", nil}, {"env", "hunter2", nil},
		{"int", "4", 4}, {"int", "010", nil}, {"int", "0x10", nil}, {"int", "99999999999999999999", nil}, {"number", "6.5", 6.5}, {"number", ".nan", nil}, {"number", "inf", nil},
		{"text", "a", "a"}, {"text", " ", nil}, {"text", "${USER}", nil}, {"path", "a/b.md", "a/b.md"}, {"path", "~/b", nil}, {"path", "~", nil}, {"path", "a~", "a~"}, {"text", "a\nb", nil}, {"region", "DE-BY", "DE-BY"}, {"region", "de-by", nil}, {"region", "AT", "AT"}, {"region", "FR", nil},
		{"rate", "20/1h", rate{20, time.Hour}}, {"rate", "20", nil}, {"rate", "0/1h", nil}, {"rate", "20/", nil}, {"rate", "x/1h", nil}, {"period", "30d", tickets.Period{Days: 30}}, {"period", "18m", tickets.Period{Months: 18}}, {"period", "6y", tickets.Period{Years: 6}}, {"period", "18h", nil}, {"period", "101y", nil}, {"period", "0d", nil}, {"clock", "08:30", "08:30"}, {"clock", "24:00", nil}, {"clock", "8:30", nil},
		{"name", "a.b-c", "a.b-c"}, {"name", "a b", nil}, {"name", "", nil}, {"person", "k.brandt", "k.brandt"}, {"person", "K <k@b.example>", "K <k@b.example>"}, {"person", "a b", nil}, {"person", "a@", nil},
		{"header", "x-spam-flag", "X-Spam-Flag"}, {"header", "X-Foo", nil}, {"prose", "a\nb", "a\nb"}, {"prose", " ", nil},
		{"zone", "Nowhere/Land", nil}, {"zone", "Local", nil}, {"zone", "", nil}, {"language", "de", "de"}, {"language", "DE", nil}, {"language", "ger", nil},
	} {
		v, err := kinds[c.kind].parse(c.text)
		switch {
		case c.want == nil && err == nil:
			t.Errorf("%s %q: got %v, want an error", c.kind, c.text, v)
		case c.want != nil && err != nil:
			t.Errorf("%s %q: %v", c.kind, c.text, err)
		case c.want != nil && v != c.want:
			t.Errorf("%s %q: got %v, want %v", c.kind, c.text, v, c.want)
		}
	}
}

func TestWrittenDurationsAndSizesReadBack(t *testing.T) {
	for _, d := range []time.Duration{0, time.Second, 90 * time.Second, time.Minute, 36 * time.Hour, 1500 * time.Millisecond, time.Millisecond} {
		if got, err := parseDuration(written(d)); err != nil || got != d {
			t.Errorf("%v is written %s and read %v (%v)", d, written(d), got, err)
		}
	}
	for _, n := range []int64{1, 64_000, 25_000_000, 1 << 30, 200_000_001} {
		if got, err := parseSize(writtenSize(n)); err != nil || got != n {
			t.Errorf("%d is written %s and read %v (%v)", n, writtenSize(n), got, err)
		}
	}
}

func TestWeekdays(t *testing.T) {
	for text, want := range map[string]string{"mo": "[Monday]", "di-do": "[Tuesday Wednesday Thursday]", "sa-mo": "[Saturday Sunday Monday]",
		"so": "[Sunday]", "su-su": "[Sunday]", "FR": "[Friday]"} {
		if got, ok := weekdays(text); !ok || fmt.Sprint(got) != want {
			t.Errorf("%s: got %v, want %s", text, got, want)
		}
	}
	for _, text := range []string{"", "mon", "mo-", "-fr", "mo-fr-sa", "m"} {
		if got, ok := weekdays(text); ok {
			t.Errorf("%q: got %v, want a refusal", text, got)
		}
	}
}

func TestNearest(t *testing.T) {
	keys := []string{"imap", "smtp", "user", "password_file", "first_response", "language", "languages"}
	for word, want := range map[string]string{"langauge": "language", "Password_File": "password_file", "pasword_file": "password_file", "firstresponse": "first_response",
		"impa": "imap", "username": "user", "password_filename": "password_file", "xyz": "", "q": ""} {
		if got := nearest(word, keys); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
}
