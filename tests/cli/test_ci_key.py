"""CI keys from the command line, through the control plane's native API."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudlet.control.accounts.service import create_user
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.credentials.service import ensure_auth_token
from cloudlet.control.workspaces.service import add_member
from tests.cli.conftest import CommandLine
from tests.cli.people import forget_limits, logged_in
from tests.control.serving import RunningPlatform


@pytest.fixture
def member(platform: RunningPlatform, tmp_path: Path) -> BootstrapResult:
    forget_limits(platform)
    return platform.bootstrap(f"{tmp_path.name}@example.com", workspace="Acme Research")


@pytest.fixture
def admin(connected: CommandLine, platform: RunningPlatform, member: BootstrapResult) -> CommandLine:
    """A machine that may manage CI keys."""
    assert "ci_key.manage" in logged_in(connected, platform, member, "--admin")
    return connected


def is_licensed(platform: RunningPlatform, key: str, run: str) -> bool:
    machine = {"ci": True, "ci_run": run}
    return platform.request_license(key, credentials={"type": "licensing-api-key"}, machine=machine).is_success


def test_a_key_is_made_used_listed_and_deleted(admin: CommandLine, platform: RunningPlatform) -> None:
    made = admin("ci-key", "create", "GitHub, main", "--project", "shop", "--days", "90")
    assert made.code == 0, made.err
    key = made.out.strip()
    assert key.startswith("lsci-")
    assert "not shown again" in made.err
    assert key not in made.err
    assert is_licensed(platform, key, "run-1")
    listed = admin("ci-key", "list")
    assert "GitHub, main" in listed.out
    assert "CI credits: 1 used" in listed.out
    assert key not in listed.out
    data = admin("ci-key", "list", "--json").json["data"]
    assert [(row["name"], row["project"], row["runs"]) for row in data["keys"]] == [("GitHub, main", "shop", 1)]
    deleted = admin("ci-key", "delete", "GitHub, main", "--yes")
    assert (deleted.code, deleted.out) == (0, "Deleted GitHub, main\n")
    assert not is_licensed(platform, key, "run-2")
    assert "There is no CI key." in admin("ci-key", "list").out


def test_a_rotated_key_works_on_for_the_overlap(admin: CommandLine, platform: RunningPlatform) -> None:
    old = admin("ci-key", "create", "nightly", "--strict").out.strip()
    assert old.startswith("ls-")
    rotated = admin("ci-key", "rotate", "nightly", "--overlap-hours", "1")
    assert "works for 1 more hour" in rotated.err
    new = rotated.out.strip()
    assert new != old
    assert is_licensed(platform, old, "run-1")
    assert is_licensed(platform, new, "run-2")
    ids = {row["state"]: row["id"] for row in admin("ci-key", "list", "--json").json["data"]["keys"]}
    assert sorted(ids) == ["active", "overlap"]
    ambiguous = admin("ci-key", "rotate", "nightly", "--json")
    assert (ambiguous.code, ambiguous.json["error"]["code"]) == (1, "ci_key.ambiguous")
    last = admin("ci-key", "rotate", ids["active"], "--overlap-hours", "0", "--json").json["data"]
    assert not is_licensed(platform, new, "run-3")
    assert is_licensed(platform, last["token"], "run-4")


def test_deleting_asks_first(admin: CommandLine) -> None:
    admin("ci-key", "create", "nightly")
    refused = admin("ci-key", "delete", "nightly", input="n\n")
    assert refused.code == 130
    assert "Delete nightly" in refused.err
    assert admin("ci-key", "delete", "nightly", input="y\n").code == 0


def test_a_machine_that_may_not_is_told_how_to(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    for _ in ("signed in nowhere", "signed in without leave"):
        done = connected("ci-key", "list", "--json")
        assert (done.code, done.json["error"]["code"]) == (1, "ci_key.no_token")
        assert "cloudlet auth login --admin" in done.json["error"]["actions"]
        logged_in(connected, platform, member)


def test_an_api_token_in_a_variable_does_without_signing_in(
    admin: CommandLine, platform: RunningPlatform, member: BootstrapResult, tmp_path: Path
) -> None:
    token = (admin.home / ".localstack/cloudlet-tokens.json").read_text().split("lsadm_")[1].split('"')[0]
    elsewhere = {"CONFIG_DIR": str(tmp_path / "elsewhere"), "CLOUDLET_ADMIN_TOKEN": f"lsadm_{token}"}
    assert admin("ci-key", "create", "from a variable", **elsewhere).code == 0
    assert "from a variable" in admin("ci-key", "list", "--workspace", "Acme Research", **elsewhere).out
    other = admin("ci-key", "list", "--workspace", "Other", "--json", **elsewhere)
    assert (other.code, other.json["error"]["code"]) == (1, "ci_key.token")
    elsewhere["CLOUDLET_ADMIN_TOKEN"] = f"lsadm_{token[:-1]}"
    wrong = admin("ci-key", "list", "--json", **elsewhere)
    assert (wrong.code, wrong.json["error"]["code"]) == (1, "ci_key.token")
    assert token[:-1] not in wrong.out


def test_leave_goes_no_further_than_its_owners(
    connected: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, "guest-" + member.email)
        joined = add_member(session, platform.platform, member.workspace_id, user, role="member")
        ensure_auth_token(session, platform.platform, joined, actor="test")
    guest = platform.bootstrap("guest-" + member.email)
    logged_in(connected, platform, guest, "--admin")
    assert connected("ci-key", "list").code == 0
    done = connected("ci-key", "create", "mine", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "permission.denied")


def test_signing_out_ends_the_leave(admin: CommandLine, platform: RunningPlatform, member: BootstrapResult) -> None:
    text = (admin.home / ".localstack/cloudlet-tokens.json").read_text()
    token = "lsadm_" + text.split("lsadm_")[1].split('"')[0]
    admin("auth", "logout")
    done = admin("ci-key", "list", "--json", CLOUDLET_ADMIN_TOKEN=token)
    assert (done.code, done.json["error"]["code"]) == (1, "credentials.invalid")


def test_what_is_not_there_or_not_a_name_is_refused(admin: CommandLine) -> None:
    for words in (("delete", "nothing", "--yes"), ("rotate", "nothing")):
        done = admin("ci-key", *words, "--json")
        assert (done.code, done.json["error"]["code"]) == (1, "ci_key.unknown")
    done = admin("ci-key", "create", "", "--json")
    assert done.code == 1
    assert done.json["error"]["message"]
    assert admin("ci-key", "rotate", "x", "--overlap-hours", "3").code == 2
