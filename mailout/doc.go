// Package mailout composes the mails that the desk owes and hands them to SMTP servers. It tells a no from a not-now,
// and a refused mail from a server that cannot be used at all.
//
// It decides neither what is sent nor to whom, keeps nothing between runs, and never looks up MX records: every mail
// goes to a configured server. What is due, and how each attempt ended, is kept by the Outbox it is given.
package mailout
