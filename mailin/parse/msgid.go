package parse

import "strings"

const (
	maxIDs     = 1000 // msg-ids kept of one field (S-129): the first ten and the last ones
	maxIDBytes = 998  // of one msg-id: a line's length (RFC 5322 §2.1.1)
)

// msgIDs reads the msg-ids of a Message-ID, In-Reply-To or References field, without angle brackets. It is a plain
// scan, linear in the value: the grammar of RFC 5322 §3.6.4 is neither kept by senders nor cheap to hold them to. White
// space inside the brackets is a fold and left out. Without any brackets, words with an "@" are taken.
func msgIDs(value string) []string {
	if strings.Contains(value, "=?") {
		value = decodeWords(value, "")
	}
	var ids []string
	for rest := value; ; {
		open := strings.IndexByte(rest, '<')
		if open < 0 {
			break
		}
		rest = rest[open+1:]
		end := strings.IndexAny(rest, "<>")
		if end < 0 {
			if id := cleanID(rest); strings.Contains(id, "@") {
				ids = keepID(ids, id)
			}
			break
		}
		if rest[end] == '<' {
			rest = rest[end:]
			continue
		}
		ids = keepID(ids, cleanID(rest[:end]))
		rest = rest[end+1:]
	}
	if ids == nil {
		for _, w := range strings.FieldsFunc(value, func(r rune) bool { return r <= ' ' || r == ',' || r == ';' || r == '>' }) {
			if strings.Contains(w, "@") {
				ids = keepID(ids, cleanID(w))
			}
		}
	}
	if over := len(ids) - maxIDs; over > 0 {
		ids = append(ids[:10], ids[10+over:]...)
	}
	return ids
}

func keepID(ids []string, id string) []string {
	if id == "" {
		return ids
	}
	return append(ids, id)
}

func cleanID(id string) string {
	if len(id) > maxIDBytes {
		return ""
	}
	if strings.ContainsAny(id, " \t") {
		id = strings.NewReplacer(" ", "", "\t", "").Replace(id)
	}
	return id
}
