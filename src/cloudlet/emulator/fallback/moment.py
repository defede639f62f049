"""The fallback's state of one moment, taken and put back, together with the native one.

    await take(fallback, then)                  `then(states, problems)` runs while no operation of the fallback does
    await put(fallback, states, how, then)      `then()` runs first, then the states are put where `how` says

`states` has moto's name of a service -> the pickle of {(account, region): attributes}. `then` runs on the event loop's
thread and does the native half, so both halves are of one moment. Nothing of this imports moto where it was not used.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable, Container, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from cloudlet.emulator.fallback.coverage import covered, module_of

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.moto import Engine
    from cloudlet.emulator.fallback.service import Fallback

T = TypeVar("T")
Parts = dict[tuple[str, str], dict[str, Any]]


class How(enum.Enum):
    """What becomes of what is there: all of it goes, what has the same account and region goes, or both are kept."""

    INSTEAD = "instead"
    BESIDE = "beside"
    WITH = "with"


class Unreadable(Exception):
    """A saved state that does not fit this version; nothing was changed. `service` is moto's name of it."""

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(f"The state of {service} cannot be read: {reason}")
        self.service = service


async def take(fallback: Fallback, then: Callable[[dict[str, bytes], dict[str, str]], T]) -> T:
    """The result of `then`; `problems` has moto's name of each service whose state cannot be written -> why."""
    engine, files = fallback.loaded, fallback.files
    if engine is None:
        return then({name: files.read(name) for name in files.names()} if files is not None else {}, {})
    loop = asyncio.get_running_loop()

    def work() -> T:
        with fallback.quiet():
            states: dict[str, bytes] = {}
            problems: dict[str, str] = {}
            for service, parts in engine.states():
                if parts:
                    try:
                        states[service] = engine.dump(parts)
                    except Exception as error:  # survives: one service's objects cannot be pickled, the others are
                        problems[service] = f"{type(error).__name__}: {error}"
            return on_loop(loop, lambda: then(states, problems))

    taken: T = await fallback.in_thread(work)
    return taken


async def put(
    fallback: Fallback, states: Mapping[str, bytes], how: How, then: Callable[[], T], *, believe: bool = True
) -> T:
    """The result of `then`. Raises Unreadable before anything is changed, and what `then` raises.

    `believe`: the states are this emulator's own; see `Engine.read`.
    """
    if not states and fallback.loaded is None:
        done = then()
        if how is How.INSTEAD and fallback.files is not None:
            fallback.files.forget()
        return done
    loop = asyncio.get_running_loop()

    def work() -> T:
        engine = fallback.engine()
        with fallback.quiet():
            try_to_read(engine, states, believe=believe)
            done = on_loop(loop, then)
            if how is How.INSTEAD:
                engine.reset()
            for service, content in states.items():
                place(engine, service, engine.read(content, believe=believe), how)
            fallback.note_all(names_of(states))
            if fallback.files is not None:
                if how is How.INSTEAD:
                    fallback.files.forget()
                fallback.files.save(engine.states(), engine.dump)
            return done

    result: T = await fallback.in_thread(work)
    return result


async def differences(
    fallback: Fallback, states: Mapping[str, bytes], *, believe: bool
) -> list[tuple[str, bool, str, str]]:
    """What putting them would do: (moto's name, whether it is new, the kind of thing, its name). Raises Unreadable."""
    if not states:
        return []

    def work() -> list[tuple[str, bool, str, str]]:
        engine = fallback.engine()
        with fallback.quiet():
            try_to_read(engine, states, believe=believe)
            there = dict(engine.states())
            return [
                (service, *found)
                for service, content in states.items()
                for where, attributes in engine.read(content, believe=believe).items()
                for found in compared(engine, there.get(service, {}).get(where, {}), attributes)
            ]

    found: list[tuple[str, bool, str, str]] = await fallback.in_thread(work)
    return found


def compared(engine: Engine, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[tuple[bool, str, str]]:
    """(whether it is new, the attribute, the key) of what differs in a back end's dictionaries."""
    for kind, come in theirs.items():
        here = ours.get(kind)
        if isinstance(come, dict):
            for name, value in come.items():
                if not isinstance(here, dict) or name not in here:
                    yield True, kind, str(name)
                elif engine.dump(here[name]) != engine.dump(value):
                    yield False, kind, str(name)


def try_to_read(engine: Engine, states: Mapping[str, bytes], *, believe: bool) -> None:
    """What is read refers to back ends that are there now, so this is thrown away and read again when it counts."""
    for service, content in states.items():
        try:
            engine.prepare(service)
            engine.read(content, believe=believe)
        except Exception as error:  # renders: a state of another version raises whatever it does
            raise Unreadable(service, f"{type(error).__name__}: {error}") from error


def place(engine: Engine, service: str, parts: Parts, how: How) -> None:
    for (account, region), attributes in parts.items():
        engine.place(service, account, region, attributes, keep=how is How.WITH)


def names_of(states: Container[str]) -> list[str]:
    """botocore's names of the services."""
    return [name for name in covered() if module_of(name) in states]


def on_loop(loop: asyncio.AbstractEventLoop, function: Callable[[], T]) -> T:
    """The function's result, carried out on the loop's thread while this one waits."""

    async def carried_out() -> T:
        return function()

    return asyncio.run_coroutine_threadsafe(carried_out(), loop).result()
