package demo

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"supportd/tickets"
)

var errNoMail = errors.New("the mail that it answers is not there")

func functions() template.FuncMap {
	return template.FuncMap{
		"clock": func(t time.Time) string { return t.Local().Format("15:04:05") },
		"plain": func(s tickets.State) string { return inPlain(string(s)) },
		"name":  func(address string) string { return cmp.Or(nameOf(address), "nobody yet") },
		"size":  size,
		"words": inPlain,
		"kind": func(l letter) string {
			if t := l.FirstField("X-Desk-Template"); t != "" && l.Folder == inbox {
				return inWords(t)
			}
			return ""
		},
		"offset": func(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) },
	}
}

func size(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%d kB", (n+512)>>10)
}

// frame is what every page shows.
type frame struct {
	Title  string
	Here   string // which tab
	Tabs   []tab
	Secret string
	Desk   string
	Body   any
}

type tab struct {
	person
	Count int
}

// show writes a page.
func (p *page) show(w http.ResponseWriter, code int, name, title, here string, body any) {
	f := frame{Title: title, Here: here, Secret: p.secret, Desk: deskAddress, Body: body}
	for _, who := range everybody() {
		list, err := p.reader.list(who.User, inbox)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		f.Tabs = append(f.Tabs, tab{who, len(list)})
	}
	var b strings.Builder
	if err := p.tmpl.ExecuteTemplate(&b, name, f); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(b.String())) // the reader has gone: nobody to tell
}

// fail says what is wrong.
func (p *page) fail(w http.ResponseWriter, code int, what string) {
	p.show(w, code, "wrong.html", "That did not work", "", what)
}

// overview shows the tickets, and what happened.
func (p *page) overview(w http.ResponseWriter, _ *http.Request) {
	lines, _ := p.tale.news()
	lines = slices.Clone(lines)
	slices.Reverse(lines)
	body := struct {
		Tickets []*tickets.Ticket
		Held    int
		Lines   []line
	}{Lines: lines[:min(len(lines), 200)]}
	err := p.desk.Store().View(func(tx *tickets.Tx) error {
		held, err := tx.HeldMails()
		if err != nil {
			return err
		}
		body.Held = len(held)
		return tx.Tickets(true, func(t *tickets.Ticket) (bool, error) { body.Tickets = append(body.Tickets, t); return true, nil })
	})
	if err != nil {
		p.fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	p.show(w, http.StatusOK, "overview.html", "Overview", "overview", body)
}

// boxView is a mailbox with one of its mails opened.
type boxView struct {
	Who     person
	Folder  string
	Folders []string
	Letters []letter // newest first
	Open    *letter
	View    string // how Open is shown: html, text
	To      string // where an answer to Open goes
	Header  string
	New     bool // a new mail is written
	Sent    bool // one was just sent
	Hint    string
	Undo    time.Duration // how long an answer waits
}

func (p *page) box(w http.ResponseWriter, r *http.Request) {
	who, ok := byUser(r.PathValue("user"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	q := r.URL.Query()
	v := boxView{Who: who, Folder: inbox, Folders: []string{inbox, sent}, New: q.Has("new") && who.Role == customer, Sent: q.Has("sent"), Undo: p.undo()}
	if q.Get("folder") == sent {
		v.Folder = sent
	}
	if who.Role == desk {
		v.Folders = nil
	}
	list, err := p.reader.list(who.User, v.Folder)
	if err != nil {
		p.fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	slices.Reverse(list)
	v.Letters = list
	uid, _ := strconv.ParseUint(q.Get("mail"), 10, 32) // 0, as none, opens the newest
	for i := range list {
		if !v.New && (uint64(list[i].UID) == uid || uid == 0) {
			v.Open = &list[i]
			break
		}
	}
	if v.Open != nil {
		v.fillOpen(q.Get("view"))
	}
	p.show(w, http.StatusOK, "box.html", who.Name, who.User, v)
}

// fillOpen says how the opened mail is shown and answered.
func (v *boxView) fillOpen(view string) {
	l := v.Open
	v.View = "text"
	if l.HTML != "" && view != "text" {
		v.View = "html"
	}
	for _, f := range l.Fields {
		v.Header += f.Name + ": " + strings.Join(strings.Fields(f.Value), " ") + "\n"
	}
	if v.Folder != inbox || v.Who.Role == desk {
		return
	}
	v.To = l.answerTo()
	if v.Who.Role == agent && l.FirstField("X-Desk-Ticket") != "" {
		v.Hint = "A plain answer goes to the customer from " + deskAddress + ". On a first line of their own, commands work: #solve, #wait, #note, #take, #undo, #help."
		if strings.Contains(l.Text, "#admit") {
			v.Hint = "Answer with #admit or #reject and the number in the mail, on a first line of its own."
		}
	}
}

// ticketView is a ticket with everything that happened to it.
type ticketView struct {
	*tickets.Ticket
	History []historyLine
}

type historyLine struct {
	At   time.Time
	What string
	Text string
}

func (p *page) ticket(w http.ResponseWriter, r *http.Request) {
	var v ticketView
	err := p.desk.Store().View(func(tx *tickets.Tx) (err error) {
		if v.Ticket, err = tx.TicketByNumber(r.PathValue("number")); err != nil {
			return err
		}
		entries, err := tx.Entries(v.ID)
		for _, e := range entries {
			v.History = append(v.History, historyLine{At: e.At, What: cmp.Or(tellEntry(v.Ticket, e), tellQuiet(e)), Text: e.Text})
		}
		return err
	})
	switch {
	case errors.Is(err, tickets.ErrNotFound):
		p.fail(w, http.StatusNotFound, "There is no ticket "+r.PathValue("number")+".")
		return
	case err != nil:
		p.fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	p.show(w, http.StatusOK, "ticket.html", v.Number, "overview", v)
}

// tellQuiet is an entry in words that the tale passes over, because a mail tells it.
func tellQuiet(e tickets.Entry) string {
	switch e.Kind {
	case tickets.EntryReceived:
		return "began with the mail of " + nameOf(e.Actor.Name)
	case tickets.EntryQueued:
		var to []string
		for _, a := range e.To {
			to = append(to, nameOf(a))
		}
		return "makes the desk write to " + strings.Join(to, ", ") + ": " + inWords(e.Template)
	case tickets.EntryAutomatic:
		return "has an automatic mail of " + nameOf(e.From) + ", which changes nothing"
	case tickets.EntryHeld:
		return "has a held mail of " + e.From + ": " + e.Detail
	case tickets.EntryClock:
		return strings.TrimSpace("has a clock: " + e.Detail)
	}
	return strings.TrimSpace(string(e.Kind) + " " + e.Detail)
}

// connect says how to come in with a mail client and with the command line.
func (p *page) connect(w http.ResponseWriter, _ *http.Request) {
	config, err := os.ReadFile(p.config)
	if err != nil {
		p.fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	imapHost, imapPort, _ := strings.Cut(p.office.imap.Addr(), ":")
	_, smtpPort, _ := strings.Cut(p.office.smtp.Addr(), ":")
	p.show(w, http.StatusOK, "connect.html", "Mail client and command line", "connect", struct {
		Host, IMAP, SMTP, Password, Config, Text string
		People                                   []person
	}{imapHost, imapPort, smtpPort, password, p.config, string(config), everybody()})
}
