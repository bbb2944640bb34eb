package tickets

import "errors"

// What a caller may have to branch on.
var (
	// ErrNotFound: there is no such ticket, mail or record.
	ErrNotFound = errors.New("not found")
	// ErrStopped: the store could not write or sync and takes no further change (P4). The process has to end.
	ErrStopped = errors.New("the store has stopped after a write error")
	// ErrFull: the disk is full, or nearly so; nothing was changed and reading still works.
	ErrFull = errors.New("disk full")
)
