"""CI keys, and the credits that they use."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from cloudlet.control.api.operation import Body, Call, Page, operation
from cloudlet.control.ci import service
from cloudlet.control.ci.errors import KeyEnded, NoSuchKey, TooManyKeys
from cloudlet.control.ci.forms import KeyForm, checked, read_overlap
from cloudlet.control.ci.usage import usage_view
from cloudlet.control.ci.views import KeyView, RunView, ended_key_views, key_view, key_views, run_views
from cloudlet.control.credentials.service import NewToken
from cloudlet.control.errors import InvalidForm
from cloudlet.control.licenses.errors import NoSubscription

WORKSPACE = "/workspaces/{workspace_id}"
KEYS = WORKSPACE + "/ci-keys"
KEY = KEYS + "/{key_id}"


class CiKeyWish(Body, frozen=True, kw_only=True):
    """`days` until it expires, 0 for never; `strict`: begin with `ls-` instead of `lsci-`."""

    name: str
    project: str = ""
    days: int = 0
    strict: bool = False


class CiKeyChange(Body, frozen=True, kw_only=True):
    """What is left out stays."""

    name: str | None = None
    project: str | None = None


class Rotation(Body, frozen=True, kw_only=True):
    """Hours for which the old key stays good: 0, 1, 24 or 168."""

    overlap_hours: int = 24


class NewKey(msgspec.Struct, frozen=True):
    """The new key's id and, this once, the key."""

    id: str
    token: str


class CiKeys(msgspec.Struct, frozen=True):
    """`ended` has the last twenty that were deleted or replaced."""

    items: tuple[KeyView, ...]
    ended: tuple[KeyView, ...]


class CiDay(msgspec.Struct, frozen=True):
    """Credits used on a day (UTC)."""

    day: date
    used: int


class CiProject(msgspec.Struct, frozen=True):
    """Credits used by a project; `name` is empty for runs that named none."""

    name: str
    used: int


class CiUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Credits of the current period. `quota` null: no limit; `forecast`: what it comes to at this pace."""

    plan: str
    period_start: datetime
    period_end: datetime
    quota: int | None
    used: int
    left: int | None
    forecast: int
    policy: str
    days: tuple[CiDay, ...]
    projects: tuple[CiProject, ...]


@operation("GET", KEYS, "ci_key.read")
def list_ci_keys(call: Call) -> CiKeys:
    """The keys, masked."""
    place = (call.session, call.platform, call.viewer.workspace_id)
    return CiKeys(key_views(*place), ended_key_views(*place))


@operation("POST", KEYS, "ci_key.manage", status=201, once=True, refuses=(InvalidForm, TooManyKeys))
def create_ci_key(call: Call, body: CiKeyWish) -> NewKey:
    """Create a key. It is told in this answer and never again."""
    form = checked(KeyForm(name=body.name, project=body.project, days=body.days, is_strict=body.strict))
    return new_key(service.create_key(call.session, call.platform, call.viewer, form))


@operation("GET", KEY, "ci_key.read", refuses=(NoSuchKey,))
def get_ci_key(call: Call, key_id: str) -> KeyView:
    """One key."""
    return key_view(call.session, call.platform, call.viewer.workspace_id, key_id)


@operation("GET", KEY + "/usage", "ci_key.read", refuses=(NoSuchKey,))
def get_ci_key_usage(call: Call, key_id: str) -> Page[RunView]:
    """The last runs that a key was charged for."""
    service.find_key(call.session, call.viewer.workspace_id, key_id)
    return Page(run_views(call.session, key_id))


@operation("PATCH", KEY, "ci_key.manage", refuses=(NoSuchKey, InvalidForm))
def rename_ci_key(call: Call, key_id: str, body: CiKeyChange) -> KeyView:
    """Rename a key or its project."""
    found = service.find_key(call.session, call.viewer.workspace_id, key_id)
    name = found.name if body.name is None else body.name
    project = (found.project or "") if body.project is None else body.project
    service.rename_key(call.session, call.platform, call.viewer, key_id, name=name, project=project)
    return key_view(call.session, call.platform, call.viewer.workspace_id, key_id)


@operation(
    "POST",
    KEY + "/rotate",
    "ci_key.manage",
    status=201,
    once=True,
    refuses=(NoSuchKey, KeyEnded, TooManyKeys, InvalidForm),
)
def rotate_ci_key(call: Call, key_id: str, body: Rotation) -> NewKey:
    """A new key in place of this one, which stays good for the overlap."""
    hours = read_overlap(str(body.overlap_hours))
    return new_key(service.rotate_key(call.session, call.platform, call.viewer, key_id, overlap_hours=hours))


@operation("DELETE", KEY, "ci_key.manage", refuses=(NoSuchKey, KeyEnded))
def delete_ci_key(call: Call, key_id: str) -> None:
    """The key is refused from now on."""
    service.delete_key(call.session, call.platform, call.viewer, key_id)


@operation("GET", WORKSPACE + "/usage", "usage.read", refuses=(NoSubscription,))
def get_usage(call: Call) -> CiUsage:
    """CI credits of the current period, by day and by project."""
    found = usage_view(call.session, call.platform, call.viewer.workspace_id)
    if found is None:
        raise NoSubscription
    return CiUsage(
        plan=found.plan,
        period_start=found.start,
        period_end=found.end,
        quota=found.quota,
        used=found.used,
        left=found.left,
        forecast=found.forecast,
        policy=found.policy,
        days=tuple(CiDay(day.day, day.used) for day in found.days),
        projects=tuple(CiProject(project.name, project.used) for project in found.projects),
    )


def new_key(made: NewToken) -> NewKey:
    return NewKey(made.credential_id, made.token)


OPERATIONS = (
    list_ci_keys,
    create_ci_key,
    get_ci_key,
    get_ci_key_usage,
    rename_ci_key,
    rotate_ci_key,
    delete_ci_key,
    get_usage,
)
