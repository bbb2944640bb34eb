// Package redact takes out of a text what a third party need not know: who the customer is, how to reach them, and what
// opens their doors. It does not know whose text it is; it finds patterns and the names it is given, and rather takes out
// too much than too little.
package redact

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// What can be taken out.
const (
	Name           = "name"            // names of people and organisations that are given
	Mail           = "mail"            // mail addresses
	Phone          = "phone"           // telephone numbers
	PrivateAddress = "private_address" // streets, and the towns below them
	Credentials    = "credentials"     // passwords, keys, tokens
)

// Rules say what is taken out of a text.
type Rules struct {
	What     []string // of Phone, PrivateAddress, Credentials; Name and Mail always are
	Names    []string // of the customer's side
	Keep     []string // domains of mail addresses that stay, lower case
	Language string   // of what stands instead: de, else English
}

// Found is what was taken out, and how often.
type Found struct {
	What  string `json:"what"`
	Count int    `json:"count"`
}

// Text returns the text without what the rules name, and what that was. A text that has been through it stays as it is.
func (r Rules) Text(s string) (string, []Found) {
	p := pass{rules: r, counts: map[string]int{}}
	if slices.Contains(r.What, Credentials) {
		s = p.credentials(s)
	}
	s = p.mails(s)
	if slices.Contains(r.What, PrivateAddress) {
		s = p.addresses(s)
	}
	if slices.Contains(r.What, Phone) {
		s = p.phones(s)
	}
	s = p.names(s)
	return s, p.found()
}

type pass struct {
	rules  Rules
	counts map[string]int
}

func (p *pass) found() []Found {
	var all []Found
	for _, what := range []string{Name, Mail, Phone, PrivateAddress, Credentials} {
		if n := p.counts[what]; n > 0 {
			all = append(all, Found{what, n})
		}
	}
	return all
}

// instead is what stands where something was taken out.
func (p *pass) instead(what string) string {
	p.counts[what]++
	german := map[string]string{Name: "[Name]", Mail: "[Mailadresse]", Phone: "[Telefonnummer]", PrivateAddress: "[Anschrift]", Credentials: "[Zugangsdaten]"}
	english := map[string]string{Name: "[name]", Mail: "[mail address]", Phone: "[phone number]", PrivateAddress: "[address]", Credentials: "[credentials]"}
	if p.rules.Language == "de" {
		return german[what]
	}
	return english[what]
}

var (
	privateKey  = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`)
	userInfo    = regexp.MustCompile(`(://)[^\s/@:]+:[^\s/@]+(@)`)
	bearer      = regexp.MustCompile(`(?i)\b((?:bearer|basic)\s+)[a-z0-9._~+/=-]{12,}`)
	secretLabel = regexp.MustCompile(`(?i)((?:\b|_)(?:pass(?:word|wort|wd|phrase)?|kennwort|pwd|pin(?:[- ]?code)?|puk|tan|token|api[-_ ]?key|(?:secret|access|private)[-_ ]?key|secret|schlüssel|zugangscode|zugangsdaten|credentials)(?:[^\S\n]+(?:for|für|of|von|am|im|des|der|dem|the|to|zum|zur)[^\S\n]+[^\s:=]+)?[^\S\n]*(?:is|ist|lautet|war|was|are|sind|[:=])[^\S\n]*(?:now[^\S\n]+|jetzt[^\S\n]+)?)(\[[^\]\n]*\]|"[^"\n]+"|'[^'\n]+'|„[^“\n]+“|[^\s]+)`)
	cloudKey    = regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}\b|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*`)
)

func (p *pass) credentials(s string) string {
	s = privateKey.ReplaceAllStringFunc(s, func(string) string { return p.instead(Credentials) })
	s = userInfo.ReplaceAllStringFunc(s, func(string) string { return "://" + p.instead(Credentials) + "@" })
	s = bearer.ReplaceAllStringFunc(s, func(m string) string { return bearer.FindStringSubmatch(m)[1] + p.instead(Credentials) })
	s = cloudKey.ReplaceAllStringFunc(s, func(string) string { return p.instead(Credentials) })
	return secretLabel.ReplaceAllStringFunc(s, func(m string) string {
		parts := secretLabel.FindStringSubmatch(m)
		if strings.HasPrefix(parts[2], "[") {
			return m
		}
		return parts[1] + p.instead(Credentials)
	})
}

var mailAddress = regexp.MustCompile(`(?i)[\p{L}\p{N}!#$%&'*+/=?^_{|}~.-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+`)

func (p *pass) mails(s string) string {
	return mailAddress.ReplaceAllStringFunc(s, func(m string) string {
		_, domain, _ := strings.Cut(strings.ToLower(m), "@")
		if slices.Contains(p.rules.Keep, domain) {
			return m
		}
		return p.instead(Mail)
	})
}

var (
	phoneLabel = regexp.MustCompile(`(?i)((?:\b|^)(?:tel(?:efon)?|phone|fon|mobil(?:e|funk)?|handy|durchwahl|dw|fax|call(?: me)?(?: at| on)?|erreichbar unter|rückruf(?: unter)?)\b[.: ]*(?:nr|nummer|number|no)?[.: ]*)([+(]?\d[\d ()/.–-]{1,}\d)`)
	phone      = regexp.MustCompile(`(?:\+|\b00|\(0|\b0)[\d][\d ()/.–-]{4,20}\d\b`)
	dateOrIP   = regexp.MustCompile(`^(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2}|\d{1,3}(?:\.\d{1,3}){3}|\d{1,2}[.:]\d{2})`)
)

func (p *pass) phones(s string) string {
	s = phoneLabel.ReplaceAllStringFunc(s, func(m string) string {
		return phoneLabel.FindStringSubmatch(m)[1] + p.instead(Phone)
	})
	return phone.ReplaceAllStringFunc(s, func(m string) string {
		digits := 0
		for _, r := range m {
			if unicode.IsDigit(r) {
				digits++
			}
		}
		if digits < 7 || digits > 16 || dateOrIP.MatchString(m) {
			return m
		}
		return p.instead(Phone)
	})
}

var (
	street = regexp.MustCompile(`(?:\b(?:Am|An|Im|In|Auf|Zum|Zur|Unter)\s+(?:der|den|dem|die)?\s*)?\p{Lu}[\p{L}.-]*(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer|chaussee|(?:[ -](?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Ring|Damm|Ufer)))\s+\d{1,4}\s?[a-zA-Z]?\b|\b\d{1,5}\s+(?:\p{Lu}\p{L}+\s+){1,3}(?:Street|Road|Avenue|Lane|Drive|Close|Way|Court|St\.|Rd\.|Ave\.)`)
	town   = regexp.MustCompile(`^([,;\s]*)((?:(?:D|A|CH)-)?\d{4,5}\s+\p{Lu}[\p{L}-]+(?:\s\p{Lu}[\p{L}-]+)?|\p{Lu}{1,2}\d[\dA-Z]?\s?\d\p{Lu}{2})`)
)

// addresses takes out streets, and the town right behind them.
func (p *pass) addresses(s string) string {
	var b strings.Builder
	for {
		at := street.FindStringIndex(s)
		if at == nil {
			return b.String() + s
		}
		b.WriteString(s[:at[0]] + p.instead(PrivateAddress))
		s = s[at[1]:]
		if t := town.FindStringSubmatchIndex(s); t != nil {
			s = s[t[5]:]
		}
	}
}

// names takes out the names that were given, whole and word by word. Words of one or two letters are no names.
func (p *pass) names(s string) string {
	var parts []string
	for _, name := range p.rules.Names {
		name = strings.Join(strings.Fields(name), " ")
		if len([]rune(name)) > 2 {
			parts = append(parts, name)
		}
		for _, word := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' && r != '\'' }) {
			if len([]rune(word)) > 2 && !common[strings.ToLower(word)] {
				parts = append(parts, word)
			}
		}
	}
	slices.SortStableFunc(parts, func(a, b string) int { return len(b) - len(a) })
	parts = slices.Compact(parts)
	for _, name := range parts {
		s = p.name(s, name)
	}
	return s
}

// common are words that stand in names of organisations and mean nobody.
var common = map[string]bool{"gmbh": true, "mbh": true, "ltd": true, "inc": true, "llc": true, "und": true, "and": true, "the": true, "von": true, "van": true,
	"der": true, "den": true, "dr.": true, "prof": true, "herr": true, "frau": true, "mrs": true, "service": true, "support": true, "team": true, "deutschland": true}

// name takes out one name where it stands as a word of its own, also with the s of a genitive.
func (p *pass) name(s, name string) string {
	var b strings.Builder
	find := regexp.MustCompile(`(?i)` + regexp.QuoteMeta(name))
	done := 0
	for _, at := range find.FindAllStringIndex(s, -1) {
		before, after := s[:at[0]], s[at[1]:]
		if endsInLetter(before) || startsWithLetter(strings.TrimPrefix(after, "s")) || inBrackets(before) {
			continue
		}
		b.WriteString(s[done:at[0]] + p.instead(Name))
		if done = at[1]; strings.HasPrefix(after, "s") {
			done++
		}
	}
	return b.String() + s[done:]
}

// inBrackets reports whether a text breaks off within what stands for something that was taken out.
func inBrackets(before string) bool {
	open := strings.LastIndexByte(before, '[')
	return open >= 0 && !strings.ContainsAny(before[open:], "]\n")
}

func endsInLetter(s string) bool {
	r := []rune(s[max(0, len(s)-4):])
	return len(r) > 0 && (unicode.IsLetter(r[len(r)-1]) || unicode.IsDigit(r[len(r)-1]))
}

func startsWithLetter(s string) bool {
	for _, r := range s {
		return unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	return false
}
