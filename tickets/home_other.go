//go:build !unix

package tickets

import "io/fs"

func fileNumber(fs.FileInfo) uint64 { return 0 }
