package main

import (
	"net"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"supportd/cmd/supportd/setup/dnstest"
)

// Commands of the stories about finding and trying servers.

func scriptDNS(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 3, "dns TYPE NAME VALUE")
	names := ts.Value(scriptNames{}).(*dnstest.Server)
	switch args[0] {
	case "txt":
		names.TXT(args[1], args[2])
	case "mx":
		ts.Check(names.MX(args[1], args[2]))
	case "srv":
		host, port, err := net.SplitHostPort(args[2])
		ts.Check(err)
		n, err := strconv.ParseUint(port, 10, 16)
		ts.Check(err)
		ts.Check(names.SRV(args[1], host, uint16(n)))
	default:
		ts.Fatalf("no records of type %s", args[0])
	}
}

func scriptVouch(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "vouch FIELD")
	servers(ts).vouch.Store(&args[0])
}

func scriptNoPlus(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1 && (args[0] == "on" || args[0] == "off"), "noplus on|off")
	servers(ts).noPlus.Store(args[0] == "on")
}

func scriptMkfolder(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2 || len(args) == 3, "mkfolder USER FOLDER [USE]")
	ts.Check(servers(ts).imap.CreateFolder(args[0], args[1], append(args, "")[2]))
}

func scriptEmpty(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1 || len(args) == 2, "empty USER [FOLDER]")
	list, err := servers(ts).imap.Messages(args[0], append(args, "INBOX")[1])
	ts.Check(err)
	if len(list) > 0 {
		ts.Fatalf("%d mails, the first:\n%s", len(list), list[0].Raw)
	}
}

func scriptFiles(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "files FOLDER")
	servers(ts).into.Store(&args[0])
}
