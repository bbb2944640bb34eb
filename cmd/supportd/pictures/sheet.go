package main

import (
	"fmt"
	"html"
	"strings"
)

// A sheet shows one mail four times: on a screen and on a telephone, above in light and below in dark. The dark views
// are the same page with its rules for dark in force.

const (
	sheetWidth  = screenWidth + phoneWidth + 3*gap
	sheetHeight = 9000 // more than any two views above each other; what is not used is cut off
	screenWidth = 800
	phoneWidth  = 360
	gap         = 12
)

// background is the colour of the sheet between the views: neither page has it.
const background = "#8a8d91"

const (
	condition = "@media (prefers-color-scheme: dark)"
	schemes   = "color-scheme: light dark"
)

// inLight and inDark are the page as somebody sees it who prefers that, whatever the browser prefers.
func inLight(page string) string {
	return strings.ReplaceAll(strings.ReplaceAll(page, condition, "@media not all"), schemes, "color-scheme: light")
}

func inDark(page string) string {
	return strings.ReplaceAll(strings.ReplaceAll(page, condition, "@media all"), schemes, "color-scheme: dark")
}

// inInverted is the light page as clients show it that know nothing of dark pages and invert the light ones.
func inInverted(page string) string {
	return strings.Replace(inLight(page), "</style>", "html { background-color: #fbfbfa; filter: invert(1) hue-rotate(180deg); }\n</style>", 1)
}

func sheetOf(page string, inverted bool) string {
	dark := inDark(page)
	if inverted {
		dark = inInverted(page)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<!DOCTYPE html><meta charset="utf-8"><style>
body { margin: %[1]dpx; width: %[2]dpx; background: %[3]s; }
div { display: flex; gap: %[1]dpx; align-items: flex-start; margin-bottom: %[1]dpx; }
iframe { border: 0; display: block; flex: none; }
</style><body>`, gap, sheetWidth-2*gap, background)
	for _, page := range []string{inLight(page), dark} {
		b.WriteString("<div>")
		for _, width := range []int{screenWidth, phoneWidth} {
			fmt.Fprintf(&b, `<iframe style="width:%dpx" srcdoc="%s" onload="this.style.height = this.contentDocument.body.offsetHeight + 'px'"></iframe>`, width, html.EscapeString(page))
		}
		b.WriteString("</div>")
	}
	return b.String()
}
