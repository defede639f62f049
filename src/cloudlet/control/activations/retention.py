"""Requests for licenses are forgotten after a while (PLATFORM_ACTIVATION_DAYS)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import aliased

from cloudlet.control.activations.tables import Activation
from cloudlet.control.db import Database
from cloudlet.control.platform import Platform

CHUNK = 500  # rows of one transaction: activations wait for SQLite's writer meanwhile


def forget_old(database: Database, platform: Platform) -> None:
    """The worker's task. What a page tells as the last of a token, or the last good one of a machine, stays."""
    days = platform.settings.activation_days
    if not days:
        return
    before = platform.later(days=-days)
    while True:
        with database.transaction() as session:
            old = session.scalars(select(Activation.id).where(is_forgotten(before)).limit(CHUNK)).all()
            session.execute(delete(Activation).where(Activation.id.in_(old)))
        if len(old) < CHUNK:
            return


def is_forgotten(before: datetime) -> ColumnElement[bool]:
    newer = aliased(Activation)
    of_token = select(newer.id).where(newer.credential_id == Activation.credential_id, newer.at > Activation.at)
    of_machine = select(newer.id).where(
        newer.machine_row == Activation.machine_row, newer.result_code == "ok", newer.at > Activation.at
    )
    is_told_elsewhere = Activation.machine_row.is_(None) | (Activation.result_code != "ok") | of_machine.exists()
    return (Activation.at < before) & of_token.exists() & is_told_elsewhere
