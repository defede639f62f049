"""Backup while the control plane works, and restore into another place, on both databases."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.cli.conftest import CommandLine, Finished
from tests.control.serving import RunningPlatform
from tests.store.postgres_server import PostgresServer


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def admin(command_line: CommandLine, platform: RunningPlatform, *words: str, **changes: str) -> Finished:
    command_line.variables.update({**platform.variables, **changes})
    return command_line("admin", *words)


@pytest.fixture
def new_place(platform: RunningPlatform, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """Variables of an empty control plane with the same secret key and kind of database."""
    folder = tmp_path / "new"
    folder.mkdir()
    shutil.copy(Path(platform.settings.state_dir) / "secret.key", folder / "secret.key")
    url = ""
    if platform.settings.database_url:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.new_database()
    return {"PLATFORM_STATE_DIR": str(folder), "PLATFORM_DATABASE_URL": url}


def test_a_copy_is_taken_from_a_running_control_plane_and_works_elsewhere(
    platform: RunningPlatform, command_line: CommandLine, new_place: dict[str, str], tmp_path: Path, email: str
) -> None:
    member = platform.bootstrap(email)
    copy = tmp_path / "control.backup"
    made = admin(command_line, platform, "backup", str(copy))
    assert made.code == 0, made.err
    assert "secret key is not in it" in made.out
    assert max(len(line) for line in made.out.splitlines() if str(copy) not in line) <= 80
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    raw = copy.read_bytes()
    assert member.token.encode() not in raw
    assert (Path(platform.settings.state_dir) / "secret.key").read_bytes().strip() not in raw
    restored = admin(command_line, platform, "restore", str(copy), **new_place)
    assert restored.code == 0, restored.err
    other = RunningPlatform(tmp_path, new_place["PLATFORM_DATABASE_URL"], **new_place)
    try:
        assert other.request_license(member.token).status_code == 200
    finally:
        other.close()


def test_a_database_in_use_or_with_accounts_is_not_replaced_by_mistake(
    platform: RunningPlatform, command_line: CommandLine, tmp_path: Path, email: str
) -> None:
    platform.bootstrap(email)
    copy = tmp_path / "control.backup"
    assert admin(command_line, platform, "backup", str(copy)).code == 0
    again = admin(command_line, platform, "backup", str(copy), "--json")
    assert (again.code, again.json["error"]["code"]) == (1, "backup.exists")
    running = admin(command_line, platform, "restore", str(copy), "--json")
    assert (running.code, running.json["error"]["code"]) == (1, "restore.failed")
    assert "uses this database" in running.json["error"]["message"]
    with platform.database.transaction() as session:
        session.execute(text("UPDATE leases SET ran_at = NULL"))
    later = platform.bootstrap("later-" + email)
    forced = admin(command_line, platform, "restore", str(copy), "--force")
    assert forced.code == 0, forced.err
    assert platform.request_license(later.token).status_code == 403


def test_a_copy_of_another_kind_or_none_is_refused(
    platform: RunningPlatform, command_line: CommandLine, new_place: dict[str, str], tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    for content, said in (
        (b"hello", "is no copy"),
        (b"", "is no copy"),
        (b"PGDMP" if not platform.settings.database_url else b"SQLite format 3\0", "is a copy of"),
    ):
        wrong.write_bytes(content)
        answer = admin(command_line, platform, "restore", str(wrong), **new_place)
        assert answer.code == 1
        assert said in answer.err
    assert admin(command_line, platform, "restore", str(tmp_path / "none"), **new_place).code == 1


def test_a_copy_that_was_made_with_another_secret_key_is_refused(
    platform: RunningPlatform, command_line: CommandLine, new_place: dict[str, str], tmp_path: Path, email: str
) -> None:
    platform.bootstrap(email)
    copy = tmp_path / "control.backup"
    assert admin(command_line, platform, "backup", str(copy)).code == 0
    answer = admin(command_line, platform, "restore", str(copy), **new_place, PLATFORM_SECRET_KEY="x" * 40)
    assert answer.code == 1
    assert "PLATFORM_SECRET_KEY is not the key" in answer.err
