package smtptest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// errPortTaken: another process took the port between our look and the server's bind.
var errPortTaken = errors.New("port taken")

// serverProcess is a server that dies with us.
type serverProcess struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// startServer starts a program in the foreground with one more variable in its environment, its output going to a file.
// Should this process die in any way, the kernel sends the server SIGTERM.
func startServer(output, variable, name string, args ...string) (*serverProcess, error) {
	out, err := os.OpenFile(output, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	// The kernel forgets to send the signal to a process that changes its user for a while, as Postfix's master does
	// (prctl(2), PR_SET_PDEATHSIG); so it goes to a shell that passes it on.
	cmd := exec.Command("/bin/sh", append([]string{"-c", `trap 'kill $server' TERM; "$0" "$@" & server=$!; wait $server; wait $server`, name}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), variable}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = dieWithParent()
	c := &serverProcess{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The signal is sent when the thread that started the server ends, so this goroutine keeps its thread until
		// the server has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.done)
		defer out.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// stop asks the server to end, and kills it when it does not within the limit.
func (c *serverProcess) stop(limit time.Duration) {
	c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(limit):
		c.kill()
	}
}

func (c *serverProcess) kill() {
	c.cmd.Process.Kill()
	<-c.done
}

// answers waits until the address greets with the prefix. It fails when the server ends first or the limit is over.
func (c *serverProcess) answers(limit time.Duration, addr, prefix string) error {
	end := time.After(limit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := greets(addr, prefix)
		if err == nil {
			return nil
		}
		select {
		case <-c.done:
			return errors.New("the server ended at once")
		case <-end:
			return fmt.Errorf("no answer within %s: %w", limit, err)
		case <-tick.C:
		}
	}
}

func greets(addr, prefix string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(line, prefix) {
		return fmt.Errorf("greeting %q does not start with %q", line, prefix)
	}
	return nil
}

// findProcesses returns the processes whose folder under /proc the function accepts.
func findProcesses(accept func(dir string) bool) ([]int, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, dir := range dirs {
		if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil && accept(dir) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// goneWithin kills what the function lists until it lists nothing.
func goneWithin(limit time.Duration, list func() ([]int, error)) error {
	end := time.After(limit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		pids, err := list()
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			killPID(pid)
		}
		select {
		case <-end:
			return fmt.Errorf("processes %v did not end within %s", pids, limit)
		case <-tick.C:
		}
	}
}

// killPID ends one process; one that is gone already is fine.
func killPID(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		p.Kill()
	}
}

// shortTempDir is where temporary files go, or /tmp when that is too long: the paths of sockets are limited to 108 octets
// (unix(7)), and those of the server go below it.
func shortTempDir() string {
	if dir := os.TempDir(); len(dir) <= 60 {
		return dir
	}
	return "/tmp"
}
