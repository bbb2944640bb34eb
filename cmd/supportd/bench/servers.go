package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"supportd/mailin/imaptest"
	"supportd/mailout/smtptest"
)

// Serve is the process with the servers: an IMAP server whose mailbox holds so many made-up mails, and an SMTP server that
// throws away what it gets. It prints where they are, puts one more mail into the mailbox for each line that it reads,
// and ends with its input.
func Serve(in io.Reader, out io.Writer, messages int, seed uint64) error {
	imap, err := imaptest.NewServer(imaptest.Options{})
	if err != nil {
		return err
	}
	defer imap.Close()
	imap.AddUser(ownUser, ownPassword)
	smtp, err := smtptest.NewServer(smtptest.Options{Forget: true})
	if err != nil {
		return err
	}
	defer smtp.Close()
	g := NewGenerator(seed, deskAddress, mailTime())
	for range messages {
		m := g.Next()
		if _, err := imap.Append(ownUser, "INBOX", m.Raw, nil, m.At); err != nil {
			return err
		}
	}
	e := json.NewEncoder(out)
	if err := e.Encode(addresses{imap.Addr(), smtp.Addr()}); err != nil {
		return err
	}
	g.Small = true
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if _, err := imap.Append(ownUser, "INBOX", g.Next().Raw, nil, time.Time{}); err != nil {
			return err
		}
		if err := e.Encode(true); err != nil {
			return err
		}
	}
	return nil
}

type addresses struct{ IMAP, SMTP string }

// servers are those that are measured with.
type servers struct {
	addresses
	cmd     *exec.Cmd // nil when they were given
	in      io.WriteCloser
	out     *json.Decoder
	proxies []*proxy
	imap    *proxy
}

// startServers starts those that were not given, and writes the configuration.
func (r *run) startServers(ctx context.Context) error {
	s := &servers{addresses: addresses{r.IMAP, r.SMTP}}
	r.servers = s
	user, password := r.User, r.Password
	if r.IMAP == "" || r.SMTP == "" {
		if err := s.launch(ctx, r); err != nil {
			return errors.Join(err, s.stop())
		}
	}
	if r.IMAP == "" {
		user, password = ownUser, ownPassword
	}
	imap, err := newProxy(s.IMAP, r.Latency)
	if err != nil {
		return errors.Join(err, s.stop())
	}
	s.imap, s.proxies = imap, append(s.proxies, imap)
	imapAddr, smtpAddr := s.IMAP, s.SMTP
	if r.Latency > 0 {
		imapAddr = imap.addr()
		smtp, err := newProxy(s.SMTP, r.Latency)
		if err != nil {
			return errors.Join(err, s.stop())
		}
		s.proxies = append(s.proxies, smtp)
		smtpAddr = smtp.addr()
	}
	if err := r.configure(imapAddr, smtpAddr, user, password); err != nil {
		return errors.Join(err, s.stop())
	}
	return nil
}

// launch starts the process with the servers and waits until its mailbox is filled.
func (s *servers) launch(ctx context.Context, r *run) error {
	args, err := r.Program("bench", "servers", "--messages", fmt.Sprint(r.Messages), "--seed", fmt.Sprint(r.Seed))
	if err != nil {
		return err
	}
	r.say("servers with %d messages …", r.Messages)
	s.cmd = exec.CommandContext(ctx, args[0], args[1:]...)
	s.cmd.Stderr = r.Say
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		return fmt.Errorf("start the servers: %w", err)
	}
	s.out = json.NewDecoder(out)
	var own addresses
	if err := s.out.Decode(&own); err != nil {
		return fmt.Errorf("start the servers: %w", err)
	}
	if s.IMAP == "" {
		s.IMAP = own.IMAP
	}
	if s.SMTP == "" {
		s.SMTP = own.SMTP
	}
	return nil
}

// deliver puts one more mail into the own mailbox.
func (s *servers) deliver() error {
	if _, err := io.WriteString(s.in, "mail\n"); err != nil {
		return fmt.Errorf("deliver a mail: %w", err)
	}
	var done bool
	if err := s.out.Decode(&done); err != nil {
		return fmt.Errorf("deliver a mail: %w", err)
	}
	return nil
}

func (s *servers) stop() error {
	for _, p := range s.proxies {
		p.close()
	}
	if s.cmd == nil {
		return nil
	}
	s.in.Close()
	return s.cmd.Wait()
}
