package parse

import "testing"

// S-194: flowed text is read as it was written: quotes, stuffed blanks, the signature's line and DelSp (RFC 3676 §4.1–§4.5).
func TestFlowed_S194(t *testing.T) {
	for _, c := range []struct {
		name, sent string
		delSp      bool
		want       string
	}{
		{"a paragraph of soft breaks", "Der Drucker druckt \nseit heute \nnichts mehr.\nGruß\n", false, "Der Drucker druckt seit heute nichts mehr.\nGruß\n"},
		{"fixed lines stay", "eins\nzwei\n", false, "eins\nzwei\n"},
		{"DelSp deletes the blank", "Druck \ner\n", true, "Drucker\n"},
		{"stuffed lines (§4.4)", " From hier an\n  eingerückt\n > kein Zitat\n", false, "From hier an\n eingerückt\n> kein Zitat\n"},
		{"quotes of one depth flow (§4.5)", "> erste \n> Zeile\n> zweite\n", false, "> erste Zeile\n> zweite\n"},
		{"another depth ends a paragraph", ">> tief \n> flach \neigenes\n", false, ">> tief \n> flach \neigenes\n"},
		{"the signature's line is fixed, though it ends in a blank (§4.3)", "Text \n-- \nAnna \nBerg\n", false, "Text \n-- \nAnna Berg\n"},
		{"a quoted signature's line too", "> Text \n> -- \n> Anna\n", false, "> Text \n> -- \n> Anna\n"},
		{"a stuffed signature's line", " -- \nAnna\n", false, "-- \nAnna\n"},
		{"the last line may be open", "eins \nzwei ", false, "eins zwei \n"},
	} {
		if got := unflow(c.sent, c.delSp); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	m := Message([]byte("From: a@b.example\nContent-Type: text/plain; charset=utf-8; format=flowed; DelSp=yes\n\nDruck \ner kaputt\n"))
	if m.Text != "Drucker kaputt\n" && m.Text != "Drucker kaputt" {
		t.Errorf("a whole mail: %q", m.Text)
	}
}
