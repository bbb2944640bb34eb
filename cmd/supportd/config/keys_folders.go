package config

// folderKeys are what a mailbox does with the folders beside the one it follows.
type folderKeys struct {
	Sent   opt[string] `key:"sent" kind:"text" example:"Sent" doc:"The folder for sent mail, or \\Sent for the one that the server calls so. Answers that somebody sends from this mailbox with another client are noted on their tickets. Default: they go unnoticed."`
	Copies opt[bool]   `key:"sent_copies" kind:"bool" default:"false" example:"true" doc:"A copy of each mail that the desk sends to somebody outside is put into the folder sent."`
}
