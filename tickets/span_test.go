package tickets

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// carrying composes mails whose attachments stand in them as they came.
type carrying struct{}

func (carrying) Compose(l Letter) ([]byte, error) {
	mail := []byte(l.To[0].Mail + " " + l.Subject + "\r\n")
	for _, f := range l.Attached {
		mail = append(append(append(mail, "-- "+f.Name+"\r\n"...), f.Base64...), "\r\n"...)
	}
	return append(mail, "end\r\n"...), nil
}

// withFiles is a kit, and a mail with files of so many octets whose notices wait in the outbox.
func withFiles(t *testing.T, sizes ...int) (k *kit, files [][]byte) {
	k = newKit(t, func(r *Rules) { r.Composer = carrying{} })
	in := k.incoming(k.mail(kunde, "Mit Anlagen", "Siehe Anlagen."))
	for i, size := range sizes {
		file := bytes.Repeat([]byte{"ABC"[i%3]}, size)
		files = append(files, file)
		at := len(in.Raw)
		in.Raw = append(in.Raw, file...)
		in.Message.Attachments = append(in.Message.Attachments, Attachment{Name: "f" + itoa(i), Type: "image/png", Size: int64(size), Base64: in.Raw[at:]})
	}
	at := len(in.Raw)
	for i := len(files) - 1; i >= 0; i-- { // all of them in the same array
		at -= sizes[i]
		in.Message.Attachments[i].Base64 = in.Raw[at : at+sizes[i]]
	}
	k.receiveAll(in)
	return k, files
}

// notices are the mails about a new ticket that are due, by recipient.
func (k *kit) notices() map[string]Outgoing {
	k.Helper()
	due, _, err := k.desk.Due(context.Background(), k.clock.Now(), 50)
	if err != nil {
		k.Fatal(err)
	}
	found := map[string]Outgoing{}
	for _, o := range due {
		if o.Template == TemplateTicketToTeam {
			found[o.Recipient] = o
		}
	}
	return found
}

func ownOctets(k *kit, id OutgoingID) (n int) {
	k.Helper()
	err := k.store.View(func(tx *Tx) error { n = len(tx.btx.Bucket(bucketBytes).Get(key64(uint64(id)))); return nil })
	if err != nil {
		k.Fatal(err)
	}
	return n
}

// P2: what stands in the archive is not stored once more for each agent, and each mail has the very octets that were
// composed, at every look and after a restart.
func TestSpans(t *testing.T) {
	k, files := withFiles(t, 50_000, minSpan-1, 70_000)
	first := k.notices()
	for _, to := range []string{anna, ben} {
		o := first[to]
		want := to + " [" + "NW-2026-000001" + "] " + TemplateTicketToTeam + "\r\n"
		for i, f := range files {
			want += "-- f" + itoa(i) + "\r\n" + string(f) + "\r\n"
		}
		if want += "end\r\n"; string(o.Bytes) != want || o.Size != len(want) {
			t.Errorf("to %s: %d octets, want %d: %.60q", to, len(o.Bytes), len(want), o.Bytes)
		}
		if n := ownOctets(k, o.ID); n > minSpan+200 || len(o.Spans) != 2 {
			t.Errorf("to %s: %d octets are kept beside %d spans", to, n, len(o.Spans))
		}
	}
	k.reopen()
	for to, o := range k.notices() {
		if !bytes.Equal(o.Bytes, first[to].Bytes) {
			t.Errorf("after a restart the mail to %s is another one", to)
		}
	}
	k.healthy()
}

// P2: a raw message that goes takes nothing from the mails that still need it.
func TestSpansOutliveTheirMessage(t *testing.T) {
	k, _ := withFiles(t, 50_000)
	before := k.notices()
	err := k.store.Update(context.Background(), func(tx *Tx) error {
		r := newRemoval(tx, k.rules, "too old")
		r.clear = append(r.clear, 1)
		return r.carryOut()
	})
	if err == nil {
		_, err = k.store.Rewrite(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	if months, err := k.store.mail.months(); err != nil || len(months) > 0 {
		t.Fatalf("the raw message is still there: %v, %v", months, err)
	}
	after := k.notices()
	if len(after) < 2 {
		t.Errorf("%d notices are left", len(after))
	}
	for to, o := range after {
		if !bytes.Equal(o.Bytes, before[to].Bytes) || len(o.Spans) > 0 {
			t.Errorf("the mail to %s: %d octets, %d spans; before %d octets", to, len(o.Bytes), len(o.Spans), len(before[to].Bytes))
		}
	}
	k.healthy()
}

// The one who looks at the outbox while a message goes gets the mail nevertheless.
func TestSpansOfAMessageThatWentMeanwhile(t *testing.T) {
	k, _ := withFiles(t, 50_000)
	var seen []Outgoing
	for _, o := range k.notices() {
		want := slices.Clone(o.Bytes)
		o.Bytes = nil
		if err := k.store.View(func(tx *Tx) error {
			o.Bytes = bytes.Clone(tx.btx.Bucket(bucketBytes).Get(key64(uint64(o.ID))))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		o.LastError = string(want) // what it has to be
		seen = append(seen, o)
	}
	err := k.store.Update(context.Background(), func(tx *Tx) error {
		return tx.detach(map[string][]Digest{seen[0].Spans[0].Raw.Month: {seen[0].Spans[0].Raw.SHA256}})
	})
	if err == nil {
		_, err = k.store.mail.leaveOut(seen[0].Spans[0].Raw.Month, []Digest{seen[0].Spans[0].Raw.SHA256})
	}
	if err == nil { // the month lives on with other mail
		_, err = k.store.mail.put(k.clock.Now(), [][]byte{[]byte("another mail")})
	}
	if err != nil {
		t.Fatal(err)
	}
	wants := map[OutgoingID]string{}
	for _, o := range seen {
		wants[o.ID] = o.LastError
	}
	ready := k.desk.putTogether(seen)
	if len(ready) != len(wants) {
		t.Fatalf("%d of %d mails", len(ready), len(wants))
	}
	for _, o := range ready {
		if string(o.Bytes) != wants[o.ID] {
			t.Errorf("mail %d has %d octets", o.ID, len(o.Bytes))
		}
	}
}

// S-051, S-163: a mail whose octets are damaged in the archive comes without any, the others come, and doctor says so.
func TestSpansDamaged_S163(t *testing.T) {
	k, files := withFiles(t, 50_000)
	notices := k.notices()
	o := notices[anna]
	if err := k.store.Close(); err != nil {
		t.Fatal(err)
	}
	path := k.store.mail.path(o.Spans[0].Raw.Month)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(raw, files[0][:1000])
	raw[at+500] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	k.open()
	due, _, err := k.desk.Due(context.Background(), k.clock.Now(), 50)
	if err != nil {
		t.Fatal(err)
	}
	acks := 0
	for _, o := range due {
		switch {
		case len(o.Spans) > 0 && o.Bytes != nil:
			t.Errorf("the mail to %s is damaged and has octets", o.Recipient)
		case len(o.Spans) == 0 && o.Bytes == nil:
			t.Errorf("the mail to %s is not damaged and has none", o.Recipient)
		case o.Recipient == kunde:
			acks++
		}
	}
	if acks != 1 {
		t.Errorf("%d acknowledgements", acks)
	}
	d, err := k.store.Doctor(context.Background())
	if err != nil || !slices.ContainsFunc(d.Problems, func(p string) bool { return strings.Contains(p, "in the outbox: its bytes are not what was stored") }) {
		t.Errorf("doctor: %v, %q", err, d.Problems)
	}
}

// A span that reaches beyond its message is a damage, and no octets of the next one.
func TestSpanOutside(t *testing.T) {
	a := newArchive(t.TempDir())
	defer a.Close()
	refs, err := a.put(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), [][]byte{[]byte("0123456789"), []byte("next")})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []Span{{From: -1, Len: 2}, {From: 8, Len: 3}, {From: 11, Len: 0}, {From: 0, Len: -1}, {From: 1, Len: int(^uint(0) >> 1)}} {
		s.Raw = refs[0]
		if b, err := a.appendPart(nil, s); err == nil {
			t.Errorf("%+v gives %q", s, b)
		}
	}
	if b, err := a.appendPart([]byte("x"), Span{From: 2, Len: 3, Raw: refs[0]}); err != nil || string(b) != "x234" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestOffsetIn(t *testing.T) {
	whole := append(make([]byte, 0, 40), "0123456789"...)
	for _, c := range []struct {
		part   []byte
		offset int
		ok     bool
	}{{whole, 0, true}, {whole[3:5], 3, true}, {whole[9:], 9, true}, {nil, 0, false}, {whole[10:], 0, false}, {[]byte("345"), 0, false}, {whole[3:5:6], 0, false}, {make([]byte, 3, 100), 0, false}} {
		if offset, ok := offsetIn(whole, c.part); offset != c.offset || ok != c.ok {
			t.Errorf("%q: %d %v, want %d %v", c.part, offset, ok, c.offset, c.ok)
		}
	}
}

// The octets of the desk's file do not grow with what the archive has.
func TestSpansKeepTheDeskSmall(t *testing.T) {
	k, _ := withFiles(t, 1_000_000)
	var used int
	err := k.store.db.View(func(btx *bolt.Tx) error {
		s := btx.Bucket(bucketBytes).Stats()
		used = s.LeafInuse
		return nil
	})
	if err != nil || used > 10_000 {
		t.Errorf("the outbox takes %d octets, %v", used, err)
	}
}

// The copy of a sent mail has the octets that were sent, also when its raw message goes before the copy is made.
func TestSpansInCopies(t *testing.T) {
	k, _ := withFiles(t, 50_000)
	in := k.rules.Mailboxes["support"]
	in.Copies = true
	k.rules.Mailboxes["support"] = in
	o := k.notices()[anna]
	want := slices.Clone(o.Bytes)
	ctx := context.Background()
	err := k.store.Update(ctx, func(tx *Tx) error {
		o.Recipient, o.counted = kunde, o.State
		if err := k.desk.finishSent(tx, &o, k.clock.Now()); err != nil {
			return err
		}
		return tx.detach(map[string][]Digest{o.Spans[0].Raw.Month: {o.Spans[0].Raw.SHA256}})
	})
	if err == nil {
		_, err = k.store.mail.leaveOut(o.Spans[0].Raw.Month, []Digest{o.Spans[0].Raw.SHA256})
	}
	if err != nil {
		t.Fatal(err)
	}
	copies, err := k.desk.Copies(ctx, "support", 10)
	if err != nil || len(copies) != 1 || !bytes.Equal(copies[0].Bytes, want) {
		t.Errorf("%d copies, %v", len(copies), err)
	}
}
