"""Starts that find a license on the machine: no network, until the clock or the window says otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cloudlet.emulator.activation.licensed import Licenses
from cloudlet.emulator.activation.refresh import Refresher
from cloudlet.license import files
from cloudlet.license.envelope import sign
from tests.activation.people import MACHINE
from tests.activation.test_activate import GRANTS, Start, cached, control_plane
from tests.license import faults
from tests.license.faults import answer, verdict
from tests.license.samples import (
    EXPIRES,
    ISSUED,
    OTHER_KEY,
    PRIVATE_KEY,
    TOKEN,
    TRUST,
    WINDOW,
    claims,
    license_document,
)

NO = verdict("403 Forbidden", "licensing.license.expired")


def license_file(folder: Path, key: object = PRIVATE_KEY, **changes: object) -> str:
    path = folder / "offline.lic"
    changes = {"kind": "file", "cnf": None, "ra": EXPIRES, **changes}
    path.write_bytes(files.render(sign(claims(**changes), key)))  # type: ignore[arg-type]
    (folder / "cache").mkdir(exist_ok=True)
    (folder / "cache" / "trust.json").write_bytes(TRUST.render())
    return str(path)


def refresher(start: Start) -> Refresher:
    state = start.run()
    from_token = Start(start.folder)  # its credentials
    licenses = Licenses(start.settings, MACHINE, from_token.credentials(), start.clock)
    return Refresher(licenses, state, lambda _state: None)


def test_a_fresh_license_starts_without_a_connection(tmp_path: Path) -> None:
    cached(tmp_path)
    with faults.faults(GRANTS) as server:
        assert Start(tmp_path, API_ENDPOINT=server.url).run().phase == "active_cached"
        assert server.connections == 0


def test_a_fresh_license_loads_no_network_modules(tmp_path: Path) -> None:
    path = license_file(tmp_path, iat=1_700_000_000, nbf=1_700_000_000, ra=4_000_000_000, exp=4_000_000_000)
    code = (
        "import sys\n"
        "from cloudlet.settings import read_settings\n"
        "from cloudlet.emulator.activation.activate import activate\n"
        "from cloudlet.emulator.activation.machine import identify_machine\n"
        f"settings = read_settings({{'LICENSE_FILE': {path!r}, 'LOCALSTACK_VOLUME_DIR': {str(tmp_path)!r}}})\n"
        "state = activate(settings, identify_machine(settings), say=lambda line: None)\n"
        "print(state.phase, [name for name in ('ssl', 'http', 'email', 'asyncio') if name in sys.modules])\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "active_file []"


def test_offline_never_asks_every_time(tmp_path: Path) -> None:
    cached(tmp_path)
    with faults.faults(GRANTS) as server:
        assert Start(tmp_path, API_ENDPOINT=server.url, LICENSE_OFFLINE="never").run().phase == "active_online"


def test_a_clock_that_was_turned_back_opens_nothing_cached(tmp_path: Path) -> None:
    cached(tmp_path)
    late = Start(tmp_path)
    late.clock.date = ISSUED + 10 * 3600
    late.run()
    back = Start(tmp_path)
    back.clock.date = ISSUED + 3600
    assert back.refused().failure.code == "clock.rollback"
    with faults.faults(GRANTS) as server:  # asking is still allowed
        online = Start(tmp_path, API_ENDPOINT=server.url)
        online.clock.date = ISSUED + 3600
        assert online.run().phase == "active_online"


def test_a_mark_written_by_hand_does_not_count(tmp_path: Path) -> None:
    cached(tmp_path)
    (tmp_path / "cache" / "clock.json").write_text(json.dumps({"seen": 2_000_000_000, "mac": "00"}))
    assert Start(tmp_path).run().phase == "active_cached"


def test_twenty_starts_at_once_ask_once(tmp_path: Path) -> None:
    with faults.faults(GRANTS) as server:
        starts = [Start(tmp_path, API_ENDPOINT=server.url) for _ in range(20)]
        phases: list[str] = []
        threads = [threading.Thread(target=lambda one=one: phases.append(one.run().phase)) for one in starts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(phases) == 20
    assert sum(request.startswith(b"POST") for request in server.requests) == 1


def test_a_restart_loop_asks_twice_and_is_slowed_down(tmp_path: Path) -> None:
    pauses: list[float] = []
    with faults.faults(control_plane(NO)) as server:
        for _ in range(6):
            start = Start(tmp_path, API_ENDPOINT=server.url)
            start.clock.sleep = pauses.append  # type: ignore[assignment,method-assign]
            assert start.refused().failure.code == "license.expired"
        assert len(server.requests) == 2
        assert pauses == [0, 2, 4, 8, 10, 10]
        later = Start(tmp_path, API_ENDPOINT=server.url)
        later.clock.date += 120
        later.refused()
        assert len(server.requests) == 3


def test_a_license_file_needs_neither_token_nor_network(tmp_path: Path) -> None:
    path = license_file(tmp_path, mach=(MACHINE.id,))
    start = Start(tmp_path, LOCALSTACK_AUTH_TOKEN="", LICENSE_FILE=path)
    assert start.run().phase == "active_file"
    assert start.said[0].startswith(f"Successfully activated license file lic_01:trial from {path} 🔑✅")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": OTHER_KEY}, "license.signature"),
        ({"mach": ("dkr_another",)}, "license.machine"),
        ({"cnf": "another"}, "license.other_token"),
        ({"kind": "online"}, "license.format"),
        ({"exp": ISSUED}, "license.expired"),
        ({"ver": "9"}, "license.version"),
    ],
)
def test_a_license_file_that_is_not_for_here_says_why(tmp_path: Path, changes: dict[str, object], code: str) -> None:
    path = license_file(tmp_path, **changes)
    assert Start(tmp_path, LOCALSTACK_AUTH_TOKEN="", LICENSE_FILE=path).refused().failure.code == code


def test_every_changed_byte_of_a_license_file_is_refused(tmp_path: Path) -> None:
    path = Path(license_file(tmp_path))
    good = path.read_bytes()
    begin = good.index(b"lsl1.")
    for position in range(begin, good.rindex(b"\n-----END")):
        if good[position : position + 1] == b"\n":
            continue
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        Start(tmp_path, LOCALSTACK_AUTH_TOKEN="", LICENSE_FILE=str(path)).refused()


def test_a_start_from_the_cache_is_checked_at_once_and_then_at_half_its_window(tmp_path: Path) -> None:
    cached(tmp_path)
    with faults.faults(GRANTS) as server:
        renewing = refresher(Start(tmp_path, API_ENDPOINT=server.url))
        renewing.state, _ = renewing.step()
        assert len(server.requests) == 1
        assert renewing.state.phase == "active_online"
        renewing.state, _ = renewing.step()
        assert len(server.requests) == 1
        renewing.effects.date = ISSUED + WINDOW * 3 // 4  # type: ignore[attr-defined]
        newer = license_document(iat=ISSUED + WINDOW // 2, ra=ISSUED + WINDOW * 3 // 2, jti="act_2")
        server.behave = control_plane(answer("200 OK", newer))
        state, _ = renewing.step()
    assert (state.phase, state.offline_until) == ("active_online", ISSUED + WINDOW * 3 // 2)


def test_a_running_emulator_goes_on_when_it_cannot_be_renewed(tmp_path: Path) -> None:
    cached(tmp_path)
    renewing = refresher(Start(tmp_path))
    renewing.effects.date = ISSUED + WINDOW * 3 // 4  # type: ignore[attr-defined]
    renewing.state, _ = renewing.step()
    assert (renewing.state.phase, renewing.state.reason_code) == ("active_cached", "server.connect")
    renewing.effects.date = ISSUED + WINDOW + 1  # type: ignore[attr-defined]
    state, wait = renewing.step()
    assert (state.phase, state.is_license_activated) == ("stale", True)
    assert wait <= 900


def test_a_running_emulator_goes_on_when_it_is_refused_and_the_next_start_does_not(tmp_path: Path) -> None:
    cached(tmp_path)
    with faults.faults(control_plane(NO)) as server:
        renewing = refresher(Start(tmp_path, API_ENDPOINT=server.url))
        renewing.effects.date = ISSUED + WINDOW * 3 // 4  # type: ignore[attr-defined]
        state, _ = renewing.step()
        assert (state.phase, state.reason_code, state.is_license_activated) == ("stale", "license.expired", True)
        assert Start(tmp_path, API_ENDPOINT=server.url, LOCALSTACK_AUTH_TOKEN=TOKEN).refused()
