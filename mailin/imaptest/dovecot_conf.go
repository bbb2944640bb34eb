package imaptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"text/template"
	"time"
)

// localCertificate makes a self-signed certificate for localhost and 127.0.0.1, and its key, in PEM.
func localCertificate() (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(30 * 24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &private.PublicKey, private)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}

// dovecotConf is in the syntax of Dovecot 2.3; that of 2.4 differs.
var dovecotConf = template.Must(template.New("dovecot.conf").Parse(`protocols = imap
listen = 127.0.0.1
instance_name = {{.Name}}
base_dir = {{.Base}}/run
state_dir = {{.Base}}/state
log_path = {{.Base}}/dovecot.log
ssl = yes
ssl_cert = <{{.Base}}/cert.pem
ssl_key = <{{.Base}}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
first_valid_uid = 1
mail_location = maildir:{{.Base}}/mail/%u
mail_max_userip_connections = 100
mailbox_idle_check_interval = 1 secs
auth_failure_delay = 0
{{if .Hibernate}}imap_hibernate_timeout = 1 secs
{{end}}passdb {
  driver = static
  args = password={{.Password}}
}
userdb {
  driver = static
  args = uid={{.UID}} gid={{.UID}} home={{.Base}}/mail/%u allow_all_users=yes
}
service imap-login {
  chroot =
  inet_listener imap {
    port = {{.Port}}
  }
  inet_listener imaps {
    port = {{.TLSPort}}
    ssl = yes
  }
}
service imap {
  unix_listener imap-master {
    user = dovecot
  }
}
service imap-hibernate {
  unix_listener imap-hibernate {
    mode = 0666
  }
}
service auth {
  unix_listener auth-client-open {
    mode = 0666
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
namespace inbox {
  inbox = yes
  mailbox Drafts {
    special_use = \Drafts
    auto = create
  }
  mailbox Sent {
    special_use = \Sent
    auto = create
  }
  mailbox Trash {
    special_use = \Trash
    auto = create
  }
  mailbox Archive {
    special_use = \Archive
    auto = create
  }
}
{{range .Settings}}{{.}}
{{end}}`))
