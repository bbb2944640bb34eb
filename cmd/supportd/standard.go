package main

import (
	"fmt"
	"io/fs"
	"mime"
	"os"
	"path/filepath"

	"supportd/cmd/supportd/config"
	"supportd/tickets"
)

// maxAnswerFiles bounds what goes along with one standard answer, in octets: larger mails are refused by many servers.
const maxAnswerFiles = 10 << 20

// standardFolder is where the standard answers stand; nil when there are none.
func standardFolder(c *config.Config) fs.FS {
	if c.Standard == "" {
		return nil
	}
	return os.DirFS(c.Standard)
}

// buildStandard are the standard answers with the files that go along with them.
func buildStandard(c *config.Config, texts brandRenderer) (map[string]*tickets.StandardAnswer, error) {
	answers := map[string]*tickets.StandardAnswer{}
	if c.Standard == "" {
		return answers, nil
	}
	for _, set := range texts {
		for _, a := range set.Answers() {
			one := &tickets.StandardAnswer{Name: a.Name, Title: a.Title, Solve: a.Solve}
			size := 0
			for _, name := range a.Files {
				data, err := os.ReadFile(filepath.Join(c.Standard, name))
				if err != nil {
					return nil, fmt.Errorf("read what goes along with the standard answer %s: %w", a.Name, err)
				}
				if size += len(data); size > maxAnswerFiles {
					return nil, fmt.Errorf("%s: the files of the standard answer %s are larger than %d MB together", c.Standard, a.Name, maxAnswerFiles>>20)
				}
				kind := mime.TypeByExtension(filepath.Ext(name))
				if kind == "" {
					kind = "application/octet-stream"
				}
				one.Files = append(one.Files, tickets.File{Name: name, Type: kind, Data: data})
			}
			answers[a.Name] = one
		}
		break // every brand has the same ones
	}
	return answers, nil
}
