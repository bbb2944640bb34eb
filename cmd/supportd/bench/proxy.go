package bench

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// proxy stands between the desk and a server: it makes the way as long as a network would, and counts how often the
// client spoke after the server had.
type proxy struct {
	listener net.Listener
	to       string
	delay    time.Duration // one way
	trips    atomic.Int64
	ctx      context.Context
	cancel   context.CancelFunc
	group    sync.WaitGroup
}

func newProxy(to string, roundTrip time.Duration) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &proxy{listener: l, to: to, delay: roundTrip / 2, ctx: ctx, cancel: cancel}
	p.group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.group.Go(func() { p.serve(c) })
		}
	})
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) close() {
	p.cancel()
	p.listener.Close()
	p.group.Wait()
}

func (p *proxy) serve(client net.Conn) {
	server, err := new(net.Dialer).DialContext(p.ctx, "tcp", p.to)
	if err != nil {
		client.Close()
		return
	}
	stop := context.AfterFunc(p.ctx, func() { client.Close(); server.Close() })
	defer stop()
	var answered atomic.Bool
	answered.Store(true)
	var both sync.WaitGroup
	both.Go(func() {
		p.carry(server, client, func() {
			if answered.Swap(false) {
				p.trips.Add(1)
			}
		})
	})
	both.Go(func() { p.carry(client, server, func() { answered.Store(true) }) })
	both.Wait()
	client.Close()
	server.Close()
}

// carry passes on what it reads, each piece so much later than it came. Pieces on their way do not hold up one another.
func (p *proxy) carry(to, from net.Conn, seen func()) {
	type piece struct {
		data []byte
		due  time.Time
	}
	way := make(chan piece, 4096)
	var sending sync.WaitGroup
	sending.Go(func() {
		for one := range way {
			if wait := time.Until(one.due); wait > 0 {
				timer := time.NewTimer(wait)
				select {
				case <-timer.C:
				case <-p.ctx.Done():
				}
				timer.Stop()
			}
			if _, err := to.Write(one.data); err != nil {
				from.Close()
			}
		}
	})
	for {
		buf := make([]byte, 64<<10)
		n, err := from.Read(buf)
		if n > 0 {
			seen()
			way <- piece{buf[:n], time.Now().Add(p.delay)}
		}
		if err != nil {
			break
		}
	}
	close(way)
	sending.Wait()
	if t, ok := to.(*net.TCPConn); ok {
		_ = t.CloseWrite() // it may be closed already
	}
}
