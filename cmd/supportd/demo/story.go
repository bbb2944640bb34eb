package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"time"

	"supportd/tickets"
)

// patience is how long the story waits for what has to come. On an idle machine everything takes milliseconds.
const patience = 30 * time.Second

// await waits until something is so.
func (r *run) await(ctx context.Context, what string, is func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("waited %s in vain for %s: %w", patience, what, ErrWrong))
	defer cancel()
	// What has to come mostly comes with a line of the tale; the rest, such as an empty outbox, is looked for.
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		_, changed := r.tale.news()
		ok, err := is()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
		case <-look.C:
		}
	}
}

// get waits for a mail in somebody's inbox whose subject and text contain all the words.
func (r *run) get(ctx context.Context, who person, words ...string) (letter, error) {
	var found letter
	err := r.await(ctx, fmt.Sprintf("a mail for %s with %q", who.Name, words), func() (bool, error) {
		list, err := r.reader.list(who.User, inbox)
		for _, l := range list {
			all := true
			for _, w := range words {
				all = all && strings.Contains(l.Subject+"\n"+l.Text, w)
			}
			if all {
				found = l
				return true, nil
			}
		}
		return false, err
	})
	return found, err
}

// play sends the sample mails. Each step waits for the mail that it answers, as its writer would.
func (r *run) play(ctx context.Context) error {
	r.tale.say("Mail servers for %d people run on 127.0.0.1; the desk follows the mailbox %s.", len(everybody()), deskAddress)
	if err := r.await(ctx, "the desk to follow its mailbox", func() (bool, error) { return r.desk.Ready(), nil }); err != nil {
		return err
	}
	for _, chapter := range []func(context.Context) error{r.requests, r.answers, r.replies, r.solutions, r.intruders, r.reopening} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return r.await(ctx, "every mail to be settled and the outbox to be empty", r.quiet)
}

// quiet reports whether the desk has settled all that lies in its mailbox and owes no mail.
func (r *run) quiet() (bool, error) {
	mails, err := r.reader.list(theDesk().User, inbox)
	if err != nil {
		return false, err
	}
	quiet := false
	err = r.desk.Store().View(func(tx *tickets.Tx) error {
		o, err := tx.OutboxStats()
		quiet = tx.Books().Seen == uint64(len(mails)) && o.Waiting+o.Deferred == 0
		return err
	})
	return quiet, err
}

// Sentences by which mails are found again.
const (
	printerText = "druckt unser Drucker im Empfang nur leere Seiten"
	vpnText     = "the VPN client says \"certificate has expired\""
	priceText   = "Preisliste"
)

// shopAddress sends the newsletter; whatever becomes of it, the shop gets no answer.
const shopAddress = "news@toner-outlet.example"

func (r *run) requests(ctx context.Context) error {
	r.tale.say("Customers write. Each gets an acknowledgement in their language, the team gets a notice to answer.")
	picture, err := testPage()
	if err != nil {
		return err
	}
	if err := r.client.write(draft{User: sabine().User, From: sabine().String(), To: deskAddress,
		Subject:  "Drucker im Empfang druckt nur leere Seiten",
		Text:     "Guten Tag,\n\nseit heute Morgen " + printerText + ". Ein Foto der Testseite hängt an.\n\nViele Grüße\nSabine Krause\n",
		Attached: []tickets.File{{Name: "Testseite.png", Type: "image/png", Data: picture}}}); err != nil {
		return err
	}
	if err := r.await(ctx, "the first ticket", func() (first bool, err error) {
		err = r.desk.Store().View(func(tx *tickets.Tx) error {
			return tx.Tickets(true, func(*tickets.Ticket) (bool, error) { first = true; return false, nil })
		})
		return first, err
	}); err != nil {
		return err
	}
	r.first = r.Now().Sub(r.started)
	if err := r.client.write(draft{User: john().User, From: john().String(), To: deskAddress, Subject: "VPN does not connect",
		Text: "Hello,\n\nsince this morning " + vpnText + " and does not connect. I work from home until Friday.\n\nBest regards\nJohn Miller\n"}); err != nil {
		return err
	}
	r.tale.say("Somebody mistyped their own address; a shop sends its newsletter, which must not be answered.")
	if err := r.client.write(draft{User: outside, From: "Petra Vogel <p.vogel@mustre.example>", To: deskAddress, Subject: "Preisliste 2027",
		Text: "Guten Tag,\n\nkönnen Sie mir bitte die neue " + priceText + " schicken?\n\nMit freundlichen Grüßen\nPetra Vogel\n"}); err != nil {
		return err
	}
	return r.client.write(draft{User: outside, From: "Toner Outlet <" + shopAddress + ">", To: deskAddress, Subject: "20 % off all toner this week",
		Text: "Only this week: 20 % off all toner cartridges.\n\nTo unsubscribe, click here: https://toner-outlet.example/u\n",
		Header: [][2]string{{"Precedence", "bulk"}, {"List-Id", "Toner news <news.toner-outlet.example>"},
			{"List-Unsubscribe", "<https://toner-outlet.example/u>"}}})
}

func (r *run) answers(ctx context.Context) error {
	printer, err := r.get(ctx, anna(), printerText)
	if err != nil {
		return err
	}
	vpn, err := r.get(ctx, ben(), vpnText)
	if err != nil {
		return err
	}
	price, err := r.get(ctx, ben(), priceText)
	if err != nil {
		return err
	}
	r.tale.say("The agents answer from their mail clients, to the reply address in the notice. Answers wait a moment, so that #undo can stop them.")
	return errors.Join(
		r.client.answer(anna(), printer, "Guten Tag Frau Krause,\n\nbitte setzen Sie die schwarze Patrone neu ein und drucken Sie noch eine Testseite.\nWas sehen Sie darauf?"),
		r.client.answer(ben(), vpn, "#wait\nHello John,\n\nwhich version of Windows is on your laptop?"),
		r.client.answer(ben(), price, "Guten Tag Frau Vogel,\n\ndie Preisliste 2027 erscheint am 1. Dezember; ich schicke sie Ihnen dann sofort."),
	)
}

func (r *run) replies(ctx context.Context) error {
	ask, err := r.get(ctx, sabine(), "schwarze Patrone neu ein")
	if err != nil {
		return err
	}
	version, err := r.get(ctx, john(), "which version of Windows")
	if err != nil {
		return err
	}
	r.tale.say("The customers reply; John's out-of-office note changes nothing. The answer to the mistyped address comes back, and Ben learns of it.")
	if err := r.client.answer(sabine(), ask, "Die Patrone sitzt fest, die Testseite bleibt leer. Was nun?"); err != nil {
		return err
	}
	// An absence note goes to the Return-Path (RFC 3834 §4), which is not where a person's answer goes.
	if err := r.client.write(draft{User: john().User, From: john().String(), Sender: "-", To: version.ReturnPath,
		Subject: "Automatic reply: " + version.Subject, Text: "I am out of the office until noon and will read your e-mail then.\n",
		Header: append(threading(version), [2]string{"Auto-Submitted", "auto-replied"})}); err != nil {
		return err
	}
	return r.client.answer(john(), version, "It is Windows 11, version 24H2.")
}

func (r *run) solutions(ctx context.Context) error {
	printer, err := r.get(ctx, anna(), "die Testseite bleibt leer")
	if err != nil {
		return err
	}
	vpn, err := r.get(ctx, ben(), "Windows 11, version 24H2")
	if err != nil {
		return err
	}
	r.tale.say("One line, #solve, on top of the answer ends the matter; each command mail gets a receipt. Thanks do not open it again.")
	if err := errors.Join(
		r.client.answer(anna(), printer, "#solve\nGuten Tag Frau Krause,\n\nder Druckertreiber war veraltet. Wir haben ihn aus der Ferne erneuert; die Testseite ist jetzt in Ordnung."),
		r.client.answer(ben(), vpn, "#solve\nHello John,\n\nthe certificate on your laptop had expired. It is renewed; please connect once more."),
	); err != nil {
		return err
	}
	solved, err := r.get(ctx, sabine(), "Druckertreiber war veraltet")
	if err != nil {
		return err
	}
	if _, err := r.get(ctx, john(), "It is renewed"); err != nil {
		return err
	}
	if err := r.client.answer(sabine(), solved, "Vielen Dank, jetzt geht es wieder!"); err != nil {
		return err
	}
	return r.await(ctx, "the thank-you to be settled", r.quiet)
}

func (r *run) intruders(ctx context.Context) error {
	solved, err := r.get(ctx, sabine(), "Druckertreiber war veraltet")
	if err != nil {
		return err
	}
	renewed, err := r.get(ctx, john(), "It is renewed")
	if err != nil {
		return err
	}
	r.tale.say("A stranger got hold of Sabine's reply address, and somebody claims to be Ben. Both are held until an agent decides.")
	stranger := draft{User: outside, From: "Karl Fremd <karl@elsewhere.example>"}
	if err := r.client.answerAs(stranger, true, solved, "Frau Krause hat mir das weitergeleitet. Bitte schicken Sie mir alle Unterlagen dazu."); err != nil {
		return err
	}
	forged := draft{User: outside, From: ben().String()}
	if err := r.client.answerAs(forged, false, renewed, "Hello John,\n\nplease send me your password so that I can test the VPN.\n\nBen"); err != nil {
		return err
	}
	if _, err := r.get(ctx, anna(), "#admit", "Frau Krause hat mir das weitergeleitet"); err != nil {
		return err
	}
	_, err = r.get(ctx, ben(), "#admit", "please send me your password")
	return err
}

func (r *run) reopening(ctx context.Context) error {
	solved, err := r.get(ctx, sabine(), "Druckertreiber war veraltet")
	if err != nil {
		return err
	}
	r.tale.say("The printer fails again: Sabine's reply opens her ticket again, and Anna, who knows it, gets it.")
	if err := r.client.answer(sabine(), solved, "Leider druckt er seit eben schon wieder leere Seiten."); err != nil {
		return err
	}
	_, err = r.get(ctx, anna(), "schon wieder leere Seiten")
	return err
}

// testPage is the picture that Sabine attaches: a page with nothing but a frame.
func testPage() ([]byte, error) {
	const w, h = 210, 297
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			shade := color.Gray{Y: 0xf4}
			if x < 3 || y < 3 || x >= w-3 || y >= h-3 {
				shade.Y = 0x60
			}
			img.SetGray(x, y, shade)
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}
