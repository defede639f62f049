"""Windows and clocks: real emulators on volumes whose licenses and marks are from other times, and a clock that moves."""

from __future__ import annotations

import time
from email.utils import formatdate
from pathlib import Path

import pytest

from cloudlet.emulator.activation.cache import LicenseCache
from cloudlet.emulator.activation.clock import ClockGuard
from cloudlet.emulator.activation.machine import identify_machine
from cloudlet.settings import read_settings
from tests.activation.conftest import Emulate
from tests.activation.people import MACHINE, StandingClock
from tests.activation.running import DAY, HOUR, NOBODY, aged, environment, get, keep_license, refused, with_token
from tests.activation.test_activate import GRANTS, Start, cached, control_plane
from tests.activation.test_cached import move, refresher
from tests.license import faults
from tests.license.faults import answer
from tests.license.samples import ISSUED, WINDOW, license_document

OFFLINE = with_token(NOBODY)


def mark(folder: Path, seconds_from_now: int) -> None:
    """The last trusted time of this volume, as an earlier start would have left it."""
    settings = read_settings(environment(folder))
    guard = ClockGuard(LicenseCache(settings), identify_machine(settings).id)
    assert guard.set(time.time() + seconds_from_now, time.time() + seconds_from_now) == ""


def test_at_23_hours_59_it_starts_and_at_24_hours_01_it_does_not(tmp_path: Path, emulate: Emulate) -> None:
    keep_license(tmp_path / "volume", age=DAY - 60)
    emulator = emulate(**OFFLINE)
    assert get(emulator, "license")["state"] == "active_cached"
    assert "Successfully activated cached license" in emulator.printed()
    emulator.stop()

    keep_license(tmp_path / "volume", age=DAY + 60)
    report = refused(tmp_path, **OFFLINE)
    assert report["code"] == "license.stale"
    assert "Offline activation is no longer possible: last contact 20" in report["reason"]
    assert f"(24 h ago), allowed 24 h. Connect to {NOBODY} once and restart." in report["reason"]
    assert "127.0.0.1:1 refused the connection" in report["reason"]
    assert (tmp_path / "volume" / "cache" / "license.json").exists()  # only a verdict takes it away


def test_with_the_server_back_a_stale_license_is_renewed_by_its_id(tmp_path: Path, emulate: Emulate) -> None:
    keep_license(tmp_path / "volume", age=DAY + 60)
    with faults.faults(answer("200 OK", aged(0))) as server:
        emulator = emulate(**with_token(server.url))
        assert get(emulator, "license")["state"] == "active_online"
        assert "Successfully activated license lic_01:trial" in emulator.printed()
        emulator.stop()
    assert [request.split(b" ")[1] for request in server.requests] == [b"/v1/license/activate"]


@pytest.mark.parametrize(
    ("ahead", "story"), [(2 * HOUR, "the clock was turned back"), (30 * DAY, "it leapt into the future, and back")]
)
def test_behind_the_last_trusted_time_only_the_server_opens_a_start_and_heals_it(
    tmp_path: Path, emulate: Emulate, ahead: int, story: str
) -> None:
    keep_license(tmp_path / "volume")
    mark(tmp_path, ahead)
    report = refused(tmp_path, **OFFLINE)
    assert report["code"] == "clock.rollback", story
    assert report["reason"].startswith("This machine's clock (")
    assert refused(tmp_path, **OFFLINE, LICENSE_OFFLINE="only")["code"] == "clock.rollback"

    with faults.faults(answer("200 OK", aged(0), Date=formatdate(usegmt=True))) as server:
        emulator = emulate(**with_token(server.url))
        assert get(emulator, "license")["state"] == "active_online"
        emulator.stop()
    emulator = emulate(**OFFLINE)
    assert get(emulator, "license")["state"] == "active_cached"
    emulator.stop()


def test_less_than_an_hour_back_is_a_clock_being_set(tmp_path: Path, emulate: Emulate) -> None:
    keep_license(tmp_path / "volume")
    mark(tmp_path, HOUR - 300)
    emulator = emulate(**OFFLINE)
    assert get(emulator, "license")["state"] == "active_cached"
    emulator.stop()


@pytest.mark.parametrize(("ahead", "direction"), [(20 * 60, "behind"), (-20 * 60, "ahead of")])
def test_a_clock_that_differs_from_the_servers_is_told_and_corrected(
    tmp_path: Path, emulate: Emulate, ahead: int, direction: str
) -> None:
    now = int(time.time()) + ahead
    with faults.faults(control_plane(answer("200 OK", aged(-ahead), Date=formatdate(now, usegmt=True)))) as server:
        emulator = emulate(**with_token(server.url))
        assert get(emulator, "license")["state"] == "active_online"
        assert f"This machine's clock is 20 min {direction} the license server's." in emulator.printed()
        emulator.stop()
    emulator = emulate(**OFFLINE)
    assert get(emulator, "license")["state"] == "active_cached"
    emulator.stop()


@pytest.mark.parametrize("wrong_by", [20 * 60, -20 * 60, 8 * HOUR, -8 * HOUR])
def test_a_window_is_judged_on_the_servers_time(tmp_path: Path, wrong_by: int) -> None:
    dated = answer("200 OK", license_document(), Date=formatdate(ISSUED, usegmt=True))
    with faults.faults(control_plane(dated)) as server:
        first = Start(tmp_path, API_ENDPOINT=server.url)
        first.clock.date = ISSUED + wrong_by
        assert first.run().phase == "active_online"
    for true_time, code in ((WINDOW - 60, ""), (WINDOW + 60, "license.stale")):
        later = Start(tmp_path)
        later.clock.date = ISSUED + wrong_by + true_time
        if code:
            assert later.refused().failure.code == code
        else:
            assert later.run().phase == "active_cached"


def test_a_correction_ends_when_somebody_sets_the_clock_right(tmp_path: Path) -> None:
    dated = answer("200 OK", license_document(), Date=formatdate(ISSUED, usegmt=True))
    with faults.faults(control_plane(dated)) as server:
        wrong = Start(tmp_path, API_ENDPOINT=server.url)
        wrong.clock.date = ISSUED + 8 * HOUR
        wrong.run()
    right = Start(tmp_path)
    right.clock.date = ISSUED + 60
    assert right.run().phase == "active_cached"


def test_a_running_emulator_is_not_stopped_by_a_clock_that_is_turned_back(tmp_path: Path) -> None:
    cached(tmp_path)
    with faults.faults(GRANTS) as server:
        renewing = refresher(Start(tmp_path, API_ENDPOINT=server.url))
        move(renewing, ISSUED - 400 * DAY)
        state, wait = renewing.step()
        assert (state.phase, len(server.requests)) == ("active_online", 1)
        assert 0 < wait <= 900


def test_a_leap_of_the_clock_while_it_runs_does_not_outlast_the_leap(tmp_path: Path) -> None:
    cached(tmp_path)
    renewing = refresher(Start(tmp_path))
    move(renewing, ISSUED + 3 * DAY)
    state, _ = renewing.step()
    assert (state.phase, state.is_license_activated) == ("stale", True)
    move(renewing, ISSUED + 120)
    state, _ = renewing.step()
    assert state.phase == "active_cached"
    again = Start(tmp_path)
    again.clock.date = ISSUED + 180
    assert again.run().phase == "active_cached"  # the leap left no mark


def test_a_mark_of_another_machine_does_not_count(tmp_path: Path) -> None:
    cached(tmp_path)
    start = Start(tmp_path)
    other = ClockGuard(LicenseCache(start.settings), "another machine")
    assert other.set(ISSUED + 30 * DAY, ISSUED + 30 * DAY) == ""
    assert start.run().phase == "active_cached"
    assert ClockGuard(LicenseCache(start.settings), MACHINE.id).mark().seen == int(StandingClock(ISSUED + 60).now())
