"""The token of a running emulator is nowhere to be read: not in its log, not in its answers, not in what it keeps."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import httpx
import pytest

from cloudlet.emulator.gateway.internal.routes import ROUTES
from cloudlet.emulator.gateway.journal import LineFormatter, configure_logging
from cloudlet.license.token import TokenMaskingFilter
from tests.activation.conftest import Emulate
from tests.activation.running import aged, keep_license, refused, start, with_token
from tests.activation.test_activate import control_plane
from tests.conftest import RunningEmulator
from tests.license import faults
from tests.license.faults import answer, verdict
from tests.license.samples import TOKEN

LEGACY = "Ab12Cd34Ef"
CURIOUS = {"DEBUG": "1", "LS_LOG": "trace", "ENABLE_CONFIG_UPDATES": "1"}
PATHS = sorted({path for method, path, _ in ROUTES if method == "GET" and "{" not in path})


def ask(emulator: RunningEmulator, path: str, data: bytes | None = None) -> str:
    """A whole answer, headers included, whatever its status."""
    answered = httpx.request("POST" if data else "GET", emulator.url + path, content=data, timeout=30)
    return f"{answered.headers}\n{answered.text}"


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("variable", "secret"), [("LOCALSTACK_AUTH_TOKEN", TOKEN), ("LOCALSTACK_API_KEY", LEGACY)])
def test_the_token_of_a_running_emulator_is_nowhere_to_be_read(
    tmp_path: Path, emulate: Emulate, variable: str, secret: str
) -> None:
    raw = aged(0) if secret == TOKEN else aged(0, token=LEGACY, cnf=None)
    with faults.faults(control_plane(answer("200 OK", raw))) as server:
        variables = {**with_token(server.url), "LOCALSTACK_AUTH_TOKEN": "", variable: secret}
        emulator = emulate(**variables, **CURIOUS)
        assert len(PATHS) > 15
        for path in PATHS:
            found = ask(emulator, path)
            assert secret not in found, path
        config = json.dumps({"variable": "LOCALSTACK_AUTH_TOKEN", "value": TOKEN}).encode()
        ask(emulator, "/_localstack/config", config)
        for path in ("/_localstack/config", "/_localstack/diagnose"):
            assert TOKEN not in ask(emulator, path)
        emulator.client("sqs").list_queues()
        assert secret.encode() in server.requests[0]  # it was used
        emulator.stop()
    assert secret not in emulator.printed()
    for file in kept(tmp_path):
        assert secret.encode() not in file.read_bytes(), file


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_refused_start_shows_no_token_even_where_the_server_sends_it_back(tmp_path: Path, form: str) -> None:
    echo = verdict("403 Forbidden", "licensing.credentials.invalid", detail=f"{TOKEN} is unknown.", hint=f"Not {TOKEN}")
    with faults.faults(echo) as server:
        done = start(tmp_path, **with_token(server.url), **CURIOUS, LICENSE_ERROR_FORMAT=form)
    assert done.returncode == 55
    assert "ls-AbCd1234-**** is unknown." in done.stdout
    assert TOKEN not in done.stdout + done.stderr
    for path in kept(tmp_path):
        assert TOKEN.encode() not in path.read_bytes(), path


def test_a_token_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    broken = TOKEN[:-1]
    for variables in ({"LOCALSTACK_AUTH_TOKEN": broken}, {"LOCALSTACK_AUTH_TOKEN_FILE": TOKEN}):
        done = start(tmp_path, ACTIVATE_PRO="", **variables, **CURIOUS)
        assert done.returncode == 55
        assert broken not in done.stdout + done.stderr


def test_two_credentials_are_a_conflict_unless_they_are_the_same(tmp_path: Path, emulate: Emulate) -> None:
    keep_license(tmp_path / "volume")
    report = refused(tmp_path, **with_token("http://127.0.0.1:1/v1"), LOCALSTACK_API_KEY=LEGACY)
    assert report["code"] == "credentials.conflict"
    assert report["reason"] == "LOCALSTACK_AUTH_TOKEN and LOCALSTACK_API_KEY hold different values. Keep one."
    assert report["spent_seconds"] == 0
    emulator = emulate(**with_token("http://127.0.0.1:1/v1"), LOCALSTACK_API_KEY=f"'{TOKEN}'")
    assert "Successfully activated cached license" in emulator.printed()
    emulator.stop()


def test_log_license_issues_0_leaves_only_the_final_line(tmp_path: Path, emulate: Emulate) -> None:
    quiet = {"LOG_LICENSE_ISSUES": "0"}
    with faults.faults(verdict("403 Forbidden", "licensing.license.expired")) as server:
        done = start(tmp_path, **with_token(server.url), **quiet)
    assert (done.returncode, done.stderr) == (55, "")
    assert done.stdout == "Localstack returning with exit code 55. Reason: license.expired\n"
    keep_license(tmp_path / "volume")
    emulator = emulate(**with_token("http://127.0.0.1:1/v1"), **quiet)
    assert emulator.wait_until(lambda: "Ready.\n" in emulator.printed())
    assert [line[:38] for line in emulator.printed().splitlines()] == [
        "Successfully activated cached license ",
        "Ready.",
    ]
    emulator.stop()


def test_the_log_masks_tokens_in_messages_arguments_and_tracebacks(capsys: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter())
    handler.addFilter(TokenMaskingFilter((LEGACY, "ok")))
    log = logging.Logger("cloudlet.test")
    log.addHandler(handler)
    log.warning("%s and %s are ok", TOKEN, LEGACY)
    try:
        raise RuntimeError(f"{TOKEN} {LEGACY}")
    except RuntimeError:
        log.exception("it failed")
    printed = capsys.readouterr().err
    assert "ls-AbCd1234-**** and Ab**** are ok" in printed
    assert "RuntimeError: ls-AbCd1234-**** Ab****" in printed
    assert TOKEN not in printed
    assert LEGACY not in printed
    root = logging.getLogger("cloudlet")
    before = root.handlers[:], root.level, root.propagate
    try:
        configure_logging("info", (LEGACY,))
        assert any(isinstance(found, TokenMaskingFilter) for found in root.handlers[0].filters)
    finally:
        root.handlers[:], root.propagate = before[0], before[2]
        root.setLevel(before[1])
