package classify

import (
	"fmt"
	"slices"
	"strings"
)

// matrix checks that impact and urgency always give a priority, and that more of either never gives a lower one. The
// order of priorities is that of their names: P1 stands above P2.
func (cp *compiler) matrix() {
	m, d := cp.config.Matrix, cp.config.Derive
	if len(m) == 0 {
		if len(d.Impact) > 0 || len(d.Urgency) > 0 {
			cp.lint("E07", "priorities.matrix", "is missing, though derive decides impact or urgency")
		}
		return
	}
	const path = "priorities.matrix"
	complete := true
	for _, impact := range sortedKeys(m) {
		if !slices.Contains(levels, impact) {
			cp.lint("E07", fmt.Sprintf("%s[%s]", path, impact), "%q is none of %s", impact, strings.Join(levels, ", "))
		}
		for _, urgency := range sortedKeys(m[impact]) {
			if !slices.Contains(levels, urgency) {
				cp.lint("E07", fmt.Sprintf("%s[%s][%s]", path, impact, urgency), "%q is none of %s", urgency, strings.Join(levels, ", "))
			}
		}
	}
	for _, impact := range levels {
		for _, urgency := range levels {
			if m[impact][urgency] == "" {
				cp.lint("E07", fmt.Sprintf("%s[%s][%s]", path, impact, urgency), "there is no priority for impact %s and urgency %s", impact, urgency)
				complete = false
			}
		}
	}
	if !complete {
		return
	}
	for i := range levels {
		for j := range levels {
			if i > 0 && m[levels[i-1]][levels[j]] > m[levels[i]][levels[j]] {
				cp.lint("E07", fmt.Sprintf("%s[%s][%s]", path, levels[i-1], levels[j]), "%s is lower than %s, though the impact is higher",
					m[levels[i-1]][levels[j]], m[levels[i]][levels[j]])
			}
			if j > 0 && m[levels[i]][levels[j-1]] > m[levels[i]][levels[j]] {
				cp.lint("E07", fmt.Sprintf("%s[%s][%s]", path, levels[i], levels[j-1]), "%s is lower than %s, though the urgency is higher",
					m[levels[i]][levels[j-1]], m[levels[i]][levels[j]])
			}
		}
	}
}
