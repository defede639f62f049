"""The license that is sent: format 1 with the signed envelope in it; both say the same."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from cloudlet.control.activations.forms import LicenseForm
from cloudlet.control.activations.grants import Grant, Holder
from cloudlet.control.licenses.signing import signing_key
from cloudlet.control.licenses.tables import License
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.policies import offline_hours
from cloudlet.license import document as documents
from cloudlet.license import envelope as envelopes

NEXT_ISSUE = (
    update(License)
    .where(License.id == bindparam("license"))
    .values(issue_seq=License.issue_seq + 1)
    .returning(License.issue_seq, License.revoke_epoch)
    .execution_options(synchronize_session=False)
)


class Issued(msgspec.Struct, frozen=True):
    """A license document's bytes, and until when it serves without a connection."""

    raw: bytes
    offline_until: datetime


def issue_license(
    session: Session, platform: Platform, form: LicenseForm, holder: Holder, grant: Grant, jti: str
) -> Issued:
    now = platform.now()
    sequence, epoch = next_issue(session, platform, grant)
    window = timedelta(hours=offline_hours(holder.workspace, grant.plan))
    expires = grant.expires_at
    again = min(now + window, expires)
    draft = documents.sign(
        documents.Document(
            id=grant.license_id,
            license_type=grant.plan.code,
            issue_date=date(now),
            expiry_date=date(expires),
            reactivate_after=date(again),
            products=documents.products_of(grant.plan.versions, grant.plan.entitlements),
            offline_data={"localstack_version": form.version},
        ),
        form.token,
    )
    entitlements = grant.plan.entitlements
    claims = envelopes.Claims(
        iss=platform.settings.base_url,
        jti=jti,
        lic=grant.license_id,
        ws=holder.workspace.id,
        sub=holder.subject,
        plan=grant.plan.code,
        cnf=envelopes.confirmation(form.token),
        aud=("cloudlet",),
        ver=grant.plan.versions,
        ent={name: None if limit is None else {"limit": limit} for name, limit in entitlements.items()},
        mach=None,
        iat=int(now.timestamp()),
        nbf=int(now.timestamp()),
        ra=int(again.timestamp()),
        exp=int(expires.timestamp()),
        win=int(window.total_seconds()),
        seq=sequence,
        ep=epoch,
        doc=documents.digest(draft),
    )
    signed = envelopes.sign(claims, signing_key(session, platform))
    offline_data = {**draft.offline_data, documents.ENVELOPE_ENTRY: signed}
    return Issued(documents.render(msgspec.structs.replace(draft, offline_data=offline_data)), again)


def next_issue(session: Session, platform: Platform, grant: Grant) -> tuple[int, int]:
    """The issue's number and the license's epoch. CI keys have no seat to count on; their number is the time."""
    if grant.license is None:
        return int(platform.now().timestamp()), 0
    row = session.execute(NEXT_ISSUE, {"license": grant.license.id}).one()
    return row.issue_seq, row.revoke_epoch


def date(moment: datetime) -> str:
    return documents.to_date(moment.timestamp())
