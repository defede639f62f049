"""LocalStack's own command line from PyPI, unmodified, in an environment of its own, against our control plane.

It is what proves that tokens, documents and codes are the ones that existing clients expect. Nothing of it is copied or
shipped. Where it believes that it runs in a container it caches in `/var/lib/localstack/cache`, whatever HOME says;
OVERRIDE_IN_DOCKER=0 tells it that it does not, so each test has a cache of its own below its HOME.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.credentials.service import reset_auth_token
from cloudlet.control.licenses.service import unassign
from cloudlet.control.licenses.tables import License
from cloudlet.control.workspaces.tables import Membership
from tests.conftest import ROOT
from tests.control.serving import RunningPlatform

VERSION = "2026.8.2"
FOLDER = ROOT / ".cache" / f"outside-client-{VERSION}"

pytestmark = [pytest.mark.outside, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def program() -> Path:
    """The client's command; its environment is made at the first use."""
    command = FOLDER / "bin" / "localstack"
    if command.exists():
        return command
    made = subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], capture_output=True, text=True)
    if made.returncode == 0:
        made = subprocess.run(
            [str(FOLDER / "bin" / "pip"), "install", "--quiet", f"localstack=={VERSION}"],
            capture_output=True,
            text=True,
            timeout=300,
        )
    if made.returncode != 0:
        command.unlink(missing_ok=True)
        pytest.skip(f"localstack=={VERSION} cannot be had from a package index: {made.stderr.strip()[-200:]}")
    return command


class OutsideClient:
    def __init__(self, program: Path, home: Path, platform: RunningPlatform) -> None:
        self.program = program
        self.home = home
        self.platform = platform
        self.endpoint = f"{platform.url}/v1"

    def run(self, *words: str) -> tuple[int, str]:
        environment = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "API_ENDPOINT": self.endpoint,
            "DISABLE_EVENTS": "1",
            "OVERRIDE_IN_DOCKER": "0",
        }
        done = subprocess.run(
            [str(self.program), *words], env=environment, capture_output=True, text=True, timeout=120, cwd=self.home
        )
        return done.returncode, done.stdout + done.stderr

    def cached(self) -> Path:
        found = list(self.home.rglob("license.json"))
        assert len(found) == 1, found
        return found[0]


@pytest.fixture
def client(program: Path, platform: RunningPlatform, tmp_path: Path) -> OutsideClient:
    return OutsideClient(program, tmp_path, platform)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """On SQLite: what differs by database is tested without a browser and without the outside client."""
    running = RunningPlatform(tmp_path_factory.mktemp("control"))
    yield running
    running.close()


@pytest.fixture
def member(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email)


def test_set_token_activate_and_info_succeed(client: OutsideClient, member: BootstrapResult) -> None:
    code, printed = client.run("auth", "set-token", member.token)
    assert (code, "Token configured successfully" in printed) == (0, True), printed
    code, printed = client.run("license", "activate")
    assert code == 0, printed
    code, printed = client.run("license", "info")
    assert code == 0
    assert "license validity: valid" in printed, printed
    assert "trial" in printed.lower()
    with client.platform.database.snapshot() as session:
        row = session.scalars(select(Activation).where(Activation.workspace_id == member.workspace_id)).first()
    assert row is not None
    assert (row.result_code, row.is_cli, row.version) == ("ok", True, VERSION)


def test_it_refuses_a_token_with_one_wrong_character(client: OutsideClient, member: BootstrapResult) -> None:
    wrong = member.token[:-1] + ("0" if member.token[-1] != "0" else "1")
    _, printed = client.run("auth", "set-token", wrong)
    assert "Token configured successfully" not in printed


def test_it_keeps_our_envelope_and_works_offline_from_its_cache(client: OutsideClient, member: BootstrapResult) -> None:
    client.run("auth", "set-token", member.token)
    client.run("license", "activate")
    kept = json.loads(client.cached().read_text())
    assert kept["offline_data"]["lsl1"].startswith("lsl1.k")
    client.endpoint = "http://127.0.0.1:1/v1"
    _, printed = client.run("license", "info")
    assert "license validity: valid" in printed, printed


def test_a_stale_cache_is_activated_with_one_request(client: OutsideClient, member: BootstrapResult) -> None:
    """An answer without `offline_data.localstack_version` would be thrown away and asked for again."""
    client.run("auth", "set-token", member.token)
    client.run("license", "activate")
    path = client.cached()
    data = json.loads(path.read_text())
    data["reactivate_after"] = "2026-01-01T00:00:00+00:00"
    path.write_text(json.dumps(data))
    before = count(client, member)
    code, printed = client.run("license", "activate")
    assert code == 0, printed
    assert count(client, member) == before + 1
    assert json.loads(client.cached().read_text())["reactivate_after"] > "2026-11"


def count(client: OutsideClient, member: BootstrapResult) -> int:
    with client.platform.database.snapshot() as session:
        return len(session.scalars(select(Activation).where(Activation.workspace_id == member.workspace_id)).all())


def membership(session: Session, member: BootstrapResult) -> Membership:
    return session.scalars(select(Membership).where(Membership.workspace_id == member.workspace_id)).one()


Change = Callable[[Session, RunningPlatform, BootstrapResult], object]


def set_license(**values: Any) -> Change:
    return lambda session, _platform, member: session.execute(
        update(License).where(License.id == member.license_id).values(**values)
    )


def take_license_away(session: Session, platform: RunningPlatform, member: BootstrapResult) -> None:
    unassign(session, platform.platform, member.workspace_id, membership(session, member).id, actor="test")


def end_license(session: Session, platform: RunningPlatform, member: BootstrapResult) -> None:
    set_license(expires_at=platform.platform.now())(session, platform, member)


def reset_token(session: Session, platform: RunningPlatform, member: BootstrapResult) -> None:
    reset_auth_token(session, platform.platform, membership(session, member), actor="test")


def remove_member(session: Session, platform: RunningPlatform, member: BootstrapResult) -> None:
    here = Membership.workspace_id == member.workspace_id
    session.execute(update(Membership).where(here).values(status="removed", removed_at=platform.platform.now()))


def block_machines(session: Session, platform: RunningPlatform, member: BootstrapResult) -> None:
    here = Machine.workspace_id == member.workspace_id
    session.execute(update(Machine).where(here).values(blocked_at=platform.platform.now()))


# What the client makes of each verdict: of the codes that it knows a sentence of its own, of the others ours, in its frame.
VERDICTS = (
    ("UNASSIGNED", take_license_away, "Expected license to be ACTIVE, was UNASSIGNED"),
    ("SUSPENDED", set_license(status="SUSPENDED"), "Expected license to be ACTIVE, was SUSPENDED"),
    ("expired", end_license, "The license has expired."),
    ("reset", reset_token, "The credentials defined in your environment are invalid."),
    ("removed", remove_member, "You are no longer a member of workspace"),
    ("blocked", block_machines, "An admin blocked this machine"),
)


@pytest.mark.parametrize(("change", "sentence"), [pytest.param(*row[1:], id=row[0]) for row in VERDICTS])
def test_each_verdict_prints_a_sentence_that_a_person_can_read(
    client: OutsideClient, member: BootstrapResult, change: Change, sentence: str
) -> None:
    client.run("auth", "set-token", member.token)
    client.run("license", "activate")
    client.cached().unlink()
    with client.platform.database.transaction() as session:
        change(session, client.platform, member)
    _, printed = client.run("license", "activate")
    assert "License activation failed! 🔑❌" in printed
    assert sentence in " ".join(printed.split()), printed
    assert member.token not in printed


def test_a_control_plane_that_is_away_is_told_from_a_verdict(client: OutsideClient, member: BootstrapResult) -> None:
    client.run("auth", "set-token", member.token)
    client.endpoint = "http://127.0.0.1:1/v1"
    _, printed = client.run("license", "activate")
    assert "Could not reach the LocalStack licensing server at http://127.0.0.1:1/v1" in printed


def test_lists_of_what_is_not_offered_end_readably(client: OutsideClient, member: BootstrapResult) -> None:
    client.run("auth", "set-token", member.token)
    client.run("license", "activate")
    code, printed = client.run("ephemeral", "list")
    assert (code, "[]" in printed) == (0, True), printed
    code, printed = client.run("ephemeral", "create", "--name", "one")
    assert (code, "generic.forbidden" in printed) == (1, True), printed
    code, printed = client.run("ephemeral", "delete", "--name", "one")
    assert (code, "Traceback" in printed) == (1, False), printed
    code, printed = client.run("pod", "list")  # this version asks the emulator, and none runs here
    assert (code, "Traceback" in printed) == (1, False), printed


def test_signing_in_by_password_ends_readably(client: OutsideClient) -> None:
    code, printed = client.run("auth", "login", "-u", "ada@example.com", "-p", "a password nobody has")
    assert (code, "Unable to verify login credentials" in printed) == (1, True), printed
    assert "a password nobody has" not in client.platform.printed()
