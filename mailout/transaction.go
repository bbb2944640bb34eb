package mailout

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"supportd/tickets"

	"supportd/tickets/redact"
)

// outcome is how one transaction ended.
type outcome struct {
	result tickets.DeliveryResult
	code   int    // of the deciding reply; 0 when there was none
	detail string // on one line

	lost   bool // the connection is of no more use
	early  bool // it was lost before any of the mail was sent
	sender bool // the server does not take this sender: a matter of configuration (S-042)
	login  bool // the server wants a login, or another one: a matter of configuration
}

// send makes one transaction for one recipient.
//
// What the server says decides (RFC 5321 §4.2.1): 2yz to the final dot is sent, whatever comes after it; 4yz is
// temporary; 5yz is permanent, but for 552 to RCPT, which means "too many recipients" (§4.5.3.1.10), and for 5yz to
// MAIL, which says nothing about the recipient. No reply is temporary before the final dot and ambiguous after it
// (RFC 1047).
func (s *session) send(m *tickets.Outgoing) outcome {
	needUTF8 := !ascii(plainDomain(m.EnvelopeFrom)) || !ascii(plainDomain(m.Recipient)) || !ascii(string(m.Bytes[:headerEnd(m.Bytes)]))
	if needUTF8 && !s.utf8 {
		return outcome{result: tickets.ResultPermanent, detail: "the address is not ASCII and the server does not take such addresses (SMTPUTF8)"}
	}
	if s.size > 0 && int64(len(m.Bytes)) > s.size {
		return outcome{result: tickets.ResultPermanent, code: 552, detail: fmt.Sprintf("the mail has %d octets, the server takes %d", len(m.Bytes), s.size)}
	}
	s.used++
	o := s.transact(m, needUTF8)
	s.lastUsed = time.Now()
	return o
}

// headerEnd returns where the header of a mail ends.
func headerEnd(raw []byte) int {
	if i := bytes.Index(raw, []byte("\r\n\r\n")); i >= 0 {
		return i
	}
	return len(raw)
}

// mailCommand writes MAIL with the parameters that apply.
func (s *session) mailCommand(m *tickets.Outgoing, needUTF8 bool) string {
	from := ""
	if m.EnvelopeFrom != "" {
		from = path(m.EnvelopeFrom)
	}
	line := "MAIL FROM:<" + from + ">"
	if s.sizeParam {
		line += " SIZE=" + strconv.Itoa(len(m.Bytes))
	}
	if needUTF8 {
		line += " SMTPUTF8"
	}
	return line
}

// rcptCommand writes RCPT. Nobody wants reports about automatic answers (RFC 3834 §3.3, S-059).
func (s *session) rcptCommand(m *tickets.Outgoing) string {
	line := "RCPT TO:<" + path(m.Recipient) + ">"
	if s.dsn && (m.Class == tickets.ClassAuto || m.EnvelopeFrom == "") {
		line += " NOTIFY=NEVER"
	}
	return line
}

// command is one line of a transaction, and what it takes to judge the reply.
type command struct {
	line  string
	want  int // the class of reply that lets the transaction go on
	limit time.Duration
	judge func(code int, detail string) outcome
}

func (s *session) transact(m *tickets.Outgoing, needUTF8 bool) outcome {
	t := s.server.Timeouts
	commands := []command{
		{s.mailCommand(m, needUTF8), 2, t.Mail, func(code int, detail string) outcome { return judgeMail(code, detail, needUTF8) }},
		{s.rcptCommand(m), 2, t.Rcpt, judgeRcpt},
		{"DATA", 3, t.Data, judge},
	}
	if s.dirty {
		commands = append([]command{{"RSET", 2, t.Mail, func(code int, detail string) outcome {
			return outcome{result: tickets.ResultTemporary, code: code, detail: detail, lost: true}
		}}}, commands...)
	}
	s.dirty = true
	failed, open := s.commands(commands)
	switch {
	case failed != nil && failed.lost:
		failed.early = true
		return *failed
	case failed != nil && open:
		// The server let DATA through although it took no recipient: an empty mail ends it (RFC 2920 §3.1).
		if o := s.end(nil); o.lost {
			failed.lost = true
		}
		return *failed
	case failed != nil:
		return *failed
	}
	tickets.Failpoint("send.begin")
	o := s.end(m.Bytes)
	s.dirty = o.result != tickets.ResultSent
	return o
}

// commands sends the commands, together when the server allows it (RFC 2920), and reads the replies. It returns the
// first failure, and whether the server now waits for a mail.
func (s *session) commands(list []command) (failed *outcome, open bool) {
	text := s.client.Text
	if s.pipelining {
		s.wire.step(list[0].limit)
		for _, c := range list {
			// Errors of the buffer come back from Flush.
			_, _ = text.W.WriteString(c.line + "\r\n")
		}
		if err := text.W.Flush(); err != nil {
			return lost(err), false
		}
	}
	for _, c := range list {
		s.wire.step(c.limit)
		if !s.pipelining {
			if err := text.PrintfLine("%s", c.line); err != nil {
				return lost(err), false
			}
		}
		code, detail, err := s.reply()
		switch {
		case err != nil:
			return lost(err), false
		case code/100 == c.want:
			open = c.want == 3
		case failed == nil:
			o := c.judge(code, detail)
			o.lost = o.lost || code == 421 || code < 400
			failed = &o
			if !s.pipelining || o.lost {
				return failed, false
			}
		}
	}
	return failed, open
}

// reply reads one reply. The error is set when there is none, or none that can be understood.
func (s *session) reply() (code int, detail string, err error) {
	code, msg, err := s.client.Text.ReadResponse(0)
	if err != nil {
		var reply *textproto.Error
		if !errors.As(err, &reply) {
			return 0, "", err
		}
	}
	return code, oneLine(strconv.Itoa(code) + " " + redact.Login(strings.ReplaceAll(msg, "\n", " "), s.server.Password, s.token)), nil
}

// end sends the mail and the final dot, and reads what became of it.
func (s *session) end(raw []byte) outcome {
	w := s.client.Text.W
	if err := s.writeStuffed(w, raw); err != nil {
		return s.refusedMidway(err)
	}
	tickets.Failpoint("send.body")
	s.wire.step(s.server.Timeouts.End)
	_, _ = w.WriteString(".\r\n")
	if err := w.Flush(); err != nil {
		return ambiguous(err)
	}
	tickets.Failpoint("send.dot")
	code, detail, err := s.reply()
	tickets.Failpoint("send.reply")
	switch {
	case err != nil:
		return ambiguous(err)
	case code/100 == 2:
		return outcome{result: tickets.ResultSent, code: code, detail: detail}
	case code/100 != 4 && code/100 != 5:
		o := ambiguous(fmt.Errorf("unexpected reply: %s", detail))
		o.code = code
		return o
	}
	o := judge(code, detail)
	o.lost = code == 421
	return o
}

// refusedMidway finds out why a server stopped reading; it may have said so before it closed. The final dot was not
// sent, so the mail cannot have been taken.
func (s *session) refusedMidway(cause error) outcome {
	s.wire.step(s.server.Timeouts.Quit)
	if code, detail, err := s.reply(); err == nil && code >= 400 {
		o := judge(code, detail)
		o.lost = true
		return o
	}
	return *lost(cause)
}

// writeStuffed writes the lines of a mail; a dot in front of a line is doubled (RFC 5321 §4.5.2). The mail has passed
// checkBytes. It is buffered: the last octets may not have left.
func (s *session) writeStuffed(w *bufio.Writer, raw []byte) error {
	const block = 64 << 10
	if len(raw) > 0 && raw[0] == '.' {
		s.wire.step(s.server.Timeouts.Block)
		if err := w.WriteByte('.'); err != nil {
			return err
		}
	}
	for len(raw) > 0 {
		n := min(len(raw), block)
		if i := bytes.Index(raw[:min(len(raw), n+3)], []byte("\r\n.")); i >= 0 {
			n = i + 2
		}
		s.wire.step(s.server.Timeouts.Block)
		if _, err := w.Write(raw[:n]); err != nil {
			return err
		}
		dot := n < len(raw) && raw[n] == '.' && raw[n-1] == '\n'
		raw = raw[n:]
		if dot {
			if err := w.WriteByte('.'); err != nil {
				return err
			}
		}
	}
	return nil
}

func lost(err error) *outcome {
	return &outcome{result: tickets.ResultTemporary, detail: "connection lost: " + oneLine(err.Error()), lost: true}
}

func ambiguous(err error) outcome {
	return outcome{result: tickets.ResultAmbiguous, detail: "no reply to the end of the mail, it may be sent more than once: " + oneLine(err.Error()), lost: true}
}

// judge is the rule for replies about the mail.
func judge(code int, detail string) outcome {
	o := outcome{result: tickets.ResultTemporary, code: code, detail: detail}
	switch {
	case code == 530 || code == 534 || code == 535 || code == 538: // RFC 4954 §6
		o.result, o.login = tickets.ResultUntried, true
	case code/100 == 5:
		o.result = tickets.ResultPermanent
	}
	return o
}

// judgeRcpt is the rule for replies to RCPT.
func judgeRcpt(code int, detail string) outcome {
	o := judge(code, detail)
	if code == 552 {
		o.result = tickets.ResultTemporary
	}
	return o
}

// judgeMail is the rule for replies to MAIL. 5yz is about the sender, so about the configuration, unless it was the
// mail's size (RFC 1870 §6.1) or its need for SMTPUTF8 that was refused: both are what strangers can bring about.
func judgeMail(code int, detail string, needUTF8 bool) outcome {
	o := judge(code, detail)
	if o.result == tickets.ResultPermanent && code != 552 && !needUTF8 && !strings.Contains(detail, " 5.3.4 ") {
		o.result, o.sender = tickets.ResultUntried, true
	}
	return o
}
