package mailout

import (
	"context"
	"time"
)

// Certificate says when the first certificate of the server's chain ends; zero without TLS. Nobody logs in, and no mail
// is sent.
func Certificate(ctx context.Context, server Server) (time.Time, error) {
	server.User, server.Password, server.Token = "", "", nil
	r, err := Probe(ctx, server)
	return r.NotAfter, err
}
