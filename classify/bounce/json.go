package bounce

import (
	"encoding/json"
	"strings"
)

// notification is what Amazon SES publishes about a mail, as far as it is read here.
type notification struct {
	Type   string `json:"notificationType"`
	Event  string `json:"eventType"`
	Bounce struct {
		Type       string `json:"bounceType"`
		Recipients []struct {
			Address    string `json:"emailAddress"`
			Action     string `json:"action"`
			Status     string `json:"status"`
			Diagnostic string `json:"diagnosticCode"`
		} `json:"bouncedRecipients"`
	} `json:"bounce"`
	Delivery struct {
		Recipients []string `json:"recipients"`
		Response   string   `json:"smtpResponse"`
	} `json:"delivery"`
	Mail struct {
		CommonHeaders struct {
			MessageID string `json:"messageId"`
		} `json:"commonHeaders"`
		Headers []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"headers"`
	} `json:"mail"`
}

// fromJSON reads a text that starts with such a notification; nil when it is none.
func fromJSON(text string) *Report {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") || len(text) > maxNotice {
		return nil
	}
	if !strings.Contains(text, `notificationType`) && !strings.Contains(text, `eventType`) {
		return nil
	}
	// Mail servers fold the one long line with "!", a line end and a blank.
	text = strings.NewReplacer("!\r\n ", "", "!\n ", "", "\r", "", "\n", "").Replace(text)
	var wrapped struct {
		Message string `json:"Message"`
	}
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&wrapped); err == nil && wrapped.Message != "" {
		text = wrapped.Message
	}
	var n notification
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&n); err != nil {
		return nil
	}
	kind := n.Type + n.Event
	r := Report{Why: "notification of Amazon SES"}
	switch kind {
	case "Delivery":
		r.Outcome = Delivered
		r.Bounce.Recipients = n.Delivery.Recipients
		r.Bounce.Diagnostic = legible(n.Delivery.Response)
	case "Bounce":
		if len(n.Bounce.Recipients) == 0 {
			return nil
		}
		for _, b := range n.Bounce.Recipients {
			if a := firstAddress(b.Address); a != "" && len(r.Bounce.Recipients) < maxRecipients {
				r.Bounce.Recipients = append(r.Bounce.Recipients, a)
			}
		}
		first := n.Bounce.Recipients[0]
		_, words := typed(first.Diagnostic)
		why := reasonOf(words)
		r.Bounce.Status = settle(statusField3464(first.Status), words, why, false)
		if why == unknown {
			why = reasonOfStatus(r.Bounce.Status)
		}
		r.Bounce.Hard = reasonTraits[why].hard
		r.Bounce.Diagnostic = legible(words)
	default:
		return nil
	}
	r.Bounce.OriginalID = messageID(n.Mail.CommonHeaders.MessageID)
	for _, h := range n.Mail.Headers {
		if strings.EqualFold(h.Name, "Message-ID") {
			r.Bounce.OriginalID = messageID(h.Value)
		}
	}
	return &r
}
