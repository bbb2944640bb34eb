// Package mailin follows mailboxes over IMAP and turns bytes into a tickets.Message. It decides nothing: what a message
// means, whether it was seen before and what is done about it is the Receiver's business.
//
// A Poller follows one mailbox on one connection of its own. Its place is kept by UID (RFC 9051 §2.3.1.1), never by
// \Seen or \Recent; a message is touched on the server only after the Receiver has said that it is safe.
package mailin

import (
	"context"

	"supportd/tickets"
)

// Receiver is what a Poller hands messages to.
type Receiver interface {
	// Place says how far the mailbox has been read. A UIDVALIDITY other than the stored one starts the mailbox anew:
	// content identity then tells known mail from new.
	Place(ctx context.Context, mailbox string, uidValidity uint32) (tickets.Place, error)
	// Receive settles messages: when it returns nil all of it is durable. Through: every UID up to and including it
	// is settled or stands as a hole. All messages share the mailbox and UIDVALIDITY.
	Receive(ctx context.Context, b tickets.Batch) ([]tickets.Outcome, error)
	// Settled tells, of the UIDs given, those that are settled, and how.
	Settled(ctx context.Context, mailbox string, uidValidity uint32, uids []uint32) ([]tickets.Settled, error)
	// Missed records one more failed attempt at a message that the server lists.
	Missed(ctx context.Context, src tickets.Source, reason string) (tickets.Hole, error)
}
