package demo

import (
	"sync"

	"supportd/mailin"
	"supportd/tickets"
)

// reader reads what lies in the mailboxes. Each mail is parsed once.
type reader struct {
	office *postOffice

	mu     sync.Mutex
	parsed map[place]*tickets.Message
}

// place is where a mail lies.
type place struct {
	user, folder string
	uid          uint32
}

func newReader(o *postOffice) *reader {
	return &reader{office: o, parsed: map[place]*tickets.Message{}}
}

// list returns the mails of a folder, oldest first.
func (r *reader) list(user, folder string) ([]letter, error) {
	messages, err := r.office.imap.Messages(user, folder)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]letter, len(messages))
	for i, m := range messages {
		at := place{user, folder, m.UID}
		if r.parsed[at] == nil {
			r.parsed[at] = mailin.Parse(m.Raw, m.Arrived)
		}
		list[i] = letter{User: user, Folder: folder, UID: m.UID, Arrived: m.Arrived, Raw: m.Raw, Message: r.parsed[at]}
	}
	return list, nil
}

// one returns one mail.
func (r *reader) one(at place) (letter, bool, error) {
	list, err := r.list(at.user, at.folder)
	for _, l := range list {
		if l.UID == at.uid {
			return l, true, nil
		}
	}
	return letter{}, false, err
}
