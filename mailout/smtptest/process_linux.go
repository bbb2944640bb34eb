package smtptest

import "syscall"

// dieWithParent has the kernel end the child when its starter dies.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
