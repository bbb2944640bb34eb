package mailout

import (
	"go/ast"
	"go/parser"
	source "go/token"
	"path/filepath"
	"strings"
	"testing"

	"supportd/mailout/smtptest"
	"supportd/tickets"
)

// S-200: mail for whatever domain goes to the configured server and to no other; while that server is away it waits, and is
// taken nowhere else. Nobody is asked where a domain takes its mail.
func TestMailLeavesByTheConfiguredServerOnly_S200(t *testing.T) {
	srv := newServer(t, smtptest.Options{})
	other := newServer(t, smtptest.Options{})
	domains := []string{"customer.example", "localhost", "127.0.0.1.example", "mx.invalid", "xn--mnchen-3ya.example"}
	var mails []tickets.Outgoing
	for i, d := range domains {
		mails = append(mails, outgoing(t, tickets.ClassNotice, "a@"+d, i+1))
	}
	b := newBox(t, mails...)
	s := sender(b, at(t, srv.Addr()))
	s.Servers["unused"] = at(t, other.Addr())
	run(t, s)
	b.waitFor(t, tickets.Sent, len(domains))
	got := map[string]bool{}
	for _, m := range srv.Mails() {
		got[m.To[0]] = true
	}
	for _, d := range domains {
		if !got["a@"+d] {
			t.Errorf("mail to %s is not at the configured server", d)
		}
	}
	if n := other.Connects(); n != 0 {
		t.Errorf("%d connections to another server", n)
	}

	gone := newServer(t, smtptest.Options{})
	addr := gone.Addr()
	gone.Close()
	b = newBox(t, outgoing(t, tickets.ClassNotice, "a@localhost", 99))
	s = sender(b, at(t, addr))
	s.Servers["unused"] = at(t, other.Addr())
	run(t, s)
	b.wait(t, "the mail to wait", func() bool { m, _ := b.get(1); return m.State == tickets.Deferred })
	if n := other.Connects(); n != 0 {
		t.Errorf("%d connections to another server while the configured one is away", n)
	}

	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(source.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && strings.HasPrefix(id.Name, "Lookup") && id.Name != "Lookup" { // idna.Lookup asks nobody
				t.Errorf("%s asks the name service: %s", name, id.Name)
			}
			return true
		})
	}
}
