package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

// maxMboxMail bounds one mail of an mbox; a longer one is cut.
const maxMboxMail = 64 << 20

// eachMail calls fn for every mail in the files named, and in every file below the folders named, in order. A file whose
// name ends in .mbox or .mbx holds many mails, named FILE:1, FILE:2 …; it is read as a stream. On a terminal a bar shows
// how far it is.
func (a *app) eachMail(paths []string, fn func(name string, raw []byte) error) error {
	files, err := listFiles(paths)
	if err != nil {
		return err
	}
	bar := a.progress(len(files))
	defer bar.Finish()
	for _, path := range files {
		if ext := strings.ToLower(filepath.Ext(path)); ext == ".mbox" || ext == ".mbx" {
			err = eachInMbox(path, fn)
		} else {
			var raw []byte
			if raw, err = os.ReadFile(path); err == nil {
				err = fn(path, raw)
			}
		}
		if err != nil {
			return err
		}
		_ = bar.Add(1) // a terminal that does not take it is no reason to stop
	}
	return nil
}

// progress is a bar on a person's terminal, and nothing elsewhere or for few files.
func (a *app) progress(n int) *progressbar.ProgressBar {
	w := io.Discard
	if n > 20 && terminal(a.err) && !terminal(a.out) {
		w = a.err
	}
	return progressbar.NewOptions(n, progressbar.OptionSetWriter(w), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("files"), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

// listFiles lists the files named, and the regular files below the folders named.
func listFiles(paths []string) ([]string, error) {
	var files []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: there is no such file or folder", p)
		} else if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, p)
			continue
		}
		err = filepath.WalkDir(p, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// eachInMbox takes the mails out of an mbox (RFC 4155): each begins with a line "From ", after an empty line or at the
// start, and has ">" before lines of its own that begin so.
func eachInMbox(path string, fn func(name string, raw []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 64<<10)
	var mail bytes.Buffer
	n, empty, inMail := 0, true, false
	flush := func() error {
		if !inMail {
			return nil
		}
		n++
		raw := bytes.TrimSuffix(bytes.Clone(mail.Bytes()), []byte("\n"))
		mail.Reset()
		return fn(fmt.Sprintf("%s:%d", path, n), raw)
	}
	for {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			err = nil // a line longer than the buffer comes in pieces
		}
		switch {
		case empty && bytes.HasPrefix(line, []byte("From ")):
			if err := flush(); err != nil {
				return err
			}
			inMail = true
		case inMail && mail.Len() < maxMboxMail:
			mail.Write(unquoteFrom(line))
		}
		empty = len(bytes.TrimRight(line, "\r\n")) == 0
		if errors.Is(err, io.EOF) {
			return flush()
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
	}
}

// unquoteFrom takes one ">" off a line such as ">From " or ">>From " (mboxrd).
func unquoteFrom(line []byte) []byte {
	if rest := bytes.TrimLeft(line, ">"); len(rest) < len(line) && bytes.HasPrefix(rest, []byte("From ")) {
		return line[1:]
	}
	return line
}
