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
func tagOf(name []byte) tag {
	switch string(name) {
	case "script":
		return tagScript
	case "style":
		return tagStyle
	case "title":
		return tagTitle
	case "textarea":
		return tagTextarea
	case "xmp":
		return tagXmp
	case "iframe":
		return tagIframe
	case "noembed":
		return tagNoembed
	case "noframes":
		return tagNoframes
	case "a":
		return tagA
	case "br":
		return tagBr
	case "hr":
		return tagHr
	case "img":
		return tagImg
	case "span":
		return tagSpan
	case "font":
		return tagFont
	case "b":
		return tagB
	case "i":
		return tagI
	case "u":
		return tagU
	case "s":
		return tagS
	case "em":
		return tagEm
	case "strong":
		return tagStrong
	case "small":
		return tagSmall
	case "big":
		return tagBig
	case "sub":
		return tagSub
	case "sup":
		return tagSup
	case "code":
		return tagCode
	case "tt":
		return tagTt
	case "label":
		return tagLabel
	case "del":
		return tagDel
	case "ins":
		return tagIns
	case "abbr":
		return tagAbbr
	case "cite":
		return tagCite
	case "q":
		return tagQ
	case "bdo":
		return tagBdo
	case "mark":
		return tagMark
	case "time":
		return tagTime
	case "button":
		return tagButton
	case "div":
		return tagDiv
	case "p":
		return tagP
	case "table":
		return tagTable
	case "tbody":
		return tagTbody
	case "thead":
		return tagThead
	case "tfoot":
		return tagTfoot
	case "tr":
		return tagTr
	case "td":
		return tagTd
	case "th":
		return tagTh
	case "blockquote":
		return tagBlockquote
	case "ul":
		return tagUl
	case "ol":
		return tagOl
	case "li":
		return tagLi
	case "pre":
		return tagPre
	case "h1":
		return tagH1
	case "h2":
		return tagH2
	case "h3":
		return tagH3
	case "h4":
		return tagH4
	case "h5":
		return tagH5
	case "h6":
		return tagH6
	case "center":
		return tagCenter
	case "section":
		return tagSection
	case "article":
		return tagArticle
	case "header":
		return tagHeader
	case "footer":
		return tagFooter
	case "main":
		return tagMain
	case "aside":
		return tagAside
	case "nav":
		return tagNav
	case "dl":
		return tagDl
	case "dt":
		return tagDt
	case "dd":
		return tagDd
	case "address":
		return tagAddress
	case "form":
		return tagForm
	case "fieldset":
		return tagFieldset
	case "body":
		return tagBody
	case "html":
		return tagHtml
	case "figure":
		return tagFigure
	case "caption":
		return tagCaption
	case "details":
		return tagDetails
	case "summary":
		return tagSummary
	}
	return tagUnknown
}
