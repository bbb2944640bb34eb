package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"supportd/classify"
	"supportd/classify/model"
	"supportd/cmd/supportd/config"
	"supportd/tickets"
)

// learner keeps what the desk has learnt about categories. A correction changes the model at once; from time to time a new model
// is trained on all of the desk's own tickets, and takes the old one's place only if it is not worse on them (classify/model).
type learner struct {
	state   string                                               // the state directory
	lessons func(context.Context, int) ([]tickets.Lesson, error) // of the store; set before Run
	now     func() time.Time
	log     *slog.Logger

	mu     sync.Mutex
	topics topics
	live   *liveScorer
	about  learnt
	fixes  []tickets.Correction // since the last training began
	tried  int                  // about.Since when it did
	dirty  bool                 // something was learnt since the model was written
	stale  bool                 // the categories are others than those of the training

	spam     *spamOpinion
	minding  bool      // the configuration in force asks for the opinion
	spamNext time.Time // when to learn about spam again

	wake     chan struct{}
	training sync.Mutex // one at a time
}

// learnt is what is told of the model; it stands in a file beside the model's.
type learnt struct {
	Topics    string      `json:"topics"`      // fingerprint of what the configuration teaches
	Trained   time.Time   `json:"trained"`     // when the last training ended
	Through   time.Time   `json:"through"`     // corrections up to then are in it
	Examples  int         `json:"examples"`    // of that training
	Since     int         `json:"corrections"` // since that training
	Oldest    time.Time   `json:"oldest"`      // of these corrections
	Score     model.Score `json:"score"`       // cross-validated, of the model in force
	Other     model.Score `json:"other_score"` // of the model that it took the place of, or that did not take its place
	Replaced  bool        `json:"replaced"`    // whether the last training put a new model in force
	Why       string      `json:"why"`
	Bytes     int         `json:"bytes"`
	TookMilli int64       `json:"took_ms"`
}

// A training is due after so many corrections, or a day after the first of them; and when the categories have changed.
const (
	firstTraining  = 20 // examples below which corrections are only learnt one by one
	fewCorrections = 5  // or a tenth of the examples, if that is more
	maxLessons     = 20_000
	longestWait    = 24 * time.Hour
	saveAfter      = 10 * time.Second // corrections come in bursts
)

const (
	modelFile = "categories.model"
	aboutFile = "categories.json"
)

func newLearner(state string, now func() time.Time, log *slog.Logger) *learner {
	l := &learner{state: state, now: now, log: log, wake: make(chan struct{}, 1)}
	m, about, err := readLearnt(l.state)
	var unread *fs.PathError // there is nothing yet, or the store will say what is wrong with the directory
	switch {
	case err == nil:
		l.about = about
	case !errors.As(err, &unread):
		log.Warn("what was learnt cannot be read; it is learnt again from the tickets", "err", err)
	}
	l.live = &liveScorer{}
	if m != nil {
		l.live.model.Store(m)
	}
	if l.spam, err = newSpamOpinion(state); err != nil {
		log.Warn("what was learnt about spam cannot be read; it is learnt again from the tickets", "err", err)
	}
	return l
}

// readLearnt reads the stored model.
func readLearnt(state string) (*model.Model, learnt, error) {
	var about learnt
	b, err := os.ReadFile(filepath.Join(state, aboutFile))
	if err != nil {
		return nil, about, err
	}
	if err := json.Unmarshal(b, &about); err != nil {
		return nil, about, fmt.Errorf("%s: %w", aboutFile, err)
	}
	m, err := readModel(filepath.Join(state, modelFile))
	return m, about, err
}

// scorer makes what a configuration's classifier asks, and what has to be called once that configuration is in force. Categories
// that the model does not know are unknown until the next training, which is then due.
func (l *learner) scorer(cc classify.Config) (classify.Scorer, func(), error) {
	t, s := topicsOf(cc), &liveScorer{}
	if t.empty() {
		return nil, func() { l.adopt(t, s) }, nil
	}
	l.mu.Lock()
	m := l.live.model.Load()
	l.mu.Unlock()
	if m == nil && len(t.examples) > 0 {
		var err error
		if m, _, err = t.train(model.Options{}, nil); err != nil {
			return nil, nil, err
		}
	}
	s.model.Store(m)
	return s, func() { l.adopt(t, s) }, nil
}

// rules makes the rules of a configuration, with the live model, and what has to be called once they are in force.
func (l *learner) rules(c *config.Config) (*tickets.Rules, func(), error) {
	cc := c.Classification()
	s, inForce, err := l.scorer(cc)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", c.Path, err)
	}
	cc.Spam = l.spam
	classifier, err := classifierWith(cc, s)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", c.Path, err)
	}
	r, err := rulesWith(c, classifier)
	return r, func() {
		l.mu.Lock()
		l.minding = cc.SpamAtLeast > 0
		l.mu.Unlock()
		inForce()
	}, err
}

func (l *learner) adopt(t topics, s *liveScorer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.live.model.Load(); m != nil && s.model.Load() != nil && !t.empty() {
		s.model.Store(m) // it may have been trained since the scorer was made
	}
	l.topics, l.live = t, s
	l.stale = !t.empty() && l.about.Topics != t.fingerprint()
	l.kick()
}

func (l *learner) kick() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// correct learns a correction at once. It is called between two transactions: the next decision counts it already.
func (l *learner) correct(c tickets.Correction) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.topics.empty() {
		return
	}
	l.about.Since++
	if l.about.Oldest.IsZero() {
		l.about.Oldest = l.now()
	}
	l.fixes = append(l.fixes, c)
	defer l.kick()
	m := l.live.model.Load()
	if m == nil {
		var err error
		if m, _, err = (topics{names: l.topics.names, priors: l.topics.priors, ignore: l.topics.ignore}).train(model.Options{}, nil); err != nil {
			l.log.Error("correction not learnt", "ticket", c.Ticket, "err", err)
			return
		}
	}
	l.learn(m, c)
	l.live.model.Store(m)
}

// learn corrects a model. A mail that cannot be read any more teaches with the next training at the earliest.
func (l *learner) learn(m *model.Model, c tickets.Correction) {
	_, known := l.topics.names[c.Category]
	if c.Message == nil || !known && !slices.Contains(l.topics.ignore, c.Category) {
		return
	}
	if err := m.Learn(model.Example{Label: c.Category, Text: tickets.LessonText(c.Message)}); err != nil {
		l.log.Warn("correction not learnt at once", "ticket", c.Ticket, "err", err)
		return
	}
	l.dirty = true
}

// Run trains when it is due, and keeps what was learnt, until ctx is done.
func (l *learner) Run(ctx context.Context) error {
	if err := l.catchUp(ctx); err != nil && ctx.Err() == nil {
		l.log.Error("corrections of the last run not learnt", "err", err)
	}
	for ctx.Err() == nil {
		if l.due() {
			if _, err := l.train(ctx); err != nil && ctx.Err() == nil {
				l.log.Error("categories not learnt anew; what was learnt before stays", "err", err)
			}
		}
		if l.spamDue() {
			if err := l.learnSpam(ctx); err != nil && ctx.Err() == nil {
				l.log.Error("spam not learnt anew; what was learnt before stays", "err", err)
			}
		}
		wait := time.NewTimer(l.pause())
		select {
		case <-ctx.Done():
		case <-l.wake:
		case <-wait.C:
			l.save()
		}
		wait.Stop()
	}
	l.save()
	return nil
}

// spamDue reports whether it is time to learn about spam: after the start, and once a day.
func (l *learner) spamDue() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	due := l.minding && !l.now().Before(l.spamNext)
	if due {
		l.spamNext = l.now().Add(longestWait)
	}
	return due
}

// pause is how long there is nothing to do unless something is learnt.
func (l *learner) pause() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dirty {
		return saveAfter
	}
	return time.Hour
}

func (l *learner) due() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	since := l.about.Since - l.tried
	return l.stale || since >= max(fewCorrections, l.about.Examples/10) || since > 0 && l.now().Sub(l.about.Oldest) >= longestWait
}

// catchUp learns the corrections that the stored model does not have.
func (l *learner) catchUp(ctx context.Context) error {
	l.mu.Lock()
	through, m := l.about.Through, l.live.model.Load()
	l.mu.Unlock()
	if m == nil || through.IsZero() {
		return nil
	}
	lessons, err := l.lessons(ctx, maxLessons)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, lesson := range lessons {
		subject, text, _ := strings.Cut(lesson.Text, "\n")
		if lesson.Corrected && lesson.At.After(through) {
			l.learn(m, tickets.Correction{Ticket: lesson.Ticket, Category: lesson.Category, Message: &tickets.Message{Subject: subject, Reply: text}})
		}
	}
	return nil
}

// train makes a new model of all that can be learnt from, and puts it in force if it is not worse. It works on one processor: the
// desk goes on beside it.
func (l *learner) train(ctx context.Context) (learnt, error) {
	l.training.Lock()
	defer l.training.Unlock()
	l.mu.Lock()
	t, live, began := l.topics, l.live, l.now()
	l.fixes, l.tried, l.stale = nil, l.about.Since, false
	l.mu.Unlock()
	if t.empty() {
		return learnt{}, errors.New("learn the categories: the configuration has fewer than two")
	}
	lessons, err := l.lessons(ctx, maxLessons)
	if err != nil {
		return learnt{}, fmt.Errorf("learn the categories: %w", err)
	}
	next, examples, err := t.train(model.Options{Workers: 1}, lessons)
	if err != nil {
		return learnt{}, err
	}
	if len(examples) < firstTraining {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.about.Topics, l.about.Why = t.fingerprint(), fmt.Sprintf("there are %d examples, and a training wants %d; corrections are learnt one by one", len(examples), firstTraining)
		return l.about, nil
	}
	old := live.model.Load()
	if old == nil && len(t.priors) > 0 {
		if old, _, err = (topics{names: t.names, priors: t.priors, ignore: t.ignore}).train(model.Options{}, nil); err != nil {
			return learnt{}, err
		}
	}
	return l.replace(t, old, next, model.Compare(old, next, examples), began), nil
}

// replace settles what comes of a training that began at an instant.
func (l *learner) replace(t topics, old, next *model.Model, c model.Comparison, began time.Time) learnt {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.topics.fingerprint() != t.fingerprint() {
		l.stale = true // another configuration has come into force meanwhile
		return l.about
	}
	took := l.now().Sub(began).Milliseconds()
	if !c.Replace {
		l.about.Topics, l.about.Other, l.about.Replaced, l.about.Why, l.about.TookMilli = t.fingerprint(), c.NewScore, false, c.Why, took
		l.log.Info("categories learnt anew; the old model stays", "examples", c.Texts, "old", c.Old, "new", c.New)
		l.dirty = true
		return l.about
	}
	for _, fix := range l.fixes {
		l.learn(next, fix)
	}
	n, _ := next.Examples()
	l.about = learnt{Topics: t.fingerprint(), Trained: l.now(), Through: began, Examples: n, Since: len(l.fixes), Score: c.NewScore, Other: c.OldScore,
		Replaced: true, Why: c.Why, TookMilli: took}
	if len(l.fixes) > 0 {
		l.about.Oldest = l.now()
	}
	l.tried = 0
	l.live.model.Store(next)
	l.dirty = true
	l.log.Info("categories learnt anew", "examples", n, "accuracy", c.NewScore.Accuracy, "before", c.OldScore.Accuracy, "took_ms", took)
	return l.about
}

// save writes the model with what was learnt since. A model that cannot be written is learnt again from the tickets after the next
// start.
func (l *learner) save() {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.live.model.Load()
	if !l.dirty || m == nil {
		return
	}
	b, err := m.MarshalBinary()
	if err == nil {
		l.about.Bytes, l.about.Topics = len(b), cmp.Or(l.about.Topics, l.topics.fingerprint())
		l.about.Through = l.now()
		var about []byte
		if about, err = json.MarshalIndent(l.about, "", "  "); err == nil {
			err = errors.Join(writeModel(filepath.Join(l.state, modelFile), b), writeModel(filepath.Join(l.state, aboutFile), about))
		}
	}
	if err != nil {
		l.log.Error("what was learnt cannot be written", "err", err)
		return
	}
	l.dirty = false
}

// told is what is told of the model in force.
func (l *learner) told() learnt {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.about
}
