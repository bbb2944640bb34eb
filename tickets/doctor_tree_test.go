package tickets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// treePage is one page of a made-up file: its flags and the pages that it says stand below it.
type treePage struct {
	flags    uint16
	children []uint64
}

func treeOf(pages ...treePage) *treeWalk {
	const size = 256
	file := make([]byte, size*len(pages))
	for i, p := range pages {
		at := file[size*i:]
		binary.NativeEndian.PutUint16(at[8:], p.flags)
		binary.NativeEndian.PutUint16(at[10:], uint16(len(p.children)))
		for n, child := range p.children {
			binary.NativeEndian.PutUint64(at[pageHeader+n*pageElement+8:], child)
		}
	}
	return &treeWalk{file: bytes.NewReader(file), size: size, end: int64(len(pages)), seen: map[uint64]bool{}}
}

// S-162: whatever would lead bbolt around in a circle is found before bbolt is let loose on it.
func TestTreesWithoutAnEnd_S162(t *testing.T) {
	leaf := treePage{flags: leafFlag}
	branch := func(children ...uint64) treePage { return treePage{branchFlag, children} }
	for name, c := range map[string]struct {
		pages []treePage
		sound bool
	}{
		"a leaf":                     {[]treePage{leaf}, true},
		"a tree":                     {[]treePage{branch(1, 2), leaf, branch(3), leaf}, true},
		"below itself":               {[]treePage{branch(0)}, false},
		"below its child":            {[]treePage{branch(1), branch(0)}, false},
		"in two places":              {[]treePage{branch(1, 1), leaf}, false},
		"beyond the file":            {[]treePage{branch(7)}, false},
		"a leaf without its flag":    {[]treePage{branch(1), {0, []uint64{1}}}, false},
		"leaf and branch":            {[]treePage{{leafFlag | branchFlag, nil}}, false},
		"a page of free pages in it": {[]treePage{branch(1), {0x10, nil}}, false},
	} {
		if err := treeOf(c.pages...).page(0); (err == nil) != c.sound || err != nil && !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// S-162: bbolt believes the lengths of a row, however much memory that takes.
func TestRowsBeyondTheirPage_S162(t *testing.T) {
	const size = 256
	// row is a leaf with one row, whose key of 3 octets stands behind its element; change damages it.
	row := func(change func(element []byte)) *treeWalk {
		page := make([]byte, size)
		binary.NativeEndian.PutUint16(page[8:], leafFlag)
		binary.NativeEndian.PutUint16(page[10:], 1)
		e := page[pageHeader:]
		binary.NativeEndian.PutUint32(e[4:], pageElement)
		binary.NativeEndian.PutUint32(e[8:], 3)
		binary.NativeEndian.PutUint32(e[12:], size-pageHeader-pageElement-3)
		change(e)
		return &treeWalk{file: bytes.NewReader(page), size: size, end: 1, seen: map[uint64]bool{}}
	}
	for name, c := range map[string]struct {
		change func(e []byte)
		sound  bool
	}{
		"a row that fills its page": {func([]byte) {}, true},
		"a long key":                {func(e []byte) { e[11] ^= 0x08 }, false},
		"a long value":              {func(e []byte) { e[12]++ }, false},
		"a key far away":            {func(e []byte) { e[5]++ }, false},
		"a bucket of nonsense":      {func(e []byte) { e[0] = bucketFlag; e[4] += 200 }, false},
		"a bucket with its pages":   {func(e []byte) { e[0] = bucketFlag; e[pageElement+3] = 1 }, true},
		"a small bucket, no page":   {func(e []byte) { e[0] = bucketFlag }, false},
	} {
		if err := row(c.change).page(0); (err == nil) != c.sound || err != nil && !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
