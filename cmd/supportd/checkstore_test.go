package main

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// S-162: a check that does not get on is ended, one that dies is no good sign, and what it says is said on; each time with
// what to do, and never with a trace only.
func TestCheckIsWatched_S162(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"sound", "echo on; exit 0", ""},
		{"gets on", "for i in 1 2 3 4 5 6 7 8; do echo on; sleep 0.1; done", ""},
		{"hangs", "echo on; exec sleep 60", "said nothing for"},
		{"damaged", "echo 'supportd: desk.db is damaged (page 7): restore it' >&2; exit 2", "desk.db is damaged (page 7): restore it"},
		{"dies", "kill -SEGV $$", "its check ended with signal"},
		{"panics", "printf 'panic: no\\n\\ngoroutine 1\\n' >&2; exit 2", "its check ended with exit status 2): nothing was changed; restore a backup"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			err := watchCheck(exec.CommandContext(ctx, "sh", "-c", c.script), "state", 700*time.Millisecond, cancel)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("%v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n")):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
