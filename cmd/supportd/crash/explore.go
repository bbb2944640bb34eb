//go:build linux && crash

package crash

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Explorer makes the states that a disk may be in after the power has failed at some point of a recording.
//
// A disk keeps what was synced: of a file its octets when fsync or fdatasync has ended that began after the write, of a
// folder its names likewise. Of the rest it keeps anything: each write whole, not at all, or any of its sectors of 512
// octets; each name or not. A rename is one step, and durable with its destination's folder.
type Explorer struct {
	Recording *Recording
	Rand      *rand.Rand
	// NoSync lets the disk forget syncs of files, as one does that lies, or a store that does not ask: the control that
	// has to fail.
	NoSync bool

	order []op // by end
	cuts  []int
}

// stateLimit is how long a look at one state may take.
const stateLimit = 10 * time.Second

// sector is what a disk writes whole or not at all.
const sector = 512

func (e *Explorer) prepare() {
	e.order = slices.Clone(e.Recording.ops)
	slices.SortStableFunc(e.order, func(a, b op) int { return cmp.Compare(a.end, b.end) })
	for _, o := range e.order {
		for _, at := range []int{o.start - 1, o.end} {
			if n := len(e.cuts); n == 0 || e.cuts[n-1] != at {
				e.cuts = append(e.cuts, at)
			}
		}
	}
	slices.Sort(e.cuts)
	e.cuts = slices.Compact(e.cuts)
}

// Cuts is how many moments there are at which the power can fail.
func (e *Explorer) Cuts() int {
	if e.cuts == nil {
		e.prepare()
	}
	return len(e.cuts)
}

// Choice says what becomes of what was not synced.
type Choice int

// Choices. The first two are one state for each cut; the others are different each time.
const (
	KeepAll  Choice = iota // as after kill -9
	KeepNone               // only what was promised
	KeepSome               // each write and each name by chance, some writes torn
	KeepTorn               // all writes in order up to one that is torn, none after it
)

// State is a disk after the power has failed.
type State struct {
	Cut   int
	Acks  []Ack // what had been told before
	Whole bool  // the recording had ended
	names map[*node]map[string]*node
	files map[*node]*image
	root  *node
}

// image is the content of a file: pages that were written, over a start that is shared.
type image struct {
	start []byte
	size  int64
	parts []part
}

type part struct {
	offset int64
	data   []byte
}

// At makes a state at a cut, from 0 to Cuts()-1.
func (e *Explorer) At(i int, choice Choice) *State {
	at := e.cuts[i]
	s := &State{Cut: at, Whole: i == len(e.cuts)-1, names: map[*node]map[string]*node{}, files: map[*node]*image{}, root: e.Recording.root}
	for dir, names := range e.Recording.first {
		s.names[dir] = make(map[string]*node, len(names))
		for name, n := range names {
			s.names[dir][name] = n
		}
	}
	for n, b := range e.Recording.start {
		s.files[n] = &image{start: b, size: int64(len(b))}
	}
	synced := map[*node]int{} // when the last sync began that has ended
	for _, o := range e.order {
		if o.kind == opSync && o.end <= at && !(e.NoSync && !o.node.folder) {
			synced[o.node] = max(synced[o.node], o.start)
		}
	}
	pending := 0
	for _, o := range e.order {
		if o.start <= at && o.kind <= opRename && o.kind != opSync && !durable(o, synced) {
			pending++
		}
	}
	torn := -1
	if choice == KeepTorn && pending > 0 {
		torn = e.Rand.IntN(pending)
	}
	// The names of a journal survive in order; without one, anyhow.
	inOrder, namesLeft := e.Rand.IntN(2) == 0, e.Rand.IntN(4)
	seen := 0
	for _, o := range e.order {
		switch {
		case o.start > at:
			continue
		case o.kind == opAck:
			s.Acks = append(s.Acks, o.ack)
			continue
		case o.kind == opSync:
			continue
		case durable(o, synced):
			s.apply(o)
			continue
		}
		seen++
		data := o.kind == opWrite || o.kind == opTruncate
		switch {
		case choice == KeepAll && o.end <= at, choice == KeepTorn && seen-1 < torn:
			s.apply(o)
		case choice == KeepTorn && seen-1 == torn && o.kind == opWrite:
			s.tear(o, e.Rand)
		case choice != KeepSome:
		case !data && inOrder:
			if namesLeft--; namesLeft >= 0 {
				s.apply(o)
			}
		default:
			switch e.Rand.IntN(3) {
			case 0:
				s.apply(o)
			case 1:
				if o.kind == opWrite {
					s.tear(o, e.Rand)
				}
			}
		}
	}
	return s
}

// durable reports whether an op is covered by a sync that began after it.
func durable(o op, synced map[*node]int) bool {
	switch o.kind {
	case opWrite, opTruncate:
		return synced[o.node] > o.end
	case opRename:
		return synced[o.toDir] > o.end
	}
	return synced[o.dir] > o.end
}

func (s *State) dir(n *node) map[string]*node {
	if s.names[n] == nil {
		s.names[n] = map[string]*node{}
	}
	return s.names[n]
}

func (s *State) file(n *node) *image {
	if s.files[n] == nil {
		s.files[n] = &image{}
	}
	return s.files[n]
}

func (s *State) apply(o op) {
	switch o.kind {
	case opWrite:
		s.file(o.node).write(o.offset, o.data)
	case opTruncate:
		f := s.file(o.node)
		f.parts = append(f.parts, part{offset: o.offset})
		f.size = o.offset
	case opLink:
		s.dir(o.dir)[o.name] = o.node
	case opUnlink:
		delete(s.dir(o.dir), o.name)
	case opRename:
		if s.dir(o.dir)[o.name] == o.node {
			delete(s.dir(o.dir), o.name)
		}
		s.dir(o.toDir)[o.to] = o.node
	}
}

func (f *image) write(offset int64, data []byte) {
	f.parts = append(f.parts, part{offset, data})
	f.size = max(f.size, offset+int64(len(data)))
}

// tear applies some sectors of a write.
func (s *State) tear(o op, random *rand.Rand) {
	f := s.file(o.node)
	for i := 0; i < len(o.data); i += sector {
		if random.IntN(2) == 0 {
			f.write(o.offset+int64(i), o.data[i:min(i+sector, len(o.data))])
		}
	}
}

// Write makes the state below a folder, which must be empty.
func (s *State) Write(dir string) error { return s.writeFolder(s.root, dir) }

func (s *State) writeFolder(n *node, dir string) error {
	for name, child := range s.names[n] {
		path := filepath.Join(dir, name)
		if !child.folder {
			if err := s.writeFile(child, path); err != nil {
				return err
			}
			continue
		}
		if err := os.Mkdir(path, 0o700); err != nil {
			return fmt.Errorf("write state: %w", err)
		}
		if err := s.writeFolder(child, path); err != nil {
			return err
		}
	}
	return nil
}

func (s *State) writeFile(n *node, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	if c := s.files[n]; c != nil {
		if len(c.start) > 0 {
			_, err = f.Write(c.start)
		}
		for _, p := range c.latest() {
			var one error
			if p.data == nil {
				one = f.Truncate(p.offset)
			} else {
				_, one = f.WriteAt(p.data, p.offset)
			}
			err = errors.Join(err, one)
		}
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

// latest leaves out what later parts write over whole, so that a state is written fast.
func (f *image) latest() []part {
	type span struct {
		offset int64
		length int
	}
	later := map[span]bool{}
	var parts []part
	for i := len(f.parts) - 1; i >= 0; i-- {
		p := f.parts[i]
		if p.data == nil {
			clear(later) // a truncation may take away what came before it
		} else if later[span{p.offset, len(p.data)}] {
			continue
		}
		later[span{p.offset, len(p.data)}] = true
		parts = append(parts, p)
	}
	slices.Reverse(parts)
	return parts
}
