package reply

import "strings"

// finder finds any of many phrases in a text in one pass: their first two octets tell where one may begin.
type finder struct {
	begins [1 << 16 / 64]uint64 // by pairs of octets
	byPair map[uint16][]string
}

// add takes in a phrase of at least two octets.
func (f *finder) add(phrase string) {
	if f.byPair == nil {
		f.byPair = map[uint16][]string{}
	}
	pair := pairAt(phrase, 0)
	f.begins[pair/64] |= 1 << (pair % 64)
	f.byPair[pair] = append(f.byPair[pair], phrase)
}

// in reports whether one of the phrases stands in s.
func (f *finder) in(s string) bool {
	for i := 0; i+1 < len(s); i++ {
		pair := pairAt(s, i)
		if f.begins[pair/64]&(1<<(pair%64)) == 0 {
			continue
		}
		for _, phrase := range f.byPair[pair] {
			if strings.HasPrefix(s[i:], phrase) {
				return true
			}
		}
	}
	return false
}

func pairAt(s string, i int) uint16 { return uint16(s[i])<<8 | uint16(s[i+1]) }
