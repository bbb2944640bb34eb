package templates

import (
	"strings"
	"testing"

	"supportd/tickets"
)

// S-144: no value that is written from right to left turns around the line of ours that it stands in, however it is cut and
// wrapped; texts of other scripts hold no mark of direction.
func TestRightToLeftIsIsolated_S144(t *testing.T) {
	eachOf(t, map[string]string{
		"hebrew": "שלום עולם (3) 12:30", "arabic": "\u202eمرحبا\u202c بالعالم ٤٥", "mixed": "VPN של דני (2)", "control": "\u2067שלום",
		"long": strings.Repeat("שלום עולם ", 60), "command": "#solve שלום", "unclosed": "\u2068\u2068שלום\u202b", "stray": "\u2069\u2069שלום",
	}, func(t *testing.T, name string, sp spec, input string, r tickets.Rendered) {
		if sp.audience == audienceVendor {
			return // its number is the input here, and a number is always ours
		}
		checkIsolated(t, name, r.Subject)
		whole := strings.Join(strings.Fields(cleanLine(input)), " ")
		for line := range strings.SplitSeq(r.Text, "\n") {
			said := strings.TrimSpace(line)
			if !strings.HasPrefix(said, ">") && !strings.HasPrefix(said, "|") && !strings.Contains(whole, said) {
				checkIsolated(t, name, line) // else it is a line of theirs
			}
			if strings.HasPrefix(line, "\u2068#") {
				t.Errorf("%s: a value reads like a command: %q", name, line)
			}
		}
		if strings.ContainsAny(r.Subject+r.Text+r.HTML, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067") {
			t.Errorf("%s: a foreign mark of direction is left", name)
		}
	})
	eachOf(t, map[string]string{"german": "Drucker – „leer“ (3)", "russian": "Принтер 12", "japanese": "プリンター", "emoji": "😀"},
		func(t *testing.T, name string, _ spec, _ string, r tickets.Rendered) {
			if strings.ContainsFunc(r.Subject+r.Text+r.HTML, isIsolate) {
				t.Errorf("%s: a mark of direction", name)
			}
		})
}

func checkIsolated(t *testing.T, name, line string) {
	t.Helper()
	depth := 0
	for _, c := range line {
		switch {
		case c == isolateOpen:
			depth++
		case c == isolateClose:
			depth--
		case depth == 0 && rightToLeft(c):
			t.Errorf("%s: right-to-left text stands beside ours: %q", name, line)
			return
		}
		if depth < 0 {
			break
		}
	}
	if depth != 0 {
		t.Errorf("%s: an isolate is open at the end: %q", name, line)
	}
}

func TestClosedIsolates(t *testing.T) {
	for in, want := range map[string]string{"a": "a", "\u2068a": "\u2068a\u2069", "a\u2069b": "ab", "\u2068a\u2069\u2069": "\u2068a\u2069", "\u2068a\u2068b\u2069": "\u2068a\u2068b\u2069\u2069"} {
		if got := closed(in); got != want {
			t.Errorf("closed(%q) = %q, want %q", in, got, want)
		}
	}
	long := "\u2068" + strings.Repeat("ש", 300) + "\u2069 [NW-2026-000001]"
	if got := clipSubject(long); !strings.HasSuffix(got, "…\u2069 [NW-2026-000001]") {
		t.Errorf("a long subject is cut to %q", got)
	}
	var b strings.Builder
	wrap(&b, "- ", "  ", "eins \u2068"+strings.TrimSpace(strings.Repeat("שלום ", 30))+"\u2069 zwei")
	for line := range strings.SplitSeq(b.String(), "\n") {
		checkIsolated(t, "wrap", line)
		if displayWidth(line) > columns {
			t.Errorf("a line of %d columns: %q", displayWidth(line), line)
		}
	}
	for i, line := range levelled([]string{"a \u2068ש", "ש", "ש\u2069 b"}) {
		if opens(line) != 0 {
			t.Errorf("line %d is %q", i, line)
		}
	}
}
