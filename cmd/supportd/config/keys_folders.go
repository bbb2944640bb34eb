package config

// folderKeys are what a mailbox does with the folders beside the one it follows.
type folderKeys struct {
	Sent   opt[string] `key:"sent" kind:"text" example:"Sent" doc:"The folder for sent mail, or \\Sent for the one that the server calls so. Answers that somebody sends from this mailbox with another client are noted on their tickets. Default: they go unnoticed."`
	Copies opt[bool]   `key:"sent_copies" kind:"bool" default:"false" example:"true" doc:"A copy of each mail that the desk sends to somebody outside is put into the folder sent."`

	Actions list[moveKeys] `key:"actions" doc:"Folders in which moving is an action: who moves a message there with any client changes its ticket. Default: none."`
}

// moveKeys are a folder in which moving is an action.
type moveKeys struct {
	section
	Folder opt[string] `key:"folder" kind:"text" required:"yes" example:"Erledigt" doc:"The folder's name. It must exist; what stands in it at first means nothing."`
	Do     opt[string] `key:"do" kind:"enum" values:"take solve spam not_spam team" required:"yes" example:"solve" doc:"What moving a message there does to its ticket. No mail goes to a customer because of it."`
	Team   opt[string] `key:"team" kind:"text" example:"network" doc:"Of do: team, whose queue the ticket goes to."`
	By     opt[string] `key:"by" kind:"person" example:"k.brandt@nordwind.example" doc:"Who acts, when only one person moves messages there. Required for take. Default: the mailbox."`
}
