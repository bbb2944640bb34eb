package parse

import (
	"bytes"
	"path"
	"strings"
)

// kind is what a file's first octets say.
type kind struct{ magic, typ string }

// trueType gives the media type of a file: the declared one, or what content and name say where that is generic.
func trueType(declared, name string, data []byte) string {
	switch declared {
	case "", "application/octet-stream", "application/x-octet-stream", "application/unknown", "application/x-download",
		"application/force-download", "application/binary", "binary/octet-stream", "application/x-unknown", "application/download",
		"application/save", "application/x-msdownload", "octet/stream":
	default:
		return declared
	}
	sniffed := sniff(data)
	byName := typeOfExtension(strings.ToLower(path.Ext(SafeName(name))))
	if sniffed == "application/zip" && byName != "" && (strings.Contains(byName, "openxml") || strings.Contains(byName, "opendocument")) {
		return byName
	}
	if sniffed != "" {
		return sniffed
	}
	if byName != "" {
		return byName
	}
	if declared == "" {
		return "application/octet-stream"
	}
	return declared
}

// sniff tells a file's type by its first octets, or "".
func sniff(data []byte) string {
	for _, k := range [...]kind{
		{"%PDF-", "application/pdf"},
		{"\x89PNG\r\n\x1a\n", "image/png"},
		{"\xff\xd8\xff", "image/jpeg"},
		{"GIF87a", "image/gif"},
		{"GIF89a", "image/gif"},
		{"PK\x03\x04", "application/zip"},
		{"PK\x05\x06", "application/zip"},
		{"MZ", "application/vnd.microsoft.portable-executable"},
		{"\x7fELF", "application/x-executable"},
		{"#!", "text/x-script"},
		{"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
		{"Rar!\x1a\x07", "application/vnd.rar"},
		{"\x1f\x8b\x08", "application/gzip"},
		{"L\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut"},
		{"{\\rtf", "application/rtf"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"},
		{"II*\x00", "image/tiff"},
		{"MM\x00*", "image/tiff"},
		{"BEGIN:VCALENDAR", "text/calendar"},
		{"BEGIN:VCARD", "text/vcard"},
	} {
		if len(data) >= len(k.magic) && string(data[:len(k.magic)]) == k.magic {
			return k.typ
		}
	}
	if len(data) > 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP" {
		return "image/webp"
	}
	if len(data) > 12 && string(data[4:8]) == "ftyp" && bytes.Contains(data[8:12], []byte("hei")) {
		return "image/heic"
	}
	return ""
}

// fileTypes maps extensions to media types, both ways; the first extension of a type is the one that is given to
// nameless parts.
func fileTypes() [][2]string {
	return [][2]string{
		{".txt", "text/plain"}, {".log", "text/plain"}, {".html", "text/html"}, {".htm", "text/html"}, {".csv", "text/csv"},
		{".pdf", "application/pdf"}, {".png", "image/png"}, {".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"}, {".gif", "image/gif"},
		{".webp", "image/webp"}, {".heic", "image/heic"}, {".tif", "image/tiff"}, {".tiff", "image/tiff"}, {".bmp", "image/bmp"},
		{".svg", "image/svg+xml"}, {".zip", "application/zip"}, {".gz", "application/gzip"}, {".7z", "application/x-7z-compressed"},
		{".rar", "application/vnd.rar"}, {".doc", "application/msword"}, {".xls", "application/vnd.ms-excel"},
		{".ppt", "application/vnd.ms-powerpoint"}, {".rtf", "application/rtf"}, {".xml", "application/xml"},
		{".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
		{".odt", "application/vnd.oasis.opendocument.text"}, {".ods", "application/vnd.oasis.opendocument.spreadsheet"},
		{".odp", "application/vnd.oasis.opendocument.presentation"}, {".json", "application/json"}, {".eml", "message/rfc822"},
		{".ics", "text/calendar"}, {".vcf", "text/vcard"}, {".p7s", "application/pkcs7-signature"}, {".p7m", "application/pkcs7-mime"},
		{".asc", "application/pgp-signature"}, {".pgp", "application/pgp-encrypted"}, {".mp3", "audio/mpeg"}, {".wav", "audio/wav"},
		{".m4a", "audio/mp4"}, {".mp4", "video/mp4"}, {".mov", "video/quicktime"}, {".p7s", "application/x-pkcs7-signature"},
	}
}

func typeOfExtension(ext string) string {
	if ext == ".asc" {
		return "" // a signature, a key or a message
	}
	for _, t := range fileTypes() {
		if t[0] == ext {
			return t[1]
		}
	}
	return ""
}

// extension is the usual extension of a media type, with its dot.
func extension(typ string) string {
	for _, t := range fileTypes() {
		if t[1] == typ {
			return t[0]
		}
	}
	switch {
	case typ == "message/delivery-status", typ == "message/disposition-notification", typ == "message/feedback-report",
		typ == "text/rfc822-headers", strings.HasPrefix(typ, "text/"):
		return ".txt"
	}
	return ".bin"
}

// dangerousExtensions are those that mail services refuse because opening such a file runs it.
const dangerousExtensions = " ade adp apk appinstaller appref-ms appx appxbundle bat cab chm cmd com cpl diagcab diagcfg diagpack diagpkg dll " +
	"dmg elf ex ex_ exe hlp hta img ins iso isp jar jnlp js jse lib library-ms lnk mde mjs msc msi msix msixbundle msp mst nsh one pif " +
	"ps1 ps1xml ps2 psc1 psc2 reg scf scr sct search-ms settingcontent-ms sh shb shs sys theme url vb vbe vbs vhd vhdx vxd website wsc " +
	"wsf wsh xll xlam xlsm docm dotm pptm potm ppam ppsm sldm xltm deb rpm run bin command py pl rb scpt workflow "

// dangerous tells whether a file is a program or script (S-143): by its safe and its raw name, its type or its
// content.
func dangerous(safe, raw, typ string, data []byte) bool {
	for _, name := range []string{safe, withoutInvisible(raw)} {
		ext := strings.ToLower(strings.TrimPrefix(path.Ext(strings.TrimRight(name, ". ")), "."))
		if ext != "" && ext != "bin" && strings.Contains(dangerousExtensions, " "+ext+" ") {
			return true
		}
	}
	switch typ {
	case "application/x-msdownload", "application/x-msdos-program", "application/x-dosexec", "application/x-sh", "application/x-executable",
		"application/javascript", "text/javascript", "application/x-javascript", "application/hta", "application/x-bat",
		"application/java-archive", "application/x-ms-shortcut", "application/vnd.microsoft.portable-executable", "text/x-script",
		"text/vbscript", "application/x-iso9660-image", "application/vnd.android.package-archive":
		return true
	}
	switch sniff(data) {
	case "application/vnd.microsoft.portable-executable":
		return len(data) > 64
	case "application/x-executable", "application/x-ms-shortcut":
		return true
	}
	return false
}
