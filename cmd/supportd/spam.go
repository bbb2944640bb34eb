package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync/atomic"

	"supportd/classify"
	"supportd/classify/model"
)

// spamFile is what was learnt about spam, beside what was learnt about categories.
const spamFile = "spam.model"

// enoughSpam is from how many tickets on that were set aside the desk learns what its own spam looks like. Before, it knows some
// words that stand in the crudest.
const enoughSpam = 10

// maxSpamTexts bounds how many texts of either kind are learnt from, the newest.
const maxSpamTexts = 2000

// spamOpinion lets a model.Spam stand where a classify.SpamScorer is wanted, and another one take its place.
type spamOpinion struct{ spam atomic.Pointer[model.Spam] }

// Unwanted implements classify.SpamScorer.
func (s *spamOpinion) Unwanted(text string) (float64, []classify.Evidence) {
	p, terms := s.spam.Load().Score(text)
	var evidence []classify.Evidence
	for _, t := range terms {
		evidence = append(evidence, classify.Evidence{Text: t.Text, Weight: t.Weight})
	}
	return p, evidence
}

// newSpamOpinion reads what was learnt about spam; without that it knows its first words.
func newSpamOpinion(state string) (*spamOpinion, error) {
	s := &spamOpinion{}
	m, err := readModel(filepath.Join(state, spamFile))
	var unread *fs.PathError
	if err == nil {
		s.spam.Store(model.SpamOf(m))
		return s, nil
	}
	first, failed := model.TrainSpam(model.Options{Seed: 1}, nil, nil)
	if failed != nil {
		return nil, failed
	}
	s.spam.Store(first)
	if errors.As(err, &unread) {
		err = nil // nothing was learnt yet
	}
	return s, err
}

// learnSpam learns from the tickets that somebody set aside and those that nobody did, when there are enough.
func (l *learner) learnSpam(ctx context.Context) error {
	lessons, err := l.lessons(ctx, maxLessons)
	if err != nil {
		return fmt.Errorf("learn about spam: %w", err)
	}
	var spam, wanted []string
	for i := len(lessons) - 1; i >= 0; i-- {
		switch lesson := lessons[i]; {
		case lesson.Spam && len(spam) < maxSpamTexts:
			spam = append(spam, lesson.Text)
		case !lesson.Spam && lesson.Category != "" && len(wanted) < maxSpamTexts:
			wanted = append(wanted, lesson.Text)
		}
	}
	if len(spam) < enoughSpam || len(wanted) < enoughSpam {
		return nil
	}
	s, err := model.TrainSpam(model.Options{Seed: 1, Workers: 1}, spam, wanted)
	if err != nil {
		return err
	}
	b, err := s.Model().MarshalBinary()
	if err != nil {
		return fmt.Errorf("learn about spam: %w", err)
	}
	l.spam.spam.Store(s)
	l.log.Info("spam learnt anew", "spam", len(spam), "wanted", len(wanted), "accuracy", s.Model().Score().Accuracy)
	if err := writeModel(filepath.Join(l.state, spamFile), b); err != nil {
		return fmt.Errorf("write what was learnt about spam: %w", err)
	}
	return nil
}
