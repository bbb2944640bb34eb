//go:build unix

package tickets

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// childImport imports 20,000 messages, and goes on where it was cut short.
func childImport(dir string) error {
	d, clock, err := childDesk(dir)
	if err != nil {
		return err
	}
	ctx := context.Background()
	run, err := d.StartImport(ctx, Import{Mailbox: "support", Source: sha256.Sum256([]byte("a"))})
	if err != nil {
		return err
	}
	for first := run.Next; first <= childImports; first += childImportBatch {
		if _, err := d.Import(ctx, run, pastChildMails(run, first, clock.Now()), first+childImportBatch-1); err != nil {
			return err
		}
		fmt.Println(first)
	}
	fmt.Println(childImports)
	if err := d.FinishImport(ctx, run.ID); err != nil {
		return err
	}
	return d.Store.Close()
}

const (
	childImports     = 20000
	childImportBatch = 500
)

// pastChildMails is a batch of the source: threads of four messages over some years.
func pastChildMails(run Import, first uint32, now time.Time) []PastMail {
	var list []PastMail
	for n := first; n < first+childImportBatch; n++ {
		from, thread := fmt.Sprintf("kunde%d@customer.example", n/4%300), (n-1)/4
		m := &Message{ID: fmt.Sprintf("past%d@customer.example", n), From: []Address{{Mail: from}}, Author: from, To: []Address{{Mail: deskAddress}},
			Subject: fmt.Sprintf("Thema %d", thread), Text: fmt.Sprintf("Text %d", n), Reply: fmt.Sprintf("Text %d", n),
			Date: now.Add(-time.Duration(childImports-n) * time.Hour)}
		if (n-1)%4 > 0 {
			m.References = []string{fmt.Sprintf("past%d@customer.example", thread*4+1)}
		}
		m.Identity = sha256.Sum256([]byte(m.ID))
		list = append(list, PastMail{Incoming: Incoming{Source: run.SourceOf(n), Arrived: m.Date, Raw: rawOf(m), Message: m}, Verdict: Verdict{Kind: KindHuman}})
	}
	return list
}

// S-033: an import that is killed again and again ends with what one that was never killed makes, and the books balance.
func TestKilledWhileImporting_S033(t *testing.T) {
	const seed = 7
	rnd := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	kills := 0
	for done := false; !done; {
		cmd := child(t, "import "+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, left := bufio.NewScanner(out), 2+rnd.IntN(8)
		for lines.Scan() {
			if left--; left == 0 {
				kills++
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		err = cmd.Wait()
		if done = err == nil; !done && cmd.ProcessState.ExitCode() != -1 {
			t.Fatalf("seed %d: the child ended by itself: %v", seed, err)
		}
	}
	d, _, err := childDesk(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Store.Close()
	healthy(t, d.Store)
	viewed(t, d.Store, func(tx *Tx) error {
		if b := tx.Books(); b != (Books{Seen: childImports, Created: childImports / 4, Appended: childImports / 4 * 3}) {
			t.Errorf("seed %d, killed %d times: books %+v", seed, kills, b)
		}
		if got := tx.StateCounts()[StateClosed]; got != childImports/4 {
			t.Errorf("%d tickets are closed", got)
		}
		return nil
	})
	t.Logf("seed %d: killed %d times", seed, kills)
}
