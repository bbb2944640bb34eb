package main

import (
	"bytes"
	"crypto/md5" // dpkg's own sums of installed files; nothing is secured by them
	"fmt"
	"path"
	"strings"
	"time"
)

// debianVersion is a version as Debian compares it: v1.2.0-rc1 comes before v1.2.0.
func debianVersion(v string) string {
	return strings.NewReplacer("-", "~", "+", ".").Replace(strings.TrimPrefix(v, "v"))
}

// debian writes a package (deb(5)) with the program, the service and the manual pages. It needs neither root nor dpkg.
func (r *release) debian(goarch string, program []byte) ([]byte, error) {
	files := []file{{"usr/bin/supportd", 0o755, program}}
	for _, f := range r.extras {
		switch dir, name := path.Split(f.path); {
		case dir == "man/man1/":
			packed, err := compressed(f.data)
			if err != nil {
				return nil, err
			}
			f.path, f.data = "usr/share/man/man1/"+name+".gz", packed
		case f.path == "completions/supportd.bash":
			f.path = "usr/share/bash-completion/completions/supportd"
		case f.path == "completions/_supportd":
			f.path = "usr/share/zsh/vendor-completions/_supportd"
		case f.path == "completions/supportd.fish":
			f.path = "usr/share/fish/vendor_completions.d/supportd.fish"
		case f.path == "systemd/unit":
			f.path = "usr/lib/systemd/system/supportd.service"
		case f.path == "systemd/sysusers":
			f.path = "usr/lib/sysusers.d/supportd.conf"
		case f.path == "systemd/tmpfiles":
			f.path = "usr/lib/tmpfiles.d/supportd.conf"
		default:
			f.path = "usr/share/doc/supportd/" + strings.TrimPrefix(f.path, "docs/")
		}
		files = append(files, f)
	}
	size := 0
	var sums bytes.Buffer
	for _, f := range files {
		size += len(f.data)
		fmt.Fprintf(&sums, "%x  %s\n", md5.Sum(f.data), f.path)
	}
	control := fmt.Sprintf("Package: supportd\nVersion: %s\nArchitecture: %s\nMaintainer: %s\nInstalled-Size: %d\nSection: mail\nPriority: optional\n"+
		"Recommends: ca-certificates\nDescription: support desk that lives in a mailbox\n"+
		" supportd follows IMAP mailboxes, makes a ticket of every new matter and puts\n replies where they belong. Agents answer in their own mail client.\n",
		debianVersion(r.version), goarch, r.maintainer, (size+1023)/1024)
	var members []member
	for _, part := range []struct {
		name  string
		files []file
	}{
		{"control.tar.gz", []file{{"control", 0o644, []byte(control)}, {"md5sums", 0o644, sums.Bytes()},
			{"postinst", 0o755, []byte(postinst)}, {"prerm", 0o755, []byte(prerm)}, {"postrm", 0o755, []byte(postrm)}}},
		{"data.tar.gz", files},
	} {
		raw, err := tarball(part.files, "./", r.when)
		if err != nil {
			return nil, err
		}
		packed, err := compressed(raw)
		if err != nil {
			return nil, err
		}
		members = append(members, member{part.name, packed})
	}
	return ar(append([]member{{"debian-binary", []byte("2.0\n")}}, members...), r.when), nil
}

// member is one file of an ar archive.
type member struct {
	name string
	data []byte
}

// ar writes the archive that a package is (deb(5)).
func ar(members []member, when time.Time) []byte {
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for _, m := range members {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", m.name, when.Unix(), 0, 0, "100644", len(m.data))
		b.Write(m.data)
		if len(m.data)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// What runs on the machine. Nothing is started on the first installation, because there is no configuration yet; an
// upgrade starts a running desk anew. The store and the configuration stay when the package is removed.
const (
	postinst = `#!/bin/sh
set -e
if [ "$1" = configure ]; then
	if command -v systemd-sysusers >/dev/null; then systemd-sysusers supportd.conf; fi
	if command -v systemd-tmpfiles >/dev/null; then systemd-tmpfiles --create supportd.conf || true; fi
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload || true
		if [ -n "$2" ]; then systemctl try-restart supportd.service || true; fi
	fi
fi
`
	prerm = `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	systemctl disable --now supportd.service || true
fi
`
	postrm = `#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
`
)
