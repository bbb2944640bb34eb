//go:build linux && crash

package crash

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// StraceAvailable reports whether programs can be traced here; the error says what is missing.
func StraceAvailable() error {
	path, err := exec.LookPath("strace")
	if err != nil {
		return errors.New("strace is not installed (apt-get install strace)")
	}
	if out, err := exec.Command(path, "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		return fmt.Errorf("strace does not work here: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// TraceWrap is what runs a program so that everything it does to files is written to a file.
func TraceWrap(file string) []string {
	return []string{"strace", "-f", "--seccomp-bpf", "-xx", "-s", "16777216", "-o", file, "-e",
		"trace=openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,close,socket,accept4"}
}

// call is one system call that succeeded. It was in force from end on at the latest, and not before start.
type call struct {
	name       string
	args       []string
	result     int
	start, end int // numbers of lines
}

// text is an argument that is a string.
func (c call) text(i int) []byte {
	s := strings.Trim(strings.TrimSuffix(c.args[i], "..."), `"`)
	b, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil {
		return nil
	}
	return b
}

func (c call) number(i int) int64 {
	n, err := strconv.ParseInt(c.args[i], 0, 64)
	if err != nil {
		return -1 // such as AT_FDCWD
	}
	return n
}

var (
	wholeLine  = regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (-?\d+)`)
	firstHalf  = regexp.MustCompile(`^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$`)
	secondHalf = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)`)
	errTrimmed = errors.New("strace cut a string off")
)

// readTrace reads the calls of a trace, in the order in which they ended.
func readTrace(r io.Reader) ([]call, error) {
	var calls []call
	halves := map[string]call{} // by process and name
	in := bufio.NewReaderSize(r, 1<<20)
	for n := 1; ; n++ {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			return calls, nil
		} else if err != nil {
			return nil, fmt.Errorf("read trace: %w", err)
		}
		line = strings.TrimSuffix(line, "\n")
		c := call{start: n, end: n}
		result := ""
		if m := wholeLine.FindStringSubmatch(line); m != nil {
			c.name, c.args, result = m[2], strings.Split(m[3], ", "), m[4]
		} else if m := firstHalf.FindStringSubmatch(line); m != nil {
			halves[m[1]+m[2]] = call{start: n, args: []string{m[3]}}
			continue
		} else if m := secondHalf.FindStringSubmatch(line); m != nil {
			half := halves[m[1]+m[2]]
			if half.args == nil {
				continue // it had begun before the trace
			}
			c.name, c.start, c.args, result = m[2], half.start, strings.Split(half.args[0]+m[3], ", "), m[4]
		} else {
			continue // signals, exits
		}
		if strings.Contains(line, `"...`) {
			return nil, fmt.Errorf("read trace: line %d: %w", n, errTrimmed)
		}
		if c.result, err = strconv.Atoi(result); err != nil || c.result < 0 {
			continue // it failed: nothing happened
		}
		calls = append(calls, c)
	}
}

// node is a file or a folder, whatever its names are.
type node struct {
	folder bool
	id     int
}

// opKind is what an op does.
type opKind int

const (
	opWrite opKind = iota
	opTruncate
	opSync   // of a file or a folder
	opLink   // a name in a folder now leads to a node
	opUnlink // a name in a folder is gone
	opRename // a name moves from a folder to one in another or the same
	opAck    // something was promised to the world outside
)

// op is one change of the files under a recorded folder, or a promise.
type op struct {
	kind       opKind
	node       *node // written, synced or linked; the folder that is synced
	dir, toDir *node
	name, to   string
	offset     int64
	data       []byte
	ack        Ack
	start, end int
}

// Ack is something that the desk told to somebody, and so must not forget.
type Ack struct {
	Settled   uint32 // UID that the log says is settled
	Result    string
	Flagged   uint32 // UID that was flagged or moved on the server
	MessageID string // of a mail whose final dot was sent
}

// Recording is what a desk did to its files, and what it told to whom.
type Recording struct {
	Root  string // the folder below which everything is recorded
	ops   []op
	root  *node
	first map[*node]map[string]*node // folders before the recording
	start map[*node][]byte           // files before the recording
	names map[string]*node           // while reading: what a path leads to now
	count int
	lines int
}

// NewRecording begins with what stands below root now; all of it is taken for durable.
func NewRecording(root string) (*Recording, error) {
	r := &Recording{Root: root, first: map[*node]map[string]*node{}, start: map[*node][]byte{}, names: map[string]*node{}}
	r.root = r.newNode(true)
	r.names[root] = r.root
	r.first[r.root] = map[string]*node{}
	err := filepath.Walk(root, func(p string, info os.FileInfo, err error) error {
		if err != nil || p == root || !info.IsDir() && !info.Mode().IsRegular() {
			return err
		}
		n := r.newNode(info.IsDir())
		r.names[p] = n
		r.first[r.names[filepath.Dir(p)]][filepath.Base(p)] = n
		if n.folder {
			r.first[n] = map[string]*node{}
			return nil
		}
		r.start[n], err = os.ReadFile(p)
		return err
	})
	return r, err
}

func (r *Recording) newNode(folder bool) *node {
	r.count++
	return &node{folder: folder, id: r.count}
}

// Read appends what a trace tells. Every process has a trace of its own.
func (r *Recording) Read(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("read trace: %w", err)
	}
	defer f.Close()
	calls, err := readTrace(f)
	if err != nil {
		return err
	}
	t := &traced{Recording: r, files: map[int64]*node{}, place: map[int64]int64{}, said: map[int64][]byte{}}
	last := r.lines
	for _, c := range calls {
		last = max(last, r.lines+c.end)
		c.start, c.end = r.lines+c.start, r.lines+c.end
		t.take(c)
	}
	r.lines = last + 1
	return nil
}

// traced is one process whose trace is read.
type traced struct {
	*Recording
	files map[int64]*node  // by descriptor
	place map[int64]int64  // where the next write(2) goes; nobody seeks
	said  map[int64][]byte // to sockets, since the last thing that was made out in it
}

func (t *traced) add(c call, o op) {
	o.start, o.end = c.start, c.end
	t.ops = append(t.ops, o)
}

// parent finds the folder and the name of a path; nil when it is not below the root.
func (t *traced) parent(path string) (*node, string) {
	return t.names[filepath.Dir(path)], filepath.Base(path)
}

func (t *traced) take(c call) {
	switch c.name {
	case "openat":
		t.open(c)
	case "close":
		delete(t.files, c.number(0))
		delete(t.said, c.number(0))
	case "socket", "accept4":
		delete(t.files, int64(c.result))
		t.said[int64(c.result)] = nil
	case "mkdir", "mkdirat":
		path := string(c.text(len(c.args) - 2))
		if dir, name := t.parent(path); dir != nil {
			n := t.newNode(true)
			t.names[path] = n
			t.add(c, op{kind: opLink, node: n, dir: dir, name: name})
		}
	case "unlink", "unlinkat", "rmdir":
		i := 0
		if c.name == "unlinkat" {
			i = 1
		}
		path := string(c.text(i))
		if dir, name := t.parent(path); dir != nil && t.names[path] != nil {
			delete(t.names, path)
			t.add(c, op{kind: opUnlink, dir: dir, name: name})
		}
	case "rename", "renameat", "renameat2":
		t.rename(c)
	case "pwrite64", "write":
		t.write(c)
	case "ftruncate":
		if n := t.files[c.number(0)]; n != nil {
			t.add(c, op{kind: opTruncate, node: n, offset: c.number(1)})
		}
	case "fsync", "fdatasync":
		if n := t.files[c.number(0)]; n != nil {
			t.add(c, op{kind: opSync, node: n})
		}
	}
}

func (t *traced) open(c call) {
	path := string(c.text(1))
	fd := int64(c.result)
	delete(t.said, fd)
	delete(t.files, fd)
	delete(t.place, fd)
	if n := t.names[path]; n != nil {
		t.files[fd] = n
		if strings.Contains(c.args[2], "O_TRUNC") {
			t.add(c, op{kind: opTruncate, node: n})
		}
		return
	}
	if dir, name := t.parent(path); dir != nil && strings.Contains(c.args[2], "O_CREAT") {
		n := t.newNode(false)
		t.names[path], t.files[fd] = n, n
		t.add(c, op{kind: opLink, node: n, dir: dir, name: name})
	}
}

func (t *traced) rename(c call) {
	from, to := string(c.text(0)), ""
	if c.name == "rename" {
		to = string(c.text(1))
	} else {
		from, to = string(c.text(1)), string(c.text(3))
	}
	dir, name := t.parent(from)
	toDir, toName := t.parent(to)
	n := t.names[from]
	if dir == nil || toDir == nil || n == nil {
		return
	}
	for path, below := range t.names { // of a folder
		if rest, ok := strings.CutPrefix(path, from+"/"); ok {
			delete(t.names, path)
			t.names[to+"/"+rest] = below
		}
	}
	delete(t.names, from)
	t.names[to] = n
	t.add(c, op{kind: opRename, node: n, dir: dir, name: name, toDir: toDir, to: toName})
}

func (t *traced) write(c call) {
	fd := c.number(0)
	data := c.text(1)
	if n := t.files[fd]; n != nil {
		o := op{kind: opWrite, node: n, data: data[:min(c.result, len(data))], offset: t.place[fd]}
		if c.name == "pwrite64" {
			o.offset = c.number(3)
		} else {
			t.place[fd] += int64(c.result)
		}
		t.add(c, o)
		return
	}
	if fd == 1 || fd == 2 {
		t.log(c, string(data))
		return
	}
	if _, socket := t.said[fd]; socket {
		t.said[fd] = append(t.said[fd], data...)
		t.spoken(c, fd)
	}
}

var settledLine = regexp.MustCompile(`msg="message settled" .*\buid=(\d+) result=(\w+)`)

func (t *traced) log(c call, line string) {
	for _, m := range settledLine.FindAllStringSubmatch(line, -1) {
		uid, err := strconv.ParseUint(m[1], 10, 32)
		if err == nil {
			t.add(c, op{kind: opAck, ack: Ack{Settled: uint32(uid), Result: m[2]}})
		}
	}
}

// mostUIDs is how many UIDs one command of a recording may name.
const mostUIDs = 10000

var (
	filed    = regexp.MustCompile(`UID (?:STORE|MOVE) ([0-9:,]+) [^\r\n]*\r\n`)
	ownID    = regexp.MustCompile(`(?im)^Message-ID:\s*<([^>]+)>`)
	finalDot = []byte("\r\n.\r\n")
)

// spoken looks for promises in what was said to a server.
func (t *traced) spoken(c call, fd int64) {
	for {
		i := bytes.Index(t.said[fd], finalDot)
		if i < 0 {
			break
		}
		if ids := ownID.FindAllSubmatch(t.said[fd][:i], -1); len(ids) > 0 {
			t.add(c, op{kind: opAck, ack: Ack{MessageID: string(ids[0][1])}})
		}
		t.said[fd] = t.said[fd][i+len(finalDot):]
	}
	for _, m := range filed.FindAllSubmatchIndex(t.said[fd], -1) {
		for _, part := range strings.Split(string(t.said[fd][m[2]:m[3]]), ",") {
			from, to, span := strings.Cut(part, ":")
			a, err := strconv.ParseUint(from, 10, 32)
			b := a
			if span && err == nil {
				b, err = strconv.ParseUint(to, 10, 32)
			}
			for uid := a; err == nil && uid <= min(b, a+mostUIDs); uid++ {
				t.add(c, op{kind: opAck, ack: Ack{Flagged: uint32(uid)}})
			}
		}
	}
	if m := filed.FindAllIndex(t.said[fd], -1); len(m) > 0 {
		t.said[fd] = t.said[fd][m[len(m)-1][1]:]
	}
}
