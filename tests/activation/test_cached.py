"""Starts that find a license on the machine: used at once, checked beside the start, until clock or window end it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cloudlet.emulator.activation.activate import begin
from cloudlet.emulator.activation.check import Start as Begun
from cloudlet.emulator.activation.licensed import Licenses
from cloudlet.emulator.activation.refresh import Refresher
from cloudlet.emulator.activation.state import ActivationFailed
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
    TRUST,
    claims,
    license_document,
)

NEWER = answer("200 OK", license_document(jti="act_2"))
NO = verdict("403 Forbidden", "licensing.license.expired")


def license_file(folder: Path, key: object = PRIVATE_KEY, **changes: object) -> str:
    path = folder / "offline.lic"
    changes = {"kind": "file", "cnf": None, "ra": EXPIRES, **changes}
    path.write_bytes(files.render(sign(claims(**changes), key)))  # type: ignore[arg-type]
    (folder / "cache").mkdir(exist_ok=True)
    (folder / "cache" / "trust.json").write_bytes(TRUST.render())
    return str(path)


def begun(start: Start) -> Begun:
    return begin(start.settings, MACHINE, say=start.said.append, effects=start.clock)


def refresher(start: Start) -> Refresher:
    starting = begun(start)
    state = starting.settle()
    licenses = Licenses(start.settings, MACHINE, start.credentials(), start.clock)
    return Refresher(licenses, state, lambda _state: None, starting.check)


def move(renewing: Refresher, date: float) -> None:
    renewing.effects.date = date  # type: ignore[attr-defined]


class Gate:
    """A server's answer that is held back until `open()`, byte by byte so that the client goes on waiting."""

    def __init__(self, behind: faults.Behaviour) -> None:
        self.behind = behind
        self.opened = threading.Event()
        self.asked = threading.Event()
        self.open = self.opened.set

    def __call__(self, connection: socket.socket, request: bytes) -> None:
        self.asked.set()
        self.opened.wait(60)
        self.behind(connection, request)


def test_a_fresh_license_is_used_at_once_and_checked_beside_the_start(tmp_path: Path) -> None:
    cached(tmp_path)
    gate = Gate(GRANTS)
    with faults.faults(gate) as server:
        start = Start(tmp_path, API_ENDPOINT=server.url)
        starting = begun(start)
        assert (starting.state.phase, start.said) == ("active_cached", [])
        assert gate.asked.wait(60)
        gate.open()
        state = starting.settle()
        assert (state.phase, starting.check) == ("active_online", None)
        assert start.said == [
            "Successfully activated license lic_01:trial 🔑✅ (online, next check 2026-11-24T18:00:00Z)"
        ]
        assert len(server.requests) == 1


def test_a_verdict_that_comes_in_time_ends_the_start_and_the_cache(tmp_path: Path) -> None:
    cached(tmp_path)
    with faults.faults(control_plane(NO)) as server:
        start = Start(tmp_path, API_ENDPOINT=server.url, LICENSE_ERROR_FORMAT="json")
        block = json.loads(start.refused().block)
        assert (block["code"], block["failed_starts"], block["paused_seconds"]) == ("license.expired", 1, 0)
        assert start.said == []
        assert len(server.requests) == 1
    assert not (tmp_path / "cache" / "license.json").exists()
    assert Start(tmp_path).refused().failure.code == "server.connect"


def test_a_verdict_that_comes_later_leaves_it_running_and_ends_the_next_start(tmp_path: Path) -> None:
    cached(tmp_path)
    gate = Gate(control_plane(NO))
    with faults.faults(gate) as server:
        renewing = refresher(Start(tmp_path, API_ENDPOINT=server.url))
        assert renewing.state.phase == "active_cached"
        assert renewing.state.reason_code == ""
        gate.open()
        state, _ = renewing.step()
        assert (state.phase, state.reason_code, state.is_license_activated) == ("stale", "license.expired", True)
        assert len(server.requests) == 1
        assert Start(tmp_path, API_ENDPOINT=server.url).refused().failure.code == "license.expired"


def test_a_server_that_says_nothing_holds_no_start_up_and_is_told_of(tmp_path: Path) -> None:
    cached(tmp_path)
    with faults.faults(faults.silence) as server:
        renewing = refresher(start := Start(tmp_path, API_ENDPOINT=server.url))
        assert start.said[0].startswith("The license server did not answer within 1 s;")
        assert start.said[1].startswith("Successfully activated cached license")
        state, _ = renewing.step()  # the same question, to its end
        assert (state.phase, state.reason_code) == ("active_cached", "server.timeout")


def test_the_first_sign_of_trouble_is_enough_to_go_on(tmp_path: Path) -> None:
    cached(tmp_path)
    turns = iter([faults.answer("503 Service Unavailable"), faults.silence, faults.silence])
    with faults.faults(lambda connection, request: next(turns)(connection, request)) as server:
        start = Start(tmp_path, API_ENDPOINT=server.url)
        state = start.run()
        assert (state.phase, state.reason_code) == ("active_cached", "server.error")
        assert start.said[0] == "The license could not be checked: License server error 503."


def test_offline_only_asks_nobody(tmp_path: Path) -> None:
    cached(tmp_path)
    with faults.faults(GRANTS) as server:
        state = Start(tmp_path, API_ENDPOINT=server.url, LICENSE_OFFLINE="only").run()
        assert state.phase == "active_cached"
        assert server.connections == 0


def test_a_fresh_license_does_not_get_around_a_verdict_that_was_told_twice(tmp_path: Path) -> None:
    cached(tmp_path)
    raw = (tmp_path / "cache" / "license.json").read_bytes()
    with faults.faults(control_plane(NO)) as server:
        for _ in range(4):
            (tmp_path / "cache" / "license.json").write_bytes(raw)  # as a mounted one would, it comes back
            assert Start(tmp_path, API_ENDPOINT=server.url).refused().failure.code == "license.expired"
        assert len(server.requests) == 2


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


def all_at_once(starts: list[Start], gate: Gate) -> list[str]:
    """What came of each start; the server answers once all the others wait for the one that asks."""
    results: list[str] = []
    waiting: set[int] = set()

    def run(one: Start) -> None:
        def pause(_seconds: float) -> None:
            waiting.add(threading.get_ident())
            if len(waiting) == len(starts) - 1:
                gate.open()
            time.sleep(0.01)

        one.clock.sleep = pause  # type: ignore[method-assign]
        try:
            results.append(one.run().phase)
        except ActivationFailed as error:
            results.append(error.failure.code)

    threads = [threading.Thread(target=run, args=(one,)) for one in starts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(results)


@pytest.mark.parametrize("is_cached", [False, True])
@pytest.mark.parametrize(("license_answer", "outcome"), [(NEWER, "active"), (NO, "license.expired")])
def test_twenty_starts_at_once_ask_once(
    tmp_path: Path, is_cached: bool, license_answer: faults.Behaviour, outcome: str
) -> None:
    if is_cached:
        cached(tmp_path)
    gate = Gate(control_plane(license_answer))
    with faults.faults(gate) as server:
        starts = [Start(tmp_path, API_ENDPOINT=server.url, LICENSE_TIMEOUT="60") for _ in range(20)]
        results = all_at_once(starts, gate)
    assert len(results) == 20
    if not is_cached:  # with a fresh license here the start's second may be over before the answer is there
        assert {result.partition("_")[0] for result in results} == {outcome}
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
        block = json.loads(Start(tmp_path, API_ENDPOINT=server.url, LICENSE_ERROR_FORMAT="json").refused().block)
        assert (block["paused_seconds"], block["failed_starts"]) == (10, 7)
        later = Start(tmp_path, API_ENDPOINT=server.url)
        later.clock.date += 120
        later.refused()
        assert len(server.requests) == 3


def test_a_license_that_a_verdict_ended_counts_again_when_the_server_gives_one(tmp_path: Path) -> None:
    cached(tmp_path)
    mounted = tmp_path / "mounted.json"
    mounted.write_bytes(license_document())
    with faults.faults(control_plane(NO)) as server:
        variables = {"API_ENDPOINT": server.url, "LICENSE_FILE": str(mounted)}
        assert Start(tmp_path, **variables).refused().failure.code == "license.expired"
        server.behave = faults.hang_up
        assert Start(tmp_path, **variables).refused().failure.code == "license.expired"
        server.behave = GRANTS
        later = Start(tmp_path, **variables)
        later.clock.date += 120
        assert later.run().phase == "active_online"
        server.behave = faults.hang_up
        assert Start(tmp_path, **variables).run().phase == "active_cached"


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
