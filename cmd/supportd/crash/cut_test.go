//go:build linux && crash

package crash

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"supportd/mailin/imaptest"
)

// place is where a session is cut.
type place struct {
	smtp bool // else IMAP
	cut  Cut
}

func (p place) String() string {
	protocol := "imap"
	if p.smtp {
		protocol = "smtp"
	}
	return fmt.Sprintf("%s %s after %d", protocol, p.cut.Direction, p.cut.After)
}

// Sessions are cut after any number of octets, in both directions: each mail makes one ticket, and each mail that is owed
// arrives; twice only when the cut fell between its final dot and the reply.
// S-017 S-024 S-037
func TestCut(t *testing.T) {
	t.Parallel()
	random, seed := seeded(t)
	p, root := built(t), stateRoot(t)
	dry := &cutRound{programs: p, dir: filepath.Join(root, "dry"), places: []place{{cut: Cut{Up, 1 << 40}}}}
	if wrong, err := dry.run(); err != nil || len(wrong) > 0 {
		t.Fatalf("without any cut: %v %v", wrong, err)
	}
	all := dry.everywhere(random)
	total := len(all)
	if *cutsFlag > 0 {
		all = all[:min(total, *cutsFlag)]
	}
	tried := len(all)
	const boxes = 40
	var mu sync.Mutex
	round, copies, bad := 0, 0, 0
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for {
				mu.Lock()
				if len(all) == 0 || t.Failed() {
					mu.Unlock()
					return
				}
				round++
				r := &cutRound{programs: p, dir: filepath.Join(root, fmt.Sprint(round)), places: all[:min(boxes, len(all))]}
				all = all[len(r.places):]
				mu.Unlock()
				wrong, err := r.run()
				mu.Lock()
				copies += r.copies
				if err != nil || len(wrong) > 0 {
					bad++
					t.Errorf("cuts %v: %v %s", r.places, err, strings.Join(wrong, "\n"))
				}
				mu.Unlock()
				os.RemoveAll(r.dir)
			}
		})
	}
	workers.Wait()
	report(t, "%d cuts of %d places (imap %d up, %d down; smtp %d up, %d down) in %d lives of a desk, %d lives wrong, %d further copies; seed %d",
		tried-len(all), total, dry.octets[0], dry.octets[1], dry.octets[2], dry.octets[3], round, bad, copies, seed)
}

// everywhere lists all places of both sessions, in any order, but those of the shorter session not behind the others: a
// sample has as many of each.
func (c *cutRound) everywhere(random *rand.Rand) []place {
	var sessions [2][]place
	for i, n := range c.octets {
		for after := range n {
			sessions[i/2] = append(sessions[i/2], place{smtp: i >= 2, cut: Cut{Direction(i % 2), after}})
		}
	}
	var all []place
	for _, s := range sessions {
		random.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	}
	for i := range max(len(sessions[0]), len(sessions[1])) {
		for _, s := range sessions {
			if i < len(s) {
				all = append(all, s[i])
			}
		}
	}
	return all
}

// cutRound is one life of a desk with many mailboxes, one session of each of which is cut. Every mailbox has its own
// brand and its own way to the servers, and gets one mail.
type cutRound struct {
	programs *Programs
	dir      string
	places   []place

	octets [4]int64 // of the first mailbox: imap up, down, smtp up, down
	copies int
}

func (c *cutRound) run() (wrong []string, err error) {
	users := make([]string, len(c.places))
	for i := range users {
		users[i] = fmt.Sprintf("box%d", i)
	}
	servers, err := StartEmbedded(imaptest.Options{}, users...)
	if err != nil {
		return nil, err
	}
	defer servers.Close()
	if err := os.Mkdir(c.dir, 0o700); err != nil {
		return nil, err
	}
	post := &Post{Life: func() int { return 1 }}
	mails := &Generator{Rand: rand.New(rand.NewPCG(1, 1)), Post: post, Plain: true}
	var boxes []Mailbox
	var proxies []*Proxy
	for i, at := range c.places {
		cut := func(conn int) *Cut {
			if conn == 1 {
				return &at.cut
			}
			return nil
		}
		in, out := &Proxy{Target: servers.IMAP}, &Proxy{Target: servers.SMTP, Watch: post.Watch}
		if at.smtp {
			out.Cuts = cut
		} else {
			in.Cuts = cut
		}
		for _, p := range []*Proxy{in, out} {
			if err := p.Start(); err != nil {
				return nil, err
			}
			defer p.Close()
			proxies = append(proxies, p)
		}
		boxes = append(boxes, Mailbox{Name: users[i], User: users[i], IMAP: in.Addr(), SMTP: out.Addr(), After: "move", One: true})
		mails.Address = boxes[i].Address()
		if err := servers.Put(users[i], mails.Next().Raw); err != nil {
			return nil, err
		}
	}
	r := &Rig{Servers: servers, Mail: mails, Post: post, Desk: &Desk{Binary: c.programs.Release, Dir: c.dir},
		Inspects: &Checker{Binary: c.programs.Inspect, Limit: 30 * time.Second}}
	defer r.Inspects.Close()
	if err := os.WriteFile(filepath.Join(c.dir, "pw"), []byte("secret\n"), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(r.Desk.Config(), []byte(Configuration(boxes, 0)), 0o600); err != nil {
		return nil, err
	}
	r.lives = make([]Life, 2)
	if err := r.Desk.Start(); err != nil {
		return nil, err
	}
	defer r.Desk.Kill()
	if err := r.Rest(5 * time.Minute); err != nil {
		return nil, err
	}
	for i, d := range []Direction{Up, Down} {
		c.octets[i], c.octets[2+i] = proxies[0].Octets(d), proxies[1].Octets(d)
	}
	if err := r.Stop(); err != nil {
		return nil, err
	}
	wrong, n, err := r.Judge()
	c.copies = n.Copies
	return wrong, err
}
