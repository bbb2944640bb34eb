// Package command reads the commands at the top of an agent's mail.
//
// It takes text apart and does nothing: whether a command may be carried out, and what it does, is the desk's business.
package command

import (
	"slices"
	"strings"
	"unicode"
)

// Command is one instruction, with its canonical word.
type Command struct {
	Word string // canonical, such as "solve"
	Args string // as written, trimmed; "" when there are none
	Line string // the line it stands in, for receipts
}

// Text is an agent's new text, taken apart. When Problem is set nothing of the mail may be carried out.
type Text struct {
	Commands []Command
	Public   string // what the customer would get
	Note     string // what stays inside
	Problem  *Problem
}

// Problem says why all of a mail's commands are refused.
type Problem struct {
	Key     string   // unknown, no_args (it takes none), args (it needs some), foreign (how another desk writes it)
	Word    string   // as written
	Usage   string   // how it is typed
	Line    string   // the line it stands in
	Suggest []string // the nearest words, nearest first
}

// Parse takes an agent's new text apart: the leading block of command lines, and the rest, which is public unless #note
// stands in the block. The block ends at the first line that is neither blank nor a command; `--` ends it too.
func Parse(text string) Text {
	var t Text
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	inline := "" // the text that #note or #reply has on its own line
	i := 0
	for ; i < len(lines) && t.Problem == nil; i++ {
		line := clean(lines[i])
		if line == "" {
			continue
		}
		if line == "--" {
			i++
			break
		}
		if !startsCommand(line) {
			if !t.has("reply") && !t.has("note") {
				t.Problem = foreign(line, strings.TrimSpace(strings.Join(lines[i:], "\n")) == line)
			}
			break
		}
		first, ok := t.readLine(line)
		if !ok {
			break
		}
		if first != "" {
			inline = first
			i++
			break
		}
	}
	body := strings.TrimSpace(strings.Join(append([]string{inline}, lines[i:]...), "\n"))
	if t.has("note") {
		t.Note = body
	} else {
		t.Public = body
	}
	if t.Problem != nil {
		t.Commands = nil
	}
	return t
}

// Body is the text below a block of commands, whatever is wrong in the block; "" when something in it says that the text
// stays inside. A line in the way of another desk counts as text.
func Body(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	i, inline := 0, ""
	for ; i < len(lines) && inline == ""; i++ {
		line := clean(lines[i])
		if line == "--" {
			i++
			break
		}
		if line == "" {
			continue
		}
		word, _ := splitWord(line[1:])
		if !startsCommand(line) || line[0] == '/' && !known(word) {
			break
		}
		for rest := line; startsCommand(rest); {
			word, args := splitWord(rest[1:])
			row, _, _ := lookup(word)
			switch {
			case row.Word == "note" || row.Word == "noreply":
				return ""
			case row.Word == "reply" && args != "" && !continues(args):
				inline = args
			}
			if next := strings.IndexAny(args, "#!/"); next >= 0 && inline == "" {
				rest = args[next:]
			} else {
				rest = ""
			}
		}
	}
	return strings.TrimSpace(strings.Join(append([]string{inline}, lines[i:]...), "\n"))
}

// readLine reads all commands of one line. It returns the text that follows #note or #reply on the line. ok is false
// when the line is text after all.
func (t *Text) readLine(line string) (inline string, ok bool) {
	rest := line
	for rest != "" {
		mark := rest[0]
		word, args := splitWord(rest[1:])
		row, short, known := lookup(word)
		if mark == '/' && (!known || !boundary(rest[1:], word)) {
			if rest == line {
				return "", false // `/etc/hosts …` is text
			}
			last, _, _ := lookup(t.Commands[len(t.Commands)-1].Word)
			t.Problem = &Problem{Key: "no_args", Word: "#" + last.Word, Usage: last.Usage, Line: line}
			return "", true
		}
		if !known {
			t.Problem = &Problem{Key: "unknown", Word: string(mark) + word, Line: line, Suggest: nearest(word)}
			return "", true
		}
		if row.Takes == Text1 {
			t.Commands = append(t.Commands, Command{Word: row.Word, Line: line})
			if !continues(args) {
				return args, true
			}
			rest = args // `#reply #solve`: the customer must not read the second one
			continue
		}
		if rest, ok = t.readArgs(row, short, args, line); !ok {
			return "", true
		}
	}
	return "", true
}

// readArgs takes what belongs to a command off what follows its word, and returns the rest of the line. ok is false when
// the command cannot stand like that.
func (t *Text) readArgs(row Row, short, args, line string) (rest string, ok bool) {
	wrong := func(key string) (string, bool) {
		t.Problem = &Problem{Key: key, Word: "#" + row.Word, Usage: row.Usage, Line: line}
		return "", false
	}
	switch {
	case short != "" || row.Takes == Nothing:
		if args != "" && !startsCommand(args) {
			return wrong("no_args")
		}
		args, rest = short, args
	default:
		args, rest = splitCommands(args)
		if args == "" && row.Takes == Required {
			return wrong("args")
		}
		if args != "" && len(row.Choices) > 0 && !slices.Contains(row.Choices, fold(args)) {
			return wrong("no_args")
		}
	}
	c := Command{Word: row.Word, Args: strings.Trim(args, `"`), Line: line}
	switch {
	case row.Means != nil:
		word, found := row.Means[fold(c.Args)]
		if !found {
			t.Problem = &Problem{Key: "unknown", Word: "#" + row.Word + " " + c.Args, Usage: row.Usage, Line: line, Suggest: nearestValues(row, c.Args)}
			return "", false
		}
		c.Word, c.Args = word, ""
	case row.Sets:
		if c, ok = setting(c); !ok {
			return wrong("args")
		}
	}
	t.Commands = append(t.Commands, c)
	return rest, true
}

// setting turns #set field=value into the command of that field.
func setting(c Command) (Command, bool) {
	name, value := splitWord(c.Args)
	row, short, ok := lookup(name)
	if !ok || short != "" || !slices.Contains([]string{"fields", "details", "people"}, row.Group) || row.Sets || row.Means != nil || row.Takes == Nothing || row.Takes == Required && value == "" {
		return c, false
	}
	c.Word, c.Args = row.Word, strings.Trim(value, `"`)
	return c, true
}

// continues reports whether what follows #note or #reply on their line is one more command: a #word, or another mark and
// a word that is known.
func continues(args string) bool {
	if !startsCommand(args) || args[0] == '#' {
		return startsCommand(args)
	}
	word, _ := splitWord(args[1:])
	return known(word) && boundary(args[1:], word)
}

func (t *Text) has(word string) bool {
	for _, c := range t.Commands {
		if c.Word == word {
			return true
		}
	}
	return false
}

// clean trims what clients put around a line: white space, also of the kinds that HTML brings along.
func clean(line string) string {
	return strings.TrimFunc(line, func(r rune) bool { return unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' })
}

// startsCommand reports whether the text begins with a mark and a letter. `#1` and `# ` before a digit are text.
func startsCommand(s string) bool {
	if s == "" || (s[0] != '#' && s[0] != '!' && s[0] != '/') {
		return false
	}
	rest := s[1:]
	if s[0] == '#' {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
	}
	for _, r := range rest {
		return unicode.IsLetter(r) || r == '?' && s[0] == '#'
	}
	return false
}

// splitWord cuts the command word from what follows: blank, colon or equals sign.
func splitWord(s string) (word, args string) {
	s = strings.TrimLeftFunc(s, unicode.IsSpace)
	end := strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == ':' || r == '=' })
	if end < 0 {
		return s, ""
	}
	return s[:end], strings.TrimFunc(s[end:], func(r rune) bool { return unicode.IsSpace(r) || r == ':' || r == '=' })
}

func boundary(s, word string) bool {
	rest := s[len(word):]
	return rest == "" || unicode.IsSpace(rune(rest[0]))
}

// splitCommands cuts an argument at the next known command on the line. What stands in quotes is not looked into.
func splitCommands(args string) (own, next string) {
	quoted := false
	for i := 0; i < len(args); i++ {
		if args[i] == '"' {
			quoted = !quoted && strings.IndexByte(args[i+1:], '"') >= 0
		}
		if !quoted && (i == 0 || args[i-1] == ' ') && args[i] == '#' && startsCommand(args[i:]) {
			if word, _ := splitWord(args[i+1:]); word != "" && known(word) {
				return strings.TrimSpace(args[:i]), args[i:]
			}
		}
	}
	return args, ""
}

// String says what is wrong, in plain words.
func (p Problem) String() string {
	switch p.Key {
	case "unknown":
		return p.Word + " is no command"
	case "foreign":
		return p.Word + " is no command here"
	case "no_args":
		return p.Word + " takes nothing behind it"
	default:
		return p.Word + " needs something behind it: " + p.Usage
	}
}
