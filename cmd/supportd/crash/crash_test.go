//go:build linux && crash

package crash

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"supportd/mailin/imaptest"
)

// Everything here is sampled when it runs among all tests; the flags make it long. A failing seed is given with -seed.
var (
	seedFlag   = flag.Uint64("seed", 0, "seed of all random choices; 0: from the time")
	killsFlag  = flag.Int("kills", 100, "how often the kill loop kills")
	cutsFlag   = flag.Int("cuts", 240, "how many cuts of connections are tried; 0: one at every octet")
	statesFlag = flag.Int("states", 5000, "how many states after a power loss are looked at")
	errorsFlag = flag.Int("errors", 100, "how many failing system calls are tried")

	minutesFlag = flag.Float64("minutes", 1, "how long the soak lasts")
	rateFlag    = flag.Int("rate", 2, "how many mails a second come in during the soak")
)

// programs builds the binaries once for all tests that want them; wanted says that one did.
var (
	programs = sync.OnceValues(Build)
	wanted   atomic.Bool
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if wanted.Load() {
		if p, err := programs(); err == nil {
			os.RemoveAll(p.Dir)
		}
	}
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func built(t *testing.T) *Programs {
	t.Helper()
	wanted.Store(true)
	p, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// seeded makes the random choices of a test, and prints their seed.
func seeded(t *testing.T) (*rand.Rand, uint64) {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1)), seed
}

// stateRoot is a folder for state directories: in memory where there is such a place, since what a disk promises is
// simulated or recorded here and not waited for.
func stateRoot(t *testing.T) string {
	t.Helper()
	for _, base := range []string{"/dev/shm", ""} {
		if dir, err := os.MkdirTemp(base, "crash"); err == nil {
			t.Cleanup(func() { os.RemoveAll(dir) })
			return dir
		}
	}
	return t.TempDir()
}

// report prints the one line that says what a test did.
func report(t *testing.T, format string, args ...any) {
	t.Helper()
	fmt.Printf("%s: %s\n", t.Name(), fmt.Sprintf(format, args...))
}

// complain fails the test with the first of what is wrong.
func complain(t *testing.T, wrong []string) {
	t.Helper()
	for i, w := range wrong {
		if i == 20 {
			t.Errorf("… and %d more", len(wrong)-i)
			return
		}
		t.Error(w)
	}
}

// smallDisk mounts a file system of its own; ok is false, and said, when this machine does not let us.
func smallDisk(t *testing.T, options string) (dir string, ok bool) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		report(t, "nothing was tried: no file system can be mounted here: %v", err)
		return dir, false
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, true
}

// embeddedRig is a rig on embedded servers; its desk flags what is settled unless After says otherwise.
func embeddedRig(t *testing.T, o RigOptions) *Rig {
	t.Helper()
	servers, err := StartEmbedded(imaptest.Options{}, deskUser)
	if err != nil {
		t.Fatal(err)
	}
	o.Programs, o.Servers, o.After = built(t), servers, cmp.Or(o.After, "flag")
	r, err := NewRig(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}
