"""The platform's own mailer: plain SMTP by ``EMAIL_URL``, or a provider through anymail."""

from typing import Any
from urllib.parse import unquote, urlsplit

from platform_site.settings import env
from platform_site.settings.base import LAYOUT, PRODUCT_NAME


def _default_email_url() -> str:
    port = LAYOUT.smtp_port
    return f"smtp://127.0.0.1:{port}" if port else "smtp://127.0.0.1:25"


_email = urlsplit(env.secret("EMAIL_URL") or _default_email_url())
EMAIL_BACKEND = env.text("EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
EMAIL_HOST = _email.hostname or "127.0.0.1"
EMAIL_PORT = _email.port or {"smtps": 465, "smtp+tls": 587}.get(_email.scheme, 25)
EMAIL_HOST_USER = unquote(_email.username or "")
EMAIL_HOST_PASSWORD = unquote(_email.password or "")
EMAIL_USE_TLS = _email.scheme == "smtp+tls"
EMAIL_USE_SSL = _email.scheme == "smtps"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"{PRODUCT_NAME} <no-reply@platform.test>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# The right-hand side of every Message-ID: stable, so that a retried mail is the same mail.
MESSAGE_ID_DOMAIN = env.text("MESSAGE_ID_DOMAIN", "mail.platform.test")

# Whether a company's mail server may be in a private network: only for an installation with one company.
SMTP_ALLOW_PRIVATE = env.flag("SMTP_ALLOW_PRIVATE")
# Certificates that companies' mail servers may be signed with, besides the well-known ones.
SMTP_CA_FILE = env.text("SMTP_CA_FILE")
# Who is asked about senders' domains, as address or address:port; empty: the machine's own resolvers.
DNS_NAMESERVERS = env.words("DNS_NAMESERVERS")

# Read by anymail when EMAIL_BACKEND names one of its backends, and when a provider
# reports what became of mails; they come from the environment under the same names.
ANYMAIL: dict[str, Any] = {
    name.removeprefix("ANYMAIL_"): env.secret(name)
    for name in (
        "ANYMAIL_BREVO_API_KEY",
        "ANYMAIL_MAILERSEND_API_TOKEN",
        "ANYMAIL_MAILERSEND_SIGNING_SECRET",
        "ANYMAIL_MAILGUN_API_KEY",
        "ANYMAIL_MAILGUN_SENDER_DOMAIN",
        "ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY",
        "ANYMAIL_MAILJET_API_KEY",
        "ANYMAIL_MAILJET_SECRET_KEY",
        "ANYMAIL_MANDRILL_API_KEY",
        "ANYMAIL_MANDRILL_WEBHOOK_KEY",
        "ANYMAIL_MANDRILL_WEBHOOK_URL",
        "ANYMAIL_POSTAL_API_KEY",
        "ANYMAIL_POSTAL_API_URL",
        "ANYMAIL_POSTAL_WEBHOOK_KEY",
        "ANYMAIL_POSTMARK_SERVER_TOKEN",
        "ANYMAIL_RESEND_API_KEY",
        "ANYMAIL_SPARKPOST_API_KEY",
    )
    if env.secret(name)
}
# "name:password", as the provider was told; two while one takes the other's place.
if _webhook_secret := env.secret("ANYMAIL_WEBHOOK_SECRET"):
    ANYMAIL["WEBHOOK_SECRET"] = [part.strip() for part in _webhook_secret.split(",") if part.strip()]
