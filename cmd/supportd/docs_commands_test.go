package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"supportd/tickets/command"
)

// commandsPage lists every command in both languages, by group.
func commandsPage() string {
	var b strings.Builder
	b.WriteString(`# Commands by mail

This page is made from the program. How commands are written, and what answers them, is in [agents.md](agents.md);
in German in [agents.de.md](agents.de.md).

In the column *where*: **reply** is a reply to a mail of the desk; **reply that goes out** is one to a mail whose first line
says that a reply goes to the customer; **new mail** is one that answers none of the desk's. A name of a person, team or
service level may be cut short as long as it is unique.
`)
	group := ""
	for _, row := range command.Table() {
		if row.Group != group {
			group = row.Group
			fmt.Fprintf(&b, "\n## %s\n\n| command | does | tut | where | also |\n| --- | --- | --- | --- | --- |\n", strings.ToUpper(group[:1])+group[1:])
		}
		where := "reply, new mail with `#ticket`"
		switch {
		case row.Anywhere && row.Group == "new mail":
			where = "new mail"
		case row.Anywhere:
			where = "reply, new mail"
		case row.Reaches:
			where = "reply that goes out"
		case row.Word == "undo" || row.Group == "structure":
			where = "reply"
		}
		var also []string
		for _, a := range row.Aliases {
			also = append(also, "`#"+a+"`")
		}
		for _, short := range sortedKeys(row.Short) {
			also = append(also, "`#"+short+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", strings.ReplaceAll(row.Usage, "|", "\\|"), row.Help["en"], row.Help["de"], where, strings.Join(also, " "))
	}
	return b.String()
}

func sortedKeys(m map[string]string) []string {
	return slices.Sorted(maps.Keys(m))
}
