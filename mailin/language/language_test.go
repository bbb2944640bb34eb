package language

import "testing"

func TestTry(t *testing.T) {
	for want, list := range map[string][]string{
		"de": {"Drucker defekt", "Bitte stornieren", "Danke", "Kennwort vergessen", "Wann kommt der Techniker?", "Rechnung 4711 fehlt", "geht nicht", "Ja, gerne", "Outlook startet nicht", "VPN Zugang gesperrt", "Beamer im Besprechungsraum flackert", "Rückruf erbeten", "Mit freundlichen Grüßen", "Server down, bitte prüfen", "Login klappt nicht"},
		"en": {"Please cancel", "printer broken", "Thanks", "password reset", "When will the engineer arrive?", "Invoice 4711 missing", "does not work", "Yes please", "Outlook won't start", "VPN access blocked", "Projector flickers in meeting room", "call me back", "server down", "cannot log in", "no sound"},
		"fr": {"Imprimante en panne", "Merci beaucoup", "Je n'arrive pas à me connecter", "Facture manquante"},
		"es": {"La impresora no funciona", "Gracias por su ayuda", "No puedo entrar en mi cuenta"},
		"it": {"La stampante non funziona", "Grazie mille", "Non riesco ad accedere al mio account"},
		"nl": {"De printer werkt niet", "Ik kan niet inloggen", "Wanneer komt de monteur?"},
		"pt": {"A impressora não funciona", "Não consigo entrar na minha conta"},
		"pl": {"Drukarka nie działa", "Nie mogę się zalogować"},
		"da": {"Printeren virker ikke", "Jeg kan ikke logge ind"},
		"sv": {"Skrivaren fungerar inte", "Jag kan inte logga in"},
		"no": {"Skriveren virker ikke", "Jeg får ikke logget inn, hva gjør jeg nå?"},
		"fi": {"Tulostin ei toimi", "En pääse kirjautumaan sisään"},
		"cs": {"Tiskárna nefunguje", "Nemohu se přihlásit"},
		"ru": {"Принтер не работает", "Не могу войти в систему"},
		"uk": {"Принтер не працює", "Не можу увійти до системи"},
		"tr": {"Yazıcı çalışmıyor", "Hesabıma giriş yapamıyorum"},
		"ja": {"プリンターが動きません"}, "zh": {"打印机坏了"}, "ko": {"프린터가 작동하지 않습니다"}, "hu": {"A nyomtató nem működik"},
	} {
		for _, s := range list {
			got := Detect(s)
			mark := ""
			if got.Code != want {
				mark = "  <<<<<<"
			}
			t.Logf("%s %-40s %v%s among de/en: %v", want, s, got, mark, Among(s, []string{"de", "en"}))
		}
	}
}
