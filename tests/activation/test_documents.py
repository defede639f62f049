"""Licenses that lie on a machine but are not for it: each is passed over, and each is told by its own reason."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudlet.license import files
from cloudlet.license.envelope import TrustStore, confirmation, key_id, sign
from tests.activation.conftest import Emulate
from tests.activation.running import DAY, NOBODY, aged, get, keep_license, refused, with_token
from tests.activation.test_activate import Start, cached
from tests.license import faults
from tests.license.faults import answer
from tests.license.samples import OTHER_KEY, PRIVATE_KEY, PUBLIC_KEY, TRUST, claims

OFFLINE = {**with_token(NOBODY), "LICENSE_OFFLINE": "only"}
OTHER_TRUST = TrustStore([OTHER_KEY.public_key().public_bytes_raw()])
OTHER_TOKEN = "ls-AbCd1235-5678-EfGh-9012-IjKlMnOp0e6a"

FOREIGN: dict[str, tuple[bytes, TrustStore, str, str]] = {
    "another server's": (
        aged(60, key=OTHER_KEY),
        TRUST,
        "license.signature",
        f"was changed or was made by another server (key {key_id(OTHER_KEY.public_key().public_bytes_raw())}).",
    ),
    "a retired key's": (
        aged(60),
        OTHER_TRUST,
        "license.signature",
        f"was changed or was made by another server (key {key_id(PUBLIC_KEY)}). Remove it or fetch a new one.",
    ),
    "another token's": (
        aged(60, token=OTHER_TOKEN, cnf=confirmation(OTHER_TOKEN)),
        TRUST,
        "license.other_token",
        "belongs to another token.",
    ),
    "another machine's": (
        aged(60, mach=("sys_ffffffffffff",)),
        TRUST,
        "license.machine",
        "belongs to another machine than ",
    ),
    "another version's": (aged(60, ver="9"), TRUST, "license.version", "The license does not cover version "),
    "another product's": (
        aged(60, aud=("cloudburst",)),
        TRUST,
        "license.product",
        "The license does not cover cloudlet (it covers cloudburst).",
    ),
    "one that is over": (
        aged(2 * DAY, exp=int(time.time()) - DAY, ra=int(time.time()) - DAY),
        TRUST,
        "license.expired",
        'The license of workspace "ws_01" expired on ',
    ),
    "one cut short": (aged(60)[:-2], TRUST, "license.format", "is not a license (not JSON"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_license_that_is_not_for_here_is_told_by_its_own_reason(name: str, tmp_path: Path) -> None:
    raw, trust, code, text = FOREIGN[name]
    keep_license(tmp_path / "volume", raw, trust=trust)
    report = refused(tmp_path, **OFFLINE)
    assert report["code"] == code
    assert text in report["reason"]
    if code in ("license.signature", "license.other_token", "license.machine", "license.format"):
        assert f"The license file at {tmp_path}/volume/cache/license.json" in report["reason"]


@pytest.mark.parametrize("name", FOREIGN)
def test_a_bad_cache_never_ends_a_start_that_can_ask(name: str, tmp_path: Path, emulate: Emulate) -> None:
    raw, trust, _code, _text = FOREIGN[name]
    keep_license(tmp_path / "volume", raw, trust=trust)
    key = OTHER_KEY if trust is OTHER_TRUST else PRIVATE_KEY
    with faults.faults(answer("200 OK", aged(0, key=key))) as server:
        emulator = emulate(**with_token(server.url), DEBUG="1")
        assert get(emulator, "license")["state"] == "active_online"
        assert f"the license at {tmp_path}/volume/cache/license.json is not used: " in emulator.printed()
        emulator.stop()


def offline_file(folder: Path, key: Any = PRIVATE_KEY, **changes: Any) -> str:
    now = int(time.time())
    about = {"kind": "file", "cnf": None, "iat": now, "nbf": now, "ra": now + DAY, "exp": now + DAY, **changes}
    path = folder / "offline.lic"
    path.write_bytes(files.render(sign(claims(**about), key)))
    (folder / "volume" / "cache").mkdir(parents=True)
    (folder / "volume" / "cache" / "trust.json").write_bytes(TRUST.render())
    return str(path)


def test_a_license_file_starts_without_token_and_network(tmp_path: Path, emulate: Emulate) -> None:
    path = offline_file(tmp_path)
    emulator = emulate(ACTIVATE_PRO="", LICENSE_FILE=path, API_ENDPOINT=NOBODY)
    found = get(emulator, "license")
    assert (found["state"], found["source"], found["waited_seconds"]) == ("active_file", path, 0)
    assert f"Successfully activated license file lic_01:trial from {path} 🔑✅ (until " in emulator.printed()
    emulator.stop()


def test_a_license_file_of_a_retired_key_is_refused_by_name(tmp_path: Path) -> None:
    path = offline_file(tmp_path, OTHER_KEY)
    report = refused(tmp_path, ACTIVATE_PRO="", LICENSE_FILE=path)
    assert report["code"] == "license.signature"
    assert report["reason"].startswith(f"The license file at {path} was changed or was made by another server (key k")


def test_a_license_file_that_is_not_used_is_told_where_the_token_opens_the_start(
    tmp_path: Path, emulate: Emulate
) -> None:
    path = offline_file(tmp_path, mach=("sys_ffffffffffff",))
    with faults.faults(answer("200 OK", aged(0))) as server:
        emulator = emulate(**with_token(server.url), LICENSE_FILE=path)
        assert get(emulator, "license")["state"] == "active_online"
        assert f"LICENSE_FILE is not used: The license file at {path} belongs to another machine" in emulator.printed()
        emulator.stop()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_a_kept_license_can_become_another(tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "one"
    path = folder / "cache" / "license.json"
    if not (tmp_path / "good").exists():
        cached(folder)
        (tmp_path / "good").write_bytes(path.read_bytes())
    good = (tmp_path / "good").read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != good[at]))
    path.write_bytes(good[:at] + bytes([other]) + good[at + 1 :])
    Start(folder, LICENSE_OFFLINE="only").refused()
