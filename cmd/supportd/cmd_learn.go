package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"supportd/classify/model"
)

// What the desk itself has learnt: `supportd train` and `supportd eval` without files.

// measured is what `supportd eval` prints of the desk's own tickets.
type measured struct {
	Examples   int            `json:"examples"`   // of the configuration and of tickets
	Corrected  int            `json:"corrected"`  // of them, tickets whose category an agent gave
	Unlabelled int            `json:"unlabelled"` // tickets of which only the text is of use
	Categories map[string]int `json:"categories"` // examples of each
	Score      model.Score    `json:"cross_validation"`
	InForce    learnt         `json:"in_force"`
}

// measure trains on all that the desk can learn from and says how good that is on what was held back. It changes nothing.
func (l *learner) measure(ctx context.Context) (measured, error) {
	l.mu.Lock()
	t, about := l.topics, l.about
	l.mu.Unlock()
	r := measured{Categories: map[string]int{}, InForce: about}
	if t.empty() {
		return r, errors.New("measure the categories: the configuration has fewer than two")
	}
	lessons, err := l.lessons(ctx, maxLessons)
	if err != nil {
		return r, fmt.Errorf("measure the categories: %w", err)
	}
	m, examples, err := t.train(model.Options{Workers: 1}, lessons)
	if err != nil {
		return r, err
	}
	r.Examples, r.Score = len(examples), m.Score()
	for _, e := range examples {
		r.Categories[e.Label]++
	}
	for _, lesson := range lessons {
		if lesson.Category == "" && !lesson.Spam {
			r.Unlabelled++
		} else if lesson.Corrected {
			r.Corrected++
		}
	}
	return r, nil
}

// learner is the daemon's; without a daemon, one that has read what is stored.
func (o *operator) learner() (*learner, error) {
	if o.daemon != nil {
		return o.daemon.learner, nil
	}
	if o.config == nil {
		return nil, errors.New("name the configuration with -c FILE: it says what the categories are")
	}
	l := newLearner(o.config.State, o.desk.Now, o.desk.Log)
	l.lessons = o.desk.Store.Lessons
	_, inForce, err := l.scorer(o.config.Classification())
	if err != nil {
		return nil, err
	}
	inForce()
	return l, nil
}

func (o *operator) train(ctx context.Context, _ noArgs) (learnt, error) {
	l, err := o.learner()
	if err != nil {
		return learnt{}, err
	}
	about, err := l.train(ctx)
	l.save()
	return about, err
}

func (o *operator) measure(ctx context.Context, _ noArgs) (measured, error) {
	l, err := o.learner()
	if err != nil {
		return measured{}, err
	}
	return l.measure(ctx)
}

// trainDesk is `supportd train` without files.
func (a *app) trainDesk(ctx context.Context) error {
	var about learnt
	if err := a.ask(ctx, "train", noArgs{}, &about); err != nil {
		return err
	}
	if err := a.print(about, func(w io.Writer) { writeLearnt(w, about) }); err != nil || about.Replaced {
		return err
	}
	return exitCode(exitFound)
}

// evalDesk is `supportd eval` without files.
func (a *app) evalDesk(ctx context.Context) error {
	var m measured
	if err := a.ask(ctx, "eval", noArgs{}, &m); err != nil {
		return err
	}
	return a.print(m, func(w io.Writer) {
		fmt.Fprintf(w, "%d examples, %d of them put right by agents; %d tickets of which nobody said what they are\n", m.Examples, m.Corrected, m.Unlabelled)
		for _, name := range slices.Sorted(maps.Keys(m.Categories)) {
			fmt.Fprintf(w, "  %-24s %d\n", name, m.Categories[name])
		}
		writeScore(w, "a model of all that", m.Score)
		fmt.Fprintln(w, "in force:")
		writeLearnt(w, m.InForce)
	})
}

func writeScore(w io.Writer, what string, s model.Score) {
	if s.Texts == 0 {
		fmt.Fprintf(w, "%s: too few examples to measure by\n", what)
		return
	}
	fmt.Fprintf(w, "%s: accuracy %.1f %%, macro F1 %.1f %%, ECE %.3f (cross-validated on %d)\n", what, 100*s.Accuracy, 100*s.MacroF1, s.ECE, s.Texts)
}

func writeLearnt(w io.Writer, l learnt) {
	if l.Trained.IsZero() {
		fmt.Fprintf(w, "no model of the desk's own tickets; %d corrections learnt one by one\n", l.Since)
	} else {
		fmt.Fprintf(w, "a model of %d examples, trained %s in %.1f s, and %d corrections since\n", l.Examples, local(l.Trained), float64(l.TookMilli)/1e3, l.Since)
		other := "the one before it"
		if !l.Replaced {
			other = "a newer one, which did not take its place"
		}
		writeScore(w, "it", l.Score)
		writeScore(w, other, l.Other)
	}
	if l.Why != "" {
		fmt.Fprintln(w, l.Why)
	}
}
