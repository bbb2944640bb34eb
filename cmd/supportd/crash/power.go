//go:build linux && crash

package crash

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"supportd/tickets"
)

// Judge lists what is wrong with a desk that was found in this state: it has to be there and sound, and know everything
// it had told somebody.
func (s *State) Judge(found Snapshot) (wrong []string) {
	for _, f := range found.faults() {
		wrong = append(wrong, "O7 "+f)
	}
	if len(wrong) > 0 {
		return wrong
	}
	messages := map[uint32]MessageView{}
	for _, m := range found.Messages {
		messages[m.Source.UID] = m
	}
	outbox := map[string]MailView{}
	for _, m := range found.Outbox {
		outbox[m.MessageID] = m
	}
	settled := uint64(0)
	for _, a := range s.Acks {
		switch {
		case a.Settled != 0:
			settled++
			if m, ok := messages[a.Settled]; a.Result != string(tickets.Duplicate) && (!ok || string(m.Result) != a.Result) {
				wrong = append(wrong, fmt.Sprintf("O1 UID %d was said to be %s and is %q", a.Settled, a.Result, m.Result))
			}
		case a.Flagged != 0:
			if next := found.Places[deskUser].Next; next <= a.Flagged {
				wrong = append(wrong, fmt.Sprintf("O8 UID %d was marked as settled on the server, and the place is before %d", a.Flagged, next))
			}
		case a.MessageID != "":
			if m, ok := outbox[a.MessageID]; !ok || m.Attempts == 0 {
				wrong = append(wrong, fmt.Sprintf("O2 %s was sent, and the outbox knows of no attempt", a.MessageID))
			}
		}
	}
	if found.Doctor.Books.Seen < settled {
		wrong = append(wrong, fmt.Sprintf("O1 %d messages were said to be settled, the books say %d", settled, found.Doctor.Books.Seen))
	}
	return wrong
}

// Found is how a state turned out.
type Found struct {
	Cut    int // its number
	Choice Choice
	Wrong  []string
}

// Explore looks at so many states: at each cut the two extreme ones first, as far as the number goes, then others by
// chance. judge says what is wrong with a state; nil is State.Judge. It gives the states that are wrong.
func Explore(e *Explorer, states int, scratch, inspect string, judge func(*State, Snapshot) []string) ([]Found, error) {
	if judge == nil {
		judge = (*State).Judge
	}
	type job struct {
		cut    int
		choice Choice
	}
	jobs := make([]job, 0, states)
	for _, c := range []Choice{KeepNone, KeepAll} {
		for _, cut := range e.Rand.Perm(e.Cuts()) {
			jobs = append(jobs, job{cut, c})
		}
	}
	for len(jobs) < states {
		jobs = append(jobs, job{e.Rand.IntN(e.Cuts()), KeepSome + Choice(e.Rand.IntN(2))})
	}
	var mu sync.Mutex
	var found []Found
	var failed error
	next := 0
	var workers sync.WaitGroup
	for w := range 2 {
		workers.Go(func() {
			c := &Checker{Binary: inspect, Limit: stateLimit}
			defer c.Close()
			for {
				mu.Lock()
				if next >= min(states, len(jobs)) || failed != nil {
					mu.Unlock()
					return
				}
				j := jobs[next]
				dir := filepath.Join(scratch, fmt.Sprintf("%d-%d", w, next))
				next++
				s := e.At(j.cut, j.choice) // the random choices are made one after the other
				mu.Unlock()
				wrong, err := s.look(dir, c, judge)
				mu.Lock()
				if err != nil {
					failed = err
				} else if len(wrong) > 0 {
					found = append(found, Found{j.cut, j.choice, wrong})
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return found, failed
}

// look writes a state, inspects and judges it, and takes it away.
func (s *State) look(dir string, c *Checker, judge func(*State, Snapshot) []string) ([]string, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := s.Write(dir); err != nil {
		return nil, err
	}
	snapshot, err := c.Check(filepath.Join(dir, "state"))
	if err != nil {
		return []string{err.Error()}, nil // it crashed or hung: that is what is wrong
	}
	return judge(s, snapshot), nil
}

// Syncs counts the commits to a file of bbolt and its syncs: a commit writes one of the two meta pages, the first ones
// of the file.
func (r *Recording) Syncs(suffix string) (commits, syncs int) {
	var n *node
	for path, at := range r.names {
		if strings.HasSuffix(path, suffix) {
			n = at
		}
	}
	page := int64(os.Getpagesize())
	for _, o := range r.ops {
		switch {
		case o.node != n:
		case o.kind == opSync:
			syncs++
		case o.kind == opWrite && (o.offset == 0 || o.offset == page):
			commits++
		}
	}
	return commits, syncs
}

// Same reports how the state after everything differs from what is on the disk: by nothing, when the recording is whole.
func (e *Explorer) Same() (differences []string, err error) {
	s := e.At(e.Cuts()-1, KeepAll)
	again, err := os.MkdirTemp(filepath.Dir(e.Recording.Root), "same")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(again)
	if err := s.Write(again); err != nil {
		return nil, err
	}
	a, err := contents(e.Recording.Root)
	if err != nil {
		return nil, err
	}
	b, err := contents(again)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if b[name] != a[name] {
			differences = append(differences, name)
		}
		delete(b, name)
	}
	return append(differences, slices.Sorted(maps.Keys(b))...), nil
}

func contents(dir string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.Walk(dir, func(p string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		b, err := os.ReadFile(p)
		files[strings.TrimPrefix(p, dir)] = string(b)
		return err
	})
	return files, err
}
