package parse

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf16"
)

// Bounds of what is read from one winmail.dat.
const (
	maxTNEFAttributes = 4096
	maxTNEFProperties = 4096
	maxTNEFFiles      = 200
)

// tnefFile is one file inside a winmail.dat.
type tnefFile struct {
	name string
	typ  string
	cid  string
	data []byte
}

// tnef is what a winmail.dat holds (MS-OXTNEF): Outlook's own form of a message. Nothing in it is compressed but the
// RTF body, whose size is bounded.
type tnef struct {
	text  string // the plain text body
	html  []byte // the HTML body, in its code page
	rtf   []byte // the RTF body, decompressed
	page  int    // code page of 8-bit strings
	files []tnefFile
}

// Attributes and MAPI properties that are read (MS-OXTNEF 2.1.3.2, MS-OXPROPS).
const (
	tnefSignature = 0x223e9f78

	attBody           = 0x0002800c
	attMsgProps       = 0x00069003
	attAttachRendData = 0x00069002
	attAttachTitle    = 0x00018010
	attAttachData     = 0x0006800f
	attAttachment     = 0x00069005
	attOemCodepage    = 0x00069007

	propBody           = 0x1000
	propRTFCompressed  = 0x1009
	propHTML           = 0x1013
	propAttachData     = 0x3701
	propAttachFilename = 0x3704
	propAttachLongName = 0x3707
	propAttachMimeTag  = 0x370e
	propAttachCID      = 0x3712
)

var errTNEF = errors.New("the winmail.dat is damaged")

// decodeTNEF reads a winmail.dat. With an error, what stood before the damage is still returned. Memory stays within
// a small multiple of the input.
func decodeTNEF(b []byte) (*tnef, error) {
	r := tnefReader{b: b}
	t := &tnef{page: 1252}
	if sig, ok := r.u32(); !ok || sig != tnefSignature {
		return t, errTNEF
	}
	r.skip(2) // a key of no meaning
	for range maxTNEFAttributes {
		if len(r.b) == 0 {
			return t, nil
		}
		r.skip(1) // level: message or attachment; the attribute says it too
		id, ok1 := r.u32()
		size, ok2 := r.u32()
		if !ok1 || !ok2 || uint64(size)+2 > uint64(len(r.b)) {
			// A checksum that was cut off does no harm.
			if !ok2 || uint64(size) > uint64(len(r.b)) {
				return t, errTNEF
			}
		}
		data := r.b[:size]
		r.skip(int(size) + 2)
		if err := t.attribute(id, data); err != nil {
			return t, err
		}
	}
	return t, errTNEF
}

func (t *tnef) attribute(id uint32, data []byte) error {
	switch id {
	case attOemCodepage:
		if len(data) >= 4 {
			t.page = int(binary.LittleEndian.Uint32(data))
		}
	case attBody:
		if t.text == "" {
			t.text = t.string8(data)
		}
	case attMsgProps:
		return readProps(data, t.messageProp)
	case attAttachRendData:
		if len(t.files) < maxTNEFFiles {
			t.files = append(t.files, tnefFile{})
		}
	case attAttachTitle:
		if f := t.file(); f != nil && f.name == "" {
			f.name = t.string8(data)
		}
	case attAttachData:
		if f := t.file(); f != nil {
			f.data = data
		}
	case attAttachment:
		return readProps(data, t.fileProp)
	}
	return nil
}

// file is the one that attributes are being read of.
func (t *tnef) file() *tnefFile {
	if len(t.files) == 0 {
		return nil
	}
	return &t.files[len(t.files)-1]
}

func (t *tnef) messageProp(id, typ uint16, v []byte) {
	switch id {
	case propBody:
		if s := t.propString(typ, v); s != "" {
			t.text = s
		}
	case propHTML:
		t.html = v
	case propRTFCompressed:
		t.rtf = decompressRTF(v)
	}
}

func (t *tnef) fileProp(id, typ uint16, v []byte) {
	f := t.file()
	if f == nil {
		return
	}
	switch id {
	case propAttachLongName:
		f.name = t.propString(typ, v)
	case propAttachFilename:
		if f.name == "" {
			f.name = t.propString(typ, v)
		}
	case propAttachMimeTag:
		f.typ = strings.ToLower(t.propString(typ, v))
	case propAttachCID:
		f.cid = t.propString(typ, v)
	case propAttachData:
		if f.data == nil {
			if typ == 0x000d && len(v) > 16 {
				v = v[16:] // an object: its interface's GUID stands in front
			}
			f.data = v
		}
	}
}

func (t *tnef) propString(typ uint16, v []byte) string {
	if typ == 0x001f {
		units := make([]uint16, len(v)/2)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(v[2*i:])
		}
		return strings.TrimRight(string(utf16.Decode(units)), "\x00")
	}
	return t.string8(v)
}

// string8 reads a string in the message's code page.
func (t *tnef) string8(v []byte) string {
	v = bytes.TrimRight(v, "\x00")
	return decodeCharset(v, codePage(t.page), false).text
}

// codePage names the charset of a Windows code page.
func codePage(page int) string {
	switch page {
	case 65001:
		return "utf-8"
	case 20127:
		return "us-ascii"
	case 932:
		return "shift_jis"
	case 936, 54936:
		return "gb18030"
	case 949:
		return "euc-kr"
	case 950:
		return "big5"
	case 874:
		return "windows-874"
	case 28591:
		return "iso-8859-1"
	case 28592:
		return "iso-8859-2"
	case 28605:
		return "iso-8859-15"
	case 850:
		return "ibm850"
	case 437:
		return "ibm437"
	}
	if page >= 1250 && page <= 1258 {
		return "windows-125" + string(rune('0'+page-1250))
	}
	return "windows-1252"
}

// readProps reads a list of MAPI properties (MS-OXTNEF 2.1.3.4.1), giving each value of variable size to take.
func readProps(b []byte, take func(id, typ uint16, value []byte)) error {
	r := tnefReader{b: b}
	count, ok := r.u32()
	if !ok {
		return errTNEF
	}
	for range min(count, maxTNEFProperties) {
		typ, ok1 := r.u16()
		id, ok2 := r.u16()
		if !ok1 || !ok2 {
			return errTNEF
		}
		if id >= 0x8000 && !r.propName() {
			return errTNEF
		}
		values, multi := uint32(1), typ&0x1000 != 0
		base := typ &^ 0x1000
		variable := base == 0x001e || base == 0x001f || base == 0x0102 || base == 0x000d
		if multi || variable {
			if values, ok = r.u32(); !ok {
				return errTNEF
			}
		}
		for range min(values, maxTNEFProperties) {
			v, ok := r.value(base, variable)
			if !ok {
				return errTNEF
			}
			if variable && !multi {
				take(id, base, v)
			}
		}
	}
	return nil
}

// tnefReader reads little-endian numbers off the front of b.
type tnefReader struct{ b []byte }

func (r *tnefReader) skip(n int) {
	if n > len(r.b) || n < 0 {
		n = len(r.b)
	}
	r.b = r.b[n:]
}

func (r *tnefReader) u16() (uint16, bool) {
	if len(r.b) < 2 {
		return 0, false
	}
	v := binary.LittleEndian.Uint16(r.b)
	r.b = r.b[2:]
	return v, true
}

func (r *tnefReader) u32() (uint32, bool) {
	if len(r.b) < 4 {
		return 0, false
	}
	v := binary.LittleEndian.Uint32(r.b)
	r.b = r.b[4:]
	return v, true
}

// value reads one property value; all are padded to four octets.
func (r *tnefReader) value(typ uint16, variable bool) ([]byte, bool) {
	size := uint32(4)
	switch typ {
	case 0x0005, 0x0006, 0x0007, 0x0014, 0x0040: // floating point, currency, time, 64-bit integer
		size = 8
	case 0x0048: // GUID
		size = 16
	}
	if variable {
		n, ok := r.u32()
		if !ok {
			return nil, false
		}
		size = n
	}
	if uint64(size) > uint64(len(r.b)) {
		return nil, false
	}
	v := r.b[:size]
	r.skip(int(size) + int(-size&3))
	return v, true
}

// propName passes the name of a named property: a GUID, a kind, and a number or a string.
func (r *tnefReader) propName() bool {
	r.skip(16)
	kind, ok := r.u32()
	if !ok {
		return false
	}
	n, ok := r.u32()
	if !ok || kind != 1 {
		return ok
	}
	if uint64(n) > uint64(len(r.b)) {
		return false
	}
	r.skip(int(n) + int(-n&3))
	return true
}
