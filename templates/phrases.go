package templates

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"supportd/tickets"
)

// phrases are the small texts of one language: the sentences of tickets.Line, names of states and clocks, dates.
//
// A phrase file has lines "key = text". In the text, {name} stands for an argument, and a part in square brackets is
// left out when an argument in it is missing: "Unknown command {word}.[ Did you mean {suggestion}?]".
type phrases struct {
	lang  string
	texts map[string]phrase
	lists map[string][]string
}

type phrase struct {
	source string
	parts  []part
}

// part is a piece of a phrase: words, an argument, or an optional piece.
type part struct {
	words    string
	arg      string
	optional []part
}

// loadPhrases reads the phrase files. What a language lacks is taken from the stand-in, with a warning.
func (s *Set) loadPhrases(files []sourceFile) []error {
	var faults []error
	for _, f := range files {
		if f.base != phrasesName {
			continue
		}
		p := s.phrases[f.lang]
		if p == nil {
			p = &phrases{lang: f.lang, texts: map[string]phrase{}, lists: map[string][]string{}}
			s.phrases[f.lang] = p
		}
		faults = append(faults, p.read(f)...)
	}
	if len(faults) > 0 {
		return faults
	}
	for _, lang := range append(slices.Clone(s.opts.Languages), "en") {
		p, other := s.phrases[lang], s.phrases[s.standIn(lang)]
		if p == nil {
			s.phrases[lang] = other
			continue
		}
		missing := 0
		for _, k := range phraseKeys() {
			if _, ok := p.texts[k.Key]; !ok && other != nil {
				p.texts[k.Key], p.lists[k.Key] = other.texts[k.Key], other.lists[k.Key]
				missing++
			}
		}
		if missing > 0 {
			s.warnings = append(s.warnings, fmt.Sprintf("%d phrases are missing in language %q: those in %q stand in", missing, lang, s.standIn(lang)))
		}
	}
	return nil
}

func (p *phrases) read(f sourceFile) []error {
	var faults []error
	known := map[string]LineKey{}
	var names []string
	for _, k := range phraseKeys() {
		known[k.Key] = k
		names = append(names, k.Key)
	}
	seen := map[string]bool{}
	for _, line := range f.settings() {
		at, key, value := line.at, line.key, line.value
		k, isKnown := known[key]
		switch {
		case !line.ok:
			faults = append(faults, fmt.Errorf("%s: wants a line such as did.solve = …", at))
			continue
		case !isKnown:
			faults = append(faults, fmt.Errorf("%s: unknown phrase %q%s", at, key, suggest(key, names)))
			continue
		case seen[key]:
			faults = append(faults, fmt.Errorf("%s: %s stands there twice", at, key))
		}
		seen[key] = true
		parts, err := parsePhrase(value, k.Args)
		if err == nil && k.list > 0 && len(splitList(value)) != k.list {
			err = fmt.Errorf("%s has %d entries, wanted are %d", key, len(splitList(value)), k.list)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", at, err))
			continue
		}
		p.texts[key] = phrase{value, parts}
		p.lists[key] = splitList(value)
	}
	return faults
}

func splitList(s string) []string {
	var list []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// parsePhrase reads {argument} and [optional part].
func parsePhrase(s string, args []string) ([]part, error) {
	var parts []part
	for s != "" {
		i := strings.IndexAny(s, "{}[]")
		if i < 0 {
			return append(parts, part{words: s}), nil
		}
		if i > 0 {
			parts = append(parts, part{words: s[:i]})
		}
		closing := map[byte]string{'{': "}", '[': "]"}[s[i]]
		if closing == "" {
			return nil, fmt.Errorf("%q stands there without its beginning", s[i:i+1])
		}
		j := strings.Index(s[i:], closing)
		if j < 0 {
			return nil, fmt.Errorf("%q has no %q", s[i:i+1], closing)
		}
		inner := s[i+1 : i+j]
		if s[i] == '{' {
			if !slices.Contains(args, inner) {
				return nil, fmt.Errorf("unknown argument {%s}%s; there are {%s}", inner, suggest(inner, args), strings.Join(args, "}, {"))
			}
			parts = append(parts, part{arg: inner})
		} else {
			if strings.Contains(inner, "[") {
				return nil, errors.New("optional parts do not stand inside each other")
			}
			optional, err := parsePhrase(inner, args)
			if err != nil {
				return nil, err
			}
			parts = append(parts, part{optional: optional})
		}
		s = s[i+j+1:]
	}
	return parts, nil
}

// fill writes a phrase of our own. Keys and arguments are those of phraseKeys; a test holds that.
func (p *phrases) fill(key string, args map[string]string) string {
	var b strings.Builder
	write(&b, p.texts[key].parts, args)
	return strings.TrimSpace(b.String())
}

// list gives a phrase that is a list. It is never empty.
func (p *phrases) list(key string) []string {
	if l := p.lists[key]; len(l) > 0 {
		return l
	}
	return []string{""}
}

func write(b *strings.Builder, parts []part, args map[string]string) {
	for _, pt := range parts {
		switch {
		case pt.arg != "":
			b.WriteString(args[pt.arg])
		case pt.optional != nil:
			if full(pt.optional, args) {
				write(b, pt.optional, args)
			}
		case strings.HasPrefix(pt.words, ".") && strings.HasSuffix(b.String(), "."):
			b.WriteString(pt.words[1:]) // the argument brought its own full stop
		default:
			b.WriteString(pt.words)
		}
	}
}

func full(parts []part, args map[string]string) bool {
	for _, pt := range parts {
		if pt.arg != "" && args[pt.arg] == "" {
			return false
		}
	}
	return true
}

// word is the phrase of a value from a fixed list, such as state.open; a value without a phrase stays as it is.
func (p *phrases) word(group, value string) string {
	if ph, ok := p.texts[group+"."+value]; ok && value != "" {
		return ph.source
	}
	return cleanLine(value)
}

var errUnknownKey = errors.New("unknown line key")

// line writes a tickets.Line as a sentence. An unknown key is written with its arguments, and is an error besides.
func (p *phrases) line(l tickets.Line, zone *time.Location) (string, error) {
	args := make(map[string]string, len(l.Args))
	for name, value := range l.Args {
		switch l.Key {
		case "did.state":
			value = p.word("state", value)
		case "did.reply_later", "did.undo_until": // seconds count
			if t, err := time.Parse(time.RFC3339Nano, value); err == nil {
				value = p.moment(t, zone, "second")
			}
		}
		args[name] = p.argument(name, value, zone)
	}
	if _, ok := p.texts[l.Key]; ok {
		return p.fill(l.Key, args), nil
	}
	names := make([]string, 0, len(args))
	for name := range args {
		names = append(names, name)
	}
	sort.Strings(names)
	var b strings.Builder
	b.WriteString(isolated(cleanLine(l.Key)))
	for i, name := range names {
		b.WriteString([]string{", ", " ("}[btoi(i == 0)] + isolated(cleanLine(name)) + ": " + args[name])
	}
	if len(names) > 0 {
		b.WriteByte(')')
	}
	return b.String(), fmt.Errorf("%w %q%s", errUnknownKey, l.Key, suggest(l.Key, lineKeyNames()))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// argument writes the value of a line's argument: instants (RFC 3339) and durations (as Go writes them, 1h36m0s) as
// people do, states and clocks by their names, sizes with a unit, anything else on one line.
func (p *phrases) argument(name, value string, zone *time.Location) string {
	switch name {
	case "at", "due", "since", "until":
		if t, err := time.Parse(time.RFC3339Nano, value); err == nil {
			return p.moment(t, zone, "short")
		}
	case "left", "over", "target", "age", "every":
		if d, err := time.ParseDuration(value); err == nil {
			return span(d)
		}
	case "state", "clock":
		return isolated(clip(p.word(name, value), maxValue))
	case "what":
		return isolated(clip(p.word("redacted", value), maxValue))
	case "reason":
		return isolated(clip(p.word("choice", value), maxValue))
	case "asked":
		var names []string
		for q := range strings.SplitSeq(value, ", ") {
			names = append(names, p.word("asked", q))
		}
		return isolated(clip(strings.Join(names, ", "), maxValue))
	case "fields":
		var names []string
		for f := range strings.SplitSeq(value, ", ") {
			names = append(names, p.label(f))
		}
		return isolated(clip(strings.Join(names, ", "), maxValue))
	case "size", "limit", "free", "floor":
		var n int64
		if _, err := fmt.Sscanf(value+" ", "%d ", &n); err == nil && strings.Trim(value, "0123456789") == "" {
			return p.size(n)
		}
	}
	return shown(value, maxValue)
}
