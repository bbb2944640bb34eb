package imaptest

import (
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Client is a person's mail client in a test: one call is one connection, to any server in cleartext.
type Client struct {
	Addr, User, Password string
}

// with logs in, opens the folder when there is one, and ends the connection. do is told how many messages there are.
func (c Client) with(folder string, do func(ic *imapclient.Client, messages uint32) error) error {
	conn, err := net.DialTimeout("tcp", c.Addr, doveTimeout)
	if err != nil {
		return fmt.Errorf("mail client of %q: %w", c.User, err)
	}
	limit := time.AfterFunc(doveTimeout, func() { conn.Close() })
	defer limit.Stop()
	ic := imapclient.New(conn, nil)
	defer ic.Close()
	if err := ic.Login(c.User, c.Password).Wait(); err != nil {
		return fmt.Errorf("mail client of %q: %w", c.User, err)
	}
	messages := uint32(0)
	if folder != "" {
		box, err := ic.Select(folder, nil).Wait()
		if err != nil {
			return fmt.Errorf("mail client of %q: open %s: %w", c.User, folder, err)
		}
		messages = box.NumMessages
	}
	if err := do(ic, messages); err != nil {
		return fmt.Errorf("mail client of %q: %w", c.User, err)
	}
	return ic.Logout().Wait()
}

// Create makes a folder.
func (c Client) Create(folder string) error {
	return c.with("", func(ic *imapclient.Client, _ uint32) error { return ic.Create(folder, nil).Wait() })
}

// Append puts a message into a folder.
func (c Client) Append(folder string, raw []byte, flags ...string) error {
	return c.with("", func(ic *imapclient.Client, _ uint32) error {
		o := &imap.AppendOptions{}
		for _, f := range flags {
			o.Flags = append(o.Flags, imap.Flag(f))
		}
		cmd := ic.Append(folder, int64(len(raw)), o)
		if _, err := cmd.Write(raw); err != nil {
			return err
		}
		if err := cmd.Close(); err != nil {
			return err
		}
		_, err := cmd.Wait()
		return err
	})
}

// Move moves a message.
func (c Client) Move(folder string, uid uint32, to string) error {
	return c.with(folder, func(ic *imapclient.Client, _ uint32) error {
		_, err := ic.Move(imap.UIDSetNum(imap.UID(uid)), to).Wait()
		return err
	})
}

// Messages returns what a folder holds, in UID order.
func (c Client) Messages(folder string) ([]Message, error) {
	var list []Message
	err := c.with(folder, func(ic *imapclient.Client, messages uint32) error {
		if messages == 0 {
			return nil
		}
		var all imap.UIDSet
		all.AddRange(1, 0)
		body := &imap.FetchItemBodySection{Peek: true}
		got, err := ic.Fetch(all, &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{body}}).Collect()
		for _, m := range got {
			one := Message{UID: uint32(m.UID), Arrived: m.InternalDate, Raw: m.FindBodySection(body)}
			for _, f := range m.Flags {
				one.Flags = append(one.Flags, string(f))
			}
			list = append(list, one)
		}
		return err
	})
	slices.SortFunc(list, func(a, b Message) int { return int(int64(a.UID) - int64(b.UID)) })
	return list, err
}
