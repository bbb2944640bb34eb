package language

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// short are texts as they stand in subjects and in one-line mails, by language.
var short = map[string][]string{
	"de": {"Drucker defekt", "Bitte stornieren", "Danke", "Kennwort vergessen", "Wann kommt der Techniker?", "Rechnung 4711 fehlt",
		"geht nicht", "Ja, gerne", "Outlook startet nicht", "VPN Zugang gesperrt", "Beamer im Besprechungsraum flackert",
		"Rückruf erbeten", "Mit freundlichen Grüßen", "Server down, bitte prüfen", "Login klappt nicht", "Wo bleibt meine Bestellung?"},
	"en": {"Please cancel", "printer broken", "Thanks", "password reset", "When will the engineer arrive?", "Invoice 4711 missing",
		"does not work", "Yes please", "Outlook won't start", "VPN access blocked", "Projector flickers in meeting room", "call me back",
		"server down", "cannot log in", "no sound", "Where is my order?"},
	"fr": {"Imprimante en panne", "Merci beaucoup", "Je n'arrive pas à me connecter", "Facture manquante"},
	"es": {"La impresora no funciona", "Gracias por su ayuda", "No puedo entrar en mi cuenta"},
	"it": {"La stampante non funziona", "Grazie mille", "Non riesco ad accedere al mio account"},
	"nl": {"De printer werkt niet", "Ik kan niet inloggen", "Wanneer komt de monteur?"},
	"pt": {"A impressora não funciona", "Não consigo entrar na minha conta"},
	"pl": {"Drukarka nie działa", "Nie mogę się zalogować"},
	"da": {"Printeren virker ikke, hvad gør jeg?", "Jeg har ikke fået min faktura"},
	"sv": {"Skrivaren fungerar inte", "Jag kan inte logga in"},
	"no": {"Skriveren virker ikke", "Jeg får ikke logget inn, hva gjør jeg nå?"},
	"fi": {"Tulostin ei toimi", "En pääse kirjautumaan sisään"},
	"cs": {"Tiskárna nefunguje", "Nemohu se přihlásit"},
	"sk": {"Tlačiareň nefunguje, ďakujem za odpoveď"},
	"hu": {"A nyomtató nem működik"},
	"ro": {"Imprimanta nu funcționează, vă rog"},
	"tr": {"Yazıcı çalışmıyor", "Hesabıma giriş yapamıyorum"},
	"ru": {"Принтер не работает", "Не могу войти в систему"},
	"uk": {"Принтер не працює", "Не можу увійти до системи"},
	"el": {"Ο εκτυπωτής δεν λειτουργεί"},
	"ja": {"プリンターが動きません", "至急対応をお願いします"},
	"zh": {"打印机坏了", "无法登录系统"},
	"ko": {"프린터가 작동하지 않습니다"},
	"ar": {"الطابعة لا تعمل"},
	"he": {"המדפסת לא עובדת"},
	"th": {"เครื่องพิมพ์ไม่ทำงาน"},
}

func TestShort(t *testing.T) {
	for want, texts := range short {
		for _, text := range texts {
			if got := Detect(text); got.Code != want {
				t.Errorf("%q: got %s (%.2f), want %s", text, got.Code, got.Confidence, want)
			}
		}
	}
}

func TestAmong(t *testing.T) {
	for _, want := range []string{"de", "en"} {
		for _, text := range short[want] {
			if got := Among(text, []string{"de-AT", "en"}); got.Code != want {
				t.Errorf("%q: got %s (%.2f), want %s", text, got.Code, got.Confidence, want)
			}
		}
	}
	if got := Among("プリンターが動きません", []string{"de", "en"}); got.Code != "" {
		t.Errorf("Japanese among German and English: got %+v, want nothing", got)
	}
	asked := Among("La impresora no funciona, gracias por su ayuda", []string{"de", "en"})
	if asked.Confidence > 0.3 {
		t.Errorf("Spanish among German and English: got %+v, want a low confidence", asked)
	}
}

func TestConfidence(t *testing.T) {
	long := "Guten Tag, seit gestern druckt der Drucker im zweiten Stock nicht mehr. Wir haben ihn schon zweimal neu " +
		"gestartet, aber die Meldung bleibt. Können Sie bitte einen Techniker schicken?"
	if got := Detect(long); got.Code != "de" || got.Confidence < 0.95 {
		t.Errorf("a long text: got %+v, want de with at least 0.95", got)
	}
	for _, word := range []string{"Danke", "Hallo", "Server", "ok", "No", "PC"} {
		if got := Detect(word); got.Confidence > 0.6 {
			t.Errorf("%q: got %+v, want no more than 0.6 for one word", word, got)
		}
	}
	for _, text := range []string{"", " \n", "12345 67-89", "> Zitierter Text auf Deutsch", "https://example.org/der/die/das", "ada@example.org"} {
		if got := Detect(text); got.Code != "" || got.Confidence != 0 {
			t.Errorf("%q: got %+v, want nothing", text, got)
		}
	}
}

// What is quoted, and addresses, say nothing about the language of the writer.
func TestNoise(t *testing.T) {
	text := "Please see https://example.de/rechnungen-und-lieferscheine and answer to kundendienst@example.de\n" +
		"> Sehr geehrte Damen und Herren, bitte prüfen Sie die Rechnung und die Lieferung.\n"
	if got := Detect(text); got.Code != "en" {
		t.Errorf("got %+v, want en", got)
	}
}

func TestDeterministic(t *testing.T) {
	const text = "Kan du sende faktura til meg?"
	first := Detect(text)
	for range 50 {
		if got := Detect(text); got != first {
			t.Fatalf("got %+v, then %+v", first, got)
		}
	}
}

// S-136: the work does not grow with the text beyond what is read of it.
func TestLongTexts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for _, unit := range []string{"a", "wort ", "'", "a'b'c'", "ä", "\u0301", "漢", "> x\n", "1a", "\xff", "a\u0301 "} {
		text := strings.Repeat(unit, 1+random.IntN(200_000))
		if got := Detect(text); got.Confidence < 0 || got.Confidence > 1 {
			t.Errorf("%q repeated: confidence %v", unit, got.Confidence)
		}
	}
}

func FuzzDetect(f *testing.F) {
	for _, texts := range short {
		f.Add(texts[0])
	}
	f.Add("l'\u0301' ''x \xff")
	f.Fuzz(func(t *testing.T, text string) {
		got := Detect(text)
		if got.Confidence < 0 || got.Confidence > 1 || (got.Code == "") != (got.Confidence == 0) && got.Code == "" {
			t.Errorf("%q: %+v", text, got)
		}
	})
}

func BenchmarkDetect(b *testing.B) {
	text := strings.Repeat("Guten Tag, seit gestern druckt der Drucker im zweiten Stock nicht mehr. ", 5)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Detect(text)
	}
}
