"""Machines: remembered when they ask, limited by the plan, blocked by an admin."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cloudlet.control.activations.errors import LicenseVerdict
from cloudlet.control.activations.forms import LicenseForm
from cloudlet.control.activations.grants import Grant
from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.audit.service import record
from cloudlet.control.errors import NotFound
from cloudlet.control.licenses.tables import License
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer

LIMIT_ENTITLEMENT = "platform/machines"  # its limit is that of machines a license may be used on
COUNTED_DAYS = 30  # a machine that has not asked for so long does not count against the limit

MACHINE = select(Machine).where(
    Machine.workspace_id == bindparam("workspace"), Machine.machine_id == bindparam("machine")
)


def machine_name(platform: Platform, form: LicenseForm) -> str:
    """As the machine calls itself, or by the keyed hash of its host name where it sends no more; "" for none."""
    if form.machine_id or not form.hostname:
        return form.machine_id
    return "host_" + platform.vault.lookup_hash("hostname", form.hostname)[:16]


def remember_machine(session: Session, platform: Platform, form: LicenseForm, workspace_id: str) -> Machine | None:
    """The machine's row, made or refreshed. Raises LicenseVerdict when an admin blocked it."""
    name = machine_name(platform, form)
    if not name:
        return None
    now = platform.now()
    machine = find_machine(session, workspace_id, name)
    if machine is None:
        machine = Machine(
            id=platform.new_id("mac"),
            workspace_id=workspace_id,
            machine_id=name,
            kind=form.machine_kind if form.machine_id else "host",
            first_seen=now,
            last_seen=now,
        )
        try:
            with session.begin_nested():
                session.add(machine)
        except IntegrityError:  # the same machine's other start was faster
            machine = find_machine(session, workspace_id, name)
            assert machine is not None
    if machine.blocked_at is not None:
        raise LicenseVerdict("licensing.machine.blocked", machine=name, web=platform.settings.base_url)
    machine.last_seen = now
    machine.system = form.system
    machine.hostname_hash = platform.vault.lookup_hash("hostname", form.hostname) if form.hostname else None
    session.flush()
    return machine


def find_machine(session: Session, workspace_id: str, machine_id: str) -> Machine | None:
    return session.scalar(MACHINE, {"workspace": workspace_id, "machine": machine_id})


def check_machine_limit(session: Session, platform: Platform, grant: Grant, machine: Machine) -> None:
    """Where the plan limits the machines of a license. Raises LicenseVerdict for one too many.

    The license's row is locked meanwhile: of two new machines at the same moment one is counted before the other.
    """
    limit = grant.plan.entitlements.get(LIMIT_ENTITLEMENT)
    if limit is None or grant.license is None:
        return
    session.execute(select(License.id).where(License.id == grant.license.id).with_for_update(key_share=True))
    others = session.scalar(
        select(func.count(func.distinct(Activation.machine_row)))
        .join(Machine, Machine.id == Activation.machine_row)
        .where(
            Activation.license_id == grant.license.id,
            Activation.result_code == "ok",
            Activation.is_ci.is_(False),
            Activation.at > platform.now() - timedelta(days=COUNTED_DAYS),
            Machine.blocked_at.is_(None),
            Machine.id != machine.id,
        )
    )
    if (others or 0) >= limit:
        raise LicenseVerdict("licensing.machine.limit", n=str(limit), web=platform.settings.base_url)


def block_machine(session: Session, platform: Platform, viewer: Viewer, machine_row: str) -> None:
    """Its next start is refused. Raises NotFound, for another workspace's machine too."""
    set_blocked(session, platform, viewer, machine_row, is_blocked=True)


def unblock_machine(session: Session, platform: Platform, viewer: Viewer, machine_row: str) -> None:
    """Raises NotFound."""
    set_blocked(session, platform, viewer, machine_row, is_blocked=False)


def set_blocked(session: Session, platform: Platform, viewer: Viewer, machine_row: str, *, is_blocked: bool) -> None:
    """Blocking a blocked machine changes nothing and is no entry in the audit log."""
    found = session.scalar(
        select(Machine.machine_id).where(Machine.id == machine_row, Machine.workspace_id == viewer.workspace_id)
    )
    if found is None:
        raise NotFound("This workspace has no such machine.")
    changed = session.scalar(
        update(Machine)
        .where(
            Machine.id == machine_row, Machine.blocked_at.is_(None) if is_blocked else Machine.blocked_at.isnot(None)
        )
        .values(blocked_at=platform.now() if is_blocked else None)
        .returning(Machine.id)
        .execution_options(synchronize_session=False)
    )
    if changed is None:
        return
    record(
        session,
        platform,
        viewer.workspace_id,
        actor=viewer.actor,
        action="machine.blocked" if is_blocked else "machine.unblocked",
        target=machine_row,
        data={"machine": found},
    )
