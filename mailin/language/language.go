// Package language tells which language a text is written in, and how sure that is. It reads only the text: what a
// header or a configuration says about languages is for others to weigh.
package language

import (
	"math"
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"

	"supportd/tickets"
)

const (
	maxLetters = 2000 // letters of a text that are read
	// enough is the number of letters after which a text is long enough to be sure.
	enough = 30.0
	// statistical is the number of letters from which on statistics of letters alone are asked. Below, they are guesses.
	statistical = 80
)

// Detect returns the ISO 639-1 code of the language of a text and how sure that is. The code is "" when the text has no
// words. Short texts get a low confidence: one word is never worth more than 0.6.
func Detect(text string) tickets.Language { return Among(text, nil) }

// Among is Detect for a text that is known to be in one of some languages. With no languages it is Detect; languages
// that this package does not know are never found.
func Among(text string, codes []string) tickets.Language {
	read := readWords(text)
	if read.letters == 0 {
		return tickets.Language{}
	}
	if code, share := read.script(); code != "" {
		if len(codes) > 0 && !contains(codes, code) {
			return tickets.Language{}
		}
		return tickets.Language{Code: code, Confidence: round(share * certainty(read.letters*4))}
	}
	return read.statistics(codes)
}

// decided is how far the best language must be ahead of all others for the rest of the text to change nothing; every
// lookEvery words it is looked whether one is.
const (
	decided   = 24.0
	lookEvery = 12
)

// statistics finds the likeliest language by words and letters.
func (r *reading) statistics(codes []string) tickets.Language {
	scores := make([]float64, len(languages.codes))
	known, words := 0, 0
	var order ranking
	for _, w := range r.words {
		words++
		if languages.add(scores, w) {
			known++
		}
		if words%lookEvery == 0 {
			order = r.rank(scores, codes)
			if order.best == order.overall && order.second >= 0 && scores[order.best]-scores[order.second] > decided {
				break
			}
		}
	}
	order = r.rank(scores, codes)
	if r.letters >= statistical && known*5 < words {
		if code, confidence := r.foreign(); code != "" && (len(codes) == 0 || contains(codes, code)) {
			return tickets.Language{Code: code, Confidence: confidence}
		}
	}
	if order.best < 0 {
		return tickets.Language{}
	}
	p := 1.0
	if order.second >= 0 {
		p = 1 / (1 + math.Exp(-(scores[order.best]-scores[order.second])/2))
	}
	p *= math.Exp(-(scores[order.overall] - scores[order.best]) / 8) // the text looks more like a language that was not asked for
	return tickets.Language{Code: languages.codes[order.best], Confidence: round(p * certainty(r.letters))}
}

// ranking holds the places of the likeliest languages: the best two of those asked for, and the best of all.
type ranking struct{ best, second, overall int }

// rank orders the languages of the text's script by their scores.
func (r *reading) rank(scores []float64, codes []string) ranking {
	cyrillic := r.scripts[cyrillicScript] > r.scripts[latinScript]
	o := ranking{-1, -1, -1}
	for i, code := range languages.codes {
		if languages.cyrillic[i] != cyrillic {
			continue
		}
		if o.overall < 0 || scores[i] > scores[o.overall] {
			o.overall = i
		}
		if len(codes) > 0 && !contains(codes, code) {
			continue
		}
		switch {
		case o.best < 0 || scores[i] > scores[o.best]:
			o.best, o.second = i, o.best
		case o.second < 0 || scores[i] > scores[o.second]:
			o.second = i
		}
	}
	return o
}

// foreign asks statistics of letters about a text of whose words none is known: it may be in a language that this
// package has no words of.
func (r *reading) foreign() (string, float64) {
	info := whatlanggo.Detect(r.plain())
	code := info.Lang.Iso6391()
	if _, ours := languages.index[code]; ours || !info.IsReliable() {
		return "", 0
	}
	return code, round(info.Confidence * certainty(r.letters))
}

// certainty is how much a text of that many letters can prove at most.
func certainty(letters int) float64 { return 1 - 0.6*math.Exp(-float64(letters)/enough*1.6) }

func round(x float64) float64 { return math.Round(min(max(x, 0), 1)*1000) / 1000 }

func contains(codes []string, code string) bool {
	for _, c := range codes {
		if base, _, _ := strings.Cut(strings.ToLower(c), "-"); base == code {
			return true
		}
	}
	return false
}

// scripts that are told apart.
const (
	latinScript = iota
	cyrillicScript
	greekScript
	hanScript
	kanaScript
	hangulScript
	arabicScript
	hebrewScript
	thaiScript
	devanagariScript
	georgianScript
	armenianScript
	otherScript
	scriptCount
)

func scriptOf(r rune) int {
	switch {
	case r < 0x250 || r >= 0x1E00 && r < 0x1F00:
		return latinScript
	case r < 0x370:
		return otherScript
	case r < 0x400 || r >= 0x1F00 && r < 0x2000:
		return greekScript
	case r < 0x530:
		return cyrillicScript
	case r < 0x590:
		return armenianScript
	case r < 0x600:
		return hebrewScript
	case r < 0x780:
		return arabicScript
	case r >= 0x900 && r < 0x980:
		return devanagariScript
	case r >= 0xE00 && r < 0xE80:
		return thaiScript
	case r >= 0x10A0 && r < 0x1100:
		return georgianScript
	case r >= 0x3040 && r < 0x3100 || r >= 0xFF66 && r < 0xFFA0:
		return kanaScript
	case r >= 0xAC00 && r < 0xD7B0 || r >= 0x1100 && r < 0x1200:
		return hangulScript
	case unicode.Is(unicode.Han, r):
		return hanScript
	}
	return otherScript
}

// script tells a language by its script alone, with the share of the letters that are in it.
func (r *reading) script() (string, float64) {
	share := func(scripts ...int) float64 {
		n := 0
		for _, s := range scripts {
			n += r.scripts[s]
		}
		return float64(n) / float64(r.letters)
	}
	// A sign that writes a word counts more than a letter.
	if cjk := share(hanScript, kanaScript, hangulScript); cjk > 0.2 {
		switch {
		case r.scripts[hangulScript] > r.scripts[hanScript]+r.scripts[kanaScript]:
			return "ko", min(1, 3*cjk)
		case r.scripts[kanaScript]*10 > r.scripts[hanScript]:
			return "ja", min(1, 3*cjk)
		}
		return "zh", min(1, 3*cjk)
	}
	for script, code := range map[int]string{greekScript: "el", hebrewScript: "he", thaiScript: "th", devanagariScript: "hi",
		georgianScript: "ka", armenianScript: "hy"} {
		if s := share(script); s > 0.5 {
			return code, s
		}
	}
	if s := share(arabicScript); s > 0.5 {
		if r.persian > 0 {
			return "fa", s
		}
		return "ar", s
	}
	return "", 0
}
