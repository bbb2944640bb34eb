//go:build linux && crash

package crash

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
)

// Direction is a way through a Proxy.
type Direction int

// The two directions.
const (
	Up   Direction = iota // from the client to the server
	Down                  // from the server to the client
)

func (d Direction) String() string { return [...]string{"up", "down"}[d] }

// Cut says that a connection ends after so many octets in one direction: the octet after them is the first that does
// not get through.
type Cut struct {
	Direction Direction
	After     int64
}

// Proxy stands between a client and a server, passes on what they say, and breaks connections when it is told to.
// Target is required; the fields must not change after Start.
type Proxy struct {
	Target func() string       // where the server is at present
	Cuts   func(conn int) *Cut // asked for each connection, counted from 1; nil: no cuts
	Watch  func(conn int) Watcher

	ln    net.Listener
	group sync.WaitGroup
	count atomic.Int64

	mu     sync.Mutex
	open   map[*pipe]struct{}
	closed bool
	octets [2]int64
}

// Watcher is told what passes through a connection, in the order in which it was passed on, one call at a time.
type Watcher interface {
	Passed(d Direction, b []byte)
	Ended(cut bool) // cut: the proxy did it
}

// Start begins to listen on a port of its own.
func (p *Proxy) Start() error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start proxy: %w", err)
	}
	p.ln, p.open = ln, map[*pipe]struct{}{}
	p.group.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			p.group.Go(func() { p.serve(c.(*net.TCPConn)) })
		}
	})
	return nil
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.ln.Addr().String() }

// Octets is how much has passed in each direction, over all connections.
func (p *Proxy) Octets(d Direction) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.octets[d]
}

// Reset breaks all open connections on both sides and returns how many there were.
func (p *Proxy) Reset() int {
	p.mu.Lock()
	pipes := make([]*pipe, 0, len(p.open))
	for c := range p.open {
		pipes = append(pipes, c)
	}
	p.mu.Unlock()
	for _, c := range pipes {
		c.cut()
	}
	return len(pipes)
}

// Close ends the proxy and all connections.
func (p *Proxy) Close() {
	p.ln.Close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Reset()
	p.group.Wait()
}

// pipe is one connection through the proxy.
type pipe struct {
	client, server *net.TCPConn
	watch          Watcher

	mu   sync.Mutex // of the watcher
	once sync.Once
	cuts atomic.Bool // the proxy ended it
}

// cut breaks both sides with a reset, so that nothing that is still under way arrives.
func (c *pipe) cut() {
	c.cuts.Store(true)
	c.end(true)
}

func (c *pipe) end(hard bool) {
	c.once.Do(func() {
		for _, s := range []*net.TCPConn{c.client, c.server} {
			if hard {
				_ = s.SetLinger(0) // the close below then sends a reset; without it, it ends as well
			}
			s.Close()
		}
	})
}

func (p *Proxy) serve(client *net.TCPConn) {
	number := int(p.count.Add(1))
	up, err := net.Dial("tcp", p.Target())
	if err != nil {
		client.Close() // the server is down: so it looks from here
		return
	}
	c := &pipe{client: client, server: up.(*net.TCPConn)}
	if p.Watch != nil {
		c.watch = p.Watch(number)
	}
	var cut *Cut
	if p.Cuts != nil {
		cut = p.Cuts(number)
	}
	p.mu.Lock()
	p.open[c] = struct{}{}
	closed := p.closed
	p.mu.Unlock()
	if closed {
		c.cut()
	}
	var both sync.WaitGroup
	both.Go(func() { p.copy(c, Up, c.server, c.client, cut) })
	both.Go(func() { p.copy(c, Down, c.client, c.server, cut) })
	both.Wait()
	c.end(false)
	p.mu.Lock()
	delete(p.open, c)
	p.mu.Unlock()
	if c.watch != nil {
		c.watch.Ended(c.cuts.Load())
	}
}

// copy passes one direction on until it ends, or until its octet to cut at has come.
func (p *Proxy) copy(c *pipe, d Direction, dst, src *net.TCPConn, cut *Cut) {
	left := int64(-1)
	if cut != nil && cut.Direction == d {
		if left = cut.After; left == 0 {
			c.cut()
			return
		}
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if left >= 0 && int64(n) > left {
			n = int(left)
		}
		if n > 0 {
			if !p.pass(c, d, dst, buf[:n]) {
				c.end(false)
				return
			}
			if left >= 0 {
				left -= int64(n)
			}
		}
		switch {
		case left == 0:
			c.cutAfterRead(dst)
			return
		case err != nil:
			// The other side may still have something to say, but both of ours end sessions as a whole.
			c.end(false)
			return
		}
	}
}

// cutAfterRead breaks the connection so that what was passed on is still read by the side it went to: an end and not a
// reset there. The other side gets a reset.
func (c *pipe) cutAfterRead(dst *net.TCPConn) {
	c.cuts.Store(true)
	c.once.Do(func() {
		other := c.client
		if dst == c.client {
			other = c.server
		}
		_ = other.SetLinger(0) // without it, it ends as well
		other.Close()
		dst.Close()
	})
}

// pass writes to the other side and tells the watcher.
func (p *Proxy) pass(c *pipe, d Direction, dst *net.TCPConn, b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := dst.Write(b)
	p.mu.Lock()
	p.octets[d] += int64(n)
	p.mu.Unlock()
	if c.watch != nil && n > 0 {
		c.watch.Passed(d, b[:n])
	}
	return err == nil
}
