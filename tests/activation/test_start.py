"""Real emulators against a real control plane: the seed page's story of a token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.ci.forms import KeyForm
from cloudlet.control.ci.service import create_key
from cloudlet.control.ci.tables import CiCharge
from cloudlet.control.credentials.service import reset_auth_token
from cloudlet.control.licenses.service import unassign
from cloudlet.control.workspaces.tables import Membership
from tests.activation.conftest import Emulate
from tests.activation.running import STARTED, get, start
from tests.conftest import RunningEmulator
from tests.control.serving import RunningPlatform
from tests.control.staff import admin_of


@pytest.fixture
def member(platform: RunningPlatform, request: pytest.FixtureRequest) -> BootstrapResult:
    return platform.bootstrap(f"{request.node.name[:60].lower()}@example.com")


def variables(platform: RunningPlatform, token: str) -> dict[str, str]:
    return {
        "ACTIVATE_PRO": "",
        "LOCALSTACK_AUTH_TOKEN": token,
        "API_ENDPOINT": f"{platform.url}/v1",
        "WEB_APP_URL": platform.url,
    }


def info(emulator: RunningEmulator) -> dict[str, Any]:
    return get(emulator, "info")


def test_a_token_makes_it_pro_and_activated(
    platform: RunningPlatform, member: BootstrapResult, emulate: Emulate
) -> None:
    emulator = emulate(**variables(platform, member.token))
    found = info(emulator)
    assert (found["edition"], found["is_license_activated"]) == ("pro", True)
    printed = emulator.printed()
    assert "Successfully requested and activated new license" in printed
    assert printed.index("Successfully") < printed.index(STARTED)
    assert member.token not in printed
    assert emulator.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_without_a_token_it_is_the_community_edition(emulate: Emulate) -> None:
    emulator = emulate(ACTIVATE_PRO="", LOCALSTACK_AUTH_TOKEN="", LOCALSTACK_API_KEY="")
    found = info(emulator)
    assert (found["edition"], found["is_license_activated"]) == ("community", False)
    assert "No auth token: community edition." in emulator.printed()


def test_switched_off_it_is_the_community_edition_even_with_a_token(
    platform: RunningPlatform, member: BootstrapResult, emulate: Emulate, tmp_path: Path
) -> None:
    emulator = emulate(**variables(platform, member.token) | {"ACTIVATE_PRO": "0"})
    assert info(emulator)["edition"] == "community"


def test_a_start_that_must_be_licensed_ends_with_55(tmp_path: Path) -> None:
    done = start(tmp_path, ACTIVATE_PRO="1")
    assert done.returncode == 55
    assert done.stdout.startswith("Localstack returning with exit code 55. Reason: \nLicense activation failed! 🔑❌\n")
    assert "Code: credentials.missing" in done.stdout
    assert STARTED not in done.stdout


def test_after_a_reset_the_old_token_ends_with_55_and_the_new_one_works(
    platform: RunningPlatform, member: BootstrapResult, emulate: Emulate, tmp_path: Path
) -> None:
    emulator = emulate(**variables(platform, member.token))
    emulator.stop()
    with platform.database.transaction() as session:
        holder = session.scalars(select(Membership).where(Membership.workspace_id == member.workspace_id)).one()
        new = reset_auth_token(session, platform.platform, holder, actor="test").token
    done = start(tmp_path, **variables(platform, member.token))  # there is a fresh license in the cache
    assert done.returncode == 55
    assert "Reason: The credentials defined in your environment are invalid: this token was reset on" in done.stdout
    assert "Request: req_" in done.stdout
    assert f"Docs: {platform.url}/docs/errors#credentials.invalid" in done.stdout
    assert member.token not in done.stdout + done.stderr
    emulator = emulate(**variables(platform, new))
    assert info(emulator)["is_license_activated"] is True
    emulator.stop()


def test_a_restart_loop_in_ci_costs_one_credit(
    platform: RunningPlatform, member: BootstrapResult, emulate: Emulate, tmp_path: Path
) -> None:
    with platform.database.transaction() as session:
        key = create_key(session, platform.platform, admin_of(platform, member), KeyForm(name="pipeline")).token
    in_ci = {"CI": "true", "GITHUB_RUN_ID": "7001", "LS_CI_PROJECT": "shop"}
    for runner in ("first", "first", "second"):
        changes = {"LOCALSTACK_AUTH_TOKEN": "", "LOCALSTACK_API_KEY": key, **in_ci}
        volume = {"LOCALSTACK_VOLUME_DIR": str(tmp_path / runner)}
        emulator = emulate(**variables(platform, member.token) | changes | volume)
        assert info(emulator)["is_license_activated"] is True
        emulator.kill()
    with platform.database.transaction() as session:
        charges = session.scalars(select(CiCharge).where(CiCharge.workspace_id == member.workspace_id)).all()
        assert [(charge.project, charge.starts) for charge in charges] == [("shop", 3)]


def test_without_a_license_it_ends_with_55_and_says_whom_to_ask(
    platform: RunningPlatform, member: BootstrapResult, tmp_path: Path
) -> None:
    with platform.database.transaction() as session:
        holder = session.scalars(select(Membership).where(Membership.workspace_id == member.workspace_id)).one()
        unassign(session, platform.platform, member.workspace_id, holder.id, actor="test")
    done = start(tmp_path, **variables(platform, member.token))
    assert done.returncode == 55
    assert "Code: license.not_assigned" in done.stdout
    assert f"Ask an admin ({member.email})" in done.stdout


def test_a_platform_that_is_away_ends_the_first_start_and_not_the_second(emulate: Emulate, tmp_path: Path) -> None:
    folder = tmp_path / "control"
    folder.mkdir()
    away = RunningPlatform(folder)
    token = away.bootstrap().token
    emulator = emulate(**variables(away, token))
    emulator.stop()
    away.close()
    emulator = emulate(**variables(away, token))
    assert info(emulator)["is_license_activated"] is True
    assert "Successfully activated cached license" in emulator.printed()
    emulator.stop()
    done = start(tmp_path / "elsewhere", **variables(away, token))
    assert done.returncode == 55
    assert "Code: server.connect" in done.stdout
