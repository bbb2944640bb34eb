package config

// folderKeys are what a mailbox does with the folders beside the one it follows.
type folderKeys struct {
	Sent   opt[string] `key:"sent" kind:"text" example:"Sent" doc:"The folder for sent mail, or \\Sent for the one that the server calls so. Answers that somebody sends from this mailbox with another client are noted on their tickets. Default: they go unnoticed."`
	Copies opt[bool]   `key:"sent_copies" kind:"bool" default:"false" example:"true" doc:"A copy of each mail that the desk sends to somebody outside is put into the folder sent."`
	Claim  opt[string] `key:"claim" kind:"text" default:"supportd" example:"none" doc:"The folder in which the desk notes that it reads this mailbox, so that no second desk answers the same mail; it is made when it is missing. none: nothing is noted."`

	Actions list[moveKeys] `key:"actions" doc:"Folders in which moving is an action: who moves a message there with any client changes its ticket. Default: none."`

	Mirror mirrorKeys `key:"mirror" doc:"What the messages in the mailbox show of their tickets, in every mail client. Default: nothing."`
}

// mirrorKeys are what the messages in a mailbox show of their tickets.
type mirrorKeys struct {
	section
	Answered opt[bool]              `key:"answered" kind:"bool" default:"false" example:"true" doc:"A customer's message is marked as answered (\\Answered) once a person's answer to it has left."`
	Keywords many[string]           `key:"keywords" kind:"enum" values:"state tier team owner assignee priority" one:"yes" example:"[state, owner, priority]" doc:"What there are keywords for at each message, such as $sd-open and $sd-owner-anna. Default: none."`
	Prefix   opt[string]            `key:"prefix" kind:"keyword" default:"$sd-" example:"$sd-" doc:"How the desk's keywords begin. It takes away none that begins otherwise."`
	Folders  list[mirrorFolderKeys] `key:"folders" doc:"Folders that the messages of a ticket are moved to. The first that fits counts; where none fits, they stand in folder, or in move_to."`
}

// mirrorFolderKeys are a folder for the messages of some tickets.
type mirrorFolderKeys struct {
	section
	Folder opt[string] `key:"folder" kind:"text" required:"yes" example:"Wartet" doc:"The folder's name. It must exist."`
	State  opt[string] `key:"state" kind:"enum" values:"new open handed_over waiting_customer waiting_vendor scheduled solved closed quarantined" example:"waiting_customer" doc:"The state of the ticket. Default: any. A closed ticket stays where it was when it was solved, unless closed has a folder of its own."`
	Team   opt[string] `key:"team" kind:"text" example:"network" doc:"The ticket's team. Default: any."`
}

// moveKeys are a folder in which moving is an action.
type moveKeys struct {
	section
	Folder opt[string] `key:"folder" kind:"text" required:"yes" example:"Erledigt" doc:"The folder's name. It must exist; what stands in it at first means nothing."`
	Do     opt[string] `key:"do" kind:"enum" values:"take solve spam not_spam team" required:"yes" example:"solve" doc:"What moving a message there does to its ticket. No mail goes to a customer because of it."`
	Team   opt[string] `key:"team" kind:"text" example:"network" doc:"Of do: team, whose queue the ticket goes to."`
	By     opt[string] `key:"by" kind:"person" example:"k.brandt@nordwind.example" doc:"Who acts, when only one person moves messages there. Required for take. Default: the mailbox."`
}
