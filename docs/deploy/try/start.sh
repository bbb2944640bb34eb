#!/bin/bash
# Starts both servers; the container ends when one of them does.
set -e
chown 5000:5000 /var/mail
chmod 755 /var/mail
dovecot -F &
postfix start-fg &
wait -n
