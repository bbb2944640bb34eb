package tickets

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Similar tickets: whoever gets a new ticket is told of open and lately solved ones that read like it. What is needed for
// that is kept in memory, of the newest tickets only, so that a new ticket costs a few dozen look-ups and no reading; it
// is filled from the store when it is first asked, and nothing is decided by it.

const (
	maxRemembered = 2000 // tickets
	maxWordsOf    = 48   // of a ticket, the first
	maxTextOf     = 4 << 10
	maxAlike      = 3
	lately        = 30 * 24 * time.Hour // how long a solved ticket is worth a look
	alikeEnough   = 0.4                 // share of what is unusual in the new text
	alikeWords    = 3                   // and so many words at least
)

// Similar is a ticket that reads like another one.
type Similar struct {
	ID         TicketID
	Number     string
	Subject    string
	State      State
	Team       string
	Tier       int
	SolvedAt   time.Time
	Resolution string // the beginning of what solved it
}

// remembered is a ticket in the index.
type remembered struct {
	Similar
	words []uint32

	created         time.Time // these are for bursts
	requester       string
	ci, category    string
	verified, major bool

	asked  uint64  // the question that the following answers
	common int     // words in common with it
	weight float64 // of these words
}

// alike is the index. It is safe for use by several goroutines.
type alike struct {
	mu     sync.Mutex
	filled bool
	ring   []*remembered // the oldest is overwritten first
	next   int
	byID   map[TicketID]*remembered
	with   map[uint32][]*remembered // by word, the oldest first
	asked  uint64                   // how often like was called
	hits   []*remembered            // of one call of like; kept for its room
}

// forget drops all that is known; it is read anew when it is needed. For when tickets were removed or rewritten.
func (x *alike) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.filled, x.ring, x.next, x.byID, x.with, x.hits = false, nil, 0, nil, nil, nil
}

// note takes a ticket in, or what has changed of it. Before the index is filled there is nothing to do.
func (x *alike) note(t *Ticket) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.filled {
		x.keep(t)
	}
}

// remember is what the index keeps of a ticket, but for its words.
func remember(t *Ticket) *remembered {
	return &remembered{Similar: Similar{ID: t.ID, Number: t.Number, Subject: t.Subject, State: t.State, Team: t.Team, Tier: t.Tier, SolvedAt: t.SolvedAt,
		Resolution: excerpt(t.Resolution)}, created: t.Created, requester: strings.ToLower(t.Requester.Mail), ci: t.CI, category: t.Category,
		verified: t.Verified, major: slices.Contains(t.Tags, tagMajor)}
}

func (x *alike) keep(t *Ticket) {
	one := remember(t)
	if known := x.byID[t.ID]; known != nil {
		known.Similar = one.Similar
		known.ci, known.category, known.major = one.ci, one.category, one.major
		return
	}
	one.words = unusualWords(t.Subject, t.LastCustomer)
	if len(x.ring) < maxRemembered {
		x.ring = append(x.ring, one)
	} else {
		x.drop(x.ring[x.next])
		x.ring[x.next] = one
		x.next = (x.next + 1) % maxRemembered
	}
	x.byID[t.ID] = one
	for _, w := range one.words {
		x.with[w] = append(x.with[w], one)
	}
}

// drop forgets the oldest ticket. In the lists of its words it stands first: those are in the order of the ring.
func (x *alike) drop(oldest *remembered) {
	delete(x.byID, oldest.ID)
	for _, w := range oldest.words {
		list := x.with[w]
		list[0] = nil
		if list = list[1:]; len(list) == 0 {
			delete(x.with, w)
		} else {
			x.with[w] = list
		}
	}
}

// fill reads the newest tickets, once.
func (x *alike) fill(tx *Tx) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.filled {
		return nil
	}
	var newest []*Ticket
	err := tx.Tickets(true, func(t *Ticket) (bool, error) {
		newest = append(newest, t)
		return len(newest) < maxRemembered, nil
	})
	if err != nil {
		return err
	}
	x.ring, x.next, x.byID, x.with = nil, 0, map[TicketID]*remembered{}, map[uint32][]*remembered{}
	for _, t := range slices.Backward(newest) {
		x.keep(t)
	}
	x.filled = true
	return nil
}

// like lists the tickets that read most like a text, the nearest first: those that are open or were solved lately. Each
// word counts by how few tickets have it; what every fourth of many has counts nothing.
func (x *alike) like(words []uint32, now time.Time) []Similar {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.asked++
	x.hits = x.hits[:0]
	all, n := 0.0, float64(len(x.ring))
	usual := max(20, len(x.ring)/4)
	for _, w := range words {
		list := x.with[w]
		weight := math.Log((n + 2) / float64(len(list)+1))
		all += weight
		if len(list) > usual {
			continue
		}
		for _, r := range list {
			if r.asked != x.asked {
				r.asked, r.common, r.weight = x.asked, 0, 0
				x.hits = append(x.hits, r)
			}
			r.common, r.weight = r.common+1, r.weight+weight
		}
	}
	near := slices.DeleteFunc(x.hits, func(h *remembered) bool {
		worth := h.State.Live() || (h.State == StateSolved || h.State == StateClosed) && now.Sub(h.SolvedAt) <= lately
		return !worth || h.common < alikeWords || h.weight < alikeEnough*all
	})
	slices.SortFunc(near, func(a, b *remembered) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(b.ID, a.ID))
	})
	list := make([]Similar, 0, maxAlike)
	for _, h := range near[:min(len(near), maxAlike)] {
		list = append(list, h.Similar)
	}
	return list
}

// courtesy are words of at least four letters that say nothing of what a mail is about.
var courtesy = wordSet(`hallo guten morgen abend sehr geehrte geehrter damen herren bitte danke vielen dank viele gruesse gruß freundliche
	freundlichen liebe lieber mein meine meinen meinem meiner unser unsere nicht eine einen einem einer eines kann koennen koennte haben habe hatte wird
	werden wurde sind dass aber auch noch wenn wieder immer schon heute gestern jetzt nach beim oder sich mich mir ihnen hello dear please thanks thank
	regards kind best with from this that have been does will would could cannot when what there again still since today yesterday your they`)

// unusualWords are hashes of the words of some texts, each once: runs of letters and digits, at least three, of any case.
func unusualWords(texts ...string) []uint32 {
	words := make([]uint32, 0, maxWordsOf)
	var word []byte
	end := func() {
		if len(word) >= 3 && !courtesy[string(word)] {
			sum := uint32(2166136261) // FNV-1a
			for _, b := range word {
				sum = (sum ^ uint32(b)) * 16777619
			}
			if len(words) < maxWordsOf && !slices.Contains(words, sum) {
				words = append(words, sum)
			}
		}
		word = word[:0]
	}
	for _, text := range texts {
		for _, r := range text[:min(len(text), maxTextOf)] {
			switch r = unicode.ToLower(r); {
			case r == 'ä':
				word = append(word, "ae"...)
			case r == 'ö':
				word = append(word, "oe"...)
			case r == 'ü':
				word = append(word, "ue"...)
			case r == 'ß':
				word = append(word, "ss"...)
			case unicode.IsLetter(r) || unicode.IsDigit(r):
				word = append(word, string(r)...)
			default:
				end()
			}
			if len(words) == maxWordsOf {
				return words
			}
		}
		end()
	}
	return words
}

// knowAlike finds tickets that read like a message that begins something new.
func (tx *Tx) knowAlike(k *Known, m *Message, now time.Time) error {
	if k.Ticket != nil || m.Author == "" {
		return nil
	}
	if err := tx.store.alike.fill(tx); err != nil {
		return err
	}
	k.words = unusualWords(m.Subject, m.NewText())
	k.Similar = tx.store.alike.like(k.words, now)
	return nil
}
