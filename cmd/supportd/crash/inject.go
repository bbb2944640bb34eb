//go:build linux && crash

package crash

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"supportd/mailin/imaptest"
)

// Injection is one system call that fails: the nth of its name that a thread of the desk makes on the store's files.
type Injection struct {
	Call  string
	Error string
	Nth   int
}

func (i Injection) String() string { return fmt.Sprintf("%s=%s #%d", i.Call, i.Error, i.Nth) }

// Full reports whether the error says that the disk is full.
func (i Injection) Full() bool { return i.Error == "ENOSPC" || i.Error == "EDQUOT" }

// Writes reports whether the call makes changes, so that its failure leaves their end unknown.
func (i Injection) Writes() bool {
	return i.Call == "pwrite64" || i.Call == "fdatasync" || i.Call == "fsync" || i.Call == "ftruncate"
}

// Injections chooses one by chance.
func Injections(random *rand.Rand) Injection {
	table := []struct {
		call   string
		most   int
		errors []string
	}{
		{"pwrite64", 60, []string{"EIO", "ENOSPC", "EDQUOT", "EROFS"}},
		{"pwrite64", 12, []string{"EIO", "ENOSPC", "EDQUOT", "EROFS"}},
		{"fdatasync", 20, []string{"EIO", "ENOSPC", "EDQUOT"}},
		{"fdatasync", 6, []string{"EIO", "ENOSPC", "EDQUOT"}},
		{"fsync", 4, []string{"EIO", "ENOSPC"}},
		{"ftruncate", 2, []string{"EIO", "ENOSPC"}},
		{"openat", 8, []string{"EIO", "EMFILE", "ENFILE", "EROFS", "ENOSPC"}},
		{"renameat", 2, []string{"EIO", "ENOSPC", "EROFS"}},
		{"unlinkat", 2, []string{"EIO", "EROFS"}},
		{"mkdirat", 2, []string{"EIO", "ENOSPC", "EROFS"}},
	}
	t := table[random.IntN(len(table))]
	return Injection{Call: t.call, Error: t.errors[random.IntN(len(t.errors))], Nth: 1 + random.IntN(t.most)}
}

// wrap is what runs the desk with the injection.
func (i Injection) wrap(state, trace string) []string {
	args := []string{"strace", "-f", "-y", "-o", trace, "-e", "trace=pwrite64,fdatasync,fsync,ftruncate,openat,renameat,unlinkat,mkdirat",
		"-e", fmt.Sprintf("inject=%s:error=%s:when=%d", i.Call, i.Error, i.Nth)}
	month := time.Now().UTC().Format("2006-01") + ".db"
	for _, p := range []string{"", "desk.db", "desk.db.new", "keys.json", "lock", "mail", filepath.Join("mail", month), filepath.Join("mail", month+".new")} {
		args = append(args, "-P", filepath.Join(state, p))
	}
	return args
}

// Injected is how a desk took an injection.
type Injected struct {
	Hit     bool // the call came
	Running bool // it came while the desk was at work, not at its start
	Exited  bool // the desk ended by itself
	Wrong   []string
}

// Inject runs a desk with an injection while mails come in, and then without: everything has to be as if nothing had
// happened. After a write or sync error the desk has to end with an error and write nothing more (P4); a full disk only
// holds it up (S-158).
func Inject(p *Programs, dir string, i Injection) (out Injected, err error) {
	servers, err := StartEmbedded(imaptest.Options{}, deskUser)
	if err != nil {
		return out, err
	}
	r, err := NewRig(RigOptions{Programs: p, Servers: servers, Dir: dir, Rand: rand.New(rand.NewPCG(uint64(i.Nth), 3)), After: "flag"})
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	r.Mail.Plain = true
	trace := filepath.Join(dir, "trace")
	r.Desk.Binary, r.Desk.Wrap = p.Release, i.wrap(r.Desk.State(), trace)
	if err := r.Start(); err != nil {
		return out, err
	}
	rested := r.feed(2, 3)
	if rested == nil && i.Full() {
		// Whatever was full: people can look in.
		var list []struct{ Number string }
		if err := r.Desk.Ask(bounded(), "ticket.list", map[string]bool{"all": true}, &list); err != nil || len(list) != len(r.Mail.Sent()) {
			out.Wrong = append(out.Wrong, fmt.Sprintf("S-158 the list has %d tickets of %d: %v", len(list), len(r.Mail.Sent()), err))
		}
	}
	select {
	case <-r.Desk.Done():
		out.Exited = true
	default:
		if rested != nil {
			out.Wrong = append(out.Wrong, "the desk neither ends nor goes on: "+rested.Error())
			_ = r.Kill()
		} else if err := r.Stop(); err != nil {
			out.Exited = !r.Desk.cmd.ProcessState.Success() // the error came with the last work
		}
	}
	state := r.Desk.cmd.ProcessState
	log := r.Desk.Log()
	out.Running = strings.Contains(log, `msg="supportd runs"`)
	later := ""
	if out.Hit, later, err = i.after(trace); err != nil {
		return out, err
	}
	lethal := i.Writes() && !i.Full()
	switch {
	case out.Exited && (state.Success() || !state.Exited()):
		out.Wrong = append(out.Wrong, fmt.Sprintf("P4 the desk ended with %s\n%s", state, log))
	case out.Exited && !out.Hit:
		out.Wrong = append(out.Wrong, "the desk ended although nothing had failed\n"+log)
	case out.Exited && i.Full() && out.Running:
		out.Wrong = append(out.Wrong, "S-158 a full disk ended the desk\n"+log)
	case out.Hit && lethal && !out.Exited:
		out.Wrong = append(out.Wrong, "P4 the desk went on after a write error")
	case out.Hit && lethal && later != "":
		out.Wrong = append(out.Wrong, "P4 after the write error came: "+later)
	}
	return out, r.recover(&out)
}

// feed puts mails in, so many each time, and waits until each batch is settled.
func (r *Rig) feed(batches ...int) error {
	for _, n := range batches {
		for range n {
			if err := r.Put(); err != nil {
				return err
			}
		}
		if err := r.Rest(time.Minute); err != nil {
			return err
		}
	}
	return nil
}

// recover starts the desk without any fault, and judges it.
func (r *Rig) recover(out *Injected) error {
	r.lives[len(r.lives)-1].Killed = out.Exited
	r.Desk.Wrap = nil
	if err := r.Start(); err != nil {
		return err
	}
	if err := r.feed(1); err != nil {
		out.Wrong = append(out.Wrong, "after a clean start: "+err.Error())
		return nil
	}
	if err := r.Stop(); err != nil {
		out.Wrong = append(out.Wrong, "after a clean start: "+err.Error())
		return nil
	}
	wrong, _, err := r.Judge()
	out.Wrong = append(out.Wrong, wrong...)
	return err
}

var (
	ofFile     = regexp.MustCompile(`^\d+ +\w+\(\d+<([^>]*)>`)
	metaOffset = regexp.MustCompile(`^\d+ +pwrite64\(.*, (?:0|4096)\) += \d`)
)

// after reports whether the injection came, and the first commit to the same database after it: a write of one of the
// two pages at its start. Work on another file may be under way in that moment.
func (i Injection) after(trace string) (hit bool, later string, err error) {
	f, err := os.Open(trace)
	if err != nil {
		return false, "", err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	file, begun := "", map[string]string{} // the files of calls that have not ended, by thread
	for in.Scan() {
		line := in.Text()
		thread, _, _ := strings.Cut(line, " ")
		at := ofFile.FindStringSubmatch(line)
		if at != nil {
			begun[thread] = at[1]
		}
		switch {
		case strings.Contains(line, "(INJECTED)"):
			if hit = true; file == "" {
				file = begun[thread]
			}
		case later == "" && at != nil && at[1] == file && metaOffset.MatchString(line):
			later = line
		}
	}
	return hit, later, in.Err()
}
