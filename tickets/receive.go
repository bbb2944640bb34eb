package tickets

// Batch is a run of messages of one mailbox, in UID order.
type Batch struct {
	Mailbox     string
	UIDValidity uint32
	Messages    []Incoming
	// Through: with these messages settled, every UID up to and including it is settled or stands as a hole.
	// 0 leaves the place as it is.
	Through uint32
}

// Settled tells how one UID ended.
type Settled struct {
	UID    uint32
	Result Result
	Absent Absence
}
