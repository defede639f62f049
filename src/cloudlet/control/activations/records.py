"""What became of a license request: kept for the Activations page, and on the token that was used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from cloudlet.control.activations.errors import LicenseVerdict
from cloudlet.control.activations.forms import LicenseForm
from cloudlet.control.activations.grants import Grant
from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.platform import Platform
from cloudlet.control.webhooks.events import announce

USED = (
    update(Credential)
    .where(Credential.id == bindparam("credential"))
    .values(
        last_used_at=bindparam("used_at"),
        last_used_ip=bindparam("used_ip"),
        last_used_machine=bindparam("used_machine"),
    )
    .execution_options(synchronize_session=False)
)


class Progress:
    """How far a request got; what of it is known is recorded even when it is refused. `is_dead`: a revoked token."""

    __slots__ = ("credential", "grant", "is_dead", "machine", "offline_until", "refused")

    def __init__(self) -> None:
        self.credential: Credential | None = None
        self.machine: Machine | None = None
        self.grant: Grant | None = None
        self.offline_until: datetime | None = None
        self.refused: LicenseVerdict | None = None
        self.is_dead = False


def record_activation(
    session: Session, platform: Platform, form: LicenseForm, progress: Progress, *, jti: str, request_id: str, ip: str
) -> None:
    """Nothing for a token that nobody knows: whose page should show it?"""
    credential, grant, refused = progress.credential, progress.grant, progress.refused
    if credential is None:
        return
    now = platform.now()
    session.add(
        Activation(
            id=jti,
            workspace_id=credential.workspace_id,
            license_id=grant.license.id if grant and grant.license else None,
            credential_id=credential.id,
            machine_row=progress.machine.id if progress.machine else None,
            product=form.product,
            version=form.version,
            is_ci=form.is_ci or credential.kind == "ci",
            is_cli=form.is_cli,
            ci_project=form.ci_project or credential.project,
            ci_run=form.ci_run or None,
            result_code=refused.verdict.code if refused else "ok",
            detail=refused.failure.text()[:500] if refused else None,
            envelope_jti=None if refused else jti,
            request_id=request_id,
            ip=ip[:45],
            at=now,
            offline_until=progress.offline_until,
        )
    )
    session.flush()
    tell(session, platform, form, progress, jti=jti)
    if progress.is_dead:
        return
    session.execute(
        USED,
        {
            "credential": credential.id,
            "used_at": now,
            "used_ip": ip[:45],
            "used_machine": progress.machine.machine_id if progress.machine else None,
        },
    )


def tell(session: Session, platform: Platform, form: LicenseForm, progress: Progress, *, jti: str) -> None:
    """Webhooks that want to know get `license.activated` or `license.activation_failed`."""
    credential, refused = progress.credential, progress.refused
    assert credential is not None
    announce(
        session,
        platform,
        credential.workspace_id,
        "license.activation_failed" if refused else "license.activated",
        subject=jti,
        actor="credential:" + credential.id,
        at=platform.now(),
        data={
            "license": progress.grant.license_id if progress.grant else None,
            "machine": progress.machine.machine_id if progress.machine else None,
            "product": form.product,
            "version": form.version,
            "is_ci": form.is_ci or credential.kind == "ci",
            "ci_project": form.ci_project or credential.project or None,
            "code": refused.verdict.code if refused else None,
        },
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
