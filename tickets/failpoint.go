//go:build failpoints && unix

package tickets

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// failVariable names the failpoint where the process ends, and the time it is come by: "commit.durable:3".
const failVariable = "SUPPORTD_FAIL_AT"

// failAt counts the passes of the one failpoint that is active. It is state of the whole process, as its end is.
var failAt = newFailpoint(os.Getenv(failVariable))

type failpoint struct {
	name string
	left atomic.Int64
}

func newFailpoint(spec string) *failpoint {
	name, count, _ := strings.Cut(spec, ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		n = 1
	}
	f := &failpoint{name: name}
	f.left.Store(n)
	return f
}

// Failpoint ends the process as kill -9 does, when the environment names this point. It exists only in programs that
// are built with the tag failpoints, for the tests of what a crash leaves behind.
func Failpoint(name string) {
	if name != failAt.name || failAt.left.Add(-1) != 0 {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // cannot fail for oneself
	select {}                                      // until the signal is delivered
}
