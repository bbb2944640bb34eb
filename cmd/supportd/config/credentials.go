package config

import (
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v4"
)

// credential is the file that the system hands over in place of a secret file (systemd's LoadCredential): the one of the
// same name in $CREDENTIALS_DIRECTORY. Nobody else can reach that folder, whatever the mode of its files. Without one it
// is written itself.
func (r *resolver) credential(written string) (name string, handed bool) {
	dir, ok := r.getenv("CREDENTIALS_DIRECTORY")
	if !ok || !filepath.IsAbs(dir) {
		return written, false
	}
	path := filepath.Join(dir, filepath.Base(written))
	if _, err := os.Stat(path); err != nil {
		return written, false
	}
	return path, true
}

// SecretFiles lists the secret files that a configuration names, as they are written there, in the order of the file. It
// reads leniently: what has faults elsewhere still names its secrets.
func SecretFiles(path string) []string {
	data, err := readBounded(path, maxFile)
	if err != nil {
		return nil
	}
	var doc yaml.Node
	if yaml.Load(data, &doc) != nil {
		return nil
	}
	var found []string
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for i, child := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 1 && child.Kind == yaml.ScalarNode && secretKey(n.Content[i-1].Value) && !slices.Contains(found, child.Value) {
				found = append(found, child.Value)
			}
			walk(child)
		}
	}
	walk(&doc)
	return found
}

// secretKey reports whether a key's value is the path of a file with a secret in it.
func secretKey(key string) bool {
	return key == "password_file" || key == "client_secret_file" || key == "service_account_file" || key == "key_file"
}
