"""`make bench`: the emulator beside the ceiling (and any peer you name), in one run.

    make bench                                               all workloads of the services that are served
    make bench ARGS="--workloads 'ddb-*' --seconds 3"
    make bench ARGS="--peer ministack=http://127.0.0.1:4601"  a peer that runs already

The load generator is the folder that `BENCH_DIR` names (default: shared/bench beside this checkout); it needs `wrk`.
The emulator is started on a free port with the request log off, as the peers are measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = Path(os.environ.get("BENCH_DIR", ROOT.parent / "shared" / "bench"))
WORKLOADS = ("sts-identity", "ddb-*", "sqs-*", "sns-*", "s3-*")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str) -> None:
    for _ in range(500):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"{url} does not answer")


def start(command: list[str], url: str, **variables: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        command, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for(url)
    return process


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", nargs="+", default=list(WORKLOADS))
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=URL")
    parser.add_argument("--seconds", default="3")
    parser.add_argument("--rounds", default="3")
    parser.add_argument("--scale", action="store_true", help="also load 100,000 items and 20,000 objects")
    parser.add_argument("--startup", action="store_true", help="also time the start")
    options = parser.parse_args()
    if not (BENCH / "bench.py").is_file():
        raise SystemExit(f"No load generator in {BENCH}: set BENCH_DIR to the folder that has bench.py")
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")

    emulator_port, ceiling_port = free_port(), free_port()
    ours, ceiling = f"http://127.0.0.1:{emulator_port}", f"http://127.0.0.1:{ceiling_port}"
    quiet = {"GATEWAY_LISTEN": f"127.0.0.1:{emulator_port}", "LS_LOG": "error", "ACTIVATE_PRO": "0"}
    command = [sys.executable, "-m", "cloudlet.emulator"]
    with tempfile.TemporaryDirectory() as volume:
        quiet["LOCALSTACK_VOLUME_DIR"] = volume
        processes = [
            start(command, f"{ours}/_localstack/health", **quiet),
            start([sys.executable, str(BENCH / "ceiling" / "protocol_app.py"), str(ceiling_port)], ceiling),
        ]
        try:
            bench = [sys.executable, str(BENCH / "bench.py"), "--seconds", options.seconds, "--rounds", options.rounds]
            targets = ["--target", f"ours={ours}", "--pid", f"ours={processes[0].pid}"]
            for peer in options.peer:
                targets += ["--target", peer]
            status = subprocess.call(
                [
                    *bench,
                    *targets,
                    "--target",
                    f"ceiling={ceiling}",
                    "--pid",
                    f"ceiling={processes[1].pid}",
                    "--only",
                    "ceiling=raw",
                    "--workloads",
                    "raw",
                    *options.workloads,
                ]
            )
            if options.scale:
                status |= subprocess.call(
                    [
                        sys.executable,
                        str(BENCH / "scale.py"),
                        "--target",
                        f"ours={ours}",
                        "--pid",
                        f"ours={processes[0].pid}",
                    ]
                )
        finally:
            for process in processes:
                process.terminate()
                process.wait()
        if options.startup:
            environment = [part for name, value in quiet.items() for part in ("--env", f"{name}={value}")]
            status |= subprocess.call(
                [sys.executable, str(BENCH / "startup.py"), "--url", ours, *environment, "--", *command]
            )
    return status


if __name__ == "__main__":
    sys.exit(main())
