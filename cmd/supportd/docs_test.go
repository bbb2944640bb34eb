package main

import (
	"cmp"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"supportd/cmd/supportd/config"
	"supportd/templates"
	"supportd/tickets"
	"supportd/tickets/command"
)

// What the documents say is made from the program, or tried out on it:
//
//   - whole pages and marked parts of pages are generated; `go test ./cmd/supportd -run Docs -update` writes them anew;
//   - a block of YAML that is marked `yaml check` has to pass supportd check;
//   - a block that is marked `console run` is a session: what follows a line with $ is what the command has to print,
//     where … stands for anything;
//   - a block that is marked `text layout` has to be a layout.txt that loads;
//   - links inside the repository lead somewhere.

var update = flag.Bool("update", false, "write the generated documents anew")

const top = "../.."

// pages are generated whole, by path from the top.
func pages(t *testing.T) map[string]string {
	return map[string]string{"docs/cli.md": cliPage(), "docs/cases.md": casesPage(t), "docs/templates.md": templatesPage(t), "docs/commands.md": commandsPage(), "docs/gallery.md": galleryPage(t)}
}

// parts are generated between `<!-- NAME: made by the program -->` and `<!-- end -->`.
func parts() map[string]string {
	return map[string]string{"commands en": commandTable("en"), "commands de": commandTable("de"), "metrics": metricsTable()}
}

var part = regexp.MustCompile(`(?s)(<!-- ([a-z ]+): made by the program -->\n).*?(<!-- end -->)`)

func TestDocsGenerated(t *testing.T) {
	want := pages(t)
	made, used := parts(), map[string]bool{}
	for _, file := range documents(t) {
		text := readDocument(t, file)
		filled := part.ReplaceAllStringFunc(text, func(s string) string {
			m := part.FindStringSubmatch(s)
			used[m[2]] = true
			if _, ok := made[m[2]]; !ok {
				t.Errorf("%s: nothing is known to make for %q", file, m[2])
			}
			return m[1] + "\n" + made[m[2]] + "\n" + m[3]
		})
		if _, whole := want[file]; !whole {
			want[file] = filled
		}
	}
	for name := range made {
		if !used[name] {
			t.Errorf("no document has the part %q", name)
		}
	}
	for file, text := range want {
		path := filepath.Join(top, file)
		if *update {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		there := readDocument(t, file)
		if file == "docs/cases.md" {
			overclaims(t, there, text)
			continue
		}
		if diff := gocmp.Diff(there, text); diff != "" {
			t.Errorf("%s is not what the program says; go test ./cmd/supportd -run Docs -update writes it anew (-there +wanted):\n%s", file, diff)
		}
	}
}

// documents are the README and every page of the handbook.
func documents(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(top, "docs", "*.md"))
	if err != nil || len(list) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	for i := range list {
		list[i] = "docs/" + filepath.Base(list[i])
	}
	return append([]string{"README.md"}, list...)
}

func readDocument(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(top, file))
	if err != nil && !*update {
		t.Fatal(err)
	}
	return string(b)
}

// ── what is generated ──

func commandTable(language string) string {
	head := map[string]string{"en": "| command | does | also |", "de": "| Befehl | tut | auch |"}
	b := head[language] + "\n| --- | --- | --- |\n"
	for _, row := range command.Table() {
		var also []string
		for _, a := range row.Aliases {
			also = append(also, "`#"+a+"`")
		}
		b += fmt.Sprintf("| `%s` | %s | %s |\n", strings.ReplaceAll(row.Usage, "|", "\\|"), row.Help[language], strings.Join(also, " "))
	}
	return b
}

var described = regexp.MustCompile(`fqName: "([^"]+)", help: "([^"]+)",.* constLabels: \{\}, variableLabels: \{([^}]*)\}`)

func metricsTable() string {
	ch := make(chan *prometheus.Desc, 100)
	(&metrics{}).Describe(ch)
	close(ch)
	var rows []string
	for d := range ch {
		m := described.FindStringSubmatch(d.String())
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |\n", m[1], cmp.Or(m[3], "–"), m[2]))
	}
	slices.Sort(rows)
	return "| metric | label | meaning |\n| --- | --- | --- |\n" + strings.Join(rows, "")
}

func templatesPage(t *testing.T) string {
	t.Helper()
	set, err := templates.Load(nil, templates.Options{Languages: []string{"en", "de"}})
	if err != nil {
		t.Fatal(err)
	}
	return set.Reference()
}

func cliPage() string {
	var b strings.Builder
	b.WriteString("# The command line\n\nThis page is made from the program.\n\n" +
		"Exit codes: 0 fine, 1 found something (faults in a file, a problem in the store, a mailbox that is not connected), 2 could not\n" +
		"run. Errors are one line on standard error: what, where, and what to do. With `--json` standard output holds JSON and nothing\n" +
		"else; [json.md](json.md) lists the names that other programs may rely on. Completion for your shell:\n" +
		"`supportd completion bash|zsh|fish|powershell`.\n\nCommands that ask about the desk go to the running daemon over its socket. When none runs they\n" +
		"open the store themselves. `status` and `reload` need the daemon, `restore` needs it stopped.\n\n## For every command\n\n")
	a := &app{}
	root := a.root()
	flagTable(&b, root.PersistentFlags())
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			if sub.HasSubCommands() {
				walk(sub)
				continue
			}
			fmt.Fprintf(&b, "\n## %s\n\n%s\n\n```\n%s\n```\n", sub.CommandPath(), sentence(sub), sub.UseLine())
			if sub.Example != "" {
				fmt.Fprintf(&b, "\nFor example:\n\n```\n%s\n```\n", strings.ReplaceAll(strings.TrimSpace(sub.Example), "\n  ", "\n"))
			}
			if sub.LocalNonPersistentFlags().HasFlags() {
				b.WriteString("\n")
				flagTable(&b, sub.LocalNonPersistentFlags())
			}
		}
	}
	walk(root)
	return b.String()
}

// sentence is what a command says of itself, with a full stop; its own name at the start is marked as such.
func sentence(c *cobra.Command) string {
	s := strings.TrimSuffix(strings.TrimSpace(cmp.Or(c.Long, c.Short)), ".") + "."
	if rest, ok := strings.CutPrefix(s, c.Name()+" "); ok {
		return "`" + c.Name() + "` " + rest
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func flagTable(b *strings.Builder, flags *pflag.FlagSet) {
	b.WriteString("| flag | meaning | default |\n| --- | --- | --- |\n")
	flags.VisitAll(func(f *pflag.Flag) {
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if f.Value.Type() != "bool" {
			name += " " + strings.ToUpper(strings.TrimSuffix(f.Value.Type(), "Slice"))
		}
		value := f.DefValue
		if value == "" || value == "false" || value == "[]" || value == "0" {
			value = "–"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, f.Usage, value)
	})
}

// ── what is tried out ──

var block = regexp.MustCompile("(?ms)^```([a-z]+) (check|run|layout)\n(.*?)^```$")

func TestDocsExamples(t *testing.T) {
	found := map[string]int{}
	for _, file := range documents(t) {
		for i, m := range block.FindAllStringSubmatch(readDocument(t, file), -1) {
			kind, text := m[1]+" "+m[2], m[3]
			found[kind]++
			t.Run(fmt.Sprintf("%s %s %d", file, kind, i+1), func(t *testing.T) {
				switch kind {
				case "yaml check":
					checkExample(t, text)
				case "console run":
					runExample(t, text)
				case "text layout":
					if _, err := templates.Load(fstest.MapFS{"layout.txt": {Data: []byte(text)}}, templates.Options{}); err != nil {
						t.Error(err)
					}
				default:
					t.Errorf("blocks can be marked yaml check, console run or text layout, not %s", kind)
				}
			})
		}
	}
	if found["yaml check"] == 0 || found["console run"] == 0 || found["text layout"] == 0 {
		t.Errorf("the documents have too few examples: %v", found)
	}
}

var named = regexp.MustCompile(`(?:password_file|ca_file|send): *"?([\w./-]+)`)

// checkExample checks a configuration, with every file that it names.
func checkExample(t *testing.T, text string) {
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("supportd.yaml", text)
	for _, m := range named.FindAllStringSubmatch(text, -1) {
		write(m[1], "what stands in this file\n")
	}
	out, errs, code := program(t, nil, "check", "--strict")
	if code != exitFine {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

// runExample runs a session in an empty folder.
func runExample(t *testing.T, text string) {
	dir := t.TempDir()
	var commands []string
	outputs := map[int]string{}
	for line := range strings.Lines(text) {
		if c, ok := strings.CutPrefix(line, "$ "); ok {
			commands = append(commands, strings.TrimSpace(c))
		} else {
			outputs[len(commands)-1] += line
		}
	}
	for i, c := range commands {
		cmd := exec.Command("sh", "-c", "umask 077; "+c)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "TZ=UTC")
		out, _ := cmd.CombinedOutput() // an example may fail: what it prints says so
		pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(outputs[i])), "…", `(?s:.*?)`)
		if !regexp.MustCompile(`\A` + pattern + `\z`).MatchString(strings.TrimSpace(string(out))) {
			t.Errorf("$ %s\nprints:\n%s\nthe document says:\n%s", c, out, outputs[i])
		}
	}
}

// The messages that the handbook for operators explains are those of the program, to the letter; … stands for what varies.
func TestDocsMessages(t *testing.T) {
	var code strings.Builder
	err := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		code.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(readDocument(t, "docs/operator.md"), "## What error lines mean")
	n := 0
	for line := range strings.Lines(tables) {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| `") || len(cells) != 3 && len(cells) != 2 {
			continue
		}
		for _, m := range quotedText.FindAllStringSubmatch(cells[0], -1) {
			n++
			for piece := range strings.SplitSeq(m[1], "…") {
				if piece = strings.TrimSpace(piece); !strings.Contains(code.String(), piece) {
					t.Errorf("docs/operator.md explains %q; nothing in the program says %q", m[1], piece)
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d messages are explained", n)
	}
}

var quotedText = regexp.MustCompile("`([^`]+)`")

// Every name that a command prints as JSON stands on the page about it.
func TestDocsJSONNames(t *testing.T) {
	page := readDocument(t, "docs/json.md")
	for _, v := range []any{parsed{}, forwardedView{}, commandsView{}, explanation{}, explainedGuess{}, explainedClock{}, explainedMail{},
		explainedThread{}, explainedTicket{}, tickets.Reason{}, testReport{}, testFailure{}, coverage{},
		recorded{}, disagreement{}, diffReport{}, diffSide{}, diffMove{}, diffDeadline{}, diffMail{}, diffAccuracy{}, diffDisagreeing{}, ticketView{}, clockView{}, messageView{}, statusView{}, mailboxView{}, serverView{}, accountView{}, troubleView{}, outboxView{}, mailView{},
		learnt{}, measured{}, done{}, checkReport{}, hop{}, config.Finding{}, tickets.Books{}, tickets.Diagnosis{}, tickets.BackupReport{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != "" && name != "-" && !strings.Contains(page, "`"+name+"`") {
				t.Errorf("docs/json.md does not name %s of %T", name, v)
			}
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
)

// Links inside the repository lead to a file, and to a heading in it.
func TestDocsLinks(t *testing.T) {
	for _, file := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(readDocument(t, file), ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(m[1], "#")
			target := file
			if path != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(file), path))
			}
			b, err := os.ReadFile(filepath.Join(top, target))
			if info, statErr := os.Stat(filepath.Join(top, target)); statErr == nil && info.IsDir() {
				continue
			}
			if err != nil {
				t.Errorf("%s links to %s, which is not there", file, m[1])
				continue
			}
			if anchor == "" {
				continue
			}
			if !slices.ContainsFunc(heading.FindAllStringSubmatch(string(b), -1), func(h []string) bool { return slug(h[1]) == anchor }) {
				t.Errorf("%s links to %s, and %s has no such heading", file, m[1], target)
			}
		}
	}
}

// slug is the anchor that Markdown viewers give a heading.
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 0x7f && r != '–' && r != '…':
			return r
		}
		return -1
	}, strings.ToLower(heading))
}
