package demo

import (
	"context"
	"crypto/subtle"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"supportd/mailin"
)

// The page is for the people of this machine. What it answers to is checked all the same: any web page that is open in a
// browser can send requests to 127.0.0.1. A foreign Host (DNS rebinding) gets nothing; a mail is sent only for a form
// that this page made (Origin or Sec-Fetch-Site, and a secret in the form).

//go:embed web
var webFiles embed.FS

// page serves the mailboxes and tickets of a run.
type page struct {
	*run
	listener net.Listener
	server   *http.Server
	secret   string // in every form
	tmpl     *template.Template
	ended    chan error
}

// maxForm bounds what a form may bring.
const maxForm = 256 << 10

// openPage starts to serve.
func (r *run) openPage(ctx context.Context) (*page, error) {
	p := &page{run: r, ended: make(chan error, 1)}
	listen := r.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: %w", listen, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("--listen %s: the demo is for this machine only; write 127.0.0.1:PORT", listen)
	}
	secret := make([]byte, 32)
	if _, err := io.ReadFull(r.Random, secret); err != nil {
		return nil, fmt.Errorf("make a secret for the forms: %w", err)
	}
	p.secret = hex.EncodeToString(secret)
	if p.tmpl, err = template.New("").Funcs(functions()).ParseFS(webFiles, "web/*.html"); err != nil {
		return nil, err
	}
	if p.listener, err = net.Listen("tcp", listen); err != nil {
		return nil, fmt.Errorf("--listen %s: %w", listen, err)
	}
	p.server = &http.Server{Handler: p.handler(), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() {
		if err := p.server.Serve(p.listener); !errors.Is(err, http.ErrServerClosed) {
			p.ended <- err
		}
	}()
	return p, nil
}

func (p *page) close() { _ = p.server.Close() } // connections of people who look in end with the demo

func (p *page) url() string { return "http://" + p.listener.Addr().String() + "/" }

// handler is the page with its guards.
func (p *page) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.overview)
	mux.HandleFunc("GET /box/{user}", p.box)
	mux.HandleFunc("GET /ticket/{number}", p.ticket)
	mux.HandleFunc("GET /connect", p.connect)
	mux.HandleFunc("GET /events", p.events)
	mux.HandleFunc("GET /mail/{user}/{folder}/{uid}/html", p.mailHTML)
	mux.HandleFunc("GET /mail/{user}/{folder}/{uid}/source", p.mailSource)
	mux.HandleFunc("GET /mail/{user}/{folder}/{uid}/file/{n}", p.mailFile)
	mux.HandleFunc("GET /page.css", p.file("text/css; charset=utf-8"))
	mux.HandleFunc("GET /page.js", p.file("text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("POST /send", p.send)
	return p.guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard refuses foreign names, and sets what holds for every answer.
func (p *page) guard(next http.Handler) http.Handler {
	_, port, err := net.SplitHostPort(p.listener.Addr().String())
	hosts := []string{p.listener.Addr().String(), "127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err != nil || !slices.Contains(hosts, r.Host) {
			http.Error(w, "this page answers to 127.0.0.1 and localhost only", http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func (p *page) file(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, err := webFiles.ReadFile("web" + r.URL.Path)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(b) // the reader has gone: nobody to tell
	}
}

// events says that something is new, as server-sent events; what is new, the page asks for.
func (p *page) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	for {
		lines, changed := p.tale.news()
		text := ""
		if len(lines) > 0 {
			text = lines[len(lines)-1].Text // one line: add folds white space
		}
		if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", len(lines), text); err != nil {
			return
		}
		if err := flush.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		}
	}
}

// letterOf finds the mail that a path names.
func (p *page) letterOf(w http.ResponseWriter, r *http.Request) (letter, bool) {
	uid, err := strconv.ParseUint(r.PathValue("uid"), 10, 32)
	if err != nil {
		http.NotFound(w, r)
		return letter{}, false
	}
	l, ok, err := p.reader.one(place{r.PathValue("user"), r.PathValue("folder"), uint32(uid)})
	if !ok || err != nil {
		http.NotFound(w, r)
	}
	return l, ok && err == nil
}

// mailHTML serves the HTML part of a mail for a frame: nothing in it runs, loads or leads anywhere.
func (p *page) mailHTML(w http.ResponseWriter, r *http.Request) {
	l, ok := p.letterOf(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, l.HTML)
}

func (p *page) mailSource(w http.ResponseWriter, r *http.Request) {
	l, ok := p.letterOf(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(l.Raw)
}

// mailFile serves an attachment to be saved.
func (p *page) mailFile(w http.ResponseWriter, r *http.Request) {
	l, ok := p.letterOf(w, r)
	if !ok {
		return
	}
	n, err := strconv.Atoi(r.PathValue("n"))
	files := mailin.Files(l.Raw)
	if err != nil || n < 0 || n >= len(files) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": files[n].Name}))
	_, _ = w.Write(files[n].Data)
}

// allowed reports whether a form was made by this page.
func (p *page) allowed(r *http.Request) bool {
	return subtle.ConstantTimeCompare([]byte(r.PostFormValue("secret")), []byte(p.secret)) == 1
}
