package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxSignature bounds a signature, in octets: it stands below every answer.
const maxSignature = 1000

// agents settles what differs for single agents.
func (r *resolver) agents(k *fileKeys) {
	for _, a := range k.Agents.items {
		who, ok := r.person(a.Who)
		if ok && !r.isStaff(bare(who)) {
			r.report("E03", a.Who.at, "name a member of a team, or one of people", "%s is nobody of this desk", bare(who))
			ok = false
		}
		if ok && slices.ContainsFunc(r.cfg.Agents, func(o Agent) bool { return bare(o.Who) == bare(who) }) {
			r.report("E02", a.Who.at, "keep one of them", "%s stands here a second time", bare(who))
			ok = false
		}
		if !ok {
			continue
		}
		one := Agent{Who: who, Signature: map[string]string{}}
		for language, text := range map[string]opt[string]{"de": a.Signature.German, "en": a.Signature.English} {
			if len(text.val) > maxSignature {
				r.report("", text.at, "shorten it", "is %d octets long, and stands below every answer; %d are enough", len(text.val), maxSignature)
			} else if text.given {
				one.Signature[language] = strings.TrimSpace(text.val)
			}
		}
		r.cfg.Agents = append(r.cfg.Agents, one)
	}
}

// expandAgents writes what differs for single agents.
func (c *Config) expandAgents(root *node) {
	if len(c.Agents) == 0 {
		return
	}
	all := &node{Kind: yaml.SequenceNode}
	for _, a := range c.Agents {
		n, s := block().add("who", address(a.Who)), block()
		for _, language := range []string{"de", "en"} {
			s.addText(language, a.Signature[language])
		}
		all.Content = append(all.Content, n.add("signature", s).yaml())
	}
	root.add("agents", all)
}
