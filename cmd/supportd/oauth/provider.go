package oauth

// Microsoft fills in what is the same for every account of Microsoft 365: the endpoints of the tenant, and the rights
// that IMAP and SMTP need. What is set already stays.
func Microsoft(a Account, tenant string) Account {
	base := "https://login.microsoftonline.com/" + tenant + "/oauth2/v2.0/"
	setURL(&a.TokenURL, base+"token")
	setURL(&a.DeviceURL, base+"devicecode")
	setURL(&a.AuthURL, base+"authorize")
	if len(a.Scopes) == 0 {
		a.Scopes = []string{"https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send", "offline_access"}
		if a.Grant == ClientCredentials {
			a.Scopes = []string{"https://outlook.office365.com/.default"}
		}
	}
	return a
}

// Google fills in what is the same for every account of Google: the endpoints, and the one right that covers IMAP and
// SMTP. A refresh token is only given out when it is asked for like this.
func Google(a Account) Account {
	if a.Grant != ServiceAccount {
		setURL(&a.TokenURL, "https://oauth2.googleapis.com/token")
	}
	setURL(&a.AuthURL, "https://accounts.google.com/o/oauth2/v2/auth")
	if len(a.Scopes) == 0 {
		a.Scopes = []string{"https://mail.google.com/"}
	}
	a.AuthParams = map[string]string{"access_type": "offline", "prompt": "consent"}
	return a
}

func setURL(to *string, def string) {
	if *to == "" {
		*to = def
	}
}
