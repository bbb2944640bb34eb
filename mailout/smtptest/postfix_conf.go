package smtptest

import "text/template"

// mainCF: nothing is looked up in the DNS, nothing is relayed, no answer is delayed.
var mainCF = template.Must(template.New("main.cf").Parse(`compatibility_level = 3.6
queue_directory = {{.Base}}/queue
data_directory = {{.Base}}/data
maillog_file = {{.Base}}/mail.log
maillog_file_prefixes = {{.Base}}
myhostname = mail.desk.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
virtual_mailbox_domains = {{.Domains}}
virtual_mailbox_base = {{.Options.MailDir}}
virtual_mailbox_maps = texthash:{{.Base}}/etc/mailboxes
virtual_mailbox_limit = 0
virtual_uid_maps = static:{{.UID}}
virtual_gid_maps = static:{{.UID}}
recipient_delimiter = +
default_transport = discard
relay_transport = discard
local_transport = discard
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
in_flow_delay = 0
biff = no
smtpd_relay_restrictions = {{if .Options.AuthSocket}}permit_sasl_authenticated, reject{{else}}permit_mynetworks, reject{{end}}
smtpd_recipient_restrictions = check_recipient_access regexp:{{.Base}}/etc/answers
{{- if .Options.AuthSocket}}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {{.Options.AuthSocket}}
smtpd_sasl_security_options = noanonymous
{{- end}}
{{- if .Options.Certificate}}
smtpd_tls_security_level = may
smtpd_tls_cert_file = {{.Options.Certificate}}
smtpd_tls_key_file = {{.Options.Key}}
{{- end}}
{{range .Options.Settings}}{{.}}
{{end}}`))

// masterCF: no service is chrooted, so that paths mean the same everywhere.
var masterCF = template.Must(template.New("master.cf").Parse(`127.0.0.1:{{.Port}} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`))
