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

In the column *where*: **reply** is a reply to a mail of the desk; **new mail** is one that answers none of the desk's, where
` + "`#ticket`" + ` and ` + "`#for`" + ` say which tickets are meant; commands with **→** send something out of the house, or change who gets that. A name of a person, team or service level may be cut short as long as it
is unique.
`)
	group := ""
	for _, row := range command.Table() {
		if row.Group != group {
			group = row.Group
			fmt.Fprintf(&b, "\n## %s\n\n| command | does | tut | where | also |\n| --- | --- | --- | --- | --- |\n", strings.ToUpper(group[:1])+group[1:])
		}
		where := "reply"
		switch {
		case row.Group == "new mail" && row.Word != "call":
			where = "new mail"
		case row.Anywhere, row.Group == "fields", row.Group == "details", slices.Contains([]string{"take", "assign", "release", "note", "queue", "watch", "mute", "quiet", "cc", "solve", "noreply"}, row.Word):
			where = "reply, new mail"
		}
		if row.Reaches {
			where += " **→**"
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
