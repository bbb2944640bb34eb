//go:build linux && crash

package crash

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var mailsFlag = flag.String("mails", "", "folder with .eml files that come in too while connections are watched")

// Whatever stands in the mails, the desk connects to its two mail servers and to nothing else, and asks no name server:
// nobody learns from it that a mail was read, and nobody can make it look into the network it stands in.
// S-141
func TestConnects(t *testing.T) {
	t.Parallel()
	if err := StraceAvailable(); err != nil {
		if os.Getenv("SUPPORTD_REAL_SERVERS") != "" {
			t.Fatal(err)
		}
		report(t, "nothing was tried: %v", err)
		return
	}
	bait, asked := listenFor(t)
	random, seed := seeded(t)
	dir := stateRoot(t)
	r := embeddedRig(t, RigOptions{Dir: dir, Rand: random, FirstResponse: 3})
	trace := filepath.Join(dir, "trace")
	r.Desk.Binary = built(t).Release
	r.Desk.Wrap = []string{"strace", "-f", "--seccomp-bpf", "-o", trace, "-e", "trace=connect,sendto,sendmsg,sendmmsg"}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	mails := append(baits(bait), given(t, *mailsFlag)...)
	for _, m := range mails {
		if err := r.Servers.Put(deskUser, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Desk.Await(bounded(), "all mails to be settled and answered", func(s Status) bool {
		return s.Books.Seen == uint64(len(mails)) && s.Outbox.Due == 0
	}); err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	own := map[string]int{}
	for _, addr := range []string{r.imap.Addr(), r.smtp.Addr()} {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		own[fmt.Sprintf(`sin_port=htons(%s), sin_addr=inet_addr("127.0.0.1")`, port)] = 0
	}
	var foreign []string
	for _, where := range socketAddress.FindAllString(string(text), -1) {
		if _, ok := own[strings.TrimPrefix(where, "sa_family=AF_INET, ")]; ok {
			own[strings.TrimPrefix(where, "sa_family=AF_INET, ")]++
			continue
		}
		foreign = append(foreign, "the desk connected to "+where)
	}
	for where, n := range own {
		if n == 0 {
			t.Errorf("no connection to %s is in the trace", where)
		}
	}
	complain(t, foreign)
	if n := asked.Load(); n != 0 {
		t.Errorf("the address in the mails was connected to %d times", n)
	}
	report(t, "%d mails, connections %v, none elsewhere; seed %d", len(mails), own, seed)
}

// socketAddress is where a system call connects or sends to.
var socketAddress = regexp.MustCompile(`sa_family=AF_\w+(, \w+=[^{}]*)?`)

// listenFor counts who connects to an address that is given away by mail.
func listenFor(t *testing.T) (addr string, asked *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked = new(atomic.Int64)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				asked.Add(1)
				c.Close()
			}
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return l.Addr().String(), asked
}

// baits are mails that ask whoever reads them to get something from addr, each in another way.
func baits(addr string) [][]byte {
	url := "http://" + addr + "/"
	html := []string{
		`<img src="%U">`, `<img srcset="%U 1x, %U 2x">`, `<link rel=stylesheet href="%U">`, `<link rel=dns-prefetch href="//canary.invalid">`,
		`<style>@import url(%U); body { background: url(%U) }</style>`, `<p style="background-image: url('%U')">x</p>`, `<body background="%U">x`,
		`<script src="%U"></script>`, `<iframe src="%U"></iframe>`, `<object data="%U"></object>`, `<embed src="%U">`, `<video poster="%U" src="%U"></video>`,
		`<audio src="%U" autoplay></audio>`, `<meta http-equiv=refresh content="0;url=%U">`, `<base href="%U"><img src="x.png">`,
		`<svg><image href="%U"/><use href="%U#x"/></svg>`, `<form action="%U"><input type=image src="%U"></form>`, `<a href="%U" ping="%U">x</a>`,
		`<input type=image src="%U">`, `<table background="%U"><tr><td>x</table>`, `<img src="\\canary.invalid\share\x.png">`,
	}
	heads := []string{
		"List-Unsubscribe: <%U>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nPrecedence: first-class\r\n", "Content-Location: %U\r\n", "Content-Base: %U\r\n",
		"X-Image-URL: %U\r\nFace-URL: %U\r\n", "Disposition-Notification-To: <x@canary.invalid>\r\nReturn-Receipt-To: <x@canary.invalid>\r\n",
		"Openpgp: url=%U\r\nAutocrypt: addr=kunde@customer.example; keydata=AAAA\r\n", "List-Archive: <%U>\r\nArchived-At: <%U>\r\n",
		"DKIM-Signature: v=1; a=rsa-sha256; d=canary.invalid; s=x; h=from; bh=AAAA; b=AAAA\r\n", "Reply-To: <kunde@canary.invalid>\r\n",
	}
	bodies := []string{
		"Content-Type: message/external-body; access-type=URL; URL=\"%U\"\r\n\r\nContent-Type: text/plain\r\n\r\n",
		"Content-Type: message/external-body; access-type=anon-ftp; site=\"canary.invalid\"; name=x\r\n\r\nContent-Type: text/plain\r\n\r\n",
		"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nATTACH:%U\r\nURL:%U\r\nATTENDEE:mailto:x@canary.invalid\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		"Content-Type: text/vcard\r\n\r\nBEGIN:VCARD\r\nPHOTO;VALUE=uri:%U\r\nSOURCE:%U\r\nEND:VCARD\r\n",
		"Content-Type: image/svg+xml\r\n\r\n<!DOCTYPE svg [<!ENTITY x SYSTEM \"%U\">]><svg>&x;<image href=\"%U\"/></svg>\r\n",
		"Content-Type: text/xml\r\n\r\n<?xml version=\"1.0\"?><?xml-stylesheet href=\"%U\"?><!DOCTYPE x SYSTEM \"%U\"><x/>\r\n",
		"Content-Type: text/plain\r\n\r\nBitte sehen Sie nach: %U und https://canary.invalid/ und \\\\canary.invalid\\x\r\n",
	}
	var raw [][]byte
	add := func(head, body string) {
		n := len(raw)
		head = fmt.Sprintf("Return-Path: <kunde%d@customer.example>\r\nFrom: <kunde%d@customer.example>\r\nTo: <%s@nordwind.example>\r\nSubject: Meldung %d\r\n"+
			"Date: %s\r\nMessage-ID: <bait%d@customer.example>\r\nMIME-Version: 1.0\r\n%s", n, n, deskUser, n, time.Now().Format(time.RFC1123Z), n, head)
		raw = append(raw, []byte(strings.ReplaceAll(head+body, "%U", url)))
	}
	for _, h := range html {
		add("", "Content-Type: text/html; charset=utf-8\r\n\r\n<p>Guten Tag, der Drucker druckt nicht.</p>"+h+"\r\n")
	}
	for _, h := range heads {
		add(h, "Content-Type: text/plain\r\n\r\nGuten Tag, der Drucker druckt nicht.\r\n")
	}
	for _, b := range bodies {
		add("", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nGuten Tag, der Drucker druckt nicht.\r\n--b\r\n"+b+"--b--\r\n")
	}
	return raw
}

// given are the mails in a folder and below it.
func given(t *testing.T, dir string) (raw [][]byte) {
	t.Helper()
	if dir == "" {
		return nil
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".eml" {
			return err
		}
		b, err := os.ReadFile(path)
		raw = append(raw, b)
		return err
	})
	if err != nil || len(raw) == 0 {
		t.Fatalf("-mails %s: %d mails, %v", dir, len(raw), err)
	}
	return raw
}
