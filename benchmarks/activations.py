"""How many activations a control plane answers, and that none is lost while seats are fought for.

    python -m benchmarks.activations                            SQLite with 1 process, PostgreSQL with 2 on one database
    python -m benchmarks.activations --only sqlite --seconds 20
    python -m benchmarks.activations --database postgresql://user@host/empty    a server that runs already

Each client asks `/v1/license/request` again and again over one connection, with a token and a machine of its own, while
twice as many members as there are free seats ask for one. Reported are activations a second, p50 and p99, and the servers'
CPU time an activation. Rate limits are off. It fails when an answer was not recorded, or a seat has gone twice.
"""

from __future__ import annotations

import argparse
import getpass
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select

from cloudlet.control.accounts.service import create_user
from cloudlet.control.activations.tables import Activation
from cloudlet.control.bootstrap import bootstrap
from cloudlet.control.credentials.service import ensure_auth_token
from cloudlet.control.db import Database
from cloudlet.control.errors import Refusal
from cloudlet.control.licenses.service import assign, subscribe
from cloudlet.control.licenses.tables import License, Subscription
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.service import add_member
from cloudlet.license.effects import SYSTEM
from cloudlet.settings import PlatformSettings, read_platform_settings

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Result(NamedTuple):
    """`seconds` are those of each answered request."""

    seconds: list[float]
    refused: int


class Place:
    """A control plane: its database from here, and its processes."""

    def __init__(self, folder: Path, database_url: str, processes: int) -> None:
        self.ports = [free_port() for _ in range(processes)]
        self.variables = {
            "PLATFORM_STATE_DIR": str(folder),
            "PLATFORM_DATABASE_URL": database_url,
            "PLATFORM_LICENSE_RATE_PER_ADDRESS": "0",
            "PLATFORM_LICENSE_RATE_PER_TOKEN": "0",
            "LS_LOG": "error",
        }
        self.settings: PlatformSettings = read_platform_settings(self.variables)
        self.platform = Platform(self.settings, SYSTEM)
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "cloudlet.control"],
                env={**os.environ, **self.variables, "PLATFORM_LISTEN": f"127.0.0.1:{port}"},
                stdout=subprocess.DEVNULL,
            )
            for port in self.ports
        ]
        for port in self.ports:
            wait_for(port)
        self.database = Database(self.settings)

    def close(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
        self.database.close()

    def cpu_seconds(self) -> float:
        return sum(cpu_seconds(process.pid) for process in self.processes)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    for _ in range(1200):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise SystemExit(f"the control plane on port {port} does not answer")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


class Company:
    """A workspace with `clients` licensed members, and `seats` free seats that twice as many members want."""

    def __init__(self, place: Place, clients: int, seats: int) -> None:
        self.place = place
        found = bootstrap(place.settings, email="bench@example.com")
        self.workspace_id = found.workspace_id
        self.tokens: list[str] = []
        self.waiting: list[str] = []
        with place.database.transaction() as session:
            platform = place.platform
            for old in session.scalars(select(Subscription).where(Subscription.workspace_id == self.workspace_id)):
                session.delete(old)
            session.flush()
            ends = platform.later(days=300)
            subscribe(
                session,
                platform,
                self.workspace_id,
                plan_code="ultimate",
                ends=ends,
                actor="bench",
                seats=clients + seats,
            )
            for number in range(clients + 2 * seats):
                user = create_user(session, platform, f"bench{number}@example.com")
                member = add_member(session, platform, self.workspace_id, user, role="member")
                if number < clients:
                    self.tokens.append(ensure_auth_token(session, platform, member, actor="bench").token)
                    assign(session, platform, self.workspace_id, member.id, actor="bench")
                else:
                    self.waiting.append(member.id)

    def want_seat(self, member_id: str) -> bool:
        try:
            with self.place.database.transaction() as session:
                assign(session, self.place.platform, self.workspace_id, member_id, actor="bench")
        except Refusal:
            return False
        return True

    def recorded(self) -> int:
        with self.place.database.snapshot() as session:
            return session.scalar(select(func.count(Activation.id)).where(Activation.result_code == "ok")) or 0

    def holders(self) -> list[str]:
        with self.place.database.snapshot() as session:
            return [
                holder
                for holder in session.scalars(
                    select(License.assigned_membership_id).where(License.workspace_id == self.workspace_id)
                )
                if holder
            ]


def ask(port: int, token: str, machine: str, until: float) -> Result:
    """One client, until the time is over."""
    body = json.dumps(
        {
            "credentials": {"type": "licensing-auth-token", "token": token},
            "product": {"name": "cloudlet", "version": "0.1.0"},
            "machine": {"id": machine, "system": "Linux,6.1,x86_64", "ci": False, "cli": False},
        }
    )
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    seconds: list[float] = []
    refused = 0
    while (began := time.perf_counter()) < until:
        connection.request("POST", "/v1/license/request", body)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            seconds.append(time.perf_counter() - began)
        else:
            refused += 1
    connection.close()
    return Result(seconds, refused)


def measure(name: str, place: Place, clients: int, seats: int, duration: float) -> bool:
    """Prints a line; False when something was lost or given twice."""
    company = Company(place, clients, seats)
    for port in place.ports:  # the first requests load what later ones find loaded
        ask(port, company.tokens[0], "gen_warm", time.perf_counter() + 0.5)
    before, cpu_before, began = company.recorded(), place.cpu_seconds(), time.perf_counter()
    gained: list[bool] = []

    def fight() -> None:
        with ThreadPoolExecutor(8) as pool:
            gained.extend(pool.map(company.want_seat, company.waiting))

    fighters = threading.Thread(target=fight)
    fighters.start()
    with ThreadPoolExecutor(clients) as pool:
        running = [
            pool.submit(ask, place.ports[number % len(place.ports)], token, f"gen_bench{number}", began + duration)
            for number, token in enumerate(company.tokens)
        ]
        results = [one.result() for one in running]
    fighters.join()
    elapsed, cpu = time.perf_counter() - began, place.cpu_seconds() - cpu_before
    times = sorted(second for result in results for second in result.seconds)
    lost = len(times) - (company.recorded() - before)
    holders = company.holders()
    twice = len(holders) - len(set(holders))
    wrong_seats = abs(len(holders) - clients - seats) + abs(sum(gained) - seats)
    refused = sum(result.refused for result in results)
    print(
        f"{name:24} {len(times) / elapsed:7.0f}/s  p50 {quantile(times, 0.5):6.1f} ms  p99 {quantile(times, 0.99):6.1f} ms"
        f"  CPU {cpu / max(1, len(times)) * 1000:5.2f} ms each  refused {refused}  lost {lost}"
        f"  seats given twice {twice}, wrong {wrong_seats}",
        flush=True,
    )
    return not (lost or twice or wrong_seats or refused)


def quantile(ordered: list[float], part: float) -> float:
    """Milliseconds."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000 if ordered else 0.0


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A server with PostgreSQL's own defaults (each commit reaches the disk), from the machine's binaries; its URL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    where = shutil.which("initdb") or (str(found[-1]) if found else "")
    if not where:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql, or --database URL, or --only sqlite")
    binaries, data, port = Path(where).parent, folder / "data", free_port()
    prefix: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        prefix = ["runuser", "-u", "postgres", "--"]
    owner = "postgres" if prefix else getpass.getuser()
    initdb = [*prefix, str(binaries / "initdb"), "-D", str(data), "-A", "trust", "-U", owner, "-E", "UTF8"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    server = subprocess.Popen(
        [
            *(*prefix, str(binaries / "postgres"), "-D", str(data), "-p", str(port)),
            *("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"postgresql://{owner}@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--database", default="", help="an empty PostgreSQL database instead of one made for this")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seats", type=int, default=40, help="free seats; twice as many members want one")
    options = parser.parse_args()
    is_well = True
    for kind, processes in (("sqlite", 1), ("postgresql", 2)):
        if options.only not in {None, kind}:
            continue
        with ExitStack() as stack:
            state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = options.database if kind == "postgresql" else ""
            if kind == "postgresql" and not url:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
                url = stack.enter_context(postgres(folder))
            place = Place(state, url, processes)
            stack.callback(place.close)
            name = f"{kind}, {processes} process{'es' if processes > 1 else ''}"
            is_well &= measure(name, place, options.clients, options.seats, options.seconds)
    return 0 if is_well else 1


if __name__ == "__main__":
    raise SystemExit(main())
