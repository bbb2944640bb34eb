package tickets

import (
	"bytes"
	"context"
	"testing"
)

// P1: a message that was erased and comes once more, before the archive was written anew, keeps its raw bytes: they were
// found in the archive and not written again.
func TestMessageThatComesAgainBeforeTheRewrite(t *testing.T) {
	k := newKit(t)
	in := k.incoming(k.mail(kunde, "Drucker", "druckt nicht"))
	k.receiveAll(in)
	k.update(func(tx *Tx) error {
		r := newRemoval(tx, k.rules, "too old")
		r.clear = append(r.clear, 1)
		return r.carryOut()
	})
	again := k.incoming(k.mail(kunde, "Drucker", "druckt nicht"))
	again.Raw = in.Raw
	k.receiveAll(again)
	if _, err := k.store.Rewrite(context.Background()); err != nil {
		t.Fatal(err)
	}
	var raws [][]byte
	err := k.store.View(func(tx *Tx) error {
		return tx.each(bucketMessages, nil, func(_, v []byte) (bool, error) {
			var m Stored
			if err := decodeRecord(v, &m); err != nil || m.Raw.Month == "" {
				return true, err
			}
			raw, err := k.store.mail.get(m.Raw)
			raws = append(raws, raw)
			return true, err
		})
	})
	if err != nil || len(raws) != 1 || !bytes.Equal(raws[0], in.Raw) {
		t.Errorf("%d raw messages: %v", len(raws), err)
	}
	k.healthy()
	// Once that one goes too, nothing is left of either.
	k.update(func(tx *Tx) error {
		r := newRemoval(tx, k.rules, "too old")
		r.clear = append(r.clear, 2)
		return r.carryOut()
	})
	if _, err := k.store.Rewrite(context.Background()); err != nil {
		t.Fatal(err)
	}
	if months, err := k.store.mail.months(); err != nil || len(months) > 0 {
		t.Errorf("the raw message is still there: %v, %v", months, err)
	}
	k.healthy()
}
