package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// interview asks a person what init has to know.
type interview struct {
	in     *bufio.Reader
	out    io.Writer
	secret func() (string, error) // reads a line without showing it
}

func newInterview(in io.Reader, out io.Writer) *interview {
	i := &interview{in: bufio.NewReader(in), out: out}
	i.secret = func() (string, error) {
		f, ok := in.(*os.File)
		if !ok {
			return i.line()
		}
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(out)
		return string(b), err
	}
	return i
}

// run asks for the address, the team and the password, where the flags do not say them.
func (i *interview) run(o *initFlags) error {
	german := o.Language == "de"
	say := func(en, de string) string {
		if german {
			return de
		}
		return en
	}
	for o.Address == "" {
		answer, err := i.ask(say("Which address do customers write to? ", "An welche Adresse schreiben Kunden? "))
		if err != nil {
			return err
		}
		if strings.Contains(answer, "@") {
			o.Address = answer
		}
	}
	for len(o.Team) == 0 {
		answer, err := i.ask(say("Who answers? Mail addresses, with commas between them: ", "Wer antwortet? Mailadressen, durch Kommas getrennt: "))
		if err != nil {
			return err
		}
		for member := range strings.SplitSeq(answer, ",") {
			if member = strings.TrimSpace(member); strings.Contains(member, "@") {
				o.Team = append(o.Team, member)
			}
		}
	}
	var err error
	o.password, err = i.password(o.Language)
	return err
}

// password asks for the mailbox's password; "" means later.
func (i *interview) password(language string) (string, error) {
	question := "Password of the mailbox (empty: later): "
	if language == "de" {
		question = "Passwort des Postfachs (leer: später): "
	}
	fmt.Fprint(i.out, question)
	password, err := i.secret()
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(password, "\r\n"), nil
}

func (i *interview) ask(question string) (string, error) {
	fmt.Fprint(i.out, question)
	return i.line()
}

// line is the next line without its end and the blanks around it.
func (i *interview) line() (string, error) {
	s, err := i.in.ReadString('\n')
	if err != nil && (err != io.EOF || strings.TrimSpace(s) == "") {
		return "", fmt.Errorf("read the answer: %w; flags can say it instead, see supportd init --help", err)
	}
	return strings.TrimSpace(s), nil
}
