package imaptest

import (
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// folder is a mailbox. All of it is guarded by Server.mu, which is never held while anything is written to a
// connection: a client that stops reading stops nobody else.
type folder struct {
	name     string
	use      string
	validity uint32
	next     imap.UID
	messages []*message
	tracker  *imapserver.MailboxTracker
	watchers map[chan struct{}]bool // one per session that has it open; each holds one
}

type message struct {
	uid     imap.UID
	raw     []byte // never changed, only replaced
	arrived time.Time
	flags   map[string]imap.Flag
}

func newFolder(name string, validity uint32) *folder {
	return &folder{
		name: name, validity: validity, next: 1,
		tracker:  imapserver.NewMailboxTracker(0),
		watchers: map[chan struct{}]bool{},
	}
}

// wake tells everybody who has the folder open. A session that is not idling yet finds the news in its channel when it
// is, so that none is lost between "+ idling" and the wait.
func (f *folder) wake() {
	for c := range f.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (f *folder) append(raw []byte, flags []imap.Flag, at time.Time) imap.UID {
	if at.IsZero() {
		at = time.Now()
	}
	m := &message{uid: f.next, raw: raw, arrived: at, flags: map[string]imap.Flag{}}
	for _, flag := range flags {
		m.setFlag(flag)
	}
	f.next++
	f.messages = append(f.messages, m)
	f.tracker.QueueNumMessages(uint32(len(f.messages)))
	f.wake()
	return m.uid
}

// expunge removes messages and gives the sequence numbers to announce, last first.
func (f *folder) expunge(doomed func(*message) bool) []uint32 {
	var numbers []uint32
	for i := len(f.messages) - 1; i >= 0; i-- {
		if doomed(f.messages[i]) {
			numbers = append(numbers, uint32(i)+1)
			f.tracker.QueueExpunge(uint32(i) + 1)
		}
	}
	f.messages = slices.DeleteFunc(f.messages, doomed)
	if len(numbers) > 0 {
		f.wake()
	}
	return numbers
}

func (f *folder) count(flag imap.Flag) uint32 {
	n := uint32(0)
	for _, m := range f.messages {
		if m.hasFlag(flag) {
			n++
		}
	}
	return n
}

func (f *folder) flags() []imap.Flag {
	all := map[string]imap.Flag{}
	for _, flag := range []imap.Flag{imap.FlagSeen, imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted, imap.FlagDraft} {
		all[flagKey(flag)] = flag
	}
	for _, m := range f.messages {
		for key, flag := range m.flags {
			all[key] = flag
		}
	}
	list := make([]imap.Flag, 0, len(all))
	for _, flag := range all {
		list = append(list, flag)
	}
	slices.SortFunc(list, compareFlags)
	return list
}

// isKeyword reports whether a flag is none of RFC 9051's own; \* is one, too.
func isKeyword(flag imap.Flag) bool {
	return flag == imap.FlagWildcard || !strings.HasPrefix(string(flag), `\`)
}

func (m *message) hasFlag(flag imap.Flag) bool { return m.flags[flagKey(flag)] != "" }
func (m *message) setFlag(flag imap.Flag)      { m.flags[flagKey(flag)] = flag }

func (m *message) flagList() []imap.Flag {
	list := make([]imap.Flag, 0, len(m.flags))
	for _, flag := range m.flags {
		list = append(list, flag)
	}
	slices.SortFunc(list, compareFlags)
	return list
}

func (m *message) store(change *imap.StoreFlags) {
	if change.Op == imap.StoreFlagsSet {
		clear(m.flags)
	}
	for _, flag := range change.Flags {
		if change.Op == imap.StoreFlagsDel {
			delete(m.flags, flagKey(flag))
		} else {
			m.setFlag(flag)
		}
	}
}
