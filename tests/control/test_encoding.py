"""A database that will not do is refused at the start: in a sentence that says what to do, without a password."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from cloudlet.control.db import Database, DatabaseUnavailable
from cloudlet.settings import read_platform_settings
from tests.conftest import free_port
from tests.store.postgres_server import PostgresServer


@pytest.fixture(params=["SQL_ASCII", "LATIN1"])
def url(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> str:
    name = f"encoded_{request.param.lower()}_{os.getpid()}"
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            connection.execute(
                f"CREATE DATABASE {name} ENCODING '{request.param}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
            )
    return postgres_server.url(name)


def test_a_database_of_another_encoding_is_refused(url: str, tmp_path: Path) -> None:
    database = Database(read_platform_settings({"PLATFORM_DATABASE_URL": url, "PLATFORM_STATE_DIR": str(tmp_path)}))
    with pytest.raises(DatabaseUnavailable, match=r"encoding \w+; use one that was made with UTF8"):
        database.migrate()
    database.close()


def start(tmp_path: Path, *command: str, **variables: str) -> tuple[int, str]:
    """Exit code and all that was printed."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env={
            **os.environ,
            "PLATFORM_STATE_DIR": str(tmp_path),
            "PLATFORM_LISTEN": f"127.0.0.1:{free_port()}",
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=90,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_process_ends_with_a_sentence(url: str, tmp_path: Path) -> None:
    code, printed = start(tmp_path, "cloudlet.control", PLATFORM_DATABASE_URL=url)
    assert (code, "made with UTF8" in printed, "Traceback" in printed) == (1, True, False)


@pytest.mark.parametrize(
    ("command", "variables", "code", "words"),
    [
        ("control", {"PLATFORM_DATABASE_URL": "postgresql://ann:hidden@127.0.0.1:1/nothing"}, 1, "127.0.0.1:1"),
        ("control", {"PLATFORM_DATABASE_URL": "mysql://ann:hidden@127.0.0.1/x"}, 2, "PLATFORM_DATABASE_URL is neither"),
        ("control", {"PLATFORM_DATABASE_URL": "hidden"}, 2, "PLATFORM_DATABASE_URL is neither"),
        ("control", {"PLATFORM_SECRET_KEY": "hidden"}, 1, "too short"),
        ("control start", {"PLATFORM_DATABASE_URL": "postgresql://ann:hidden@127.0.0.1:1/x"}, 1, "127.0.0.1:1"),
        ("control start", {"PLATFORM_SECRET_KEY": "hidden"}, 1, "too short"),
        ("admin bootstrap", {"PLATFORM_DATABASE_URL": "postgresql://ann:hidden@127.0.0.1:1/x"}, 1, "127.0.0.1:1"),
        ("admin bootstrap", {"PLATFORM_DATABASE_URL": "hidden"}, 1, "PLATFORM_DATABASE_URL is neither"),
    ],
)
def test_what_the_operator_has_to_put_right_is_told_in_a_sentence(
    tmp_path: Path, command: str, variables: dict[str, str], code: int, words: str
) -> None:
    program = ["cloudlet.control"] if command == "control" else ["cloudlet", *command.split()]
    ended, printed = start(tmp_path, *program, **variables)
    assert (ended, words in printed, "Traceback" in printed, "hidden" in printed) == (code, True, False, False), printed
