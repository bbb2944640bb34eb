package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"supportd/mailin"
	"supportd/mailout"
	"supportd/templates"
	"supportd/tickets"
)

// The stages that need no server.

func (r *run) generate(ctx context.Context) error {
	r.mails = nil
	_, err := r.measure(ctx, "generate", "messages", r.Messages, func(context.Context) error {
		r.need()
		return nil
	})
	return err
}

// parse reads the mails, one after the other.
func (r *run) parse(ctx context.Context) error {
	r.need()
	var octets int64
	s, err := r.measure(ctx, "parse", "messages", len(r.mails), func(ctx context.Context) error {
		for _, m := range r.mails {
			mailin.Parse(m.Raw, m.At)
			octets += int64(len(m.Raw))
		}
		return ctx.Err()
	})
	s.Note = fmt.Sprintf("%.0f MB/s", float64(octets)/1e6/s.Seconds)
	return err
}

// read makes the parsed forms, which some stages begin with.
func (r *run) read() []*tickets.Message {
	r.need()
	if r.parsed == nil {
		for _, m := range r.mails {
			r.parsed = append(r.parsed, mailin.Parse(m.Raw, m.At))
		}
	}
	return r.parsed
}

func (r *run) classify(ctx context.Context) error {
	list := r.read()
	_, err := r.measure(ctx, "classify", "messages", len(list), func(ctx context.Context) error {
		for _, m := range list {
			r.setup.Rules.Classifier.Classify(m, tickets.Hints{Mailbox: r.setup.Mailbox.Name, Trusted: true})
		}
		return ctx.Err()
	})
	return err
}

// compose renders and composes what one message calls for: an acknowledgement and a notice with the message's text and
// attachments.
func (r *run) compose(ctx context.Context) error {
	list := r.read()
	public, internal := templates.SamplePublic("de", false), templates.SampleInternal(tickets.TemplateTicketToTeam, "de", false)
	_, err := r.measure(ctx, "compose", "messages", len(list), func(ctx context.Context) error {
		for i, m := range list {
			ack, err := r.setup.Rules.Renderer.Public(tickets.TemplateAckNew, public)
			if err != nil {
				return err
			}
			view := internal
			view.Text, view.Attachments = m.NewText(), m.Attachments
			notice, err := r.setup.Rules.Renderer.Internal(tickets.TemplateTicketToTeam, view)
			if err != nil {
				return err
			}
			l := tickets.Letter{
				Class: tickets.ClassAuto, From: tickets.Address{Mail: deskAddress}, To: []tickets.Address{{Mail: "customer@test.example"}},
				MessageID: fmt.Sprintf("a%d@bench.example", i), Date: mailTime(), Subject: ack.Subject, Text: ack.Text,
			}
			if _, err := r.setup.Rules.Composer.Compose(l); err != nil {
				return err
			}
			l.Class, l.To, l.MessageID = tickets.ClassNotice, []tickets.Address{{Mail: agent}}, fmt.Sprintf("n%d@bench.example", i)
			l.Subject, l.Text, l.HTML = notice.Subject, notice.Text, notice.HTML
			for _, a := range m.Attachments {
				if a.Base64 != nil {
					l.Attached = append(l.Attached, tickets.File{Name: a.Name, Type: a.Type, Base64: a.Base64})
				}
			}
			if _, err := r.setup.Rules.Composer.Compose(l); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	return err
}

// storeStage decides about parsed mails and stores everything, as many at a time as the desk settles of a backlog. It
// begins with mail that no other stage has shown to the desk.
func (r *run) storeStage(ctx context.Context) error {
	desk, err := r.filled(ctx)
	if err != nil {
		return err
	}
	g := NewGenerator(r.Seed+1+r.kept, deskAddress, mailTime()) // other mails, and other UIDs, than an earlier run stored
	var in []tickets.Incoming
	for i := range r.Messages {
		m := g.Next()
		in = append(in, tickets.Incoming{
			Source:  tickets.Source{Mailbox: r.setup.Mailbox.Name, UIDValidity: validity + 1, UID: uint32(r.kept) + uint32(i+1)},
			Arrived: m.At, Size: int64(len(m.Raw)), Raw: m.Raw, Message: mailin.Parse(m.Raw, m.At),
		})
	}
	_, err = r.measure(ctx, "store", "messages", len(in), func(ctx context.Context) error { return r.receive(ctx, desk, in) })
	return errors.Join(err, desk.Store.Close())
}

// receive hands mails to a desk in batches.
func (r *run) receive(ctx context.Context, desk *tickets.Desk, in []tickets.Incoming) error {
	if _, err := desk.Place(ctx, in[0].Source.Mailbox, in[0].Source.UIDValidity); err != nil {
		return err
	}
	for len(in) > 0 {
		n, size := 0, int64(0)
		for n < len(in) && n < batch && size < batchOctets {
			size += int64(len(in[n].Raw))
			n++
		}
		b := tickets.Batch{Mailbox: in[0].Source.Mailbox, UIDValidity: in[0].Source.UIDValidity, Messages: in[:n]}
		if _, err := desk.Receive(ctx, b); err != nil {
			return err
		}
		in = in[n:]
	}
	return nil
}

// batchOctets is about how many octets of messages are settled at a time.
const batchOctets = 16 << 20

// send hands over everything that the store stage left in the outbox.
func (r *run) send(ctx context.Context) error {
	desk, err := r.filled(ctx)
	if err != nil {
		return err
	}
	before, err := waiting(desk)
	if err == nil && before == 0 {
		err = errors.New("the outbox is empty; run the stage store too")
	}
	if err != nil {
		return errors.Join(err, desk.Store.Close())
	}
	_, err = r.measure(ctx, "send", "mails", before, func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- r.sender(desk).Run(ctx) }()
		err := until(ctx, func() (bool, error) { n, err := waiting(desk); return n == 0, err })
		cancel()
		return errors.Join(err, <-ended)
	})
	return errors.Join(err, desk.Store.Close())
}

// sender sends without the bound on automatic answers, which would be all that is measured.
func (r *run) sender(desk *tickets.Desk) *mailout.Sender {
	return &mailout.Sender{Outbox: desk, Servers: r.setup.Servers, Wake: desk.Wake(), AutoPerMinute: -1}
}

// waiting is how many mails are still to be sent.
func waiting(desk *tickets.Desk) (n int, err error) {
	err = desk.Store.View(func(tx *tickets.Tx) error {
		st, err := tx.OutboxStats()
		if st.Deferred+st.GivenUp > 0 {
			return fmt.Errorf("%d mails were put off and %d given up: the SMTP server does not take them", st.Deferred, st.GivenUp)
		}
		n = st.Waiting
		return err
	})
	return n, err
}

// until asks again and again, until it is so.
func until(ctx context.Context, is func() (bool, error)) error {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		if ok, err := is(); ok || err != nil {
			return err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
