"""Answering a license request: the rules in order, and the license.

`decide` is the whole way on one screen. It raises LicenseVerdict for a no; `answer` records either outcome.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.activations.errors import LicenseVerdict
from cloudlet.control.activations.forms import LicenseForm
from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.credentials.service import find_credential
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.db import Database
from cloudlet.control.licenses.service import Holding, license_of
from cloudlet.control.licenses.signing import active_private_key
from cloudlet.control.licenses.tables import License
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.service import admin_names, memberships_of
from cloudlet.control.workspaces.tables import Membership, Workspace
from cloudlet.license import document as documents
from cloudlet.license import envelope as envelopes
from cloudlet.license.verify import covers

PRODUCTS = frozenset({"cloudlet", "localstack-pro", "localstack"})
LARGEST_SKEW_SECONDS = 24 * 3600


class Holder(msgspec.Struct, frozen=True):
    """Whose token it is."""

    credential: Credential
    workspace: Workspace
    membership: Membership
    user: User


class Progress:
    """How far a request got; what of it is known is recorded even when it is refused."""

    __slots__ = ("credential", "holding", "machine_row")

    def __init__(self) -> None:
        self.credential: Credential | None = None
        self.holding: Holding | None = None
        self.machine_row: str | None = None


def answer(database: Database, platform: Platform, form: LicenseForm, *, request_id: str, ip: str) -> bytes:
    """The license document's bytes. Raises LicenseVerdict. Either outcome of a known token is recorded."""
    with database.transaction() as session:
        progress = Progress()
        jti = platform.new_id("act")
        try:
            raw = decide(session, platform, form, progress, jti)
            refused = None
        except LicenseVerdict as verdict:
            raw, refused = b"", verdict
        if progress.credential is not None:
            record_activation(session, platform, form, progress, refused, jti=jti, request_id=request_id, ip=ip)
    if refused is not None:
        raise refused
    return raw


def decide(session: Session, platform: Platform, form: LicenseForm, progress: Progress, jti: str) -> bytes:
    """Token → member → machine → license → product and version → signed document."""
    check_clock(platform, form)
    progress.credential = check_credential(session, platform, form)
    holder = check_membership(session, progress.credential)
    progress.machine_row = remember_machine(session, platform, form, holder.workspace.id)
    check_ci_rule(platform, form, holder)
    progress.holding = check_license(session, platform, form, holder)
    check_product(form, progress.holding)
    return make_document(session, platform, form, holder, progress.holding, jti)


def check_clock(platform: Platform, form: LicenseForm) -> None:
    if form.client_time is None:
        return
    skew = abs(form.client_time - platform.effects.now())
    if skew > LARGEST_SKEW_SECONDS:
        raise LicenseVerdict("licensing.clock.skew", d=f"{skew / 3600:.0f} hours")


def check_credential(session: Session, platform: Platform, form: LicenseForm) -> Credential:
    """Only who holds a revoked token learns that it existed, and when it ended."""
    found = find_credential(session, platform, form.token)
    if found is None:
        raise LicenseVerdict("licensing.credentials.invalid", web=platform.settings.base_url)
    now = platform.now()
    if found.revoked_at is not None and not (found.grace_until and now < found.grace_until):
        if found.revoke_reason == "member_removed":
            raise LicenseVerdict("licensing.membership.removed")
        raise LicenseVerdict(
            "licensing.credentials.revoked", date=shown(found.revoked_at), web=platform.settings.base_url
        )
    if found.expires_at is not None and found.expires_at <= now:
        raise LicenseVerdict(
            "licensing.credentials.expired", date=shown(found.expires_at), web=platform.settings.base_url
        )
    return found


def check_membership(session: Session, credential: Credential) -> Holder:
    row = session.execute(
        select(Membership, Workspace, User)
        .join(Workspace, Workspace.id == Membership.workspace_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.id == credential.membership_id)
    ).one_or_none()
    if row is None:
        raise LicenseVerdict("licensing.membership.removed")
    membership, workspace, user = row
    if membership.status != "active" or workspace.deleted_at or user.disabled_at:
        raise LicenseVerdict("licensing.membership.removed", ws=workspace.name)
    return Holder(credential, workspace, membership, user)


def remember_machine(session: Session, platform: Platform, form: LicenseForm, workspace_id: str) -> str | None:
    """The machine's row, made or refreshed. Raises LicenseVerdict when an admin blocked it."""
    if not form.machine_id:
        return None
    now = platform.now()
    machine = find_machine(session, workspace_id, form.machine_id)
    if machine is None:
        machine = Machine(
            id=platform.new_id("mac"),
            workspace_id=workspace_id,
            machine_id=form.machine_id,
            kind=form.machine_kind,
            first_seen=now,
            last_seen=now,
        )
        try:
            with session.begin_nested():
                session.add(machine)
        except IntegrityError:  # the same machine's other start was faster
            machine = find_machine(session, workspace_id, form.machine_id)
            assert machine is not None
    if machine.blocked_at is not None:
        raise LicenseVerdict("licensing.machine.blocked", machine=form.machine_id)
    machine.last_seen = now
    machine.system = form.system
    machine.hostname_hash = platform.vault.lookup_hash("hostname", form.hostname) if form.hostname else None
    session.flush()
    return machine.id


def find_machine(session: Session, workspace_id: str, machine_id: str) -> Machine | None:
    return session.scalar(select(Machine).where(Machine.workspace_id == workspace_id, Machine.machine_id == machine_id))


def check_ci_rule(platform: Platform, form: LicenseForm, holder: Holder) -> None:
    policy = holder.workspace.settings.get("ci_policy", platform.settings.ci_policy)
    if form.is_ci and holder.credential.kind in {"auth", "device"} and policy == "enforce":
        raise LicenseVerdict("licensing.credentials.ci_required", web=platform.settings.base_url)


def check_license(session: Session, platform: Platform, form: LicenseForm, holder: Holder) -> Holding:
    web = platform.settings.base_url
    holding = license_of(session, holder.membership.id)
    if holding is None:
        raise LicenseVerdict(
            "licensing.license.not_assigned",
            user=holder.user.email,
            ws=holder.workspace.name,
            ws2=other_workspace_with_license(session, holder),
            admins=", ".join(admin_names(session, holder.workspace.id)),
            web=web,
        )
    lasts_until = min(holding.license.expires_at, holding.subscription.current_period_end)
    if lasts_until <= platform.now() or "EXPIRED" in {holding.license.status, holding.subscription.status.upper()}:
        raise LicenseVerdict(
            "licensing.license.expired",
            ws=holder.workspace.name,
            date=shown(lasts_until),
            days=str(platform.settings.trial_days) if holding.plan.code == "trial" else "",
            web=web,
        )
    if holding.license.status != "ACTIVE" or holding.subscription.status in {"past_due", "canceled"}:
        why = holding.subscription.status.replace("_", " ") if holding.license.status == "ACTIVE" else "by an admin"
        raise LicenseVerdict("licensing.license.suspended", why=why, web=web)
    if form.license_id and form.license_id != holding.license.id:
        known = session.scalar(
            select(License.id).where(License.id == form.license_id, License.workspace_id == holder.workspace.id)
        )
        if known is None:
            raise LicenseVerdict("licensing.license.not_found", web=web)
    return holding


def other_workspace_with_license(session: Session, holder: Holder) -> str:
    for membership, workspace in memberships_of(session, holder.user.id):
        if workspace.id != holder.workspace.id and license_of(session, membership.id):
            return workspace.name
    return ""


def check_product(form: LicenseForm, holding: Holding) -> None:
    if form.product not in PRODUCTS:
        raise LicenseVerdict("licensing.product.unknown", product=form.product, range=", ".join(sorted(PRODUCTS)))
    if not covers(holding.plan.versions, form.version):
        raise LicenseVerdict("licensing.product.version", v=form.version, range=holding.plan.versions)


def make_document(
    session: Session, platform: Platform, form: LicenseForm, holder: Holder, holding: Holding, jti: str
) -> bytes:
    """Format 1 with the signed envelope in it; both say the same."""
    license_row = holding.license
    session.execute(
        update(License)
        .where(License.id == license_row.id)
        .values(issue_seq=License.issue_seq + 1)
        .execution_options(synchronize_session=False)
    )
    session.refresh(license_row, ["issue_seq"])
    now = platform.now()
    window = timedelta(hours=int(holder.workspace.settings.get("offline_window_h", holding.plan.offline_window_h)))
    expires = min(license_row.expires_at, holding.subscription.current_period_end)
    again = min(now + window, expires)
    draft = documents.sign(
        documents.Document(
            id=license_row.id,
            license_type=holding.plan.code,
            issue_date=date(now),
            expiry_date=date(expires),
            reactivate_after=date(again),
            products=documents.products_of(holding.plan.versions, holding.plan.entitlements),
            offline_data={"localstack_version": form.version},
        ),
        form.token,
    )
    claims = envelopes.Claims(
        iss=platform.settings.base_url,
        jti=jti,
        lic=license_row.id,
        ws=holder.workspace.id,
        sub=holder.membership.id,
        plan=holding.plan.code,
        cnf=envelopes.confirmation(form.token),
        aud=("cloudlet",),
        ver=holding.plan.versions,
        ent={name: None if limit is None else {"limit": limit} for name, limit in holding.plan.entitlements.items()},
        mach=None,
        iat=int(now.timestamp()),
        nbf=int(now.timestamp()),
        ra=int(again.timestamp()),
        exp=int(expires.timestamp()),
        win=int(window.total_seconds()),
        seq=license_row.issue_seq,
        ep=license_row.revoke_epoch,
        doc=documents.digest(draft),
    )
    signed = envelopes.sign(claims, active_private_key(session, platform))
    offline_data = {**draft.offline_data, documents.ENVELOPE_ENTRY: signed}
    return documents.render(msgspec.structs.replace(draft, offline_data=offline_data))


def record_activation(
    session: Session,
    platform: Platform,
    form: LicenseForm,
    progress: Progress,
    refused: LicenseVerdict | None,
    *,
    jti: str,
    request_id: str,
    ip: str,
) -> None:
    credential, holding = progress.credential, progress.holding
    assert credential is not None
    now = platform.now()
    offline_until = None
    if refused is None and holding is not None:
        offline_until = min(now + timedelta(hours=holding.plan.offline_window_h), holding.license.expires_at)
    session.add(
        Activation(
            id=jti,
            workspace_id=credential.workspace_id,
            license_id=holding.license.id if holding else None,
            credential_id=credential.id,
            machine_row=progress.machine_row,
            product=form.product,
            version=form.version,
            is_ci=form.is_ci,
            is_cli=form.is_cli,
            ci_project=form.ci_project or None,
            result_code=refused.verdict.code if refused else "ok",
            envelope_jti=None if refused else jti,
            request_id=request_id,
            ip=ip[:45],
            at=now,
            offline_until=offline_until,
        )
    )
    session.execute(
        update(Credential)
        .where(Credential.id == credential.id)
        .values(last_used_at=now, last_used_ip=ip[:45], last_used_machine=form.machine_id or None)
        .execution_options(synchronize_session=False)
    )


def last_activation(session: Session, membership_id: str) -> Activation | None:
    """The newest request with any token of this member."""
    return session.scalar(
        select(Activation)
        .join(Credential, Credential.id == Activation.credential_id)
        .where(Credential.membership_id == membership_id)
        .order_by(Activation.at.desc(), Activation.id.desc())
        .limit(1)
    )


def date(moment: datetime) -> str:
    return documents.to_date(moment.timestamp())


def shown(moment: datetime) -> str:
    """For sentences."""
    return moment.strftime("%Y-%m-%d")
