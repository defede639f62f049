"""Real emulators that are restarted again and again, as `restart: always` does it."""

from __future__ import annotations

from pathlib import Path

import orjson

from tests.activation.conftest import Emulate
from tests.activation.running import aged, get, keep_license, refused, with_token
from tests.activation.test_activate import control_plane
from tests.license import faults
from tests.license.faults import answer, verdict

NO = verdict("403 Forbidden", "licensing.license.not_found")
CI = {"CI": "true", "GITHUB_RUN_ID": "7001", "LS_CI_PROJECT": "shop"}


def test_the_third_failed_start_of_a_minute_asks_nobody_and_says_how_long_it_paused(tmp_path: Path) -> None:
    with faults.faults(NO) as server:
        reports = [refused(tmp_path, **with_token(server.url)) for _ in range(3)]
        assert {report["code"] for report in reports} == {"license.not_found"}
        assert [report["failed_starts"] for report in reports] == [1, 2, 3]
        assert [report["paused_seconds"] for report in reports] == [0, 2, 4]
        assert len(server.requests) == 2
        assert reports[2]["spent_seconds"] == 0


def test_another_token_or_server_is_another_loop(tmp_path: Path) -> None:
    with faults.faults(NO) as first, faults.faults(NO) as second:
        for server in (first, second):
            assert refused(tmp_path, **with_token(server.url))["failed_starts"] == 1
        assert (len(first.requests), len(second.requests)) == (1, 1)


def test_all_starts_of_one_ci_run_name_the_run(tmp_path: Path, emulate: Emulate) -> None:
    keep_license(tmp_path / "volume", b"")
    with faults.faults(control_plane(answer("200 OK", aged(0)))) as server:
        for _ in range(3):
            emulator = emulate(**with_token(server.url), **CI)
            assert get(emulator, "license")["state"] == "active_online"
            emulator.stop()
        emulator = emulate(**with_token(server.url), **{**CI, "GITHUB_RUN_ID": "", "CI_JOB_ID": "9"})
        emulator.stop()
    sent = [orjson.loads(request.partition(b"\r\n\r\n")[2])["machine"] for request in server.requests]
    runs = [(machine["ci"], machine["ci_project"], machine["ci_run"]) for machine in sent]
    assert runs == [(True, "shop", "GITHUB_RUN_ID=7001")] * 3 + [(True, "shop", "CI_JOB_ID=9")]
