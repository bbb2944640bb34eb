package mailin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"supportd/tickets"
)

// Two desks that read one mailbox would both answer. So a desk says in the mailbox itself that it reads it: by a small
// message in a folder of its own, which anybody can read. The server gives each message a UID, and later ones higher ones
// (RFC 9051 §2.3.1.1): that decides between two who come at the same moment, without anything that not every server has.
//
// A claim has a number, one more than the highest its desk had seen. The highest number holds the mailbox, and of equal
// ones the lowest UID. A desk goes on only from a claim that it knows to be its own. Whether there is a new one is asked
// before each FETCH of messages, by one STATUS.

// Claims keeps what a desk knows of its own claims.
type Claims interface {
	Claim(ctx context.Context, mailbox string) (tickets.Claim, error)
	// Claiming keeps a token that is about to be put into the mailbox.
	Claiming(ctx context.Context, mailbox, token string) error
	// Claimed says that the mailbox is the desk's own now.
	Claimed(ctx context.Context, mailbox string) error
}

const (
	claimField    = "X-Supportd-Claim"
	claimantShown = 48 // signs of who has the mailbox: what to do has to fit behind it

	claimsRead  = 200     // of the newest messages in the folder
	claimNumber = 1 << 50 // no desk comes so far; higher ones are no claims
	claimAgain  = 10 * time.Minute
	claimRenew  = 6 * time.Hour
	claimOff    = time.Hour
)

// claim is what one message in the folder says.
type claim struct {
	uid    uint32
	number uint64
	token  string
	by     string // whose it is, for people
	at     time.Time
}

// claiming is what a follower remembers of its claim.
type claiming struct {
	folder   string // where claims are; "" before it was found
	token    string // of the claim that this process put there; "" for none yet
	since    time.Time
	settled  bool      // something was since then
	validity uint32    // of the folder
	next     uint32    // the UID that the next claim in it will get; 0: not known
	looked   time.Time // when it was so
	rest     time.Time // nothing is read before: whoever had the mailbox has to notice
	off      time.Time // until then none is made: the server refuses it
	broke    int
}

// errNotKept marks an error of Claims.
var errNotKept = errors.New("claim the mailbox")

// claimedError says that another desk reads the mailbox.
type claimedError struct {
	mailbox string
	by      claim
}

func (e *claimedError) Error() string {
	by := []rune(e.by.by)
	if len(by) > claimantShown { // of a long path the end tells most
		head := claimantShown / 3
		by = slices.Concat(by[:head], []rune("…"), by[len(by)-(claimantShown-head-1):])
	}
	return fmt.Sprintf("it is read by another desk, %s, since %s, and not by this one: stop one of the two; for this one to go on: supportd claim %s",
		string(by), e.by.at.UTC().Format("2006-01-02 15:04 UTC"), e.mailbox)
}

// restError says that the mailbox was taken, and when it will be read.
type restError struct{ until time.Time }

func (e *restError) Error() string {
	return fmt.Sprintf("the mailbox was taken over; it is read from %s on, so that the desk before can end", e.until.UTC().Format("15:04:05 UTC"))
}

// own makes sure that this desk is the one that reads the mailbox, and makes it so where nobody does. No folder is open
// afterwards that is of any use. An error that is no *claimedError and no *restError is about the connection.
func (f *follower) own(ctx context.Context) error {
	c := &f.claim
	if f.Claims == nil || f.box.Claim == "" || f.Now().Before(c.off) {
		return nil
	}
	err := f.settleClaim(ctx)
	var claimed *claimedError
	var rest *restError
	switch {
	case err == nil:
		c.broke = 0
		return nil
	case errors.As(err, &claimed), errors.As(err, &rest), errors.Is(err, errNotKept):
		return err
	case saidNo(err):
	case f.lost(err) && c.broke < 2:
		c.broke++
		return err
	case !f.lost(err):
		return err
	}
	// A mailbox that cannot be claimed is read all the same: that its mail is answered counts for more.
	c.off, c.next, c.broke = f.Now().Add(claimOff), 0, 0
	f.Log.Warn("mailbox cannot be claimed, a second desk on it would not be noticed", "mailbox", f.box.Name, "folder", f.box.Claim, "err", inWords(err, f.box))
	if saidNo(err) {
		return nil
	}
	return err
}

func (f *follower) settleClaim(ctx context.Context) error {
	c := &f.claim
	known, err := f.Claims.Claim(ctx, f.box.Name)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotKept, err)
	}
	if err := f.openClaims(ctx); err != nil {
		return err
	}
	list, err := f.readClaims(ctx)
	if err != nil {
		return err
	}
	top := holder(list)
	foreign := top != nil && !known.Knows(top.token)
	switch {
	case foreign && !known.Take:
		c.token = ""
		return &claimedError{mailbox: f.box.Name, by: *top}
	case top != nil && !foreign && !known.Take && top.token == c.token && (!c.settled || f.Now().Sub(c.since) < claimRenew):
		return f.rested()
	}
	err = f.makeClaim(ctx, list)
	if foreign && saidNo(err) {
		f.Log.Warn("mailbox cannot be taken over", "mailbox", f.box.Name, "err", inWords(err, f.box))
		return &claimedError{mailbox: f.box.Name, by: *top}
	}
	if err != nil {
		return err
	}
	if foreign && top.by != f.ClaimAs { // of two in the same place the store's lock has ended one
		c.rest = f.Now().Add(f.timing.TakeOver)
		f.Log.Warn("mailbox taken over", "mailbox", f.box.Name, "from", top.by)
	}
	return f.rested()
}

// rested fails while whoever had the mailbox before may still be at work.
func (f *follower) rested() error {
	if f.Now().Before(f.claim.rest) {
		return &restError{until: f.claim.rest}
	}
	return nil
}

// makeClaim puts a claim behind those in the list, looks whether it was the first to do so, and removes what it replaces.
func (f *follower) makeClaim(ctx context.Context, list []claim) error {
	var b [16]byte
	if _, err := io.ReadFull(f.Random, b[:]); err != nil {
		return fmt.Errorf("claim the mailbox: %w", err)
	}
	mine := claim{number: 1, token: hex.EncodeToString(b[:]), by: f.ClaimAs, at: f.Now()}
	if top := holder(list); top != nil {
		mine.number = top.number + 1
	}
	if err := f.Claims.Claiming(ctx, f.box.Name, mine.token); err != nil {
		return fmt.Errorf("%w: %w", errNotKept, err)
	}
	tickets.Failpoint("claim.noted")
	if err := f.append(ctx, f.claim.folder, mine.message(f.box), time.Time{}); err != nil {
		return fmt.Errorf("claim the mailbox: %w", err)
	}
	tickets.Failpoint("claim.made")
	if err := f.openClaims(ctx); err != nil { // anew: what came since SELECT may not be told before
		return err
	}
	list, err := f.readClaims(ctx)
	if err != nil {
		return err
	}
	top := holder(list)
	if top == nil {
		return errors.New("claim the mailbox: the claim is not where it was put")
	}
	// Who came first removes all the others, and who came late what it put there itself.
	won := top.token == mine.token
	var old []uint32
	for _, c := range list {
		if won != (c.token == mine.token) {
			old = append(old, c.uid)
		}
	}
	if !won {
		if err := f.removeClaims(ctx, old); err != nil {
			return err
		}
		return &claimedError{mailbox: f.box.Name, by: *top}
	}
	f.claim.token, f.claim.since, f.claim.settled = mine.token, f.Now(), false
	if err := f.Claims.Claimed(ctx, f.box.Name); err != nil {
		return fmt.Errorf("%w: %w", errNotKept, err)
	}
	f.Log.Info("mailbox claimed", "mailbox", f.box.Name, "folder", f.claim.folder, "number", mine.number)
	return f.removeClaims(ctx, old)
}

// removeClaims removes claims that do not count any more. Where the server cannot remove single messages (RFC 4315) they
// are only marked, and do no harm.
func (f *follower) removeClaims(ctx context.Context, uids []uint32) error {
	if len(uids) == 0 {
		return nil
	}
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	err := f.store(ctx, set, imap.FlagDeleted)
	if err == nil && f.caps.Has(imap.CapUIDPlus) {
		err = f.step(ctx, func() error { return f.c.UIDExpunge(set).Close() })
	}
	if saidNo(err) {
		f.Log.Debug("claims that do not count any more are not removed", "mailbox", f.box.Name, "err", err)
		return nil
	}
	return err
}

// holder is the claim that counts; nil when there is none.
func holder(list []claim) *claim {
	if len(list) == 0 {
		return nil
	}
	top := slices.MinFunc(list, func(a, b claim) int {
		return cmp.Or(cmp.Compare(b.number, a.number), cmp.Compare(a.uid, b.uid))
	})
	return &top
}

// openClaims opens the folder with the claims, and makes it where it is missing: below INBOX on servers that want all
// folders there.
func (f *follower) openClaims(ctx context.Context) error {
	c := &f.claim
	names := []string{f.box.Claim, "INBOX/" + f.box.Claim, "INBOX." + f.box.Claim}
	if c.folder != "" {
		names = []string{c.folder}
	}
	var err error
	for _, name := range names {
		if err = f.selectClaims(ctx, name); err == nil || !saidNo(err) {
			return err
		}
		err = f.step(ctx, func() error { return f.c.Create(name, nil).Wait() })
		if err != nil && !saidNo(err) {
			return err
		}
		// Another desk may have made it meanwhile: both have to look at the same one.
		opened := f.selectClaims(ctx, name)
		if opened == nil || !saidNo(opened) {
			return opened
		}
	}
	c.folder = ""
	return fmt.Errorf("make the folder %q: %w", f.box.Claim, err)
}

func (f *follower) selectClaims(ctx context.Context, name string) error {
	return f.step(ctx, func() error {
		sd, err := f.c.Select(name, nil).Wait()
		if err == nil {
			f.claim.folder, f.claim.validity, f.claim.next, f.claim.looked = name, sd.UIDValidity, uint32(sd.UIDNext), f.Now()
		}
		return err
	})
}

// readClaims reads the claims to the followed folder from the open one.
func (f *follower) readClaims(ctx context.Context) ([]claim, error) {
	uids, err := f.search(ctx, &imap.SearchCriteria{})
	if err != nil || len(uids) == 0 {
		return nil, err
	}
	uids = uids[max(0, len(uids)-claimsRead):]
	var list []claim
	section := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, HeaderFields: []string{claimField}, Peek: true}
	for _, set := range uidRuns(uids, claimsRead) {
		err := f.step(ctx, func() error {
			cmd := f.c.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
			return f.consume(cmd, func(m *imapclient.FetchMessageData) error {
				var uid uint32
				var head []byte
				for d := m.Next(); d != nil; d = m.Next() {
					switch d := d.(type) {
					case imapclient.FetchItemDataUID:
						uid = uint32(d.UID)
					case imapclient.FetchItemDataBodySection:
						if d.Literal == nil {
							continue
						}
						if d.Literal.Size() > maxTextLiteral {
							if err := f.discard(d.Literal); err != nil {
								return err
							}
							continue
						}
						var err error
						if head, err = f.read(d.Literal, maxTextLiteral); err != nil {
							return err
						}
					}
				}
				if c, ok := parseClaim(head, f.box.Folder); ok && uid != 0 {
					c.uid = uid
					list = append(list, c)
				}
				return nil
			})
		})
		if err != nil {
			return nil, fmt.Errorf("read who claims the mailbox: %w", err)
		}
	}
	return list, nil
}

// parseClaim reads the field of a claim to folder.
func parseClaim(head []byte, folder string) (claim, bool) {
	name, value, ok := bytes.Cut(head, []byte(":"))
	if !ok || !strings.EqualFold(strings.TrimSpace(string(name)), claimField) {
		return claim{}, false
	}
	v, err := url.ParseQuery(strings.Join(strings.Fields(string(value)), ""))
	if err != nil || v.Get("folder") != folder {
		return claim{}, false
	}
	c := claim{token: v.Get("token"), by: oneLine(v.Get("by"))}
	c.number, err = strconv.ParseUint(v.Get("number"), 10, 64)
	if err != nil || c.number == 0 || c.number >= claimNumber || len(c.token) != 32 {
		return claim{}, false
	}
	if c.at, err = time.Parse(time.RFC3339, v.Get("at")); err != nil {
		return claim{}, false
	}
	return c, true
}

// message is the claim as it stands in the folder. Whoever opens it reads what it is.
func (c claim) message(box Config) []byte {
	v := url.Values{"folder": {box.Folder}, "number": {strconv.FormatUint(c.number, 10)}, "token": {c.token}, "by": {c.by}, "at": {c.at.UTC().Format(time.RFC3339)}}
	text := "Date: " + c.at.UTC().Format(time.RFC1123Z) + "\r\nFrom: supportd <supportd@localhost>\r\n" +
		"Subject: supportd: who reads this mailbox / wer dieses Postfach liest\r\nMessage-ID: <" + c.token + "@supportd.localhost>\r\n" +
		"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n" +
		claimField + ": " + v.Encode() + "\r\n\r\n" +
		"The support desk that answers the mail in this mailbox keeps this note here, so that no second desk answers the same mail.\r\n" +
		"Please leave it. If it is removed, the desk writes a new one.\r\n\r\n" +
		"Der Support-Desk, der die Post in diesem Postfach beantwortet, legt diese Notiz hier ab, damit kein zweiter Desk dieselbe Post beantwortet.\r\n" +
		"Bitte lassen Sie sie liegen. Wird sie entfernt, schreibt der Desk eine neue.\r\n\r\n" +
		"Desk: " + oneLine(c.by) + "\r\n"
	return []byte(text)
}

// stillOwn asks whether a claim was added since the last look. The error is errClaims then: the claims have to be read.
func (f *follower) stillOwn(ctx context.Context) error {
	c := &f.claim
	if c.next == 0 || c.token == "" {
		return nil
	}
	var data *imap.StatusData
	err := f.step(ctx, func() (err error) {
		data, err = f.c.Status(c.folder, &imap.StatusOptions{UIDNext: true, UIDValidity: true}).Wait()
		return err
	})
	if saidNo(err) {
		return errClaims // the folder is gone
	}
	if err != nil {
		return fmt.Errorf("ask for new claims: %w", err)
	}
	if uint32(data.UIDNext) != c.next || data.UIDValidity != c.validity {
		return errClaims
	}
	c.looked = f.Now()
	return nil
}

// errClaims says that the claims of the mailbox have changed.
var errClaims = errors.New("the claims of the mailbox have changed")

// keepOwn looks at the claims where nothing was read for long, and renews the own one now and then: a copy of the desk
// from before then does not know it.
func (f *follower) keepOwn(ctx context.Context) error {
	c := &f.claim
	now := f.Now()
	switch {
	case f.Claims == nil || f.box.Claim == "":
		return nil
	case c.token == "" && !now.Before(c.off), c.settled && now.Sub(c.since) >= claimRenew:
		return f.open(ctx)
	case now.Sub(c.looked) < claimAgain:
		return nil
	}
	err := f.stillOwn(ctx)
	if errors.Is(err, errClaims) {
		return f.open(ctx)
	}
	return err
}
