package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"supportd/cmd/supportd/config"
)

// settleTime is how long files have to be quiet before they are loaded: editors write in several steps.
const settleTime = 300 * time.Millisecond

// watch reloads the configuration when one of its files changes. It watches the folders, because editors replace files
// by renaming.
func (d *Daemon) watch(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		d.log.Warn("file changes are not noticed; use supportd reload", "err", err)
		return nil
	}
	defer w.Close()
	var quiet <-chan time.Time
	watched := map[string]bool{}
	for first := true; ; first = false {
		if err := d.watchFolders(w, watched); err != nil {
			d.log.Warn("file changes may go unnoticed; use supportd reload", "err", err)
		}
		if first && d.changedSinceLoaded() {
			quiet = time.After(settleTime)
		}
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-w.Events:
			if !ok {
				return nil
			}
			if d.concernsConfig(e.Name) {
				quiet = time.After(settleTime)
			}
		case err := <-w.Errors:
			d.log.Warn("file changes may go unnoticed; use supportd reload", "err", err)
		case <-quiet:
			quiet = nil
			_ = d.Reload() // logged and shown by Reload
		}
	}
}

// changedSinceLoaded reports whether the files say something else than what is in force: between their loading and the
// first watch of their folders nobody was told of changes.
func (d *Daemon) changedSinceLoaded() bool {
	c, findings := config.Load(d.path)
	return findings.Err() != nil || c.Rev != d.config.Load().Rev
}

// watchFolders adds the folders of the configuration's files that are not watched yet.
func (d *Daemon) watchFolders(w *fsnotify.Watcher, watched map[string]bool) error {
	for _, f := range append([]string{d.path}, d.config.Load().Files...) {
		dir := filepath.Dir(f)
		if watched[dir] {
			continue
		}
		watched[dir] = true
		if err := w.Add(dir); err != nil {
			return fmt.Errorf("watch %s: %w", dir, err)
		}
	}
	return nil
}

func (d *Daemon) concernsConfig(name string) bool {
	same := func(f string) bool {
		return filepath.Clean(f) == filepath.Clean(name) || filepath.Clean(f) == filepath.Dir(name)
	}
	return same(d.path) || slices.ContainsFunc(d.config.Load().Files, same)
}
