package config

import (
	"cmp"
	"fmt"
	"math"
	"net"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"supportd/tickets"
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
	"regex":      {wants: "a regular expression", plural: "regular expressions", quote: true, parse: parseRegex},
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

// rate is so many in a time.
type rate struct {
	n   int
	per time.Duration
}

func (r rate) String() string { return fmt.Sprintf("%d/%s", r.n, written(r.per)) }

func parseRate(s string) (any, error) {
	bad := &fault{what: fmt.Sprintf("wants a number and a time such as 20/1h, got %q", clip(s))}
	number, time, _ := strings.Cut(s, "/")
	n, err := strconv.Atoi(number)
	per, _, ok := duration(time)
	if err != nil || n < 1 || n > 999_999 || !ok || per <= 0 {
		return nil, bad
	}
	return rate{n, per}, nil
}

func parsePercent(s string) (any, error) {
	number, ok := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 0 {
		return nil, &fault{code: "E13", what: fmt.Sprintf("wants a percentage such as 75%%, got %q", clip(s))}
	}
	return n, nil
}

// parseMoment reads a time of day on a date; the zone is that of the organisation.
func parseMoment(s string) (any, error) {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		return nil, &fault{what: fmt.Sprintf("wants a date and time such as \"2026-11-23 08:00\", got %q", clip(s))}
	}
	return t, nil
}

// mobileVariable stands for the column mobile of people.
const mobileVariable = "{{.Person.Mobile}}"

func parseMobile(s string) (any, error) {
	if _, err := parseAddress(strings.Replace(s, mobileVariable, "1", 1)); err != nil || strings.Contains(strings.Replace(s, mobileVariable, "", 1), "{{") {
		return nil, &fault{what: fmt.Sprintf("%q is no address with %s in it", clip(s), mobileVariable), fix: "write such as " + mobileVariable + "@sms.nordwind.example"}
	}
	return s, nil
}

func parseClock(s string) (any, error) {
	if m, ok := minutes(s); !ok || m == dayEnd {
		return nil, &fault{what: fmt.Sprintf("wants a time of day such as \"08:30\", got %q", clip(s))}
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

func parsePerson(s string) (any, error) {
	if !strings.Contains(s, "@") {
		if !isName(s) {
			return nil, &fault{what: fmt.Sprintf("%q is neither a mail address nor an id of people", clip(s)), fix: "write name@domain, or what stands in the column id"}
		}
		return s, nil
	}
	if _, err := parseAddress(s); err != nil {
		return nil, err
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

func parseInt(s string) (any, error) {
	if len(s) > 1 && s[0] == '0' {
		return nil, &fault{what: fmt.Sprintf("%q begins with a zero, which YAML reads as an octal number", clip(s)), fix: "write it without"}
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return nil, &fault{what: fmt.Sprintf("wants a whole number, got %q", clip(s))}
	}
	return n, nil
}

func parseNumber(s string) (any, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, &fault{what: fmt.Sprintf("wants a number, got %q", clip(s))}
	}
	return f, nil
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

// units of durations, longest first where one begins like another.
var units = []struct {
	name string
	d    time.Duration
}{{"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}}

// duration reads numbers with units, such as 1h30m. days tells whether there was a d among them.
func duration(s string) (total time.Duration, days, ok bool) {
	if s == "" || len(s) > 40 {
		return 0, false, false
	}
	for s != "" {
		i := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if i <= 0 {
			return 0, false, false
		}
		num, err := strconv.ParseFloat(s[:i], 64)
		u := slices.IndexFunc(units, func(u struct {
			name string
			d    time.Duration
		}) bool {
			return strings.HasPrefix(s[i:], u.name)
		})
		if err != nil || u < 0 || num > 1e7 {
			return 0, false, false
		}
		total += time.Duration(num * float64(units[u].d))
		days = days || units[u].name == "d"
		s = s[i+len(units[u].name):]
		if total > 100*365*24*time.Hour {
			return 0, false, false
		}
	}
	return total, days, true
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

func parseDuration(s string) (any, error) {
	if s == "0" {
		return time.Duration(0), nil
	}
	if isNumber(s) {
		return nil, &fault{what: fmt.Sprintf("wants a duration, got the bare number %s", clip(s)), fix: fmt.Sprintf("write the unit: %ss, %sm, %sh or %sd", clip(s), clip(s), clip(s), clip(s))}
	}
	d, _, ok := duration(s)
	if !ok {
		return nil, &fault{what: fmt.Sprintf("wants a duration such as 30s, 5m, 4h or 7d, got %q", clip(s))}
	}
	return d, nil
}

func parseTarget(s string) (any, error) {
	if isNumber(s) {
		return nil, &fault{what: fmt.Sprintf("wants a time such as 4h, got the bare number %s", clip(s)), fix: fmt.Sprintf("write the unit: %sh or %sm", clip(s), clip(s))}
	}
	d, days, ok := duration(s)
	switch {
	case !ok:
		return nil, &fault{what: fmt.Sprintf("wants a time in hours, minutes or seconds such as 4h, got %q", clip(s))}
	case days:
		return nil, &fault{code: "E09", what: fmt.Sprintf("%q counts days, and a working day has no fixed length", s), fix: "write 24h for three 8-hour days"}
	}
	return d, nil
}

func parseSize(s string) (any, error) {
	bad := &fault{what: fmt.Sprintf("wants a size such as 25MB, got %q", clip(s)), fix: "write a number and B, kB, MB, GB, KiB, MiB or GiB"}
	i := strings.LastIndexAny(s, "0123456789") + 1
	num, err := strconv.ParseFloat(s[:i], 64)
	if err != nil || num < 0 || num > 1e15 {
		return nil, bad
	}
	factor := map[string]float64{"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[strings.TrimSpace(s[i:])]
	if factor == 0 || num*factor > 1e15 {
		return nil, bad
	}
	return int64(num * factor), nil
}

func parseDate(s string) (any, error) {
	if _, err := time.Parse(time.DateOnly, s); err == nil {
		return s, nil
	}
	if _, err := time.Parse(time.RFC3339, s); err == nil {
		return s, nil
	}
	return nil, &fault{what: fmt.Sprintf("wants a date such as 2026-11-01, got %q", clip(s)), fix: "write year, month and day, or date and time as in 2026-11-01T08:00:00+01:00"}
}

func parseAddress(s string) (any, error) {
	bad := &fault{what: fmt.Sprintf("%q is not a mail address", clip(s)), fix: "write name@domain or Name <name@domain>"}
	a := tickets.Address{Mail: strings.TrimSpace(s)}
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		rest, closed := strings.CutSuffix(strings.TrimSpace(s[i+1:]), ">")
		if !closed {
			return nil, bad
		}
		a.Mail, a.Name = rest, strings.TrimSpace(s[:i])
		if len(a.Name) >= 2 && a.Name[0] == '"' && a.Name[len(a.Name)-1] == '"' {
			a.Name = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(a.Name[1 : len(a.Name)-1])
		}
	}
	at := strings.LastIndexByte(a.Mail, '@')
	if at < 1 || len(a.Mail) > 254 || strings.ContainsFunc(s, unicode.IsControl) || strings.ContainsAny(a.Mail, " ,;<>()\"") {
		return nil, bad
	}
	if _, err := mail.ParseAddress("<" + a.Mail + ">"); err != nil || !isHost(a.Mail[at+1:]) {
		return nil, bad
	}
	return a, nil
}

// server is a host and the port to reach it on; port 0 leaves that to the TLS mode.
type server struct {
	host string
	port int
}

func parseServer(s string) (any, error) {
	if i := strings.Index(s, "://"); i >= 0 {
		host, _, _ := strings.Cut(s[i+3:], "/")
		return nil, &fault{what: fmt.Sprintf("wants a server, got the URL %q", clip(s)), fix: "write " + clip(host) + " and say by tls how to speak to it"}
	}
	bad := &fault{what: fmt.Sprintf("wants a server, host or host:port, got %q", clip(s)), fix: "write such as imap.nordwind.example or imap.nordwind.example:993"}
	host, port := s, ""
	if strings.Contains(s, ":") {
		var err error
		if host, port, err = net.SplitHostPort(s); err != nil {
			if net.ParseIP(s) != nil {
				return nil, &fault{what: fmt.Sprintf("wants a server, got %q", clip(s)), fix: "write IPv6 addresses in brackets, with a port: [" + s + "]:993"}
			}
			return nil, bad
		}
	}
	if !isHost(host) && net.ParseIP(host) == nil {
		return nil, bad
	}
	srv := server{host: host}
	if strings.Contains(s, ":") {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return nil, &fault{what: fmt.Sprintf("port %q is not a number from 1 to 65535", clip(port))}
		}
		srv.port = n
	}
	return srv, nil
}

func parseListen(s string) (any, error) {
	host, port, err := net.SplitHostPort(s)
	if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 1 || n > 65535 || host != "" && !isHost(host) && net.ParseIP(host) == nil {
		return nil, &fault{what: fmt.Sprintf("wants an address and port such as 127.0.0.1:8025, got %q", clip(s))}
	}
	return s, nil
}

// isHost checks a host name's letters and lengths (RFC 1123 §2.1), with letters of other alphabets (RFC 5890) and the
// underscore that names in practice have.
func isHost(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_' }) {
			return false
		}
	}
	return true
}

func parseHost(s string) (any, error) {
	if !isHost(s) {
		return nil, &fault{what: fmt.Sprintf("wants a host name such as mx.nordwind.example, got %q", clip(s))}
	}
	return strings.ToLower(s), nil
}

func parseDomain(s string) (any, error) {
	if !isHost(s) || !strings.Contains(s, ".") {
		return nil, &fault{what: fmt.Sprintf("wants a domain such as nordwind.example, got %q", clip(s)), fix: "write what stands behind the @"}
	}
	return strings.ToLower(s), nil
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
