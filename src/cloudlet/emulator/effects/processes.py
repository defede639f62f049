"""Programs that are kept running and asked again and again: one line in, one line out, what they print apart.

    programs = Programs()                                        one per emulator
    program = await programs.start(arguments, variables, folder)
    answer = await program.ask(line, limit_seconds)              raises TookTooLong, Ended
    program.take_output()                                        what it printed since the last time
    programs.keep(key, program, seconds); programs.take(key)     warm ones, ended when nobody takes them in time
    programs.forget(key)                                         ends those that wait under keys that begin so
    await programs.close()                                       all of them are gone

A program reads requests from its standard input and writes answers to the file descriptor that its last argument names.
Its whole process group is killed at its end. When the emulator dies of SIGKILL, its input ends; where util-linux's
`setpriv` is there, the kernel kills it as well.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
Key = tuple[str, ...]

PIECE_BYTES = 256 * 1024
MOST_OUTPUT_BYTES = 16 * 1024 * 1024  # of one answer; what is printed beyond is dropped
MOST_WAITING = 32  # programs that are kept though nobody uses them
THREADS = 4


class TookTooLong(Exception):
    """There was no answer in time. The program is still running."""


class Ended(Exception):
    """The program has ended. `code` is negative after a signal."""

    def __init__(self, code: int) -> None:
        super().__init__(f"ended with {code}")
        self.code = code


class Program:
    """A running program. Belongs to the event loop's thread; one `ask` at a time."""

    def __init__(self, process: subprocess.Popen[bytes], answers: int) -> None:
        if process.stdin is None or process.stdout is None:
            raise TypeError("a program has pipes")
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._answers = answers
        self._input, self._output = process.stdin.fileno(), process.stdout.fileno()
        self._unsent = b""
        self._unread = bytearray()
        self._printed = bytearray()
        self._waiter: asyncio.Future[bytes] | None = None
        self._exit = os.pidfd_open(process.pid)
        for descriptor in (self._input, self._output, answers):
            os.set_blocking(descriptor, False)
        self._loop.add_reader(answers, self._read_answer)
        self._loop.add_reader(self._output, self._read_output)
        self._loop.add_reader(self._exit, self._has_ended)
        self.code: int | None = None
        self._gone = asyncio.Event()
        self.label = ""  # whatever its user wants to know again

    async def ask(self, line: bytes, limit_seconds: float) -> bytes:
        """The answer to one request, both without the end of the line. Raises TookTooLong, Ended."""
        if self.code is not None:
            raise Ended(self.code)
        waiter = self._waiter = self._loop.create_future()
        self._unsent += line + b"\n"
        self._write()
        try:
            return await asyncio.wait_for(waiter, limit_seconds)
        except TimeoutError:
            raise TookTooLong from None
        finally:
            self._waiter = None

    def take_output(self) -> bytes:
        """What was printed since the last time, up to the answer that was read last."""
        self._read_output()
        printed = bytes(self._printed)
        self._printed.clear()
        return printed

    def end(self) -> None:
        """Kill it and everything that it started. One that has ended is gone: its number may be another's by now."""
        if self.code is None:
            self._kill()

    def _kill(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._process.kill()

    async def ended(self) -> None:
        """Wait until it is gone."""
        await self._gone.wait()

    def _write(self) -> None:
        try:
            while self._unsent:
                sent = os.write(self._input, self._unsent[:PIECE_BYTES])
                self._unsent = self._unsent[sent:]
        except BlockingIOError:
            self._loop.add_writer(self._input, self._write)
            return
        except BrokenPipeError:
            self._unsent = b""
        self._loop.remove_writer(self._input)

    def _read_answer(self) -> None:
        data = self._read(self._answers)
        if data is None:
            return
        if not data:
            self._loop.remove_reader(self._answers)
            return
        searched = len(self._unread)
        self._unread += data
        end = self._unread.find(b"\n", searched)
        if end >= 0:
            answer = bytes(self._unread[:end])
            del self._unread[: end + 1]
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(answer)

    def _read_output(self) -> None:
        while data := self._read(self._output):
            if len(self._printed) < MOST_OUTPUT_BYTES:
                self._printed += data
        if data == b"":
            self._loop.remove_reader(self._output)

    @staticmethod
    def _read(descriptor: int) -> bytes | None:
        """What there is, None for nothing yet, empty at the end."""
        try:
            return os.read(descriptor, PIECE_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _has_ended(self) -> None:
        self._kill()  # what it has left behind, while its number is its own
        self.code = self._process.wait()
        self._gone.set()
        self._read_answer()
        self._read_output()
        for descriptor in (self._answers, self._output, self._exit):
            self._loop.remove_reader(descriptor)
        self._loop.remove_writer(self._input)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        os.close(self._answers)
        os.close(self._exit)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(Ended(self.code))


class Programs:
    """The programs of one emulator, those at work and those that wait, and a folder for their files."""

    def __init__(self) -> None:
        self._all: set[Program] = set()
        self._waiting: dict[Key, list[tuple[Program, asyncio.TimerHandle]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads: ThreadPoolExecutor | None = None
        self._home: Path | None = None
        self._setpriv = shutil.which("setpriv")
        self.busy: Counter[Key] = Counter()  # how many are at work, by whatever their users count
        self.facts: dict[str, str] = {}  # what their users have found out about this machine

    @property
    def home(self) -> Path:
        """A folder that is gone after `close`."""
        if self._home is None:
            self._home = Path(tempfile.mkdtemp(prefix="cloudlet-programs-"))
        return self._home

    async def in_thread(self, work: Callable[[], T]) -> T:
        """For files: `work` in one of a few threads of its own."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, "programs")
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def start(self, arguments: Sequence[str], variables: Mapping[str, str], folder: Path) -> Program:
        """Raises OSError."""
        answers, written = os.pipe()
        guard = [self._setpriv, "--pdeathsig", "KILL"] if self._setpriv else []
        try:
            process = await self.in_thread(
                lambda: subprocess.Popen(
                    [*guard, *arguments, str(written)],
                    env=dict(variables),
                    cwd=folder,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    pass_fds=(written,),
                    start_new_session=True,
                )
            )
        except BaseException:
            os.close(answers)
            raise
        finally:
            os.close(written)
        program = Program(process, answers)
        self._all = {other for other in self._all if other.code is None} | {program}
        return program

    def take(self, key: Key) -> Program | None:
        """A program that waits under this key; the one that was used last."""
        waiting = self._waiting.get(key)
        while waiting:
            program, timer = waiting.pop()
            timer.cancel()
            if not waiting:
                del self._waiting[key]
            if program.code is None:
                return program
        return None

    def keep(self, key: Key, program: Program, seconds: float) -> None:
        """Let it wait; it is ended when nobody takes it in time."""
        if seconds <= 0 or program.code is not None:
            program.end()
            return
        if sum(map(len, self._waiting.values())) >= MOST_WAITING:
            oldest = next(iter(self._waiting))
            evicted, timer = self._waiting[oldest][0]
            timer.cancel()
            self._expire(oldest, evicted)
        waiting = self._waiting.pop(key, [])
        self._waiting[key] = waiting  # the key that was used last is the last one
        timer = asyncio.get_running_loop().call_later(seconds, self._expire, key, program)
        waiting.append((program, timer))

    def forget(self, key: Key) -> None:
        """End what waits under this key, and under keys that begin with it."""
        for other in [other for other in self._waiting if other[: len(key)] == key]:
            for program, timer in self._waiting.pop(other):
                timer.cancel()
                program.end()

    def run(self, task: asyncio.Task[None]) -> None:
        """Hold on to a task that nobody waits for."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End all programs, wait until they are gone, and delete their files."""
        self._waiting.clear()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=2)
            for task in late:
                task.cancel()
        living = [program for program in self._all if program.code is None]
        for program in living:
            program.end()
        for program in living:
            await program.ended()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)

    def _expire(self, key: Key, program: Program) -> None:
        waiting = self._waiting.get(key, [])
        waiting[:] = [entry for entry in waiting if entry[0] is not program]
        if not waiting:
            self._waiting.pop(key, None)
        program.end()
