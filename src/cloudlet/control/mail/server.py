"""The SMTP server that takes our mail, and who our mail comes from.

smtp://host:25                       no TLS: for a server on this machine or network
smtp://user:password@host?starttls=1 TLS after the greeting, port 587; it is an error when the server has none
smtps://user:password@host           TLS from the first byte, port 465
"""

from __future__ import annotations

import ssl
from email.headerregistry import Address
from email.utils import parseaddr
from smtplib import SMTP, SMTP_SSL, SMTPException
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from cloudlet.settings import PlatformSettings, SettingError

CONNECT_SECONDS = 10
VARIABLE = "PLATFORM_SMTP_URL"


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """`sender` is a From header; `domain` is what our message ids end with."""

    host: str
    port: int
    user: str
    password: str
    is_tls: bool
    starttls: bool
    sender: str
    domain: str

    def connect(self) -> SMTP:
        """A connection that is ready to take mail. Raises OSError (no way there, TLS) and SMTPException (no log-in)."""
        context = ssl.create_default_context()
        smtp: SMTP
        if self.is_tls:
            smtp = SMTP_SSL(self.host, self.port, self.domain, timeout=CONNECT_SECONDS, context=context)
        else:
            smtp = SMTP(self.host, self.port, self.domain, timeout=CONNECT_SECONDS)
        try:
            if self.starttls:
                smtp.starttls(context=context)
            if self.user:
                smtp.login(self.user, self.password)
        except (OSError, SMTPException):
            smtp.close()
            raise
        return smtp


def mail_server(settings: PlatformSettings) -> MailServer | None:
    """The server of PLATFORM_SMTP_URL; None where it names none. Raises SettingError, which never shows the password."""
    sender = read_sender(settings)
    if not settings.smtp_url:
        return None
    try:
        parts = urlsplit(settings.smtp_url)
        port = parts.port
    except ValueError:
        raise SettingError(f"{VARIABLE} has no port from 1 to 65535 after the host") from None
    if parts.scheme not in {"smtp", "smtps"}:
        raise SettingError(f"{VARIABLE} must begin with smtp:// or smtps://, not {parts.scheme or 'nothing'}")
    if not parts.hostname:
        raise SettingError(f"{VARIABLE} names no host: smtp[s]://user:password@host:port?starttls=1")
    options = parse_qs(parts.query, keep_blank_values=True)
    if not options.keys() <= {"starttls"} or options.get("starttls", ["1"])[-1] not in {"0", "1"}:
        raise SettingError(f"{VARIABLE} knows one option, starttls=1 or starttls=0")
    starttls = options.get("starttls") == ["1"]
    if parts.scheme == "smtps" and starttls:
        raise SettingError(f"{VARIABLE}: smtps:// is TLS from the first byte; starttls=1 goes with smtp://")
    return MailServer(
        host=parts.hostname,
        port=port or (465 if parts.scheme == "smtps" else 587 if starttls else 25),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        is_tls=parts.scheme == "smtps",
        starttls=starttls,
        sender=sender,
        domain=parseaddr(sender)[1].rpartition("@")[2],
    )


def read_sender(settings: PlatformSettings) -> str:
    """PLATFORM_MAIL_FROM, or a sender at the host of the base URL. Raises SettingError."""
    if not settings.mail_from:
        host = urlsplit(settings.base_url).hostname or "localhost"
        return str(Address("Cloudlet", "cloudlet", f"[{host}]" if ":" in host else host))
    name, address = parseaddr(settings.mail_from)
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or any(character in settings.mail_from for character in "\r\n"):
        raise SettingError(f"PLATFORM_MAIL_FROM={settings.mail_from!r} is no address: Name <name@example.com>")
    return str(Address(name, local, domain))
