from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from cloudlet.control.audit.service import first_broken, record
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import bootstrap
from cloudlet.control.db import Database
from cloudlet.control.platform import Platform
from cloudlet.license.effects import SYSTEM
from cloudlet.settings import read_platform_settings


@pytest.fixture
def chain(fresh_database_url: str, tmp_path: Path):
    settings = read_platform_settings(
        {"PLATFORM_STATE_DIR": str(tmp_path), "PLATFORM_DATABASE_URL": fresh_database_url}
    )
    workspace = bootstrap(settings).workspace_id
    database = Database(settings)
    platform = Platform(settings, SYSTEM)
    with database.transaction() as session:
        for number in range(5):
            record(session, platform, workspace, actor="test", action=f"test.{number}", data={"n": number})
    yield database, workspace
    database.close()


def test_the_chain_is_whole(chain) -> None:
    database, workspace = chain
    with database.snapshot() as session:
        assert first_broken(session, workspace) is None
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)).all()
    assert actions[:3] == ["subscription.started", "license.assigned", "credential.created"]


def test_a_changed_entry_and_a_missing_one_are_found(chain) -> None:
    database, workspace = chain
    with database.transaction() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "test.2")).one()
        entry.data = {"n": 99}
        changed = entry.seq
    with database.transaction() as session:
        assert first_broken(session, workspace) == changed
        session.delete(session.scalars(select(AuditEntry).where(AuditEntry.action == "test.1")).one())
        session.flush()
        assert first_broken(session, workspace) == changed
        session.delete(session.scalars(select(AuditEntry).where(AuditEntry.action == "test.0")).one())
        session.flush()
        assert first_broken(session, workspace) == changed
