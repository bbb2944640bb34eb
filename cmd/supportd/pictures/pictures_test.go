package main

import (
	"errors"
	"image"
	"image/color"
	"image/draw"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"supportd/templates"
)

// The views rest on two rules of the page: without them dark would look like light, and nobody would see it.
func TestSheetShowsBothSchemes(t *testing.T) {
	set, err := templates.Load(nil, templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := set.Sample("ticket-to-team", "de", true)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.HTML, condition) || !strings.Contains(r.HTML, schemes) {
		t.Fatalf("the page has no %q or no %q", condition, schemes)
	}
	if light, dark := inLight(r.HTML), inDark(r.HTML); !strings.Contains(light, "@media not all") || !strings.Contains(dark, "@media all") || light == dark {
		t.Error("a page for dark is the page for light")
	}
	sheet := sheetOf(r.HTML, false)
	if n := strings.Count(sheet, "<iframe"); n != 4 || strings.Contains(sheet, "srcdoc=\"<") {
		t.Errorf("a sheet with %d views", n)
	}
	if inverted := sheetOf(r.HTML, true); !strings.Contains(inverted, "invert(1)") || strings.Contains(inverted, "@media all") {
		t.Error("inverted colours are not shown")
	}
}

func painted(w, h int, c color.Color) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

func TestImages(t *testing.T) {
	grey, white, black := color.RGBA{0x8a, 0x8d, 0x91, 0xff}, color.RGBA{0xfb, 0xfb, 0xfa, 0xff}, color.RGBA{0, 0, 0, 0xff}
	sheet := painted(200, 300, grey)
	draw.Draw(sheet, image.Rect(gap, gap, 150, 100), image.NewUniform(white), image.Point{}, draw.Src)
	cut, err := cropped(sheet)
	if err != nil || cut.Bounds() != image.Rect(0, 0, 200, 100+gap) {
		t.Errorf("cropped to %v: %v", cut.Bounds(), err)
	}
	for name, img := range map[string]image.Image{"empty": painted(200, 300, grey), "full": func() image.Image { s := painted(9, 9, grey); s.Set(5, 8, white); return s }()} {
		if _, err := cropped(img); err == nil {
			t.Errorf("a sheet that is %s was cropped", name)
		}
	}
	many := painted(256, 2, white)
	for x := range 256 {
		many.Set(x, 0, color.RGBA{uint8(x), uint8(x), uint8(x), 0xff})
	}
	few := reduced(many)
	if n := len(few.Palette); n > maxColours || few.At(0, 1) != color.Color(white) || difference(many, few) > 0 {
		t.Errorf("%d colours, %v, %.3f differs", n, few.At(0, 1), difference(many, few))
	}
	other := painted(256, 2, white)
	draw.Draw(other, image.Rect(0, 0, 256, 1), image.NewUniform(black), image.Point{}, draw.Src)
	if d := difference(painted(256, 2, white), other); d != 0.5 {
		t.Errorf("%.2f differs, want half", d)
	}
	if d := difference(painted(10, 10, white), painted(10, 20, white)); d != 0.5 {
		t.Errorf("a picture twice as high differs by %.2f", d)
	}
}

func TestFindBrowser(t *testing.T) {
	p := pictures{}
	if err := p.findBrowser(func(name string) (string, error) {
		if name == "chromium-browser" {
			return "/usr/bin/" + name, nil
		}
		return "", errors.New("not found")
	}); err != nil || p.browser != "/usr/bin/chromium-browser" {
		t.Errorf("%q, %v", p.browser, err)
	}
	p = pictures{}
	if err := p.findBrowser(func(string) (string, error) { return "", errors.New("not found") }); err == nil || !strings.Contains(err.Error(), "install chromium") {
		t.Errorf("without a browser: %v", err)
	}
}

// What is compared is kept in few colours, and still the same; a picture of a text that is no more is found.
func TestSettle(t *testing.T) {
	p := pictures{dir: t.TempDir(), log: t.Logf}
	file := filepath.Join(p.dir, "x.de.png")
	img := painted(40, 40, color.RGBA{0xfb, 0xfb, 0xfa, 0xff})
	if _, err := p.settle(file, img); err != nil {
		t.Fatal(err)
	}
	p.check = true
	for _, c := range []struct {
		img  image.Image
		same bool
	}{{img, true}, {painted(40, 41, color.RGBA{0xfb, 0xfb, 0xfa, 0xff}), false}, {painted(40, 40, color.Black), false}} {
		if same, err := p.settle(file, c.img); err != nil || same != c.same {
			t.Errorf("the same: %v, want %v: %v", same, c.same, err)
		}
	}
	if err := p.surplus(nil); err == nil {
		t.Error("a picture too many is not found")
	}
	p.check = false
	if err := p.surplus(nil); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the picture is still there: %v", err)
	}
}
