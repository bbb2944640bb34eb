package config

import "time"

// oauthKeys say how to get access tokens for a login.
type oauthKeys struct {
	section
	Provider  opt[string]  `key:"provider" kind:"enum" values:"microsoft google other" required:"yes" example:"microsoft" doc:"Who gives the tokens: microsoft (Microsoft 365) and google fill in addresses and scopes; with other they have to be given."`
	Grant     opt[string]  `key:"grant" kind:"enum" values:"client_credentials service_account device consent" example:"device" doc:"The way to a token. client_credentials: a secret of the desk's own. service_account: a key that speaks for any user of a domain. device: a person types a code once. consent: a person agrees in a browser once. After device and consent run supportd login. Default: service_account with service_account_file; client_credentials with a client secret, except at google; else consent at google or with auth_url, and device."`
	Tenant    opt[string]  `key:"tenant" kind:"host" example:"contoso.onmicrosoft.com" doc:"Microsoft: the directory, by its domain or ID."`
	ClientID  opt[string]  `key:"client_id" kind:"text" example:"00000000-1111-2222-3333-444444444444" doc:"The desk's ID at the provider. Not needed for service_account."`
	Secret    opt[string]  `key:"client_secret_file" kind:"path" example:"client.secret" doc:"File with the client's secret, relative to this file, readable for its owner only."`
	SecretEnv opt[envName] `key:"client_secret" kind:"env_secret" example:"${CLIENT_SECRET}" doc:"Instead of client_secret_file: the name of an environment variable, written ${NAME}. Never the secret itself."`
	Expires   opt[string]  `key:"client_secret_expires" kind:"date" example:"2027-01-31" doc:"When the client's secret ends; the admin is told days ahead (health.warn_before). Default: nothing is told."`
	Account   opt[string]  `key:"service_account_file" kind:"path" example:"service-account.json" doc:"The key of a service account: the JSON file that the provider gave out, readable for its owner only."`
	TokenURL  opt[string]  `key:"token_url" kind:"endpoint" example:"https://login.example.org/token" doc:"Where tokens are given. Default: the provider's."`
	DeviceURL opt[string]  `key:"device_url" kind:"endpoint" example:"https://login.example.org/device" doc:"Where codes for grant device are given. Default: the provider's."`
	AuthURL   opt[string]  `key:"auth_url" kind:"endpoint" example:"https://login.example.org/authorize" doc:"The page on which people agree, for grant consent. Default: the provider's."`
	Scopes    many[string] `key:"scopes" kind:"text" one:"yes" example:"[imap, smtp, offline_access]" doc:"The rights to ask for. Default: those that IMAP and SMTP need at the provider."`
	CAFile    opt[string]  `key:"ca_file" kind:"path" example:"ca.pem" doc:"Certificates (PEM) that are trusted beside the system's when tokens are asked for."`
}

// healthKeys are about the mails on the desk's own health.
type healthKeys struct {
	section
	SMTP        smtpKeys           `key:"smtp" short:"server" example:"smtp.elsewhere.example" doc:"A second way out for these mails, for as long as the brand's own server cannot be used: host or host:port, or a map as in brands.NAME.smtp. It has to take the brand's from address. Default: the server of another brand, if there is one."`
	OutboxAfter opt[time.Duration] `key:"outbox_after" kind:"duration" default:"1h" min:"1m" max:"7d" example:"1h" doc:"How long mails wait, after they should have left, until the admin is told."`
	WarnBefore  opt[time.Duration] `key:"warn_before" kind:"duration" default:"14d" min:"1d" max:"90d" example:"14d" doc:"How long before their end certificates, client secrets and consents are told of; again at half of it, and at one day."`
	Silence     opt[bool]          `key:"silence" kind:"bool" default:"true" example:"false" doc:"Tell when a mailbox gets nothing at a time when it got mail in each of the past weeks. Only business time counts."`
}

// pollFailureKeys are about mailboxes and servers that cannot be used.
type pollFailureKeys struct {
	section
	After  opt[time.Duration] `key:"after" kind:"duration" default:"10m" min:"1m" max:"24h" example:"10m" doc:"How long it goes on before the admin is told."`
	Notify opt[string]        `key:"notify" kind:"enum" values:"admin" default:"admin" example:"admin" doc:"Who is told: always admin."`
}
