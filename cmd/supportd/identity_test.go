package main

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"supportd/mailin"
	"supportd/mailout/smtptest"
)

// A subject that went to and fro through many clients comes back with one Re:, within bounds, and with the ticket's number
// at its end, whatever its length and script (S-195).
func TestIdentitySubject(t *testing.T) {
	w := newWorld(t, startEmbedded(t))
	w.start()
	for i, subject := range []string{
		strings.Repeat("Re: AW: SV: Re[2]: ", 20) + "Drucker",
		strings.Repeat("Ärger mit dem Drucker – 打印机 ", 30),
		strings.Repeat("x", 900),
	} {
		w.mailFrom("Sabine Krause <"+sabine+">", deskAddress, fmt.Sprintf("Subject: =?utf-8?b?%s?=\n\nGuten Tag, nichts geht mehr (%d).\n", base64.StdEncoding.EncodeToString([]byte(subject)), i))
		mails := []letter{w.next("sabine"), w.next("anna")}
		w.answer(anna, mails[1], "Bitte schalten Sie ihn aus und wieder ein.")
		mails = append(mails, w.next("sabine"))
		for _, m := range mails {
			got := mailin.Parse([]byte(m.raw), time.Now()).Subject
			number := numberPattern.FindString(got)
			if utf8.RuneCountInString(got) > 200 || !strings.HasSuffix(got, "["+number+"]") || number == "" {
				t.Errorf("subject of %d runes: %q", utf8.RuneCountInString(got), got)
			}
			if n := strings.Count(strings.ToLower(got), "re:") + strings.Count(got, "AW:") + strings.Count(got, "SV:") + strings.Count(got, "Re["); n > 1 {
				t.Errorf("%d marks of answers: %q", n, got)
			}
			header, _, _ := strings.Cut(strings.ReplaceAll(m.raw, "\r\n", "\n"), "\n\n")
			_, field, _ := strings.Cut("\n"+header, "\nSubject:")
			for line := range strings.SplitSeq("Subject:"+field, "\n") {
				if len(line) > 78 || len(strings.TrimSpace(line)) > 76 {
					t.Errorf("a line of %d octets: %s", len(line), line)
				}
				if line != "" && line[0] != ' ' && line[0] != '\t' && !strings.HasPrefix(line, "Subject:") {
					break
				}
				for word := range strings.FieldsSeq(line) {
					if strings.HasPrefix(word, "=?") && len(word) > 75 {
						t.Errorf("an encoded-word of %d octets: %s", len(word), word)
					}
				}
			}
		}
	}
	w.healthy()
}

// International addresses go there and back: an address that is not ASCII is answered with SMTPUTF8, one whose domain only
// is not goes out in A-labels to any server (S-202, RFC 6531, RFC 5891).
func TestIdentityInternationalAddresses(t *testing.T) {
	e := startEmbedded(t).(*memoryServers)
	w := newWorld(t, e)
	if err := e.stopSMTP(); err != nil {
		t.Fatal(err)
	}
	e.utf8 = true
	if err := e.startSMTP(); err != nil {
		t.Fatal(err)
	}
	w.start()
	send := func(address, id string) {
		t.Helper()
		raw := fmt.Sprintf("Return-Path: <%s>\r\nReceived: from client by mx.nordwind.example; %s\r\nFrom: Jürgen Müller <%s>\r\nTo: %s\r\nMessage-ID: <%s@x.example>\r\nSubject: Drücker\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGuten Tag, der Drucker druckt nicht (%s).\r\n",
			address, time.Now().Format(time.RFC1123Z), address, deskAddress, id, id)
		if err := w.put("hilfe", []byte(raw), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	arrived := func(address string) (m smtptest.Mail, ok bool) {
		for _, m := range e.smtp.Mails() {
			if len(m.To) == 1 && m.To[0] == address {
				return m, true
			}
		}
		return m, false
	}
	// Who writes from an address that is not ASCII is not taken for anybody that the desk knows, and gets no automatic answer;
	// a person's answer reaches them.
	send("jürgen@müller.example", "eai")
	notice := w.next("anna")
	w.answer(anna, notice, "Bitte schalten Sie ihn aus und wieder ein.")
	w.await("the answer to an international address", func() bool { _, ok := arrived("jürgen@müller.example"); return ok })
	got, _ := arrived("jürgen@müller.example")
	parsed := mailin.Parse(got.Data, time.Now())
	if !got.UTF8 || len(parsed.To) != 1 || parsed.To[0].Mail != "jürgen@müller.example" || parsed.To[0].Name != "Jürgen Müller" || parsed.Subject == "" {
		t.Errorf("SMTPUTF8 %t, to %+v, subject %q", got.UTF8, parsed.To, parsed.Subject)
	}
	send("info@müller.example", "idn")
	w.await("the acknowledgement of an international domain", func() bool { _, ok := arrived("info@xn--mller-kva.example"); return ok })
	got, _ = arrived("info@xn--mller-kva.example")
	if parsed := mailin.Parse(got.Data, time.Now()); got.UTF8 || len(parsed.To) != 1 || parsed.To[0].Mail != "info@xn--mller-kva.example" {
		t.Errorf("SMTPUTF8 %t, to %+v", got.UTF8, parsed.To)
	}
	w.healthy()
}

// Encrypted and signed mail is kept and handed on as it came: the desk opens nothing, changes nothing, and people in possession
// of a key can still read and check it (S-203).
func TestIdentityEncryptedMail(t *testing.T) {
	w := newWorld(t, startEmbedded(t))
	w.start()
	cipher := "-----BEGIN PGP MESSAGE-----\n\nhQEMA0lvY2FsAQf/" + strings.Repeat("Q0lQSEVS", 7) + "\n=abcd\n-----END PGP MESSAGE-----\n"
	pkcs7 := strings.TrimSpace(strings.Repeat(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x30\x82SMIME", 8)))[:72]+"\n", 6))
	for name, mail := range map[string]struct{ raw, part string }{
		"PGP/MIME": {"Subject: ...\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n--b\nContent-Type: application/octet-stream; name=encrypted.asc\nContent-Disposition: inline; filename=encrypted.asc\n\n" +
			cipher + "\n--b--\n", cipher},
		"S/MIME": {"Subject: geheim\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=smime.p7m\n\n" + pkcs7 + "\n", ""},
		"signed": {"Subject: Drucker\nContent-Type: multipart/signed; micalg=sha-256; protocol=\"application/pkcs7-signature\"; boundary=s\n\n--s\nContent-Type: text/plain\n\nDer Drucker druckt nicht.\n\n--s\nContent-Type: application/pkcs7-signature; name=smime.p7s\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=smime.p7s\n\n" +
			pkcs7 + "\n\n--s--\n", ""},
	} {
		w.mailFrom("Sabine Krause <"+sabine+">", deskAddress, mail.raw)
		ack := w.next("sabine")
		notice := w.next("anna")
		past, err := w.daemon.desk.Store.Recall(numberPattern.FindString(ack.subject()))
		if err != nil || len(past) != 1 || !strings.Contains(string(past[0].Raw), strings.ReplaceAll(mail.raw[strings.Index(mail.raw, "\n\n"):], "\n", "\r\n")) {
			t.Errorf("%s: what is kept is not what came (%v): %s", name, err, past[0].Raw)
		}
		want := mail.part
		if want == "" {
			decoded, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(pkcs7, "\n", ""))
			if err != nil {
				t.Fatal(err)
			}
			want = string(decoded)
		}
		found := false
		for _, f := range mailin.Files([]byte(notice.raw)) {
			data := f.Data
			if data == nil {
				data, _ = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(f.Base64)), ""))
			}
			found = found || strings.ReplaceAll(strings.TrimSpace(string(data)), "\r\n", "\n") == strings.TrimSpace(want)
		}
		if !found {
			t.Errorf("%s: the encrypted or signed part did not reach the agent as it came:\n%s", name, notice.raw)
		}
	}
	w.healthy()
}
