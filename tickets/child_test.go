package tickets

import (
	"fmt"
	"os"
)

const childRole = "SUPPORTD_TEST_CHILD"

func runChild(role string) int {
	fmt.Fprintln(os.Stderr, "no such role:", role)
	return 2
}
