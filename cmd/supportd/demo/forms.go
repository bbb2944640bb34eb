package demo

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// send writes the mail of a form: an answer to the mail it names, or a new one to the desk.
func (p *page) send(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.fail(w, http.StatusBadRequest, "The form could not be read: "+err.Error())
		return
	}
	if !p.allowed(r) {
		p.fail(w, http.StatusForbidden, "This form is not of this page, or of an earlier run of the demo. Reload the page and write again.")
		return
	}
	who, ok := byUser(r.PostFormValue("user"))
	text := strings.TrimSpace(r.PostFormValue("text"))
	switch {
	case !ok || who.Role == desk:
		p.fail(w, http.StatusBadRequest, "Nobody writes mails by hand in this mailbox.")
		return
	case text == "":
		p.fail(w, http.StatusUnprocessableEntity, "The mail has no text. Go back and write one.")
		return
	}
	if err := p.sendForm(who, text, r); err != nil {
		p.fail(w, http.StatusBadGateway, "The mail could not be sent: "+err.Error())
		return
	}
	q := url.Values{"sent": {"1"}}
	if uid := r.PostFormValue("uid"); uid != "" {
		q.Set("folder", r.PostFormValue("folder"))
		q.Set("mail", uid)
	}
	http.Redirect(w, r, "/box/"+who.User+"?"+q.Encode(), http.StatusSeeOther)
}

func (p *page) sendForm(who person, text string, r *http.Request) error {
	if r.PostFormValue("uid") == "" {
		subject := strings.Join(strings.Fields(r.PostFormValue("subject")), " ")
		if len(subject) > 200 {
			subject = strings.ToValidUTF8(subject[:200], "")
		}
		return p.client.write(draft{User: who.User, From: who.String(), To: deskAddress, Subject: subject, Text: text + "\n"})
	}
	uid, err := strconv.ParseUint(r.PostFormValue("uid"), 10, 32)
	if err != nil {
		return err
	}
	l, ok, err := p.reader.one(place{who.User, r.PostFormValue("folder"), uint32(uid)})
	if err != nil {
		return err
	}
	if !ok {
		return errNoMail
	}
	return p.client.answer(who, l, text)
}
