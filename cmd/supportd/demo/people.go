package demo

import (
	"net/mail"
	"strings"
)

// person is somebody of the demo with a mailbox.
type person struct {
	User    string // name of the account
	Name    string
	Address string
	Role    role
	Speaks  string // for people: "German"
}

type role string

const (
	customer role = "customer"
	agent    role = "agent"
	desk     role = "desk"
)

// password opens every account of the demo.
const password = "demo"

// outside is the account through which mail of people without a mailbox here comes in.
const outside = "outside"

const deskAddress = "hilfe@nordwind.example"

func sabine() person {
	return person{User: "sabine", Name: "Sabine Krause", Address: "s.krause@muster.example", Role: customer, Speaks: "German"}
}

func john() person {
	return person{User: "john", Name: "John Miller", Address: "john.miller@contoso.example", Role: customer, Speaks: "English"}
}

func anna() person {
	return person{User: "anna", Name: "Anna Berg", Address: "anna@nordwind.example", Role: agent, Speaks: "German and English"}
}

func ben() person {
	return person{User: "ben", Name: "Ben Cohn", Address: "ben@nordwind.example", Role: agent, Speaks: "English and German"}
}

func theDesk() person {
	return person{User: "hilfe", Name: "Nordwind Service", Address: deskAddress, Role: desk}
}

// everybody lists all who have a mailbox, in the order in which they are shown.
func everybody() []person { return []person{sabine(), john(), anna(), ben(), theDesk()} }

// Short is what a person is called where there is little room.
func (p person) Short() string {
	if p.Role == desk {
		return "Desk"
	}
	first, _, _ := strings.Cut(p.Name, " ")
	return first
}

// String is the person as in a From field.
func (p person) String() string {
	return (&mail.Address{Name: p.Name, Address: p.Address}).String()
}

// byUser finds a person by the name of the account.
func byUser(user string) (person, bool) {
	for _, p := range everybody() {
		if p.User == user {
			return p, true
		}
	}
	return person{}, false
}

// owner finds whose mailbox takes mail for an address; what stands after a + does not matter.
func owner(address string) (person, bool) {
	local, domain, _ := strings.Cut(strings.ToLower(address), "@")
	local, _, _ = strings.Cut(local, "+")
	for _, p := range everybody() {
		if p.Address == local+"@"+domain {
			return p, true
		}
	}
	return person{}, false
}

// nameOf is how the narration calls an address.
func nameOf(address string) string {
	if p, ok := owner(address); ok {
		return p.Name
	}
	return address
}
