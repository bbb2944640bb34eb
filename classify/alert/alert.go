// Package alert reads what a monitoring system says in its mail: which host and service, and whether it is a problem or
// its end. It knows the notifications that Nagios, Icinga, Zabbix, Checkmk, Alertmanager, Grafana, Uptime Kuma and Monit
// send when nobody has changed their texts. It does not decide whether a mail is to be believed, and what becomes of it.
package alert

import (
	"regexp"
	"strings"
	"unicode"

	"supportd/tickets"
)

// Alert is what a notification says.
type Alert struct {
	System  string // nagios, icinga, zabbix, checkmk, alertmanager, grafana, uptime_kuma, monit
	Host    string // lower case; of a group of alerts about several hosts ""
	Service string // "" when it is about the host itself
	State   string // in the system's own word, upper case, such as CRITICAL
	Event   Event
	// Sure says that subject and text agree: nobody writes such a mail by hand.
	Sure bool
}

// Event is what happened.
type Event string

const (
	Problem  Event = "problem"
	Recovery Event = "recovery"
	Notice   Event = "notice" // neither: an acknowledgement, a downtime, flapping, the end of a test
)

// A form is how the subjects of a system look. All expressions are anchored, so that answered and forwarded notifications
// are none.
type form struct {
	system  string
	subject *regexp.Regexp
	read    func(a *Alert, groups []string, b body)
}

// forms is the whole of what is known, first match first.
var forms = []form{
	{"nagios", regexp.MustCompile(`(?i)^\*+ ?([a-z]+)(?: \([a-z]+\))? ?-? ?(host|service) alert: (.+) is ([a-z]+) ?\*+$`), readNagios},
	{"icinga", regexp.MustCompile(`(?i)^\[([a-z]+)\] (?:(host) )?(.+) is (up|down|unreachable|ok|warning|critical|unknown)!?$`), readIcinga},
	{"icinga", regexp.MustCompile(`(?i)^(problem|recovery|acknowledgement|custom|flapping ?start|flapping ?end|downtime ?start|downtime ?end|downtime ?removed) - (\S+)(?: - (.+))? is (up|down|unreachable|ok|warning|critical|unknown)$`), readIcingaDashes},
	{"zabbix", regexp.MustCompile(`(?i)^(problem|resolved|updated problem|acknowledged problem)(?: in [0-9dhmswy ]+)?: (.+)$`), readZabbix},
	{"checkmk", regexp.MustCompile(`(?i)^check_?mk: ([^/ ]+)(?:/(.+?))?(?: -)? (?:([a-z]+) ?(?:->|→) ?([a-z]+)|(acknowledged.*|flapping.*|downtime.*|custom.*|test.*|.*scheduled.*))$`), readCheckmk},
	{"alertmanager", regexp.MustCompile(`(?i)^\[(firing|resolved)(?::\d+)?(?:, ?(?:firing|resolved):\d+)?\] ?(.*)$`), readAlertmanager},
	{"uptime_kuma", regexp.MustCompile(`^\[(.+)\] \[(🔴 Down|✅ Up|⚠️ ?.+|.* (?:Down|Up))\] ?.*$`), readUptimeKuma},
	{"monit", regexp.MustCompile(`(?i)^monit alert ?-- +(.+)$`), readMonit},
}

// maxLines bounds how much of a notification is read.
const maxLines = 300

// maxName bounds names of hosts and services.
const maxName = 200

// Read reads a notification; ok is false when the mail is none that it knows.
func Read(m *tickets.Message) (a Alert, ok bool) {
	subject := strings.Join(strings.Fields(m.Subject), " ")
	if len(subject) > 1000 {
		return a, false
	}
	for _, f := range forms {
		groups := f.subject.FindStringSubmatch(subject)
		if groups == nil {
			continue
		}
		a = Alert{System: f.system}
		f.read(&a, groups, readBody(m))
		a.Host, a.Service = strings.ToLower(name(a.Host)), name(a.Service)
		a.State = strings.ToUpper(name(a.State))
		if a.Host == "" && a.Service == "" || a.Event == "" {
			return Alert{}, false
		}
		return a, true
	}
	return a, false
}

// name is a name on one line, without control characters, and not too long.
func name(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if len(s) > maxName {
		s = strings.ToValidUTF8(s[:maxName], "")
	}
	return s
}

// body is the text of a notification: the whole, in lower case, and the values of its "Name: value" lines.
type body struct {
	text   string
	values map[string]string   // by lower-case name; the first of a name
	all    map[string][]string // labels ("name = value"), every one
}

func readBody(m *tickets.Message) body {
	b := body{values: map[string]string{}, all: map[string][]string{}}
	text := m.Text
	if len(text) > 64<<10 {
		text = strings.ToValidUTF8(text[:64<<10], "")
	}
	b.text = strings.ToLower(text)
	lines := 0
	for line := range strings.Lines(text) {
		if lines++; lines > maxLines {
			break
		}
		line = strings.Trim(line, " \t\r\n*-•|")
		if key, value, ok := strings.Cut(line, " = "); ok && !strings.Contains(key, ":") {
			b.label(key, value)
		}
		key, value, ok := strings.Cut(line, ":")
		key = strings.ToLower(strings.TrimSpace(key))
		if !ok || key == "" || len(key) > 40 {
			continue
		}
		if _, have := b.values[key]; !have {
			b.values[key] = strings.TrimSpace(value)
		}
	}
	return b
}

func (b body) label(key, value string) {
	key, value = strings.ToLower(strings.TrimSpace(key)), strings.Trim(strings.TrimSpace(value), `"`)
	for _, have := range b.all[key] {
		if have == value {
			return
		}
	}
	b.all[key] = append(b.all[key], value)
}

// one returns the value of the first of the labels that has exactly one.
func (b body) one(labels ...string) string {
	for _, l := range labels {
		if list := b.all[l]; len(list) == 1 && list[0] != "" {
			return list[0]
		}
	}
	return ""
}

// has reports whether the text has all of the words, which are in lower case.
func (b body) has(words ...string) bool {
	for _, w := range words {
		if !strings.Contains(b.text, w) {
			return false
		}
	}
	return true
}

// event reads the type of a notification of the Nagios family.
func event(word string) Event {
	switch strings.ToLower(word) {
	case "problem":
		return Problem
	case "recovery":
		return Recovery
	}
	return Notice
}

func readNagios(a *Alert, g []string, b body) {
	a.Event, a.State, a.Host = event(g[1]), g[4], g[3]
	if strings.EqualFold(g[2], "service") {
		a.Host, a.Service, _ = strings.Cut(g[3], "/")
	}
	if b.has("icinga") {
		a.System = "icinga"
	}
	a.Sure = b.has("notification type:", "state:", "host:")
}

func readIcinga(a *Alert, g []string, b body) {
	a.Event, a.State, a.Host = event(g[1]), g[4], g[3]
	if g[2] == "" {
		// "disk on web01": hosts have no blanks, services may.
		if at := strings.LastIndex(g[3], " on "); at >= 0 {
			a.Service, a.Host = g[3][:at], g[3][at+4:]
		}
	}
	if h := b.values["host"]; h != "" && b.values["service"] != "" {
		a.Host, a.Service = h, b.values["service"]
	}
	a.Sure = b.has("host:") && (b.has("monitoring on") || b.has("icinga") || b.has("notification type:"))
}

func readIcingaDashes(a *Alert, g []string, b body) {
	a.Event, a.Host, a.Service, a.State = event(g[1]), g[2], g[3], g[4]
	a.Sure = b.has("notification type:") || b.has("icinga") && b.has("host:")
}

func readZabbix(a *Alert, g []string, b body) {
	switch strings.ToLower(g[1]) {
	case "problem":
		a.Event = Problem
	case "resolved":
		a.Event = Recovery
	default:
		a.Event = Notice
	}
	a.Service, a.Host, a.State = g[2], b.values["host"], b.values["severity"]
	if n := b.values["problem name"]; n != "" {
		a.Service = n
	}
	a.Sure = b.has("problem name:", "host:") && (b.has("problem started at") || b.has("problem has been resolved") || b.has("original problem id"))
	if !a.Sure && a.Host == "" {
		a.Event = "" // "Problem: …" is how people write too
	}
}

func readCheckmk(a *Alert, g []string, _ body) {
	a.Host, a.Service, a.State = g[1], g[2], g[4]
	switch strings.ToUpper(g[4]) {
	case "":
		a.Event, a.State = Notice, g[5]
	case "OK", "UP":
		a.Event = Recovery
	default:
		a.Event = Problem
	}
	a.Sure = true
}

func readAlertmanager(a *Alert, g []string, b body) {
	a.Event, a.State = Problem, g[1]
	if strings.EqualFold(g[1], "resolved") {
		a.Event = Recovery
	}
	title, _, _ := strings.Cut(g[2], " (")
	a.Service = b.one("alertname")
	if a.Service == "" {
		a.Service = title
	}
	a.Host = b.one("instance", "host", "hostname", "node", "pod", "namespace", "cluster", "job")
	if host, port, ok := strings.Cut(a.Host, ":"); ok && port != "" && strings.Trim(port, "0123456789") == "" {
		a.Host = host
	}
	if b.has("grafana") && !b.has("alertmanager") {
		a.System = "grafana"
	}
	a.Sure = len(b.all["alertname"]) > 0 || b.has("alertname") || b.has("sent by alertmanager")
}

func readUptimeKuma(a *Alert, g []string, b body) {
	a.Host = g[1]
	switch {
	case strings.HasSuffix(g[2], "Down"):
		a.Event, a.State = Problem, "DOWN"
	case strings.HasSuffix(g[2], "Up"):
		a.Event, a.State = Recovery, "UP"
	default:
		a.Event, a.State = Notice, g[2]
	}
	a.Sure = strings.HasPrefix(g[2], "🔴") || strings.HasPrefix(g[2], "✅")
}

// monitOver are endings of Monit's events that say that something is over, in lower case.
var monitOver = [...]string{"succeeded", "recovery", "recovered", "exists", "not changed", "doesn't match", "exists not"}

// monitNotice are events of Monit about itself.
var monitNotice = [...]string{"action done", "instance changed", "instance not changed", "monit instance"}

func readMonit(a *Alert, g []string, b body) {
	// The text starts with "Connection failed Service apache"; the subject repeats event and service.
	var first string
	for line := range strings.Lines(b.text) {
		if first = strings.TrimSpace(line); first != "" {
			break
		}
	}
	subject := strings.ToLower(g[1])
	what, service, ok := strings.Cut(first, " service ")
	if !ok {
		at := strings.LastIndexByte(subject, ' ')
		what, service = subject[:max(at, 0)], subject[at+1:]
	}
	a.Host, a.Service, a.State, a.Event = b.values["host"], strings.TrimSpace(service), what, Problem
	for _, over := range monitOver {
		if strings.HasSuffix(what, over) {
			a.Event = Recovery
		}
	}
	for _, n := range monitNotice {
		if strings.Contains(what, n) {
			a.Event = Notice
		}
	}
	a.Sure = b.has("description:", "action:")
}
