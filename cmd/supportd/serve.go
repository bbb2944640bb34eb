package main

import (
	"context"
	_ "embed"
	"errors"
	"html/template"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

//go:embed status.html
var statusHTML string

// serve answers on the socket, and on the status page's address when there is one.
func (d *Daemon) serve(ctx context.Context, listeners []net.Listener) {
	handlers := []http.Handler{d.serveSocket(), d.statusPage()}
	for i, l := range listeners {
		s := &http.Server{Handler: handlers[i], ReadHeaderTimeout: 10 * time.Second}
		d.start(func() error {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		d.start(func() error {
			<-ctx.Done()
			end, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			if s.Shutdown(end) != nil {
				return s.Close()
			}
			return nil
		})
	}
}

// statusPage shows how the desk is, to people, to a supervisor and to Prometheus. It tells counts and states: no
// address, subject or text of anybody.
func (d *Daemon) statusPage() http.Handler {
	page := template.Must(template.New("status").Funcs(template.FuncMap{"ago": ago}).Parse(statusHTML))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		v, err := d.status()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		if err := page.Execute(w, v); err != nil {
			d.log.Warn("status page not written", "err", err)
		}
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		v, err := d.status()
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		case !v.Ready:
			http.Error(w, "not ready: "+notReady(v), http.StatusServiceUnavailable)
		default:
			_, _ = w.Write([]byte("ok\n"))
		}
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(d.metrics.registry, promhttp.HandlerOpts{}))
	return mux
}

func notReady(v statusView) string {
	for _, m := range v.Mailboxes {
		if !m.Connected {
			return "mailbox " + m.Name + ": " + firstOf(m.Error, "not connected yet")
		}
	}
	return "starting"
}

// ago is how long something has been, for people.
func ago(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	d := time.Since(t).Round(time.Second)
	if d < 0 {
		d = 0
	}
	return d.String()
}
