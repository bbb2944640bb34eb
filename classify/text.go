package classify

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxMatched bounds how much of a text conditions look at.
const maxMatched = 64 << 10

// normalise makes texts comparable (S8): NFKC, lower case, ä=ae, ö=oe, ü=ue, ß=ss, accents kept, everything that is
// neither letter nor digit a single blank. "Drucker-Problem" so has the words "drucker" and "problem".
func normalise(s string) string {
	s = strings.ToLower(norm.NFKC.String(s))
	b := make([]byte, 0, len(s)+len(s)/8+8)
	gap := false
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
				if gap {
					b, gap = append(b, ' '), false
				}
				b = append(b, c)
			} else {
				gap = len(b) > 0
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			gap = len(b) > 0
			continue
		}
		if gap {
			b, gap = append(b, ' '), false
		}
		switch r {
		case 'ä':
			b = append(b, "ae"...)
		case 'ö':
			b = append(b, "oe"...)
		case 'ü':
			b = append(b, "ue"...)
		case 'ß':
			b = append(b, "ss"...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b)
}

// phrases numbers all words and phrases that a configuration looks for, so that one pass over a text finds all of
// them.
type phrases struct {
	ids   map[string]int      // normalised phrase → number
	texts []string            // number → normalised phrase
	first map[string][]phrase // by their first word
	parts map[string]bool     // words that German compounds are split into
}

type phrase struct {
	text string
	id   int
}

// add numbers a normalised phrase.
func (p *phrases) add(text string) int {
	if id, ok := p.ids[text]; ok {
		return id
	}
	if p.ids == nil {
		p.ids, p.first, p.parts = map[string]int{}, map[string][]phrase{}, map[string]bool{}
		for w := range strings.FieldsSeq(compoundParts) {
			p.parts[w] = true
		}
	}
	id := len(p.texts)
	p.ids[text] = id
	p.texts = append(p.texts, text)
	word, _, more := strings.Cut(text, " ")
	p.first[word] = append(p.first[word], phrase{text, id})
	if !more && len(word) >= minPart {
		p.parts[word] = true
	}
	return id
}

// found is the set of phrases in a text.
type found []uint64

func (f found) has(id int) bool { return f[id/64]&(1<<(id%64)) != 0 }

func (f found) add(id int) { f[id/64] |= 1 << (id % 64) }

// find marks the phrases that a normalised text has.
func (p *phrases) find(normal string, into found) {
	for rest := normal; rest != ""; {
		word, next, _ := strings.Cut(rest, " ")
		if list, ok := p.first[word]; ok {
			p.mark(list, rest, into)
		} else if len(word) >= 2*minPart {
			p.split(word, into, 0)
		}
		rest = next
	}
}

func (p *phrases) mark(list []phrase, rest string, into found) {
	for _, ph := range list {
		if strings.HasPrefix(rest, ph.text) && (len(rest) == len(ph.text) || rest[len(ph.text)] == ' ') {
			into.add(ph.id)
		}
	}
}

// minPart is how short a part of a compound may be, in octets of the normalised word.
const minPart = 4

// maxPart is how long one may be.
const maxPart = 24

// split takes a German compound apart and marks the parts that are looked for: "druckerproblem" has "drucker". All of
// it has to be known parts, with or without a joint between them; so "allerdings" has no "alle".
func (p *phrases) split(word string, into found, depth int) bool {
	for n := min(len(word)-minPart, maxPart); n >= minPart; n-- { // the longest first: "drucker" before "druck"
		if !p.parts[word[:n]] {
			continue
		}
		for _, joint := range [...]string{"", "s", "n", "en", "es", "er"} {
			tail, ok := strings.CutPrefix(word[n:], joint)
			if !ok || len(tail) < minPart {
				continue
			}
			if p.parts[tail] || depth < 2 && p.split(tail, into, depth+1) {
				p.markWord(word[:n], into)
				p.markWord(tail, into)
				return true
			}
		}
	}
	return false
}

func (p *phrases) markWord(word string, into found) {
	if id, ok := p.ids[word]; ok {
		into.add(id)
	}
}

// compoundParts are words that German compounds about computers, offices and shops are made of, beside those that the
// configuration looks for. Only with them is a compound taken apart.
const compoundParts = `
abteilung abteilungs admin aenderung alarm analyse anfrage angebot anlage anleitung anmelde anmeldung annahme anruf
anschluss antrag antwort anwender anwendung anzeige arbeit arbeits arbeitsplatz archiv artikel auftrag ausdruck
ausfall ausgabe auswahl bedienung benachrichtigung benutzer berechtigung bereich bericht beschwerde bestaetigung
bestell bestellung betrieb bild bildschirm buchung buero chef computer daten datei dateien dienst dienste dokument
download druck drucker eingabe eingang einrichtung einstellung eintrag empfang erneuerung ersatz fehler fehlern
fehlermeldung fenster fern festplatte firma firmen foto frage funktion geraet geraete gruppe handy hilfe haupt
hersteller hinweis import export information installation internet kabel kalender karte karten kasse kassen kauf
kennung kennwort kollege kollegen konto konten kontakt kopier kosten kunde kunden kuendigung laptop lauf laufwerk
leitung liefer lieferung liste loeschung login mail mails mailbox maschine meldung menue mitarbeiter monitor nachricht
nachrichten name namen netz netzwerk notebook nummer nutzer nutzung oberflaeche ordner papier partner passwort plan
platz platten portal post postfach preis problem probleme programm projekt protokoll pruefung rechner rechnung
rechnungs rechte reparatur richtlinie rueck ruecksetzung scan scanner schalter schicht schirm schluessel schnittstelle
schulung seite seiten server service sicherheit sicherung sitzung software speicher sperre sperrung sprache standort
start station stoerung system systeme tafel tastatur technik telefon termin test ticket treiber uebersicht umstellung
umzug unterlagen update verbindung vergabe verkauf verlust verlaengerung vertrag vertrags verwaltung verzeichnis
video virus vorlage wartung wechsel welt werk wiederherstellung wunsch zahlung zeit zentrale zentral zertifikat
ziel zugang zugangs zugriff zugriffs zurueck zuruecksetzung zustand
`

// scan is what conditions need of a message's text, made once.
type scan struct {
	subject, body   string // as written
	nSubject, nBody string // normalised
	inSubject       found
	inBody          found
	lowSubject      string // lower case as written, for the literals that a regex needs; made when first asked for
	lowBody         string
	lowered         bool
	grams           grams // of the normalised texts
	lowGrams        grams // of the lower-case ones
}

// text returns the scan of the message, made when first asked for.
func (s *state) text() *scan {
	if s.scan != nil {
		return s.scan
	}
	body := s.m.Reply
	if s.v.Alert != nil || body == "" && s.v.Kind != kindHuman {
		body = s.m.Text // what a machine writes has no quotes and no signature
	}
	sc := &scan{subject: cut(s.m.Subject), body: cut(body)}
	sc.nSubject, sc.nBody = normalise(sc.subject), normalise(sc.body)
	words := (len(s.k.phrases.texts) + 63) / 64
	bits := make(found, 2*words)
	sc.inSubject, sc.inBody = bits[:words:words], bits[words:]
	s.k.phrases.find(sc.nSubject, sc.inSubject)
	s.k.phrases.find(sc.nBody, sc.inBody)
	sc.grams.add(sc.nSubject)
	sc.grams.add(sc.nBody)
	s.scan = sc
	return sc
}

func cut(s string) string {
	if len(s) > maxMatched {
		return strings.ToValidUTF8(s[:maxMatched], "")
	}
	return s
}

// has reports whether the normalised text has a literal.
func (sc *scan) has(literal string, in scope) bool {
	return sc.grams.may(literal) &&
		(in != inBody && strings.Contains(sc.nSubject, literal) || in != inSubject && strings.Contains(sc.nBody, literal))
}

// may reports whether a pattern may match; false is certain.
func (sc *scan) may(p *pattern, in scope) bool {
	if p.needs == nil {
		return true
	}
	if !sc.lowered {
		sc.lowSubject, sc.lowBody, sc.lowered = foldLiteral(sc.subject), foldLiteral(sc.body), true
		sc.lowGrams.add(sc.lowSubject)
		sc.lowGrams.add(sc.lowBody)
	}
	for _, n := range p.needs {
		if sc.lowGrams.may(n) && (in != inBody && strings.Contains(sc.lowSubject, n) || in != inSubject && strings.Contains(sc.lowBody, n)) {
			return true
		}
	}
	return false
}
