package imaptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// MailUID is the user and group that owns the mail of a Dovecot started here. It needs no account: Dovecot and Postfix
// take the number.
const MailUID = 5000

// doveTimeout bounds everything a test asks of the real server.
const doveTimeout = time.Minute

// DovecotOptions says how a throw-away Dovecot is set up. The zero value works.
type DovecotOptions struct {
	// Password opens every mailbox; every user name exists. Default "secret".
	Password string
	// Hibernate hands idling connections to Dovecot's imap-hibernate after one second. New mail then wakes IDLE within
	// milliseconds, where a plain imap process always waits half a second (a constant in Dovecot). A mail that arrives
	// in the very moment of the hand-over may not wake IDLE at all: such is Dovecot, and a client has to poll as well.
	Hibernate bool
	// Settings are further lines for the end of the configuration.
	Settings []string
}

// Dovecot is a real Dovecot 2.3 of our own on 127.0.0.1, with everything it writes in one temporary folder. It ends
// with Stop, and also when the process that started it dies.
type Dovecot struct {
	opts    DovecotOptions
	name    string // of the instance: part of the title of each of its processes
	base    string
	port    int
	tlsPort int
	seq     atomic.Uint64

	mu   sync.Mutex
	proc *child // nil while it is down
}

// Stored is one message as a mailbox of the server holds it.
type Stored struct {
	UID      uint32
	Flags    []string
	Arrived  time.Time // INTERNALDATE
	Raw      []byte
	Validity uint32 // UIDVALIDITY of its folder
}

// Available reports whether StartDovecot can work here; the error says what is missing.
func Available() (bool, error) {
	if _, err := program("dovecot"); err != nil {
		return false, errors.New("dovecot is not installed (apt-get install dovecot-imapd)")
	}
	if os.Geteuid() != 0 {
		return false, errors.New("dovecot can only be started by root here: it changes to other users")
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

// StartDovecot starts a Dovecot and returns when it answers. The caller has to call Stop.
func StartDovecot(o DovecotOptions) (*Dovecot, error) {
	if ok, err := Available(); !ok {
		return nil, err
	}
	if o.Password == "" {
		o.Password = "secret"
	}
	base, err := os.MkdirTemp(shortTempDir(), "dove")
	if err != nil {
		return nil, fmt.Errorf("make a folder for dovecot: %w", err)
	}
	d := &Dovecot{opts: o, name: filepath.Base(base), base: base}
	if err := d.prepare(); err != nil {
		os.RemoveAll(base)
		return nil, err
	}
	// A free port may be taken between our look and Dovecot's bind, so other ones are tried.
	for range 5 {
		if err = d.choosePorts(); err != nil {
			break
		}
		if err = d.start(); err == nil || !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		os.RemoveAll(base)
		return nil, err
	}
	return d, nil
}

// Addr is where IMAP is spoken in clear text, with STARTTLS on offer.
func (d *Dovecot) Addr() string { return "127.0.0.1:" + strconv.Itoa(d.port) }

// TLSAddr is where IMAP is spoken over TLS.
func (d *Dovecot) TLSAddr() string { return "127.0.0.1:" + strconv.Itoa(d.tlsPort) }

// CAFile is a PEM file with the certificate that signs the server's, which is for localhost and 127.0.0.1.
func (d *Dovecot) CAFile() string { return filepath.Join(d.base, "cert.pem") }

// KeyFile is a PEM file with the key of the server's certificate.
func (d *Dovecot) KeyFile() string { return filepath.Join(d.base, "key.pem") }

// Password opens every mailbox.
func (d *Dovecot) Password() string { return d.opts.Password }

// MailDir is the folder with one maildir for each user, owned by MailUID.
func (d *Dovecot) MailDir() string { return filepath.Join(d.base, "mail") }

// AuthSocket is where an SMTP server may ask for logins, in Dovecot's own protocol.
func (d *Dovecot) AuthSocket() string { return filepath.Join(d.base, "run", "auth-client-open") }

// Log is what Dovecot has logged so far.
func (d *Dovecot) Log() string {
	b, err := os.ReadFile(filepath.Join(d.base, "dovecot.log"))
	if err != nil {
		return ""
	}
	return string(b)
}

// Deliver puts a message into the user's INBOX as an LDA does: written to tmp, then moved to new. arrived becomes its
// INTERNALDATE; zero means now.
func (d *Dovecot) Deliver(user string, raw []byte, arrived time.Time) error {
	dir, err := d.maildir(user)
	if err != nil {
		return err
	}
	// Names must differ even within one tick of the clock.
	name := fmt.Sprintf("%d.P%dQ%d.imaptest", time.Now().Unix(), os.Getpid(), d.seq.Add(1))
	tmp := filepath.Join(dir, "tmp", name)
	if err := os.WriteFile(tmp, raw, 0o600); err != nil {
		return fmt.Errorf("deliver to %q: %w", user, err)
	}
	if err := os.Chown(tmp, MailUID, MailUID); err != nil {
		return fmt.Errorf("deliver to %q: %w", user, err)
	}
	if !arrived.IsZero() {
		if err := os.Chtimes(tmp, arrived, arrived); err != nil {
			return fmt.Errorf("deliver to %q: %w", user, err)
		}
	}
	if err := os.Rename(tmp, filepath.Join(dir, "new", name)); err != nil {
		return fmt.Errorf("deliver to %q: %w", user, err)
	}
	return nil
}

// maildir makes the user's maildir when there is none yet.
func (d *Dovecot) maildir(user string) (string, error) {
	if user == "" || strings.HasPrefix(user, ".") || strings.ContainsAny(user, "/\x00") || strings.ToLower(user) != user {
		return "", fmt.Errorf("user %q: want a lower-case name that can be a folder", user)
	}
	dir := filepath.Join(d.MailDir(), user)
	for _, sub := range []string{"", "tmp", "new", "cur"} {
		p := filepath.Join(dir, sub)
		err := os.Mkdir(p, 0o700)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err == nil {
			err = os.Chown(p, MailUID, MailUID)
		}
		if err != nil {
			return "", fmt.Errorf("make a maildir for %q: %w", user, err)
		}
	}
	return dir, nil
}

// Messages returns what a folder of the user holds, in UID order, read over IMAP without changing anything. A folder
// that does not exist is an error.
func (d *Dovecot) Messages(user, folder string) ([]Stored, error) {
	conn, err := net.DialTimeout("tcp", d.Addr(), doveTimeout)
	if err != nil {
		return nil, fmt.Errorf("read %s of %q: %w", folder, user, err)
	}
	limit := time.AfterFunc(doveTimeout, func() { conn.Close() })
	defer limit.Stop()
	c := imapclient.New(conn, nil)
	defer c.Close()
	if err := c.Login(user, d.opts.Password).Wait(); err != nil {
		return nil, fmt.Errorf("read %s of %q: %w", folder, user, err)
	}
	box, err := c.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return nil, fmt.Errorf("read %s of %q: %w", folder, user, err)
	}
	if box.NumMessages == 0 {
		return nil, c.Logout().Wait()
	}
	var all imap.UIDSet
	all.AddRange(1, 0)
	body := &imap.FetchItemBodySection{Peek: true}
	got, err := c.Fetch(all, &imap.FetchOptions{UID: true, Flags: true, InternalDate: true,
		BodySection: []*imap.FetchItemBodySection{body}}).Collect()
	if err != nil {
		return nil, fmt.Errorf("read %s of %q: %w", folder, user, err)
	}
	stored := make([]Stored, 0, len(got))
	for _, m := range got {
		s := Stored{UID: uint32(m.UID), Arrived: m.InternalDate, Raw: m.FindBodySection(body), Validity: box.UIDValidity}
		for _, f := range m.Flags {
			s.Flags = append(s.Flags, string(f))
		}
		stored = append(stored, s)
	}
	slices.SortFunc(stored, func(a, b Stored) int { return int(int64(a.UID) - int64(b.UID)) })
	return stored, c.Logout().Wait()
}

// Expunge removes messages by UID, as another client would. No UID means all of the folder.
func (d *Dovecot) Expunge(user, folder string, uids ...uint32) error {
	query := "all"
	if len(uids) > 0 {
		list := make([]string, len(uids))
		for i, u := range uids {
			list[i] = strconv.FormatUint(uint64(u), 10)
		}
		query = "uid " + strings.Join(list, ",")
	}
	args := append([]string{"expunge", "-u", user, "mailbox", folder}, strings.Fields(query)...)
	return d.doveadm(args...)
}

// SetUIDValidity gives the folder another UIDVALIDITY. Clients that have it open learn of it when they select it again.
func (d *Dovecot) SetUIDValidity(user, folder string, validity uint32) error {
	return d.doveadm("mailbox", "update", "-u", user, "--uid-validity", strconv.FormatUint(uint64(validity), 10), folder)
}

// CreateFolder makes a folder in the user's mailbox.
func (d *Dovecot) CreateFolder(user, folder string) error {
	return d.doveadm("mailbox", "create", "-u", user, folder)
}

func (d *Dovecot) doveadm(args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), doveTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "doveadm", append([]string{"-c", d.conf()}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("doveadm %s: %w: %s", args[0], err, bytes.TrimSpace(out))
	}
	return nil
}

// KillSessions kills every process that serves a logged-in client, and returns how many that were. Their clients see
// the connection drop. A process that is killed while it writes an index may keep the mailbox from others for a minute and
// more.
func (d *Dovecot) KillSessions() (int, error) { return d.signalSessions(os.Kill) }

// EndSessions ends them as the server does when it is stopped, in the middle of whatever they do for their client.
func (d *Dovecot) EndSessions() (int, error) { return d.signalSessions(syscall.SIGTERM) }

func (d *Dovecot) signalSessions(s os.Signal) (int, error) {
	pids, err := d.processes("imap", "imap-hibernate")
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		p, err := os.FindProcess(pid)
		if err == nil {
			err = p.Signal(s)
		}
		if err != nil && !errors.Is(err, os.ErrProcessDone) {
			return 0, fmt.Errorf("end the session of process %d: %w", pid, err)
		}
	}
	return len(pids), nil
}

// Crash kills every process of the server at once, the master first. Restart brings it back.
func (d *Dovecot) Crash() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.proc != nil {
		d.proc.kill()
	}
	d.proc = nil
	return d.killRest()
}

// Restart stops the server when it runs, and starts it again on the same ports with the same mail.
func (d *Dovecot) Restart() error {
	if err := d.Halt(); err != nil {
		return err
	}
	return d.start()
}

// Halt stops the server and keeps its mail; Restart brings it back.
func (d *Dovecot) Halt() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.proc != nil {
		d.proc.stop(doveTimeout)
	}
	d.proc = nil
	return d.killRest()
}

// Stop ends the server, at once since nothing of it is kept, and removes all it wrote. It may be called again, and
// after a crash.
func (d *Dovecot) Stop() error {
	return errors.Join(d.Crash(), os.RemoveAll(d.base))
}

// killRest ends processes of this server that outlived their master, and waits until they are gone.
func (d *Dovecot) killRest() error {
	return goneWithin(doveTimeout, func() ([]int, error) { return d.processes() })
}

// processes lists the server's own processes, all or those of some services. Each has the title
// "dovecot-INSTANCE/SERVICE".
func (d *Dovecot) processes(services ...string) ([]int, error) {
	return findProcesses(func(dir string) bool {
		b, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			return false
		}
		title, _, _ := strings.Cut(string(b), "\x00")
		title, _, _ = strings.Cut(title, " ")
		service, ours := strings.CutPrefix(title, "dovecot-"+d.name+"/")
		return ours && (len(services) == 0 || slices.Contains(services, service))
	})
}

func (d *Dovecot) conf() string { return filepath.Join(d.base, "dovecot.conf") }

// choosePorts finds two ports that are free at this moment and writes the configuration.
func (d *Dovecot) choosePorts() error {
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	d.port, d.tlsPort = ports[0], ports[1]
	var b bytes.Buffer
	err = dovecotConf.Execute(&b, map[string]any{
		"Base": d.base, "Name": d.name, "Port": d.port, "TLSPort": d.tlsPort, "UID": MailUID,
		"Password": d.opts.Password, "Hibernate": d.opts.Hibernate, "Settings": d.opts.Settings,
	})
	if err != nil {
		return fmt.Errorf("write dovecot.conf: %w", err)
	}
	if err := os.WriteFile(d.conf(), b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write dovecot.conf: %w", err)
	}
	return nil
}

// prepare makes the folders and the certificate.
func (d *Dovecot) prepare() error {
	if err := os.Chmod(d.base, 0o755); err != nil { // other users have to pass
		return fmt.Errorf("prepare dovecot: %w", err)
	}
	for _, sub := range []string{"run", "state", "mail"} {
		if err := os.Mkdir(filepath.Join(d.base, sub), 0o755); err != nil {
			return fmt.Errorf("prepare dovecot: %w", err)
		}
	}
	if err := os.Chown(d.MailDir(), MailUID, MailUID); err != nil {
		return fmt.Errorf("prepare dovecot: %w", err)
	}
	cert, key, err := localCertificate()
	if err != nil {
		return fmt.Errorf("prepare dovecot: %w", err)
	}
	if err := os.WriteFile(d.CAFile(), cert, 0o644); err != nil {
		return fmt.Errorf("prepare dovecot: %w", err)
	}
	if err := os.WriteFile(d.KeyFile(), key, 0o600); err != nil {
		return fmt.Errorf("prepare dovecot: %w", err)
	}
	return nil
}

func (d *Dovecot) start() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.proc != nil {
		return errors.New("start dovecot: it is running")
	}
	path, err := program("dovecot")
	if err != nil {
		return fmt.Errorf("start dovecot: %w", err)
	}
	before := len(d.Log())
	proc, err := startChild(filepath.Join(d.base, "stderr"), path, "-F", "-c", d.conf())
	if err != nil {
		return fmt.Errorf("start dovecot: %w", err)
	}
	if err := proc.answers(doveTimeout, d.Addr(), "* OK"); err != nil {
		proc.kill()
		if rest := d.killRest(); rest != nil {
			err = errors.Join(err, rest)
		}
		log := d.Log()
		log = strings.TrimSpace(log[min(before, len(log)):])
		if strings.Contains(log, "Address already in use") {
			err = errors.Join(errPortTaken, err)
		}
		return fmt.Errorf("start dovecot: %w: %s", err, log)
	}
	d.proc = proc
	return nil
}
