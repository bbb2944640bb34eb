package main

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"supportd/classify"
	"supportd/tickets"
)

// A small desk's categories: signals for two, one of which nobody has described.
func smallDesk() classify.Config {
	return classify.Config{Languages: []string{"de", "en"}, Team: "desk", Categories: []classify.Category{
		{Name: "network.vpn", Signals: map[string]float64{"vpn": 4}, Labels: map[string]string{"de": "VPN"}},
		{Name: "hardware.printer", Signals: map[string]float64{"drucker": 3}, Labels: map[string]string{"de": "Drucker"}},
		{Name: "app.books", Signals: map[string]float64{"buchung": 3}, Labels: map[string]string{"de": "Buchhaltung"}},
		{Name: "other", Default: true},
	}}
}

// school is a learner with the tickets that a test gives it.
type school struct {
	*learner
	classifier *classify.Classifier
	tickets    []tickets.Lesson
	now        time.Time
	log        bytes.Buffer
}

func newSchool(t *testing.T, dir string, cc classify.Config) *school {
	t.Helper()
	s := &school{now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	s.learner = newLearner(dir, func() time.Time { return s.now }, slog.New(slog.NewTextHandler(&s.log, nil)))
	s.lessons = func(context.Context, int) ([]tickets.Lesson, error) { return s.tickets, nil }
	s.configure(t, cc)
	return s
}

func (s *school) configure(t *testing.T, cc classify.Config) {
	t.Helper()
	scorer, inForce, err := s.scorer(cc)
	if err != nil {
		t.Fatal(err)
	}
	if s.classifier, err = classifierWith(cc, scorer); err != nil {
		t.Fatal(err)
	}
	inForce()
}

func mailAbout(text string) *tickets.Message {
	return &tickets.Message{From: []tickets.Address{{Mail: "k@x.example"}}, Author: "k@x.example", Subject: "Hilfe", Text: text, Reply: text}
}

func (s *school) category(text string) string {
	return s.classifier.Classify(mailAbout(text), tickets.Hints{}).Category.Name
}

func (s *school) fix(id int, category, text string) {
	s.now = s.now.Add(time.Minute)
	s.tickets = append(s.tickets, tickets.Lesson{Ticket: tickets.TicketID(id), Category: category, Text: "Hilfe\n" + text, Corrected: true, At: s.now})
	s.correct(tickets.Correction{Ticket: tickets.TicketID(id), Category: category, Message: mailAbout(text)})
}

// taughtTickets are tickets of three categories that no signal knows, in ever other words.
func taughtTickets(n int) (all []tickets.Lesson) {
	rng := rand.New(rand.NewPCG(7, 7))
	topics := map[string]string{
		"network.vpn":      "Einwahl Tunnel Fernzugriff Verbindung Heimarbeit getrennt Zeitüberschreitung Router Gateway",
		"hardware.printer": "Papierstau Toner Seiten Ausdruck Fach Walze Kassette verschmiert Scanner",
		"app.books":        "Monatsabschluss Konto Beleg Umsatzsteuer Saldenliste Rechnungslauf Mahnung Kostenstelle Journal",
	}
	fill := strings.Fields("seit gestern heute leider wieder nicht mehr bitte prüfen schnell bei uns im Büro der Kollege meldet immer noch obwohl neu")
	pick := func(from []string, n int) (words []string) {
		for range n {
			words = append(words, from[rng.IntN(len(from))])
		}
		return words
	}
	for range n {
		for _, name := range []string{"network.vpn", "hardware.printer", "app.books"} {
			words := append(pick(strings.Fields(topics[name]), 2+rng.IntN(2)), pick(fill, 3+rng.IntN(5))...)
			rng.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
			all = append(all, tickets.Lesson{Ticket: tickets.TicketID(len(all) + 1), Category: name, Text: "Hilfe\n" + strings.Join(words, " ")})
		}
	}
	return all
}

// A correction counts in the next decision, on top of the signals, which go on deciding where nothing was learnt; and it is still
// known after a restart.
func TestCorrectionCountsAtOnce(t *testing.T) {
	dir := t.TempDir()
	s := newSchool(t, dir, smallDesk())
	const text = "Der Monatsabschluss rechnet seit gestern falsch"
	if got := s.category(text); got != "other" {
		t.Fatalf("before: %q", got)
	}
	s.fix(1, "app.books", text)
	if got := s.category(text); got != "app.books" {
		t.Errorf("after the correction: %q", got)
	}
	if got := s.category("der MONATSABSCHLUSS rechnet seit gestern falsch!"); got != "app.books" {
		t.Errorf("the same in other letters: %q", got)
	}
	for text, want := range map[string]string{"Mein VPN geht nicht": "network.vpn", "Der Drucker klemmt": "hardware.printer", "Guten Morgen": "other"} {
		if got := s.category(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	s.save()
	again := newSchool(t, dir, smallDesk())
	if got := again.category(text); got != "app.books" {
		t.Errorf("after a restart: %q; %s", got, &again.log)
	}
	// What was corrected and not saved, as when the power went, is learnt from the tickets.
	again.tickets = append(s.tickets, tickets.Lesson{Ticket: 2, Category: "hardware.printer", Text: "Hilfe\nKassettenfehler am Plotter", Corrected: true, At: s.now.Add(time.Hour)})
	if err := again.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := again.category("Kassettenfehler am Plotter"); got != "hardware.printer" {
		t.Errorf("after a power loss: %q", got)
	}
}

// A correction to the default category teaches that a text belongs to none.
func TestCorrectionToNone(t *testing.T) {
	s := newSchool(t, t.TempDir(), smallDesk())
	const text = "Werbung: unser neues VPN für Ihr Zuhause"
	if got := s.category(text); got != "network.vpn" {
		t.Fatalf("before: %q", got)
	}
	s.fix(1, "other", text)
	if got := s.category(text); got != "other" {
		t.Errorf("after: %q", got)
	}
}

// A training is due after enough corrections; the new model takes over with both scores told, and corrections made during the
// training are not lost.
func TestTrainingWhenDue(t *testing.T) {
	s := newSchool(t, t.TempDir(), smallDesk())
	s.tickets = taughtTickets(40)
	if about, err := s.train(t.Context()); err != nil || !about.Replaced || about.Examples != 120 || about.Score.Texts == 0 || about.Score.Accuracy < 0.9 {
		t.Fatalf("%+v, %v", about, err)
	}
	if s.due() {
		t.Error("due again at once")
	}
	for text, want := range map[string]string{"Heute leider Tunnel und Einwahl getrennt, bitte prüfen": "network.vpn",
		"seit gestern wieder Papierstau im Fach": "hardware.printer", "Monatsabschluss und Saldenliste bitte schnell prüfen": "app.books"} {
		if got := s.category(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	more := taughtTickets(44)[120:]
	for i := range 12 { // a tenth of the examples
		if s.due() {
			t.Fatalf("due after %d corrections", i)
		}
		l := more[i]
		s.fix(200+i, l.Category, strings.TrimPrefix(l.Text, "Hilfe\n"))
	}
	if !s.due() {
		t.Fatal("not due")
	}
	lessons := s.lessons
	s.lessons = func(ctx context.Context, n int) ([]tickets.Lesson, error) {
		list, err := lessons(ctx, n)
		list = append([]tickets.Lesson{}, list...)
		s.fix(200, "hardware.printer", "Fixiereinheit überhitzt, bitte prüfen.")
		return list, err
	}
	about, err := s.train(t.Context())
	if err != nil || !about.Replaced || about.Examples != 132 || about.Since != 1 || about.Other.Texts == 0 || about.Why == "" {
		t.Fatalf("%+v, %v", about, err)
	}
	if got := s.category("Fixiereinheit überhitzt, bitte prüfen."); got != "hardware.printer" {
		t.Errorf("corrected during the training: %q", got)
	}
	s.now = s.now.Add(longestWait + time.Hour)
	if !s.due() {
		t.Error("a day after the correction no training is due")
	}
}

// A model that is worse on the desk's own tickets does not take over; both scores are told.
func TestWorseModelStaysOut(t *testing.T) {
	s := newSchool(t, t.TempDir(), smallDesk())
	good := taughtTickets(30)
	s.tickets = good
	if _, err := s.train(t.Context()); err != nil {
		t.Fatal(err)
	}
	model := s.live.model.Load()
	s.tickets = nil
	for i, l := range good { // the same texts, and new ones that say the contrary
		s.tickets = append(s.tickets, l)
		if i%3 == 0 {
			continue
		}
		wrong := l
		wrong.Text, wrong.Category = l.Text+" dringend", []string{"network.vpn", "hardware.printer", "app.books"}[(i+i/3)%3]
		s.tickets = append(s.tickets, wrong)
	}
	about, err := s.train(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if about.Replaced || s.live.model.Load() != model || about.Score.Accuracy < about.Other.Accuracy || !strings.Contains(about.Why, "less often") {
		t.Errorf("%+v", about)
	}
}

// Few examples are learnt one by one and not trained on; a change of the categories makes a training due, and until then what is new
// is known by its signals as far as nothing else was learnt.
func TestConfigurationChanges(t *testing.T) {
	s := newSchool(t, t.TempDir(), smallDesk())
	s.tickets = taughtTickets(2)
	if about, err := s.train(t.Context()); err != nil || about.Replaced || s.live.model.Load() != nil || !strings.Contains(about.Why, "6 examples") {
		t.Errorf("%+v, %v", about, err)
	}
	s.tickets = taughtTickets(40)
	if _, err := s.train(t.Context()); err != nil {
		t.Fatal(err)
	}
	cc := smallDesk()
	cc.Categories = append(cc.Categories, classify.Category{Name: "access.password", Signals: map[string]float64{"passwort": 4}})
	s.configure(t, cc)
	if !s.due() {
		t.Fatal("no training is due after a change of the categories")
	}
	if about, err := s.train(t.Context()); err != nil || !about.Replaced || about.Why != "the categories have changed" {
		t.Errorf("%+v, %v", about, err)
	}
	if got := s.category("Mein Passwort ist gesperrt"); got != "access.password" {
		t.Errorf("got %q", got)
	}
	s.configure(t, cc)
	if s.due() {
		t.Error("the same configuration makes a training due")
	}
}

// A stored model that is damaged is left out, and the desk starts; it is learnt again.
func TestDamagedModel(t *testing.T) {
	dir := t.TempDir()
	s := newSchool(t, dir, smallDesk())
	s.tickets = taughtTickets(40)
	if _, err := s.train(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.save()
	if m, about, err := readLearnt(dir); err != nil || m == nil || about.Bytes == 0 {
		t.Fatalf("%+v, %v", about, err)
	}
	path := filepath.Join(dir, modelFile)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	again := newSchool(t, dir, smallDesk())
	if !strings.Contains(again.log.String(), "learnt again from the tickets") || again.live.model.Load() != nil || !again.due() {
		t.Errorf("due %v; %s", again.due(), &again.log)
	}
	again.tickets = s.tickets
	if about, err := again.train(t.Context()); err != nil || !about.Replaced {
		t.Errorf("%+v, %v", about, err)
	}
}

// Tools decide by what the desk has learnt, as long as it fits the configuration.
func TestToolsUseWhatWasLearnt(t *testing.T) {
	dir := t.TempDir()
	s := newSchool(t, dir, smallDesk())
	s.tickets = taughtTickets(40)
	if _, err := s.train(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.save()
	scorer, err := configScorer(smallDesk(), dir)
	if err != nil || scorer == nil {
		t.Fatalf("%v, %v", scorer, err)
	}
	if got := scorer.Score("Hilfe\nseit gestern wieder Papierstau im Fach", "de"); got.Best != "hardware.printer" || !got.Known {
		t.Errorf("%+v", got)
	}
	cc := smallDesk()
	cc.Categories[0].Signals = map[string]float64{"vpn": 5}
	if scorer, err := configScorer(cc, dir); err != nil || scorer != nil {
		t.Errorf("another configuration: %v, %v", scorer, err)
	}
	if m, err := s.measure(t.Context()); err != nil || m.Examples != 120 || m.Categories["app.books"] != 40 || m.Score.Texts == 0 || m.InForce.Examples != 120 {
		t.Errorf("%+v, %v", m, err)
	}
}

// What somebody has set aside as spam teaches what the desk's own spam looks like, and nothing about categories; it is kept.
func TestSpamIsLearnt(t *testing.T) {
	dir := t.TempDir()
	s := newSchool(t, dir, smallDesk())
	const offer = "Hilfe\nUnser Angebot: tausend Besucher für Ihre Webseite, jetzt Suchmaschinenplatzierung sichern"
	if p, _ := s.spam.Unwanted(offer); p > 0.5 {
		t.Errorf("before: %.2f", p)
	}
	s.tickets = taughtTickets(20)
	if err := s.learnSpam(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		words := strings.Fields("Angebot Besucher Webseite Suchmaschinenplatzierung sichern tausend Rabatt Kampagne")
		s.tickets = append(s.tickets, tickets.Lesson{Ticket: tickets.TicketID(500 + i), Spam: true,
			Text: "Hilfe\nUnser " + words[i%8] + " für Ihre " + words[(i+3)%8] + ", jetzt " + words[(i+5)%8] + " " + words[(i*5+1)%8]})
	}
	if err := s.learnSpam(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := newSpamOpinion(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []*spamOpinion{s.spam, again} {
		spam, words := o.Unwanted(offer)
		wanted, _ := o.Unwanted(s.tickets[0].Text)
		if spam < 0.9 || wanted > 0.1 || len(words) == 0 {
			t.Errorf("spam %.2f %v, wanted %.2f", spam, words, wanted)
		}
	}
	if m, err := s.measure(t.Context()); err != nil || m.Examples != 60 || m.Unlabelled != 0 {
		t.Errorf("%+v, %v", m, err)
	}
}
