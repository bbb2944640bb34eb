// Command release builds what is handed out of a version of supportd: programs for each platform, archives, Debian
// packages, a bill of materials for each program, and checksums. The same commit gives the same bytes, wherever and
// whenever it is built with the same Go. It signs and publishes nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	r := release{log: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }}
	flag.StringVar(&r.out, "o", "dist", "folder for what is built; it must not exist, or be empty")
	flag.StringVar(&r.maintainer, "maintainer", "supportd <root@localhost>", "who answers for the Debian packages, name and address")
	targets := flag.String("targets", "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64", "platforms, with commas between them")
	flag.Parse()
	r.targets = strings.Split(*targets, ",")
	err := r.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}
