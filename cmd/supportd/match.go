package main

import (
	"strings"

	"supportd/classify"
	"supportd/cmd/supportd/config"
)

// buildMatch turns a condition of the configuration into the classifier's.
func buildMatch(m config.Match) classify.Match {
	var out classify.Match
	for _, t := range m {
		text := &out.Text
		switch t.Scope {
		case "subject":
			text = &out.Subject
		case "body":
			text = &out.Body
		}
		switch t.How {
		case "words":
			text.Words = t.Values
		case "contains":
			text.Contains = t.Values
		case "regex":
			text.Regex = strings.Join(t.Values, "|")
		}
	}
	return out
}
