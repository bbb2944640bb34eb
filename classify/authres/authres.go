// Package authres reads Authentication-Results fields (RFC 8601), strictly: a field that is not exactly of the form of
// §2.2 is no field, because what stands in one is in part chosen by the sender of the mail. It does not decide whose
// results count, and it checks no signature itself.
package authres

import (
	"errors"
	"strings"
)

// Result is what one method found.
type Result struct {
	Method string // lower case: spf, dkim, dmarc, …
	Value  string // lower case: pass, fail, none, …
	// Props are the properties by "ptype.property", lower case; values as written, without quotes.
	Props map[string]string
}

// Field is one Authentication-Results field.
type Field struct {
	ID      string // authserv-id, lower case
	Results []Result
}

// Errors of Parse.
var (
	errSyntax  = errors.New("read Authentication-Results: not of the form of RFC 8601")
	errVersion = errors.New("read Authentication-Results: unknown version")
)

// maxField bounds a field in octets; longer ones are no honest server's.
const maxField = 16 << 10

// Parse reads the value of a field, unfolded or not. Results that it cannot read make the whole field unreadable.
func Parse(value string) (Field, error) {
	if len(value) > maxField {
		return Field{}, errSyntax
	}
	tokens, ok := scan(value)
	if !ok {
		return Field{}, errSyntax
	}
	p := parser{tokens: tokens}
	var f Field
	f.ID = strings.ToLower(p.word())
	if f.ID == "" {
		return Field{}, errSyntax
	}
	if v := p.word(); v != "" && v != "1" {
		return Field{}, errVersion
	}
	for p.symbol(';') {
		if p.done() {
			break // a trailing ";" is common
		}
		r, none, ok := p.result()
		if !ok {
			return Field{}, errSyntax
		}
		if !none {
			f.Results = append(f.Results, r)
		}
	}
	if !p.done() {
		return Field{}, errSyntax
	}
	return f, nil
}

// A token is a word, a quoted string or one of ; = with what matters about its place.
type token struct {
	text   string
	symbol bool
	quoted bool
	tight  bool // no white space between it and the token before
}

// scan cuts a field into tokens. Comments count as white space, but one that touches a word on its left is refused:
// "header.d=corp.example(.attacker.example" is how a signature's domain is made to look like another's.
func scan(s string) (tokens []token, ok bool) {
	tight := false
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			tight = false
			i++
		case c == '(':
			if tight && len(tokens) > 0 && !tokens[len(tokens)-1].symbol {
				return nil, false
			}
			n := comment(s[i:])
			if n < 0 {
				return nil, false
			}
			i += n
			tight = false
		case c == ';' || c == '=':
			tokens = append(tokens, token{text: string(c), symbol: true, tight: tight})
			tight = true
			i++
		case c == '"':
			text, n := quoted(s[i:])
			if n < 0 {
				return nil, false
			}
			tokens = append(tokens, token{text: text, quoted: true, tight: tight})
			tight = true
			i += n
		default:
			n := 0
			for i+n < len(s) && wordByte(s[i+n]) {
				n++
			}
			if n == 0 {
				return nil, false
			}
			tokens = append(tokens, token{text: s[i : i+n], tight: tight})
			tight = true
			i += n
		}
	}
	return tokens, true
}

// wordByte accepts what a keyword, a domain or an unquoted address is made of; octets above ASCII may be letters of an
// internationalised domain.
func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80 || strings.IndexByte("!#$%&'*+-/?^_`{|}~.@:[]", c) >= 0
}

// comment returns how long the comment at the start of s is, or -1 when it is not closed (RFC 5322 §3.2.2).
func comment(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// quoted returns the content of the quoted string at the start of s and its length with quotes, or -1.
func quoted(s string) (string, int) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i == len(s) {
				return "", -1
			}
			b.WriteByte(s[i])
		case '"':
			return b.String(), i + 1
		default:
			b.WriteByte(s[i])
		}
	}
	return "", -1
}

type parser struct{ tokens []token }

func (p *parser) done() bool { return len(p.tokens) == 0 }

// symbol takes the next token when it is that symbol.
func (p *parser) symbol(c byte) bool {
	if p.done() || !p.tokens[0].symbol || p.tokens[0].text[0] != c {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

// word takes the next token when it is a word or a quoted string; "" otherwise.
func (p *parser) word() string {
	if p.done() || p.tokens[0].symbol {
		return ""
	}
	t := p.tokens[0].text
	p.tokens = p.tokens[1:]
	return t
}

// result reads "method[/version]=value" and its properties, or the word "none" that stands for no result at all.
func (p *parser) result() (r Result, none, ok bool) {
	method := strings.ToLower(p.word())
	if method == "none" && (p.done() || p.tokens[0].text == ";") {
		return r, true, true
	}
	name, version, versioned := strings.Cut(method, "/")
	if !keyword(name) || versioned && version != "1" || !p.symbol('=') {
		return r, false, false
	}
	r = Result{Method: name, Value: strings.ToLower(p.word()), Props: make(map[string]string)}
	if !keyword(r.Value) {
		return r, false, false
	}
	for !p.done() && !p.tokens[0].symbol {
		if p.tokens[0].quoted {
			return r, false, false
		}
		key := strings.ToLower(p.word())
		if !p.symbol('=') {
			return r, false, false
		}
		value, ok := p.value()
		if !ok {
			return r, false, false
		}
		if _, twice := r.Props[key]; twice {
			// Two values for one property: nobody can say which is meant.
			return r, false, false
		}
		r.Props[key] = value
	}
	return r, false, true
}

// value reads a property's value: a word or a quoted string, or a quoted local part with "@domain" right behind it. An
// empty value ("smtp.mailfrom=;") is one that servers write for the null path.
func (p *parser) value() (string, bool) {
	if p.done() || p.tokens[0].symbol {
		return "", true
	}
	first := p.tokens[0]
	p.tokens = p.tokens[1:]
	if p.done() || p.tokens[0].symbol || !p.tokens[0].tight {
		return first.text, true
	}
	next := p.tokens[0]
	if !first.quoted || next.quoted || !strings.HasPrefix(next.text, "@") {
		return "", false
	}
	p.tokens = p.tokens[1:]
	if !p.done() && !p.tokens[0].symbol && p.tokens[0].tight {
		return "", false
	}
	return `"` + first.text + `"` + next.text, true
}

func keyword(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}
