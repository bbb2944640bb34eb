package alert

import (
	"strings"
	"testing"

	"supportd/tickets"
)

// The notifications below are made up, in the form of each system's own templates.
const (
	nagiosText = "***** Nagios *****\n\nNotification Type: PROBLEM\n\nService: HTTP\nHost: web01\nAddress: 192.0.2.7\nState: CRITICAL\n\nDate/Time: Mon Nov 23 10:00:00 CET 2026\n\nAdditional Info:\n\nCRITICAL - Socket timeout\n"
	icingaText = "***** Service Monitoring on mon.desk.example *****\n\nHTTP on web01 is CRITICAL!\n\nInfo:    CRITICAL - Socket timeout\n\nWhen:    2026-11-23 10:00:00 +0100\nService: HTTP\nHost:    web01\nIPv4:    192.0.2.7\n"
	zabbixText = "Problem started at 10:00:00 on 2026.11.23\nProblem name: High CPU utilization\nHost: DB01\nSeverity: High\nOperational data: 97 %\nOriginal problem ID: 4711\n"
	prometheus = "1 alert for alertname=InstanceDown\n\n[1] Firing\nLabels\nalertname = InstanceDown\ninstance = node07:9100\njob = node\nseverity = critical\nAnnotations\nsummary = node07 is down\n\nSent by Alertmanager\n"
	monitText  = "Connection failed Service apache \n\n\tDate:        Mon, 23 Nov 2026 10:00:00\n\tAction:      restart\n\tHost:        web01\n\tDescription: failed protocol test [HTTP] at [localhost]:80\n\nYour faithful employee,\nMonit\n"
)

func TestRead(t *testing.T) {
	recovered := strings.NewReplacer("PROBLEM", "RECOVERY", "CRITICAL", "OK").Replace
	for _, tt := range []struct {
		subject, text string
		want          Alert
	}{
		{"** PROBLEM Service Alert: web01/HTTP is CRITICAL **", nagiosText, Alert{"nagios", "web01", "HTTP", "CRITICAL", Problem, true}},
		{"** RECOVERY Service Alert: web01/HTTP is OK **", recovered(nagiosText), Alert{"nagios", "web01", "HTTP", "OK", Recovery, true}},
		{"** PROBLEM Host Alert: web01 is DOWN **", "Notification Type: PROBLEM\nHost: web01\nState: DOWN\n", Alert{"nagios", "web01", "", "DOWN", Problem, true}},
		{"** ACKNOWLEDGEMENT Service Alert: web01/HTTP is CRITICAL **", "", Alert{"nagios", "web01", "HTTP", "CRITICAL", Notice, false}},
		{"** FLAPPINGSTART Service Alert: web01/HTTP is WARNING **", "***** Icinga *****", Alert{"icinga", "web01", "HTTP", "WARNING", Notice, false}},
		{"[PROBLEM] HTTP on web01 is CRITICAL!", icingaText, Alert{"icinga", "web01", "HTTP", "CRITICAL", Problem, true}},
		{"[RECOVERY] HTTP on web01 is OK!", recovered(icingaText), Alert{"icinga", "web01", "HTTP", "OK", Recovery, true}},
		{"[PROBLEM] Host web01 is DOWN!", "***** Host Monitoring on mon *****\n\nweb01 is DOWN!\n\nHost: web01\n", Alert{"icinga", "web01", "", "DOWN", Problem, true}},
		{"[ACKNOWLEDGEMENT] disk on / on web01 is WARNING!", "", Alert{"icinga", "web01", "disk on /", "WARNING", Notice, false}},
		{"PROBLEM - web01 - HTTP is CRITICAL", "Notification Type: PROBLEM\n", Alert{"icinga", "web01", "HTTP", "CRITICAL", Problem, true}},
		{"RECOVERY - web01 is UP", "", Alert{"icinga", "web01", "", "UP", Recovery, false}},
		{"Problem: High CPU utilization", zabbixText, Alert{"zabbix", "db01", "High CPU utilization", "HIGH", Problem, true}},
		{"Resolved in 5m 3s: High CPU utilization", strings.Replace(zabbixText, "started", "has been resolved", 1), Alert{"zabbix", "db01", "High CPU utilization", "HIGH", Recovery, true}},
		{"Resolved: High CPU utilization", zabbixText, Alert{"zabbix", "db01", "High CPU utilization", "HIGH", Recovery, true}},
		{"Updated problem in 5m: High CPU utilization", zabbixText, Alert{"zabbix", "db01", "High CPU utilization", "HIGH", Notice, true}},
		{"Check_MK: web01/Filesystem / OK -> CRIT", "", Alert{"checkmk", "web01", "Filesystem /", "CRIT", Problem, true}},
		{"Check_MK: web01/Filesystem / CRIT -> OK", "", Alert{"checkmk", "web01", "Filesystem /", "OK", Recovery, true}},
		{"Checkmk: web01 - UP -> DOWN", "", Alert{"checkmk", "web01", "", "DOWN", Problem, true}},
		{"Check_MK: web01 DOWN → UP", "", Alert{"checkmk", "web01", "", "UP", Recovery, true}},
		{"Check_MK: web01/CPU load Acknowledged (CRIT)", "", Alert{"checkmk", "web01", "CPU load", "ACKNOWLEDGED (CRIT)", Notice, true}},
		{"[FIRING:1] InstanceDown (node07:9100 node critical)", prometheus, Alert{"alertmanager", "node07", "InstanceDown", "FIRING", Problem, true}},
		{"[RESOLVED] InstanceDown (node07:9100 node critical)", prometheus, Alert{"alertmanager", "node07", "InstanceDown", "RESOLVED", Recovery, true}},
		{"[FIRING:2] InstanceDown (node critical)", prometheus + "alertname = InstanceDown\ninstance = node08:9100\n", Alert{"alertmanager", "node", "InstanceDown", "FIRING", Problem, true}},
		{"[FIRING:1] Disk full", "Grafana\nalertname = DiskFull\ninstance = node07\n", Alert{"grafana", "node07", "DiskFull", "FIRING", Problem, true}},
		{"[Shop] [🔴 Down] connect ECONNREFUSED 192.0.2.7:443", "", Alert{"uptime_kuma", "shop", "", "DOWN", Problem, true}},
		{"[Shop] [✅ Up] 200 - OK", "", Alert{"uptime_kuma", "shop", "", "UP", Recovery, true}},
		{"monit alert -- Connection failed apache", monitText, Alert{"monit", "web01", "apache", "CONNECTION FAILED", Problem, true}},
		{"monit alert -- Connection succeeded apache", strings.Replace(monitText, "failed", "succeeded", 1), Alert{"monit", "web01", "apache", "CONNECTION SUCCEEDED", Recovery, true}},
		{"monit alert -- Exists apache", strings.Replace(monitText, "Connection failed", "Exists", 1), Alert{"monit", "web01", "apache", "EXISTS", Recovery, true}},
		{"monit alert -- Does not exist apache", strings.Replace(monitText, "Connection failed", "Does not exist", 1), Alert{"monit", "web01", "apache", "DOES NOT EXIST", Problem, true}},
		{"monit alert -- Monit instance changed web01", strings.Replace(monitText, "Connection failed", "Monit instance changed", 1), Alert{"monit", "web01", "apache", "MONIT INSTANCE CHANGED", Notice, true}},
	} {
		got, ok := Read(&tickets.Message{Subject: tt.subject, Text: tt.text})
		if !ok || got != tt.want {
			t.Errorf("%s: %+v %v, want %+v", tt.subject, got, ok, tt.want)
		}
	}
}

// TestPeopleAreNoAlerts holds that answers, forwards and people who write alike are left alone.
func TestPeopleAreNoAlerts(t *testing.T) {
	for _, subject := range []string{
		"Re: ** PROBLEM Service Alert: web01/HTTP is CRITICAL **", "Fwd: [FIRING:1] InstanceDown", "WG: Problem: High CPU", "AW: [RESOLVED] x",
		"Problem: mein Drucker druckt nicht", "Resolved: can we close this?", "[PROBLEM] Drucker", "web01 is down", "[Shop] Frage", "", strings.Repeat("[", 2000),
	} {
		if a, ok := Read(&tickets.Message{Subject: subject, Text: "Hallo, was ist da los?\n> Host: web01\n"}); ok && (a.Sure || a.System == "zabbix") {
			t.Errorf("%q is taken for %+v", subject, a)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("** PROBLEM Service Alert: web01/HTTP is CRITICAL **", nagiosText)
	f.Add("[PROBLEM] HTTP on web01 is CRITICAL!", icingaText)
	f.Add("Problem: High CPU utilization", zabbixText)
	f.Add("[FIRING:1] InstanceDown (node07:9100 node critical)", prometheus)
	f.Add("monit alert -- Connection failed apache", monitText)
	f.Add("Check_MK: web01/Filesystem / OK -> CRIT", "")
	f.Add("[Shop] [🔴 Down] refused", "")
	f.Add("[FIRING]\x00", "0")
	f.Fuzz(func(t *testing.T, subject, text string) {
		a, ok := Read(&tickets.Message{Subject: subject, Text: text})
		if !ok {
			return
		}
		if a.Host == "" && a.Service == "" || a.Event != Problem && a.Event != Recovery && a.Event != Notice || a.System == "" {
			t.Errorf("half an alert: %+v", a)
		}
		for _, s := range []string{a.Host, a.Service, a.State} {
			if len(s) > 3*maxName || strings.ContainsAny(s, "\r\n\x00") {
				t.Errorf("%q", s)
			}
		}
	})
}
