package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"supportd/mailin"
	"supportd/tickets"
)

// pastMail is where an import reads. Messages have numbers that stay the same as long as the source does. begin is told
// what names the source and how many messages it has, and says with which number to begin; take gets the messages by
// rising number. raw is nil for one that cannot be had; why says so.
type pastMail interface {
	read(ctx context.Context, begin beginFunc, take takeFunc) error
}

type (
	beginFunc func(source tickets.Digest, messages int) (from uint32, err error)
	takeFunc  func(number uint32, at time.Time, raw []byte, why string) error
)

// ── files ──

// pastFiles are mboxes, Maildirs and folders of single mails. Their messages are numbered in the order of their dates,
// so that questions come before their answers whatever the order of the files is.
type pastFiles struct {
	paths []string
	now   time.Time
	items []pastItem
}

// pastItem is one message of a file.
type pastItem struct {
	path   string
	offset int64
	size   int64 // -1: the whole file
	at     time.Time
}

// open finds the messages, and what names the source: files that changed since are another one.
func (p *pastFiles) open() (source tickets.Digest, err error) {
	files, err := pastPaths(p.paths)
	if err != nil {
		return source, err
	}
	name := sha256.New()
	for _, path := range files {
		info, err := os.Stat(path)
		if err != nil {
			return source, err
		}
		full, err := filepath.Abs(path)
		if err != nil {
			return source, err
		}
		fmt.Fprintf(name, "%s\x00%d\x00%d\x00", full, info.Size(), info.ModTime().UnixNano())
		if err := p.list(path, info.ModTime()); err != nil {
			return source, fmt.Errorf("read %s: %w", path, err)
		}
	}
	slices.SortStableFunc(p.items, func(a, b pastItem) int { return a.at.Compare(b.at) })
	return tickets.Digest(name.Sum(nil)), nil
}

// pastPaths lists the files to read. Of a Maildir these are the messages in it and in its folders, not its other files.
func pastPaths(paths []string) ([]string, error) {
	files, err := listFiles(paths)
	if err != nil {
		return nil, err
	}
	maildirs := map[string]bool{}
	for _, f := range files {
		dir := filepath.Dir(f)
		if base := filepath.Base(dir); base == "cur" || base == "new" {
			maildirs[filepath.Dir(dir)] = true
		}
	}
	return slices.DeleteFunc(files, func(f string) bool {
		dir := filepath.Dir(f)
		base := filepath.Base(dir)
		return maildirs[dir] || maildirs[filepath.Dir(dir)] && base != "cur" && base != "new"
	}), nil
}

// list adds the messages of a file.
func (p *pastFiles) list(path string, changed time.Time) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 64<<10)
	if start, _ := r.Peek(5); string(start) != "From " {
		head, err := readHead(r)
		if err == nil {
			p.items = append(p.items, pastItem{path: path, size: -1, at: p.written(head, changed)})
		}
		return err
	}
	return p.listMbox(r, path, changed)
}

// maxHead bounds how much of a message is read for its date.
const maxHead = 256 << 10

func readHead(r *bufio.Reader) ([]byte, error) {
	var head []byte
	for len(head) < maxHead {
		line, err := r.ReadSlice('\n')
		head = append(head, line...)
		if len(bytes.TrimRight(line, "\r\n")) == 0 && !errors.Is(err, bufio.ErrBufferFull) || errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
	return head, nil
}

// listMbox adds the messages of an mbox (RFC 4155), by their places.
func (p *pastFiles) listMbox(r *bufio.Reader, path string, changed time.Time) error {
	var head []byte
	var offset int64
	it := pastItem{path: path, offset: -1}
	inHead, empty, wholeLine := false, true, true
	received := changed
	flush := func(end int64) {
		if it.offset >= 0 {
			it.size = min(end-it.offset, maxMboxMail)
			it.at = p.written(head, received)
			p.items = append(p.items, it)
		}
	}
	for {
		line, err := r.ReadSlice('\n')
		if wholeLine && empty && bytes.HasPrefix(line, []byte("From ")) {
			flush(offset)
			it.offset, head, inHead = offset+int64(len(line)), head[:0], true
			received = mboxDate(line, changed)
		} else if inHead && len(head) < maxHead {
			head = append(head, line...)
		}
		if wholeLine {
			empty = len(bytes.TrimRight(line, "\r\n")) == 0
		}
		inHead = inHead && !empty
		offset += int64(len(line))
		wholeLine = !errors.Is(err, bufio.ErrBufferFull)
		switch {
		case errors.Is(err, io.EOF):
			flush(offset)
			return nil
		case err != nil && wholeLine:
			return err
		}
	}
}

// mboxDate reads the time in the line that begins a message: "From a@b.example Thu Nov 19 08:00:00 2026".
func mboxDate(line []byte, otherwise time.Time) time.Time {
	words := strings.Fields(string(line))
	if len(words) >= 7 {
		if at, err := time.Parse("Mon Jan 2 15:04:05 2006", strings.Join(words[2:7], " ")); err == nil {
			return at
		}
	}
	return otherwise
}

// written is when a message was written: its Date when that can be believed.
func (p *pastFiles) written(head []byte, otherwise time.Time) time.Time {
	return believable(mailin.Parse(head, time.Time{}).Date, otherwise, p.now)
}

// believable is a message's Date, unless it is not there, lies in the future, or before there was mail like this.
func believable(date, otherwise, now time.Time) time.Time {
	for _, at := range []time.Time{date, otherwise} {
		if !at.IsZero() && at.Year() >= 1985 && !at.After(now) {
			return at.UTC()
		}
	}
	return now.UTC()
}

func (p *pastFiles) read(ctx context.Context, begin beginFunc, take takeFunc) error {
	source, err := p.open()
	if err != nil {
		return err
	}
	from, err := begin(source, len(p.items))
	if err != nil {
		return err
	}
	var open *os.File
	defer func() {
		if open != nil {
			open.Close()
		}
	}()
	for i, it := range p.items {
		number := uint32(i) + 1
		if number < from {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		raw, err := p.rawOf(&open, it)
		if err != nil {
			return fmt.Errorf("read %s: %w", it.path, err)
		}
		if err := take(number, it.at, raw, ""); err != nil {
			return err
		}
	}
	return nil
}

// rawOf reads one message. open is the mbox that was read last.
func (p *pastFiles) rawOf(open **os.File, it pastItem) ([]byte, error) {
	if it.size < 0 {
		return os.ReadFile(it.path)
	}
	if *open == nil || (*open).Name() != it.path {
		f, err := os.Open(it.path)
		if err != nil {
			return nil, err
		}
		if *open != nil {
			(*open).Close()
		}
		*open = f
	}
	raw := make([]byte, it.size)
	if _, err := (*open).ReadAt(raw, it.offset); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(unquoteLines(raw), []byte("\n")), nil
}

// unquoteLines takes the quoting of an mbox off a message.
func unquoteLines(raw []byte) []byte {
	if !bytes.Contains(raw, []byte(">From ")) {
		return raw
	}
	var out []byte
	for line := range bytes.Lines(raw) {
		out = append(out, unquoteFrom(line)...)
	}
	return out
}

// ── IMAP ──

// pastFolder is a folder of the mailbox's own server.
type pastFolder struct {
	mailbox mailin.Config
	folder  string
	now     time.Time
}

func (p *pastFolder) read(ctx context.Context, begin beginFunc, take takeFunc) error {
	f := mailin.PastFolder{Mailbox: p.mailbox, Folder: p.folder,
		Found: func(validity uint32, messages int) (uint32, error) {
			name := fmt.Sprintf("imap\x00%s\x00%s\x00%s\x00%d", p.mailbox.Host, p.mailbox.User, p.folder, validity)
			return begin(sha256.Sum256([]byte(name)), messages)
		},
		Take: func(uid uint32, arrived time.Time, raw []byte, why string) error {
			at := arrived
			if raw != nil {
				at = believable(mailin.Parse(headOf(raw), time.Time{}).Date, arrived, p.now)
			}
			return take(uid, believable(at, time.Time{}, p.now), raw, why)
		},
	}
	return f.Run(ctx)
}

// headOf is the header of a message.
func headOf(raw []byte) []byte {
	for _, end := range []string{"\r\n\r\n", "\n\n"} {
		if i := bytes.Index(raw, []byte(end)); i >= 0 {
			return raw[:i+len(end)]
		}
	}
	return raw
}
