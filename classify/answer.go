package classify

import (
	"errors"
	"fmt"
	"strings"
)

// answerRule is an Answer ready for use.
type answerRule struct {
	name  string
	match *node
}

func (cp *compiler) answers() []answerRule {
	var out []answerRule
	for i := range cp.config.Answers {
		a := &cp.config.Answers[i]
		path := fmt.Sprintf("auto_answers.answers[%d]", i)
		if a.Name == "" {
			cp.lint("E04", path, "an answer has no name")
		}
		out = append(out, answerRule{a.Name, cp.match(&a.Match, path+".match", phaseRules)})
	}
	return out
}

// answer finds the automatic answer that fits, unless none may be given. A message on a ticket is never answered by a
// text of the rules: somebody is on it already.
func (s *state) answer() {
	if s.v.NoAnswer != "" || s.v.Quarantine != "" {
		return
	}
	for i, r := range s.k.answers {
		s.captures = nil
		if r.match.holds(s) {
			s.v.AutoAnswer = r.name
			s.because("auto_answer", r.name, r.match.why(s), fmt.Sprintf("auto_answers.answers[%d]", i))
			return
		}
	}
}

// languages checks the desk's languages.
func (cp *compiler) languages() {
	if len(cp.config.Languages) == 0 {
		cp.lint("E03", "languages", "at least one is needed")
	}
	for _, l := range cp.config.Languages {
		if len(l) != 2 || strings.ToLower(l) != l {
			cp.lint("E03", "languages", "%q is no ISO 639-1 code such as \"de\"", l)
		}
	}
}

var errNoHost = errors.New("want a host name such as \"mx.example.org\"")

// hosts checks the names whose word about a sender counts.
func (cp *compiler) hosts() (authserv, hosts []string) {
	for _, id := range cp.config.AuthservID {
		id = strings.ToLower(strings.TrimSpace(id))
		if id == "" || strings.ContainsAny(id, " \t;") {
			cp.lint("E03", "spam.trust_auth_results_from", "trusted authserv-id %q: %v", id, errNoHost)
			continue
		}
		authserv = append(authserv, id)
	}
	hosts = authserv
	if len(cp.config.TrustedHosts) > 0 {
		hosts = nil
	}
	for _, h := range cp.config.TrustedHosts {
		h = strings.ToLower(strings.Trim(strings.TrimSpace(h), "."))
		if h == "" {
			cp.lint("E03", "spam.trusted_hosts", "empty host name: %v", errNoHost)
			continue
		}
		hosts = append(hosts, h)
	}
	return authserv, hosts
}
