package model

import "fmt"

// Spam is a second opinion on whether a mail is wanted, by the same machinery as the categories. What the mail server says of
// a mail comes first. A score is a reason to hold a mail for a person to look at, never to drop it.
//
// Without examples it knows a few words that stand in bulk offers, fraud and extortion; that finds the crude ones only and is
// no filter. A desk's own held and released mail is what makes it one: spam looks different at every desk, and what was
// learnt from another's mail serves little.
type Spam struct{ model *Model }

const (
	spamLabel = "spam"
	hamLabel  = "wanted"
)

// spamWords are the words a Spam begins with, and what they weigh. One is never enough, see SpamScore.
func spamWords() map[string]float64 {
	return map[string]float64{
		"bitcoin wallet": 2, "crypto investment": 3, "guaranteed profit": 3, "double your money": 4, "get rich": 3, "passive income": 2,
		"casino bonus": 3, "free spins": 3, "online casino": 3, "jackpot": 2, "lottery winner": 4, "you have won": 3, "claim your prize": 4,
		"viagra": 4, "cialis": 4, "cheap pills": 4, "weight loss": 2, "enlargement": 2, "replica watches": 4, "hot singles": 4,
		"inheritance": 1, "next of kin": 3, "million dollars": 3, "western union": 2, "wire the funds": 3, "strictly confidential": 1,
		"seo services": 3, "backlinks": 2, "first page of google": 3, "guest post": 2, "buy followers": 4, "bulk email": 3,
		"i recorded you": 4, "your webcam": 3, "act now": 2, "limited offer": 1, "risk free": 2, "no obligation": 1, "100 free": 2,
		"garantierter gewinn": 4, "sie haben gewonnen": 3, "lotteriegewinn": 4, "sofortkredit": 3, "kredit ohne schufa": 4,
		"schnell reich": 3, "passives einkommen": 2, "potenzmittel": 4, "erbschaft": 1, "millionen euro": 3, "ihre webcam": 3,
		"gratis spins": 3, "geld verdienen": 2, "krypto investition": 3, "abnehmen": 1, "nur heute": 1,
	}
}

// TrainSpam makes a Spam of mails of both kinds, which may be missing.
func TrainSpam(o Options, spam, wanted []string) (*Spam, error) {
	var examples []Example
	for _, s := range spam {
		examples = append(examples, Example{spamLabel, s})
	}
	for _, s := range wanted {
		examples = append(examples, Example{hamLabel, s})
	}
	m, err := Train(o, examples, map[string]map[string]float64{spamLabel: spamWords()}, map[string][]string{hamLabel: nil}, nil)
	if err != nil {
		return nil, fmt.Errorf("train on spam: %w", err)
	}
	return &Spam{m}, nil
}

// Score returns how probable it is that the text is spam, and the words that say so.
func (s *Spam) Score(text string) (probability float64, evidence []Term) {
	p := s.model.Classify(text)
	switch {
	case p.Best == spamLabel:
		return p.Probability, p.Evidence
	case s.model.taught() || s.model.late.count > 0:
		return 1 - p.Probability, nil
	}
	return p.RunnerUpProbability, nil
}

// Learn corrects the opinion by one mail, at once.
func (s *Spam) Learn(text string, spam bool) error {
	label := hamLabel
	if spam {
		label = spamLabel
	}
	return s.model.Learn(Example{label, text})
}

// Model is the model underneath, for storing it.
func (s *Spam) Model() *Model { return s.model }

// SpamOf takes a stored model back into use.
func SpamOf(m *Model) *Spam { return &Spam{m} }
