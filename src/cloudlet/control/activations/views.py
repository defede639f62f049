"""How activations look on pages."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.license.reasons import REASONS, first_complete
from cloudlet.license.verdicts import VERDICTS


class ActivationView(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `problem` is empty when it was granted."""

    at: datetime
    machine: str
    system: str
    version: str
    is_cli: bool
    offline_until: datetime | None
    problem: str
    reason_code: str


def activation_view(session: Session, found: Activation | None) -> ActivationView | None:
    if found is None:
        return None
    machine = session.get(Machine, found.machine_row) if found.machine_row else None
    reason = REASONS[VERDICTS[found.result_code].reason] if found.result_code != "ok" else None
    return ActivationView(
        at=found.at,
        machine=machine.machine_id if machine else "",
        system=machine.system if machine else "",
        version=found.version,
        is_cli=found.is_cli,
        offline_until=found.offline_until,
        problem=first_complete(reason.texts[-1:], {}) if reason else "",
        reason_code=reason.code if reason else "",
    )
