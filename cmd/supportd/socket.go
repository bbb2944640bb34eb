package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// The unix socket: one POST a question, JSON in and out. Only the owner of the state directory can reach it.

const maxSocketPath = 100 // the kernel takes 107 bytes (unix(7)), others less

func socketPath(state string) string { return filepath.Join(state, "supportd.sock") }

// listenSocket opens the socket with rights for the owner only. The state directory's lock is held: a socket that is
// there already was left behind by a process that died.
func listenSocket(path string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		if short, err := shortPath(path); err == nil {
			path = short
		} else {
			return nil, fmt.Errorf("socket %s: the path is too long for a unix socket (%d bytes, at most %d); choose a shorter path for state", path, len(path), maxSocketPath)
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	return l, nil
}

// shortPath finds a shorter spelling of a path: relative to the working directory.
func shortPath(path string) (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	short, err := filepath.Rel(wd, path)
	if err != nil || len(short) > maxSocketPath {
		return "", errors.New("no shorter path")
	}
	return short, nil
}

// serveSocket answers questions on the socket.
func (d *Daemon) serveSocket() http.Handler {
	table := operations()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/{name}", func(w http.ResponseWriter, r *http.Request) {
		op, ok := table[r.PathValue("name")]
		if !ok {
			answer(w, http.StatusNotFound, remoteError{Error: "this supportd does not know " + r.PathValue("name") + "; it may be of another version than the command"})
			return
		}
		args, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			answer(w, http.StatusBadRequest, remoteError{Error: err.Error()})
			return
		}
		out, err := op(&operator{desk: d.desk, daemon: d}, r.Context(), args)
		if err != nil {
			answer(w, http.StatusUnprocessableEntity, remoteError{Error: err.Error()})
			return
		}
		answer(w, http.StatusOK, out)
	})
	return mux
}

type remoteError struct {
	Error string `json:"error"`
}

func answer(w http.ResponseWriter, code int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		code, b = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(b) // the asker has gone: nobody to tell
}

// askDaemon asks the daemon on a socket. errNotRunning means that nobody listens there.
func askDaemon(ctx context.Context, socket, name string, args, out any) error {
	if len(socket) > maxSocketPath {
		short, err := shortPath(socket)
		if err != nil {
			return errNotRunning
		}
		socket = short
	}
	body, err := json.Marshal(args)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", socket)
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://supportd/v1/"+name, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return errNotRunning
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("socket %s: it belongs to another user; run the command as that user", socket)
	case err != nil:
		return fmt.Errorf("ask supportd at %s: %w", socket, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("ask supportd at %s: %w", socket, err)
	}
	if resp.StatusCode != http.StatusOK {
		var e remoteError
		if json.Unmarshal(b, &e) != nil || e.Error == "" {
			e.Error = fmt.Sprintf("supportd at %s answers %s", socket, resp.Status)
		}
		return errors.New(e.Error)
	}
	return json.Unmarshal(b, out)
}

// residentBytes is how much memory the process has of its own (RssAnon), or what the runtime took when the system does
// not tell.
func residentBytes() uint64 {
	if b, err := os.ReadFile("/proc/self/status"); err == nil {
		for line := range bytes.Lines(b) {
			var kb uint64
			if _, err := fmt.Sscanf(string(line), "RssAnon: %d kB", &kb); err == nil {
				return kb << 10
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys
}
