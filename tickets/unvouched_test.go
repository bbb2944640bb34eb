package tickets

import (
	"strings"
	"testing"
	"time"
)

// A desk whose configuration lets nobody be authenticated holds its agents' answers, and tells the admin why, once a day. S-078
func TestNobodyIsAuthenticated_S078(t *testing.T) {
	told := func(k *kit, notice delivered) (n int) {
		k.receive(k.reply(notice, anna, "#solve\nErledigt "+k.clock.Now().String(), unauthenticated))
		for _, d := range k.deliver() {
			if d.Template == TemplateHealth && d.Recipient == admin && strings.Contains(d.Letter.Text, "health.nobody_authenticated") {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		name   string
		change func(*Rules)
		want   [3]int
	}{
		{"nobody vouches", func(r *Rules) { r.Unvouched = true }, [3]int{1, 0, 1}},
		{"a server vouches", func(*Rules) {}, [3]int{}},
	} {
		k := newKit(t, c.change)
		_, sent := k.opened(kunde, "Drucker", "Er druckt nicht.")
		notice := mailTo(t, sent, anna, TemplateTicketToTeam)
		var got [3]int
		for i, wait := range []time.Duration{0, time.Hour, 24 * time.Hour} {
			k.clock.move(wait)
			got[i] = told(k, notice)
		}
		if got != c.want {
			t.Errorf("%s: the admin was told %v times, want %v", c.name, got, c.want)
		}
	}
}
