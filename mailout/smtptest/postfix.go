package smtptest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"
)

// MailUID is the user and group that Postfix delivers as. It needs no account.
const MailUID = 5000

// postfixTimeout bounds everything a test asks of the real server.
const postfixTimeout = time.Minute

// PostfixOptions says how a throw-away Postfix is set up. Mail to any other domain than those of Mailboxes is accepted
// and thrown away: nothing leaves the machine.
type PostfixOptions struct {
	// Mailboxes maps addresses to the maildirs in MailDir that they are delivered to. support+x@… reaches the maildir
	// of support@….
	Mailboxes map[string]string
	// MailDir is the folder with one maildir for each user, owned by MailUID. Default: one of its own.
	MailDir string
	// Answers maps recipients to what the server says to RCPT for them, such as "450 4.2.0 come back later". Postfix
	// itself refuses unknown addresses of the domains of Mailboxes with 550 5.1.1.
	Answers map[string]string
	// Certificate and Key are PEM files; with them STARTTLS is on offer.
	Certificate, Key string
	// AuthSocket is where Dovecot checks logins. When set, nobody may send without one.
	AuthSocket string
	// Settings are further lines for the end of main.cf.
	Settings []string
}

// Postfix is a real Postfix of our own on 127.0.0.1, with everything it writes in one temporary folder. It ends with
// Stop, and also when the process that started it dies.
type Postfix struct {
	opts PostfixOptions
	base string
	port int

	mu   sync.Mutex
	proc *serverProcess // nil while it is down
}

// Waiting is one mail in Postfix's queue.
type Waiting struct {
	ID         string
	Queue      string // active, deferred, hold, incoming, maildrop
	Sender     string
	Recipients []string
	Reasons    []string // why each recipient has it not yet; "" when it was not tried
}

// Available reports whether StartPostfix can work here; the error says what is missing.
func Available() (bool, error) {
	if _, err := program("postfix"); err != nil {
		return false, errors.New("postfix is not installed (apt-get install postfix)")
	}
	if os.Geteuid() != 0 {
		return false, errors.New("postfix can only be started by root: it changes to other users")
	}
	return true, nil
}

// program finds a system program also where a short PATH does not.
func program(name string) (string, error) {
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	return exec.LookPath(filepath.Join("/usr/sbin", name))
}

// StartPostfix starts a Postfix and returns when it answers. The caller has to call Stop.
func StartPostfix(o PostfixOptions) (*Postfix, error) {
	if ok, err := Available(); !ok {
		return nil, err
	}
	base, err := os.MkdirTemp(shortTempDir(), "pfix")
	if err != nil {
		return nil, fmt.Errorf("make a folder for postfix: %w", err)
	}
	if o.MailDir == "" {
		o.MailDir = filepath.Join(base, "mail")
	}
	p := &Postfix{opts: o, base: base}
	if err := p.prepare(); err != nil {
		os.RemoveAll(base)
		return nil, err
	}
	// A free port may be taken between our look and Postfix's bind, so other ones are tried.
	for range 5 {
		if err = p.choosePort(); err != nil {
			break
		}
		if err = p.Resume(); err == nil || !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		os.RemoveAll(base)
		return nil, err
	}
	return p, nil
}

// Addr is where SMTP is spoken.
func (p *Postfix) Addr() string { return "127.0.0.1:" + strconv.Itoa(p.port) }

// Port is the port of Addr.
func (p *Postfix) Port() int { return p.port }

// Log is what Postfix has logged so far.
func (p *Postfix) Log() string {
	b, err := os.ReadFile(filepath.Join(p.base, "mail.log"))
	if err != nil {
		return ""
	}
	return string(b)
}

// Delivered returns the mails that lie unread in a maildir, in the order of delivery, as Postfix wrote them: with
// Return-Path, Delivered-To and Received added and line ends of LF.
func (p *Postfix) Delivered(maildir string) ([][]byte, error) {
	files, err := os.ReadDir(filepath.Join(p.opts.MailDir, maildir, "new"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read maildir %s: %w", maildir, err)
	}
	type mail struct {
		at  time.Time
		raw []byte
	}
	var mails []mail
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(p.opts.MailDir, maildir, "new", f.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue // an IMAP server has taken it over since
		}
		if err != nil {
			return nil, fmt.Errorf("read maildir %s: %w", maildir, err)
		}
		info, err := f.Info()
		if err != nil {
			continue
		}
		mails = append(mails, mail{info.ModTime(), raw})
	}
	slices.SortStableFunc(mails, func(a, b mail) int { return a.at.Compare(b.at) })
	raws := make([][]byte, len(mails))
	for i, m := range mails {
		raws[i] = m.raw
	}
	return raws, nil
}

// Queue returns the mails that Postfix has taken and not delivered yet.
func (p *Postfix) Queue() ([]Waiting, error) {
	postqueue, err := program("postqueue")
	if err != nil {
		return nil, fmt.Errorf("read the queue of postfix: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), postfixTimeout)
	defer cancel()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, postqueue, "-c", p.etc(), "-j")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("read the queue of postfix: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	var waiting []Waiting
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var row struct {
			QueueName  string `json:"queue_name"`
			QueueID    string `json:"queue_id"`
			Sender     string
			Recipients []struct {
				Address     string
				DelayReason string `json:"delay_reason"`
			}
		}
		if err := dec.Decode(&row); errors.Is(err, io.EOF) {
			return waiting, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the queue of postfix: %w", err)
		}
		w := Waiting{ID: row.QueueID, Queue: row.QueueName, Sender: row.Sender}
		for _, r := range row.Recipients {
			w.Recipients = append(w.Recipients, r.Address)
			w.Reasons = append(w.Reasons, r.DelayReason)
		}
		waiting = append(waiting, w)
	}
}

// Pause stops the server and keeps its queue: connections are refused until Resume.
func (p *Postfix) Pause() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.proc != nil {
		p.proc.stop(postfixTimeout)
	}
	p.proc = nil
	return p.killRest()
}

// Resume starts the server on its port. It must not be running.
func (p *Postfix) Resume() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.proc != nil {
		return errors.New("start postfix: it is running")
	}
	daemons, err := exec.Command(p.postconf(), "-dh", "daemon_directory").Output()
	if err != nil {
		return fmt.Errorf("start postfix: find its programs: %w", err)
	}
	before := len(p.Log())
	master := filepath.Join(strings.TrimSpace(string(daemons)), "master")
	proc, err := startServer(filepath.Join(p.base, "stderr"), "MAIL_CONFIG="+p.etc(), master)
	if err != nil {
		return fmt.Errorf("start postfix: %w", err)
	}
	if err := proc.answers(postfixTimeout, p.Addr(), "220 "); err != nil {
		proc.kill()
		if rest := p.killRest(); rest != nil {
			err = errors.Join(err, rest)
		}
		log := p.Log()
		log = strings.TrimSpace(log[min(before, len(log)):])
		if strings.Contains(log, "Address already in use") {
			err = errors.Join(errPortTaken, err)
		}
		return fmt.Errorf("start postfix: %w: %s", err, log)
	}
	p.proc = proc
	return nil
}

// Crash kills every process of the server at once, the master first. Resume brings it back.
func (p *Postfix) Crash() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.proc != nil {
		p.proc.kill()
	}
	p.proc = nil
	return p.killRest()
}

// Stop ends the server, at once since nothing of it is kept, and removes all it wrote. It may be called again, and
// after a crash.
func (p *Postfix) Stop() error {
	return errors.Join(p.Crash(), os.RemoveAll(p.base))
}

// killRest ends processes of this server that outlived their master, and waits until they are gone. Each has the
// folder of its configuration in its environment.
func (p *Postfix) killRest() error {
	mark := []byte("MAIL_CONFIG=" + p.etc() + "\x00")
	return goneWithin(postfixTimeout, func() ([]int, error) {
		return findProcesses(func(dir string) bool {
			b, err := os.ReadFile(filepath.Join(dir, "environ"))
			return err == nil && bytes.Contains(append(b, 0), mark)
		})
	})
}

func (p *Postfix) etc() string { return filepath.Join(p.base, "etc") }

func (p *Postfix) postconf() string {
	path, err := program("postconf")
	if err != nil {
		return "postconf" // running it gives the error
	}
	return path
}

// queueFolders are the folders of a queue, their mode, and whether they are root's, postfix's, or postfix's with the
// group postdrop; as in Postfix's own list of files.
var queueFolders = []struct {
	name  string
	mode  os.FileMode
	owner string
	group string
}{
	{"active", 0o700, "postfix", ""}, {"bounce", 0o700, "postfix", ""}, {"corrupt", 0o700, "postfix", ""},
	{"defer", 0o700, "postfix", ""}, {"deferred", 0o700, "postfix", ""}, {"flush", 0o700, "postfix", ""},
	{"hold", 0o700, "postfix", ""}, {"incoming", 0o700, "postfix", ""}, {"private", 0o700, "postfix", ""},
	{"saved", 0o700, "postfix", ""}, {"trace", 0o700, "postfix", ""}, {"pid", 0o755, "root", ""},
	{"maildrop", 0o730, "postfix", "postdrop"}, {"public", 0o710, "postfix", "postdrop"},
}

// prepare makes the folders and the maps.
func (p *Postfix) prepare() error {
	if err := os.Chmod(p.base, 0o755); err != nil { // other users have to pass
		return fmt.Errorf("prepare postfix: %w", err)
	}
	if err := mkdirFor(filepath.Join(p.base, "data"), 0o700, "postfix", ""); err != nil {
		return err
	}
	for _, sub := range []string{"etc", "queue"} {
		if err := mkdirFor(filepath.Join(p.base, sub), 0o755, "root", ""); err != nil {
			return err
		}
	}
	for _, f := range queueFolders {
		if err := mkdirFor(filepath.Join(p.base, "queue", f.name), f.mode, f.owner, f.group); err != nil {
			return err
		}
	}
	if _, err := os.Stat(p.opts.MailDir); errors.Is(err, os.ErrNotExist) {
		if err := os.Mkdir(p.opts.MailDir, 0o755); err != nil {
			return fmt.Errorf("prepare postfix: %w", err)
		}
		if err := os.Chown(p.opts.MailDir, MailUID, MailUID); err != nil {
			return fmt.Errorf("prepare postfix: %w", err)
		}
	}
	var boxes, answers strings.Builder
	for _, address := range slices.Sorted(maps.Keys(p.opts.Mailboxes)) {
		dir := p.opts.Mailboxes[address]
		if dir == "" || strings.ContainsAny(dir, "/ \n") || strings.HasPrefix(dir, ".") {
			return fmt.Errorf("prepare postfix: maildir %q of %s: want the name of a folder", dir, address)
		}
		fmt.Fprintf(&boxes, "%s %s/\n", address, dir)
	}
	for _, address := range slices.Sorted(maps.Keys(p.opts.Answers)) {
		fmt.Fprintf(&answers, "/^%s$/ %s\n", regexp.QuoteMeta(address), p.opts.Answers[address])
	}
	for name, text := range map[string]string{"mailboxes": boxes.String(), "answers": answers.String()} {
		if err := p.writeOld(name, []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// mkdirFor makes a folder that belongs to a user and a group by name; no group is root's.
func mkdirFor(path string, mode os.FileMode, owner, group string) error {
	u, err := user.Lookup(owner)
	if err != nil {
		return fmt.Errorf("prepare postfix: %w", err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return fmt.Errorf("prepare postfix: user %s: %w", owner, err)
	}
	gid := 0
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			return fmt.Errorf("prepare postfix: %w", err)
		}
		if gid, err = strconv.Atoi(g.Gid); err != nil {
			return fmt.Errorf("prepare postfix: group %s: %w", group, err)
		}
	}
	if err := os.Mkdir(path, mode); err != nil {
		return fmt.Errorf("prepare postfix: %w", err)
	}
	if err := os.Chown(path, uid, gid); err != nil {
		return fmt.Errorf("prepare postfix: %w", err)
	}
	if err := os.Chmod(path, mode); err != nil { // the umask had its say
		return fmt.Errorf("prepare postfix: %w", err)
	}
	return nil
}

// choosePort finds a port that is free at this moment and writes the configuration.
func (p *Postfix) choosePort() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("find a free port: %w", err)
	}
	p.port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	var domains []string
	for address := range p.opts.Mailboxes {
		_, domain, _ := strings.Cut(address, "@")
		domains = append(domains, domain)
	}
	slices.Sort(domains)
	for name, tmpl := range map[string]*template.Template{"main.cf": mainCF, "master.cf": masterCF} {
		var b bytes.Buffer
		err := tmpl.Execute(&b, map[string]any{
			"Base": p.base, "Port": p.port, "Options": p.opts, "UID": MailUID,
			"Domains": strings.Join(slices.Compact(domains), ", "),
		})
		if err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		if err := p.writeOld(name, b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// writeOld writes a file of the configuration and dates it back: Postfix reads a file that is younger than a second or
// two again and again until it is older, to be sure that nobody is writing to it.
func (p *Postfix) writeOld(name string, text []byte) error {
	path := filepath.Join(p.etc(), name)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, past, past); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
