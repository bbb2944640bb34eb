package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"supportd/cmd/supportd/oauth"
	"supportd/tickets"
)

// statusView is how the daemon is doing; `supportd status --json` prints it.
type statusView struct {
	Ready     bool          `json:"ready"`
	Started   time.Time     `json:"started"`
	Mailboxes []mailboxView `json:"mailboxes"`
	Folders   []folderView  `json:"folders"`
	Mirrors   []mirrorView  `json:"mirrors"`
	Servers   []serverView  `json:"servers"`
	Accounts  []accountView `json:"accounts"`
	Outbox    outboxView    `json:"outbox"`
	Tickets   stateCounts   `json:"tickets"`
	Held      int           `json:"held"`
	Books     tickets.Books `json:"books"`
	ConfigRev string        `json:"config_rev"`
	Reloaded  time.Time     `json:"reloaded,omitzero"`
	ReloadErr string        `json:"reload_error,omitempty"`
	FreeMB    uint64        `json:"free_mb,omitempty"`
	Learnt    learnt        `json:"learnt"`
	Troubles  []troubleView `json:"troubles"`
}

// troubleView is something that is wrong with the desk itself.
type troubleView struct {
	Key    string    `json:"key"`
	Kind   string    `json:"kind"` // of the line that the admin is told, such as mailbox_down
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`
	Told   time.Time `json:"told,omitzero"` // when the admin was told
}

type stateCounts map[string]int

type mailboxView struct {
	Name      string    `json:"name"`
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since,omitzero"`
	LastPoll  time.Time `json:"last_poll"`
	LastUID   uint32    `json:"last_uid"`
	Waiting   int       `json:"waiting"`
	Error     string    `json:"error"`
	Claimed   bool      `json:"claimed,omitempty"` // another desk reads it, and this one does not
}

type serverView struct {
	Name  string `json:"name"`
	Error string `json:"error"`
}

// accountView is a login that goes by access tokens.
type accountView struct {
	Name        string    `json:"name"`
	Login       string    `json:"login,omitempty"` // what supportd login calls it; "" when nobody has to log in
	Error       string    `json:"error"`
	NeedsPerson bool      `json:"needs_person"` // time does not help: somebody has to do something
	Since       time.Time `json:"since,omitzero"`
	Expires     time.Time `json:"expires,omitzero"` // of the present token
	ConsentEnds time.Time `json:"consent_ends,omitzero"`
}

func viewAccount(s oauth.Status) accountView {
	v := accountView{Name: s.Name, Error: s.Error, NeedsPerson: s.Permanent, Since: s.Since, Expires: s.Expires, ConsentEnds: s.Consent}
	if s.Grant.Delegated() {
		v.Login = s.Login
	}
	return v
}

type outboxView struct {
	Due      int       `json:"due"`
	Deferred int       `json:"deferred"`
	Failed   int       `json:"failed"`
	Oldest   time.Time `json:"oldest,omitzero"`
}

// status asks every worker and the store how they are.
func (d *Daemon) status() (statusView, error) {
	c := d.config.Load()
	v := statusView{Learnt: d.learner.told(), Ready: true, Started: d.started, ConfigRev: c.Rev, Tickets: stateCounts{}, Mailboxes: []mailboxView{}, Folders: []folderView{}, Mirrors: []mirrorView{}, Servers: []serverView{}, Accounts: []accountView{}, Troubles: []troubleView{}}
	d.mu.Lock()
	for _, w := range d.pollers {
		s := w.poller.Status()
		v.Mailboxes = append(v.Mailboxes, mailboxView{Name: s.Name, Connected: s.Connected, Since: s.Since, LastPoll: s.LastPoll,
			LastUID: s.LastUID, Waiting: s.Waiting, Error: s.Error, Claimed: s.Claimed})
		v.Ready = v.Ready && s.Connected
		v.Folders = append(v.Folders, w.folders()...)
		v.Mirrors = append(v.Mirrors, w.mirrors()...)
	}
	sender := d.sender
	d.mu.Unlock()
	slices.SortFunc(v.Mailboxes, func(a, b mailboxView) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(v.Folders, func(a, b folderView) int {
		return cmp.Or(cmp.Compare(a.Mailbox, b.Mailbox), cmp.Compare(a.Folder, b.Folder))
	})
	slices.SortFunc(v.Mirrors, func(a, b mirrorView) int { return cmp.Compare(a.Mailbox, b.Mailbox) })
	if sender != nil {
		for _, s := range sender.Status().Servers {
			v.Servers = append(v.Servers, serverView{Name: s.Name, Error: s.LastError})
		}
	}
	for _, a := range d.tokens.status() {
		v.Accounts = append(v.Accounts, viewAccount(a))
	}
	if r := d.reload.last.Load(); r != nil {
		v.Reloaded = r.At
		if r.Err != nil {
			v.ReloadErr = r.Err.Error()
		}
	}
	if free, err := d.desk.Store.FreeBytes(); err == nil {
		v.FreeMB = free >> 20
	}
	return v, d.desk.Store.View(func(tx *tickets.Tx) error { return v.count(tx) })
}

// count fills in what the store knows.
func (v *statusView) count(tx *tickets.Tx) error {
	v.Books = tx.Books()
	v.countCopies(tx)
	v.countMirrors(tx)
	v.Held = int(v.Books.Quarantined)
	s, err := tx.OutboxStats()
	if err != nil {
		return err
	}
	troubles, err := tx.Troubles()
	if err != nil {
		return err
	}
	for _, t := range troubles {
		if t.Fine.IsZero() && !t.Counts {
			v.Troubles = append(v.Troubles, troubleView{Key: t.Key, Kind: strings.TrimPrefix(t.Line.Key, "health."), Reason: t.Line.Args["reason"], Since: t.Since, Told: t.Told})
		}
	}
	v.Outbox = outboxView{Due: s.Waiting, Deferred: s.Deferred, Failed: s.GivenUp, Oldest: s.Oldest}
	for state, n := range tx.StateCounts() {
		v.Tickets[string(state)] = n
	}
	return nil
}
