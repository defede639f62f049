"""The start-up decision in this process, against servers that behave or misbehave, with a date that stands still."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cloudlet.emulator.activation.activate import activate
from cloudlet.emulator.activation.credentials import Credentials, find_credentials
from cloudlet.emulator.activation.state import ActivationFailed, ActivationState
from cloudlet.license.canonical import to_base64url
from cloudlet.license.token import checksum
from cloudlet.settings import Settings
from tests.activation.people import MACHINE, StandingClock, settings_for
from tests.activation.running import NOBODY
from tests.license import faults
from tests.license.faults import Behaviour, answer, verdict
from tests.license.samples import EXPIRES, ISSUED, OTHER_KEY, PUBLIC_KEY, TOKEN, TRUST, WINDOW, license_document


def control_plane(license_answer: Behaviour, keys: Any = TRUST) -> Behaviour:
    """Keys on one path, `license_answer` on the others."""
    key_answer = answer("200 OK", keys.render())
    return lambda connection, request: (key_answer if request.startswith(b"GET /.well-known/") else license_answer)(
        connection, request
    )


GRANTS = control_plane(answer("200 OK", license_document()))


class Start:
    """A start's settings and what it said."""

    def __init__(self, folder: Path, **variables: str) -> None:
        variables = {"LOCALSTACK_AUTH_TOKEN": TOKEN, "API_ENDPOINT": NOBODY, "WEB_APP_URL": "http://web", **variables}
        self.folder = folder
        self.settings: Settings = settings_for(folder, **variables)
        self.clock = StandingClock(ISSUED + 60)
        self.said: list[str] = []

    def run(self) -> ActivationState:
        return activate(self.settings, MACHINE, say=self.said.append, effects=self.clock)

    def credentials(self) -> Credentials:
        found = find_credentials(self.settings)
        assert isinstance(found, Credentials)
        return found

    def refused(self) -> ActivationFailed:
        with pytest.raises(ActivationFailed) as caught:
            self.run()
        assert caught.value.exit_code == 55
        return caught.value


def test_switched_off_it_asks_nobody(tmp_path: Path) -> None:
    with faults.faults(GRANTS) as server:
        start = Start(tmp_path, ACTIVATE_PRO="0", API_ENDPOINT=server.url)
        state = start.run()
        assert server.connections == 0
    assert (state.phase, state.edition, state.is_license_activated) == ("community", "community", False)
    assert len(start.said) == 1


def test_without_credentials_it_is_the_community_edition_with_one_line(tmp_path: Path) -> None:
    start = Start(tmp_path, LOCALSTACK_AUTH_TOKEN="")
    assert start.run().phase == "community"
    assert len(start.said) == 1
    assert "http://web/workspace/auth-tokens" in start.said[0]
    quiet = Start(tmp_path, LOCALSTACK_AUTH_TOKEN="", LOG_LICENSE_ISSUES="0")
    quiet.run()
    assert quiet.said == []


def test_without_credentials_a_start_that_must_be_licensed_fails(tmp_path: Path) -> None:
    failed = Start(tmp_path, LOCALSTACK_AUTH_TOKEN="", ACTIVATE_PRO="1").refused()
    assert failed.failure.code == "credentials.missing"
    lines = failed.block.splitlines()
    assert lines[0] == "Localstack returning with exit code 55. Reason: "
    assert lines[1:3] == ["License activation failed! 🔑❌", ""]
    assert lines[3].startswith("Reason: No credentials found. Set LOCALSTACK_AUTH_TOKEN (or LOCALSTACK_API_KEY)")
    assert lines[5] == "What to do:"
    assert "- Set ACTIVATE_PRO=0 to go on without licensed features." in lines
    assert lines[-1] == "Code: credentials.missing  Docs: http://web/docs/errors#credentials.missing"


def test_a_token_that_cannot_be_right_fails_before_any_network(tmp_path: Path) -> None:
    with faults.faults(GRANTS) as server:
        start = Start(tmp_path, LOCALSTACK_AUTH_TOKEN=TOKEN[:-1], API_ENDPOINT=server.url)
        assert start.refused().failure.code == "credentials.format"
        assert server.connections == 0


def test_a_license_is_fetched_verified_kept_and_announced(tmp_path: Path) -> None:
    with faults.faults(GRANTS) as server:
        start = Start(tmp_path, API_ENDPOINT=server.url)
        state = start.run()
        assert server.connections == 2  # license, and keys on the first activation
    assert (state.phase, state.edition, state.is_license_activated, state.plan) == (
        "active_online",
        "pro",
        True,
        "trial",
    )
    assert (state.license_id, state.expires, state.offline_until) == ("lic_01", EXPIRES, ISSUED + WINDOW)
    assert state.next_check == ISSUED + WINDOW / 2
    assert state.allows("rds")
    assert start.said == [
        "Successfully requested and activated new license lic_01:trial 🔑✅ (online, next check 2026-11-24T18:00:00Z)"
    ]
    for name in ("license.json", "trust.json"):
        assert stat.S_IMODE((tmp_path / "cache" / name).stat().st_mode) == 0o600
    assert (tmp_path / "cache" / "license.json").read_bytes() == license_document()


def test_the_next_start_names_the_license_and_says_so(tmp_path: Path) -> None:
    with faults.faults(GRANTS) as server:
        Start(tmp_path, API_ENDPOINT=server.url).run()
        start = Start(tmp_path, API_ENDPOINT=server.url)
        start.clock.date = ISSUED + WINDOW + 60
        start.run()
    assert server.requests[-1].startswith(b"POST /v1/license/activate ")
    assert json.loads(server.requests[-1].partition(b"\r\n\r\n")[2])["license_id"] == "lic_01"
    assert start.said[0].startswith("Successfully activated license lic_01:trial 🔑✅")


def cached(folder: Path) -> None:
    with faults.faults(GRANTS) as server:
        Start(folder, API_ENDPOINT=server.url).run()


def test_a_server_that_is_away_does_not_matter_within_the_window(tmp_path: Path) -> None:
    cached(tmp_path)
    start = Start(tmp_path)
    start.clock.date = ISSUED + WINDOW - 60  # 23 h 59
    state = start.run()
    assert (state.phase, state.is_license_activated, state.plan) == ("active_cached", True, "trial")
    assert state.reason_code == "server.connect"
    assert start.said[0].startswith("The license could not be checked: 127.0.0.1:1 refused the connection.")
    assert start.said[1] == (
        f"Successfully activated cached license lic_01:trial from {tmp_path}/cache/license.json 🔑✅"
        " (offline until 2026-11-25T06:00:00Z)"
    )


def test_after_the_window_it_does_and_the_cause_is_told(tmp_path: Path) -> None:
    cached(tmp_path)
    start = Start(tmp_path)
    start.clock.date = ISSUED + WINDOW + 60  # 24 h 01
    failed = start.refused()
    assert failed.failure.code == "license.stale"
    assert "(24 h ago), allowed 24 h" in failed.block
    assert "127.0.0.1:1 refused the connection" in failed.block
    assert (tmp_path / "cache" / "license.json").exists()


def test_without_a_cache_the_cause_alone_is_told(tmp_path: Path) -> None:
    assert Start(tmp_path).refused().failure.code == "server.connect"


def test_another_token_does_not_use_the_cache(tmp_path: Path) -> None:
    cached(tmp_path)
    other = "ls-AbCd1235-5678-EfGh-9012-IjKlMnOp"
    other += checksum(other.removeprefix("ls-"))
    assert Start(tmp_path, LOCALSTACK_AUTH_TOKEN=other).refused().failure.code == "server.connect"


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-1], lambda raw: raw.replace(b"trial", b"enter"), lambda raw: b""])
def test_a_spoiled_cache_is_as_none(tmp_path: Path, spoil: Any) -> None:
    cached(tmp_path)
    path = tmp_path / "cache" / "license.json"
    path.write_bytes(spoil(path.read_bytes()))
    assert Start(tmp_path).refused().failure.code == "server.connect"
    with faults.faults(GRANTS) as server:
        start = Start(tmp_path, API_ENDPOINT=server.url)
        assert start.run().phase == "active_online"
        assert server.requests[0].startswith(b"POST /v1/license/request ")


def test_a_verdict_is_final_and_clears_the_cache(tmp_path: Path) -> None:
    cached(tmp_path)
    no = verdict(
        "403 Forbidden",
        "licensing.credentials.invalid",
        code="licensing.credentials.revoked",
        detail="This token was reset on 2026-11-24.",
        request_id="req_9",
    )
    with faults.faults(control_plane(no)) as server:
        start = Start(tmp_path, API_ENDPOINT=server.url)
        start.clock.date = ISSUED + WINDOW + 60
        failed = start.refused()
    assert failed.failure.code == "credentials.invalid"
    assert "Reason: This token was reset on 2026-11-24." in failed.block
    assert failed.block.endswith(
        "Code: credentials.invalid  Request: req_9  Docs: http://web/docs/errors#credentials.invalid"
    )
    assert not (tmp_path / "cache" / "license.json").exists()
    assert Start(tmp_path).refused().failure.code == "server.connect"


def test_a_license_that_nobody_trusted_signed_is_refused(tmp_path: Path) -> None:
    with faults.faults(control_plane(answer("200 OK", license_document(OTHER_KEY)))) as server:
        assert Start(tmp_path, API_ENDPOINT=server.url).refused().failure.code == "license.signature"
    assert not (tmp_path / "cache" / "license.json").exists()


def test_another_server_cannot_take_the_place_of_the_first(tmp_path: Path) -> None:
    cached(tmp_path)
    others = type(TRUST)([OTHER_KEY.public_key().public_bytes_raw()])
    with faults.faults(control_plane(answer("200 OK", license_document(OTHER_KEY)), others)) as server:
        failed = Start(tmp_path, API_ENDPOINT=server.url, LICENSE_OFFLINE="never").refused()
    assert failed.failure.code == "license.signature"
    assert f"remove {tmp_path}/cache/trust.json" in failed.block


def test_a_new_key_is_learned_from_a_server_that_still_shows_the_old_one(tmp_path: Path) -> None:
    cached(tmp_path)
    both = TRUST.with_keys([OTHER_KEY.public_key().public_bytes_raw()])
    with faults.faults(control_plane(answer("200 OK", license_document(OTHER_KEY)), both)) as server:
        assert Start(tmp_path, API_ENDPOINT=server.url, LICENSE_OFFLINE="never").run().phase == "active_online"


def test_pinned_keys_are_trusted_and_no_others(tmp_path: Path) -> None:
    with faults.faults(GRANTS) as server:
        pinned = to_base64url(PUBLIC_KEY)
        assert Start(tmp_path, API_ENDPOINT=server.url, LICENSE_TRUST_KEYS=pinned).run().phase == "active_online"
        other = to_base64url(OTHER_KEY.public_key().public_bytes_raw())
        failed = Start(tmp_path, API_ENDPOINT=server.url, LICENSE_TRUST_KEYS=other).refused()
        assert failed.failure.code == "license.signature"
        failed = Start(tmp_path, API_ENDPOINT=server.url, LICENSE_TRUST_KEYS="nonsense").refused()
        assert failed.failure.code == "license.format"


def test_a_license_for_another_machine_or_time_is_refused(tmp_path: Path) -> None:
    for changes, code in (
        ({"mach": ("sys_other",)}, "license.machine"),
        ({"exp": ISSUED + 10, "ra": ISSUED + 10}, "license.expired"),
        ({"ver": "9"}, "license.version"),
    ):
        with faults.faults(control_plane(answer("200 OK", license_document(**changes)))) as server:
            assert Start(tmp_path, API_ENDPOINT=server.url).refused().failure.code == code


def test_a_volume_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with faults.faults(GRANTS) as server:
        start = Start(blocked, API_ENDPOINT=server.url)
        assert start.run().phase == "active_online"
    warning, success = start.said
    assert warning.startswith("The license cannot be kept, offline starts will not work: ")
    assert success.startswith("Successfully requested and activated new license")


def test_the_block_may_be_one_line_of_json(tmp_path: Path) -> None:
    block = Start(tmp_path, LICENSE_ERROR_FORMAT="json").refused().block
    found = json.loads(block)
    assert "\n" not in block
    assert (found["code"], found["exit_code"]) == ("server.connect", 55)
    assert found["what_to_do"][-1].startswith("Set ACTIVATE_PRO=0")


def test_license_issues_can_be_kept_out_of_the_log(tmp_path: Path) -> None:
    block = Start(tmp_path, LOG_LICENSE_ISSUES="0").refused().block
    assert block == "Localstack returning with exit code 55. Reason: server.connect"
    cached(tmp_path)
    start = Start(tmp_path, LOG_LICENSE_ISSUES="0")
    assert start.run().phase == "active_cached"
    assert len(start.said) == 1
    assert start.said[0].startswith("Successfully activated cached license")


def test_a_community_start_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from cloudlet.settings import read_settings\n"
        "from cloudlet.emulator.activation.activate import activate\n"
        "from cloudlet.emulator.activation.machine import identify_machine\n"
        "settings = read_settings({})\n"
        "activate(settings, identify_machine(settings), say=lambda line: None)\n"
        "heavy = ('cryptography', 'httpx', 'ssl', 'http', 'email', 'asyncio', 'sqlalchemy')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
