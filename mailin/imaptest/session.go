package imaptest

import (
	"crypto/subtle"
	"io"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

const delimiter = '/'

// session is one connection. Its methods are called one at a time, but for Idle's stop.
type session struct {
	srv  *Server
	user *user
	box  *folder
	view *imapserver.SessionTracker
	news chan struct{}
}

var _ imapserver.SessionIMAP4rev2 = (*session)(nil)

func no(code imap.ResponseCode, text string) error {
	return &imap.Error{Type: imap.StatusResponseTypeNo, Code: code, Text: text}
}

// Close implements imapserver.Session.
func (s *session) Close() error { return s.Unselect() }

// Login implements imapserver.Session.
func (s *session) Login(name, password string) error {
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	s.srv.counts.Logins++
	if s.srv.faults.RefuseLogin != "" {
		return no(imap.ResponseCodeAuthenticationFailed, s.srv.faults.RefuseLogin)
	}
	u := s.srv.users[name]
	if u == nil || s.srv.opts.NoPassword || subtle.ConstantTimeCompare([]byte(u.password), []byte(password)) != 1 {
		return imapserver.ErrAuthFailed
	}
	s.user = u
	return nil
}

// find is a folder of the user; the caller holds mu.
func (s *session) find(name string, code imap.ResponseCode) (*folder, error) {
	if s.user == nil {
		return nil, errNoUser
	}
	f := s.user.folders[canonical(name)]
	if f == nil {
		return nil, no(code, "No such mailbox")
	}
	return f, nil
}

// Select implements imapserver.Session.
func (s *session) Select(name string, _ *imap.SelectOptions) (*imap.SelectData, error) {
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	f, err := s.find(name, imap.ResponseCodeNonExistent)
	if err != nil {
		return nil, err
	}
	s.box, s.view, s.news = f, f.tracker.NewSession(), make(chan struct{}, 1)
	f.watchers[s.news] = true
	flags := f.flags()
	permanent := append(slices.Clone(flags), imap.FlagWildcard)
	if s.srv.opts.NoKeywords {
		permanent = slices.DeleteFunc(permanent, isKeyword)
	}
	return &imap.SelectData{
		Flags:          flags,
		PermanentFlags: permanent,
		NumMessages:    uint32(len(f.messages)),
		UIDNext:        f.next,
		UIDValidity:    f.validity,
	}, nil
}

// Unselect implements imapserver.Session.
func (s *session) Unselect() error {
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	if s.box != nil {
		delete(s.box.watchers, s.news)
		s.view.Close()
		s.box, s.view = nil, nil
	}
	return nil
}

// Create implements imapserver.Session.
func (s *session) Create(name string, o *imap.CreateOptions) error {
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	name = canonical(strings.TrimRight(name, string(delimiter)))
	if s.srv.faults.RefuseCreate != "" {
		return no(imap.ResponseCodeNoPerm, s.srv.faults.RefuseCreate)
	}
	if s.user.folders[name] != nil {
		return no(imap.ResponseCodeAlreadyExists, "Mailbox already exists")
	}
	s.user.create(name)
	if o != nil && len(o.SpecialUse) > 0 {
		s.user.folders[name].use = string(o.SpecialUse[0])
	}
	return nil
}

// Delete implements imapserver.Session.
func (s *session) Delete(name string) error {
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	f, err := s.find(name, imap.ResponseCodeNonExistent)
	if err == nil {
		delete(s.user.folders, f.name)
	}
	return err
}

// Rename implements imapserver.Session.
func (s *session) Rename(from, to string, _ *imap.RenameOptions) error {
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	f, err := s.find(from, imap.ResponseCodeNonExistent)
	if err != nil {
		return err
	}
	if s.user.folders[canonical(to)] != nil {
		return no(imap.ResponseCodeAlreadyExists, "Mailbox already exists")
	}
	delete(s.user.folders, f.name)
	f.name = canonical(to)
	s.user.folders[f.name] = f
	return nil
}

// Subscribe implements imapserver.Session: every folder is subscribed.
func (s *session) Subscribe(name string) error {
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	_, err := s.find(name, imap.ResponseCodeNonExistent)
	return err
}

// Unsubscribe implements imapserver.Session.
func (s *session) Unsubscribe(name string) error { return s.Subscribe(name) }

// List implements imapserver.Session.
func (s *session) List(w *imapserver.ListWriter, ref string, patterns []string, o *imap.ListOptions) error {
	if len(patterns) == 0 {
		return w.WriteList(&imap.ListData{Attrs: []imap.MailboxAttr{imap.MailboxAttrNoSelect}, Delim: delimiter})
	}
	s.srv.mu.Lock()
	var list []imap.ListData
	for name, f := range s.user.folders {
		match := slices.ContainsFunc(patterns, func(p string) bool { return imapserver.MatchList(name, delimiter, ref, p) })
		if !match || o.SelectSpecialUse && f.use == "" {
			continue
		}
		d := imap.ListData{Mailbox: name, Delim: delimiter}
		if o.ReturnSubscribed || o.SelectSubscribed {
			d.Attrs = append(d.Attrs, imap.MailboxAttrSubscribed)
		}
		if f.use != "" {
			d.Attrs = append(d.Attrs, imap.MailboxAttr(f.use))
		}
		if o.ReturnStatus != nil {
			d.Status = f.status(o.ReturnStatus)
		}
		list = append(list, d)
	}
	s.srv.mu.Unlock()
	slices.SortFunc(list, func(a, b imap.ListData) int { return strings.Compare(a.Mailbox, b.Mailbox) })
	for i := range list {
		if err := w.WriteList(&list[i]); err != nil {
			return err
		}
	}
	return nil
}

// Status implements imapserver.Session.
func (s *session) Status(name string, o *imap.StatusOptions) (*imap.StatusData, error) {
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	f, err := s.find(name, imap.ResponseCodeNonExistent)
	if err != nil {
		return nil, err
	}
	return f.status(o), nil
}

func (f *folder) status(o *imap.StatusOptions) *imap.StatusData {
	total, zero := uint32(len(f.messages)), uint32(0)
	d := &imap.StatusData{Mailbox: f.name}
	if o.NumMessages {
		d.NumMessages = &total
	}
	if o.NumRecent {
		d.NumRecent = &zero
	}
	if o.UIDNext {
		d.UIDNext = f.next
	}
	if o.UIDValidity {
		d.UIDValidity = f.validity
	}
	if o.NumUnseen {
		unseen := total - f.count(imap.FlagSeen)
		d.NumUnseen = &unseen
	}
	if o.NumDeleted {
		deleted := f.count(imap.FlagDeleted)
		d.NumDeleted = &deleted
	}
	if o.Size {
		size := int64(0)
		for _, m := range f.messages {
			size += int64(len(m.raw))
		}
		d.Size = &size
	}
	return d
}

// Append implements imapserver.Session.
func (s *session) Append(name string, r imap.LiteralReader, o *imap.AppendOptions) (*imap.AppendData, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	f, err := s.find(name, imap.ResponseCodeTryCreate)
	if err != nil {
		return nil, err
	}
	uid := f.append(raw, o.Flags, o.Time)
	return &imap.AppendData{UID: uid, UIDValidity: f.validity}, nil
}

// Poll implements imapserver.Session.
func (s *session) Poll(w *imapserver.UpdateWriter, allowExpunge bool) error {
	if s.view == nil {
		return nil
	}
	return s.view.Poll(w, allowExpunge)
}

// Idle implements imapserver.Session.
func (s *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	s.srv.mu.Lock() // a connection that ends while IDLE begins is closed meanwhile
	view, news := s.view, s.news
	s.srv.mu.Unlock()
	if view == nil {
		<-stop
		return nil
	}
	for {
		if err := view.Poll(w, true); err != nil {
			return err
		}
		select {
		case <-news:
		case <-stop:
			return nil
		}
	}
}

// Namespace implements imapserver.SessionNamespace.
func (s *session) Namespace() (*imap.NamespaceData, error) {
	return &imap.NamespaceData{Personal: []imap.NamespaceDescriptor{{Delim: delimiter}}}, nil
}

// Store implements imapserver.Session.
func (s *session) Store(w *imapserver.FetchWriter, set imap.NumSet, change *imap.StoreFlags, _ *imap.StoreOptions) error {
	s.srv.mu.Lock()
	if text := s.srv.faults.ReadOnly; text != "" {
		s.srv.mu.Unlock()
		return no(imap.ResponseCodeNoPerm, text)
	}
	if s.srv.opts.NoKeywords {
		kept := *change
		kept.Flags = slices.DeleteFunc(slices.Clone(change.Flags), isKeyword)
		change = &kept
	}
	list := s.pick(set, func(seq uint32, m *message) {
		m.store(change)
		s.box.tracker.QueueMessageFlags(seq, m.uid, m.flagList(), s.view)
		s.box.wake()
	})
	s.srv.mu.Unlock()
	if change.Silent {
		return nil
	}
	for _, p := range list {
		if err := writeMessage(w.CreateMessage(p.seq), p, &imap.FetchOptions{Flags: true}); err != nil {
			return err
		}
	}
	return nil
}

// Expunge implements imapserver.Session. The client hears of it when it is polled.
func (s *session) Expunge(_ *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	if uids == nil {
		s.srv.counts.PlainExpunges++
	}
	s.box.expunge(func(m *message) bool {
		return m.hasFlag(imap.FlagDeleted) && (uids == nil || uids.Contains(m.uid))
	})
	return nil
}

// Copy implements imapserver.Session.
func (s *session) Copy(set imap.NumSet, name string) (*imap.CopyData, error) {
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	data, _, err := s.copyTo(set, name)
	return data, err
}

// copyTo copies messages; the caller holds mu.
func (s *session) copyTo(set imap.NumSet, name string) (*imap.CopyData, []picked, error) {
	dest, err := s.find(name, imap.ResponseCodeTryCreate)
	if err != nil {
		return nil, nil, err
	}
	if text := s.srv.faults.ReadOnly; text != "" {
		return nil, nil, no(imap.ResponseCodeNoPerm, text)
	}
	if dest == s.box {
		return nil, nil, no(imap.ResponseCodeCannot, "Source and destination are the same mailbox")
	}
	list := s.pick(set, nil)
	data := &imap.CopyData{UIDValidity: dest.validity}
	for _, p := range list {
		data.SourceUIDs.AddNum(p.m.uid)
		data.DestUIDs.AddNum(dest.append(p.raw, p.flags, p.m.arrived))
	}
	if s.srv.opts.NoPlus || len(list) == 0 {
		return nil, list, nil
	}
	return data, list, nil
}

// Move implements imapserver.SessionMove.
func (s *session) Move(w *imapserver.MoveWriter, set imap.NumSet, name string) error {
	s.srv.mu.Lock()
	data, list, err := s.copyTo(set, name)
	if err == nil {
		moved := make(map[*message]bool, len(list))
		for _, p := range list {
			moved[p.m] = true
		}
		s.box.expunge(func(m *message) bool { return moved[m] })
	}
	lost := s.srv.faults.cutMove()
	s.srv.mu.Unlock()
	if err != nil {
		return err
	}
	if lost {
		s.srv.DropConnections()
		return io.ErrClosedPipe
	}
	if data == nil {
		return nil
	}
	return w.WriteCopyData(data)
}
