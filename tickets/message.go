package tickets

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Source says where a message was read: (mailbox, UIDVALIDITY, UID) names one message for ever
// (RFC 9051 §2.3.1.1). It is unique across mailboxes only with all three parts (RFC 2683 §3.4.3).
type Source struct {
	Mailbox     string `json:"mailbox"` // name of the mailbox in the configuration
	UIDValidity uint32 `json:"uidvalidity"`
	UID         uint32 `json:"uid"`
}

// String gives the form that errors and logs use: mailbox "support" UID 12 (UIDVALIDITY 7).
func (s Source) String() string {
	return fmt.Sprintf("mailbox %q UID %d (UIDVALIDITY %d)", s.Mailbox, s.UID, s.UIDValidity)
}

// Digest is a SHA-256.
type Digest [sha256.Size]byte

// String is the digest in lower-case hex.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero reports whether the digest was never set.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText writes the digest in hex, for JSON.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Digest) UnmarshalText(b []byte) error {
	if hex.DecodedLen(len(b)) != len(d) {
		return fmt.Errorf("digest %q: want %d hex digits", b, 2*len(d))
	}
	_, err := hex.Decode(d[:], b)
	return err
}

// Address is one mailbox of a header field. Mail is as written but for surrounding white space; Name is decoded and
// carries no control characters.
type Address struct {
	Name string `json:"name,omitempty"`
	Mail string `json:"mail"`
}

// Field is one header field, in the order of the message: unfolded, name as written, value not decoded.
type Field struct {
	Name  string
	Value string
}

// Message is one incoming mail, read as well as it can be. Reading never refuses a mail: what is wrong with it stands
// in Defects. All strings are valid UTF-8; nothing decoded from a header carries CR, LF or NUL.
type Message struct {
	ID         string    // Message-ID without angle brackets; "" when there is none
	InReplyTo  []string  // msg-ids, without angle brackets
	References []string  // msg-ids in the order of the field, without angle brackets
	From       []Address // for display: best effort
	Author     string    // for identity: the one From mailbox, lower-case A-label domain; "" whenever there is any doubt
	Sender     []Address
	ReplyTo    []Address
	To         []Address
	Cc         []Address
	ReturnPath string // address of the topmost Return-Path; "<>" when it is the null path; "" when the field is absent
	Subject    string
	Date       time.Time // zero when absent or unreadable; never drives a clock (S-174)
	Fields     []Field   // every header field, top first

	Text      string // the message as text, whole: the better of its text and HTML parts
	TextFrom  string // what Text was made from, and why: "text/plain", "text/html: the text part is empty"
	HTML      string // the HTML part, as sent, decoded to UTF-8; "" when there is none
	Reply     string // the new text of it: without quotes, signature and the like
	Quoted    string // what was taken for a quote
	Signature string // what was taken for a signature or a disclaimer

	Language    Language
	Attachments []Attachment
	Machine     []MachinePart // parts meant for programs, in order
	Forwarded   *Forwarded    // the mail that this one forwards, when it does
	Defects     []Defect
	Poison      string // why it was not read at all, and has to be held; "" when it was
	// Signatures are those that the desk checked itself when the message came, topmost first; nil when it checked none. They
	// do not stand in the message: whoever reads it again takes them from Stored.
	Signatures []Signature

	Identity Digest // of what was written: Message-ID, From, Date, Subject and body, without trace fields
	Size     int64  // octets of the raw message
}

// NewText is what a reader wants to see of a message: its new text, else the text of the mail that it forwards without a
// word, else the whole.
func (m *Message) NewText() string {
	switch {
	case m.Reply != "":
		return m.Reply
	case m.Forwarded != nil && m.Forwarded.Text != "":
		return m.Forwarded.Text
	}
	return m.Text
}

// Field returns the values of all fields with that name (any case), top first.
func (m *Message) Field(name string) []string {
	var values []string
	for _, f := range m.Fields {
		if equalFoldASCII(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// FirstField returns the topmost field with that name (any case), or "".
func (m *Message) FirstField(name string) string {
	for _, f := range m.Fields {
		if equalFoldASCII(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if x|0x20 != y|0x20 || (x != y && (x|0x20 < 'a' || x|0x20 > 'z')) {
			return false
		}
	}
	return true
}

// Language is what the new text is written in.
type Language struct {
	Code       string  `json:"code"`       // ISO 639-1; "" when it could not be told
	Confidence float64 `json:"confidence"` // 0 to 1
}

// Attachment is one part that is not the text of the message. Data is not kept: the raw message is.
type Attachment struct {
	Name      string `json:"name"` // safe to show and to save under (S-142); never empty
	Type      string `json:"type"` // media type, lower case
	Size      int64  `json:"size"` // octets, decoded
	Inline    bool   `json:"inline"`
	SHA256    Digest `json:"sha256"`
	ContentID string `json:"content_id,omitempty"`
	Dangerous bool   `json:"dangerous,omitempty"` // an executable or script type (S-143)
	Blocked   bool   `json:"-"`                   // of a kind that the admin wants nobody to be sent
	// Base64 is where the part stands in the raw message, when it can go into another mail as it is: see File.
	Base64 []byte `json:"-"`
}

// MachinePart is a part for programs: message/delivery-status, message/disposition-notification,
// message/feedback-report, text/rfc822-headers, message/rfc822 and their global-* forms (RFC 6522, RFC 6533), and
// text/calendar. Data is decoded and cut after 256 KiB.
type MachinePart struct {
	Type   string            // media type, lower case
	Params map[string]string // of its Content-Type, names lower case
	Data   []byte
}

// Forwarded is a mail inside a mail, inline or attached.
type Forwarded struct {
	From    Address   `json:"from"`
	Subject string    `json:"subject"`
	Date    time.Time `json:"date"`
	Text    string    `json:"text"`
}

// Defect is one thing that is wrong with a message.
type Defect struct {
	Where string `json:"where"` // a header field's name, or a part such as "part 1.2"
	What  string `json:"what"`  // in plain words
}

// String is "where: what".
func (d Defect) String() string { return d.Where + ": " + d.What }

// Absence says why a message is handed over without its whole text.
type Absence string

const (
	Present     Absence = ""
	TooOld      Absence = "too_old"     // arrived before the mailbox's `since`
	Oversize    Absence = "oversize"    // larger than max_size: header and a prefix only (S-018)
	Vanished    Absence = "vanished"    // expunged on the server before it could be read
	Unfetchable Absence = "unfetchable" // the server does not hand it out (S-010)
)

// SignatureResult is what the desk's own check of a signature found.
type SignatureResult string

const (
	SignaturePass    SignatureResult = "pass"    // its domain answers for the mail as it came
	SignatureInvalid SignatureResult = "invalid" // it proves nothing
	SignatureUnknown SignatureResult = "unknown" // its key could not be looked up; nothing is proved, and nothing disproved
)

// Signature is a signature of a mail (RFC 6376) that the desk checked itself.
type Signature struct {
	Domain string          `json:"domain"` // who signed, lower case; "" when it cannot be told
	Result SignatureResult `json:"result"`
	Why    string          `json:"why,omitempty"` // in words, when it did not pass
}

// Incoming is one message on its way into the desk.
type Incoming struct {
	Source  Source
	Arrived time.Time // INTERNALDATE (RFC 9051 §2.3.3), or now when the server gave none
	Size    int64     // RFC822.SIZE as the server said it; not to be trusted (S-016)
	Raw     []byte    // the whole message, or the prefix of an oversize one; nil when absent
	Message *Message  // Raw, read; nil only when Raw is nil
	Absent  Absence
	Detail  string // the server's words, when Absent says that something is wrong
}

// Result says where a message ended; each ends in exactly one (P1).
type Result string

const (
	Created     Result = "created"     // a new ticket
	Appended    Result = "appended"    // part of a ticket that was there
	Duplicate   Result = "duplicate"   // seen before under another UID
	Quarantined Result = "quarantined" // held until someone releases or drops it
	Filed       Result = "filed"       // kept, with the reason why it makes no ticket
	Failed      Result = "failed"      // could not be had from the server, or not be read at all
)

// Outcome is what became of one Incoming.
type Outcome struct {
	Result Result
	Ticket TicketID // 0 when there is none
	Why    string
}

// Place is how far a mailbox has been read.
type Place struct {
	UIDValidity uint32 // 0 when the mailbox was never read
	Next        uint32 // every UID below is settled or stands in Holes
	Holes       map[uint32]Hole
	Started     time.Time // when the desk first saw the mailbox; the default of `since`
}

// Hole is a message that the server listed and did not hand out (yet).
type Hole struct {
	Attempts int       `json:"attempts"`
	Since    time.Time `json:"since"`
	Reason   string    `json:"reason"`
}
