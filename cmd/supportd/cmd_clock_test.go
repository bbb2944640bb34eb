package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// deskFile is the file of the service desk of forty agents, in a folder of its own.
func deskFile(t *testing.T) string {
	t.Helper()
	dir := filepath.Dir(deskConfig(t).Path)
	return filepath.Join(dir, "desk.yaml")
}

// The listing of domain.md §3.6, exactly.
const clockEvents = `
    15:52 reply; 16:10 reply+wait; 2026-11-24 09:20 customer; 11:00 escalate network; 11:12 take; 11:20 reply;
    14:00 impact medium (→P2); 14:02 reply; 16:05 solve; 2026-11-25 10:00 customer "geht wieder nicht"`

const clockListed = `Mon 23 Nov 15:30  new              P3 gold    first_response due Tue 09:30 · resolve due Thu 26 Nov 09:30 (24h, contract 08–18 DE)
Mon 23 Nov 15:52  first_response   stopped 0:22 of 4:00 ✓
Mon 23 Nov 16:10  waiting_customer resolve paused at 0:40
Tue 24 Nov 09:20  customer         resolve runs; pause was 3:10 h of contract time → due Thu 26 Nov 12:40 · next_response due 17:20
Tue 24 Nov 11:00  handed_over      accept due 11:30 (t2-hamburg)
Tue 24 Nov 11:12  open             accept ✓ 0:12
Tue 24 Nov 11:20  reply            next_response ✓ 2:00 of 8:00
Tue 24 Nov 14:00  P3→P2            elapsed 5:20 kept, target 8h → due Tue 24 Nov 16:40 (grace floor 16:00) · step 60 % fires once
Tue 24 Nov 14:02  reply            update restarts, due Wed 25 Nov 08:02
Tue 24 Nov 15:04  resolve 80 %     → assignee, j.petersen
Tue 24 Nov 16:05  solved           resolve 7:25 of 8:00 (93 %) ✓ provisional
Wed 25 Nov 10:00  reopened         resolve continues, due Wed 25 Nov 10:35
`

func TestClockCommand(t *testing.T) {
	file := deskFile(t)
	args := []string{"-c", file, "clock", "--level", "gold", "--priority", "P3", "--at", "2026-11-23 15:30", "--events", clockEvents}
	out, errs, code := program(t, nil, args...)
	if code != exitFine || out != clockListed {
		t.Errorf("exit code %d %s\ngot\n%swant\n%s", code, errs, out, clockListed)
	}
	out, errs, code = program(t, nil, append([]string{"--json"}, args...)...)
	var lines []clockLine
	if err := json.Unmarshal([]byte(out), &lines); err != nil || code != exitFine || len(lines) != 12 || lines[11].State != "open" || len(lines[11].Clocks) < 3 {
		t.Errorf("exit code %d, %v: %s%s", code, err, errs, out)
	}
	// With a team, what teams have agreed is counted as well: P1 hands over by itself, so it is proposed.
	out, _, code = program(t, nil, "-c", file, "clock", "--level", "gold", "--priority", "P1", "--team", "service-desk", "--at", "2026-11-27 16:40", "--events", "17:00 take; 17:30 reply; 18:00 solve")
	for _, want := range []string{"first_response due 16:55", "accept due 17:00", "time_box due 16:55", "first_response 50 %", "time_box 100 %", "stopped 0:50 of 0:15 ✗", "resolve 1:20 of 4:00 (33 %) ✓ provisional"} {
		if !strings.Contains(out, want) || code != exitFine {
			t.Errorf("exit code %d: no %q in\n%s", code, want, out)
		}
	}
}

func TestClockCommandRefuses(t *testing.T) {
	file := deskFile(t)
	for _, c := range []struct{ args, want string }{
		{"--events=15 reply", `"15 reply": write a time and what happens`},
		{"--events=25:00 reply", "25:00 is no time"},
		{"--events=15:00 explode", "explode cannot happen"},
		{"--events=15:00 impact high", "say which priority comes of it"},
		{"--events=15:00 priority P9", "a priority is P1 to P5"},
		{"--events=15:00 escalate nobody", "there is no such team"},
		{"--events=15:00 level none", "there is no such service level"},
		{"--events=15:00 vendor none", "there is no such third party"},
		{"--events=15:00 reply; 2026-11-20 10:00 reply", "write the events in their order"},
		{"--team=nobody", `there is no team "nobody"`},
		{"--level=none", `there is no service level "none"`},
	} {
		_, errs, code := program(t, nil, "-c", file, "clock", "--at", "2026-11-23 08:00", c.args)
		if code == exitFine || !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit code %d: %s", c.args, code, errs)
		}
	}
	out, _, _ := program(t, nil, "-c", file, "clock", "--at", "2026-11-23 08:00", "--events", "09:00 solve; 10:00 take; 11:00 close")
	if !strings.Contains(out, "is not allowed while the ticket is solved") {
		t.Error(out)
	}
}
