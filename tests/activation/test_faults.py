"""Everything that can be wrong on the way to the license server, through real emulators: without a license here it is
refused with the exact reason and within its budget; with a fresh one it starts, and says why it was not checked."""

from __future__ import annotations

import datetime
import json
import re
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest
import trustme

from tests.activation.conftest import Emulate
from tests.activation.running import begin, get, keep_license, with_token
from tests.license import faults
from tests.license.faults import answer
from tests.license.samples import TOKEN, license_document

TIMEOUT = "2"
PORTAL = b"<html><title>Guest WLAN</title>Please sign in</html>"
BLOCKED = " Outbound HTTP(S) may be blocked; proxies tried: none."
INTERCEPTED = "Something other than the license server answered (HTTP {}). A proxy, portal or wrong API_ENDPOINT ("


class Trouble(msgspec.Struct):
    """A license server that is in trouble; `text` is the reason's sentence."""

    code: str
    text: str
    variables: dict[str, str]


Make = Callable[[ExitStack, Path], Trouble]


def refuses(_stack: ExitStack, _folder: Path) -> Trouble:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = f"127.0.0.1:{port} refused the connection.{BLOCKED}"
    return Trouble("server.connect", text, {"API_ENDPOINT": f"http://127.0.0.1:{port}/v1"})


def swallows(stack: ExitStack, _folder: Path) -> Trouble:
    """A black hole: the listener's queue is full, so that the system answers no further connection."""
    hole = stack.enter_context(socket.socket())
    hole.bind(("127.0.0.1", 0))
    hole.listen(0)
    port = hole.getsockname()[1]
    for _ in range(4):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(("127.0.0.1", port))
    text = f"127.0.0.1:{port} did not answer within "
    return Trouble("server.timeout", text, {"API_ENDPOINT": f"http://127.0.0.1:{port}/v1"})


def behaves(code: str, text: str, behave: faults.Behaviour) -> Make:
    def make(stack: ExitStack, _folder: Path) -> Trouble:
        server = stack.enter_context(faults.faults(behave))
        return Trouble(code, text.replace("PORT", str(server.port)), {"API_ENDPOINT": server.url})

    return make


def resets(connection: socket.socket, _request: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def slow_headers(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def wants_login(stack: ExitStack, _folder: Path) -> Trouble:
    proxy = stack.enter_context(faults.faults(answer("407 Proxy Authentication Required", PORTAL, "text/html")))
    text = f"Proxy 127.0.0.1:{proxy.port} asked for a login (407)."
    address = f"http://127.0.0.1:{proxy.port}"
    return Trouble(
        "server.proxy_auth",
        text,
        {"API_ENDPOINT": "https://license.example/v1", "OUTBOUND_HTTPS_PROXY": address, "NO_PROXY": ""},
    )


def is_unknown(_stack: ExitStack, _folder: Path) -> Trouble:
    text = "Cannot resolve license.invalid. Try `dig license.invalid`; if the status is not NOERROR ask your"
    return Trouble("server.dns", text, {"API_ENDPOINT": "https://license.invalid/v1"})


def shows_certificate(text: str, name: str, *, is_trusted: bool, not_after: datetime.datetime | None = None) -> Make:
    def make(stack: ExitStack, folder: Path) -> Trouble:
        authority = trustme.CA(organization_name="Inspecting Corp")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name, not_after=not_after).configure_cert(context)
        server = stack.enter_context(faults.faults(answer("200 OK", license_document()), context))
        variables = {"API_ENDPOINT": server.url}
        if is_trusted:
            authority.cert_pem.write_to_path(folder / "ca.pem")
            variables["REQUESTS_CA_BUNDLE"] = str(folder / "ca.pem")
        issued = 'The TLS certificate of 127.0.0.1 is not trusted (issuer "Inspecting Corp"): '
        return Trouble("server.tls", issued + text, variables)

    return make


TROUBLES: dict[str, Make] = {
    "refused": refuses,
    "black hole": swallows,
    "silence": behaves("server.timeout", "127.0.0.1:PORT did not answer within ", faults.silence),
    "slow headers": behaves("server.timeout", "127.0.0.1:PORT did not answer within ", slow_headers),
    "slow body": behaves("server.timeout", "127.0.0.1:PORT did not answer within ", faults.drip),
    "reset": behaves("server.connect", "127.0.0.1:PORT closed the connection without an answer." + BLOCKED, resets),
    "portal": behaves(
        "server.intercepted", INTERCEPTED.format("200, text/html"), answer("200 OK", PORTAL, "text/html")
    ),
    "redirection": behaves(
        "server.intercepted",
        INTERCEPTED.format("302, text/html"),
        answer("302 Found", PORTAL, "text/html", Location="https://portal.example/"),
    ),
    "another page": behaves(
        "server.intercepted", INTERCEPTED.format("404, text/html"), answer("404 Not Found", PORTAL, "text/html")
    ),
    "proxy login": wants_login,
    "too many requests": behaves(
        "server.rate_limited",
        "Too many requests to the license server, retry after 30 s.",
        answer("429 Too Many Requests", b"", Retry_After="30"),
    ),
    "fault of the server": behaves(
        "server.error", "License server error 500.", answer("500 Internal Server Error", b"oops", "text/plain")
    ),
    "certificate that is over": shows_certificate(
        "certificate has expired.",
        "127.0.0.1",
        is_trusted=True,
        not_after=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    ),
    "certificate of a stranger": shows_certificate(
        "unable to get local issuer certificate.", "127.0.0.1", is_trusted=False
    ),
    "certificate for another host": shows_certificate("IP address mismatch", "other.example", is_trusted=True),
    "no such name": is_unknown,
}


@contextmanager
def in_trouble(name: str, folder: Path) -> Iterator[Trouble]:
    with ExitStack() as stack:
        trouble = TROUBLES[name](stack, folder)
        trouble.variables = {**with_token(""), "LICENSE_TIMEOUT": TIMEOUT, **trouble.variables}
        yield trouble


@pytest.mark.parametrize("name", TROUBLES)
def test_without_a_license_here_a_start_is_refused_within_its_budget_with_the_exact_reason(
    name: str, tmp_path: Path
) -> None:
    with in_trouble(name, tmp_path) as trouble:
        in_json = begin(tmp_path / "json", LICENSE_ERROR_FORMAT="json", **trouble.variables)
        in_text = begin(tmp_path / "text", **trouble.variables)
        line, _ = in_json.communicate(timeout=60)
        block, errors = in_text.communicate(timeout=60)
    assert (in_json.returncode, in_text.returncode) == (55, 55)

    assert line.count("\n") == 1
    report = json.loads(line)
    assert (report["event"], report["code"], report["exit_code"]) == ("license_activation_failed", trouble.code, 55)
    assert report["reason"].startswith(trouble.text)
    assert report["what_to_do"][-1] == "Set ACTIVATE_PRO=0 to go on without licensed features."
    assert report["budget_seconds"] == int(TIMEOUT)
    assert 0 < report["spent_seconds"] <= report["budget_seconds"]
    assert (report["paused_seconds"], report["failed_starts"]) == (0, 1)

    lines = block.splitlines()
    assert lines[:3] == [
        "Localstack returning with exit code 55. Reason: ",
        "License activation failed! 🔑❌",
        "",
    ]
    assert lines[3].startswith("Reason: " + trouble.text)
    assert lines[4:6] == ["", "What to do:"]
    assert lines[-3:] == [
        "- Set ACTIVATE_PRO=0 to go on without licensed features.",
        "",
        f"Code: {trouble.code}  Docs: http://web/docs/errors#{trouble.code}",
    ]
    assert not re.search(r"[{}]", block)
    assert TOKEN not in line + block + errors
    assert errors == ""


@pytest.mark.parametrize("name", TROUBLES)
def test_with_a_fresh_license_here_it_starts_and_says_why_it_was_not_checked(
    name: str, tmp_path: Path, emulate: Emulate
) -> None:
    keep_license(tmp_path / "volume")
    with in_trouble(name, tmp_path) as trouble:
        emulator = emulate(**trouble.variables)
        assert emulator.wait_until(lambda: get(emulator, "license")["reason_code"] is not None)
        found = get(emulator, "license")
        assert (found["state"], found["reason_code"]) == ("active_cached", trouble.code)
        assert get(emulator, "info")["is_license_activated"] is True
        assert emulator.wait_until(lambda: "Ready.\n" in emulator.printed())
        why, success, _ = emulator.printed().splitlines()[:3]
        assert success.startswith(f"Successfully activated cached license lic_01:trial from {tmp_path}/volume/cache/")
        late = "The license server did not answer within 1 s; the license is checked beside the start."
        assert why == late or why.startswith("The license could not be checked: " + trouble.text)
        assert why == late or trouble.code != "server.timeout"
        emulator.stop()
    assert (tmp_path / "volume" / "cache" / "license.json").exists()
