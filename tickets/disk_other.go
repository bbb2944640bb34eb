//go:build !unix

package tickets

import "errors"

func freeBytes(string) (uint64, error) {
	return 0, errors.New("free space cannot be told on this system")
}
