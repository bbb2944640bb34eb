package templates

// aroundKeys are what notices say beside a customer's mail.
func aroundKeys() []LineKey {
	return []LineKey{
		key("suggest.category", "what the desk takes a mail to be about, how sure it is, and who gets it on escalation", "name", "percent", "other", "team"),
		key("suggest.asked", "the acknowledgement asks for what the mail does not say", "asked"),
		key("suggest.team", "a team of a higher tier has solved similar tickets", "team", "count"),
		key("suggest.answer", "a standard answer may fit", "name", "title"),
		key("similar.open", "a similar ticket is open", "team"),
		key("overview.over", "heading: overdue"),
		key("overview.today", "heading: due today"),
		key("overview.answered", "heading: the customer waits for an answer"),
		key("overview.told", "heading: what fell due outside working time"),
		key("overview.open", "heading: the other tickets of the reader"),
		key("overview.free", "heading: tickets of the reader's teams that nobody has"),
		key("overview.unowned", "heading: tickets that nobody has"),
		key("overview.returned", "heading: tickets that came back"),
		key("overview.gaps", "heading: tickets that were handed on with gaps"),
		key("overview.aging", "heading: old tickets"),
		key("overview.more", "below a list that is too long", "count"),
		key("overview.from", "whose ticket it is", "from"),
		key("overview.due", "when a ticket falls due", "clock", "due"),
		key("overview.was_due", "when an overdue ticket fell due", "clock", "due"),
		key("overview.since", "how long there has been a ticket", "since"),
		key("overview.came_back", "why a ticket came back", "team", "reason"),
		key("overview.lacks", "what a handover lacks", "team", "fields"),
		key("overview.absent", "somebody of a team is away", "who", "until"),
		key("did.digest_on", "the sender gets overviews"),
		key("did.digest_off", "the sender gets no overviews any more"),
		key("many.new", "heading: new tickets, when there are very many"),
		key("many.replied", "heading: tickets on which customers wrote, when there are very many"),
		key("many.begins", "how a customer's mail begins", "text"),
		key("similar.solved", "a similar ticket was solved lately", "team", "since", "text"),
	}
}
