package classify

// grams is which runs of three octets a text has, as a Bloom filter: with it most searches for a literal end before
// they begin, which is what keeps hundreds of rules cheap.
type grams [256]uint64

func gram(s string, i int) uint32 {
	return (uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16) * 0x9E3779B1 >> (32 - 14)
}

// add notes a text.
func (g *grams) add(s string) {
	for i := range len(s) - 2 {
		h := gram(s, i)
		g[h/64] |= 1 << (h % 64)
	}
}

// may reports whether a text that was noted may have the literal; false is certain.
func (g *grams) may(literal string) bool {
	for i := range len(literal) - 2 {
		h := gram(literal, i)
		if g[h/64]&(1<<(h%64)) == 0 {
			return false
		}
	}
	return true
}
