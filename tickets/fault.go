package tickets

import (
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// fault is a recovered panic as an error: what went wrong, and where in the program. What a panic was called with is left out,
// unless the runtime itself says it: it may be words of a mail or a secret, and errors are logged (S-176, S-177). Use it in
// the deferred function that recovered.
func fault(v any) error {
	what := fmt.Sprintf("a panic with a value of type %T", v)
	if e, ok := v.(runtime.Error); ok {
		what = e.Error()
	}
	return fmt.Errorf("internal error: %s, at %s", what, panicked())
}

// panicked is the place in the program that the current panic comes from, such as tickets/decide.go:446.
func panicked() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for below := false; ; {
		f, more := frames.Next()
		if inside := strings.HasPrefix(f.Function, "runtime."); inside {
			below = below || f.Function == "runtime.gopanic"
		} else if below {
			file := filepath.ToSlash(f.File)
			return fmt.Sprintf("%s/%s:%d", path.Base(path.Dir(file)), path.Base(file), f.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}
