//go:build linux && crash

package crash

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// Checker asks an inspect process about state directories, and starts a new one when it died or hung. One goroutine uses
// it.
type Checker struct {
	Binary string
	Limit  time.Duration // for one directory

	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan []byte // closed when the process has ended
	words   *bytes.Buffer
}

// Check inspects a directory. The error says that the inspecting process itself failed.
func (c *Checker) Check(dir string) (Snapshot, error) {
	if c.cmd == nil {
		if err := c.start(); err != nil {
			return Snapshot{}, fmt.Errorf("start inspect: %w", err)
		}
	}
	if _, err := io.WriteString(c.in, dir+"\n"); err != nil {
		c.Close()
		return Snapshot{}, fmt.Errorf("inspect: %w", err)
	}
	limit := time.NewTimer(c.Limit)
	defer limit.Stop()
	select {
	case line, ok := <-c.answers:
		if !ok {
			words := c.words
			c.Close()
			s := words.String()
			return Snapshot{}, fmt.Errorf("inspect crashed: %s", s[:min(len(s), 1000)])
		}
		var s Snapshot
		if err := json.Unmarshal(line, &s); err != nil {
			return Snapshot{}, fmt.Errorf("inspect: %w", err)
		}
		return s, nil
	case <-limit.C:
		c.Close()
		return Snapshot{}, fmt.Errorf("inspect hung for %s", c.Limit)
	}
}

func (c *Checker) start() (err error) {
	cmd := exec.Command(c.Binary)
	c.words = &bytes.Buffer{}
	cmd.Stderr = c.words
	if c.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.cmd = cmd
	answers := make(chan []byte, 1)
	c.answers = answers
	go func() {
		defer close(answers)
		r := bufio.NewReaderSize(out, 1<<20)
		for {
			line, err := r.ReadBytes('\n')
			if err != nil {
				_ = cmd.Wait() // how it ended shows in what it said
				return
			}
			answers <- line
		}
	}()
	return nil
}

// Close ends the process.
func (c *Checker) Close() {
	if c.cmd == nil {
		return
	}
	_ = c.cmd.Process.Kill() // it may have ended
	c.in.Close()
	for range c.answers { // until it is gone
	}
	c.cmd = nil
}
