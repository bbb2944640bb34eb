package mailin

import (
	"context"
	"fmt"
	"time"
)

// Certificate says when the server's certificate ends; zero without TLS. Nobody logs in, and nothing is changed.
func Certificate(ctx context.Context, cfg Config) (time.Time, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", cfg.where(), err)
	}
	l, err := connect(ctx, cfg, 15*time.Second)
	if err != nil {
		return time.Time{}, &plainError{text: inWords(err, cfg), err: err}
	}
	defer l.close()
	if l.cert == nil {
		return time.Time{}, nil
	}
	ends := l.cert.NotAfter
	return ends, l.step(ctx, func() error { return l.c.Logout().Wait() })
}
