package dkim

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// minRSA is the least size of an RSA key that signs (RFC 8301 §3.2 asks for 1024, and recommends this).
const minRSA = 2048

// ParseKey reads a private key from a PEM file: RSA in PKCS #1 or PKCS #8, or Ed25519 in PKCS #8.
func ParseKey(text []byte) (Key, error) {
	block, _ := pem.Decode(text)
	switch {
	case block == nil:
		return Key{}, errors.New("it holds no private key in PEM, which begins with -----BEGIN PRIVATE KEY-----")
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return Key{}, errors.New("the key is locked with a password; take the password off, and leave the file readable for its owner only")
	case strings.Contains(block.Type, "PUBLIC KEY"):
		return Key{}, errors.New("it holds a public key; the private one signs")
	}
	var parsed any
	var err error
	if block.Type == "RSA PRIVATE KEY" {
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	} else {
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return Key{}, fmt.Errorf("the key cannot be read: %w", err)
	}
	switch k := parsed.(type) {
	case *rsa.PrivateKey:
		if n := k.N.BitLen(); n < minRSA {
			return Key{}, fmt.Errorf("the RSA key has %d bits; it needs %d or more", n, minRSA)
		}
		return Key{k}, nil
	case ed25519.PrivateKey:
		return Key{k}, nil
	}
	return Key{}, fmt.Errorf("a key of the kind %T signs no mail; make an RSA or an Ed25519 key", parsed)
}

// NewKey makes a key of a kind, rsa or ed25519, and gives it as a PEM file.
func NewKey(kind string) (text []byte, err error) {
	var key any
	switch kind {
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, minRSA)
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		return nil, fmt.Errorf("a key of the kind %q signs no mail; it is rsa or ed25519", kind)
	}
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Kind is what sort of key it is, for people.
func (k Key) Kind() string {
	if rsaKey, ok := k.signer.(*rsa.PrivateKey); ok {
		return fmt.Sprintf("RSA, %d bits", rsaKey.N.BitLen())
	}
	return "Ed25519"
}

// Name is where the record of a signature's key stands in the name service.
func (s Signature) Name() string { return s.Selector + "._domainkey." + s.Domain }

// Record is the text to be published at Name (RFC 6376 §3.6.1).
func (s Signature) Record() string {
	switch k := s.Key.signer.(type) {
	case *rsa.PrivateKey:
		der, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
		if err != nil {
			return "" // an RSA key that was read can be written
		}
		return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
	case ed25519.PrivateKey:
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(k.Public().(ed25519.PublicKey))
	}
	return ""
}

// Zone is the record as a line of a zone file, in strings of at most 255 octets.
func (s Signature) Zone() string {
	text, parts := s.Record(), []string{}
	for len(text) > 255 {
		parts, text = append(parts, `"`+text[:255]+`"`), text[255:]
	}
	return s.Name() + ". IN TXT ( " + strings.Join(append(parts, `"`+text+`"`), " ") + " )"
}

// Published compares what stands at Name with the key: "" when it fits, otherwise what is wrong, in words.
func (s Signature) Published(texts []string) string {
	switch {
	case len(texts) == 0:
		return "nothing is published"
	case len(texts) > 1:
		return fmt.Sprintf("%d records are published, which count as none (RFC 6376 §3.6.2.2)", len(texts))
	case Tag(texts[0], "p") == "":
		return "the published key is revoked: its p is empty"
	case Tag(texts[0], "p") != Tag(s.Record(), "p"):
		return "another key is published"
	case strings.Contains(":"+Tag(texts[0], "t")+":", ":y:"):
		return "the key is published for trying things out only (t=y)"
	}
	return ""
}
