from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from cloudlet.control.db import HEAD, Database
from cloudlet.control.migrate import configuration
from cloudlet.control.tables import Base
from cloudlet.settings import read_platform_settings


@pytest.fixture
def database(fresh_database_url: str, tmp_path: Path):
    opened = Database(
        read_platform_settings({"PLATFORM_STATE_DIR": str(tmp_path), "PLATFORM_DATABASE_URL": fresh_database_url})
    )
    yield opened
    opened.close()


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_migrations_make_the_tables_that_the_code_describes(database: Database) -> None:
    database.migrate()
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_second_migration_changes_nothing(database: Database) -> None:
    database.migrate()
    database.migrate()
    assert database.is_ready()


def test_the_newest_migration_is_the_one_that_the_code_expects(database: Database) -> None:
    with database.engine.connect() as connection:
        assert ScriptDirectory.from_config(configuration(connection)).get_heads() == [HEAD]


def test_an_address_is_unique_whatever_its_case(database: Database) -> None:
    database.migrate()
    with database.engine.connect() as connection:
        indexes = {index["name"] for index in inspect(connection).get_indexes("memberships")}
        assert "uq_memberships_present" in indexes
        found = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE name = 'uq_users_email'"
            if database.is_sqlite
            else "SELECT indexdef FROM pg_indexes WHERE indexname = 'uq_users_email'"
        ).scalar_one()
    assert "UNIQUE" in found
    assert "lower(" in found


def test_sqlite_waits_for_writers_and_minds_foreign_keys(tmp_path: Path) -> None:
    database = Database(read_platform_settings({"PLATFORM_STATE_DIR": str(tmp_path)}))
    with database.engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    database.close()
    assert values == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10_000}
