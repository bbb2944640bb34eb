//go:build linux && crash

package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Programs are the binaries that the tests run.
type Programs struct {
	Dir     string // where they lie; to be removed in the end
	Release string // supportd as it is released
	Failing string // supportd with its failpoints
	Inspect string // the command in the folder inspect
}

// Build builds the programs into a temporary folder.
func Build() (*Programs, error) {
	dir, err := os.MkdirTemp("", "crash")
	if err != nil {
		return nil, fmt.Errorf("build the programs: %w", err)
	}
	p := &Programs{Dir: dir, Release: filepath.Join(dir, "supportd"), Failing: filepath.Join(dir, "supportd-failing"),
		Inspect: filepath.Join(dir, "inspect")}
	for _, args := range [][]string{
		{"-o", p.Release, "supportd/cmd/supportd"},
		{"-tags", "failpoints", "-o", p.Failing, "supportd/cmd/supportd"},
		{"-tags", "crash", "-o", p.Inspect, "supportd/cmd/supportd/crash/inspect"},
	} {
		cmd := exec.Command("go", append([]string{"build"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			os.RemoveAll(dir)
			return nil, fmt.Errorf("build the programs: %w\n%s", err, out)
		}
	}
	return p, nil
}

// Desk is supportd as a process. One goroutine uses it.
type Desk struct {
	Binary string
	Dir    string   // holds supportd.yaml, and the state folder
	Wrap   []string // what runs the program, such as strace with its options; nil: nothing

	cmd  *exec.Cmd
	log  *bytes.Buffer
	done chan struct{}
	err  error
}

// Config is the file that the desk obeys.
func (d *Desk) Config() string { return filepath.Join(d.Dir, "supportd.yaml") }

// State is the state directory.
func (d *Desk) State() string { return filepath.Join(d.Dir, "state") }

// Start starts the program with further variables in its environment. It does not wait until it is ready.
func (d *Desk) Start(env ...string) error { return d.Run(env, "run", "-c", d.Config()) }

// Run starts any command of the program.
func (d *Desk) Run(env []string, args ...string) error {
	argv := append(append(append([]string{}, d.Wrap...), d.Binary), args...)
	d.cmd = exec.Command(argv[0], argv[1:]...)
	d.cmd.Env = append(os.Environ(), env...)
	d.log = &bytes.Buffer{}
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	started := make(chan error, 1)
	d.done = make(chan struct{})
	go func() {
		// The kernel sends the signal when the thread ends that started the process, so this goroutine keeps its own.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(d.done)
		err := d.cmd.Start()
		started <- err
		if err == nil {
			d.err = d.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start the desk: %w", err)
	}
	return nil
}

// Done is closed when the process has ended.
func (d *Desk) Done() <-chan struct{} { return d.done }

// Signal sends a signal to the program, also when another program wraps it.
func (d *Desk) Signal(s syscall.Signal) error {
	pid := d.cmd.Process.Pid
	if len(d.Wrap) > 0 {
		child, err := childOf(pid)
		if err != nil {
			return err
		}
		pid = child
	}
	if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal the desk: %w", err)
	}
	return nil
}

// childOf finds the process that another one has started.
func childOf(pid int) (int, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return 0, err
	}
	for _, t := range tasks {
		b, err := os.ReadFile(t)
		if err != nil {
			continue
		}
		if f := strings.Fields(string(b)); len(f) > 0 {
			return strconv.Atoi(f[0])
		}
	}
	return 0, fmt.Errorf("process %d has started none", pid)
}

// Wait waits until the process has ended, and says how.
func (d *Desk) Wait(ctx context.Context) (*os.ProcessState, error) {
	select {
	case <-d.done:
		return d.cmd.ProcessState, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the desk does not end: %w\n%s", context.Cause(ctx), d.tail())
	}
}

// Stop ends the program as a service manager does, and fails when it does not end well within the limit.
func (d *Desk) Stop(limit time.Duration) error {
	if err := d.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	state, err := d.Wait(ctx)
	if err != nil {
		return errors.Join(err, d.Kill())
	}
	if !state.Success() {
		return fmt.Errorf("the desk ended with %s\n%s", state, d.tail())
	}
	return nil
}

// unborn reports whether SIGTERM ended the program before it had come as far as to catch it: it had said nothing yet.
func (d *Desk) unborn() bool {
	log := d.Log()
	status, ok := d.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGTERM && log == ""
}

// Kill ends the program at once and waits until it is gone. It may be gone already.
func (d *Desk) Kill() error {
	if d.cmd == nil {
		return nil
	}
	select {
	case <-d.done:
		return nil
	default:
	}
	if err := d.Signal(syscall.SIGKILL); err != nil {
		_ = d.cmd.Process.Kill() // the wrapper has no child any more
	}
	<-d.done
	return nil
}

// Log is what the program wrote; only once it has ended.
func (d *Desk) Log() string {
	<-d.done
	return d.log.String()
}

// tail is the end of the log, when it can be had.
func (d *Desk) tail() string {
	select {
	case <-d.done:
	default:
		return ""
	}
	s := d.log.String()
	return s[max(0, len(s)-3000):]
}

// Status is the part of the desk's status that the tools look at.
type Status struct {
	Ready  bool
	Books  struct{ Seen uint64 }
	Outbox struct {
		Due, Deferred, Failed int
	}
	Mailboxes []struct {
		Name      string
		Connected bool
		Error     string
	}
}

// Ask puts a question to the running desk over its socket.
func (d *Desk) Ask(ctx context.Context, name string, args, out any) error {
	body, err := json.Marshal(args)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(d.State(), "supportd.sock"))
		}}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://supportd/v1/"+name, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the desk: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("ask the desk: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the desk: %s: %s", resp.Status, b)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// Await looks at the status until it is as wanted. It fails when the process ends or ctx does.
func (d *Desk) Await(ctx context.Context, what string, is func(Status) bool) error {
	look := time.NewTicker(15 * time.Millisecond)
	defer look.Stop()
	var last Status
	var lastErr error
	for {
		var s Status
		if lastErr = d.Ask(ctx, "status", struct{}{}, &s); lastErr == nil {
			if last = s; is(s) {
				return nil
			}
		}
		select {
		case <-look.C:
		case <-d.done:
			return fmt.Errorf("wait for %s: the desk ended: %s\n%s", what, d.cmd.ProcessState, d.tail())
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w; the last status was %+v, %v", what, context.Cause(ctx), last, lastErr)
		}
	}
}
