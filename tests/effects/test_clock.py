import time

from cloudlet.emulator.effects.clock import Clock


def test_a_new_clock_is_the_machines() -> None:
    clock = Clock()
    before = time.time()
    assert before <= clock.now() <= time.time()
    assert (clock.mode, clock.is_frozen, clock.offset) == ("real", False, 0.0)


def test_a_frozen_clock_stands_still() -> None:
    clock = Clock()
    frozen = clock.freeze()
    assert clock.now() == frozen == clock.now()
    assert clock.freeze(1000.5) == 1000.5
    assert clock.now() == 1000.5
    assert clock.is_frozen


def test_a_frozen_clock_that_is_advanced_stands_still_there() -> None:
    clock = Clock()
    clock.freeze(1000.0)
    assert clock.advance(3600) == 4600.0
    assert clock.now() == 4600.0
    assert clock.set(5.0) == 5.0
    assert clock.mode == "frozen"


def test_a_running_clock_that_is_set_runs_on_from_there() -> None:
    clock = Clock()
    clock.set(1000.0)
    first = clock.now()
    assert 1000.0 <= first <= clock.now() < 1060.0
    assert clock.mode == "shifted"
    clock.advance(3600)
    assert 4600.0 <= clock.now() < 4660.0


def test_a_resumed_clock_is_the_machines() -> None:
    clock = Clock()
    clock.freeze(5.0)
    assert abs(clock.resume() - time.time()) < 60
    assert clock.mode == "real"


def test_who_asked_is_told_of_every_change() -> None:
    clock = Clock()
    told: list[float] = []
    clock.on_change.append(lambda: told.append(clock.now()))
    clock.freeze(1.0)
    clock.set(2.0)
    clock.advance(1.0)
    assert told == [1.0, 2.0, 3.0]
    clock.resume()
    assert len(told) == 4


def test_moments_are_written_in_utc() -> None:
    assert Clock.iso_seconds(0.0) == "1970-01-01T00:00:00"
    assert Clock.iso_seconds(1795516515.9) == "2026-11-24T10:35:15"
