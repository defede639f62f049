"""`license doctor`: each step by itself, its fix, and an honest end. No step uses anything up."""

from __future__ import annotations

import os
import pty
import re
import ssl
import subprocess
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from sqlalchemy import select, update

from cloudlet.control.activations.tables import Activation
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.licenses.tables import License
from tests.cli.conftest import CommandLine
from tests.conftest import free_port
from tests.control.serving import RunningPlatform
from tests.license.faults import answer, faults

STEPS = ["Sources", "Form", "Proxy", "Name", "Connection", "TLS", "Server", "Clock", "Verdict", "License"]
PING = {"ok": True, "time": "2026-01-01T00:00:00Z", "kid": "k1"}


@pytest.fixture
def member(platform: RunningPlatform, tmp_path: Path) -> BootstrapResult:
    return platform.bootstrap(f"{tmp_path.name}@example.com")


@pytest.fixture
def patient(connected: CommandLine, member: BootstrapResult) -> CommandLine:
    """A machine with a token that is good."""
    assert connected("auth", "set-token", member.token).code == 0
    return connected


def examine(line: CommandLine, **extra: str) -> tuple[int, dict[str, Any], dict[str, dict[str, Any]]]:
    """Exit code, the whole document, the steps by name."""
    done = line("license", "doctor", "--json", **extra)
    document = done.json
    steps = {step["name"]: step for step in document["data"]["steps"]}
    assert document["data"]["success"] is (done.code == 0)
    assert document["status"] == ("success" if done.code == 0 else "error")
    for step in steps.values():
        assert bool(step["fix"] or step["code"]) <= (step["ok"] is False)
    if done.code:
        wrong = [step for step in document["data"]["steps"] if step["ok"] is False]
        assert document["error"]["code"] == wrong[0]["code"]
        assert done.code == 55
    return done.code, document, steps


def test_a_healthy_machine_passes_every_step_and_uses_nothing_up(
    patient: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    code, document, steps = examine(patient, CI="1", GITHUB_RUN_ID="77")
    assert code == 0, document
    assert list(steps) == STEPS
    assert all(step["ok"] is True for step in steps.values())
    assert "plan trial" in steps["Verdict"]["found"]
    assert member.token not in str(document)
    with platform.database.snapshot() as session:
        assert session.scalars(select(Activation).where(Activation.workspace_id == member.workspace_id)).all() == []
    assert patient("license", "activate").code == 0
    assert "offline until" in examine(patient)[2]["License"]["found"]


def test_without_a_token_the_way_is_examined_all_the_same(connected: CommandLine) -> None:
    code, document, steps = examine(connected)
    assert (code, document["error"]["code"]) == (55, "credentials.missing")
    assert steps["Server"]["ok"] is True
    assert steps["Verdict"]["ok"] is None


def test_two_tokens_are_a_conflict(patient: CommandLine, member: BootstrapResult) -> None:
    other = {"LOCALSTACK_AUTH_TOKEN": member.token, "LOCALSTACK_API_KEY": "abcdef1234"}
    assert examine(patient, **other)[1]["error"]["code"] == "credentials.conflict"


def test_a_typing_error_stops_before_the_verdict(patient: CommandLine, member: BootstrapResult) -> None:
    wrong = member.token[:-1] + ("0" if member.token[-1] != "0" else "1")
    _, document, steps = examine(patient, LOCALSTACK_AUTH_TOKEN=wrong)
    assert (steps["Form"]["ok"], steps["Form"]["code"]) == (False, "credentials.checksum")
    assert steps["Verdict"]["ok"] is None
    assert wrong not in str(document)


def test_a_refusal_is_the_control_planes_own_words(
    patient: CommandLine, platform: RunningPlatform, member: BootstrapResult
) -> None:
    with platform.database.transaction() as session:
        session.execute(
            update(License).where(License.id == member.license_id).values(expires_at=platform.platform.now())
        )
    _, document, steps = examine(patient)
    assert (steps["Verdict"]["ok"], steps["Verdict"]["code"]) == (False, "license.expired")
    assert document["error"]["actions"]


@pytest.mark.parametrize(
    ("endpoint", "step", "code"),
    [
        ("http://no-such-host.invalid/v1", "Name", "server.dns"),
        ("http://127.0.0.1:1/v1", "Connection", "server.connect"),
        ("ftp://example.com/v1", "Proxy", "server.intercepted"),
    ],
)
def test_the_step_that_fails_is_named_and_the_later_ones_are_skipped(
    patient: CommandLine, endpoint: str, step: str, code: str
) -> None:
    _, _, steps = examine(patient, API_ENDPOINT=endpoint)
    assert (steps[step]["ok"], steps[step]["code"]) == (False, code)
    assert steps[step]["fix"]
    later = STEPS[STEPS.index(step) + 1 : STEPS.index("License")]
    assert [steps[name]["ok"] for name in later] == [None] * len(later)


@contextmanager
def tls(organization: str, behave: Any) -> Iterator[tuple[str, str]]:
    """A server with a certificate of an authority of its own: its URL and the authority's file."""
    authority = trustme.CA(organization_name=organization)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with faults(behave, context) as server, authority.cert_pem.tempfile() as bundle:
        yield server.url, bundle


def test_a_certificate_says_who_issued_it(patient: CommandLine) -> None:
    with tls("Inspecting Corp", answer("200 OK", PING)) as (url, bundle):
        steps = examine(patient, API_ENDPOINT=url)[2]
        assert (steps["TLS"]["ok"], steps["TLS"]["code"]) == (False, "server.tls")
        assert "Inspecting Corp" in steps["TLS"]["found"]
        assert "REQUESTS_CA_BUNDLE" in steps["TLS"]["fix"]
        trusted = examine(patient, API_ENDPOINT=url, REQUESTS_CA_BUNDLE=bundle)[2]
        assert trusted["TLS"]["ok"] is True
        assert "Inspecting Corp" in trusted["TLS"]["found"]
        unverified = examine(patient, API_ENDPOINT=url, SSL_NO_VERIFY="1")[2]
        assert "not verified" in unverified["TLS"]["found"]


def test_a_clock_that_is_wrong_is_a_step(patient: CommandLine) -> None:
    with faults(answer("200 OK", PING)) as server:
        steps = examine(patient, API_ENDPOINT=server.url)[2]
    assert (steps["Clock"]["ok"], steps["Clock"]["code"]) == (False, "clock.skew")
    assert "ahead of the server's" in steps["Clock"]["found"]


def test_a_portal_is_not_the_control_plane(patient: CommandLine) -> None:
    with faults(answer("200 OK", b"<html>Log in</html>", "text/html")) as server:
        steps = examine(patient, API_ENDPOINT=server.url)[2]
    assert (steps["Server"]["ok"], steps["Server"]["code"]) == (False, "server.intercepted")


def test_the_proxy_is_named_without_its_login(patient: CommandLine) -> None:
    proxy = f"http://user:secret@127.0.0.1:{free_port()}"
    _, document, steps = examine(patient, API_ENDPOINT="http://license.example/v1", OUTBOUND_HTTP_PROXY=proxy)
    assert "through 127.0.0.1:" in steps["Proxy"]["found"]
    assert steps["Connection"]["code"] == "server.connect"
    assert "secret" not in str(document)
    assert "goes around" in examine(patient, OUTBOUND_HTTP_PROXY=proxy)[2]["Proxy"]["found"]


def test_a_proxy_that_wants_a_login_is_named(patient: CommandLine) -> None:
    with faults(answer("407 Proxy Authentication Required", b"", "text/plain")) as proxy:
        extra = {"API_ENDPOINT": "https://license.example/v1", "OUTBOUND_HTTPS_PROXY": proxy.url.removesuffix("/v1")}
        document = examine(patient, **extra)[1]
    assert document["error"]["code"] == "server.proxy_auth"


def test_a_server_that_knows_no_questions_is_no_failure(patient: CommandLine) -> None:
    """LocalStack's own platform has no `/license/check`; the ping is this test's."""
    now = {**PING, "time": ""}

    def behave(connection: Any, request: bytes) -> None:
        is_ping = request.startswith(b"GET /v1/license/ping")
        answer("200 OK" if is_ping else "404 Not Found", now if is_ping else {"nothing": 1})(connection, request)

    with faults(behave) as server:
        code, _, steps = examine(patient, API_ENDPOINT=server.url)
    assert (code, steps["Verdict"]["ok"]) == (0, None)


def test_settings_that_forbid_a_license_are_named(patient: CommandLine) -> None:
    _, document, _ = examine(patient, ACTIVATE_PRO="0")
    assert document["error"]["code"] == "edition.community"
    steps = examine(patient, LICENSE_OFFLINE="only")[2]
    assert steps["Server"]["ok"] is None
    assert examine(patient, LICENSE_TRUST_KEYS="nonsense")[2]["License"]["code"] == "license.format"


def test_in_a_terminal_of_80_columns_no_line_is_longer(patient: CommandLine, member: BootstrapResult) -> None:
    """Printed into a real terminal, with one step that fails and has a long text."""
    leader, follower = pty.openpty()
    extra = {"TERM": "xterm-256color", "COLUMNS": "80", "API_ENDPOINT": "http://no-such-host.invalid/v1"}
    process = subprocess.Popen(
        patient.arguments("license", "doctor"), env=patient.variables | extra, stdout=follower, stderr=follower
    )
    os.close(follower)
    seen = b""
    try:
        while piece := os.read(leader, 4096):
            seen += piece
    except OSError:  # the program has ended
        pass
    os.close(leader)
    assert process.wait(60) == 55
    lines = plain(seen.decode()).split("\r\n")
    assert max(sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in line) for line in lines) <= 80
    text = "\n".join(lines)
    assert "✔ Sources" in text
    assert "✖ Name" in text
    assert "→ " in text
    assert "– TLS" in text
    assert "A start would not be activated. First: server.dns" in text
    assert member.token not in text


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
