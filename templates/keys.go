package templates

import (
	"fmt"
	"slices"
	"strings"

	"supportd/tickets"
)

// LineKey documents one key of tickets.Line, or another phrase of the catalogue.
type LineKey struct {
	Key  string
	Args []string // names of the arguments that its text may show
	Doc  string   // when it is used
	list int      // entries, when the phrase is a list of words
}

// lineKeys is the table of all keys that a tickets.Line may have. Every language has a text for each of them.
//
// Arguments are strings. Those named at, due, since and until may be instants (RFC 3339), those named left, over,
// target and age durations (1h36m0s), those named state and clock the values of tickets.State and Clock.Kind, and those
// named size, limit, free and floor numbers of octets: they are written as people do, in the reader's zone.
func lineKeys() []LineKey {
	return slices.Concat(didKeys(), refusedKeys(), problemKeys(), healthKeys(), tierKeys(), aroundKeys())
}

func key(name, doc string, args ...string) LineKey { return LineKey{Key: name, Doc: doc, Args: args} }

func didKeys() []LineKey {
	return []LineKey{
		key("did.reply", "an answer was sent to the customer", "to"),
		key("did.reply_later", "an answer leaves at the end of the undo window, to the second", "to", "until"),
		key("did.left_out", "attachments of an answer did not go to the customer", "files", "limit"),
		key("did.note", "the text was kept as an internal note"),
		key("did.solve", "the ticket was solved", "until"),
		key("did.close", "the ticket was closed"),
		key("did.reopen", "the ticket was opened again"),
		key("did.wait", "the ticket waits for the customer", "until"),
		key("did.take", "the sender works on it now", "who"),
		key("did.assign", "somebody else works on it now", "to"),
		key("did.release", "the ticket went back to its team", "team"),
		key("did.team", "the ticket went to another team", "team"),
		key("did.escalate", "the ticket went to a higher tier", "team", "tier"),
		key("did.priority", "the priority was changed", "from", "to"),
		key("did.override_stays", "the priority that a person set stays although the matrix has another", "priority", "other"),
		key("did.priority_auto", "the priority is the matrix's again, which is the same", "priority"),
		key("did.category", "the category was changed", "from", "to"),
		key("did.ci", "the configuration item was changed", "from", "to"),
		key("did.impact", "the impact was changed", "from", "to"),
		key("did.urgency", "the urgency was changed", "from", "to"),
		key("did.reroute_stays", "the ticket stays with its team after #reroute", "team"),
		key("did.tag", "tags were changed", "tags"),
		key("did.cc", "somebody gets copies from now on", "who"),
		key("did.requester", "the requester was changed", "to"),
		key("did.admit", "a held mail was let in", "id", "from", "number"),
		key("did.admit_note", "an agent's held mail was let in, and became a note", "id", "from"),
		key("did.reject", "a held mail was turned down", "id", "from"),
		key("did.spam", "the ticket was set aside as spam"),
		key("did.merge", "two tickets became one", "number"),
		key("did.unmerge", "a merged ticket stands alone again", "number"),
		key("did.send", "a standard answer was sent", "name"),
		key("why.reason", "one step of a decision", "what", "value", "reason"),
		key("did.schedule", "a date was set or moved", "at"),
		key("did.link", "two tickets were noted to belong together", "number"),
		key("did.split", "a ticket of its own was opened for the customer's last message", "number"),
		key("did.unspam", "a ticket came back from quarantine"),
		key("did.undo", "an action was taken back", "what"),
		key("did.undo_move", "what moving a message did was taken back", "folder"),
		key("did.post", "a text that was refused before was sent anyway", "to"),
		key("did.show", "the ticket was shown", "number"),
		key("did.held", "the mail was held", "from"),
		key("did.nothing", "a mail without text and commands"),
		key("did.state", "the state changed as a consequence", "from", "to"),
		key("did.next", "what falls due next", "clock", "due"),
		key("did.undo_until", "until when #undo works", "until"),
		key("did.subject", "the subject was changed", "from", "to"),
		key("did.due", "a due date was set", "until"),
		key("did.due_off", "the due date was taken off"),
		key("did.snooze", "the ticket comes back to the agent", "until"),
		key("did.snooze_off", "it does not come back any more"),
		key("did.time", "working time was noted: of this mail, and in all", "age", "left"),
		key("did.lang", "the language of mails to the customer", "to"),
		key("did.requester_before", "who was the customer before takes no part any more", "from", "suggestion"),
		key("did.uncc", "somebody was taken off the ticket", "who"),
		key("did.watch", "an agent is told of everything from now on", "who"),
		key("did.mute", "the agent hears no more of the ticket"),
		key("did.nocc", "an answer went to the customer only"),
		key("did.noreply", "nothing of the mail goes to the customer"),
		key("did.opened", "an agent opened a ticket for somebody", "number", "who"),
		key("did.acknowledged", "that person is told", "to"),
		key("did.ticket", "above what was done on one of several tickets", "number", "subject"),
		key("did.sla", "another service level", "to"),
		key("did.ack", "an escalation was acknowledged"),
		key("did.more", "the team has more time for the ticket", "age", "due"),
		key("did.moved", "a promise falls due at another time", "clock", "since", "due"),
	}
}

func refusedKeys() []LineKey {
	return []LineKey{
		key("refused.unknown", "no such command", "word", "suggestion"),
		key("refused.state", "not possible in this state", "word", "state"),
		key("refused.restricted", "the ticket is for members of its team only", "word", "team"),
		key("restricted.why", "why so little is told of a ticket", "team"),
		key("refused.auth", "the sender is not authenticated", "from"),
		key("refused.token", "the reply address belongs to somebody else or was revoked", "from"),
		key("refused.right", "the reply address or role gives no right to do this", "word"),
		key("refused.args", "arguments are missing or wrong", "word", "usage"),
		key("refused.ack", "there is nothing to acknowledge", "word"),
		key("refused.more", "the team has no time box for the ticket", "word"),
		key("refused.no_args", "the command takes no arguments", "word", "usage"),
		key("refused.needs_text", "the command needs a text below it", "word"),
		key("refused.needs_resolution", "solved without any answer to the customer", "word"),
		key("refused.person", "no such agent", "name", "suggestion"),
		key("refused.team", "no such team", "name", "suggestion"),
		key("refused.ambiguous", "several people or teams have that name", "name", "candidates"),
		key("refused.choice", "no such category, item or priority", "word", "name", "candidates"),
		key("refused.no_override", "no priority was set by hand"),
		key("refused.ticket", "no such ticket", "number"),
		key("refused.id", "no such held mail", "id"),
		key("refused.later", "a command that this version does not have", "word"),
		key("refused.answer", "no such standard answer", "name", "candidates"),
		key("refused.answer_broken", "a standard answer cannot be made", "name", "reason"),
		key("refused.merge", "the tickets have different requesters", "number"),
		key("refused.merge_state", "the ticket to merge into is not live", "number", "state"),
		key("refused.unmerge", "nothing that was merged is named", "number"),
		key("refused.undo_structure", "the last mail concerned a second ticket"),
		key("refused.undo", "nothing to take back, or too late", "until"),
		key("refused.leak", "the text holds parts of an internal note", "suggestion"),
		key("refused.notice", "the text holds parts of a notice", "suggestion"),
		key("refused.elsewhere", "the text holds sentences of another ticket", "number", "suggestion"),
		key("refused.limit", "too many mails or commands", "until"),
		key("refused.conflict", "two commands exclude each other", "word", "other"),
		key("refused.nothing_done", "nothing of the mail was done"),
		key("refused.not_sent", "the text was not sent and stands below"),
		key("refused.tag", "a word that cannot be a tag", "name"),
		key("refused.too_many", "more than a command takes", "word", "count"),
		key("refused.when", "a time that cannot be read", "word", "text"),
		key("refused.when_past", "a time that is over", "word", "text"),
		key("refused.when_far", "a time years ahead", "word", "text"),
		key("refused.address", "no mail address", "word", "name"),
		key("refused.own_address", "one of the desk's own addresses", "name"),
		key("refused.not_there", "takes no part in the ticket", "name"),
		key("refused.agent_cc", "an agent cannot be in copy as customers are", "name", "suggestion"),
		key("refused.post", "nothing that #post could send"),
		key("refused.foreign", "a command as another desk writes it", "word", "suggestion"),
		key("refused.new_mail", "a command for new mails, in an answer", "word"),
		key("refused.no_forward", "#fwd without a forwarded mail"),
		key("refused.needs_for", "a new mail about a customer that names none", "usage"),
		key("refused.which_ticket", "a new mail with commands that names no ticket", "usage"),
		key("refused.reaches", "a new mail may not send anything to customers", "word"),
		key("refused.when_not_past", "a time that ought to be over", "word", "text"),
	}
}

func problemKeys() []LineKey {
	return []LineKey{
		key("undelivered.bounced", "a mail of ours came back", "to", "status", "reason"),
		key("undelivered.gave_up", "a mail of ours was given up", "to", "attempts", "since", "reason"),
		key("undelivered.refused", "the server refused a mail of ours for good", "to", "reason"),
		key("undelivered.delayed", "a server still tries to deliver a mail of ours", "to", "reason"),
		key("undelivered.ack", "the acknowledgement came back", "to", "reason"),
		key("undelivered.what_now", "what to do about it", "to"),
		key("moved.into", "a message was moved into a folder that means something", "folder", "who"),
		key("held.stranger", "somebody who is not on the ticket wrote to it", "from", "id"),
		key("held.unverified", "nobody vouches for the sender of a mail to a ticket", "from", "id"),
		key("held.agent", "an answer in an agent's name is not authenticated", "from", "id"),
		key("held.forged", "the sender's domain says that the mail is forged (dmarc=fail)", "from", "id"),
		key("held.token", "the reply address belongs to somebody else or was revoked", "from", "id"),
		key("held.spam", "spam or malware, says the mail server", "from", "reason", "id"),
		key("held.loop", "the mail goes round in circles", "from", "id"),
		key("held.limit", "the sender writes too often", "from", "count", "id"),
		key("held.leak", "an answer holds parts of an internal note", "from", "id"),
		key("held.unreadable", "the mail could not be read", "from", "id"),
		key("held.reason", "a mail waits for a decision, with the reason in words", "from", "reason", "id"),
		key("held.what_now", "what to do about it", "id"),
		key("held.list", "how many mails are held, in the daily list", "count"),
		key("held.listed", "one of them", "id", "from", "subject", "reason", "since"),
		key("held.list_what_now", "what to do about them"),
		key("clock.warning", "part of a promise's time is used up", "clock", "percent", "left", "due"),
		key("clock.breach", "a promise was broken", "clock", "over", "due"),
		key("clock.critical", "a promise was broken long ago", "clock", "over", "due"),
		key("clock.untouched", "nobody has touched the ticket", "age", "since"),
		key("clock.unowned", "nobody works on the ticket", "age", "since"),
		key("clock.no_next_step", "nobody works on the ticket, and nothing that it waits for has a deadline", "age", "since"),
		key("major.declared", "a ticket concerns many", "team", "every"),
		key("major.burst", "several people write about the same", "count", "name", "number"),
		key("clock.unanswered", "the customer's last mail has no answer", "age", "since"),
		key("back.snoozed", "a ticket comes back to the agent who put it aside", "since"),
		key("back.due", "the due date of a ticket has come", "since"),
		key("offer.answer_this", "a mail that a new mail could not do without", "number"),
		key("list.restricted", "a ticket that the reader may not see", "number", "team", "state"),
		key("list.ticket", "a ticket of a list", "number", "subject", "from", "state", "who", "due"),
		key("list.none", "a list without tickets"),
		key("list.more", "tickets that a list leaves out", "count"),
		key("list.cut", "a list that looked at the newest tickets only", "count"),
		key("figure.live", "how many tickets are open", "count"),
		key("figure.unassigned", "how many of them nobody works on", "count"),
		key("figure.waiting", "how many wait for others", "count"),
		key("figure.overdue", "how many are overdue", "count"),
		key("figure.opened", "opened in a week", "count"),
		key("figure.solved", "solved in a week", "count"),
		key("figure.reopened", "reopened in a week", "count"),
		key("figure.late", "answered too late for the first time", "count"),
	}
}

func healthKeys() []LineKey {
	return []LineKey{
		key("health.mailbox_down", "a mailbox cannot be read", "mailbox", "since", "reason"),
		key("health.mailbox_claimed", "another desk reads a mailbox", "mailbox", "reason"),
		key("health.mailbox_up", "it can be read again", "mailbox", "since"),
		key("health.mailbox_login", "the mail server refuses the login", "mailbox", "reason"),
		key("health.smtp_down", "no mail can be sent", "server", "since", "reason", "count"),
		key("health.smtp_up", "mail can be sent again", "server", "since"),
		key("health.smtp_refused", "the server refuses login or sender", "server", "reason"),
		key("health.disk_low", "intake has stopped: the disk is nearly full", "path", "free", "floor"),
		key("health.disk_ok", "there is room again", "path", "free"),
		key("health.unfetchable", "the server lists a mail and does not hand it out", "mailbox", "uid", "attempts", "reason"),
		key("health.oversize", "a mail is larger than max_size", "mailbox", "from", "subject", "size", "limit"),
		key("health.staff_bounced", "mail to an agent comes back", "to", "status", "reason"),
		key("health.unreadable", "a mail could not be read", "mailbox", "uid", "reason"),
		key("health.uidvalidity", "the server has numbered a mailbox anew", "mailbox"),
		key("health.config_refused", "a changed configuration was refused", "file", "reason"),
		key("health.config_loaded", "a changed configuration is in force", "rev"),
		key("health.certificate", "a server's certificate ends soon", "server", "days", "until"),
		key("health.certificate_ok", "it was renewed", "server"),
		key("health.secret", "a client's secret for access tokens ends soon", "account", "days", "until"),
		key("health.secret_ok", "it was renewed", "account"),
		key("health.consent", "what a person agreed to ends soon", "account", "login", "days", "until"),
		key("health.consent_ok", "it was renewed", "account"),
		key("health.token", "there are no access tokens for an account", "account", "since", "reason"),
		key("health.token_ok", "there are again", "account", "since"),
		key("health.outbox", "mails wait for too long", "count", "since"),
		key("health.outbox_ok", "they have left"),
		key("health.given_up", "mails were given up", "count"),
		key("health.silence", "a mailbox gets nothing when it usually does", "mailbox", "since", "usual"),
		key("health.silence_over", "something has come again", "mailbox"),
		key("health.config_stale", "a changed configuration is refused for long", "file", "since", "reason"),
		key("health.config_ok", "the file's configuration is in force again", "file"),
		key("health.auto_limit", "too many automatic mails: they wait", "count", "limit_per_minute"),
		key("health.flood", "one sender writes too much", "from", "number", "count"),
		key("health.flood_notices", "too many notices about unverified senders", "count"),
		key("health.loop", "a machine answers automatic mail", "from", "number"),
		key("health.books", "messages seen and messages settled differ", "remainder"),
		key("health.clock", "the machine's clock went backwards", "age"),
		key("health.stopped", "the desk stopped after a write error and was started again", "reason"),
		key("health.nobody_authenticated", "no answer of an agent can be accepted", "mailbox"),
		key("health.restored", "the outbox is held after a restore", "count"),
	}
}

// wordKeys are the phrases that are no lines: names, dates and fixed sentences.
func wordKeys() []LineKey {
	list := func(name string, n int, doc string) LineKey { return LineKey{Key: name, Doc: doc, list: n} }
	keys := []LineKey{
		list("time.weekdays", 7, "names of the days, Sunday first"),
		list("time.weekdays_short", 7, "short names of the days, Sunday first"),
		list("time.months", 12, "names of the months"),
		list("time.months_short", 12, "short names of the months"),
		key("time.zones_hidden", "zones that need not be named"),
		key("time.long", "an instant in a sentence", "weekday", "day", "month", "year", "clock", "zone"),
		key("time.dated", "the same with the year", "weekday", "day", "month", "year", "clock", "zone"),
		key("time.short", "an instant in a list; also to the second", "weekday", "day", "month", "year", "clock", "zone"),
		key("number.decimal", "decimal mark"),
		key("marker", "the line above which people answer"),
		key("greeting", "salutation", "name"),
		key("greeting.nameless", "salutation of somebody unknown"),
		key("greeting.informal", "salutation among friends", "name"),
		key("greeting.informal.nameless", "the same without a name"),
		key("subject.none", "stands for an empty subject"),
		key("subject.restricted", "stands for the subject of a ticket that the reader may not see"),
		key("text.cut", "stands for lines that were left out", "count"),
		key("said.dated", "above what somebody wrote", "from", "at"),
		key("said.undated", "the same without a time", "from"),
		key("quote.dated", "above the customer's last mail", "from", "at"),
		key("quote.undated", "the same without a time", "from"),
		key("reply.public", "first line: a reply goes to the customer", "to"),
		key("reply.internal", "first line: a reply stays inside"),
		key("reply.command", "first line: only commands count"),
		key("reply.note", "first line: a reply becomes a note"),
		key("reply.no_right", "first line: a reply does nothing"),
		key("mark.done", "word before a line that was done"),
		key("mark.refused", "word before a line that was refused"),
		key("over", "after a time that is past"),
		key("attachment", "a file on one line", "name", "size"),
		key("attachment.dangerous", "the same, a program or script", "name", "size"),
		key("attachment.blocked", "the same, of a kind that is not passed on", "name", "size"),
		key("fact.team_tier", "team with its tier", "team", "tier"),
		key("warning.looks_like", "the sender's domain is easily mistaken for one that the desk knows", "domain", "like"),
		key("hint.ticket", "a hint that is a ticket number", "number"),
		key("fact.unassigned", "nobody works on it"),
		key("fact.vip", "behind the organisation of an important requester"),
		key("language.de", "name of a language"),
		key("language.en", "name of a language"),
		key("fact.priority_by", "a priority that a person has set by hand", "priority", "by", "reason"),
	}
	for _, l := range []string{"number", "subject", "requester", "organisation", "phone", "speaks", "level", "copies", "state", "team", "priority", "category", "item", "assignee"} {
		keys = append(keys, key("label."+l, "label of a fact"))
	}
	for _, st := range tickets.States() {
		keys = append(keys, key("standing."+string(st), "how things stand in that state, told to a customer"))
		keys = append(keys, key("state."+string(st), "name of a state"))
	}
	for _, c := range []string{"first_response", "next_response", "update", "resolve", "accept", "time_box", "vendor"} {
		keys = append(keys, key("clock."+c, "name of a promise"))
	}
	return keys
}

func phraseKeys() []LineKey { return slices.Concat(lineKeys(), wordKeys(), formKeys(), questionKeys()) }

func lineKeyNames() []string {
	var names []string
	for _, k := range lineKeys() {
		names = append(names, k.Key)
	}
	return names
}

// LineKeys lists all keys that a tickets.Line may have, with their arguments.
func (s *Set) LineKeys() []LineKey { return lineKeys() }

// Reference is the page of the handbook about templates: blocks, variables and phrases, as Markdown.
func (s *Set) Reference() string {
	var b strings.Builder
	b.WriteString("# What templates can show\n\nWhat the mails look like stands in [gallery.md](gallery.md).\n\n## Variables\n\n| for | variable | kind | meaning |\n| --- | --- | --- | --- |\n")
	for _, v := range s.Variables() {
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", v.Audience, v.Name, v.Kind, v.Doc)
	}
	b.WriteString("\n## Blocks\n\nEach stands on a line of its own, such as `{{template \"quote\" .text}}`: ")
	b.WriteString("`" + strings.Join(blockNames(), "`, `") + "`.\n\n## Layout\n\n")
	b.WriteString("A brand's folder of texts may hold `layout.txt`, with lines such as `link = #7a1f5c`, and `de/footer.txt`, the lines below\n" +
		"mails to people outside. What is given is tried: texts need a contrast of 4.5 to their background.\n\n| key | default | meaning |\n| --- | --- | --- |\n")
	for _, k := range s.LayoutKeys() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Key, k.Default, k.Doc)
	}
	b.WriteString("\n## Phrases\n\n| key | when | ")
	b.WriteString(strings.Join(s.languages, " | ") + " |\n| --- | --- |" + strings.Repeat(" --- |", len(s.languages)) + "\n")
	for _, k := range phraseKeys() {
		fmt.Fprintf(&b, "| `%s` | %s |", k.Key, k.Doc)
		for _, lang := range s.languages {
			b.WriteString(" " + strings.ReplaceAll(s.phrases[lang].texts[k.Key].source, "|", "\\|") + " |")
		}
		b.WriteByte('\n')
	}
	return b.String()
}
