package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"supportd/classify"
	"supportd/mailin"
	"supportd/tickets"
)

// expectation is what one row of an index says about a file. Absent keys are not checked.
type expectation struct {
	File          string          `json:"file"`
	Corpus        string          `json:"corpus"`
	Task          string          `json:"task"`
	Sub           string          `json:"sub"`
	Input         string          `json:"input"` // rfc822, text or html
	Split         string          `json:"split"`
	DupOf         string          `json:"dup_of"`
	Contested     json.RawMessage `json:"contested"`
	ConflictsWith json.RawMessage `json:"conflicts_with"`

	Expect struct {
		IsBounce         *bool    `json:"is_bounce"`
		IsAuto           *bool    `json:"is_auto"`
		IsFeedbackReport bool     `json:"is_feedback_report"`
		Kind             string   `json:"kind"`
		Recipients       []string `json:"recipients"`
		Status           string   `json:"status"`
		Hard             *bool    `json:"hard"`

		Compare    string   `json:"compare"`
		MaxSeconds *float64 `json:"max_seconds"`
		TextTop    *string  `json:"text_top"`
		Text       *string  `json:"text"`
		Prefix     *string  `json:"prefix"`
		Contains   []string `json:"contains"`
		Absent     []string `json:"absent"`
		Signature  string   `json:"signature"`

		Subject    *string         `json:"subject"`
		From       []expectedMail  `json:"from"`
		To         []expectedMail  `json:"to"`
		HTML       string          `json:"html"`
		HTMLAsText *string         `json:"html_as_text"`
		Count      *int            `json:"attachment_count"`
		Attached   *[]expectedFile `json:"attachments"`
		Inline     []expectedFile  `json:"inline"`
		Enriched   bool            `json:"enriched"`
	} `json:"expect"`
}

type expectedMail struct {
	Address string `json:"address"`
}

type expectedFile struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// counts reports whether the row is to be scored.
func (e *expectation) counts() bool {
	return e.Contested == nil && e.ConflictsWith == nil && e.Split != "hidden-leaked"
}

// floors are shares that reading reports and automatic replies must not fall below, in percent. The other tasks are
// printed only.
var floors = map[string]float64{
	"bounce recall": 99, "bounce not_bounce": 100, "bounce delay": 99, "bounce recipients": 98, "bounce status_class": 95,
	"bounce status": 85, "bounce hard": 88, "bounce feedback": 100, "auto auto": 96, "auto human": 100,
}

// TestCorpora reads mail that nobody of this project wrote and compares it with what is known to be in it. It needs a
// folder with an index (JSON Lines) in SUPPORTD_CORPORA and prints the share that is right for each task.
func TestCorpora(t *testing.T) {
	dir := os.Getenv("SUPPORTD_CORPORA")
	if dir == "" {
		t.Skip("set SUPPORTD_CORPORA to a folder with index.dev.jsonl to read the mail in it")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("..", "..", dir) // from the module's root, where tests are called
	}
	classifier, err := classify.New(classify.Config{Languages: []string{"de", "en"}})
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.Open(filepath.Join(dir, "index.dev.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	tally := make(map[string]*[2]int) // right, of all
	slowest, slow := time.Duration(0), ""
	lines := bufio.NewScanner(index)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e expectation
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("read index: %v", err)
		}
		if !e.counts() {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, e.File))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		p := readForScore(classifier, &e, raw)
		if d := time.Since(start); d > slowest {
			slowest, slow = d, e.File
		}
		for measure, right := range score(&e, &p) {
			keys := []string{e.Task + " " + measure + " in " + strings.TrimSuffix(e.Corpus+":"+e.Sub, ":")}
			if e.DupOf == "" {
				all := e.Task + " " + measure
				if e.Sub == "signature" || e.Sub == "forward" {
					all += " (" + e.Sub + ")"
				}
				keys = append(keys, all)
			}
			for _, key := range keys {
				if tally[key] == nil {
					tally[key] = new([2]int)
				}
				tally[key][1]++
				if right {
					tally[key][0]++
				}
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(tally)) {
		n := tally[key]
		share := 100 * float64(n[0]) / float64(n[1])
		t.Logf("%-50s %4d/%-4d %5.1f %%", key, n[0], n[1], share)
		if share < floors[key] {
			t.Errorf("%s: %.1f %%, below %.0f %%", key, share, floors[key])
		}
	}
	t.Logf("slowest: %v for %s", slowest.Round(time.Millisecond), slow)
}

func readForScore(k *classify.Classifier, e *expectation, raw []byte) parsed {
	if e.Input != "rfc822" {
		return viewMessage(e.File, mailin.ParseBody(string(raw), e.Input == "html"), tickets.Verdict{})
	}
	m := mailin.Parse(raw, time.Unix(1<<30, 0))
	return viewMessage(e.File, m, k.Classify(m, tickets.Hints{}))
}

// score compares what was read with what is expected, by measure.
func score(e *expectation, p *parsed) map[string]bool {
	switch e.Task {
	case "reply":
		return scoreReply(e, p)
	case "bounce":
		return scoreBounce(e, p)
	case "auto":
		if *e.Expect.IsAuto {
			return map[string]bool{"auto": p.IsAuto}
		}
		return map[string]bool{"human": !p.IsAuto}
	}
	return scoreParse(e, p)
}

func scoreReply(e *expectation, p *parsed) map[string]bool {
	x := &e.Expect
	same := func(a, b string) bool { return oneBlank(a) == oneBlank(b) }
	if x.Compare == "nows" {
		same = func(a, b string) bool { return noBlank(a) == noBlank(b) }
	}
	right := make(map[string]bool)
	switch {
	case x.TextTop != nil:
		right["exact"] = same(p.Reply, *x.TextTop)
	case x.Text != nil:
		right["exact"] = same(p.Reply, *x.Text)
	case x.Prefix != nil:
		want := []rune(oneBlank(*x.Prefix))
		right["exact"] = strings.HasPrefix(oneBlank(p.Reply), string(want[:min(len(want), 60)]))
	case x.Contains != nil || x.Absent != nil || x.MaxSeconds == nil:
		got := oneBlank(p.Reply)
		right["exact"] = !slices.ContainsFunc(x.Contains, func(s string) bool { return !strings.Contains(got, oneBlank(s)) }) &&
			!slices.ContainsFunc(x.Absent, func(s string) bool { return strings.Contains(got, oneBlank(s)) })
	}
	if x.Signature != "" {
		right["signature"] = oneBlank(p.Signature) == oneBlank(x.Signature)
	}
	return right
}

func scoreBounce(e *expectation, p *parsed) map[string]bool {
	x := &e.Expect
	right := make(map[string]bool)
	if x.IsFeedbackReport {
		right["feedback"] = p.IsFeedbackReport
	}
	if x.IsBounce != nil {
		measure := "not_bounce"
		switch {
		case *x.IsBounce && x.Kind == "delay-warning":
			measure = "delay"
		case *x.IsBounce:
			measure = "recall"
		}
		right[measure] = p.IsBounce == *x.IsBounce
	}
	if x.IsAuto != nil && !*x.IsAuto && e.Sub == "negative" {
		right["not_auto"] = !p.IsAuto
	}
	if len(x.Recipients) > 0 {
		right["recipients"] = slices.Equal(lowerSet(p.Recipients), lowerSet(x.Recipients))
	}
	if x.Status != "" {
		right["status"] = p.Status == x.Status
		right["status_class"] = strings.HasPrefix(p.Status, x.Status[:1])
	}
	if x.Hard != nil {
		right["hard"] = p.Hard == *x.Hard
	}
	return right
}

func scoreParse(e *expectation, p *parsed) map[string]bool {
	x := &e.Expect
	right := make(map[string]bool)
	if x.Subject != nil {
		right["subject"] = oneBlank(p.Subject) == oneBlank(*x.Subject)
	}
	for name, list := range map[string]struct {
		want []expectedMail
		got  []string
	}{"from": {x.From, p.From}, "to": {x.To, p.To}} {
		var want, got []string
		for _, a := range list.want {
			if a.Address != "" {
				want = append(want, strings.ToLower(a.Address))
			}
		}
		for _, a := range list.got {
			if a != "" {
				got = append(got, strings.ToLower(a))
			}
		}
		if len(list.want) > 0 {
			right[name] = slices.Equal(want, got)
		}
	}
	if x.Text != nil {
		right["text"] = noBlank(p.Text) == noBlank(*x.Text)
	}
	if x.HTML != "" {
		right["html"] = noBlank(p.HTML) == noBlank(x.HTML)
	}
	if x.HTMLAsText != nil {
		right["html"] = noBlank(crudeText(p.HTML)) == noBlank(*x.HTMLAsText)
	}
	scoreAttachments(e, p, right)
	return right
}

func scoreAttachments(e *expectation, p *parsed, right map[string]bool) {
	x := &e.Expect
	var files []expectedFile
	if x.Attached != nil {
		files = *x.Attached
	}
	all := slices.Concat(files, x.Inline)
	want := -1
	switch {
	case x.Count != nil:
		want = *x.Count
	case x.Attached != nil:
		want = len(all)
	}
	if want >= 0 {
		right["att_count"] = len(p.Attachments) == want || x.Enriched && len(p.Attachments) == want+1
	}
	var sizes, gotSizes []int64
	for _, f := range all {
		if f.Size > 0 {
			sizes = append(sizes, f.Size)
		}
	}
	names := make(map[string]bool)
	for _, a := range p.Attachments {
		gotSizes = append(gotSizes, a.Size)
		names[a.Name] = true
	}
	if len(sizes) > 0 {
		right["att_size"] = true
		for _, s := range sizes {
			i := slices.Index(gotSizes, s)
			if i < 0 {
				right["att_size"] = false
				break
			}
			gotSizes = slices.Delete(gotSizes, i, i+1)
		}
	}
	for _, f := range files {
		if f.Name != "" {
			before, seen := right["att_name"]
			right["att_name"] = names[f.Name] && (before || !seen)
		}
	}
}

func lowerSet(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, strings.ToLower(s))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// oneBlank makes every run of white space one blank.
func oneBlank(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "\u200b", "")), " ")
}

// noBlank drops all white space.
func noBlank(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), ""), "\u200b", "")
}

var (
	hiddenHTML = regexp.MustCompile(`(?is)<style\b.*?</style\s*>|<script\b.*?</script\s*>|<head\b.*?</head\s*>|<title\b.*?</title\s*>|<!--.*?-->`)
	breakHTML  = regexp.MustCompile(`(?i)<(br|/p|/div|/tr|/li|/h\d|hr|/blockquote)\b[^>]*>`)
	anyTag     = regexp.MustCompile(`(?s)<[^>]*>`)
)

// crudeText is the text of HTML as the expectations were made: tags dropped, entities read.
func crudeText(s string) string {
	s = hiddenHTML.ReplaceAllString(s, "")
	s = breakHTML.ReplaceAllString(s, "\n")
	return html.UnescapeString(anyTag.ReplaceAllString(s, ""))
}

// TestScore holds that the comparison itself tells right from wrong.
func TestScore(t *testing.T) {
	for _, tt := range []struct {
		row  string
		got  parsed
		want string
	}{
		{`{"task":"reply","expect":{"text":"Hello  you"}}`, parsed{Reply: "Hello\nyou\n"}, "map[exact:true]"},
		{`{"task":"reply","expect":{"text":"Helloyou"}}`, parsed{Reply: "Hello you"}, "map[exact:false]"},
		{`{"task":"reply","expect":{"text":"Helloyou","compare":"nows","signature":"Bob"}}`, parsed{Reply: "Hello you", Signature: "Eve"}, "map[exact:true signature:false]"},
		{`{"task":"reply","expect":{"contains":["a"],"absent":["b"]}}`, parsed{Reply: "a b"}, "map[exact:false]"},
		{`{"task":"reply","expect":{"max_seconds":1}}`, parsed{}, "map[]"},
		{`{"task":"bounce","expect":{"is_bounce":true,"recipients":["a@b.example"],"status":"5.1.1","hard":true}}`,
			parsed{IsBounce: true, Recipients: []string{"A@b.example"}, Status: "5.1.0"}, "map[hard:false recall:true recipients:true status:false status_class:true]"},
		{`{"task":"bounce","expect":{"is_bounce":true,"kind":"delay-warning"}}`, parsed{}, "map[delay:false]"},
		{`{"task":"bounce","expect":{"is_bounce":false,"is_feedback_report":true}}`, parsed{IsFeedbackReport: true}, "map[feedback:true not_bounce:true]"},
		{`{"task":"auto","expect":{"is_auto":false}}`, parsed{IsAuto: true}, "map[human:false]"},
		{`{"task":"parse","expect":{"subject":"x","from":[{"address":"A@b.example"}],"attachments":[{"name":"f","size":3}],"html_as_text":"a&b"}}`,
			parsed{Subject: "x", From: []string{"a@b.example"}, HTML: "<p>a&amp;b</p><style>x</style>", Attachments: []tickets.Attachment{{Name: "f", Size: 3}}},
			"map[att_count:true att_name:true att_size:true from:true html:true subject:true]"},
		{`{"task":"parse","expect":{"attachments":[{"name":"f","size":3},{"name":"g","size":3}]}}`,
			parsed{Attachments: []tickets.Attachment{{Name: "f", Size: 3}}}, "map[att_count:false att_name:false att_size:false]"},
	} {
		var e expectation
		if err := json.Unmarshal([]byte(tt.row), &e); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(score(&e, &tt.got)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.row, got, tt.want)
		}
	}
}
