package main

import (
	"cmp"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"slices"
)

// tolerance is how much of a picture may look different: smoothing of letters varies from version to version.
const tolerance = 0.005

// visible is from which difference of a channel on a point looks different.
const visible = 48

// maxColours of a picture that is kept. A mail has few, and their shades at the edges of letters.
const maxColours = 16

// cropped cuts off what is below the views.
func cropped(img image.Image) (image.Image, error) {
	b := img.Bounds()
	end := 0
	for y := b.Max.Y - 1; y >= b.Min.Y && end == 0; y-- {
		for x := b.Min.X; x < b.Max.X; x++ {
			if img.At(x, y) != img.At(b.Min.X, b.Min.Y) {
				end = y + 1 + gap
				break
			}
		}
	}
	if end == 0 || end >= b.Max.Y {
		return nil, errors.New("the views are not to be seen, or do not fit on the sheet")
	}
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), end-b.Min.Y))
	draw.Draw(out, out.Bounds(), img, b.Min, draw.Src)
	return out, nil
}

// reduced is the picture in a few colours: the most frequent ones, and for every other the one nearest to it.
func reduced(img image.Image) *image.Paletted {
	b := img.Bounds()
	count := map[color.RGBA]int{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[rgba(img.At(x, y))]++
		}
	}
	var all []color.RGBA
	for c := range count {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int { // by frequency; the order of the rest only has to be the same each time
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	for apart := 24; len(palette) < maxColours && apart >= 0; apart -= 8 {
		for _, c := range all {
			if len(palette) < maxColours && !slices.ContainsFunc(palette, func(p color.Color) bool { return distance(c, p.(color.RGBA)) <= apart }) {
				palette = append(palette, c)
			}
		}
	}
	nearest := map[color.RGBA]uint8{}
	for _, c := range all {
		nearest[c] = uint8(palette.Index(c))
	}
	out := image.NewPaletted(image.Rect(0, 0, b.Dx(), b.Dy()), palette)
	for y := range b.Dy() {
		for x := range b.Dx() {
			out.SetColorIndex(x, y, nearest[rgba(img.At(b.Min.X+x, b.Min.Y+y))])
		}
	}
	return out
}

// difference is which share of two pictures looks different, of the larger one. Pictures of another size are compared
// as far as both reach; the rest is different.
func difference(a, b image.Image) float64 {
	w, h := max(a.Bounds().Dx(), b.Bounds().Dx()), max(a.Bounds().Dy(), b.Bounds().Dy())
	if w*h == 0 {
		return 0
	}
	differ := 0
	for y := range h {
		for x := range w {
			p, q := a.Bounds().Min.Add(image.Pt(x, y)), b.Bounds().Min.Add(image.Pt(x, y))
			if !p.In(a.Bounds()) || !q.In(b.Bounds()) || distance(rgba(a.At(p.X, p.Y)), rgba(b.At(q.X, q.Y))) > visible {
				differ++
			}
		}
	}
	return float64(differ) / float64(w*h)
}

// distance is the largest difference of a channel.
func distance(a, b color.RGBA) int {
	off := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return max(off(a.R, b.R), off(a.G, b.G), off(a.B, b.B))
}

func rgba(c color.Color) color.RGBA { return color.RGBAModel.Convert(c).(color.RGBA) }
