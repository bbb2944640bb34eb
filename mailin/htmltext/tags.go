package htmltext

// tag names an element that this package knows.
type tag uint8

const (
	tagUnknown tag = iota

	// Elements without text for readers.
	tagScript
	tagStyle
	tagTitle
	tagTextarea
	tagXmp
	tagIframe
	tagNoembed
	tagNoframes
	tagLastRaw

	// Inline elements.
	tagA
	tagBr
	tagHr
	tagImg
	tagSpan
	tagFont
	tagB
	tagI
	tagU
	tagS
	tagEm
	tagStrong
	tagSmall
	tagBig
	tagSub
	tagSup
	tagCode
	tagTt
	tagLabel
	tagDel
	tagIns
	tagAbbr
	tagCite
	tagQ
	tagBdo
	tagMark
	tagTime
	tagButton
	tagLastInline

	// Blocks: their start and their end break the line.
	tagDiv
	tagP
	tagTable
	tagTbody
	tagThead
	tagTfoot
	tagTr
	tagTd
	tagTh
	tagBlockquote
	tagUl
	tagOl
	tagLi
	tagPre
	tagH1
	tagH2
	tagH3
	tagH4
	tagH5
	tagH6
	tagCenter
	tagSection
	tagArticle
	tagHeader
	tagFooter
	tagMain
	tagAside
	tagNav
	tagDl
	tagDt
	tagDd
	tagAddress
	tagForm
	tagFieldset
	tagBody
	tagHtml
	tagFigure
	tagCaption
	tagDetails
	tagSummary

	tagCount
)

func (t tag) raw() bool { return t != tagUnknown && t < tagLastRaw }

func (t tag) block() bool { return t > tagLastInline }

// tagOf finds the tag of a name in lower case. Elements without content, and those that change nothing, are unknown.
func tagOf(name []byte) tag { return tags[string(name)] }

// tags is never changed.
var tags = map[string]tag{
	"script": tagScript, "style": tagStyle, "title": tagTitle, "textarea": tagTextarea, "xmp": tagXmp,
	"iframe": tagIframe, "noembed": tagNoembed, "noframes": tagNoframes, "a": tagA, "br": tagBr, "hr": tagHr,
	"img": tagImg, "span": tagSpan, "font": tagFont, "b": tagB, "i": tagI, "u": tagU, "s": tagS, "em": tagEm,
	"strong": tagStrong, "small": tagSmall, "big": tagBig, "sub": tagSub, "sup": tagSup, "code": tagCode,
	"tt": tagTt, "label": tagLabel, "del": tagDel, "ins": tagIns, "abbr": tagAbbr, "cite": tagCite, "q": tagQ,
	"bdo": tagBdo, "mark": tagMark, "time": tagTime, "button": tagButton, "div": tagDiv, "p": tagP,
	"table": tagTable, "tbody": tagTbody, "thead": tagThead, "tfoot": tagTfoot, "tr": tagTr, "td": tagTd,
	"th": tagTh, "blockquote": tagBlockquote, "ul": tagUl, "ol": tagOl, "li": tagLi, "pre": tagPre, "h1": tagH1,
	"h2": tagH2, "h3": tagH3, "h4": tagH4, "h5": tagH5, "h6": tagH6, "center": tagCenter, "section": tagSection,
	"article": tagArticle, "header": tagHeader, "footer": tagFooter, "main": tagMain, "aside": tagAside,
	"nav": tagNav, "dl": tagDl, "dt": tagDt, "dd": tagDd, "address": tagAddress, "form": tagForm,
	"fieldset": tagFieldset, "body": tagBody, "html": tagHtml, "figure": tagFigure, "caption": tagCaption,
	"details": tagDetails, "summary": tagSummary,
}
