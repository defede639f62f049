"""Answering a license request: the rules in order, and the license.

`decide` is the whole way on one screen. It raises LicenseVerdict for a no; `answer` records either progress.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.activations.errors import LicenseVerdict
from cloudlet.control.activations.forms import LicenseForm
from cloudlet.control.activations.grants import Grant, Holder, check_product, find_grant, shown
from cloudlet.control.activations.issue import issue_license
from cloudlet.control.activations.machines import check_machine_limit, machine_name, remember_machine
from cloudlet.control.activations.records import Progress, record_activation
from cloudlet.control.ci.credits import Run, charge, run_key_of
from cloudlet.control.ci.errors import QuotaExceeded
from cloudlet.control.credentials.reuse import note_reuse
from cloudlet.control.credentials.service import end_of, is_living
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.db import Database
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.policies import is_address_allowed
from cloudlet.control.workspaces.tables import Membership, Workspace

LARGEST_SKEW_SECONDS = 24 * 3600
ENDED_WITH_MEMBERSHIP = frozenset({"member_removed", "workspace_deleted"})
# Built once: building a statement costs as much as SQLite needs to run it.
HOLDER = (
    select(Credential, Workspace, Membership, User)
    .join(Workspace, Workspace.id == Credential.workspace_id)
    .outerjoin(Membership, Membership.id == Credential.membership_id)
    .outerjoin(User, User.id == Membership.user_id)
    .where(Credential.lookup_hash == bindparam("lookup_hash"), Credential.kind != "admin_api")
)
PERSONAL_KINDS = frozenset({"auth", "device", "legacy_api"})


def answer(database: Database, platform: Platform, form: LicenseForm, *, request_id: str, ip: str) -> bytes:
    """The license document's bytes. Raises LicenseVerdict. Either progress of a known token is recorded."""
    jti = platform.new_id("act")
    with database.transaction() as session:
        progress = Progress()
        try:
            raw = decide(session, platform, form, progress, jti, ip)
        except LicenseVerdict as verdict:
            raw, progress.refused = b"", verdict
        record_activation(session, platform, form, progress, jti=jti, request_id=request_id, ip=ip)
        if progress.is_dead and progress.credential is not None:
            note_reuse(session, platform, progress.credential, ip=ip, machine=machine_name(platform, form))
    if progress.refused is not None:
        raise progress.refused
    return raw


def decide(session: Session, platform: Platform, form: LicenseForm, progress: Progress, jti: str, ip: str) -> bytes:
    """Token → member or CI key → machine → license → product and version → CI credit → signed document."""
    check_clock(platform, form)
    holder = find_holder(session, platform, form)
    progress.credential = holder.credential
    check_credential(platform, holder, progress)
    check_membership(holder)
    check_address(holder, ip)
    machine = remember_machine(session, platform, form, holder.workspace.id)
    progress.machine = machine
    check_ci_rule(platform, form, holder)
    grant = progress.grant = find_grant(session, platform, form, holder)
    check_product(form, grant)
    if machine is not None and not is_ci(form, holder):
        check_machine_limit(session, platform, grant, machine)
    if is_ci(form, holder):
        take_credit(session, platform, form, holder, grant, jti)
    issued = issue_license(session, platform, form, holder, grant, jti)
    progress.offline_until = issued.offline_until
    return issued.raw


def check_clock(platform: Platform, form: LicenseForm) -> None:
    if form.client_time is None:
        return
    skew = abs(form.client_time - platform.effects.now())
    if skew > LARGEST_SKEW_SECONDS:
        raise LicenseVerdict("licensing.clock.skew", d=f"{skew / 3600:.0f} hours")


def find_holder(session: Session, platform: Platform, form: LicenseForm) -> Holder:
    """Whose token it is, also when it is dead; found by its keyed hash, with all that is asked about it, in one query."""
    row = session.execute(HOLDER, {"lookup_hash": platform.vault.lookup_hash("credential", form.token)}).one_or_none()
    if row is None:
        raise LicenseVerdict("licensing.credentials.invalid", web=platform.settings.base_url)
    return Holder(*row)


def check_credential(platform: Platform, holder: Holder, progress: Progress) -> None:
    """Only who holds a revoked token learns that it existed, and when it ended."""
    found, now, web = holder.credential, platform.now(), platform.settings.base_url
    if not is_living(found, now):
        progress.is_dead = True
        if found.revoke_reason in ENDED_WITH_MEMBERSHIP:
            raise LicenseVerdict("licensing.membership.removed", ws=holder.workspace.name)
        ended = found.grace_until or found.revoked_at
        assert ended is not None
        raise LicenseVerdict("licensing.credentials.revoked", date=shown(ended), web=web)
    ends = end_of(found, holder.workspace)
    if ends is not None and ends <= now:
        raise LicenseVerdict("licensing.credentials.expired", date=shown(ends), web=web)


def check_membership(holder: Holder) -> None:
    """A CI key belongs to the workspace, all others to a member of it."""
    if holder.workspace.deleted_at:
        raise LicenseVerdict("licensing.membership.removed", ws=holder.workspace.name)
    if holder.credential.kind == "ci":
        return
    membership, user = holder.membership, holder.user
    if membership is None or user is None or membership.status != "active" or user.disabled_at:
        raise LicenseVerdict("licensing.membership.removed", ws=holder.workspace.name)


def check_address(holder: Holder, ip: str) -> None:
    """The workspace may have a list of networks from which it is used."""
    if not is_address_allowed(holder.workspace, ip):
        raise LicenseVerdict("licensing.address.not_allowed", ip=ip or "unknown", ws=holder.workspace.name)


def is_ci(form: LicenseForm, holder: Holder) -> bool:
    """Does this start cost a CI credit?"""
    return form.is_ci or holder.credential.kind == "ci"


def check_ci_rule(platform: Platform, form: LicenseForm, holder: Holder) -> None:
    policy = holder.workspace.settings.get("ci_policy", platform.settings.ci_policy)
    if form.is_ci and holder.credential.kind in PERSONAL_KINDS and policy == "enforce":
        raise LicenseVerdict("licensing.credentials.ci_required", web=platform.settings.base_url)


def take_credit(
    session: Session, platform: Platform, form: LicenseForm, holder: Holder, grant: Grant, jti: str
) -> None:
    """One for each run, not for each start. Raises LicenseVerdict when there is none left and the policy is hard."""
    project = form.ci_project or holder.credential.project or ""
    key = run_key_of(
        run=form.ci_run,
        project=project,
        machine_id=machine_name(platform, form),
        now=platform.now(),
        request_id=jti,
    )
    run = Run(key=key, project=project, credential_id=holder.credential.id)
    try:
        charge(session, platform, holder.workspace, grant.subscription, grant.plan, run)
    except QuotaExceeded as error:
        raise LicenseVerdict(
            "licensing.ci.quota_exceeded",
            u=str(error.used),
            q=str(error.quota),
            date=shown(error.resets),
            web=platform.settings.base_url,
        ) from None
