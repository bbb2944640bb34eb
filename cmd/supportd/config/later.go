package config

import (
	"reflect"
	"regexp"

	"go.yaml.in/yaml/v4"
)

// laterKeys stand for a part of the language that this version reads past: whoever has written it for a later one can use the
// file today, and is told.
type laterKeys struct{}

func (*laterKeys) read(d *decoder, _ *yaml.Node, at place, _ reflect.StructTag) {
	if d.warnings++; d.warnings > maxWarnings {
		return
	}
	before := len(d.findings)
	d.report("", at, "leave it for later versions, or delete it", "is not used yet: this version reads past it")
	if len(d.findings) > before {
		d.findings[before].Warning = true
	}
}

func (*laterKeys) absent(*decoder, place, reflect.StructTag) {}

// laterCondition stands for a condition on something that this version does not have: nothing fulfils it.
type laterCondition struct {
	given bool
}

func (k *laterCondition) read(d *decoder, _ *yaml.Node, at place, _ reflect.StructTag) {
	k.given = true
	before := len(d.findings)
	d.report("", at, "leave it for later versions, or delete it", "never holds yet: this version has no problems")
	if len(d.findings) > before {
		d.findings[before].Warning = true
	}
}

func (*laterCondition) absent(*decoder, place, reflect.StructTag) {}

// laterText are the texts of answers that are no files: templates and articles. They are read past until there are such.
var laterText = regexp.MustCompile(`^(?:template:[\w./-]+|KB-\d+)$`)
