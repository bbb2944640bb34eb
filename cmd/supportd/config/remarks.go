package config

import (
	"fmt"
	"strings"
)

// Remarks says in sentences what follows from a configuration that is in order but whose reach an admin may not have
// had in mind. They are no findings: nothing has to be done about them.
func (c *Config) Remarks() []string {
	var remarks []string
	for _, m := range c.Mailboxes {
		if m.Trusted {
			remarks = append(remarks, fmt.Sprintf("mailbox %s is trusted: whoever can put a mail into it is taken for the person in its From field, agents and their commands included", m.Name))
		}
	}
	if len(c.AuthservIDs) > 0 {
		remarks = append(remarks, fmt.Sprintf("what %s says in Authentication-Results decides who is an agent; that server must remove such fields from the mail it gets", strings.Join(c.AuthservIDs, ", ")))
	}
	if c.VerifyDKIM {
		remarks = append(remarks, "where no mail server's word stands on a mail, the desk checks its DKIM signatures itself; a sender whose domain does not sign is nobody, and mail that arrives while the name service does not answer is unproven")
	}
	switch n := len(routeNames(c.Routes)) - 1; n {
	case 0:
		remarks = append(remarks, fmt.Sprintf("new tickets go to team %s", c.Intake))
	case 1:
		remarks = append(remarks, fmt.Sprintf("new tickets go to team %s, unless the one route says otherwise", c.Intake))
	default:
		remarks = append(remarks, fmt.Sprintf("new tickets go to team %s, unless one of %d routes says otherwise", c.Intake, n))
	}
	switch {
	case len(c.Levels) == 0:
		remarks = append(remarks, "nothing is promised to customers: there is neither first_response nor resolve")
	default:
		for _, cal := range c.Calendars {
			if cal.Name == c.Calendar && aroundTheClock(cal.Hours) {
				remarks = append(remarks, "first_response and resolve count around the clock, as the hours are 24/7")
			}
		}
	}
	return append(remarks, fmt.Sprintf("mails about the desk's own health go to %s", c.Admin.Mail))
}
