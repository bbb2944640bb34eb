package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"path"
	"slices"
	"time"
)

// tarball writes files as a tar archive with the folders above them; everything belongs to root and is as old as when
// says. prefix stands before each name.
func tarball(files []file, prefix string, when time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	head := func(name string, kind byte, mode int64, size int64) error {
		return w.WriteHeader(&tar.Header{Typeflag: kind, Name: prefix + name, Mode: mode, Size: size, ModTime: when, Uname: "root", Gname: "root", Format: tar.FormatGNU})
	}
	var made []string
	for _, f := range files {
		for _, dir := range above(f.path) {
			if slices.Contains(made, dir) {
				continue
			}
			made = append(made, dir)
			if err := head(dir+"/", tar.TypeDir, 0o755, 0); err != nil {
				return nil, err
			}
		}
		if err := head(f.path, tar.TypeReg, int64(f.mode.Perm()), int64(len(f.data))); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

// above lists the folders that a path stands in, the topmost first.
func above(name string) []string {
	var dirs []string
	for dir := path.Dir(name); dir != "." && dir != "/"; dir = path.Dir(dir) {
		dirs = append(dirs, dir)
	}
	slices.Reverse(dirs)
	return dirs
}

// compressed is data in the form of gzip, without a time or a name in it.
func compressed(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(data)
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}

func tarArchive(files []file, when time.Time) ([]byte, error) {
	b, err := tarball(files, "", when)
	if err != nil {
		return nil, err
	}
	return compressed(b)
}

func zipArchive(files []file, when time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.path, Method: zip.Deflate, Modified: when}
		h.SetMode(f.mode)
		part, err := w.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := part.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}
