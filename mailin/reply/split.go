package reply

import (
	"strings"

	"supportd/mailin/htmltext"
)

// split takes the lines of a body apart.
func split(lines []line) Parts {
	s := newScan(lines, true)
	parts := s.assemble()
	if s.marked && parts.Reply == "" {
		// Nobody wrote above the marker: the answer may stand below what it quotes.
		s = newScan(lines, false)
		parts = s.assemble()
	}
	if parts.Reply == "" && parts.Forwarded == nil {
		return Parts{Reply: join(lines), Original: parts.Original}
	}
	return parts
}

// assemble decides which segments are new.
func (s *scan) assemble() Parts {
	segs := s.segments
	tail, below, quoted := trimTail(segs)
	signature := joinParts(below)
	var reply []line
	drop := func(seg segment) {
		quoted = append(append(quoted, seg.intro...), seg.lines...)
	}

	kept := segs[:tail]
	if n := len(kept); n > 2 && kept[n-2].quote && kept[n-2].strong && onlySignOff(kept[n-1].lines) {
		// Someone signed below the quote: that answers nothing in it.
		drop(kept[n-2])
		kept = append(kept[:n-2:n-2], kept[n-1])
	}
	texts, quotes, first := 0, 0, -1
	for i, seg := range kept {
		if seg.quote {
			quotes++
			if first < 0 {
				first = i
			}
		} else {
			texts++
		}
	}
	bottom := quotes == 1 && first == 0 && segs[0].strong && tail == len(segs)
	for _, seg := range kept {
		switch {
		case !seg.quote:
			reply = append(append(reply, seg.lines...), line{})
		case bottom:
			drop(seg)
		default:
			quoted = append(quoted, seg.intro...)
			if len(seg.lines) > 0 {
				reply = append(append(reply, seg.lines...), line{})
			}
		}
	}
	for _, seg := range segs[tail:] {
		if seg.quote {
			drop(seg)
		}
	}
	if texts == 0 {
		reply = nil
	}
	p := Parts{Reply: join(reply), Quoted: join(quoted), Signature: join(signature)}
	s.forwards(&p)
	return p
}

// trimTail finds how many segments may be new, and takes the signatures off the text: a quote at the end is never new,
// nor is what stands below it when that is only a signature. Signatures come last first.
func trimTail(segs []segment) (tail int, below [][]line, quoted []line) {
	tail = len(segs)
	for cut := false; tail > 0; tail-- {
		seg := &segs[tail-1]
		if seg.quote {
			cut = true
			continue
		}
		if !cut && tail == 1 {
			seg.lines, quoted = cutBelowSentFrom(seg.lines, quoted)
		}
		text, sign := splitSignature(seg.lines, !cut && len(quoted) == 0 && tail == 1, tail > 1)
		if len(sign) > 0 {
			below = append(below, sign)
			seg.lines = text
		}
		if len(text) > 0 {
			if cut {
				seg.lines = trimRules(text)
			}
			break
		}
	}
	if len(segs) > 0 && !segs[0].quote {
		var banner []line
		if banner, segs[0].lines = splitBanner(segs[0].lines); len(banner) > 0 {
			below = append(below, banner)
		}
	}
	return tail, below, quoted
}

// joinParts joins parts of which the last comes first, with a blank line between them.
func joinParts(parts [][]line) []line {
	var lines []line
	for i := len(parts) - 1; i >= 0; i-- {
		lines = append(lines, parts[i]...)
		if i > 0 {
			lines = append(lines, line{})
		}
	}
	return lines
}

// trimRules takes rules and blank lines off the end: they belong to what was cut below them.
func trimRules(lines []line) []line {
	for n := len(lines); n > 0; n-- {
		l := lines[n-1]
		if !l.blank() && !ruled(l.text, 4) && l.in&htmltext.Rule == 0 {
			return lines[:n]
		}
	}
	return nil
}

// maxBanner is how many lines a warning above a mail may have.
const maxBanner = 6

// splitBanner parts a text from a warning that a mail server has put above it: "CAUTION: external e-mail …".
func splitBanner(lines []line) (banner, text []line) {
	end := 0
	for end < len(lines) && !lines[end].blank() {
		end++
	}
	if end == len(lines) || end > maxBanner {
		return nil, lines
	}
	var b strings.Builder
	for _, l := range lines[:end] {
		if len(l.text) > maxIntro {
			return nil, lines
		}
		b.WriteString(l.text)
		b.WriteByte(' ')
	}
	if !words.banner.in(fold(b.String())) {
		return nil, lines
	}
	return lines[:end], trimBlank(lines[end:])
}

// cutBelowSentFrom cuts a text below a line that a phone has added: some put the mail that is answered there, without
// any mark, and nobody writes below it.
func cutBelowSentFrom(lines, quoted []line) (text, rest []line) {
	for i := 1; i+1 < len(lines); i++ {
		if !lines[i-1].blank() || !lines[i+1].blank() || !isSentFrom(lines[i].text) {
			continue
		}
		if below := trimBlank(lines[i+1:]); len(below) > 0 && strings.TrimSpace(join(lines[:i])) != "" && !onlySignature(below) {
			return lines[:i+1], append(quoted, below...)
		}
	}
	return lines, quoted
}
