package authres

import (
	"reflect"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  Field
	}{
		{"example.org 1; none", Field{ID: "example.org"}},
		{"example.org;none", Field{ID: "example.org"}},
		{"(c (nested)) Example.ORG (x) ; SPF=Pass smtp.mailfrom=a@b.example", Field{ID: "example.org", Results: []Result{
			{"spf", "pass", map[string]string{"smtp.mailfrom": "a@b.example"}}}}},
		{`example.org; dkim=pass reason="good (so far); x=y" header.i=@b.example; spf=fail smtp.mailfrom=b.example`, Field{ID: "example.org", Results: []Result{
			{"dkim", "pass", map[string]string{"reason": "good (so far); x=y", "header.i": "@b.example"}},
			{"spf", "fail", map[string]string{"smtp.mailfrom": "b.example"}}}}},
		{"example.org; dkim/1=pass header.d=b.example", Field{ID: "example.org", Results: []Result{
			{"dkim", "pass", map[string]string{"header.d": "b.example"}}}}},
		{`example.org; spf=pass smtp.mailfrom="a b"@c.example`, Field{ID: "example.org", Results: []Result{
			{"spf", "pass", map[string]string{"smtp.mailfrom": `"a b"@c.example`}}}}},
		{"example.org; spf=none smtp.mailfrom=; dmarc=none", Field{ID: "example.org", Results: []Result{
			{"spf", "none", map[string]string{"smtp.mailfrom": ""}}, {"dmarc", "none", map[string]string{}}}}},
		{"example.org;\r\n\tiprev=pass smtp.remote-ip=2001:db8::1 (mail.b.example);", Field{ID: "example.org", Results: []Result{
			{"iprev", "pass", map[string]string{"smtp.remote-ip": "2001:db8::1"}}}}},
		{`"example.org"; spf = pass smtp.mailfrom = b.example`, Field{ID: "example.org", Results: []Result{
			{"spf", "pass", map[string]string{"smtp.mailfrom": "b.example"}}}}},
	} {
		got, err := Parse(tt.value)
		if err != nil {
			t.Errorf("%q: %v", tt.value, err)
			continue
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: %+v, want %+v", tt.value, got, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, value := range []string{
		"", ";", "spf=pass smtp.mailfrom=a.example", "example.org 2; spf=pass", "example.org spf=pass",
		"example.org; spf", "example.org; spf=", "example.org; =pass", "example.org; spf/2=pass", "example.org; spf=pass smtp.mailfrom",
		"example.org; spf=pass (", "example.org; spf=pass )", `example.org; spf=pass reason="x`, "example.org; spf=pass\x00",
		"example.org; dkim=pass header.d=a.example(.b.example)", "example.org; dkim=pass header.d=a.example header.d=b.example",
		`example.org; dkim=pass header.d="a.example".b.example`, `example.org; dkim=pass header.d=a.example"b"`, "example.org; spf=pass, dkim=pass",
		`example.org; spf=pass "header.d"=a.example`,
	} {
		if f, err := Parse(value); err == nil {
			t.Errorf("%q was read as %+v", value, f)
		}
	}
}
