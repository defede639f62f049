"""License files for machines without a network: issued, made again for downloading, revoked, checked.

A file is good on its machines until it ends, whatever happens here meanwhile: without a network nobody can tell the
machine. So it is short, never longer than the subscription, and revoking it means: it is not handed out again, and who
asks (`check_file`) is told no.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cloudlet.control.activations.errors import LicenseVerdict
from cloudlet.control.activations.grants import shown
from cloudlet.control.activations.machines import LIMIT_ENTITLEMENT
from cloudlet.control.activations.tables import Machine
from cloudlet.control.audit.service import record
from cloudlet.control.credentials.service import unsealed
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.errors import InvalidForm, NotFound
from cloudlet.control.licenses.service import Holding, license_of
from cloudlet.control.licenses.signing import active_private_key, published_keys
from cloudlet.control.licenses.tables import License, Plan
from cloudlet.control.members.service import find_member
from cloudlet.control.offline.errors import BadRequestFile, FileMoved, FileRevoked, NoLicenseToIssue, NotInPlan
from cloudlet.control.offline.forms import IssueForm
from cloudlet.control.offline.tables import OfflineFile
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import lock_workspace
from cloudlet.control.workspaces.tables import Membership, Workspace
from cloudlet.license import envelope as envelopes
from cloudlet.license import files
from cloudlet.license.document import DocumentRefused
from cloudlet.license.verify import covers

DAYS_ENTITLEMENT = "platform/offline"  # its limit is the longest file in days; 0: the plan has none
DEFAULT_DAYS = 30  # where a plan says nothing
DAY_SECONDS = 86_400


def longest_days(plan: Plan) -> int | None:
    """How long a file may be good, None: as long as the license."""
    if DAYS_ENTITLEMENT in plan.entitlements:
        return plan.entitlements[DAYS_ENTITLEMENT]
    return None if "platform/*" in plan.entitlements else DEFAULT_DAYS


def latest_end(holding: Holding, now: datetime) -> datetime:
    """A file for this license ends then at the latest."""
    days = longest_days(holding.plan)
    return holding.valid_until if days is None else min(holding.valid_until, now + timedelta(days=days))


def days_until(end: datetime, now: datetime) -> int:
    """A begun day counts."""
    return max(0, -(-int((end - now).total_seconds()) // DAY_SECONDS))


def issue_file(
    session: Session, platform: Platform, viewer: Viewer, form: IssueForm, *, ip: str = "", user_agent: str = ""
) -> OfflineFile:
    """Write down a new license file. Raises NotFound, NoLicenseToIssue, NotInPlan, InvalidForm, BadRequestFile."""
    lock_workspace(session, viewer.workspace_id)
    member = find_member(session, viewer.workspace_id, form.membership_id)
    holding = license_of(session, member.id)
    now = platform.now()
    if holding is None or not holding.is_good(now):
        raise NoLicenseToIssue
    ends = end_of(holding, form, now)
    check_requests(session, platform, form, holding, member)
    claims = make_claims(session, platform, form, holding, member, begins=now, ends=ends)
    row = OfflineFile(
        id=platform.new_id("off"),
        workspace_id=viewer.workspace_id,
        license_id=holding.license.id,
        membership_id=member.id,
        name=form.name,
        system="; ".join(dict.fromkeys(request.machine.system for request in form.requests))[:300],
        claims=msgspec.to_builtins(claims),
        machine_ids=list(form.machine_ids),
        jti=claims.jti,
        issued_by=viewer.user_id,
        issued_at=now,
        expires_at=ends,
        downloads=0,
    )
    session.add(row)
    session.flush()
    note(
        session,
        platform,
        viewer,
        row,
        action="offline_file.issued",
        ip=ip,
        user_agent=user_agent,
        data={
            "name": form.name,
            "membership": member.id,
            "license": holding.license.id,
            "machines": list(form.machine_ids),
            "expires_at": ends.isoformat(),
        },
    )
    return row


def end_of(holding: Holding, form: IssueForm, now: datetime) -> datetime:
    """Raises NotInPlan, InvalidForm."""
    latest = latest_end(holding, now)
    most = days_until(latest, now)
    if most == 0:
        raise NotInPlan(f"The plan {holding.plan.display} has no license files.")
    if form.days > most:
        raise InvalidForm(
            f"A file for this license is good for {most} {'day' if most == 1 else 'days'} at most (until {shown(latest)})."
        )
    return min(now + timedelta(days=form.days), latest)


def check_requests(session: Session, platform: Platform, form: IssueForm, holding: Holding, member: Membership) -> None:
    """Raises BadRequestFile, InvalidForm."""
    for request in form.requests:
        if not covers(holding.plan.versions, request.product.version):
            raise BadRequestFile(
                f"The license covers {holding.plan.versions}; that machine runs {request.product.version}."
            )
    blocked = session.scalar(
        select(Machine.machine_id).where(
            Machine.workspace_id == member.workspace_id,
            Machine.machine_id.in_(form.machine_ids),
            Machine.blocked_at.is_not(None),
        )
    )
    if blocked is not None:
        raise BadRequestFile(f"The machine {blocked} is blocked in this workspace.")
    check_machine_limit(session, platform, form, holding)
    cnf = form.requests[0].cnf
    if cnf is not None:
        check_token(session, platform, member.id, cnf)


def check_machine_limit(session: Session, platform: Platform, form: IssueForm, holding: Holding) -> None:
    """Where the plan limits the machines of a license, those of its files count. Raises InvalidForm."""
    limit = holding.plan.entitlements.get(LIMIT_ENTITLEMENT)
    if limit is None:
        return
    living = session.scalars(
        select(OfflineFile.machine_ids).where(
            OfflineFile.license_id == holding.license.id,
            OfflineFile.revoked_at.is_(None),
            OfflineFile.expires_at > platform.now(),
        )
    )
    if len({*form.machine_ids, *(machine for machines in living for machine in machines)}) > limit:
        raise InvalidForm(
            f"The plan allows {limit} machines for each license; files were issued for that many already."
        )


def check_token(session: Session, platform: Platform, membership_id: str, cnf: str) -> None:
    """The token that the file gets bound to is this member's, as far as we can tell. Raises BadRequestFile."""
    living = session.scalars(
        select(Credential).where(Credential.membership_id == membership_id, Credential.revoked_at.is_(None))
    ).all()
    sealed = [credential for credential in living if credential.secret_enc is not None]
    if any(envelopes.confirmation(unsealed(platform, credential)) == cnf for credential in sealed):
        return
    if len(sealed) == len(living):
        raise BadRequestFile("The request file was made with a token that is not one of this member’s.")


def make_claims(
    session: Session,
    platform: Platform,
    form: IssueForm,
    holding: Holding,
    member: Membership,
    *,
    begins: datetime,
    ends: datetime,
) -> envelopes.Claims:
    sequence, epoch = session.execute(
        update(License)
        .where(License.id == holding.license.id)
        .values(issue_seq=License.issue_seq + 1)
        .returning(License.issue_seq, License.revoke_epoch)
        .execution_options(synchronize_session=False)
    ).one()
    begin, end = int(begins.timestamp()), int(ends.timestamp())
    cnf = form.requests[0].cnf
    return envelopes.Claims(
        iss=platform.settings.base_url,
        jti=platform.new_id("lfi"),
        lic=holding.license.id,
        ws=member.workspace_id,
        sub=member.id,
        plan=holding.plan.code,
        kind="file",
        cnf=cnf,
        aud=("cloudlet",),
        ver=holding.plan.versions,
        ent={name: None if limit is None else {"limit": limit} for name, limit in holding.plan.entitlements.items()},
        mach=form.machine_ids,
        iat=begin,
        nbf=begin,
        ra=end,
        exp=end,
        win=end - begin,
        seq=sequence,
        ep=epoch,
        crit=("mach",) if cnf is None else ("cnf", "mach"),
    )


def find_file(session: Session, workspace_id: str, file_id: str) -> OfflineFile:
    """Raises NotFound, for another workspace's file too."""
    found = session.scalar(
        select(OfflineFile).where(OfflineFile.id == file_id, OfflineFile.workspace_id == workspace_id)
    )
    if found is None:
        raise NotFound("This workspace has no such license file.")
    return found


def download_file(
    session: Session, platform: Platform, viewer: Viewer, file_id: str, *, ip: str = "", user_agent: str = ""
) -> bytes:
    """The file's bytes, signed with the key that signs now; counted and written down.

    Raises NotFound, FileRevoked, and FileMoved where the license was taken away or ended since.
    """
    lock_workspace(session, viewer.workspace_id)  # before the file: everybody takes it first
    row = find_file(session, viewer.workspace_id, file_id)
    claims = msgspec.convert(row.claims, envelopes.Claims)
    if row.revoked_at is None and holding_of(session, row, claims) is None:
        raise FileMoved
    counted = session.scalar(
        update(OfflineFile)
        .where(OfflineFile.id == row.id, OfflineFile.revoked_at.is_(None))
        .values(downloads=OfflineFile.downloads + 1, downloaded_at=platform.now())
        .returning(OfflineFile.id)
        .execution_options(synchronize_session=False)
    )
    if counted is None:
        raise FileRevoked
    note(session, platform, viewer, row, action="offline_file.downloaded", ip=ip, user_agent=user_agent)
    return files.render(envelopes.sign(claims, active_private_key(session, platform)))


def revoke_file(
    session: Session, platform: Platform, viewer: Viewer, file_id: str, *, ip: str = "", user_agent: str = ""
) -> None:
    """It is not handed out again, and who asks is told no. Once is enough. Raises NotFound."""
    lock_workspace(session, viewer.workspace_id)
    row = find_file(session, viewer.workspace_id, file_id)
    revoked = session.scalar(
        update(OfflineFile)
        .where(OfflineFile.id == row.id, OfflineFile.revoked_at.is_(None))
        .values(revoked_at=platform.now())
        .returning(OfflineFile.id)
        .execution_options(synchronize_session=False)
    )
    if revoked is not None:
        note(
            session,
            platform,
            viewer,
            row,
            action="offline_file.revoked",
            ip=ip,
            user_agent=user_agent,
            data={"license": row.license_id, "machines": row.machine_ids},
        )


def note(
    session: Session,
    platform: Platform,
    viewer: Viewer,
    row: OfflineFile,
    *,
    action: str,
    ip: str,
    user_agent: str,
    data: dict[str, object] | None = None,
) -> None:
    record(
        session,
        platform,
        viewer.workspace_id,
        actor=viewer.actor,
        action=action,
        target=row.id,
        ip=ip,
        user_agent=user_agent,
        data=data,
    )


def check_file(session: Session, platform: Platform, raw: bytes) -> OfflineFile:
    """Is this license file still good, for a machine that has a network after all? Raises LicenseVerdict."""
    web = platform.settings.base_url
    try:
        claims = envelopes.verify(files.parse(raw), envelopes.TrustStore(published_keys(session)))
    except (DocumentRefused, envelopes.EnvelopeRefused) as error:
        raise LicenseVerdict("licensing.request.format", problem=str(error)) from None
    row = session.scalar(
        select(OfflineFile)
        .join(Workspace, Workspace.id == OfflineFile.workspace_id)
        .where(OfflineFile.jti == claims.jti, Workspace.deleted_at.is_(None))
    )
    if claims.kind != "file" or row is None:
        raise LicenseVerdict("licensing.license.not_found", web=web)
    if row.revoked_at is not None:
        why = f"this license file was revoked on {shown(row.revoked_at)}"
        raise LicenseVerdict("licensing.license.suspended", why=why, web=web)
    check_license(session, platform, row, claims)
    if row.expires_at <= platform.now():
        raise LicenseVerdict("licensing.license.expired", date=shown(row.expires_at), web=web)
    return row


def holding_of(session: Session, row: OfflineFile, claims: envelopes.Claims) -> Holding | None:
    """The license that a file was made for, where it has been its member's all the time since."""
    holding = license_of(session, row.membership_id) if row.membership_id else None
    is_same = holding is not None and holding.license.id == row.license_id
    return holding if holding is not None and is_same and claims.ep >= holding.license.revoke_epoch else None


def check_license(session: Session, platform: Platform, row: OfflineFile, claims: envelopes.Claims) -> None:
    """The license of a file: with its member all the time since, and in force. Raises LicenseVerdict."""
    web = platform.settings.base_url
    holding = holding_of(session, row, claims)
    if holding is None:
        raise LicenseVerdict("licensing.license.not_assigned", web=web)
    if holding.valid_until <= platform.now():
        raise LicenseVerdict("licensing.license.expired", date=shown(holding.valid_until), web=web)
    if not holding.is_good(platform.now()):
        why = holding.subscription.status.replace("_", " ") if holding.license.status == "ACTIVE" else "by an admin"
        raise LicenseVerdict("licensing.license.suspended", why=why, web=web)
