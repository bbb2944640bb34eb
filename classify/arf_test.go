package classify

import (
	"testing"

	"supportd/tickets"
)

func FuzzARF(f *testing.F) {
	f.Add("multipart/report; report-type=feedback-report", "Feedback-Type: abuse\nUser-Agent: x\nVersion: 1\n")
	f.Add("multipart/mixed; boundary=x", "Feedback-Type abuse")
	f.Add("multipart/report; report-type=\"delivery-status\"", "feedback-type: \xff")
	k, err := New(Config{Languages: []string{"de"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, contentType, data string) {
		m := &tickets.Message{
			Subject: "complaint",
			Fields:  []tickets.Field{{Name: "Content-Type", Value: contentType}},
			Machine: []tickets.MachinePart{{Type: "message/feedback-report", Data: []byte(data)}},
		}
		v := k.Classify(m, tickets.Hints{})
		if v.Kind == tickets.KindFeedbackReport && v.NoAnswer == "" {
			t.Error("S-056: a feedback report may be answered")
		}
		if v.Kind == tickets.KindHuman && reportType(m, "feedback-report", "message/feedback-report") {
			t.Error("a feedback report counts as a person's mail")
		}
	})
}
