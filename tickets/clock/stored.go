package clock

import (
	"encoding/json"
	"strconv"
	"time"
)

// inheritedSet is the name of the steps that the only list of reminders had in the first version.
const inheritedSet = "default"

// UnmarshalJSON reads a stored clock, also one of the first version, which kept a deadline and no segments.
func (c *Clock) UnmarshalJSON(b []byte) error {
	type plain Clock
	stored := struct {
		*plain
		Start  time.Time `json:"start"`
		Paused time.Time `json:"paused"`
		Fired  []int     `json:"fired"`
	}{plain: (*plain)(c)}
	*c = Clock{}
	if err := json.Unmarshal(b, &stored); err != nil {
		return err
	}
	if len(c.Segments) > 0 || stored.Start.IsZero() {
		return nil
	}
	c.Inherited = true
	first := Segment{From: stored.Start}
	switch {
	case !c.Stop.IsZero():
		first.To = c.Stop
	case !stored.Paused.IsZero():
		first.To = stored.Paused
	}
	c.Segments = []Segment{first}
	if c.Stop.IsZero() && !stored.Paused.IsZero() {
		c.Segments = append(c.Segments, Segment{From: stored.Paused, Paused: true})
	}
	if c.Stop.After(c.Due) {
		c.Breached = c.Due
	}
	for _, percent := range stored.Fired {
		c.Steps = append(c.Steps, Step{Name: inheritedSet + "/" + strconv.Itoa(percent), Times: 1})
	}
	return nil
}
