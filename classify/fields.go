package classify

import (
	"strings"

	"supportd/tickets"
)

// Phases of a decision, in their fixed order (S5). A condition reads what earlier phases decided, never its own or a
// later one.
type phase int

const (
	phaseIntake phase = iota
	phaseCategory
	phaseCI
	phaseImpact
	phaseUrgency
	phasePriority
	phaseRoute
	phaseRules
)

func (p phase) String() string {
	return [...]string{"intake", "classify", "derive.ci", "derive.impact", "derive.urgency", "priorities", "routes", "rules"}[p]
}

// FieldKind is how a field's value is compared.
type FieldKind string

const (
	FieldValue   FieldKind = "value"   // one of the given values, any case
	FieldYesNo   FieldKind = "yes_no"  // true or false
	FieldNumber  FieldKind = "number"  // "6", ">=6", "<2"
	FieldAddress FieldKind = "address" // values are whole addresses; also domain and address
	FieldText    FieldKind = "text"    // values are whole texts; also words, contains and regex
)

// Field is something a condition can look at.
type Field struct {
	Name  string
	Kind  FieldKind
	Many  bool   // it can have several values; one of them has to fit
	Phase string // the phase that decides it; only later ones may look at it
	Doc   string
}

// A slot is a field's place in the facts about a message.
type slot int

const (
	slotMailbox slot = iota
	slotBrand
	slotSenderKind
	slotAuth
	slotLanguage
	slotFrom
	slotTo
	slotImportance
	slotSize
	slotAttachment
	slotAlertSystem
	slotAlertHost
	slotAlertService
	slotAlertState
	slotOrganisation
	slotVIP
	slotRegion
	slotCustomerBrand
	slotContact
	slotServiceLevel
	slotPerson
	slotPersonRole
	slotPersonTeam
	slotPersonSkill
	slotCategory
	slotScore
	slotProbability
	slotKind
	slotCI
	slotCIName
	slotCIService
	slotCIOwner
	slotCICriticality
	slotCIVendor
	slotCILocation
	slotService
	slotImpact
	slotUrgency
	slotPriority
	slotRoute
	slotTeam
	slotTier
	slotTags
	slots
)

type fieldInfo struct {
	name  string
	kind  FieldKind
	many  bool
	phase phase
	doc   string
}

// fieldTable is every field but header.*, by slot.
func fieldTable() [slots]fieldInfo {
	return [slots]fieldInfo{
		slotMailbox:       {"mailbox", FieldValue, false, phaseIntake, "the mailbox it was read from"},
		slotBrand:         {"brand", FieldValue, false, phaseIntake, "the brand of that mailbox"},
		slotSenderKind:    {"sender_kind", FieldValue, false, phaseIntake, "what sort of mail it is: human, auto_reply, bounce, feedback_report, list, monitoring, report, own"},
		slotAuth:          {"auth", FieldValue, false, phaseIntake, "whether a trusted server vouches for the author: pass, fail, none"},
		slotLanguage:      {"language", FieldValue, false, phaseIntake, "the language to answer in"},
		slotFrom:          {"from", FieldAddress, false, phaseIntake, "the author's address"},
		slotTo:            {"to", FieldAddress, true, phaseIntake, "the addresses in To and Cc"},
		slotImportance:    {"mail.importance", FieldValue, false, phaseIntake, "what the sender says of it: high, normal, low"},
		slotSize:          {"mail.size", FieldNumber, false, phaseIntake, "octets of the whole mail"},
		slotAttachment:    {"mail.attachment", FieldText, true, phaseIntake, "the names of its attachments"},
		slotAlertSystem:   {"mail.alert_system", FieldValue, false, phaseIntake, "the monitoring system that wrote it, such as icinga"},
		slotAlertHost:     {"mail.alert_host", FieldText, false, phaseIntake, "the host an alert is about"},
		slotAlertService:  {"mail.alert_service", FieldText, false, phaseIntake, "the service on it"},
		slotAlertState:    {"mail.alert_state", FieldValue, false, phaseIntake, "problem or recovery"},
		slotOrganisation:  {"customer.organisation", FieldValue, false, phaseIntake, "the customer, by the author's address or domain"},
		slotVIP:           {"customer.vip", FieldYesNo, false, phaseIntake, "whether the customers' table calls the author important"},
		slotRegion:        {"customer.region", FieldValue, false, phaseIntake, "the customer's region"},
		slotCustomerBrand: {"customer.brand", FieldValue, false, phaseIntake, "the brand the customer belongs to"},
		slotContact:       {"customer.contact", FieldValue, false, phaseIntake, "the customer's contact"},
		slotServiceLevel:  {"service_level", FieldValue, false, phaseIntake, "what the customer was promised"},
		slotPerson:        {"person.id", FieldValue, false, phaseIntake, "who of the staff wrote it, by the people's table"},
		slotPersonRole:    {"person.role", FieldValue, false, phaseIntake, "that person's role"},
		slotPersonTeam:    {"person.team", FieldValue, true, phaseIntake, "that person's teams"},
		slotPersonSkill:   {"person.skill", FieldValue, true, phaseIntake, "that person's skills"},
		slotCategory:      {"category", FieldValue, false, phaseCategory, "what it is about"},
		slotScore:         {"score", FieldNumber, false, phaseCategory, "the weights of the category's signals in the mail, added up"},
		slotProbability:   {"probability", FieldNumber, false, phaseCategory, "how probable the category is, 0 to 1, once the desk has learnt; missing before, and for the default category"},
		slotKind:          {"kind", FieldValue, false, phaseCategory, "the category's kind: incident, service_request"},
		slotCI:            {"ci", FieldValue, false, phaseCI, "the configuration item"},
		slotCIName:        {"ci.name", FieldValue, false, phaseCI, "its name in the cmdb"},
		slotCIService:     {"ci.service", FieldValue, false, phaseCI, "the service it is part of"},
		slotCIOwner:       {"ci.owner_team", FieldValue, false, phaseCI, "the team that owns it"},
		slotCICriticality: {"ci.criticality", FieldValue, false, phaseCI, "how critical it is, such as business_critical"},
		slotCIVendor:      {"ci.vendor", FieldValue, false, phaseCI, "who makes it"},
		slotCILocation:    {"ci.location", FieldValue, false, phaseCI, "where it stands"},
		slotService:       {"service", FieldValue, false, phaseCI, "the service of the configuration item"},
		slotImpact:        {"impact", FieldValue, false, phaseImpact, "high, medium, low"},
		slotUrgency:       {"urgency", FieldValue, false, phaseUrgency, "high, medium, low"},
		slotPriority:      {"priority", FieldValue, false, phasePriority, "such as P1"},
		slotRoute:         {"route", FieldValue, true, phaseRoute, "the names of the routes entered, from the root down"},
		slotTeam:          {"team", FieldValue, false, phaseRoute, "the team that gets it"},
		slotTier:          {"tier", FieldNumber, false, phaseRoute, "that team's tier"},
		slotTags:          {"tags", FieldValue, true, phaseRoute, "the tags a ticket had before the message; in rules on: customer_reply"},
	}
}

// headerPrefix starts the names of fields that are header fields: header.X-Ticket-Source.
const headerPrefix = "header."

// Fields lists what a condition can look at beside subject and body, in the order in which it is decided. Header
// fields come on top: "header." and any name.
func Fields() []Field {
	var list []Field
	for _, f := range fieldTable() {
		list = append(list, Field{Name: f.name, Kind: f.kind, Many: f.many, Phase: f.phase.String(), Doc: f.doc})
	}
	return list
}

// otherNames are further names of fields.
func otherNames() map[string]slot {
	return map[string]slot{
		"importance": slotImportance, "size": slotSize, "attachment": slotAttachment, "mail.from": slotFrom, "mail.to": slotTo,
		"customer.service_level": slotServiceLevel, "ci.id": slotCI, "organisation": slotOrganisation,
	}
}

// value is what a field holds. The zero value is a missing field.
type value struct {
	set  bool
	text string   // as it is shown
	keys []string // lower case; several for fields that can have several
	num  float64
}

// facts that conditions look at, filled phase by phase.
type state struct {
	k        *Classifier
	m        *tickets.Message
	v        *tickets.Verdict
	values   [slots]value
	scan     *scan // nil until a condition looks at the text
	captures map[string]string
	ci       *CI // the configuration item, when the cmdb has it
	given    tickets.Given
	explain  bool
}

// put gives a field its value; "" leaves it missing.
func (s *state) put(at slot, text string) {
	if text == "" {
		s.values[at] = value{}
		return
	}
	s.values[at] = value{set: true, text: text, keys: []string{strings.ToLower(text)}}
}

func (s *state) putMany(at slot, list []string) {
	v := value{}
	for _, one := range list {
		if one == "" {
			continue
		}
		v.set = true
		v.keys = append(v.keys, strings.ToLower(one))
	}
	v.text = strings.Join(list, ", ")
	s.values[at] = v
}

func (s *state) putNumber(at slot, n float64, text string) {
	s.values[at] = value{set: true, text: text, num: n, keys: []string{text}}
}

func (s *state) putYesNo(at slot, yes bool) {
	s.put(at, map[bool]string{true: "true", false: "false"}[yes])
}
