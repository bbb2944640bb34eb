package tickets

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// maxCarried is how many octets of attachments the mails that one message calls for carry on, all together; a single
// mail carries at most half of it. What is more is named in the mail only.
const maxCarried = 40 << 20

// minInline is below what an inline picture of an agent's mail is taken for a logo and does not go to the customer.
const minInline = 20 << 10

// carriedOn tells which attachments a mail of a class takes along within so many octets, and names those that it leaves
// behind although somebody meant them to go: what could run never goes to a customer (S-143), and what does not fit goes
// to nobody. Small inline pictures stay behind unnamed.
func carriedOn(list []Attachment, c Class, room int64) (take []bool, left []string) {
	take = make([]bool, len(list))
	for i, a := range list {
		switch {
		case c == ClassAnswer && a.Inline && a.Size < minInline:
		case c == ClassAnswer && a.Dangerous, a.Blocked, a.Size > room:
			left = append(left, a.Name)
		default:
			take[i] = true
			room -= a.Size
		}
	}
	return take, left
}

// leftOut is the line that tells an agent which attachments of theirs do not go to the customer; ok is false when all
// of them go, or were never meant to. nothing says that none is left to send.
func (op *operation) leftOut() (line Line, nothing, ok bool) {
	take, left := carriedOn(op.r.marked(op.attached()), ClassAnswer, maxCarried/2)
	nothing = true
	for _, t := range take {
		nothing = nothing && !t
	}
	line = Line{Key: "did.left_out", Args: map[string]string{"files": strings.Join(left, ", "), "limit": fmt.Sprint(maxCarried / 2)}}
	return line, nothing, len(left) > 0
}

// attached are the files that go with the operation's answer: those of its mail, and of the one that it sends after all.
func (op *operation) attached() []Attachment {
	if op.posted != nil {
		return append(slices.Clone(op.posted.Attached), op.m.Attachments...)
	}
	return op.m.Attachments
}

// carried are the attachments that a mail takes along.
func (d *Desk) carried(a *application, c Class) []File {
	if d.Files == nil || a.in.Raw == nil || a.in.Message == nil || len(a.in.Message.Attachments) == 0 {
		return nil
	}
	if !a.opened {
		a.files, a.opened = a.asTheyCame(), true
		if a.files == nil {
			a.files = d.Files(a.in.Raw)
		}
	}
	carriers := 0
	for _, m := range a.dec.Mails {
		if m.Attach {
			carriers++
		}
	}
	return fitting(a.r.marked(a.in.Message.Attachments), a.files, c, int64(maxCarried/max(carriers, 2)))
}

// carriedEarlier are the attachments of a message that came before. When it is erased, or cannot be read, the mail goes
// without them.
func (d *Desk) carriedEarlier(a *application, m Mail) []File {
	e := m.Earlier
	if d.Files == nil || e == nil || e.Message == 0 || len(e.Attached) == 0 {
		return nil
	}
	stored, err := a.tx.Stored(e.Message)
	if err != nil {
		return nil
	}
	raw, err := d.Raw(stored)
	if err != nil {
		d.Log.Warn("a mail's attachments cannot be read", "message", e.Message, "err", err)
		return nil
	}
	return fitting(a.r.marked(e.Attached), d.Files(raw), m.Class, maxCarried/4)
}

// fitting are those of a message's files that go with a mail of a class within so many octets.
func fitting(attached []Attachment, files []File, c Class, room int64) []File {
	take, _ := carriedOn(attached, c, room)
	var list []File
	for i, f := range files {
		switch {
		case i < len(take) && !take[i], f.size() > room:
			continue
		case i >= len(take) && c == ClassAnswer:
			return list // what the message's own list does not vouch for
		}
		room -= f.size()
		list = append(list, f)
	}
	return list
}

// asTheyCame are the attachments as they stand in the raw message, when all of them can go on so. Most can: then nothing
// of them is decoded and encoded again.
func (a *application) asTheyCame() []File {
	var list []File
	for _, at := range a.in.Message.Attachments {
		if at.Base64 == nil {
			return nil
		}
		list = append(list, File{Name: at.Name, Type: at.Type, Base64: at.Base64})
	}
	return list
}

// size is how many octets a file has, decoded; by its encoded form a few more, for its line ends.
func (f *File) size() int64 {
	if f.Base64 != nil {
		return int64(base64.StdEncoding.DecodedLen(len(f.Base64)))
	}
	return int64(len(f.Data))
}
