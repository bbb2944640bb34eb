// Command pictures takes pictures of the mails that the desk sends, as a browser without a window shows them: each text
// that has an HTML form, in each language, in light and dark, on a telephone and beside it on a screen. With -check it
// compares them with the pictures that are kept, and writes none.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	p := pictures{log: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }}
	flag.StringVar(&p.dir, "o", "docs/pictures", "folder of the pictures")
	flag.StringVar(&p.only, "only", "", "take pictures of this template only")
	flag.BoolVar(&p.check, "check", false, "compare with the pictures there are, and write none")
	flag.BoolVar(&p.inverted, "inverted", false, "show in place of dark what clients make that invert the colours themselves; for looking at, not for keeping")
	flag.StringVar(&p.browser, "browser", "", "Chromium, or a browser that takes its arguments (default: the first of chromium, chromium-browser, google-chrome that is installed)")
	flag.Parse()
	err := p.findBrowser(exec.LookPath)
	if err == nil {
		err = p.run(ctx)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}
