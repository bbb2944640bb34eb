package config

import (
	"strconv"

	"go.yaml.in/yaml/v4"

	"supportd/tickets/handover"
)

// expandTiers adds how tickets are handed to the next tier and to third parties.
func (c *Config) expandTiers(root *node) {
	h := c.Handover
	fields := block()
	for _, f := range h.Fields {
		fields.add(f.Name, expandHandoverField(f))
	}
	incomplete, allowed, then := "pass", "always", "refuse"
	if h.Ask {
		incomplete = "ask"
	}
	if h.Return.Once {
		allowed = "once_per_team"
	}
	if h.Return.TellLeads {
		then = "notify_leads"
	}
	n := block().add("fields", fields).add("to_tier2", block().add("require", texts(h.Tier2))).add("to_tier3", block().add("require", texts(h.Tier3)))
	n.add("incomplete", text(incomplete))
	n.addTexts("pass_and_ask", h.PassAndAsk)
	n.add("owner_stays", truth(h.OwnerStays))
	back := block().add("allowed", text(allowed)).add("needs_reason", truth(h.Return.NeedsReason)).add("then", text(then))
	back.Style = yaml.FlowStyle
	root.add("handover", n.add("return", back))

	if len(c.Vendors) > 0 {
		vendors := block()
		for _, v := range c.Vendors {
			vendors.add(v.Name, expandVendor(v))
		}
		root.add("vendors", vendors)
	}
	root.add("vendor_defaults", block().add("remind", expandRemind(c.VendorRemind)).add("redact", texts(c.Redact)))
	if c.ServiceManager.Mail != "" {
		root.add("service_manager", address(c.ServiceManager))
	}
}

func truth(b bool) *node { return plain(strconv.FormatBool(b), "!!bool") }

func expandHandoverField(f handover.Field) *node {
	n := block()
	n.Style = yaml.FlowStyle
	if f.MinWords > 0 {
		n.add("min_words", plain(strconv.Itoa(f.MinWords), "!!int"))
	}
	if f.MinItems > 0 {
		n.add("min_items", plain(strconv.Itoa(f.MinItems), "!!int"))
	}
	n.addTexts("one_of", f.OneOf)
	n.addText("in", f.In)
	n.addText("or", f.Or)
	if f.Attachment {
		n.add("attachment", truth(true))
	}
	return n.add("optional", truth(f.Optional))
}

func expandVendor(v Vendor) *node {
	n := block().add("to", address(v.To))
	n.addText("contract", v.Contract)
	if v.Until != "" {
		n.add("until", quoted(v.Until))
	}
	n.add("language", text(v.Language))
	n.add("calendar", text(v.Calendar))
	if v.Respond > 0 {
		n.add("respond", text(written(v.Respond)))
	}
	n.addText("reference", v.Reference)
	n.addTexts("for", v.For)
	return n
}
