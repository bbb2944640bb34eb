package tickets

import (
	"io/fs"
	"path/filepath"
	"strings"
)

// filesWith lists the files of the state directory, beside those of the store, where something is found: what a restore
// moved aside, for instance. They are nobody's but the admin's to delete.
func (s *Store) filesWith(t *traces) ([]string, error) {
	found := []string{}
	err := filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(s.dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if month, ok := strings.CutPrefix(name, mailDir+"/"); name == deskFile || ok && filepath.Ext(month) == ".db" {
			return nil // looked through record by record, and written anew
		}
		in, err := t.inFile(path)
		if in {
			found = append(found, name)
		}
		return err
	})
	return found, err
}
