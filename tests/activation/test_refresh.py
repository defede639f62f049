"""Renewing the license of an emulator that runs: when, how often, and that nothing stops it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from cloudlet.emulator.activation import refresh
from cloudlet.emulator.activation.check import Outcome
from cloudlet.emulator.activation.licensed import Licenses
from cloudlet.emulator.activation.online import ask
from cloudlet.emulator.activation.refresh import Refresher
from cloudlet.emulator.activation.state import ActivationState
from tests.activation.test_activate import GRANTS, Start, cached, control_plane
from tests.activation.test_cached import NEWER, NO, move, refresher
from tests.license import faults
from tests.license.faults import answer
from tests.license.samples import ISSUED, TOKEN, WINDOW, license_document


def test_a_running_emulator_is_renewed_at_half_its_window(tmp_path: Path) -> None:
    cached(tmp_path)
    with faults.faults(GRANTS) as server:
        renewing = refresher(Start(tmp_path, API_ENDPOINT=server.url))
        assert (renewing.state.phase, renewing.check) == ("active_online", None)
        renewing.state, _ = renewing.step()
        assert len(server.requests) == 1
        move(renewing, ISSUED + WINDOW * 3 // 4)
        newer = license_document(iat=ISSUED + WINDOW // 2, ra=ISSUED + WINDOW * 3 // 2, jti="act_2")
        server.behave = control_plane(answer("200 OK", newer))
        state, _ = renewing.step()
    assert (state.phase, state.offline_until) == ("active_online", ISSUED + WINDOW * 3 // 2)


def test_a_running_emulator_goes_on_when_it_cannot_be_renewed(tmp_path: Path) -> None:
    cached(tmp_path)
    renewing = refresher(Start(tmp_path))
    move(renewing, ISSUED + WINDOW * 3 // 4)
    renewing.state, _ = renewing.step()
    assert (renewing.state.phase, renewing.state.reason_code) == ("active_cached", "server.connect")
    move(renewing, ISSUED + WINDOW + 1)
    state, wait = renewing.step()
    assert (state.phase, state.is_license_activated) == ("stale", True)
    assert wait <= 900


def test_a_running_emulator_goes_on_when_it_is_refused_and_the_next_start_does_not(tmp_path: Path) -> None:
    cached(tmp_path)
    with faults.faults(GRANTS) as server:
        renewing = refresher(Start(tmp_path, API_ENDPOINT=server.url))
        server.behave = control_plane(NO)
        move(renewing, ISSUED + WINDOW * 3 // 4)
        state, _ = renewing.step()
        assert (state.phase, state.reason_code, state.is_license_activated) == ("stale", "license.expired", True)
        assert Start(tmp_path, API_ENDPOINT=server.url).refused().failure.code == "license.expired"


def test_what_goes_wrong_unexpectedly_does_not_end_the_renewal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cached(tmp_path)
    calls: list[int] = []

    def breaks_twice(licenses: Licenses, state: ActivationState) -> Outcome:
        calls.append(1)
        if len(calls) < 3:
            raise RuntimeError(f"the token is {TOKEN}")
        return ask(licenses, state)

    async def until_renewed(renewing: Refresher, used: list[ActivationState]) -> None:
        renewed = asyncio.Event()

        def use(state: ActivationState) -> None:
            used.append(state)
            renewed.set()

        renewing.use = use
        running = asyncio.create_task(renewing.run())
        await asyncio.wait_for(renewed.wait(), 60)
        running.cancel()

    monkeypatch.setattr(refresh, "LONGEST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(refresh, "ask", breaks_twice)
    monkeypatch.setattr(logging.getLogger("cloudlet"), "propagate", True)
    with faults.faults(GRANTS) as server:
        renewing = refresher(Start(tmp_path, API_ENDPOINT=server.url))
        server.behave = control_plane(NEWER)
        renewing.due = 0.0
        used: list[ActivationState] = []
        asyncio.run(until_renewed(renewing, used))
    assert len(calls) == 3
    assert used[0].activation_id == "act_2"
    assert [record.message for record in caplog.records if record.exc_info] == ["renewing the license failed"] * 2


def test_it_warns_at_three_quarters_of_the_window_and_at_its_end_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cached(tmp_path)
    monkeypatch.setattr(logging.getLogger("cloudlet"), "propagate", True)
    renewing = refresher(Start(tmp_path))
    for share in (0.5, 0.74, 0.76, 0.8, 1.01, 1.1):
        move(renewing, ISSUED + WINDOW * share)
        renewing.step()
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == [
        "The license could not be renewed (server.connect); 5.8 h are left.",
        "The offline window of the license is over. This emulator goes on; the next start will not.",
    ]
    quiet = refresher(Start(tmp_path, LOG_LICENSE_ISSUES="0"))
    caplog.clear()
    move(quiet, ISSUED + WINDOW * 2)
    assert quiet.step()[0].phase == "stale"
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_it_wakes_when_there_is_something_to_say(tmp_path: Path) -> None:
    cached(tmp_path)
    renewing = refresher(Start(tmp_path))
    move(renewing, ISSUED + WINDOW - 10)
    renewing.step()
    _, wait = renewing.step()
    assert wait == pytest.approx(10, abs=1)


def test_it_wakes_at_the_end_of_the_window_though_that_comes_while_it_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(tmp_path)
    renewing = refresher(Start(tmp_path))
    move(renewing, ISSUED + WINDOW - 10)
    renewing.step()
    looks = iter((ISSUED + WINDOW - 0.001, ISSUED + WINDOW + 0.001))
    monkeypatch.setattr(renewing, "now", lambda: next(looks))
    _, wait = renewing.step()
    assert wait == 1.0
