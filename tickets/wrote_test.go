package tickets

import (
	"context"
	"slices"
	"strings"
	"testing"
)

// sabineWrote is a mail of several lines, as a mail client sends it, with a salutation that half the world writes.
const sabineWrote = "Sehr geehrte Damen und Herren, seit gestern riecht der Drucker im dritten Stock nach Lavendel, und niemand weiß, warum.\n" +
	"Meine Kundennummer ist 4711-0815.\nIch habe ihn schon zweimal ausgeschaltet und wieder eingeschaltet.\nVielen Dank für Ihre schnelle Antwort."

// erasedAfter lets Sabine write, then others, and erases her. What is left of each of the others' mails is given to left.
func erasedAfter(t *testing.T, wrote string, others []*Message, left func(k *kit, n int, text string, raw bool)) {
	t.Helper()
	k := newKit(t)
	k.receive(k.mail(strings.ToLower(sabine), "Drucker", wrote, bySabine))
	var ids []TicketID
	for _, m := range others {
		k.clock.move(1)
		out := k.receive(m)
		if out.Result != Created {
			t.Fatalf("%q: %+v", m.Text, out)
		}
		ids = append(ids, out.Ticket)
	}
	k.deliver()
	done, err := k.desk.Erase(context.Background(), Person{Address: sabine}, testRandom(3), false)
	if err != nil || len(done.Left) > 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	k.healthy()
	for n, id := range ids {
		text, raw := "", false
		err := k.store.View(func(tx *Tx) error {
			return tx.each(bucketMessages, nil, func(_, v []byte) (bool, error) {
				var m Stored
				err := decodeRecord(v, &m)
				if m.Ticket == id {
					raw = m.Raw.Month != ""
				}
				return true, err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range k.entries(id) {
			if e.Kind == EntryReceived {
				text = e.Text
			}
		}
		left(k, n, text, raw)
	}
	if err := k.store.Close(); err != nil {
		t.Fatal(err)
	}
	traceless(t, k.dir, `"`+sabine, "Lavendel", "eingeschaltet")
	k.open()
}

// S-179: what the person wrote is found where it was quoted, whichever way it was wrapped, and short lines beside it.
func TestEraseFindsQuotesWrappedAnew_S179(t *testing.T) {
	quotes := []string{
		"> seit gestern riecht der\n> Drucker im dritten Stock\n> nach Lavendel, und\n> niemand weiß, warum.\n> Ich habe ihn schon\n> zweimal ausgeschaltet und\n> wieder eingeschaltet.",
		"Sie sagt: seit gestern riecht der Drucker im dritten Stock nach Lavendel, und niemand weiß, warum. Meine Kundennummer ist 4711-0815. Ich habe ihn schon zweimal ausgeschaltet und wieder eingeschaltet.",
		"> > SEIT GESTERN RIECHT DER DRUCKER\n> > IM DRITTEN STOCK NACH LAVENDEL",
		"Ich habe ihn schon zweimal\r\nausgeschaltet und wieder eingeschaltet",
		"> Ich habe ihn schon zweimal ausgeschaltet und wieder eingeschaltet.\n> Meine Kundennummer ist 4711-0815.",
	}
	shorter := strings.NewReplacer("riecht der ", "riecht der\n", "Stock nach ", "Stock\nnach ", "schon zweimal ", "schon\nzweimal ", "und wieder", "und\nwieder").Replace(sabineWrote)
	for _, wrote := range []string{sabineWrote, shorter} {
		k := newKit(t)
		var others []*Message
		for i, q := range quotes {
			others = append(others, k.mail("k"+itoa(i)+"@customer.example", "Auch "+itoa(i), "Das hat "+itoa(i)+" auch.\n"+q+"\nGruß von "+itoa(i)))
		}
		erasedAfter(t, wrote, others, func(_ *kit, n int, text string, raw bool) {
			if raw {
				t.Errorf("quote %d: the raw mail is still there", n)
			}
			if !strings.Contains(text, "Gruß von "+itoa(n)) || strings.Contains(text, "4711") {
				t.Errorf("quote %d: %q is left", n, text)
			}
		})
	}
}

// What others write too is theirs: their mails are left as they are, files and all, also where the words are those of a
// salutation or of thanks.
func TestEraseLeavesPhrasesOfOthers(t *testing.T) {
	k := newKit(t)
	texts := []string{
		"Sehr geehrte Damen und Herren, seit heute geht die Maus nicht mehr.\nVielen Dank für Ihre schnelle Antwort.",
		"Sehr geehrte Damen und Herren, mein Bildschirm flackert.\nVielen Dank für Ihre schnelle Hilfe.",
		"Sehr geehrte Damen und Herren,\nbitte rufen Sie mich an.\nVielen Dank für Ihre schnelle Antwort.",
		"Die Tastatur klemmt.\nVielen Dank für Ihre schnelle Antwort.",
		"Meine Kundennummer ist 4711-0816.\nDer Drucker im dritten Stock geht.",
	}
	var others []*Message
	for i, text := range texts {
		others = append(others, k.mail("k"+itoa(i)+"@customer.example", "Frage "+itoa(i), text))
	}
	erasedAfter(t, sabineWrote, others, func(_ *kit, n int, text string, raw bool) {
		if text != texts[n] || !raw {
			t.Errorf("mail %d: raw bytes %t, text %q", n, raw, text)
		}
	})
}

func TestWroteIsFoundInJSON(t *testing.T) {
	w := newWrote()
	w.add("Guten Tag, das Passwort für \"Räume\" & <Türen> liegt\tim Schrank C:\\neu\\alt hinter der roten Kiste.")
	for _, s := range []string{
		formatJSON("> das Passwort für \"Räume\" & <Türen> liegt\n> im Schrank C:\\neu\\alt hinter der\n> roten Kiste."),
		"das passwort fuer raeume\u2028tueren LIEGT im schrank hinter",
	} {
		if got := w.in([]byte(s)); got != full {
			t.Errorf("%d in %s", got, s)
		}
	}
	if got, changed := w.withoutLines("eins\n> das Passwort für Räume, Türen liegt im\n> Schrank C:\\neu\\alt\n\nzwei", "X", false); !changed || got != "eins\nX\nX\n\nzwei" {
		t.Errorf("%v %q", changed, got)
	}
	if got := len(slices.Collect(strings.SplitSeq(afterSalutation("Hallo Kim,\nalso gut"), "\n"))); got != 2 {
		t.Errorf("%d lines", got)
	}
}

// P2: a mail to somebody else that waits in the outbox is owed: an erasure leaves it, and says so.
func TestEraseLeavesWhatIsOwedToOthers(t *testing.T) {
	k := newKit(t)
	k.receive(k.mail(strings.ToLower(sabine), "Drucker", sabineWrote, bySabine))
	k.deliver()
	id, sent := k.opened(kollegin, "Auch der Drucker", "Bei mir auch.")
	k.receive(k.reply(mailTo(t, sent, anna, TemplateTicketToTeam), anna, "Eine Kollegin schrieb: seit gestern riecht der Drucker im dritten Stock. Wir kommen."))
	erase := func(want int) {
		t.Helper()
		done, err := k.desk.Erase(context.Background(), Person{Address: sabine}, testRandom(3), false)
		if err != nil || done.Waiting != want || len(done.Left) > 0 {
			t.Fatalf("%+v, %v; want %d waiting", done, err, want)
		}
		k.healthy()
	}
	erase(1)
	mailTo(t, k.afterUndo(), kollegin, TemplateAgentReply)
	erase(0)
	if len(k.entries(id)) == 0 {
		t.Error("her colleague's ticket is gone")
	}
	if err := k.store.Close(); err != nil {
		t.Fatal(err)
	}
	traceless(t, k.dir, "Lavendel", "riecht")
	k.open()
}
