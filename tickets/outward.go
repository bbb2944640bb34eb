package tickets

import (
	"regexp"
	"strings"
)

// forCustomer is an agent's text as it leaves the house: the agent's own address, which signatures name, is the desk's
// (S-104), and between inline answers only what the customer's side may know is quoted.
func (op *operation) forCustomer(body string) string {
	said := []string{op.t.LastCustomer, op.t.value(fieldLastPublic, nil)}
	for _, e := range op.k.Recent {
		if e.Ticket == op.t.ID && (e.Kind == EntryReceived || e.Kind == EntryAnswered) {
			said = append(said, e.Text)
		}
	}
	body = quotesOf(body, said)
	for address := range op.r.Agents {
		body = replaceAddress(body, address, op.k.Brand.From.Mail)
	}
	return body
}

// minLeak is from how many letters on a line of a note is taken for that note when it stands in an answer.
const minLeak = 30

// handsOut reports whether a text holds a reply address, which gives rights.
func (op *operation) handsOut(body string) bool {
	for word := range strings.FieldsSeq(body) {
		if token := op.r.tokenIn(strings.Trim(word, "<>()[],;:\"'")); len(token) >= tokenEncoding.EncodedLen(tokenShort) {
			return true
		}
	}
	return false
}

// leaks says what of an answer must not leave the house: a reply address that gives rights, a line of an internal note,
// the desk's own words of a notice, or what stands on another ticket. Clients that quote without any mark put a whole
// notice into the new text (S-105); agents paste.
func (op *operation) leaks(body string) (Line, bool) {
	refused := func(key, suggestion string) (Line, bool) {
		return Line{Key: key, Args: map[string]string{"suggestion": suggestion}}, true
	}
	flat := strings.Join(strings.Fields(body), " ")
	if op.handsOut(flat) {
		return refused("refused.leak", "")
	}
	for _, e := range op.k.Recent {
		if e.Ticket != op.t.ID || e.Kind != EntryNoted && e.Kind != EntryVendor {
			continue
		}
		for _, line := range append(strings.Split(e.Text, "\n"), strings.TrimSuffix(excerpt(e.Text), "…")) {
			if line = strings.Join(strings.Fields(line), " "); len([]rune(line)) >= minLeak && strings.Contains(flat, line) {
				return refused("refused.leak", "#post")
			}
		}
	}
	if op.r.Marks.fromNotice(op.forCustomer(body)) {
		return refused("refused.notice", "#post")
	}
	switch op.k.Elsewhere {
	case "":
		return Line{}, false
	case op.t.Number:
		return refused("refused.leak", "#post")
	}
	return Line{Key: "refused.elsewhere", Args: map[string]string{"number": op.k.Elsewhere, "suggestion": "#post"}}, true
}

// quotesOf drops the quoted lines of inline answers that are not from what was said: a notice has notes, addresses and
// history around the customer's words, and whoever answers between its lines quotes those too (P5). Lines may have been
// wrapped anew. A text that quotes nothing of what was said is left alone: its lines with > are the agent's own.
func quotesOf(body string, said []string) string {
	known := strings.Join(strings.Fields(strings.Join(said, " ")), " ")
	quoted := func(line string) (bare string, ok bool) {
		line = strings.TrimSpace(line)
		bare = strings.TrimLeft(line, "> \t")
		return strings.Join(strings.Fields(bare), " "), strings.HasPrefix(line, ">")
	}
	lines := strings.Split(body, "\n")
	inline := false
	for _, line := range lines {
		bare, ok := quoted(line)
		inline = inline || ok && bare != "" && strings.Contains(known, bare)
	}
	if !inline {
		return body
	}
	var kept []string
	for _, line := range lines {
		bare, ok := quoted(line)
		switch {
		case !ok:
			line = strings.TrimRight(line, " \t\r")
		case bare == "":
			line = ""
		case !strings.Contains(known, bare):
			continue
		default:
			line = "> " + bare
		}
		if line == "" && (len(kept) == 0 || kept[len(kept)-1] == "") {
			continue
		}
		kept = append(kept, line)
	}
	return strings.TrimSpace(strings.Join(kept, "\n"))
}

// nothingNew reports whether a text is only a signature, or only a quote with the line that introduces it: readers show
// a mail without any new text as a whole, and an agent who sent an empty reply has written nothing.
func nothingNew(text string) bool {
	first, _, _ := strings.Cut(text, "\n")
	if strings.TrimSpace(first) == "--" {
		return true
	}
	intro, below, quotes := "", false, false
	for line := range strings.SplitSeq(text, "\n") {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, ">"):
			quotes, below = true, true
		case line == "" || below && strings.HasPrefix(line, "--"):
		case below:
			return false // something stands below the quote
		default:
			intro += line
		}
	}
	return quotes && (intro == "" || len(intro) < 300 && strings.HasSuffix(intro, ":") && strings.ContainsAny(intro, "0123456789@"))
}

// replaceAddress puts another address in the place of one, whatever its case. Longer addresses that contain it stay.
func replaceAddress(text, address, by string) string {
	if address == "" {
		return text
	}
	parts := regexp.MustCompile(`(?i)`+regexp.QuoteMeta(address)).FindAllStringIndex(text, -1)
	var b strings.Builder
	done := 0
	for _, p := range parts {
		before, after := text[:p[0]], text[p[1]:]
		next := strings.TrimLeft(after, ".")
		if before != "" && isAddressByte(before[len(before)-1]) || after != "" && after[0] != '.' && isAddressByte(after[0]) ||
			len(next) < len(after) && next != "" && isAddressByte(next[0]) {
			continue
		}
		b.WriteString(text[done:p[0]])
		b.WriteString(by)
		done = p[1]
	}
	return b.String() + text[done:]
}

// isAddressByte reports whether an address may go on with an octet.
func isAddressByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80 || strings.IndexByte("._+-@", c) >= 0
}
