package parse

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"
)

const benchHeader = "Return-Path: <kunde@firma.example>\r\nDelivered-To: support@nordwind.example\r\n" +
	"Received: from mx1.nordwind.example (mx1.nordwind.example [192.0.2.10])\r\n\tby imap.nordwind.example with LMTP id 3TQ2; Sat, 21 Nov 2026 09:12:44 +0100\r\n" +
	"Received: from mail.firma.example (mail.firma.example [198.51.100.7])\r\n\tby mx1.nordwind.example with ESMTPS id 77aB; Sat, 21 Nov 2026 09:12:43 +0100\r\n" +
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=firma.example; s=s1;\r\n\th=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0\r\n" +
	"Authentication-Results: mx1.nordwind.example; dkim=pass header.d=firma.example; spf=pass\r\n" +
	"From: =?utf-8?q?J=C3=BCrgen_M=C3=BCller?= <juergen.mueller@firma.example>\r\nTo: Nordwind Service <support@nordwind.example>\r\n" +
	"Subject: =?utf-8?q?R=C3=BCckfrage_zur_Lieferung_4711?=\r\nDate: Sat, 21 Nov 2026 09:12:40 +0100\r\n" +
	"Message-ID: <0f6c2b1e-8f5e-4b0e@firma.example>\r\nIn-Reply-To: <t.42.abcdef@nordwind.example>\r\n" +
	"References: <t.41.abcdef@nordwind.example> <t.42.abcdef@nordwind.example>\r\nMIME-Version: 1.0\r\nUser-Agent: Mozilla Thunderbird\r\n"

// benchMails are mails as a support desk gets them.
func benchMails() map[string][]byte {
	text := strings.Repeat("Guten Tag, die Lieferung 4711 ist bis heute nicht angekommen. Bitte pr=C3=BCfen Sie, wo sie bleibt.\r\n", 20)
	html := "<html><body>" + strings.Repeat("<p>Guten Tag, die Lieferung <b>4711</b> ist bis heute nicht angekommen. Bitte pr=C3=BCfen Sie, wo sie bleibt.</p>\r\n", 60) + "</body></html>\r\n"
	qp := "Content-Transfer-Encoding: quoted-printable\r\n"
	plain := benchHeader + "Content-Type: text/plain; charset=utf-8\r\n" + qp + "\r\n" + text
	alt := benchHeader + "Content-Type: multipart/alternative; boundary=\"=_alt\"\r\n\r\n--=_alt\r\nContent-Type: text/plain; charset=utf-8\r\n" + qp + "\r\n" + text +
		"\r\n--=_alt\r\nContent-Type: text/html; charset=utf-8\r\n" + qp + "\r\n" + html + "\r\n--=_alt--\r\n"
	raw := make([]byte, 150<<10)
	for i := range raw {
		raw[i] = byte(i * i >> 3)
	}
	var file bytes.Buffer
	for b := raw; len(b) > 0; b = b[min(57, len(b)):] {
		file.WriteString(base64.StdEncoding.EncodeToString(b[:min(57, len(b))]) + "\r\n")
	}
	mixed := benchHeader + "Content-Type: multipart/mixed; boundary=\"=_mix\"\r\n\r\n--=_mix\r\nContent-Type: text/plain; charset=utf-8\r\n" + qp + "\r\n" + text +
		"\r\n--=_mix\r\nContent-Type: application/pdf; name=Rechnung.pdf\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=Rechnung.pdf\r\n\r\n" +
		file.String() + "\r\n--=_mix--\r\n"
	return map[string][]byte{"plain": []byte(plain), "alternative": []byte(alt), "attachment": []byte(mixed)}
}

// BenchmarkMessage and BenchmarkGoMessage show the cost of reading everything beside that of walking through the parts
// and decoding them.
func BenchmarkMessage(b *testing.B) {
	for name, raw := range benchMails() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if m := Message(raw); m.Text == "" {
					b.Fatal("no text")
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
		})
	}
}

func BenchmarkGoMessage(b *testing.B) {
	for name, raw := range benchMails() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if err := walkGoMessage(raw); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
		})
	}
}

func walkGoMessage(raw []byte) error {
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return e.Walk(func(_ []int, part *message.Entity, err error) error {
		if err != nil || part.MultipartReader() != nil {
			return err
		}
		_, err = io.Copy(io.Discard, part.Body)
		return err
	})
}
