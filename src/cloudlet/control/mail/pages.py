"""The developer page: all mail, where no server sends it."""

from __future__ import annotations

import re

from litestar import get
from litestar.params import FromPath
from litestar.response import Template
from markupsafe import Markup, escape

from cloudlet.control.errors import NotFound
from cloudlet.control.given import TheDatabase, ThePlatform
from cloudlet.control.mail.service import shown_mail, shown_mails
from cloudlet.control.pages import page
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread

PATH = "/dev/mail"
LINK = re.compile(r"https?://[^\s<>\"]+")


@get(PATH, opt=requires(PUBLIC))
@in_thread
def show_mails(database: TheDatabase, platform: ThePlatform) -> Template:
    require_developer_page(platform)
    with database.snapshot() as session:
        mails = shown_mails(session)
    return page("dev_mails.html", mails=mails)


@get(PATH + "/{mail_id:str}", opt=requires(PUBLIC))
@in_thread
def show_mail(mail_id: FromPath[str], database: TheDatabase, platform: ThePlatform) -> Template:
    require_developer_page(platform)
    with database.snapshot() as session:
        mail = shown_mail(session, platform, mail_id)
    return page("dev_mail.html", mail=mail, text=linked(mail.text))


def require_developer_page(platform: Platform) -> None:
    """Raises NotFound where mail is sent, or other people could look."""
    if not platform.settings.dev_mail:
        raise NotFound


def linked(text: str) -> Markup:
    """The text with its addresses as links."""
    pieces = []
    end = 0
    for found in LINK.finditer(text):
        address = found[0].rstrip(".,;:)")
        pieces += [escape(text[end : found.start()]), Markup('<a href="{0}">{0}</a>').format(address)]
        end = found.start() + len(address)
    return Markup("").join([*pieces, escape(text[end:])])


ROUTES = (show_mails, show_mail)
