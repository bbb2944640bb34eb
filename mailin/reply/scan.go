package reply

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"supportd/mailin/htmltext"
)

// segment is a stretch of a body: text, or a quote with what introduces it.
type segment struct {
	quote  bool
	strong bool // something says that this is a quote, apart from its marks
	rest   bool // the quote takes everything to the end of the body
	intro  []line
	lines  []line
}

// scan is a body on its way into segments.
type scan struct {
	lines    []line
	segments []segment
	text     int  // where the text that is being collected starts
	some     bool // there is a segment with lines
	header   *header
	forward  bool // something said "forwarded"
	honour   bool // our own marker counts
	marked   bool // cut at our own marker

	noBlock int // no header block starts before this line, but at a few From lines
	retries int // how many of those may still be tried
}

// newScan finds the segments of a body.
func newScan(lines []line, honourMarker bool) *scan {
	s := &scan{lines: lines, honour: honourMarker}
	for i := 0; i < len(lines); {
		i = s.step(i)
	}
	s.flush(len(lines))
	return s
}

// step looks at line i and returns the next line to look at.
func (s *scan) step(i int) int {
	l := s.lines[i]
	if l.blank() && l.depth == 0 {
		return i + 1
	}
	sep := readSeparator(l.text)
	switch {
	case sep == sepMarker && s.honour:
		s.marked = true
		return s.rest(i, i)
	case l.depth > 0:
		if groupWise(l.raw) {
			return s.introduced(intro{i, i + 1, true})
		}
		if in, ok := s.closing(i); ok {
			return s.introduced(in)
		}
		return s.quoted(i)
	case sep == sepForwarded:
		return s.forwarded(i)
	case sep == sepOriginal:
		return s.separated(i)
	}
	if h, ok := s.readBlock(i); ok {
		return s.block(h, i)
	}
	if in, ok := s.container(i); ok {
		return s.introduced(in)
	}
	if in, ok := readIntro(s.lines, i, s.text); ok && s.acceptable(in) {
		return s.introduced(in)
	}
	return i + 1
}

// maxRetries is how often a header block is looked for again inside lines that made none.
const maxRetries = 3

// readBlock is readHeader for line i, but does not read the same lines over and over: when a block fails, its later
// lines fail too, unless a second From line starts a better one.
func (s *scan) readBlock(i int) (header, bool) {
	again := i < s.noBlock
	if again {
		if kind, _ := headerField(s.lines[i].text); kind != labelFrom || s.retries == 0 {
			return header{}, false
		}
		s.retries--
	}
	h, ok := readHeader(s.lines, i)
	if !ok && !again {
		s.noBlock, s.retries = h.end, maxRetries
	}
	return h, ok
}

// hasText reports whether anything new stands above line i.
func (s *scan) hasText(i int) bool {
	return s.some || next(s.lines, s.text) < i
}

func (s *scan) add(seg segment) {
	s.segments = append(s.segments, seg)
	s.some = s.some || len(seg.lines) > 0
}

// flush makes a segment of the text up to line i.
func (s *scan) flush(i int) {
	if t := trimBlank(s.lines[s.text:i]); len(t) > 0 {
		s.add(segment{lines: t})
	}
	s.text = i
}

// rest makes everything from line i a quote, introduced by lines from start on.
func (s *scan) rest(start, i int) int {
	s.flush(start)
	s.add(segment{quote: true, strong: true, rest: true, intro: s.lines[start:i], lines: s.lines[i:]})
	s.text = len(s.lines)
	return s.text
}

// forwarded handles "---------- Forwarded message ---------" at line i.
func (s *scan) forwarded(i int) int {
	k := nextText(s.lines, i+1)
	if k == len(s.lines) {
		return i + 1
	}
	s.forward = true
	if h, ok := s.headerNear(k); ok {
		s.header = &h
	}
	return s.rest(i, i+1)
}

// headerNear reads a header block at line k or, below an introduction, soon after it.
func (s *scan) headerNear(k int) (header, bool) {
	for n := 0; n < 3 && k < len(s.lines); n++ {
		if h, ok := readHeader(s.lines, k); ok || h.known[labelFrom] {
			return h, true
		}
		k = nextText(s.lines, k+1)
	}
	return header{}, false
}

// separated handles "-----Original Message-----" at line i.
func (s *scan) separated(i int) int {
	k := nextText(s.lines, i+1)
	if k < len(s.lines) {
		if h, ok := readHeader(s.lines, k); ok {
			return s.block(h, i)
		}
	}
	if !s.hasText(i) {
		return i + 1
	}
	return s.rest(i, i+1)
}

// block handles a header block whose separator, if any, stands at line start.
func (s *scan) block(h header, start int) int {
	k := next(s.lines, h.end)
	if s.header == nil {
		s.header = &h
	}
	if s.hasText(start) || k == len(s.lines) || s.lines[k].depth == 0 {
		return s.rest(start, h.end)
	}
	// Nothing new stands above, and what follows is marked as quoted: the answer may stand below.
	end := s.quoteEnd(k)
	if next(s.lines, end) == len(s.lines) {
		return s.rest(start, h.end)
	}
	return s.introduced(intro{start, h.end, true})
}

// container handles the place where a client's own box around the quote begins.
func (s *scan) container(i int) (intro, bool) {
	const marks = htmltext.Quoted | htmltext.Intro
	if s.lines[i].in&marks == 0 || i > 0 && s.lines[i-1].in&marks == s.lines[i].in&marks {
		return intro{}, false
	}
	k := i + 1
	for k < len(s.lines) && k < i+maxIntroLines && s.lines[k].depth == 0 && !s.lines[k].soft && s.lines[k].in&marks != 0 {
		if readSeparator(s.lines[k].text) != noSeparator {
			return intro{}, false
		}
		if kind, _ := headerField(s.lines[k].text); kind != noLabel {
			return intro{}, false
		}
		k++
	}
	if k = next(s.lines, k); k < len(s.lines) && (s.lines[k].depth > 0 || s.lines[k].soft) {
		return intro{i, k, true}, true
	}
	return intro{i, i, true}, s.hasText(i)
}

// acceptable reports whether what stands around an introduction lets it be one.
func (s *scan) acceptable(in intro) bool {
	k := next(s.lines, in.end)
	quoted := k < len(s.lines) && s.deeper(k, in.start)
	if quoted {
		return true
	}
	ends := strings.TrimRight(s.lines[in.end-1].text, " *_|")
	if !strings.HasSuffix(ends, ":") && !strings.HasSuffix(ends, "：") && !strings.HasSuffix(ends, "-") && k == in.end {
		return false
	}
	return in.strong
}

// deeper reports whether line k is quoted where line i is not.
func (s *scan) deeper(k, i int) bool {
	return s.lines[k].depth > 0 || s.lines[k].soft && !s.lines[i].soft
}

// closing looks for an introduction whose last line only looks quoted: "On …, Ada <ada@example.org" and "> wrote:".
func (s *scan) closing(i int) (intro, bool) {
	l := s.lines[i]
	if i == 0 || l.depth != 1 || len(l.text) > 40 || s.lines[i-1].blank() || s.lines[i-1].depth > 0 || l.raw[0] != '>' {
		return intro{}, false
	}
	in, ok := readIntro(s.lines, i, s.text)
	return in, ok && in.strong && in.start < i
}

// introduced handles an introduction.
func (s *scan) introduced(in intro) int {
	k := next(s.lines, in.end)
	if k < len(s.lines) && !s.deeper(k, in.start) && s.hasText(in.start) {
		return s.rest(in.start, in.end)
	}
	s.flush(in.start)
	seg := segment{quote: true, strong: in.strong || s.marked, intro: s.lines[in.start:in.end]}
	end := in.end
	if k < len(s.lines) && s.deeper(k, in.start) {
		end = s.quoteEnd(k)
		seg.lines = s.lines[k:end]
	}
	s.add(seg)
	s.text = end
	return end
}

// quoted handles marked lines from line i on that nothing introduced so far.
func (s *scan) quoted(i int) int {
	end := s.quoteEnd(i)
	above := s.hasText(i)
	s.flush(i)
	seg := segment{quote: true, lines: s.lines[i:end]}
	k := nextText(s.lines, i)
	if k < end {
		if h, ok := readHeader(s.lines, k); ok {
			seg.strong = true
			if s.header == nil {
				s.header = &h
			}
		} else if readSeparator(s.lines[k].text) == sepForwarded {
			s.forward, seg.strong = true, true
			if h, ok := s.headerNear(nextText(s.lines, k+1)); ok {
				s.header = &h
			}
			if above { // who forwards writes above
				return s.rest(i, i)
			}
		}
		for j := k; j < end && j < k+maxIntroLines && !seg.strong; j++ {
			in, ok := readIntro(s.lines[:end], j, k)
			seg.strong = ok && in.strong && in.start == k
		}
	}
	s.add(seg)
	s.text = end
	return end
}

// quoteEnd finds where the quote ends that starts at line i.
func (s *scan) quoteEnd(i int) int {
	soft := s.lines[i].depth == 0
	for {
		for i < len(s.lines) && (s.lines[i].depth > 0 || soft && s.lines[i].soft) {
			if s.honour && readSeparator(s.lines[i].text) == sepMarker {
				return i
			}
			i++
		}
		k := next(s.lines, i)
		switch {
		case k == len(s.lines):
			return i
		case s.lines[k].depth > 0 || soft && s.lines[k].soft:
			i = k
		case k == i && s.wrapped(i):
			i++
		default:
			return i
		}
	}
}

// wrapped reports whether line i is the end of the quoted line before it, broken by a program that did not mark it.
func (s *scan) wrapped(i int) bool {
	if i == 0 || i+1 >= len(s.lines) || s.lines[i+1].depth == 0 || s.lines[i-1].depth == 0 {
		return false
	}
	text, before := s.lines[i].text, s.lines[i-1].text
	if before == "" {
		return false
	}
	if !strings.ContainsAny(text, " \t") && strings.Contains(before[strings.LastIndexByte(before, ' ')+1:], "://") {
		return true
	}
	r, _ := utf8.DecodeRuneInString(text)
	return len(s.lines[i-1].raw) >= 60 && unicode.IsLower(r) && !strings.ContainsAny(before[len(before)-1:], ".!?:")
}
