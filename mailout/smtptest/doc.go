// Package smtptest is an SMTP server on the loopback interface that keeps or passes on what it is sent and fails on
// demand. It serves tests and demonstrations; it relays nothing and is not hardened against strangers.
package smtptest
