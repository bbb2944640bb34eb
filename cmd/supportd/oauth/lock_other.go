//go:build !unix

package oauth

import "context"

// lock does nothing here: only one process at a time may use the refresh tokens of a folder.
func (folder) lock(context.Context) (unlock func(), err error) { return func() {}, nil }
