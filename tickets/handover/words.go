package handover

import (
	"slices"
	"strings"
	"unicode"
)

// labels are what people write before the colon, folded. The labels of the desk's own mails are among them.
func labels() map[string][]string {
	return map[string][]string{
		Description:     {"beschreibung", "problembeschreibung", "problem", "summary", "zusammenfassung"},
		Steps:           {"versuche", "versucht", "loesungsversuche", "bisherigeversuche", "steps", "tried", "attempts", "stepssofar"},
		CI:              {"ci", "item", "system", "geraet", "betroffen", "betroffenessystem", "konfigurationselement", "affected", "asset"},
		Impact:          {"auswirkung", "auswirkungen"},
		Urgency:         {"dringlichkeit"},
		Reason:          {"grund", "begruendung", "why"},
		Diagnosis:       {"diagnose", "analyse", "analysis", "befund"},
		Reproduction:    {"reproduktion", "nachstellen", "nachstellung", "reproduce", "stepstoreproduce"},
		Logs:            {"log", "protokoll", "protokolle", "logdateien", "logfiles"},
		Workaround:      {"umgehung", "umgehungsloesung"},
		CustomerPromise: {"zusage", "zugesagt", "versprechen", "promise", "promised"},
	}
}

// choices are what people write for a word that is allowed, folded.
func choices() map[string][]string {
	return map[string][]string{
		"high":          {"hoch", "gross"},
		"medium":        {"mittel", "normal"},
		"low":           {"niedrig", "gering", "klein"},
		"knowledge":     {"wissen", "fachwissen", "kenntnisse", "knowhow", "wissenfehlt"},
		"access_rights": {"rechte", "zugriffsrechte", "berechtigung", "berechtigungen", "access", "rights", "permissions"},
		"code_change":   {"programmaenderung", "codeaenderung", "aenderungamprogramm", "code"},
		"data_change":   {"datenaenderung", "datenkorrektur", "data", "datafix"},
		"vendor_defect": {"herstellerfehler", "fehlerdesherstellers", "hersteller", "vendor", "vendorbug"},
		"capacity":      {"kapazitaet", "auslastung", "zeit", "keinezeit"},
	}
}

// escapeWords are what people write for what stands instead of a value, folded.
func escapeWords() map[string][]string {
	return map[string][]string{
		UnknownWithReason: {"unbekannt", "unknown", "weissnicht", "unklar"},
		NoneWithReason:    {"keine", "keiner", "keins", "none", "no", "kein", "entfaellt"},
		NotReproducible:   {"nichtreproduzierbar", "notreproducible", "nichtnachstellbar", "cannotreproduce"},
	}
}

// fold keeps letters and digits, in lower case and without umlauts.
func fold(s string) string {
	s = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss").Replace(strings.ToLower(s))
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

// named finds the field that a label means.
func (r Rules) named(label string) (Field, bool) {
	folded := fold(label)
	for _, f := range r.Fields {
		if folded != "" && (fold(f.Name) == folded || slices.Contains(labels()[f.Name], folded)) {
			return f, true
		}
	}
	return Field{}, false
}

// choose finds the word allowed that is meant.
func (f Field) choose(s string) (string, bool) {
	folded := fold(s)
	for _, word := range f.OneOf {
		if folded != "" && (fold(word) == folded || slices.Contains(choices()[word], folded)) {
			return word, true
		}
	}
	return "", false
}

// Choose finds the value of a field with fixed values that a person's words begin with, and what stands behind it.
func (r Rules) Choose(field, s string) (word, rest string) {
	f, ok := r.Field(field)
	if !ok {
		return "", s
	}
	first, rest, _ := strings.Cut(strings.TrimSpace(s), " ")
	if word, ok := f.choose(strings.Trim(first, ":,.;")); ok {
		return word, strings.TrimSpace(strings.TrimLeft(rest, ":–- "))
	}
	return "", s
}

// escaped reads what stands instead of a value: "unknown: nobody wrote down the number".
func (f Field) escaped(s string) (Value, bool) {
	if f.Or == "" {
		return Value{}, false
	}
	head, why, colon := strings.Cut(s, ":")
	if !colon {
		for _, mark := range []string{" – ", " - ", ", "} {
			if h, w, ok := strings.Cut(s, mark); ok {
				head, why = h, w
				break
			}
		}
	}
	if !slices.Contains(escapeWords()[f.Or], fold(head)) {
		return Value{}, false
	}
	return Value{Escape: f.Or, Text: strings.TrimSpace(why)}, true
}
