//go:build !linux

package smtptest

import "syscall"

// dieWithParent: only Linux can end a child with its starter.
func dieWithParent() *syscall.SysProcAttr { return nil }
