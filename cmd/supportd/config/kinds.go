package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// fault is a value that cannot be used: what is wrong, and what to do.
type fault struct{ code, what, fix string }

func (f *fault) Error() string { return f.what }

// kind is what values of a key look like.
type kind struct {
	wants   string   // in a message: "wants …"
	plural  string   // "wants a list of …"
	tags    []string // of YAML, beside !!str
	noText  bool     // !!str is not taken
	quote   bool     // a number or date that is meant as a text helps in quotes
	pattern string   // for the schema; "" when there is none
	schema  string   // JSON type in the schema; "" for string
	parse   func(string) (any, error)
}

func (k kind) takes(n *yaml.Node) bool {
	tag := n.ShortTag()
	return tag == "!!str" && !k.noText || slices.Contains(k.tags, tag)
}

// kinds is the table of all kinds of values.
var kinds = map[string]kind{
	"text":       {wants: "a text", plural: "texts", quote: true, parse: parseText},
	"path":       {wants: "the path of a file", plural: "paths", quote: true, parse: parsePath},
	"int":        {wants: "a whole number", plural: "whole numbers", tags: []string{"!!int"}, noText: true, schema: "integer", parse: parseInt},
	"number":     {wants: "a number", plural: "numbers", tags: []string{"!!int", "!!float"}, noText: true, schema: "number", parse: parseNumber},
	"bool":       {wants: "true or false", plural: "truth values", tags: []string{"!!bool"}, noText: true, schema: "boolean", parse: parseBool},
	"duration":   {wants: "a duration such as 30s, 5m, 4h or 7d", plural: "durations such as 5m", tags: []string{"!!int", "!!float"}, pattern: `^(0|(\d+(\.\d+)?(ms|s|m|h|d))+)$`, parse: parseDuration},
	"target":     {wants: "a time in hours, minutes or seconds such as 4h", plural: "times such as 4h", tags: []string{"!!int", "!!float"}, pattern: `^(\d+(\.\d+)?(s|m|h))+$`, parse: parseTarget},
	"size":       {wants: "a size such as 25MB", plural: "sizes such as 25MB", tags: []string{"!!int", "!!float"}, pattern: `^\d+(\.\d+)? ?(B|kB|KB|MB|GB|KiB|MiB|GiB)$`, parse: parseSize},
	"date":       {wants: "a date such as 2026-11-01", plural: "dates", tags: []string{"!!timestamp"}, pattern: `^\d{4}-\d{2}-\d{2}(T.+)?$`, parse: parseDate},
	"address":    {wants: "a mail address", plural: "addresses", pattern: `^([^<>]*<[^\s@<>,;]+@[^\s@<>,;]+>|[^\s@<>,;()]+@[^\s@<>,;()]+)$`, parse: parseAddress},
	"server":     {wants: "a server such as imap.nordwind.example or imap.nordwind.example:993", plural: "servers", tags: []string{"!!float"}, pattern: `^(\[[0-9a-fA-F:.]+\]|[^\s:/@]+)(:\d+)?$`, parse: parseServer},
	"listen":     {wants: "an address and port such as 127.0.0.1:8025", plural: "addresses and ports", pattern: `^.*:\d+$`, parse: parseListen},
	"host":       {wants: "a host name such as mx.nordwind.example", plural: "host names", pattern: `^[^\s:/@,;]+$`, parse: parseHost},
	"domain":     {wants: "a domain such as nordwind.example", plural: "domains", pattern: `^[^\s:/@,;]+\.[^\s:/@,;]+$`, parse: parseDomain},
	"zone":       {wants: "a time zone such as Europe/Berlin", plural: "time zones", parse: parseZone},
	"region":     {wants: "a holiday region such as DE-BY", plural: "holiday regions", parse: parseRegion},
	"language":   {wants: "a language code such as de", plural: "language codes such as de", pattern: `^[a-z]{2}$`, tags: []string{"!!bool"}, parse: parseLanguage},
	"prefix":     {wants: "up to ten capital letters and digits such as NW", plural: "prefixes", pattern: `^[A-Z][A-Z0-9]{0,9}$`, parse: parsePrefix},
	"selector":   {wants: "a selector such as s2026", plural: "selectors", tags: []string{"!!int"}, pattern: `^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_][A-Za-z0-9_-]*)*$`, parse: parseSelector},
	"regex":      {wants: "a regular expression", plural: "regular expressions", quote: true, parse: parseRegex},
	"keyword":    {wants: "the beginning of keywords such as $sd-: a letter, letters and digits, and a dash, dot or underscore at the end", plural: "beginnings of keywords", pattern: keywordPattern, parse: parseKeyword},
	"env":        {wants: "the name of an environment variable such as ${SUPPORT_PASSWORD}", plural: "", tags: []string{"!!int", "!!float", "!!bool", "!!timestamp"}, pattern: `^\$\{[A-Za-z_][A-Za-z0-9_]*\}$`, parse: parseEnv},
	"env_secret": {wants: "the name of an environment variable such as ${CLIENT_SECRET}", plural: "", tags: []string{"!!int", "!!float", "!!bool", "!!timestamp"}, pattern: `^\$\{[A-Za-z_][A-Za-z0-9_]*\}$`, parse: parseSecretEnv},
	"endpoint":   {wants: "an address such as https://login.example.org/token", plural: "addresses", pattern: `^https?://[^\s@]+$`, parse: parseEndpoint},
	"prose":      {wants: "a text", plural: "texts", quote: true, parse: parseProse},
	"name":       {wants: "a name of letters, digits, dots and dashes", plural: "names", quote: true, pattern: namePattern, parse: parseName},
	"person":     {wants: "an address, or an id of people", plural: "people", pattern: personPattern, parse: parsePerson},
	"recipient":  {wants: orList(recipients) + ", or a person", plural: "people", pattern: personPattern, parse: parsePerson},
	"header":     {wants: "a filter's field such as X-Spam-Flag", plural: "fields", parse: parseVerdictField},
	"rate":       {wants: "a number and a time such as 20/1h", plural: "rates", pattern: `^\d{1,6}/(\d+(\.\d+)?(s|m|h|d))+$`, parse: parseRate},
	"period":     {wants: "days, months or years such as 30d, 18m or 6y", plural: "times such as 30d", tags: []string{"!!int"}, pattern: `^[1-9]\d{0,4}(d|m|y)$`, parse: parsePeriod},
	"clock":      {wants: "a time of day such as \"08:30\"", plural: "times of day", pattern: `^([01]\d|2[0-3]):[0-5]\d$`, parse: parseClock},
	"percent":    {wants: "a percentage such as 75%", plural: "percentages", pattern: `^\d{1,3}%$`, parse: parsePercent},
	"moment":     {wants: "a date and time such as \"2026-11-23 08:00\"", plural: "dates and times", tags: []string{"!!timestamp"}, pattern: `^\d{4}-\d{2}-\d{2} \d{2}:\d{2}$`, parse: parseMoment},
	"mobile":     {wants: "an address with {{.Person.Mobile}} in it", plural: "addresses", parse: parseMobile},
	"enum":       {wants: "one of the words allowed", plural: "words", parse: parseText},
}

// What names and people look like, for the schema.
const (
	namePattern   = `^[\p{L}\p{Nd}][\p{L}\p{Nd}._-]{0,62}$`
	personPattern = `^([^<>]*<[^\s@<>,;]+@[^\s@<>,;]+>|[^\s@<>,;()]+@[^\s@<>,;()]+|[\p{L}\p{Nd}][\p{L}\p{Nd}._-]{0,62})$`
)

// compare orders two values that a kind with bounds parsed.
func compare(a, b any) int {
	switch a := a.(type) {
	case int:
		return cmp.Compare(a, b.(int))
	case int64:
		return cmp.Compare(a, b.(int64))
	case float64:
		return cmp.Compare(a, b.(float64))
	case time.Duration:
		return cmp.Compare(a, b.(time.Duration))
	}
	panic(fmt.Sprintf("no order for %T", a)) // the key table itself is wrong; a test reads all of it
}

func parseText(s string) (any, error) {
	switch {
	case strings.TrimSpace(s) == "":
		return nil, &fault{what: "is empty", fix: "give it a value or delete the key"}
	case strings.ContainsFunc(s, unicode.IsControl):
		return nil, &fault{what: "has a line break or another control character in it", fix: "write it on one line"}
	case strings.HasPrefix(s, "${") && strings.HasSuffix(s, "}"):
		return nil, &fault{what: fmt.Sprintf("%q would be taken as it stands", clip(s)), fix: "write the value out; environment variables are for password only"}
	}
	return s, nil
}

// mobileVariable stands for the column mobile of people.
const mobileVariable = "{{.Person.Mobile}}"

func parseMobile(s string) (any, error) {
	if _, err := parseAddress(strings.Replace(s, mobileVariable, "1", 1)); err != nil || strings.Contains(strings.Replace(s, mobileVariable, "", 1), "{{") {
		return nil, &fault{what: fmt.Sprintf("%q is no address with %s in it", clip(s), mobileVariable), fix: "write such as " + mobileVariable + "@sms.nordwind.example"}
	}
	return s, nil
}

// maxProse bounds an example text.
const maxProse = 16 << 10

func parseProse(s string) (any, error) {
	switch {
	case strings.TrimSpace(s) == "":
		return nil, &fault{what: "is empty", fix: "give it a text or delete it"}
	case len(s) > maxProse:
		return nil, &fault{what: fmt.Sprintf("is %d octets long", len(s)), fix: "keep what is typical of it, at most 16 KiB"}
	}
	return s, nil
}

func parseName(s string) (any, error) {
	if !isName(s) {
		return nil, &fault{what: fmt.Sprintf("%q cannot be a name", clip(s)), fix: "use letters, digits, dots and dashes, and begin with a letter or digit"}
	}
	return s, nil
}

// verdictFields are the fields in which filters say what they think of a mail, as far as the classifier knows them.
var verdictFields = []string{"X-Spam-Flag", "X-Spam-Status", "X-Spam", "X-Rspamd-Action", "X-Bogosity", "X-DSPAM-Result",
	"X-Forefront-Antispam-Report", "X-Microsoft-Antispam-Mailbox-Delivery", "X-Virus-Status", "X-Virus-Flag", "X-Amavis-Alert"}

func parseVerdictField(s string) (any, error) {
	for _, known := range verdictFields {
		if strings.EqualFold(s, known) {
			return known, nil
		}
	}
	return nil, &fault{what: fmt.Sprintf("what the field %q says is not understood", clip(s)), fix: "known are " + strings.Join(verdictFields, ", ")}
}

func parsePath(s string) (any, error) {
	if s == "~" || strings.HasPrefix(s, "~/") {
		return nil, &fault{what: fmt.Sprintf("%q begins with ~, which only a shell understands", clip(s)), fix: "write the whole path"}
	}
	return parseText(s)
}

func parseBool(s string) (any, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return nil, &fault{what: fmt.Sprintf("wants true or false, got %q", clip(s))}
}

func parseZone(s string) (any, error) {
	// "Local" would make the file mean something else on every machine.
	if loc, err := time.LoadLocation(s); err == nil && s != "" && s != "Local" {
		return loc, nil
	}
	fix := "write a name such as Europe/Berlin"
	if near := nearest(s, commonZones); near != "" {
		fix = "did you mean \"" + near + "\"?"
	}
	return nil, &fault{code: "E11", what: fmt.Sprintf("%q is not a time zone", clip(s)), fix: fix}
}

// commonZones are offered when a zone is mistyped.
var commonZones = []string{"Europe/Berlin", "Europe/Vienna", "Europe/Zurich", "Europe/London", "Europe/Paris",
	"Europe/Amsterdam", "Europe/Brussels", "Europe/Madrid", "Europe/Rome", "Europe/Warsaw", "Europe/Prague",
	"Europe/Copenhagen", "Europe/Stockholm", "Europe/Oslo", "Europe/Helsinki", "Europe/Dublin", "Europe/Lisbon",
	"America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Toronto",
	"Asia/Tokyo", "Asia/Singapore", "Asia/Kolkata", "Australia/Sydney", "UTC"}

// regions whose public holidays are known: Germany as a whole, its states, and the two parts of Bavaria that keep more;
// Austria; what all of Switzerland keeps, and Zurich; what all of the United Kingdom keeps, and its parts.
var regions = []string{"DE", "DE-BW", "DE-BY", "DE-BY-KATH", "DE-BY-AUGSBURG", "DE-BE", "DE-BB", "DE-HB", "DE-HH", "DE-HE",
	"DE-MV", "DE-NI", "DE-NW", "DE-RP", "DE-SL", "DE-SN", "DE-ST", "DE-SH", "DE-TH", "AT", "CH", "CH-ZH",
	"GB", "GB-ENG", "GB-WLS", "GB-SCT", "GB-NIR"}

func parseRegion(s string) (any, error) {
	if slices.Contains(regions, s) {
		return s, nil
	}
	fix := "known are " + strings.Join(regions, ", ")
	if slices.Contains(regions, strings.ToUpper(s)) {
		fix = "did you mean \"" + strings.ToUpper(s) + "\"?"
	}
	return nil, &fault{code: "E11", what: fmt.Sprintf("%q is not a holiday region", clip(s)), fix: fix}
}

func parseLanguage(s string) (any, error) {
	if len(s) != 2 || s[0] < 'a' || s[0] > 'z' || s[1] < 'a' || s[1] > 'z' {
		return nil, &fault{what: fmt.Sprintf("wants a language code of two small letters such as de, got %q", clip(s))}
	}
	return s, nil
}

func parsePrefix(s string) (any, error) {
	ok := s != "" && len(s) <= 10 && s[0] >= 'A' && s[0] <= 'Z'
	for _, r := range s {
		ok = ok && (r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
	}
	if !ok {
		return nil, &fault{what: fmt.Sprintf("wants up to ten capital letters and digits such as NW, got %q", clip(s))}
	}
	return s, nil
}

// maxRegex bounds a pattern, as RE2 programs grow with it (S-120).
const maxRegex = 1024

func parseRegex(s string) (any, error) {
	if len(s) > maxRegex {
		return nil, &fault{code: "E12", what: fmt.Sprintf("is %d octets long", len(s)), fix: "use at most 1024, or several patterns"}
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, &fault{code: "E12", what: strings.TrimPrefix(err.Error(), "error parsing regexp: ") + " (in a regular expression)"}
	}
	if re.MatchString("") {
		return nil, &fault{code: "E12", what: "this regular expression fits every mail, even an empty one", fix: "say what has to stand there"}
	}
	return re, nil
}

// envName is a reference to an environment variable; the password itself never gets this far.
type envName string

func parseEnv(s string) (any, error) {
	name, ok := strings.CutPrefix(s, "${")
	if ok {
		name, ok = strings.CutSuffix(name, "}")
	}
	for i, r := range name {
		ok = ok && (r == '_' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || i > 0 && r >= '0' && r <= '9')
	}
	if !ok || name == "" {
		return nil, &fault{code: "E15", what: "a password stands in the file", fix: "put it in a file of its own and write password_file: FILE, or write ${NAME} for an environment variable"}
	}
	return envName(name), nil
}

// isName checks a name that the admin chose.
func isName(s string) bool {
	if s == "" || utf8.RuneCountInString(s) > 63 {
		return false
	}
	for i, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && (i == 0 || !strings.ContainsRune("._-", r)) {
			return false
		}
	}
	return true
}
