package templates

import "slices"

// Kinds of values that a template sees.
const (
	kindText   = "text"
	kindNumber = "number"
	kindFlag   = "yes or no"
	kindList   = "list"
	kindRecord = "record"
)

// shape is what the checker knows about a value.
type shape struct {
	kind   string
	elem   *shape // of a list
	fields []field
}

type field struct {
	name string
	sh   *shape
	doc  string
}

func (s *shape) field(name string) *shape {
	for _, f := range s.fields {
		if f.name == name {
			return f.sh
		}
	}
	return nil
}

func (s *shape) names() []string {
	var names []string
	for _, f := range s.fields {
		names = append(names, f.name)
	}
	slices.Sort(names)
	return names
}

func textField(name, doc string) field { return field{name, &shape{kind: kindText}, doc} }

func flagField(name, doc string) field { return field{name, &shape{kind: kindFlag}, doc} }

func listField(name, doc string) field {
	return field{name, &shape{kind: kindList, elem: &shape{kind: kindText}}, doc}
}

func recordsField(name, doc string, fields ...field) field {
	return field{name, &shape{kind: kindList, elem: &shape{kind: kindRecord, fields: fields}}, doc}
}

func commonFields() []field {
	return []field{
		textField("language", "language of the mail, ISO 639-1"),
		textField("desk", "name of the desk"),
		textField("desk_address", "its public address"),
		textField("number", "ticket number; empty in mails about no ticket"),
		textField("subject", "the requester's subject, without marks of answers"),
		textField("marker", "the line above which people answer"),
	}
}

func publicFields() []field {
	return append(commonFields(),
		flagField("informal", "customers are addressed as friends do: du, first name"),
		textField("requester", "the requester's name; empty when unknown"),
		textField("greeting", "the salutation, with the name when it is known"),
		textField("agent", "name of the person who answers; empty in automatic mails"),
		listField("signature", "lines of that person's signature; empty: their name and the desk's stand instead"),
		listField("text", "lines of the answer"),
		listField("quote", "lines of the requester's last text, at most 20"),
		textField("quote_from", "whose text that is"),
		textField("quote_at", "when that was written, with the year"),
		textField("quote_line", "the line above the quote: who wrote when"),
		textField("promised_by", "by when the desk has promised to answer; empty: nothing is promised"),
		textField("reopen_until", "until when an answer reopens the ticket"),
		textField("standing", "how things stand, in one sentence; empty where it does not matter"),
		textField("appointment", "the agreed date; empty: there is none"),
		textField("answer_by", "until when the desk waits for an answer; empty: for as long as it takes"),
		listField("questions", "what the requester is asked, one numbered sentence each; empty: nothing"),
		textField("follow_up_of", "number of the closed ticket before this one"),
		listField("footer", "the brand's name and footer; where a text does not place them they stand above the line above which people answer, or at the end"),
	)
}

func internalFields() []field {
	return append(commonFields(),
		textField("reply_line", "what a plain reply to this mail does, one sentence"),
		flagField("reply_is_public", "a plain reply goes to the customer"),
		textField("state", "state of the ticket, in words"),
		textField("team", "team that has the ticket"),
		field{"tier", &shape{kind: kindNumber}, "its tier: 1, 2 or 3; 0 when unknown"},
		textField("priority", "priority with its name, such as P2 High"),
		textField("category", "what it is about, as people read it"),
		textField("item", "configuration item; empty when none is known"),
		listField("checklist", "lines of what is to be done"),
		textField("assignee", "who works on it"),
		textField("requester", "the requester's name; empty when unknown"),
		textField("requester_address", "the requester's address"),
		textField("organisation", "the requester's organisation; empty when unknown"),
		flagField("vip", "the requester is one of the customer's important people"),
		textField("phone", "the requester's number, as the signature of the mail has it; empty when unknown"),
		textField("speaks", "language of answers to the requester, in words"),
		textField("level", "service level; empty when there is none"),
		flagField("verified", "the sender of the text was authenticated"),
		listField("text", "lines of the new text that the mail is about"),
		textField("text_from", "who wrote it"),
		textField("text_at", "when that was written, with the year"),
		textField("text_line", "the line above the text: who wrote when"),
		listField("quoted", "lines that were taken for a quote, when they matter; at most 20"),
		recordsField("attachments", "files of the mail",
			textField("name", "safe file name"), textField("size", "size with its unit"), textField("type", "media type"),
			flagField("dangerous", "a program or script"), textField("text", "all of that on one line")),
		listField("warnings", "what to be careful about"),
		recordsField("deadlines", "promises that run",
			textField("clock", "what was promised"), textField("due", "until when"), flagField("over", "that is past"),
			textField("text", "due, and whether it is past, in words")),
		recordsField("listed", "tickets, in a notice about several",
			textField("number", "ticket number"), textField("subject", "the requester's subject"), textField("state", "state, in words"),
			textField("priority", "priority, such as P2"), textField("assignee", "who works on it"), textField("text", "what there is to say of it")),
		recordsField("groups", "tickets below headings, in overviews",
			textField("title", "the heading"), field{"count", &shape{kind: kindNumber}, "how many tickets these are"},
			textField("more", "how many of them are not named, in words; empty when all are"),
			recordsField("tickets", "the tickets",
				textField("number", "ticket number"), textField("subject", "the requester's subject"), textField("state", "state, in words"),
				textField("priority", "priority, such as P2"), textField("assignee", "who works on it"), textField("text", "what there is to say of it"),
				textField("reply", "address by which the reader answers the ticket; empty for none"))),
		recordsField("similar", "tickets that read like this one, open or lately solved",
			textField("number", "ticket number"), textField("subject", "the requester's subject"), textField("state", "state, in words"),
			textField("priority", "priority, such as P2"), textField("assignee", "who works on it"), textField("text", "what there is to say of it"),
			textField("reply", "empty")),
		listField("suggestions", "what may be done with the ticket"),
		field{"count", &shape{kind: kindNumber}, "how many tickets the groups name together, where that is wanted"},
		field{"listed_count", &shape{kind: kindNumber}, "how many tickets these are"},
		recordsField("recent", "what happened last, newest first",
			textField("at", "when"), textField("who", "who"), textField("what", "what")),
		recordsField("lines", "what was done, refused or found",
			flagField("ok", "it was done"), textField("mark", "done or refused, as a word; empty for what was asked for"), textField("text", "the sentence")),
		listField("form", "lines of a handover's packet, with >>> before what is missing"),
		textField("headline", "the first sentence of the lines, cut after 80 characters"),
		listField("sent", "lines that the customer was sent"),
		textField("sent_to", "to whom, joined by commas"),
		listField("commands", "useful commands, as one types them"),
		listField("hints", "other hints"),
		recordsField("facts", "the ticket at a glance, deadlines included",
			textField("label", "what it is"), textField("value", "its value")),
	)
}

// shapeOf is what a template of that spec may use.
func shapeOf(sp spec) *shape {
	fields := internalFields()
	switch sp.audience {
	case audiencePublic:
		fields = publicFields()
	case audienceVendor:
		fields = vendorFields()
	}
	if sp.only != nil {
		fields = slices.DeleteFunc(fields, func(f field) bool { return !slices.Contains(sp.only, f.name) })
	}
	return &shape{kind: kindRecord, fields: fields}
}

// Variable is one thing that templates can show.
type Variable struct {
	Audience string // public or internal
	Name     string // such as .number, or .deadlines[].due for a field of a list's entries
	Kind     string // text, number, yes or no, list
	Doc      string
}

// Variables lists what templates can show, those for customers first.
func (s *Set) Variables() []Variable {
	var all []Variable
	for _, who := range []audience{audiencePublic, audienceVendor, audienceInternal} {
		for _, f := range shapeOf(spec{audience: who}).fields {
			all = append(all, Variable{string(who), "." + f.name, f.sh.kind, f.doc})
			if f.sh.kind != kindList {
				continue
			}
			for _, sub := range f.sh.elem.fields {
				all = append(all, Variable{string(who), "." + f.name + "[]." + sub.name, sub.sh.kind, sub.doc})
			}
		}
	}
	return all
}
