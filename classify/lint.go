package classify

// Lint is one finding about a Config.
type Lint struct {
	Code string // such as E05; E refuses to load, W warns (domain.md §3.4)
	// Path says where: the keys of the configuration file from the top, with indexes from 0, such as
	// "routes.routes[2].match", "derive.impact[1].when", "rules[3]", "priorities.matrix[high][low]",
	// "categories[network.vpn].signals", "auto_answers.answers[0].match".
	Path    string
	What    string // in plain words: what, and what to do
	Example string // a message that proves it, such as `mailbox=kontor language=en`; "" when there is none
}
