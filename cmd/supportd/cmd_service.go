package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"supportd/cmd/supportd/config"
	"supportd/cmd/supportd/service"
)

func (a *app) serviceCommand() *cobra.Command {
	var root string
	var packaged bool
	print := &cobra.Command{
		Use: "print [unit|sysusers|tmpfiles]", Short: "print a file of the systemd service", Args: cobra.MaximumNArgs(1),
		Long: "print writes the unit file to standard output, or the file that makes the user (sysusers.d), or the one that makes the\nfolders (tmpfiles.d). Nothing is installed.",
		RunE: func(_ *cobra.Command, args []string) error { return a.servicePrint(args, packaged) },
	}
	print.Flags().BoolVar(&packaged, "packaged", false, "for a package: the program in /usr/bin, the password in mailbox.pw beside the configuration")
	install := &cobra.Command{
		Use: "install", Short: "install the desk as a systemd service", Args: cobra.NoArgs,
		Long: `install writes the unit file for this program and the configuration that -c names, and the files that make the user
supportd and the folder /var/lib/supportd, and has systemd read them. It starts nothing. Password files of the
configuration are handed to the service by systemd (LoadCredential): they may belong to root, with mode 0600. A file that
somebody else made is left as it is.`,
		Example: "  sudo supportd service install -c /etc/supportd/supportd.yaml",
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.serviceInstall(cmd.Context(), root) },
	}
	remove := &cobra.Command{
		Use: "remove", Short: "remove the systemd service", Args: cobra.NoArgs,
		Long: "remove removes the files that install wrote. The configuration, the state directory and the user stay.",
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serviceRemove(cmd.Context(), root) },
	}
	for _, c := range []*cobra.Command{install, remove} {
		c.Flags().StringVar(&root, "root", "/", "write below this folder; with another than / no system command is run")
	}
	return group("service", "install or remove the desk as a service", print, install, remove)
}

// service is what the unit file says about this program and the configuration.
func (a *app) service() (service.Service, error) {
	program, err := os.Executable()
	if err != nil {
		return service.Service{}, fmt.Errorf("find this program: %w", err)
	}
	path, err := filepath.Abs(a.config)
	if err != nil {
		return service.Service{}, fmt.Errorf("%s: %w", a.config, err)
	}
	s := service.Service{Program: program, Config: path}
	for _, file := range config.SecretFiles(a.config) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(path), file)
		}
		name := filepath.Base(file)
		if slices.ContainsFunc(s.Secrets, func(other service.Secret) bool { return other.Name == name }) {
			return s, fmt.Errorf("%s: two password files are called %s; a service tells them apart by name: rename one", a.config, name)
		}
		s.Secrets = append(s.Secrets, service.Secret{Name: name, Path: file})
	}
	return s, nil
}

func (a *app) servicePrint(args []string, packaged bool) error {
	name := service.Unit
	if len(args) == 1 {
		switch args[0] {
		case "unit":
		case "sysusers":
			name = service.Sysusers
		case "tmpfiles":
			name = service.Tmpfiles
		default:
			return fmt.Errorf("service print: there is no %q; there are unit, sysusers, tmpfiles", args[0])
		}
	}
	s, err := a.service()
	if err != nil {
		return err
	}
	if packaged {
		s.Program = "/usr/bin/supportd"
		s.Secrets = []service.Secret{{Name: "mailbox.pw", Path: filepath.Join(filepath.Dir(s.Config), "mailbox.pw")}}
	}
	b, err := s.File(name)
	if err == nil {
		_, err = a.out.Write(b)
	}
	return err
}

func (a *app) serviceInstall(ctx context.Context, root string) error {
	if _, err := os.Stat(a.config); err != nil {
		return fmt.Errorf("%s: the file does not exist; make one with supportd init, or name another with -c FILE", a.config)
	}
	s, err := a.service()
	if err != nil {
		return err
	}
	if state := config.StateDir(s.Config); state != "/var/lib/supportd" {
		fmt.Fprintf(a.out, "! state is %s; the service may write to /var/lib/supportd only: write state: /var/lib/supportd\n", state)
	}
	written, err := s.Install(root)
	for _, path := range written {
		fmt.Fprintln(a.out, "wrote "+path)
	}
	if err != nil {
		return err
	}
	if root == "/" {
		for _, command := range [][]string{{"systemd-sysusers", "supportd.conf"}, {"systemd-tmpfiles", "--create", "supportd.conf"}, {"systemctl", "daemon-reload"}} {
			if err := runSystem(ctx, command...); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(a.out, "\nnext:\n  1. supportd check --online -c %s\n  2. systemctl enable --now supportd\n  3. systemctl status supportd\n", s.Config)
	return nil
}

func (a *app) serviceRemove(ctx context.Context, root string) error {
	if root == "/" {
		if err := runSystem(ctx, "systemctl", "disable", "--now", "supportd.service"); err != nil {
			return err
		}
	}
	removed, err := service.Remove(root)
	for _, path := range removed {
		fmt.Fprintln(a.out, "removed "+path)
	}
	if err != nil {
		return err
	}
	if root == "/" {
		if err := runSystem(ctx, "systemctl", "daemon-reload"); err != nil {
			return err
		}
	}
	fmt.Fprintln(a.out, "the configuration, /var/lib/supportd and the user supportd are left as they are")
	return nil
}

// runSystem runs a command of the system; one that is not there, or has no systemd to speak to, is passed over.
func runSystem(ctx context.Context, command ...string) error {
	if _, err := os.Stat("/run/systemd/system"); command[0] == "systemctl" && err != nil {
		return nil // as sd_booted(3) finds out: another program runs the system, such as when an image is made
	}
	path, err := exec.LookPath(command[0])
	if errors.Is(err, exec.ErrNotFound) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, command[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
