//go:build linux && crash

// Command inspect reads the names of state directories from its input, one a line, and prints what the oracle wants to
// know of each as one line of JSON. It runs as a process of its own, because a damaged store may hang or crash whoever
// opens it. It is used by the tests of supportd/cmd/supportd/crash.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"supportd/cmd/supportd/crash"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		if err := out.Encode(crash.Inspect(in.Text())); err != nil {
			fmt.Fprintln(os.Stderr, "inspect:", err)
			os.Exit(2)
		}
	}
}
