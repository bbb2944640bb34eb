package reply

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
)

// generators make texts of about n octets that are hard on parsers of replies.
var generators = map[string]func(n int) string{
	"quote marks":            func(n int) string { return strings.Repeat("> ", n/2) },
	"quote marks, no blanks": func(n int) string { return "Hi\n" + strings.Repeat(">", n) + "\nBye" },
	"quoted lines":           func(n int) string { return strings.Repeat("> a\n", n/4) },
	"deeper and deeper":      func(n int) string { return deeper(n) },
	"inline answers":         func(n int) string { return strings.Repeat("> a\nb\n", n/6) },
	"quotes and blanks":      func(n int) string { return strings.Repeat("> a\n\n\n", n/6) },
	"empty lines":            func(n int) string { return strings.Repeat("\n", n) + "x" },
	"blank lines":            func(n int) string { return "x" + strings.Repeat(" \n", n/2) },
	"Von lines":              func(n int) string { return strings.Repeat("Von: Ada\n", n/9) },
	"Von and text":           func(n int) string { return strings.Repeat("Von: Ada\ntext\n", n/14) },
	"labels":                 func(n int) string { return strings.Repeat("a: b\n", n/5) },
	"Date lines":             func(n int) string { return strings.Repeat("Date: x\nFrom: y\n\n", n/17) },
	"colons":                 func(n int) string { return strings.Repeat(":\n", n/2) },
	"On fragments":           func(n int) string { return strings.Repeat("On 3 May 2024 ", n/14) },
	"On lines":               func(n int) string { return strings.Repeat("On 3 May 2024 Ada\n", n/18) },
	"On lines with colons":   func(n int) string { return strings.Repeat("On 3 May 2024 Ada:\n", n/19) },
	"wrote fragments":        func(n int) string { return strings.Repeat("wrote ", n/6) + ":" },
	"wrote lines":            func(n int) string { return strings.Repeat("wrote:\n", n/7) },
	"On and wrote":           func(n int) string { return strings.Repeat("On 3 May 2024, Ada wrote:\n", n/26) },
	"On, wrote and blanks":   func(n int) string { return strings.Repeat("\nOn 3 May 2024, Ada wrote:\n\n", n/29) },
	"addresses":              func(n int) string { return strings.Repeat("<a@b>\n", n/6) },
	"open addresses":         func(n int) string { return strings.Repeat("On 3 May 2024 <\n> a\n", n/20) },
	"dates":                  func(n int) string { return strings.Repeat("2024-05-03 10:00\n", n/17) },
	"digits":                 func(n int) string { return strings.Repeat("1", n) + ":" },
	"dashes":                 func(n int) string { return strings.Repeat("-", n) },
	"delimiters":             func(n int) string { return "x\n" + strings.Repeat("--\n", n/3) },
	"delimiters and text":    func(n int) string { return strings.Repeat("x\n-- \n", n/6) },
	"rules":                  func(n int) string { return "x\n" + strings.Repeat("------\n", n/7) },
	"original messages":      func(n int) string { return strings.Repeat("-----Original Message-----\n", n/27) },
	"forwarded messages":     func(n int) string { return strings.Repeat("---------- Forwarded message ----------\n", n/40) },
	"markers":                func(n int) string { return strings.Repeat("--- Please reply above this line ---\n", n/37) },
	"quoted markers":         func(n int) string { return strings.Repeat("> --- Please reply above this line ---\n", n/39) },
	"sent from lines":        func(n int) string { return "x\n" + strings.Repeat("Sent from my iPhone\n", n/20) },
	"sent from paragraphs":   func(n int) string { return "x\n\n" + strings.Repeat("Sent from my iPhone\n\n", n/21) },
	"sent from and text":     func(n int) string { return "x\n\n" + strings.Repeat("Sent from my iPhone\n\na b\n\n", n/26) },
	"disclaimers": func(n int) string {
		return "x\n\n" + strings.Repeat("This e-mail is confidential and for you only.\n\n", n/47)
	},
	"one disclaimer": func(n int) string {
		return "x\n\n" + strings.Repeat("This e-mail is private and for you only.\n", n/41)
	},
	"closings":                func(n int) string { return "x\n" + strings.Repeat("Thanks,\nKim\n", n/12) },
	"names":                   func(n int) string { return "x.\n\n" + strings.Repeat("Kim Krause\n", n/11) },
	"contacts":                func(n int) string { return "x.\n\n" + strings.Repeat("Tel. 0431 555123\n", n/17) },
	"one long line":           func(n int) string { return strings.Repeat("word ", n/5) + "wrote:" },
	"one long word":           func(n int) string { return strings.Repeat("ä", n/2) + ":" },
	"carriage returns":        func(n int) string { return strings.Repeat("\r", n) },
	"mixed line ends":         func(n int) string { return strings.Repeat("a\rb\r\nc\n", n/8) },
	"invalid text":            func(n int) string { return strings.Repeat("\xff\xc0:\n", n/4) },
	"wide colons":             func(n int) string { return strings.Repeat("发件人：\n", n/13) },
	"folded header":           func(n int) string { return "From: a@b\nSubject: " + strings.Repeat("x\n", n/2) },
	"header with quoted ends": func(n int) string { return strings.Repeat("From: <a\n> b\n", n/13) },
}

func deeper(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(strings.Repeat(">", i%2000) + " a\n")
	}
	return b.String()
}

// S-136: twice the text takes about twice the time, for texts made to be hard.
func TestLinear(t *testing.T) {
	for name, generate := range generators {
		t.Run(name, func(t *testing.T) {
			checkLinear(t, generate(1<<15), generate(1<<19))
		})
	}
}

// checkLinear fails when a body that is sixteen times as large takes more than 64 times as long, again and again. A
// quadratic step would take 256 times as long; the rest, and the many tries, are for a busy machine.
func checkLinear(t *testing.T, body, larger string) {
	t.Helper()
	var small, large time.Duration
	for range 12 {
		if small, large = timed(body), timed(larger); large <= 64*max(small, time.Millisecond) {
			return
		}
	}
	t.Errorf("%d KiB took %v, %d KiB took %v", len(body)>>10, small, len(larger)>>10, large)
}

func timed(body string) time.Duration {
	started := time.Now()
	Text(body)
	return time.Since(started)
}

// letters counts the letters and digits of some texts.
func letters(texts ...string) int {
	n := 0
	for _, s := range texts {
		for _, r := range s {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				n++
			}
		}
	}
	return n
}

// Nothing is lost and nothing is invented: what is not in the reply is in the quote or in the signature.
func checkParts(t *testing.T, body string) {
	t.Helper()
	got := Text(body)
	if has, want := letters(got.Reply, got.Quoted, got.Signature), letters(body); has != want {
		t.Errorf("%q\nhas %d letters, its parts have %d:\n%+v", body, want, has, got)
	}
	if got.Reply == "" && got.Forwarded == nil && letters(body) > 0 {
		t.Errorf("%q\ngives an empty reply: %+v", body, got)
	}
}

// pieces are lines of which random mails are made.
var pieces = []string{"Hello,", "the printer is broken.", "", "", "> quoted", "> > twice", ">", "-- ", "--", "Kim Krause", "Thanks,", "Tel. 0431 5550123",
	"On 5 Feb 2024, at 10:12, Ada <ada@x.example> wrote:", "Am 05.02.24 um 10:12 schrieb Ada:", "On 5 Feb 2024, Ada <", "> wrote:",
	"-----Original Message-----", "From: Ada <ada@x.example>", "Date: 5 Feb 2024 10:12", "Subject: printer", "To: kim@x.example",
	"---------- Forwarded message ---------", "Begin forwarded message:", "Sent from my iPhone", "____________________",
	"This e-mail is confidential and intended solely for the addressee.", "> On 5 Feb 2024, Ada <ada@x.example> wrote:", "> From: Ada <ada@x.example>",
	"> Subject: printer", "> --- Please reply above this line ---", "--- Please reply above this line ---", "Ada wrote:", "#solve", "> #solve", "ᐧ"}

func randomBody(random *rand.Rand) string {
	var lines []string
	for range random.IntN(16) {
		lines = append(lines, pieces[random.IntN(len(pieces))])
	}
	return strings.Join(lines, "\n")
}

func TestNothingIsLost(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for range 20_000 {
		if checkParts(t, randomBody(random)); t.Failed() {
			return
		}
	}
}

// S-083: a line that is quoted never stands in the reply without its mark, so no quoted command is carried out.
func checkQuotedCommand(t *testing.T, body string) {
	t.Helper()
	fresh := 0
	for _, l := range textLines(body) {
		if l.depth == 0 && strings.HasPrefix(l.text, "#solve") {
			fresh++
		}
	}
	found := 0
	for line := range strings.Lines(Text(body).Reply) {
		if strings.HasPrefix(trim(line), "#solve") {
			found++
		}
	}
	if found > fresh {
		t.Errorf("%q\nhas %d commands, the reply %d:\n%s", body, fresh, found, Text(body).Reply)
	}
}

func TestQuotedCommands(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	for range 20_000 {
		if checkQuotedCommand(t, randomBody(random)); t.Failed() {
			return
		}
	}
	for _, c := range []struct{ what, body, want string }{
		{"quoted", "Done.\n\nOn 5 Feb 2024, Ada <a@x.example> wrote:\n> #solve", "Done."},
		{"below the marker", "Done.\n--- Please reply above this line ---\n#solve", "Done."},
		{"below a header block", "Done.\n\nFrom: Ada <a@x.example>\nSent: 5 Feb 2024\nSubject: x\n\n#solve", "Done."},
		{"in a signature", "Done.\n-- \n#solve", "Done."},
		{"in a forwarded mail", "Done.\n\n---------- Forwarded message ---------\nFrom: Ada <a@x.example>\nSubject: x\n\n#solve", "Done."},
	} {
		if got := Text(c.body).Reply; got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, got, c.want)
		}
	}
}

// S-100: the line that introduces a quote may hold an address that gives rights. It never stays among inline answers.
func TestIntroductionsAreDropped(t *testing.T) {
	body := "Hi,\n\nOn 5 Feb 2024, Desk <support+k7f2q9@x.example> wrote:\n> Which model?\n\nA Nordjet.\n\n> Since when?\n\nMonday."
	if got := Text(body); strings.Contains(got.Reply, "k7f2q9") || !strings.Contains(got.Quoted, "k7f2q9") || !strings.Contains(got.Reply, "> Which model?") {
		t.Errorf("got %+v", got)
	}
}

func seeds(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	for _, generate := range generators {
		f.Add(generate(64))
	}
}

func FuzzQuoteCut(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body string) {
		checkParts(t, body)
		checkQuotedCommand(t, body)
	})
}

func FuzzHTMLReply(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body string) {
		got := HTML(body)
		if all := Split("", body); all.Reply != got.Reply {
			t.Errorf("%q: Split gives %q, HTML gives %q", body, all.Reply, got.Reply)
		}
	})
}

func BenchmarkText(b *testing.B) {
	body := "Hello,\n\nthe printer on the second floor is broken again.\n\nRegards\nKim\n\n" +
		"On Mon, Feb 5, 2024 at 10:12 AM Nordwind Service <service@nordwind.example> wrote:\n\n" +
		strings.Repeat("> This is a line of the mail that is answered, and it is quoted.\n", 200)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		Text(body)
	}
}

func BenchmarkProse(b *testing.B) {
	body := strings.Repeat("This is a line of a long mail: nothing in it is quoted, at 10:15 or later.\n", 2000)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		Text(body)
	}
}
