// Package crash holds the tools that prove what the desk promises of crashes and faults (P1 to P4): it runs the real
// program as a process of its own, kills it, cuts its connections, fails its system calls and takes away what the disk
// had not promised to keep, and then asks an oracle that shares no code with the desk's decisions. It is no part of the
// program, and tests nothing that a unit test can.
//
// All but this file is built with the tag crash only, on Linux.
package crash
