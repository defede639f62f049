from __future__ import annotations

import multiprocessing
import stat
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from cloudlet.control.bootstrap import BootstrapResult, bootstrap
from cloudlet.control.db import Database, DatabaseUnavailable
from cloudlet.control.platform import Platform
from cloudlet.control.tables import Credential, EmailToken, License, SigningKey, Subscription, User, Workspace
from cloudlet.control.vault import SecretKeyError
from cloudlet.license.effects import SYSTEM
from cloudlet.license.token import find_problem
from cloudlet.settings import PlatformSettings, read_platform_settings


@pytest.fixture
def settings(fresh_database_url: str, tmp_path: Path) -> PlatformSettings:
    return read_platform_settings(
        {"PLATFORM_STATE_DIR": str(tmp_path / "state"), "PLATFORM_DATABASE_URL": fresh_database_url}
    )


def count(settings: PlatformSettings, table: type) -> int:
    database = Database(settings)
    with database.snapshot() as session:
        found = session.scalar(select(func.count()).select_from(table))
    database.close()
    return int(found or 0)


def test_the_first_run_makes_a_workspace_with_an_admin_a_trial_and_a_token(settings: PlatformSettings) -> None:
    found = bootstrap(settings, email="ann@example.com", workspace="Acme")
    assert found.created
    assert (found.email, found.workspace, found.plan) == ("ann@example.com", "Acme", "trial")
    assert find_problem(found.token) is None
    assert found.sign_in_link.startswith(f"{found.web_url}/sign-in/link/")
    assert found.license_id.startswith("lic_")
    assert found.license_expires_at.endswith("Z")


def test_a_second_run_finds_everything_and_gives_a_fresh_link(settings: PlatformSettings) -> None:
    first = bootstrap(settings, email="ann@example.com")
    second = bootstrap(settings, email="ANN@example.com")
    assert not second.created
    assert (second.token, second.license_id, second.workspace_id) == (first.token, first.license_id, first.workspace_id)
    assert second.sign_in_link != first.sign_in_link
    for table in (User, Workspace, Subscription, Credential, SigningKey):
        assert count(settings, table) == 1


def test_another_person_gets_another_workspace(settings: PlatformSettings) -> None:
    first = bootstrap(settings, email="ann@example.com")
    second = bootstrap(settings, email="bo@example.com")
    assert second.created
    assert second.workspace_id != first.workspace_id
    assert second.token != first.token


def make(settings: PlatformSettings) -> BootstrapResult:
    return bootstrap(settings, email="ann@example.com")


def test_several_first_runs_at_the_same_time_make_one_of_everything(settings: PlatformSettings) -> None:
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(make, [settings] * 4))
    assert len({result.token for result in found}) == 1
    assert sum(result.created for result in found) == 1
    assert count(settings, SigningKey) == 1
    assert count(settings, License) == 5


def test_the_secret_key_and_the_database_are_for_their_owner_alone(tmp_path: Path) -> None:
    settings = read_platform_settings({"PLATFORM_STATE_DIR": str(tmp_path / "state")})
    bootstrap(settings)
    for name in ("secret.key", "control.sqlite3"):
        assert stat.S_IMODE((tmp_path / "state" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_links_and_sessions_that_are_over_are_forgotten_at_the_next_start(settings: PlatformSettings) -> None:
    bootstrap(settings)
    database = Database(settings)
    with database.transaction() as session:
        session.execute(update(EmailToken).values(expires_at=datetime(2026, 1, 1, tzinfo=UTC)))
    database.close()
    bootstrap(settings)
    assert count(settings, EmailToken) == 1  # the fresh one


def test_another_secret_key_is_noticed_at_once(settings: PlatformSettings) -> None:
    bootstrap(settings)
    Path(settings.state_dir, "secret.key").write_text("x" * 64)
    with pytest.raises(SecretKeyError, match="not the key that this database was made with"):
        bootstrap(settings)


@pytest.mark.parametrize(
    "variables",
    [{"PLATFORM_SECRET_KEY": "short"}, {"PLATFORM_SECRET_KEY_FILE": "/nothing/there"}],
    ids=["short", "missing file"],
)
def test_a_secret_key_that_is_none_is_told_with_what_to_do(variables: dict[str, str], tmp_path: Path) -> None:
    settings = read_platform_settings({"PLATFORM_STATE_DIR": str(tmp_path), **variables})
    with pytest.raises(SecretKeyError, match="PLATFORM_SECRET_KEY"):
        Platform(settings, SYSTEM)


def test_a_secret_key_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("s" * 40 + "\n")
    variables = {"PLATFORM_STATE_DIR": str(tmp_path / "a")}
    from_file = Platform(read_platform_settings({**variables, "PLATFORM_SECRET_KEY_FILE": str(path)}), SYSTEM)
    direct = Platform(read_platform_settings({**variables, "PLATFORM_SECRET_KEY": "s" * 40}), SYSTEM)
    assert from_file.vault.lookup_hash("x", "y") == direct.vault.lookup_hash("x", "y")


def test_a_database_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    settings = read_platform_settings(
        {
            "PLATFORM_STATE_DIR": str(tmp_path),
            "PLATFORM_DATABASE_URL": "postgresql://ann:secretword@127.0.0.1:1/nothing",
        }
    )
    with pytest.raises(DatabaseUnavailable) as caught:
        bootstrap(settings)
    assert "127.0.0.1:1" in str(caught.value)
    assert "secretword" not in str(caught.value)
