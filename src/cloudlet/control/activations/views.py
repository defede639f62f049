"""How activations look on pages."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from cloudlet.control.activations.history import problem_of, reason_code_of
from cloudlet.control.activations.tables import Activation, Machine


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
    return ActivationView(
        at=found.at,
        machine=machine.machine_id if machine else "",
        system=machine.system if machine else "",
        version=found.version,
        is_cli=found.is_cli,
        offline_until=found.offline_until,
        problem=problem_of(found),
        reason_code=reason_code_of(found),
    )
