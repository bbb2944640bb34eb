package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"supportd/cmd/supportd/demo"
)

// The sample mails play as they must, and nothing stays behind. S-069 S-078 S-096 S-104
func TestDemoOnce(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	var out, errs bytes.Buffer
	if code := execute(context.Background(), []string{"demo", "--once"}, streams{out: &out, err: &errs}); code != exitFine {
		t.Fatalf("exit code %d: %s\n%s", code, errs.String(), out.String())
	}
	for _, want := range []string{
		"T-2026-000001 is new: from Sabine Krause, in German", "with Testseite.png", "thanks for the solution; it stays solved", "solved → open",
		"held    the mail of karl@elsewhere.example", "held    the mail of ben@nordwind.example", "Doctor  finds nothing wrong", "First ticket ", "Everything is as it must be.",
	} {
		if !strings.Contains(strings.ReplaceAll(out.String(), time.Now().Format("T-2006-"), "T-2026-"), want) {
			t.Errorf("%q is not told:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("colours without a terminal")
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDemoRefuses(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"--dir " + full:         "new or an empty folder",
		"--listen 0.0.0.0:0":    "this machine only",
		"--listen 192.0.2.1:80": "this machine only",
		"--listen nonsense":     "--listen",
	} {
		var out, errs bytes.Buffer
		code := execute(context.Background(), append([]string{"demo"}, strings.Fields(args)...), streams{out: &out, err: &errs})
		if code != exitNoRun || !strings.Contains(errs.String(), want) {
			t.Errorf("demo %s: exit code %d, %q", args, code, errs.String())
		}
	}
}

// visitor is a browser on the page of a demo.
type visitor struct {
	t    *testing.T
	base string
	http *http.Client
}

// visitDemo runs a demo in a folder until the test ends, and opens its page.
func visitDemo(t *testing.T, dir string) *visitor {
	t.Helper()
	ready, ended := make(chan string, 1), make(chan error, 1)
	var out record
	d := &demo.Demo{Open: openDemoDesk, Out: &out, Now: time.Now, Random: rand.Reader, Dir: dir, Undo: time.Second,
		Ready: func(url string) { ready <- url }}
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- d.Run(ctx) }()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, http: &http.Client{Jar: jar, Transport: &http.Transport{}}}
	t.Cleanup(func() {
		stop()
		v.http.CloseIdleConnections()
		if err := <-ended; err != nil {
			t.Errorf("the demo ended with: %v\n%s", err, out.String())
		}
	})
	select {
	case v.base = <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("the demo did not start: %v\n%s", err, out.String())
	}
	return v
}

// get fetches a path.
func (v *visitor) get(path string) (string, *http.Response) {
	v.t.Helper()
	r, err := v.http.Get(v.base + strings.TrimPrefix(path, "/"))
	if err != nil {
		v.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return string(b), r
}

// ok fetches a path that has to be there.
func (v *visitor) ok(path string) string {
	v.t.Helper()
	text, r := v.get(path)
	if r.StatusCode != http.StatusOK {
		v.t.Fatalf("%s: %s\n%s", path, r.Status, text)
	}
	return text
}

// hidden reads the hidden fields of the form on a page, as a browser sends them.
func (v *visitor) hidden(path string) url.Values {
	v.t.Helper()
	fields := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`).FindAllStringSubmatch(v.ok(path), -1) {
		fields.Set(m[1], m[2])
	}
	if len(fields) == 0 {
		v.t.Fatalf("%s has no form", path)
	}
	return fields
}

// post sends a form and returns the status and the page that comes of it.
func (v *visitor) post(form url.Values, header ...string) (int, string) {
	v.t.Helper()
	req, err := http.NewRequest(http.MethodPost, v.base+"send", strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", strings.TrimSuffix(v.base, "/"))
	for i := 0; i < len(header); i += 2 {
		if req.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	r, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// await follows the page's events until something is so.
func (v *visitor) await(what string, is func() bool) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+"events", nil)
	if err != nil {
		v.t.Fatal(err)
	}
	r, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer r.Body.Close()
	lines := bufio.NewScanner(r.Body)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data:") && is() {
			return
		}
	}
	v.t.Fatalf("waited in vain for %s: %v", what, lines.Err())
}

// On the page a newcomer writes as the customer, answers as the agent, and sees the answer arrive.
func TestDemoPageConversation(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "kept")
	v := visitDemo(t, dir)
	form := v.hidden("/box/john?new=1")
	form.Set("subject", "Monitor <script>alert(1)</script> flickers")
	form.Set("text", "Hello,\n\nthe monitor on my desk flickers. <img src=x onerror=alert(2)>\n")
	if code, text := v.post(form); code != http.StatusOK || !strings.Contains(text, "Sent.") {
		t.Fatalf("%d\n%s", code, text)
	}
	newest := regexp.MustCompile(`mail=(\d+)`)
	var notice string
	v.await("the notice to Anna", func() bool {
		notice = v.ok("/box/anna?view=text")
		return strings.Contains(notice, "the monitor on my desk flickers")
	})
	// S-116: what a mail says is shown, never obeyed.
	for _, path := range []string{"/", "/box/anna", "/box/hilfe", "/ticket/5"} {
		if text := v.ok(path); strings.Contains(text, "<script>alert") || strings.Contains(text, "<img src=x") || !strings.Contains(text, "flickers") {
			t.Errorf("%s does not show the mail as text", path)
		}
	}
	mail := newest.FindStringSubmatch(notice)[1]
	answer := v.hidden("/box/anna?folder=INBOX&mail=" + mail)
	answer.Set("text", "#solve\nHello John,\r\n\r\nplease use the other cable.")
	if code, text := v.post(answer); code != http.StatusOK {
		t.Fatalf("%d\n%s", code, text)
	}
	v.await("the answer to John", func() bool {
		return strings.Contains(v.ok("/box/john?view=text"), "please use the other cable")
	})
	john := v.ok("/box/john?view=text")
	if strings.Contains(john, "#solve") || strings.Contains(john, "anna@nordwind.example") || !strings.Contains(john, "hilfe&#43;") {
		t.Errorf("the customer's mail:\n%s", john)
	}
	v.await("the ticket to be solved", func() bool { return strings.Contains(v.ok("/ticket/5"), `class="state solved"`) })
	// The terminal sees the same desk.
	var out, errs bytes.Buffer
	if code := execute(context.Background(), []string{"ticket", "list", "-c", filepath.Join(dir, "supportd.yaml")}, streams{out: &out, err: &errs}); code != exitFine || !strings.Contains(out.String(), "flickers") {
		t.Errorf("ticket list: exit code %d %s\n%s", code, errs.String(), out.String())
	}
}

// What a foreign page in the same browser can do to this one: nothing.
func TestDemoPageIsGuarded(t *testing.T) {
	t.Parallel()
	v := visitDemo(t, "")
	fresh := func() url.Values {
		f := v.hidden("/box/john?new=1")
		f.Set("subject", "x")
		f.Set("text", "x")
		return f
	}
	without := fresh()
	without.Del("secret")
	wrong := fresh()
	wrong.Set("secret", strings.Repeat("0", 64))
	desk := fresh()
	desk.Set("user", "hilfe")
	missing := fresh()
	missing.Set("folder", "INBOX")
	missing.Set("uid", "999")
	empty := fresh()
	empty.Set("text", " \n")
	big := fresh()
	big.Set("text", strings.Repeat("x", 300<<10))
	for name, c := range map[string]struct {
		form   url.Values
		header []string
		code   int
	}{
		"another site's form":        {fresh(), []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		"another site, by its fetch": {fresh(), []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"no secret":                  {without, nil, http.StatusForbidden},
		"a wrong secret":             {wrong, nil, http.StatusForbidden},
		"another name (rebinding)":   {fresh(), []string{"Host", "evil.example", "Origin", "http://evil.example"}, http.StatusMisdirectedRequest},
		"the desk's own mailbox":     {desk, nil, http.StatusBadRequest},
		"an answer to no mail":       {missing, nil, http.StatusBadGateway},
		"no text":                    {empty, nil, http.StatusUnprocessableEntity},
		"more than a form may bring": {big, nil, http.StatusBadRequest},
	} {
		if code, text := v.post(c.form, c.header...); code != c.code {
			t.Errorf("%s: %d, want %d\n%s", name, code, c.code, text)
		}
	}
	for _, path := range []string{"/nothing", "/box/eve", "/mail/anna/INBOX/999/html", "/mail/anna/INBOX/x/source", "/mail/anna/INBOX/1/file/9", "/ticket/999"} {
		if _, r := v.get(path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, r.Status)
		}
	}
	links := regexp.MustCompile(`(?:src|href|action)="([^"]*)"`)
	for _, path := range []string{"/", "/box/sabine", "/box/sabine?new=1", "/box/anna", "/box/anna?folder=Sent", "/box/hilfe", "/ticket/1", "/connect"} {
		text, r := v.get(path)
		if csp := r.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		for _, m := range links.FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(m[1], "/") && !strings.HasPrefix(m[1], "#") || strings.HasPrefix(m[1], "//") {
				t.Errorf("%s leads outside: %q", path, m[1])
			}
		}
	}
	_, frame := v.get("/mail/anna/INBOX/1/html")
	if csp := frame.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox; default-src 'none'") {
		t.Errorf("the frame's policy: %q", csp)
	}
	if !strings.Contains(v.ok("/box/anna"), "<iframe sandbox title=") {
		t.Error("the frame has no sandbox")
	}
	var file string
	var r *http.Response
	v.await("the mail with a picture", func() bool { // which of her mails it is depends on which was sent first
		for uid := range 20 {
			if file, r = v.get(fmt.Sprintf("/mail/anna/INBOX/%d/file/0", uid+1)); r.StatusCode == http.StatusOK {
				return true
			}
		}
		return false
	})
	if !strings.HasPrefix(file, "\x89PNG") || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the attachment: %q, %d octets", r.Header.Get("Content-Disposition"), len(file))
	}
}
