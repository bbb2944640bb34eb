// Package tickets is the desk: what a ticket is, how a message becomes part of one, what is promised to whom until when,
// and how all of it is kept. It neither reads mailboxes nor parses mail, judges what a mail is, renders texts or speaks
// SMTP: those rooms hand it plain values and take plain values from it, and none of them is imported here.
//
// The way of a message through this package:
//
//	Desk.Receive   one transaction for a batch; raw bytes are durable before it begins
//	Tx.know        gathers what the store knows and what bears on the message
//	Decide         judges: a function of (what is known, the message, the rules, now), without I/O
//	Desk.apply     writes entries, owed mails, holds and the mailbox's place, in the same transaction
//	Desk.Due       gives out what is owed; Attempt and Settle record how it goes
//	Desk.Tick      does what falls due: reminders, closing
//
// A ticket changes only by entries. They are appended and never rewritten; Replay makes the ticket from them again, and
// Doctor holds the one against the other.
package tickets
