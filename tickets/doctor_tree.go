package tickets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	bolt "go.etcd.io/bbolt"
)

// Layout of a page of bbolt: a header of 16 octets (id, flags, count, how many pages it goes on for), then an element of 16
// octets for each row. That of a branch says where the key stands, how long it is, and the child's page; that of a leaf has
// flags, where the key stands, and how long key and value are. Places count from the element on.
const (
	pageHeader  = 16
	pageElement = 16
	branchFlag  = 0x01
	leafFlag    = 0x02
	bucketFlag  = 0x01 // of a leaf's element: the value is a bucket
)

// trees sees to it that no page stands below itself or in two places, and that no row reaches beyond its page: bbolt
// follows pages and believes lengths without a bound, so a damaged one would keep the doctor busy until memory ends.
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
	if w.seen[id] || id >= uint64(w.end) {
		return fmt.Errorf("%w: desk.db: page %d stands in two places, or beyond the file", errDamaged, id)
	}
	w.seen[id] = true
	head := make([]byte, pageHeader)
	if _, err := w.file.ReadAt(head, int64(id)*w.size); err != nil {
		return fmt.Errorf("%w: desk.db: page %d: %w", errDamaged, id, err)
	}
	pages := 1 + int64(binary.NativeEndian.Uint32(head[12:]))
	if int64(id)+pages > w.end {
		return fmt.Errorf("%w: desk.db: page %d goes on for %d pages, beyond the file", errDamaged, id, pages)
	}
	below, err := w.elements(head, int64(id)*w.size, pages*w.size)
	if err != nil {
		return fmt.Errorf("%w: desk.db: page %d %w", errDamaged, id, err)
	}
	for _, child := range below {
		if err := w.page(child); err != nil {
			return err
		}
	}
	return nil
}

// elements checks the rows of the page that stands at a place of the file and is so long, and returns the pages below it.
func (w *treeWalk) elements(head []byte, place, length int64) (below []uint64, err error) {
	flags, count := binary.NativeEndian.Uint16(head[8:]), int64(binary.NativeEndian.Uint16(head[10:]))
	if flags != leafFlag && flags != branchFlag { // bbolt takes whatever is no leaf for a branch
		return nil, fmt.Errorf("in a tree is neither leaf nor branch (flags %#x)", flags)
	}
	if pageHeader+count*pageElement > length {
		return nil, fmt.Errorf("has %d rows, more than it has room for", count)
	}
	elements := make([]byte, count*pageElement)
	if _, err := w.file.ReadAt(elements, place+pageHeader); err != nil {
		return nil, fmt.Errorf("has rows that cannot be read: %w", err)
	}
	for i := range count {
		e := elements[i*pageElement:]
		first, second, third := int64(binary.NativeEndian.Uint32(e)), int64(binary.NativeEndian.Uint32(e[4:])), int64(binary.NativeEndian.Uint32(e[8:]))
		key, value := first, int64(0) // where the key stands; how long the value is
		keyLen := second
		if flags == leafFlag {
			key, keyLen, value = second, third, int64(binary.NativeEndian.Uint32(e[12:]))
		} else {
			below = append(below, binary.NativeEndian.Uint64(e[8:]))
		}
		begin := pageHeader + i*pageElement + key
		if begin+keyLen+value > length {
			return nil, fmt.Errorf("has a row that reaches beyond it (row %d)", i+1)
		}
		if flags == leafFlag && first == bucketFlag {
			if err := w.within(place+begin+keyLen, value); err != nil {
				return nil, fmt.Errorf("row %d: %w", i+1, err)
			}
		}
	}
	return below, nil
}

// within checks a small bucket, whose only page stands in a row of its parent behind the bucket's own header.
func (w *treeWalk) within(place, length int64) error {
	const bucketHeader = 16 // the root page, 0 for a small bucket; a counter
	head := make([]byte, min(max(length, 0), bucketHeader+pageHeader))
	if _, err := w.file.ReadAt(head, place); err != nil {
		return err
	}
	if len(head) < bucketHeader {
		return errors.New("is a bucket that is too short")
	}
	if binary.NativeEndian.Uint64(head) != 0 {
		return nil // a bucket with pages of its own
	}
	if len(head) < bucketHeader+pageHeader {
		return errors.New("is a small bucket that is too short")
	}
	_, err := w.elements(head[bucketHeader:], place+bucketHeader, length-bucketHeader)
	return err
}
