package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"supportd/tickets"
)

type exportArgs struct {
	From tickets.TicketID `json:"from"`
}

func (o *operator) exportTickets(_ context.Context, a exportArgs) (tickets.ExportPage, error) {
	return o.desk.Store.Export(a.From)
}

func (o *operator) exportPerson(_ context.Context, a personArgs) (tickets.PersonData, error) {
	return o.desk.ExportPerson(tickets.Person{Address: a.Address, Names: a.Names})
}

func (a *app) exportCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "export ADDRESS TARGET", Short: "write out what is stored about a person, or everything", Args: cobra.RangeArgs(1, 2),
		Long: "export ADDRESS TARGET writes what is stored about a person, for them (GDPR Art. 15): their tickets, their mails as they came, what\n" +
			"they were sent. Internal notes, the desk's people and what others wrote among themselves are not in it.\n" +
			"export --all TARGET writes every ticket into tickets.jsonl, one JSON object a line, and every mail into mail.mbox.\n" +
			"TARGET is a new folder, a file that ends in .tar, or - for standard output (with --all the tickets only).",
		Example: "  supportd export s.krause@muster.example krause.tar\n  supportd export --all backup-2026\n  supportd export --all - | jq .ticket.number",
		RunE: func(cmd *cobra.Command, p []string) error {
			switch {
			case all && len(p) == 1:
				return a.exportAll(cmd.Context(), p[0])
			case all:
				return errors.New("export --all wants only the target")
			case len(p) == 1:
				return errors.New("say where to write: a new folder, a file that ends in .tar, or -")
			}
			return a.exportPerson(cmd.Context(), p[0], p[1])
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every ticket and every mail")
	return cmd
}

// ── everything ──

func (a *app) exportAll(ctx context.Context, target string) error {
	if target == "-" {
		_, err := a.writeTickets(ctx, a.out)
		return err
	}
	if strings.HasSuffix(target, ".tar") {
		return errors.New("export --all writes a folder, or - for the tickets on standard output")
	}
	if err := newFolder(target); err != nil {
		return err
	}
	var counts struct {
		Tickets int    `json:"tickets"`
		Mails   int    `json:"mails"`
		Missing int    `json:"mails_not_kept"`
		Target  string `json:"target"`
	}
	counts.Target = target
	err := writeExport(filepath.Join(target, "tickets.jsonl"), func(w io.Writer) (err error) {
		counts.Tickets, err = a.writeTickets(ctx, w)
		return err
	})
	if err != nil {
		return err
	}
	err = writeExport(filepath.Join(target, "mail.mbox"), func(w io.Writer) error {
		return a.history(ctx, time.Time{}, func(page []tickets.Past) error {
			for i := range page {
				if page[i].Raw == nil {
					counts.Missing++
					continue
				}
				counts.Mails++
				if err := writeMbox(w, &page[i].Stored, page[i].Raw); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return a.print(counts, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d tickets in tickets.jsonl, %d mails in mail.mbox; of %d mails no raw text is kept\n", target, counts.Tickets, counts.Mails, counts.Missing)
	})
}

// writeTickets writes every ticket as one line of JSON.
func (a *app) writeTickets(ctx context.Context, w io.Writer) (n int, err error) {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for from := tickets.TicketID(1); from != 0; {
		var page tickets.ExportPage
		if err := a.ask(ctx, "export.tickets", exportArgs{From: from}, &page); err != nil {
			return n, err
		}
		for i := range page.Tickets {
			if err := e.Encode(&page.Tickets[i]); err != nil {
				return n, err
			}
			n++
		}
		from = page.Next
	}
	return n, nil
}

// writeMbox adds a mail to an mbox (RFC 4155), in the form that is unambiguous: every line that looks like the beginning
// of a mail, quoted or not, gets one ">" more.
func writeMbox(w io.Writer, m *tickets.Stored, raw []byte) error {
	from := m.From.Mail
	if from == "" || strings.ContainsAny(from, " \t\r\n") {
		from = "MAILER-DAEMON"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "From %s %s\n", from, m.Arrived.UTC().Format(time.ANSIC))
	for line := range bytes.Lines(raw) {
		if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
			b.WriteByte('>')
		}
		b.Write(line)
	}
	if !bytes.HasSuffix(raw, []byte("\n")) {
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}

// ── a person ──

func (a *app) exportPerson(ctx context.Context, address, target string) error {
	var data tickets.PersonData
	if err := a.ask(ctx, "export.person", personArgs{Address: address}, &data); err != nil {
		return err
	}
	files, err := personFiles(&data)
	if err != nil {
		return err
	}
	switch {
	case target == "-":
		return writeTar(a.out, files, data.At)
	case strings.HasSuffix(target, ".tar"):
		err = writeExport(target, func(w io.Writer) error { return writeTar(w, files, data.At) })
	default:
		if err = newFolder(target); err == nil {
			err = os.Mkdir(filepath.Join(target, "mail"), 0o700)
		}
		for _, f := range files {
			if err == nil {
				err = writeExport(filepath.Join(target, filepath.FromSlash(f.name)), func(w io.Writer) error { _, err := w.Write(f.data); return err })
			}
		}
	}
	if err != nil {
		return err
	}
	counts := map[string]any{"target": target, "tickets": len(data.Tickets), "mails": len(data.Mails), "sent": len(data.Sent)}
	return a.print(counts, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d tickets, %d mails, %d mails that they were sent\n", target, len(data.Tickets), len(data.Mails), len(data.Sent))
	})
}

type exportFile struct {
	name string
	data []byte
}

// personFiles are the files that a person gets: one to read, one for programs, and their mails.
func personFiles(data *tickets.PersonData) ([]exportFile, error) {
	var mails []exportFile
	for i := range data.Mails {
		m := &data.Mails[i]
		if m.Raw != nil {
			mails = append(mails, exportFile{fmt.Sprintf("mail/%06d.eml", m.Key), m.Raw})
			m.Raw = nil
		}
	}
	b, err := json.MarshalIndent(data, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]exportFile{{"LIESMICH-README.txt", []byte(personReadme(data))}, {"data.json", append(b, '\n')}}, mails...), nil
}

func personReadme(d *tickets.PersonData) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Was über %s gespeichert ist, Stand %s (UTC), nach Art. 15 DSGVO.\n\n", d.Address, d.At.Format("02.01.2006 15:04"))
	b.WriteString("data.json enthält die Vorgänge mit allem, was Sie geschrieben haben und was Ihnen geschrieben wurde, die Liste der Mails,\n" +
		"die Ihnen gesendet wurden, und wofür Ihre Adresse sonst gespeichert ist. In mail/ liegen Ihre Mails, wie sie ankamen.\n\n\n")
	fmt.Fprintf(&b, "What is stored about %s as of %s (UTC), under Art. 15 GDPR.\n\n", d.Address, d.At.Format("2006-01-02 15:04"))
	b.WriteString("data.json holds the tickets with everything you wrote and were written, the list of the mails that you were sent, and what\n" +
		"else your address is stored for. mail/ holds your mails as they came.\n\n\n")
	for _, t := range d.Tickets {
		fmt.Fprintf(&b, "%s  %s  %s  %s\n", t.Number, t.Created.Format(time.DateOnly), t.State, printable(t.Subject))
	}
	return b.String()
}

func writeTar(w io.Writer, files []exportFile, at time.Time) error {
	t := tar.NewWriter(w)
	for _, f := range files {
		if err := t.WriteHeader(&tar.Header{Name: f.name, Mode: 0o600, Size: int64(len(f.data)), ModTime: at}); err != nil {
			return err
		}
		if _, err := t.Write(f.data); err != nil {
			return err
		}
	}
	return t.Close()
}

// newFolder makes a folder that is not there yet, for its owner only.
func newFolder(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil {
		return fmt.Errorf("export into %s: %w; name a folder that is not there yet", path, plainPathError(err))
	}
	return nil
}

// writeExport writes a file that is not there yet, for its owner only. What is written halfway is removed.
func writeExport(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("export into %s: %w; name a file that is not there yet", path, plainPathError(err))
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("export into %s: %w", path, err), os.Remove(path))
	}
	return nil
}

// plainPathError is why, without the path, which was named already.
func plainPathError(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
