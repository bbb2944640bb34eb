//go:build unix

package parse

import (
	"syscall"
	"time"
)

// cpuTime is the processor time that this process has used: unlike the clock's, it does not grow with what others do.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
