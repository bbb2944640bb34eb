package mailin

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// pieces is a connection whose answers come in pieces of given sizes.
type pieces struct {
	net.Conn
	data []byte
	cut  int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.data[:min(len(p.data), p.cut)])
	p.data = p.data[n:]
	return n, nil
}

func (p *pieces) Close() error { return nil }

func through(data string, cut int) (string, *wire, error) {
	w := &wire{Conn: &pieces{data: []byte(data), cut: cut}}
	got, err := io.ReadAll(w)
	return string(got), w, err
}

func TestWirePassesMail(t *testing.T) {
	body := strings.Repeat("(\"((({99}\r\n", 100000)
	for _, data := range []string{
		"* OK ready\r\n",
		"* 1 FETCH (UID 1 BODY[] {" + itoa(len(body)) + "}\r\n" + body + ")\r\nT1 OK (((((\r\n",
		"* 1 FETCH (UID 1 BODY[]<0> {" + itoa(len(body)) + "}\r\n" + body + ")\r\n",
		"+ \"don't\r\n* OK it's \"fine\r\n",
		"* LIST () \"/\" \"a \\\" {5}\"\r\n* LIST () \"/\" {5}\r\na\r\nbc\r\n",
	} {
		for _, cut := range []int{1, 2, 7, 4096} {
			got, _, err := through(data, cut)
			if err != nil || got != data {
				t.Errorf("%.40q in pieces of %d: %v, %d of %d octets", data, cut, err, len(got), len(data))
			}
		}
	}
}

func itoa(n int) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

// TestWireLimits: S-153, each limit by itself.
func TestWireLimits(t *testing.T) {
	for name, c := range map[string]struct {
		w    *wire
		data string
	}{
		"status line":  {data: "* OK " + strings.Repeat("a", maxStatusLine)},
		"continuation": {data: "+ " + strings.Repeat("a", maxStatusLine)},
		"no words":     {data: strings.Repeat("a", maxStatusLine+1)},
		"data line":    {w: &wire{line: maxDataLine - 9, words: 2, head: make([]byte, maxHead)}, data: "0123456789"},
		"all data":     {w: &wire{step: maxStepData - 9}, data: "* OK fine\r\n"},
		"nesting":      {data: "* 1 FETCH " + strings.Repeat("(", maxNesting+1)},
		"literal":      {data: "* LIST () \"/\" {65537}\r\n"},
		"literals":     {w: &wire{line: maxDataLine - 60000, words: 2, head: make([]byte, maxHead)}, data: "{65000}\r\n"},
	} {
		w := cmp.Or(c.w, &wire{})
		w.Conn = &pieces{data: []byte(c.data), cut: 100}
		if _, err := io.ReadAll(w); !errors.Is(err, errFlood) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := through("* LIST () \"/\" \"a\r\n", 10); err == nil {
		t.Error("a line break in a quoted string is let through")
	}
}

func TestWireKeepsNotices(t *testing.T) {
	_, w, err := through("* OK ready\r\n* BYE shutting \x1b[31m down\r\n* NO [UIDNOTSTICKY] sorry\r\n", 3)
	if err != nil || w.goodbye() != "shutting [31m down" || !w.uidsNotSticky() {
		t.Errorf("%v %q %v", err, w.goodbye(), w.uidsNotSticky())
	}
}

// FuzzWire: the verdict on what a server sends does not hang on how TCP cuts it, and nothing is changed on the way.
func FuzzWire(f *testing.F) {
	for _, s := range []string{
		"* OK ready\r\n", "* 1 FETCH (BODY[] {3}\r\nabc)\r\n", "* LIST () \"\" {70000}\r\n", "+ x\r\n", "* BYE \"\r\n", "T1 NO {5}\r\n",
		"* X \"\\\"{3}\r\n", "* 1 FETCH (X " + strings.Repeat("(", 120), "* SEARCH 1 2 {18446744073709551616}\r\n",
	} {
		f.Add(s, uint8(1))
	}
	f.Fuzz(func(t *testing.T, data string, cut uint8) {
		whole, w1, err1 := through(data, 1<<20)
		parts, w2, err2 := through(data, int(cut)+1)
		if (err1 == nil) != (err2 == nil) || w1.goodbye() != w2.goodbye() || w1.skip != w2.skip {
			t.Fatalf("whole: %v, in pieces: %v", err1, err2)
		}
		if err1 == nil && (whole != data || parts != data) || !strings.HasPrefix(data, parts) {
			t.Fatal("octets were changed")
		}
	})
}

// FuzzPlainText: what is shown of an unreadable message is UTF-8 without control characters.
func FuzzPlainText(f *testing.F) {
	f.Add([]byte("a\x00\xffb\r\n\x1b[0m"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := plainText(raw)
		if strings.ToValidUTF8(s, "") != s || strings.ContainsAny(s, "\x00\r\x1b\x7f") || len(s) > 3*maxPlainText {
			t.Fatalf("%q", s)
		}
	})
}

func TestPause(t *testing.T) {
	timing := Timing{}.withDefaults()
	for _, r := range []float64{0, 0.5, 0.999} {
		random := func() float64 { return r }
		sum := time.Duration(0)
		for n := 1; n < 100; n++ {
			d := pause(timing, random, io.EOF, n)
			if d < 500*time.Millisecond || d > 5*time.Minute {
				t.Fatalf("failure %d: %v", n, d)
			}
			sum += d
		}
		if d := pause(timing, random, errLogin, 1); d < 5*time.Minute || d > 6*time.Minute {
			t.Errorf("after a refused login: %v", d)
		}
		if d := pause(timing, random, &byeError{err: io.EOF}, 2); d < 30*time.Second {
			t.Errorf("after BYE: %v", d)
		}
	}
}

func TestWords(t *testing.T) {
	cfg := Config{Name: "support", Host: "imap.example.org", Port: 993}
	for _, c := range []struct {
		err  error
		want string
	}{
		{&net.DNSError{IsNotFound: true}, `mailbox "support" at imap.example.org:993: no such host "imap.example.org": check host`},
		{&net.DNSError{}, "cannot be looked up now"},
		{errNoAnswer, "no answer in time"},
		{io.ErrUnexpectedEOF, "the server closed the connection"},
		{&byeError{text: "maintenance", err: io.ErrUnexpectedEOF}, `the server ended the connection: "maintenance"`},
		{errors.New("a\nb\x00c"), "a b c"},
	} {
		if got := inWords(c.err, cfg); !strings.Contains(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if inWords(nil, cfg) != "" {
		t.Error("words for no error")
	}
}

func TestRoom(t *testing.T) {
	r := newRoom(100)
	a, b, c := &slot{}, &slot{}, &slot{}
	if !r.try(a, 60) || r.try(b, 60) || !r.try(b, 40) || r.try(c, 1) {
		t.Error("room is not what was given and taken")
	}
	r.give(a.held)
	r.give(b.held)
	if !r.try(c, 1<<40) || r.free != 0 || c.held != 100 {
		t.Error("a message larger than the room gets all of it")
	}
	if !bytes.Equal([]byte(itoa(1024)), []byte("1024")) {
		t.Error("itoa")
	}
}
