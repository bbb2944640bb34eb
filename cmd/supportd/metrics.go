package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics shows the same figures as the status page to Prometheus, in a registry of its own.
type metrics struct {
	daemon   *Daemon
	registry *prometheus.Registry
}

// The figures, named by Prometheus's conventions: base units, _total for what only grows.
var (
	descUp        = prometheus.NewDesc("supportd_mailbox_connected", "1 while the mailbox is connected.", []string{"mailbox"}, nil)
	descPoll      = prometheus.NewDesc("supportd_mailbox_last_poll_timestamp_seconds", "When the mailbox was last looked at.", []string{"mailbox"}, nil)
	descHoles     = prometheus.NewDesc("supportd_mailbox_waiting_messages", "Messages that the server lists and did not hand out yet.", []string{"mailbox"}, nil)
	descMessages  = prometheus.NewDesc("supportd_messages", "Messages settled, by what they are now: one that is held may become another.", []string{"result"}, nil)
	descTickets   = prometheus.NewDesc("supportd_tickets", "Tickets, by state.", []string{"state"}, nil)
	descOutbox    = prometheus.NewDesc("supportd_outbox_mails", "Mails that are not delivered, by state.", []string{"state"}, nil)
	descDelivered = prometheus.NewDesc("supportd_deliveries_total", "Deliveries since the start, by how they ended.", []string{"result"}, nil)
	descServer    = prometheus.NewDesc("supportd_smtp_server_usable", "1 while mails can be handed to the server.", []string{"server"}, nil)
	descToken     = prometheus.NewDesc("supportd_token_usable", "1 while access tokens for the login can be had.", []string{"account"}, nil)
	descConsent   = prometheus.NewDesc("supportd_token_consent_end_timestamp_seconds", "When somebody has to log in again, where the provider tells.", []string{"account"}, nil)
	descTrouble   = prometheus.NewDesc("supportd_trouble", "1 for everything that is wrong with the desk itself.", []string{"what"}, nil)
	descMirror    = prometheus.NewDesc("supportd_mirror_waiting_tickets", "Tickets of which something is still to be shown in the mailbox.", []string{"mailbox"}, nil)
	descReload    = prometheus.NewDesc("supportd_config_last_reload_successful", "1 when the configuration file is the one in force.", nil, nil)
	descFree      = prometheus.NewDesc("supportd_state_free_bytes", "Free space for the state directory.", nil, nil)
	descShadow    = prometheus.NewDesc("supportd_shadow_messages_total", "Messages compared with run --shadow since the start: same or different.", []string{"result"}, nil)
	descDiffers   = prometheus.NewDesc("supportd_shadow_differences_total", "Values in which the shadow configuration differed since the start.", []string{"what"}, nil)
	descResident  = prometheus.NewDesc("supportd_memory_anonymous_bytes", "Memory of the process without mapped files.", nil, nil)
)

func newMetrics(d *Daemon) *metrics {
	m := &metrics{daemon: d, registry: prometheus.NewRegistry()}
	m.registry.MustRegister(m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descUp, descPoll, descHoles, descMessages, descTickets, descOutbox, descDelivered, descServer, descReload, descFree, descResident, descShadow, descDiffers, descToken, descConsent, descTrouble, descMirror} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	v, err := m.daemon.status()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descUp, err)
		return
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter := func(d *prometheus.Desc, value uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	for _, b := range v.Mailboxes {
		gauge(descUp, truth(b.Connected), b.Name)
		gauge(descHoles, float64(b.Waiting), b.Name)
		if !b.LastPoll.IsZero() {
			gauge(descPoll, float64(b.LastPoll.UnixMilli())/1000, b.Name)
		}
	}
	for result, n := range map[string]uint64{"created": v.Books.Created, "appended": v.Books.Appended, "duplicate": v.Books.Duplicates,
		"quarantined": v.Books.Quarantined, "filed": v.Books.Filed, "failed": v.Books.Failed} {
		gauge(descMessages, float64(n), result)
	}
	for state, n := range v.Tickets {
		gauge(descTickets, float64(n), state)
	}
	gauge(descOutbox, float64(v.Outbox.Due), "waiting")
	gauge(descOutbox, float64(v.Outbox.Deferred), "deferred")
	gauge(descOutbox, float64(v.Outbox.Failed), "failed")
	for _, s := range v.Servers {
		gauge(descServer, truth(s.Error == ""), s.Name)
	}
	for _, b := range v.Mirrors {
		gauge(descMirror, float64(b.Waiting), b.Mailbox)
	}
	for _, t := range v.Troubles {
		gauge(descTrouble, 1, t.Key)
	}
	for _, a := range v.Accounts {
		gauge(descToken, truth(a.Error == ""), a.Name)
		if !a.ConsentEnds.IsZero() {
			gauge(descConsent, float64(a.ConsentEnds.Unix()), a.Name)
		}
	}
	m.daemon.mu.Lock()
	sender := m.daemon.sender
	m.daemon.mu.Unlock()
	if sender != nil {
		s := sender.Status()
		counter(descDelivered, s.Sent, "sent")
		counter(descDelivered, s.Deferred, "deferred")
		counter(descDelivered, s.Failed, "failed")
		counter(descDelivered, s.Ambiguous, "ambiguous")
	}
	if sh := m.daemon.shadow; sh != nil {
		c := sh.seen()
		counter(descShadow, c.Same, "same")
		counter(descShadow, c.Different, "different")
		for what, n := range c.What {
			counter(descDiffers, n, what)
		}
	}
	gauge(descReload, truth(v.ReloadErr == ""))
	gauge(descFree, float64(v.FreeMB<<20))
	gauge(descResident, float64(residentBytes()))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
