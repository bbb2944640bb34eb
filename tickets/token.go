package tickets

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf8"
)

// Purpose says what a token allows. Reply addresses and Message-IDs have purposes of their own, so that one can never
// pass for the other.
type Purpose byte

const (
	PurposeAnswer   Purpose = 1 // an agent's reply address: the reply goes to the customer
	PurposeNote     Purpose = 2 // an agent's reply address: the reply stays inside
	PurposeCustomer Purpose = 3 // a customer's reply address
	PurposeBounce   Purpose = 4 // an envelope sender: reports about one Outgoing come here
	PurposeCopy     Purpose = 5 // the reply address of a team address's copy: gives no right

	PurposeVendor Purpose = 6 // a third party's reply address: what comes there stays inside
	PurposeForm   Purpose = 7 // an agent's reply address of a form or a question: the reply fills it in, and stays inside

	purposeID Purpose = 8 // added to a purpose: the same, in a Message-ID
	// PurposeIDAnswer, PurposeIDNote and PurposeIDCustomer mark the Message-IDs of mails whose reply address has the
	// purpose of that name; PurposeIDAuto those of automatic answers (S-060); PurposeIDCopy those of team copies.
	PurposeIDAnswer   = purposeID | PurposeAnswer
	PurposeIDNote     = purposeID | PurposeNote
	PurposeIDCustomer = purposeID | PurposeCustomer
	PurposeIDAuto     = purposeID | PurposeBounce
	PurposeIDCopy     = purposeID | PurposeCopy
)

// long reports whether tokens of that purpose carry the number of an Outgoing.
func (p Purpose) long() bool { return p == PurposeBounce || p&purposeID != 0 }

// Token is what a reply address, an envelope sender or a Message-ID of ours says: under 128 bits of MAC, with the key's
// number in it (S-079). There is no unsigned form (S-080).
type Token struct {
	Purpose   Purpose
	Ticket    TicketID   // 0 for mails that are about no ticket
	Principal uint32     // whom it was given to; Tx.principal knows the address
	Outgoing  OutgoingID // of PurposeBounce and Message-IDs only
}

// errToken is all that is said about a token that does not verify.
var errToken = errors.New("not a valid token")

const (
	tokenMAC   = 16
	tokenShort = 9 + tokenMAC
	tokenLong  = 14 + tokenMAC
)

var tokenEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Sign writes the token with the newest key: 40 or 48 characters of base32, lower case.
func (k *Keyring) Sign(t Token) string {
	key := k.newest()
	b := tokenHeader(t, key.ID)
	b = append(b, tokenSum(key.Secret, b)...)
	return tokenEncoding.EncodeToString(b)
}

// Verify reads a token in any case. It fails for everything that a key of this keyring did not sign.
func (k *Keyring) Verify(s string) (Token, error) {
	if n := tokenEncoding.DecodedLen(len(s)); n != tokenShort && n != tokenLong {
		return Token{}, errToken
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return Token{}, errToken // ToLower makes letters of some of them
	}
	b, err := tokenEncoding.DecodeString(strings.ToLower(s))
	if err != nil || len(b) < tokenShort {
		return Token{}, errToken
	}
	head, sum := b[:len(b)-tokenMAC], b[len(b)-tokenMAC:]
	key, ok := k.byID(head[0] & 0x0f)
	if !ok || !hmac.Equal(sum, tokenSum(key.Secret, head)) {
		return Token{}, errToken
	}
	t := Token{
		Purpose:   Purpose(head[0] >> 4),
		Ticket:    TicketID(uint40(head[1:6])),
		Principal: uint32(head[6])<<16 | uint32(head[7])<<8 | uint32(head[8]),
	}
	if t.Purpose.long() != (len(head) == 14) {
		return Token{}, errToken
	}
	if t.Purpose.long() {
		t.Outgoing = OutgoingID(uint40(head[9:14]))
	}
	// A token has one spelling only: base32 leaves spare bits in the last character of other lengths.
	if tokenEncoding.EncodeToString(b) != strings.ToLower(s) {
		return Token{}, errToken
	}
	return t, nil
}

func tokenHeader(t Token, key byte) []byte {
	b := []byte{byte(t.Purpose)<<4 | key&0x0f}
	b = appendUint40(b, uint64(t.Ticket))
	b = append(b, byte(t.Principal>>16), byte(t.Principal>>8), byte(t.Principal))
	if t.Purpose.long() {
		b = appendUint40(b, uint64(t.Outgoing))
	}
	return b
}

func tokenSum(secret, head []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("supportd token 1\x00"))
	h.Write(head)
	return h.Sum(nil)[:tokenMAC]
}

func appendUint40(b []byte, n uint64) []byte {
	return append(b, byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func uint40(b []byte) uint64 {
	return uint64(b[0])<<32 | uint64(binary.BigEndian.Uint32(b[1:5]))
}
