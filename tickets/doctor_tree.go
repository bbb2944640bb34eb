package tickets

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"

	bolt "go.etcd.io/bbolt"
)

// Layout of a page of bbolt: a header of 16 octets (id, flags, count, overflow), then, in a branch page, an element of 16
// octets for each child (where its key stands, how long that is, the child's page).
const (
	pageHeader    = 16
	branchElement = 16
	branchFlag    = 0x01
	leafFlag      = 0x02
)

// trees sees to it that no page stands below itself or in two places: bbolt follows branch pages without a bound, so a
// damaged one would keep the doctor busy until memory ends.
func (c *checkup) trees() error {
	db := c.tx.btx.DB()
	f, err := os.Open(db.Path())
	if err != nil {
		return fmt.Errorf("check %s: %w", deskFile, plainCause(err))
	}
	defer f.Close()
	w := treeWalk{file: f, size: int64(db.Info().PageSize), end: c.tx.btx.Size() / int64(db.Info().PageSize), seen: map[uint64]bool{}}
	if err := w.page(uint64(c.tx.btx.Cursor().Bucket().Root())); err != nil {
		return err
	}
	return c.tx.btx.ForEach(func(name []byte, b *bolt.Bucket) error {
		if root := uint64(b.Root()); root != 0 { // 0: it is small and stands within its parent
			if err := w.page(root); err != nil {
				return fmt.Errorf("bucket %q: %w", name, err)
			}
		}
		return nil
	})
}

type treeWalk struct {
	file io.ReaderAt
	size int64
	end  int64
	seen map[uint64]bool
}

// page follows a page and those below it.
func (w *treeWalk) page(id uint64) error {
	if w.seen[id] || int64(id) >= w.end {
		return fmt.Errorf("%w: desk.db: page %d stands in two places, or beyond the file", errDamaged, id)
	}
	w.seen[id] = true
	head := make([]byte, pageHeader)
	if _, err := w.file.ReadAt(head, int64(id)*w.size); err != nil {
		return fmt.Errorf("%w: desk.db: page %d: %w", errDamaged, id, err)
	}
	switch flags := binary.NativeEndian.Uint16(head[8:]); flags {
	case leafFlag:
		return nil
	case branchFlag:
	default: // bbolt takes whatever is no leaf for a branch
		return fmt.Errorf("%w: desk.db: page %d in a tree is neither leaf nor branch (flags %#x)", errDamaged, id, flags)
	}
	children := make([]byte, branchElement*int(binary.NativeEndian.Uint16(head[10:])))
	if _, err := w.file.ReadAt(children, int64(id)*w.size+pageHeader); err != nil {
		return fmt.Errorf("%w: desk.db: page %d: %w", errDamaged, id, err)
	}
	for ; len(children) > 0; children = children[branchElement:] {
		if err := w.page(binary.NativeEndian.Uint64(children[8:])); err != nil {
			return err
		}
	}
	return nil
}
