"""Programs that are kept running."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cloudlet.emulator.effects import processes
from cloudlet.emulator.effects.processes import Ended, Program, Programs, TookTooLong

# Answers each line in capitals; `sleep` does not answer, `end` ends it, everything is printed as well.
ANSWERING = """
import os, sys, time
answers = int(sys.argv[-1])
for line in sys.stdin:
    print("got", line.strip(), flush=True)
    if line == "end\\n":
        sys.exit(7)
    if line == "sleep\\n":
        time.sleep(600)
    data = line.upper().encode()
    while data:
        data = data[os.write(answers, data):]
"""


@asynccontextmanager
async def programs() -> AsyncIterator[Programs]:
    made = Programs()
    try:
        yield made
    finally:
        await made.close()


async def start(made: Programs) -> Program:
    return await made.start([sys.executable, "-c", ANSWERING], {"PATH": "/usr/bin:/bin"}, Path("/"))


def is_gone(program: Program) -> bool:
    return program.code is not None


def test_a_program_answers_line_by_line() -> None:
    async def run() -> None:
        async with programs() as made:
            program = await start(made)
            assert await program.ask(b"one", 30) == b"ONE"
            assert await program.ask(b"two", 30) == b"TWO"
            assert program.take_output() == b"got one\ngot two\n"
            assert program.take_output() == b""

    asyncio.run(run())


def test_long_lines_come_whole() -> None:
    async def run() -> None:
        async with programs() as made:
            program = await start(made)
            line = b"ab" * 2_000_000
            assert await program.ask(line, 60) == line.upper()

    asyncio.run(run())


def test_no_answer_in_time() -> None:
    async def run() -> None:
        async with programs() as made:
            program = await start(made)
            with pytest.raises(TookTooLong):
                await program.ask(b"sleep", 0.5)
            program.end()
            await program.ended()
            assert program.code == -9

    asyncio.run(run())


def test_a_program_that_ends_is_told_of() -> None:
    async def run() -> None:
        async with programs() as made:
            program = await start(made)
            with pytest.raises(Ended) as caught:
                await program.ask(b"end", 30)
            assert caught.value.code == 7
            assert program.take_output() == b"got end\n"
            with pytest.raises(Ended):
                await program.ask(b"one", 30)

    asyncio.run(run())


def test_a_program_waits_under_its_key_and_not_for_ever() -> None:
    async def run() -> None:
        async with programs() as made:
            program = await start(made)
            made.keep(("a", "b"), program, 600)
            assert made.take(("a",)) is None
            assert made.take(("a", "b")) is program
            made.keep(("a", "b"), program, 0.01)
            await program.ended()
            assert made.take(("a", "b")) is None

    asyncio.run(run())


def test_programs_are_forgotten_by_the_beginning_of_their_key() -> None:
    async def run() -> None:
        async with programs() as made:
            one, two = await start(made), await start(made)
            made.keep(("a", "b"), one, 600)
            made.keep(("c",), two, 600)
            made.forget(("a",))
            await one.ended()
            assert made.take(("c",)) is two

    asyncio.run(run())


def test_the_one_that_has_waited_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "MOST_WAITING", 1)

    async def run() -> None:
        async with programs() as made:
            one, two = await start(made), await start(made)
            made.keep(("a",), one, 600)
            made.keep(("b",), two, 600)
            await one.ended()
            one.end()  # once more is harmless
            assert made.take(("a",)) is None
            assert made.take(("b",)) is two
            made.keep(("b",), two, 600)
            assert made.take(("b",)) is two

    asyncio.run(run())


def test_closing_ends_all_and_takes_their_files_away() -> None:
    async def run() -> None:
        made = Programs()
        busy, waiting = await start(made), await start(made)
        made.keep(("a",), waiting, 600)
        (made.home / "file").write_text("x")
        home = made.home
        asking = asyncio.ensure_future(busy.ask(b"sleep", 600))
        await asyncio.sleep(0)
        await made.close()
        assert is_gone(busy)
        assert is_gone(waiting)
        assert not home.exists()
        with pytest.raises(Ended):
            await asking

    asyncio.run(run())
