package config

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Support leads keep people, customers and configuration items in a spreadsheet. Its CSV file (RFC 4180) may be
// separated by commas, semicolons or tabs, as spreadsheets write it; the first row names the columns, in any order.

// Bounds on a table.
const (
	maxTable = 4 << 20
	maxRows  = 50_000
	maxCell  = 2000
)

// tableColumns are the columns that a table can have, and those that it must.
type tableColumns struct {
	required, optional []string
}

// table is a CSV file, read.
type table struct {
	file string
	rows []row
}

// row holds the cells of a line by column.
type row struct {
	at    place
	cells map[string]cell
}

// cell is one value and where it stands. Absent ones have the place of their row.
type cell struct {
	at   place
	text string
}

// get is the cell of a column.
func (w row) get(column string) cell {
	if c, ok := w.cells[column]; ok {
		return c
	}
	at := w.at
	at.path = column
	return cell{at: at}
}

// one is the value of a cell, as a list.
func (c cell) one() []cell {
	if c.text == "" {
		return nil
	}
	return []cell{c}
}

// many are the values of a cell, which are separated by semicolons.
func (c cell) many() []cell {
	var all []cell
	at := c.at
	for part := range strings.SplitSeq(c.text, ";") {
		one := cell{at: at, text: strings.TrimSpace(part)}
		one.at.col += utf8.RuneCountInString(part) - utf8.RuneCountInString(strings.TrimLeft(part, " "))
		if one.text != "" {
			all = append(all, one)
		}
		at.col += utf8.RuneCountInString(part) + 1
	}
	return all
}

// table reads the CSV file that a key names. It is nil when there is none, or when it cannot be read.
func (r *resolver) table(key opt[string], columns tableColumns) *table {
	if key.val == "" {
		return nil
	}
	data, ok := r.file(key.at, key.val, maxTable, false)
	if !ok {
		return nil
	}
	t := &table{file: r.path(key.val)}
	top := place{line: 1, col: 1, file: t.file}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if !utf8.Valid(data) {
		at := lineOf(data, func(line []byte) bool { return !utf8.Valid(line) })
		at.file = t.file
		r.report("", at, "save it as CSV UTF-8", "the file is not UTF-8 text")
		return nil
	}
	if len(bytes.TrimSpace(data)) == 0 {
		r.report("", top, "begin with "+strings.Join(columns.required, ","), "the file is empty")
		return nil
	}
	lines := bytes.Split(data, []byte("\n"))
	in := csv.NewReader(bytes.NewReader(data))
	in.FieldsPerRecord, in.ReuseRecord, in.Comma = -1, true, separator(lines[0])
	var header []string
	for !r.stopped {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			r.notCSV(t.file, err)
			return nil
		}
		cells := cellsOf(in, record, lines, t.file)
		if header == nil {
			if header = r.header(cells, columns); header == nil {
				return nil
			}
			continue
		}
		if !slices.ContainsFunc(cells, func(c cell) bool { return c.text != "" }) {
			continue
		}
		if len(t.rows) == maxRows {
			r.report("", cells[0].at, "split the desk, or leave out what it never needs", "the table has more than %d rows", maxRows)
			return nil
		}
		t.rows = append(t.rows, r.row(cells, header, columns))
	}
	return t
}

// separator is what stands between the cells of the first line.
func separator(line []byte) rune {
	for _, c := range ",;\t" {
		if bytes.ContainsRune(line, c) {
			return c
		}
	}
	return ','
}

// cellsOf gives every cell its place, in letters from the start of its line.
func cellsOf(in *csv.Reader, record []string, lines [][]byte, file string) []cell {
	var cells []cell
	for i, text := range record {
		line, col := in.FieldPos(i)
		at := place{line: line, col: col, file: file}
		if line >= 1 && line <= len(lines) {
			before := lines[line-1][:min(col-1, len(lines[line-1]))]
			rest := lines[line-1][len(before):]
			at.col = utf8.RuneCount(before) + 1
			if bytes.HasPrefix(rest, []byte(`"`)) {
				at.col++
			}
		}
		trimmed := strings.TrimLeft(text, " ")
		at.col += len(text) - len(trimmed)
		cells = append(cells, cell{at: at, text: strings.TrimSpace(trimmed)})
	}
	return cells
}

// notCSV reports what the CSV reader could not read.
func (r *resolver) notCSV(file string, err error) {
	var pe *csv.ParseError
	at := place{line: 1, col: 1, file: file}
	if errors.As(err, &pe) {
		at.line, at.col = pe.Line, max(1, pe.Column)
		if errors.Is(pe.Err, csv.ErrQuote) || errors.Is(pe.Err, csv.ErrBareQuote) {
			r.report("", at, `put the whole cell in quotes, and write each quote in it twice: "a ""b"""`, "a quotation mark stands alone")
			return
		}
		err = pe.Err
	}
	r.report("", at, "save it again as CSV", "this is not CSV: %s", err)
}

// header reads the names of the columns; nil when they cannot be used.
func (r *resolver) header(cells []cell, columns tableColumns) []string {
	known := append(slices.Clone(columns.required), columns.optional...)
	var names []string
	ok := true
	for _, c := range cells {
		name := strings.ToLower(c.text)
		c.at.path = clip(name)
		switch {
		case name == "" || !slices.Contains(known, name):
			r.report("E01", c.at, didYouMean(name, known), "unknown column")
			ok = false
		case slices.Contains(names, name):
			r.report("E02", c.at, "keep one of them", "stands here twice")
			ok = false
		}
		names = append(names, name)
	}
	for _, name := range columns.required {
		if !slices.Contains(names, name) && ok {
			at := cells[0].at
			at.path = name
			r.report("", at, "the first row names the columns: "+strings.Join(known, ","), "the column is missing")
			ok = false
		}
	}
	if !ok {
		return nil
	}
	return names
}

// row puts cells under their columns and checks that those are there that must be.
func (r *resolver) row(cells []cell, header []string, columns tableColumns) row {
	w := row{at: cells[0].at, cells: map[string]cell{}}
	for i, c := range cells {
		switch {
		case i >= len(header) && c.text != "":
			r.report("", c.at, "several values in one cell are separated by ; and not by the separator of cells", "the row has more cells than there are columns")
			return w
		case i >= len(header):
			continue
		}
		c.at.path = header[i]
		switch {
		case utf8.RuneCountInString(c.text) > maxCell:
			r.report("", c.at, "shorten it", "the cell holds more than %d letters", maxCell)
			c.text = ""
		case strings.ContainsFunc(c.text, unicode.IsControl):
			r.report("", c.at, "write it on one line", "a line break or another control character stands in the cell")
			c.text = ""
		case c.text == "" && slices.Contains(columns.required, header[i]):
			r.report("", c.at, "fill it in", "the cell is empty")
		}
		w.cells[header[i]] = c
	}
	for _, name := range columns.required {
		if _, there := w.cells[name]; !there {
			at := w.at
			at.path = name
			r.report("", at, "fill it in", "the cell is missing")
		}
	}
	return w
}

// cellValue reads a cell that is not empty as a value of that kind; ok is false when it was reported instead.
func (r *resolver) cellValue(c cell, kind string) (v any, ok bool) {
	if c.text == "" {
		return nil, false
	}
	v, err := kinds[kind].parse(c.text)
	if err == nil {
		return v, true
	}
	var f *fault
	if !errors.As(err, &f) {
		f = &fault{what: err.Error()}
	}
	r.report(f.code, c.at, f.fix, "%s", f.what)
	return nil, false
}

// yesNo reads a truth value as people write it in a spreadsheet.
func yesNo(s string) (yes, ok bool) {
	switch strings.ToLower(s) {
	case "yes", "true", "ja", "wahr", "x", "1", "y", "j":
		return true, true
	case "", "no", "false", "nein", "falsch", "0", "n", "-":
		return false, true
	}
	return false, false
}
