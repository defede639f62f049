"""The Activations page's list: who asked for a license, when, from where, and what became of it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.errors import NotFound
from cloudlet.control.paging import older_than
from cloudlet.control.permissions import is_allowed
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.tables import Membership
from cloudlet.license.reasons import REASONS, failure
from cloudlet.license.verdicts import VERDICTS

PAGE_SIZE = 50
KIND_NAMES = (
    ("auth", "Auth token"),
    ("device", "Device token"),
    ("ci", "CI key"),
    ("legacy_api", "Legacy API key"),
)


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What to show. `who`: part of a member's name or address, of a key's name, or a token's id; `machine`: part of its id.

    `result`: "", ok or refused; `ci`: "", yes or no. `before`: the last id of the page before, "" for the newest.
    """

    who: str = ""
    machine: str = ""
    result: str = ""
    ci: str = ""
    before: str = ""


class ActivationRow(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `who` is the member, or the CI key; `token` says which token of theirs. `problem` "" when granted."""

    id: str
    at: datetime
    who: str
    token: str
    token_id: str
    machine: str
    machine_row: str
    system: str
    product: str
    version: str
    is_ci: bool
    is_cli: bool
    project: str
    run: str
    ip: str
    request_id: str
    result_code: str
    reason_code: str
    problem: str
    offline_until: datetime | None

    @property
    def is_granted(self) -> bool:
        return self.result_code == "ok"


class ActivationList(msgspec.Struct, frozen=True, kw_only=True):
    """`older`: what `before` is for the next page, "" at the end."""

    rows: tuple[ActivationRow, ...]
    older: str


class ActivationDetail(msgspec.Struct, frozen=True):
    """A request, and what to do about a refusal, the first thing first."""

    row: ActivationRow
    advice: tuple[str, ...]


def sees_all(viewer: Viewer) -> bool:
    """Everybody's, or only what one's own tokens did."""
    return is_allowed(viewer, "usage.read")


def list_activations(session: Session, viewer: Viewer, filters: Filters) -> ActivationList:
    """The newest first."""
    conditions = [*scope_of(viewer), *conditions_of(filters)]
    if filters.before:
        own = Activation.workspace_id == viewer.workspace_id
        conditions.append(older_than(session, Activation.at, Activation.id, own, filters.before))
    found = session.execute(
        selected().where(*conditions).order_by(Activation.at.desc(), Activation.id.desc()).limit(PAGE_SIZE + 1)
    ).all()
    rows = tuple(row_of(row) for row in found[:PAGE_SIZE])
    return ActivationList(rows=rows, older=rows[-1].id if len(found) > PAGE_SIZE else "")


def activation_detail(session: Session, platform: Platform, viewer: Viewer, activation_id: str) -> ActivationDetail:
    """Raises NotFound, for what the viewer may not see too."""
    found = session.execute(selected().where(*scope_of(viewer), Activation.id == activation_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such activation.")
    row = row_of(found)
    advice = failure(row.reason_code, web=platform.settings.base_url).advice() if row.reason_code else ()
    return ActivationDetail(row, advice)


def selected() -> Select[Activation, Credential, Machine, User]:
    return (
        select(Activation, Credential, Machine, User)
        .join(Credential, Credential.id == Activation.credential_id)
        .outerjoin(Machine, Machine.id == Activation.machine_row)
        .outerjoin(Membership, Membership.id == Credential.membership_id)
        .outerjoin(User, User.id == Membership.user_id)
    )


def scope_of(viewer: Viewer) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Activation.workspace_id == viewer.workspace_id]
    if not sees_all(viewer):
        conditions.append(Credential.membership_id == viewer.membership_id)
    return conditions


def conditions_of(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.who:
        text = filters.who.lower()
        conditions.append(
            or_(
                func.lower(User.name).contains(text, autoescape=True),
                func.lower(User.email).contains(text, autoescape=True),
                func.lower(Credential.name).contains(text, autoescape=True),
                Credential.id == filters.who,
                Activation.request_id == filters.who,
            )
        )
    if filters.machine:
        conditions.append(func.lower(Machine.machine_id).contains(filters.machine.lower(), autoescape=True))
    if filters.result:
        granted = Activation.result_code == "ok"
        conditions.append(granted if filters.result == "ok" else ~granted)
    if filters.ci:
        conditions.append(Activation.is_ci.is_(filters.ci == "yes"))
    return conditions


def row_of(found: Row[Activation, Credential, Machine, User]) -> ActivationRow:
    activation, credential, machine, user = found
    who, token = names_of(credential, user)
    reason_code = reason_code_of(activation)
    return ActivationRow(
        id=activation.id,
        at=activation.at,
        who=who,
        token=token,
        token_id=credential.id,
        machine=machine.machine_id if machine else "",
        machine_row=machine.id if machine else "",
        system=machine.system if machine else "",
        product=activation.product,
        version=activation.version,
        is_ci=activation.is_ci,
        is_cli=activation.is_cli,
        project=activation.ci_project or "",
        run=activation.ci_run or "",
        ip=activation.ip,
        request_id=activation.request_id,
        result_code=activation.result_code,
        reason_code=reason_code,
        problem=problem_of(activation),
        offline_until=activation.offline_until,
    )


def names_of(credential: Credential, user: User | None) -> tuple[str, str]:
    """Whose it is, and which token of theirs."""
    kind = dict(KIND_NAMES).get(credential.kind, credential.kind)
    if user is None:
        return credential.name or kind, kind
    return user.name or user.email, f"{kind} “{credential.name}”" if credential.name else kind


def reason_code_of(activation: Activation) -> str:
    """ "" when it was granted."""
    verdict = VERDICTS.get(activation.result_code)
    return verdict.reason if verdict else ""


def problem_of(activation: Activation) -> str:
    """The sentence that the client was told; "" when it was granted."""
    if activation.result_code == "ok":
        return ""
    reason = REASONS.get(reason_code_of(activation))
    return activation.detail or (reason.texts[-1] if reason else activation.result_code)
