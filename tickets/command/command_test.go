package command

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// short writes what Parse made of a text: the commands, then what is public and what stays inside.
func short(t Text) string {
	if t.Problem != nil {
		return fmt.Sprintf("! %s %s", t.Problem.Key, t.Problem.Word)
	}
	var s []string
	for _, c := range t.Commands {
		s = append(s, strings.TrimSpace(c.Word+" "+c.Args))
	}
	line := strings.Join(s, ", ")
	if t.Public != "" {
		line += fmt.Sprintf(" > %q", t.Public)
	}
	if t.Note != "" {
		line += fmt.Sprintf(" | %q", t.Note)
	}
	return strings.TrimSpace(line)
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		// What agents type for solving, from the hands of other desks.
		{"#solve", "solve"}, {"#solved", "solve"}, {"#resolve", "solve"}, {"#resolved", "solve"}, {"#close", "solve"}, {"#closed", "solve"}, {"#done", "solve"},
		{"#fixed", "solve"}, {"!resolve", "solve"}, {"!resolved", "solve"}, {"/close", "solve"}, {"# resolve", "solve"}, {"#SOLVE", "solve"}, {"#Solve", "solve"},
		{"#gelöst", "solve"}, {"#GELÖST", "solve"}, {"#geloest", "solve"}, {"#erledigt", "solve"}, {"  #solve  ", "solve"}, {"\t#solve", "solve"}, {"\u00a0#solve\u00a0", "solve"},
		{"\ufeff#solve", "solve"}, {"\u200b#solve", "solve"}, {"#\u00a0solve", "solve"}, {"# \u00a0 solve", "solve"},
		// Reopening, waiting, taking, giving.
		{"#reopen", "reopen"}, {"#open", "reopen"}, {"!reopen", "reopen"}, {"/reopen", "reopen"}, {"#wiederöffnen", "reopen"}, {"#re-open", "reopen"}, {"#re_open", "reopen"},
		{"#wait", "pending"}, {"#pending", "pending"}, {"#waiting", "pending"}, {"#stalled", "pending"}, {"#warten", "pending"},
		{"#take", "take"}, {"#mine", "take"}, {"# mine", "take"}, {"#me", "take"}, {"#own", "take"}, {"#claim", "take"}, {"#nehmen", "take"}, {"#accept", "accept"}, {"#annehmen 3", "accept 3"},
		{"#assign ben", "assign ben"}, {"#assign: ben", "assign ben"}, {"#assign=ben", "assign ben"}, {"# assign ben", "assign ben"}, {"/assign ben", "assign ben"},
		{"!assign ben", "assign ben"}, {"#assignee ben@staff.example", "assign ben@staff.example"}, {"#a ben", "assign ben"}, {"/reassign ben", "assign ben"},
		{"#owner ben", "assign ben"}, {"#assign \"Ben Agent\"", "assign Ben Agent"}, {"#assign Ben Agent", "assign Ben Agent"}, {"#assign   ben  ", "assign ben"},
		{"#release", "release"}, {"#unassign", "release"}, {"#noowner", "release"}, {"#release 3", "release 3"}, {"#drop", "release"},
		{"#admit 3", "admit 3"}, {"#admit #3", "admit #3"}, {"#reject 4", "reject 4"}, {"#undo", "undo"}, {"#rückgängig", "undo"},
		{"#show", "show"}, {"#history", "show"}, {"#help", "help"}, {"#?", "help"}, {"#refcard", "help"},
		// Values, fields, short forms.
		{"#solve workaround", "solve workaround"}, {"!resolve fixed", "solve fixed"}, {"#solve not_reproducible\nx", "solve not_reproducible > \"x\""}, {"#status solved", "solve"}, {"#status: Resolved", "solve"},
		{"#status pending\nFrage?", "pending > \"Frage?\""}, {"#set tag=vpn", "tag vpn"}, {"#set tag: vpn drucker", "tag vpn drucker"}, {"#cf subject = Neuer Titel", "subject Neuer Titel"},
		{"#tag a -b", "tag a -b"}, {"/label ~a ~b", "tag ~a ~b"}, {"#due 24.12. 14:00", "due 24.12. 14:00"}, {"#hold", "hold"}, {"#hold fri", "hold fri"}, {"#subject \"use #take here\"", "subject use #take here"},
		{"#cc +a@x.example -b@x.example #take", "cc +a@x.example -b@x.example, take"}, {"#watch", "watch"}, {"#notify ben", "watch ben"}, {"#quiet #solve\nx", "quiet, solve > \"x\""},
		// Notes and answers.
		{"#note intern", "note | \"intern\""}, {"#note\nintern", "note | \"intern\""}, {"#note: intern", "note | \"intern\""}, {"#internal\n\nintern", "note | \"intern\""},
		{"#private x\ny", "note | \"x\\ny\""}, {"#comment x", "note | \"x\""}, {"#notiz x", "note | \"x\""}, {"/note x", "note | \"x\""},
		{"#reply Hallo", "reply > \"Hallo\""}, {"#reply\nHallo", "reply > \"Hallo\""}, {"#public Hallo", "reply > \"Hallo\""},
		{"#reply\n#note\nHallo", "reply, note | \"Hallo\""}, {"#note\n#reply\nHallo", "note, reply | \"Hallo\""},
		{"#note #4711 ist gemeint", "note | \"#4711 ist gemeint\""}, {"#note /etc/hosts prüfen", "note | \"/etc/hosts prüfen\""},
		// Several on a line, several lines, the end of the block.
		{"#take #wait\nFrage?", "take, pending > \"Frage?\""}, {"#take #note x", "take, note | \"x\""}, {"#assign ben #note x", "assign ben, note | \"x\""},
		{"#reply #solve\nfertig", "reply, solve > \"fertig\""}, {"#note #solve\nx", "note, solve | \"x\""}, {"#note #reply x", "note, reply | \"x\""},
		{"#take\n#solve\n\nText", "take, solve > \"Text\""}, {"#take\n\n\n#solve\nText", "take, solve > \"Text\""}, {"\n\n#solve\nText", "solve > \"Text\""},
		{"#solve\r\n\r\nText\r\nmehr", "solve > \"Text\\nmehr\""}, {"#solve\n--\n#take", "solve > \"#take\""}, {"#solve\n-- \nText", "solve > \"Text\""},
		{"#solve\nText\n#take", "solve > \"Text\\n#take\""}, {"#solve\n  eingerückt\n    mehr", "solve > \"eingerückt\\n    mehr\""},
		// What is no command.
		{"", ""}, {"   \n\n ", ""}, {"Hallo", "> \"Hallo\""}, {"Hallo\n#solve", "> \"Hallo\\n#solve\""}, {"#1 ist kaputt", "> \"#1 ist kaputt\""}, {"#", "> \"#\""},
		{"# 1", "> \"# 1\""}, {"#4711", "> \"#4711\""}, {"/etc/hosts ist kaputt", "> \"/etc/hosts ist kaputt\""}, {"/usr", "> \"/usr\""}, {"/note-book", "> \"/note-book\""},
		{"/ note", "> \"/ note\""}, {"! solve", "> \"! solve\""}, {"!", "> \"!\""}, {"!!!", "> \"!!!\""}, {"!1", "> \"!1\""}, {"> #solve", "> \"> #solve\""},
		{"Status: wir arbeiten daran", "> \"Status: wir arbeiten daran\""}, {"Hi: Ben", "> \"Hi: Ben\""}, {"close 2 windows", "> \"close 2 windows\""}, {"solve", "> \"solve\""},
		{"found 2 errors", "> \"found 2 errors\""}, {"Priority: high for us", "> \"Priority: high for us\""}, {"[Anhang fehlt]", "> \"[Anhang fehlt]\""}, {"mute\nthe sound", "> \"mute\\nthe sound\""},
		{"#reply\nStatus: resolved", "reply > \"Status: resolved\""}, {"\\#solve", "> \"\\\\#solve\""}, {"*#solve", "> \"*#solve\""},
		// What is refused as a whole.
		{"#frobnicate", "! unknown #frobnicate"}, {"!frobnicate", "! unknown !frobnicate"}, {"#sovle\nText", "! unknown #sovle"}, {"#solve!", "! unknown #solve!"},
		{"#solve now", "! no_args #solve"}, {"#take me", "! no_args #take"}, {"#undo alles", "! no_args #undo"},
		{"#assign", "! args #assign"}, {"#assign\nben", "! args #assign"}, {"#assign #take", "! args #assign"}, {"#admit", "! args #admit"}, {"#reject:", "! args #reject"},
		{"#take\n#frobnicate\nText", "! unknown #frobnicate"}, {"#take #frobnicate", "! unknown #frobnicate"}, {"#take /etc/hosts", "! no_args #take"},
		{"#reply #sovle\nText", "! unknown #sovle"}, {"#Überschrift", "! unknown #Überschrift"}, {"#erase kunde@customer.example", "! unknown #erase"},
		{"#export x", "! unknown #export"}, {"#solve maybe", "! no_args #solve"}, {"#status frob", "! unknown #status frob"}, {"#set frob=1", "! args #set"}, {"#set solve=1", "! args #set"}, {"#set tag", "! args #set"},
		{"Status: resolved", "! foreign Status: resolved"}, {"@@close", "! foreign @@close"}, {"[status=resolved]", "! foreign [status=resolved]"}, {"close 1", "! foreign close 1"}, {"mute", "! foreign mute"},
		{"+1", "! foreign +1"}, {"#take\nOwner: ben", "! foreign Owner: ben"}, {"#рassword", "! unknown #рassword"},
	} {
		if got := short(Parse(c.text)); got != c.want {
			t.Errorf("%q\n  is   %s\n  want %s", c.text, got, c.want)
		}
	}
}

func TestSuggestions(t *testing.T) {
	for word, want := range map[string]string{"sovle": "#solve", "solv": "#solve", "tak": "#take", "assing": "#assign", "nottiz": "#note", "hlep": "#help", "relaese": "#release", "undoo": "#undo"} {
		p := Parse("#" + word).Problem
		if p == nil || !slices.Contains(p.Suggest, want) {
			t.Errorf("#%s: %+v, want %s", word, p, want)
		}
	}
	for _, word := range []string{strings.Repeat("x", 100000), "qqqqqqqq", strings.Repeat("ä", 41)} {
		if p := Parse("#" + word).Problem; p == nil || len(p.Suggest) > 0 {
			t.Errorf("%.20s: %+v", word, p)
		}
	}
}

// Every word and every other spelling of it leads to its row, and each leads to one row only.
func TestTable(t *testing.T) {
	seen := map[string]string{}
	for _, row := range Table() {
		if row.Usage == "" || row.Help["de"] == "" || row.Help["en"] == "" || !strings.HasPrefix(row.Usage, "#"+row.Word) {
			t.Errorf("%+v", row)
		}
		for _, w := range slices.Concat([]string{row.Word}, row.Aliases, slices.Collect(maps.Keys(row.Short))) {
			if fold(w) != w {
				t.Errorf("%s is not folded: nobody can type it", w)
			}
			if other, ok := seen[w]; ok {
				t.Errorf("%s is %s and %s", w, other, row.Word)
			}
			seen[w] = row.Word
			if found, _, ok := lookup(strings.ToUpper(w)); !ok || found.Word != row.Word {
				t.Errorf("%s leads to %+v", w, found)
			}
		}
	}
	for _, w := range []string{"erase", "export", "rule", "key", "config", "reload", "restore"} { // S-085
		if _, ok := seen[w]; ok {
			t.Errorf("%s must not be a command by mail", w)
		}
	}
}

func TestProblemsAreToldInWords(t *testing.T) {
	for _, text := range []string{"#frobnicate", "#solve now", "#assign"} {
		if s := Parse(text).Problem.String(); !strings.Contains(s, strings.Fields(text)[0]) {
			t.Errorf("%s: %q", text, s)
		}
	}
}

// FuzzCommandParse holds: no panic; a text that does not begin with a command is public as it stands; a problem leaves no
// command; of the block nothing is public.
func FuzzCommandParse(f *testing.F) {
	for _, s := range []string{"", "#solve\nText", "#take #note x", "#assign \"Ben\" #wait\n--\nx", "/etc/hosts", "!x", "#\u00a0solve", "#reply #solve\ny", "# ", "#=", "#:x", "#note\r\n\r\nx", "#solve #", "#assign /take", "/note\u2028x", "#admit !help"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := Parse(s)
		plain := strings.ReplaceAll(s, "\r\n", "\n")
		first := ""
		for line := range strings.SplitSeq(plain, "\n") {
			if first = clean(line); first != "" {
				break
			}
		}
		if first == "" || !strings.ContainsRune("#!/", rune(first[0])) && first != "--" {
			if p.Problem != nil && p.Problem.Key != "foreign" || len(p.Commands) > 0 || p.Note != "" || p.Public != strings.TrimSpace(plain) {
				t.Fatalf("%q is %s", s, short(p))
			}
			return
		}
		if p.Problem != nil {
			if len(p.Commands) > 0 {
				t.Fatalf("%q: a problem and %d commands", s, len(p.Commands))
			}
			return
		}
		if p.Public != "" && p.Note != "" || p.has("note") && p.Public != "" {
			t.Fatalf("%q is public and a note: %s", s, short(p))
		}
		for _, c := range p.Commands {
			if row, _, ok := lookup(c.Word); !ok || row.Word != c.Word || row.Takes == Nothing && c.Args != "" || row.Means != nil || row.Sets {
				t.Fatalf("%q: %+v", s, c)
			}
		}
		ended := slices.ContainsFunc(strings.Split(plain, "\n"), func(l string) bool { return clean(l) == "--" })
		line, _, _ := strings.Cut(p.Public, "\n")
		if line = clean(line); !ended && startsCommand(line) && line[0] == '#' {
			t.Fatalf("%q: the command %q is public", s, line)
		}
		if len(p.Public) > len(plain) || strings.TrimFunc(p.Public, unicode.IsSpace) != p.Public {
			t.Fatalf("%q: public %q", s, p.Public)
		}
	})
}
