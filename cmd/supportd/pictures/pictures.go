package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"supportd/templates"
)

// pictures is one run.
type pictures struct {
	dir, only, browser string
	check, inverted    bool
	log                func(format string, args ...any)
}

// patience is how long the browser may take for one picture.
const patience = time.Minute

// languages are those in which the desk writes.
func languages() []string { return []string{"de", "en"} }

// keeps reports whether a picture is kept. Notices differ in their words only, and people of the desk look at them at
// home: they are kept in one language, to keep the repository small.
func keeps(s templates.Source) bool { return s.Audience != "internal" || s.Language == "de" }

func (p *pictures) findBrowser(look func(string) (string, error)) error {
	if p.browser != "" {
		return nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := look(name); err == nil {
			p.browser = path
			return nil
		}
	}
	return errors.New("no browser is installed to take pictures with: install chromium, or name another one with -browser")
}

// run takes all pictures, and compares or keeps them. The error says which differ.
func (p *pictures) run(ctx context.Context) error {
	set, err := templates.Load(nil, templates.Options{Languages: languages()})
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "supportd-pictures-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	var differ, kept []string
	for _, text := range set.Sources() {
		r, err := set.Sample(text.Name, text.Language, true)
		if err != nil {
			return err
		}
		if r.HTML == "" || !keeps(text) && p.only == "" { // automatic answers are plain text
			continue
		}
		file := text.Name + "." + text.Language + ".png"
		kept = append(kept, file)
		if p.only != "" && p.only != text.Name {
			continue
		}
		taken, err := p.take(ctx, work, r.HTML)
		if err != nil {
			return fmt.Errorf("take a picture of %s in %s: %w", text.Name, text.Language, err)
		}
		same, err := p.settle(filepath.Join(p.dir, file), taken)
		if err != nil {
			return err
		}
		if !same {
			differ = append(differ, file)
		}
	}
	switch {
	case len(kept) == 0:
		return errors.New("no template has an HTML form")
	case len(differ) > 0:
		return fmt.Errorf("%d pictures look different (%s); if that is meant, or the fonts here are others, take them anew with .ci/pictures and look at them", len(differ), strings.Join(differ, ", "))
	case p.only == "" && !p.inverted:
		return p.surplus(kept)
	}
	return nil
}

// settle compares a picture with the one that is kept, or keeps it.
func (p *pictures) settle(file string, taken image.Image) (same bool, err error) {
	if p.check {
		there, err := read(file)
		if err != nil {
			return false, err
		}
		share := difference(there, taken)
		if share > tolerance {
			p.log("%s: %.2f %% of it looks different", file, 100*share)
		}
		return share <= tolerance, nil
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, reduced(taken)); err != nil {
		return false, err
	}
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return false, err
	}
	p.log("%s: %d kB", file, b.Len()/1000)
	return true, os.WriteFile(file, b.Bytes(), 0o644)
}

// surplus removes pictures of texts that are no more; with -check they are an error.
func (p *pictures) surplus(kept []string) error {
	there, err := filepath.Glob(filepath.Join(p.dir, "*.png"))
	if err != nil {
		return err
	}
	for _, file := range there {
		if slices.Contains(kept, filepath.Base(file)) {
			continue
		}
		if p.check {
			return fmt.Errorf("%s shows a text that is no more", file)
		}
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}

// take shows a page in all its views and takes one picture of them.
func (p *pictures) take(ctx context.Context, work, page string) (image.Image, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	sheet, shot := filepath.Join(work, "sheet.html"), filepath.Join(work, "sheet.png")
	if err := os.WriteFile(sheet, []byte(sheetOf(page, p.inverted)), 0o600); err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp(work, "profile-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(profile)
	cmd := exec.CommandContext(ctx, p.browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+profile, "--hide-scrollbars",
		"--force-device-scale-factor=1", "--disable-lcd-text", "--font-render-hinting=none", fmt.Sprintf("--window-size=%d,%d", sheetWidth, sheetHeight),
		"--virtual-time-budget=2000", "--screenshot="+shot, "file://"+sheet)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	img, err := read(shot)
	if err != nil {
		return nil, err
	}
	return cropped(img)
}

func read(file string) (image.Image, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return img, nil
}
