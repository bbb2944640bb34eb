package templates

import (
	"testing"
)

func mustLoad(t testing.TB) *Set {
	t.Helper()
	s, err := Load(nil, Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	if w := s.Warnings(); len(w) > 0 {
		t.Errorf("the built-in texts are not complete: %q", w)
	}
	return s
}

func TestBuiltInTextsLoadWithoutWarnings(t *testing.T) { mustLoad(t) }
