package templates

// tierKeys are the lines about handing a ticket on, asking others, and being away.
func tierKeys() []LineKey {
	return []LineKey{
		key("did.t1able", "tier 1 can solve it next time"),
		key("did.rated", "a packet was rated", "rating"),
		key("did.return", "the ticket went back to the team before", "team"),
		key("did.leads_told", "a team wanted to give a ticket back a second time", "who"),
		key("did.asked", "a colleague was asked", "to"),
		key("did.answered", "a colleague's question was answered", "to"),
		key("did.vendor", "a request went to a third party", "vendor", "to", "until"),
		key("did.vendor_later", "a request leaves at the end of the undo window", "vendor", "to", "until"),
		key("did.absent", "the sender is away", "until"),
		key("did.back", "the sender is there again"),
		key("refused.which_team", "a command needs to be told which team", "word", "candidates"),
		key("refused.same_team", "the ticket is with that team already", "team"),
		key("refused.lower_tier", "a handover goes up, not down", "team", "word"),
		key("refused.reason", "a command needs a reason", "word"),
		key("refused.force_early", "a packet can be forced only after two attempts", "word"),
		key("refused.not_member", "only the team that got the ticket can do this", "team", "who"),
		key("refused.not_handed", "the ticket was not handed over", "word"),
		key("refused.returned_before", "the team gave the ticket back once already", "team"),
		key("refused.ask_whom", "nobody of that name can be asked", "name"),
		key("refused.vendor", "no such third party", "name", "candidates"),
		key("refused.no_draft", "nothing waits to be sent", "word"),
		key("handover.lacks", "a packet lacks something", "team", "missing", "of"),
		key("handover.still_lacks", "a packet that went all the same lacks something", "missing"),
		key("handover.force", "how to hand over all the same", "word"),
		key("handover.understood", "fields that an answer filled in", "fields"),
		key("handover.nothing_understood", "an answer filled in nothing"),
		key("handover.from", "who handed it over, and why", "who", "team", "tier", "reason"),
		key("handover.added", "a packet was completed later", "who"),
		key("handover.accepted", "a handover was accepted", "who", "team", "rating"),
		key("handover.returned", "a handover was given back", "who", "team", "reason"),
		key("handover.not_accepted", "nobody accepted a handover in time", "team"),
		key("handover.proposed", "the time box is over: a handover is proposed", "team"),
		key("handover.by_timer", "the time box is over: it was handed over", "team"),
		key("dispute.intro", "to the leads: two teams disagree", "team", "who", "reason", "from"),
		key("dispute.handed", "one handover of the history", "at", "who", "from", "to", "reason"),
		key("dispute.returned", "one return of the history", "at", "who", "team", "reason"),
		key("dispute.decide", "what the leads are asked to do"),
		key("consult.question", "a colleague asks", "who"),
		key("consult.answer", "a colleague answers", "who"),
		key("learn.solved", "a higher tier solved it", "who", "team"),
		key("learn.t1able", "tier 1 can solve it next time"),
		key("vendor.draft", "a request to a third party is shown first", "vendor", "to"),
		key("vendor.redacted", "what was taken out of a request", "what", "count"),
		key("vendor.nothing_redacted", "nothing had to be taken out"),
		key("vendor.replied", "a third party wrote", "vendor", "reference"),
		key("absent.assignee", "to the lead: a customer wrote to somebody who is away", "who", "until", "team"),
	}
}

// formKeys are the words of a handover's form.
func formKeys() []LineKey {
	keys := []LineKey{
		key("reply.form", "first line: a reply fills in a form"),
		key("reply.consult", "first line: a reply answers a colleague's question"),
		key("need.words", "a field wants more words", "want", "have"),
		key("need.items", "a field wants more items", "want", "have"),
		key("need.choice", "a field wants one of some words", "words"),
		key("need.item", "a field wants a configuration item", "said"),
		key("need.attachment", "a field wants a file"),
		key("need.why", "a field wants a reason"),
		key("need.text", "a field is empty"),
		key("form.or", "what may stand instead", "escape"),
		key("form.or_why", "what may stand instead, with a reason", "escape"),
		key("form.choices", "items to choose from by number", "list"),
	}
	for _, f := range []string{"description", "steps_tried", "affected_ci", "impact", "urgency", "reason", "diagnosis", "reproduction", "logs", "workaround", "customer_promise"} {
		keys = append(keys, key("form."+f, "name of a field; answers are read by it"))
	}
	for _, c := range []string{"high", "medium", "low", "knowledge", "access_rights", "code_change", "data_change", "vendor_defect", "capacity"} {
		keys = append(keys, key("choice."+c, "a word allowed in a field; answers are read by it"))
	}
	for _, e := range []string{"unknown_with_reason", "none_with_reason", "not_reproducible"} {
		keys = append(keys, key("escape."+e, "what may stand instead of a value; answers are read by it"))
	}
	for _, w := range []string{"name", "mail", "phone", "private_address", "credentials"} {
		keys = append(keys, key("redacted."+w, "what is taken out of requests to third parties"))
	}
	return keys
}
