package bounce

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Codes in servers' words. All run in linear time (RE2).
var (
	// "550 5.1.1", "550-5.7.26", "550 #5.1.0", "550-'5.2.2": the enhanced code where RFC 2034 puts it.
	afterReply = regexp.MustCompile(`(?:^|[^0-9.])([245][0-9][0-9])(?:[ \t:=-]+["'(\[#<]*)([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[^0-9.]|\.?$|\.[^0-9])`)
	// "#5.1.1" or "(5.1.1)" anywhere else.
	enhancedCode = regexp.MustCompile(`(?:^|[\s(\[#'"<=;:,])([45]\.[0-9]{1,3}\.[0-9]{1,3})(?:[\s)\]>,;:'"_=-]|$|\.[^0-9]|\.$)`)
	replyCode    = regexp.MustCompile(`(?:^|[\s;:\[(<"'])([45][0-5][0-9])(?:[\s:;,)\]"'=-]|$)`)
)

// codes finds the first enhanced status code and the first SMTP reply code in a server's words. said reports that the
// enhanced code stands where a server's answer has it.
func codes(words string) (status, reply string, said bool) {
	if len(words) > maxDiagnostic {
		words = words[:maxDiagnostic]
	}
	for _, m := range afterReply.FindAllStringSubmatch(words, 8) {
		if m[1][0] == m[2][0] && m[1][0] != '2' {
			return m[2], m[1], true
		}
	}
	if m := replyCode.FindStringSubmatch(words); m != nil {
		reply = m[1]
	}
	for _, m := range enhancedCode.FindAllStringSubmatch(words, 4) {
		if reply == "" || m[1][0] == reply[0] {
			return m[1], reply, false
		}
	}
	return "", reply, false
}

// statusField3464 reads the value of a Status field: x.y.z, then perhaps a comment (RFC 3464 §2.3.4); "" when it is none.
func statusField3464(value string) string {
	s := value
	if i := strings.IndexAny(s, " \t("); i >= 0 {
		s = s[:i]
	}
	parts := strings.Split(s, ".")
	if len(parts) != 3 || len(parts[0]) != 1 || !strings.Contains("245", parts[0]) {
		return ""
	}
	for _, p := range parts[1:] {
		if n, err := strconv.Atoi(p); err != nil || n < 0 || n > 999 || len(p) > 3 {
			return ""
		}
	}
	return s
}

// vague reports whether a status code says no more than its first digit.
func vague(status string) bool { return strings.HasSuffix(status, ".0.0") }

// settle decides the status code of one recipient. written is the Status field, words are the server's. A code that the
// server itself spoke wins over the one that the reporting host made of it, because hosts write 5.0.0 or 4.4.7 for
// whatever they were told.
func settle(written, words string, why reason, delayed bool) string {
	status, reply, said := codes(words)
	switch {
	case status != "" && (written == "" || vague(written) || said && !vague(status)):
		return status
	case written != "":
		return written
	}
	t := reasonTraits[why]
	class := 5
	if delayed || strings.HasPrefix(reply, "4") || t.soft && reply == "" && !strings.Contains(strings.ToLower(words), "permanent failure") {
		class = 4
	}
	return fmt.Sprintf("%d.0.%d", class, t.detail)
}
