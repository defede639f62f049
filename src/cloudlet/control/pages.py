"""What all pages share: the frame around them, and answers to forms."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect, Template
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from cloudlet.control.db import Database
from cloudlet.control.errors import Refusal
from cloudlet.control.permissions import is_allowed
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Account, Viewer

FOLDER = Path(__file__).parent
TEMPLATES = FOLDER / "templates"
STATIC = FOLDER / "static"


class NavEntry(msgspec.Struct, frozen=True):
    """`permission`: who may not do this is not shown the way there; "" is for everybody."""

    path: str
    label: str
    icon: str
    permission: str = ""


class NavGroup(msgspec.Struct, frozen=True):
    title: str
    entries: tuple[NavEntry, ...]

    def shown_to(self, viewer: Viewer) -> tuple[NavEntry, ...]:
        return tuple(entry for entry in self.entries if not entry.permission or is_allowed(viewer, entry.permission))


NAVIGATION = (
    NavGroup(
        "Yours",
        (
            NavEntry("/getting-started", "Getting Started", "start"),
            NavEntry("/workspace/my-license", "My License", "license"),
            NavEntry("/workspace/auth-tokens", "Auth Token", "key"),
        ),
    ),
    NavGroup(
        "Workspace",
        (
            NavEntry("/workspace/members", "Users & Licenses", "people"),
            NavEntry("/workspace/subscriptions", "Subscriptions", "card", "subscription.read"),
            NavEntry("/workspace/ci-keys", "CI Keys", "pipeline", "ci_key.read"),
            NavEntry("/workspace/api-keys", "Legacy API Keys", "old-key", "api_key.manage"),
            NavEntry("/workspace/api-tokens", "API tokens", "code"),
            NavEntry("/workspace", "Settings", "settings", "workspace.update"),
        ),
    ),
    NavGroup(
        "Operations",
        (
            NavEntry("/workspace/activations", "Activations", "pulse"),
            NavEntry("/workspace/machines", "Machines", "machine"),
            NavEntry("/workspace/offline", "Offline licenses", "offline", "offline_file.issue"),
            NavEntry("/workspace/webhooks", "Webhooks", "webhook", "webhook.manage"),
            NavEntry("/workspace/sso", "Single sign-on", "door", "sso.manage"),
            NavEntry("/workspace/audit", "Audit log", "log", "audit.read"),
        ),
    ),
)


def make_template_engine(platform: Platform) -> JinjaTemplateEngine:
    """Jinja2 with autoescaping, our filters, and what the frame needs."""
    engine = JinjaTemplateEngine(directory=TEMPLATES)
    environment = engine.engine
    environment.autoescape = True
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters["day"] = show_day
    environment.filters["moment"] = show_moment
    environment.filters["code"] = show_code
    environment.globals["navigation"] = NAVIGATION
    environment.globals["may"] = is_allowed
    environment.globals["base_url"] = platform.settings.base_url
    environment.globals["assets"] = asset_version()
    return engine


def asset_version() -> str:
    """Part of the static files' addresses: a changed file has another one, so that browsers may keep them for long."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def page(name: str, viewer: Account | None = None, *, path: str = "", status: int = 200, **context: Any) -> Template:
    """A page; `path` marks its entry in the navigation, which only a Viewer has."""
    return Template(template_name=name, context={"viewer": viewer, "path": path, **context}, status_code=status)


def go(path: str) -> Redirect:
    """After a form: look at `path` with GET."""
    return Redirect(path, status_code=303)


def attempt(
    database: Database,
    run: Callable[[Session], object],
    target: str,
    again: Callable[[Any], Template],
    *,
    shown: type[Refusal] = Refusal,
    passed: tuple[type[Refusal], ...] = (),
) -> Template | Redirect:
    """Do what a form asks for and look at `target`; or show the form `again`, with what is in the way.

    Refusals that are not `shown`, and those that are `passed`, have a page of their own.
    """
    try:
        with database.transaction() as session:
            run(session)
    except passed:
        raise
    except shown as error:
        return again(error)
    return go(target)


def safe_next(path: str) -> str:
    """Where to go after signing in: a path of ours, never another site's address."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path and path.isprintable()
    return path if is_ours and not path.startswith("/sign-") else "/getting-started"


def show_day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def show_code(text: str) -> Markup:
    """A sentence in which `…` is code."""
    pieces = [escape(piece) for piece in text.split("`")]
    marked = [Markup("<code>{}</code>").format(piece) if index % 2 else piece for index, piece in enumerate(pieces)]
    return Markup("").join(marked)


def show_moment(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"
