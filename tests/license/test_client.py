from __future__ import annotations

import datetime
import json
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
import trustme

from cloudlet.license.client import (
    Budget,
    LicenseClient,
    LicenseDenied,
    LicenseRequest,
    LicenseUnreachable,
)
from cloudlet.license.effects import SYSTEM
from cloudlet.license.transport import Route
from tests.license import faults
from tests.license.faults import FaultServer, answer, verdict
from tests.license.samples import TOKEN, license_document

REQUEST = LicenseRequest(
    token=TOKEN, credential_type="licensing-auth-token", version="0.1.0", machine_id="gen_1", system="Linux,6,x86_64"
)
QUICK = Budget(total_seconds=1.0, connect_seconds=0.5, read_seconds=0.4)


class NoWaiting:
    """The real world, but pauses between tries take no time; they are remembered."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.now = SYSTEM.now
        self.monotonic = SYSTEM.monotonic
        self.random_bytes = SYSTEM.random_bytes

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


def client(url: str, budget: Budget = QUICK, **options: Any) -> LicenseClient:
    return LicenseClient(url, effects=NoWaiting(), budget=budget, web="http://web", **options)


def unreachable(url: str, **options: Any) -> str:
    with pytest.raises(LicenseUnreachable) as caught:
        client(url, **options).fetch_license(REQUEST)
    assert not caught.value.failure.reason.is_final
    assert caught.value.failure.text()
    return caught.value.failure.code


def test_a_license_comes_back_as_it_was_sent() -> None:
    raw = license_document()
    with faults.faults(answer("200 OK", raw, Date="Tue, 24 Nov 2026 06:00:00 GMT", X_Request_Id="req_1")) as server:
        found = client(server.url).fetch_license(REQUEST)
    assert (found.raw, found.server_time, found.request_id) == (raw, 1_795_500_000, "req_1")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/license/request HTTP/1.1")
    assert json.loads(body) == {
        "credentials": {"type": "licensing-auth-token", "token": TOKEN},
        "product": {"name": "cloudlet", "version": "0.1.0"},
        "machine": {"id": "gen_1", "system": "Linux,6,x86_64", "ci": False, "cli": False},
    }


@pytest.mark.parametrize(
    ("behave", "code"),
    [
        (faults.silence, "server.timeout"),
        (faults.drip, "server.timeout"),
        (faults.hang_up, "server.connect"),
        (faults.half, "server.intercepted"),
        (faults.noise, "server.intercepted"),
        (faults.endless, "server.intercepted"),
        (answer("200 OK", b"<html>sign in to the WLAN</html>", "text/html"), "server.intercepted"),
        (answer("200 OK", {"hello": 1}), "server.intercepted"),
        (answer("200 OK", b"[]"), "server.intercepted"),
        (answer("302 Found", b"", Location="http://portal"), "server.intercepted"),
        (answer("404 Not Found", b"<html>", "text/html"), "server.intercepted"),
        (answer("403 Forbidden", b"<html>", "text/html"), "server.intercepted"),
        (answer("403 Forbidden", {"message": "licensing.license.expired"}), "server.intercepted"),
        (verdict("403 Forbidden", "generic.forbidden"), "server.intercepted"),
        (verdict("418 I'm a teapot", "licensing.license.expired"), "server.intercepted"),
        (answer("407 Proxy Authentication Required"), "server.proxy_auth"),
        (answer("429 Too Many Requests", b"", Retry_After="30"), "server.rate_limited"),
        (verdict("429 Too Many Requests", "licensing.rate_limited"), "server.rate_limited"),
        (answer("500 Internal Server Error"), "server.error"),
        (verdict("503 Service Unavailable", "licensing.unavailable"), "server.error"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_verdict_is_classified(behave: faults.Behaviour, code: str) -> None:
    with faults.faults(behave) as server:
        assert unreachable(server.url) == code


@pytest.mark.parametrize(
    ("status", "message", "native", "code"),
    [
        ("403 Forbidden", "licensing.credentials.invalid", "", "credentials.invalid"),
        ("403 Forbidden", "licensing.license.expired", "", "license.expired"),
        (
            "403 Forbidden",
            "licensing.license.invalid_status:UNASSIGNED",
            "licensing.license.not_assigned",
            "license.not_assigned",
        ),
        ("400 Bad Request", "licensing.license.format:latest", "", "license.version"),
        ("404 Not Found", "licensing.license.not_found", "", "license.not_found"),
        ("401 Unauthorized", "licensing.credentials.format", "licensing.credentials.checksum", "credentials.checksum"),
        ("403 Forbidden", "licensing.brand.new", "", "license.not_found"),
    ],
)
def test_a_verdict_is_final_and_keeps_the_servers_words(status: str, message: str, native: str, code: str) -> None:
    behave = verdict(status, message, code=native, detail="Because.", hint="Do this.", request_id="req_7")
    with faults.faults(behave) as server, pytest.raises(LicenseDenied) as caught:
        client(server.url).fetch_license(REQUEST)
    found = caught.value.failure
    assert (found.code, found.text(), found.request_id) == (code, "Because.", "req_7")
    assert found.advice()[0] == "Do this."
    assert found.reason.is_final
    assert server.connections == 1


def test_a_servers_words_cannot_play_with_the_terminal() -> None:
    behave = verdict("403 Forbidden", "licensing.license.expired", detail="\x1b[2Jred\nlines" + "x" * 5000)
    with faults.faults(behave) as server, pytest.raises(LicenseDenied) as caught:
        client(server.url).fetch_license(REQUEST)
    assert caught.value.failure.text().startswith("[2Jredlines")
    assert len(caught.value.failure.text()) <= 600


def test_a_passing_fault_is_tried_again_three_times_at_most() -> None:
    with faults.faults(answer("500 Internal Server Error")) as server:
        assert unreachable(server.url) == "server.error"
        assert server.connections == 3


def test_a_second_try_may_succeed() -> None:
    raw = license_document()
    turns = iter([answer("503 Service Unavailable"), answer("200 OK", raw)])
    with faults.faults(lambda connection, request: next(turns)(connection, request)) as server:
        assert client(server.url).fetch_license(REQUEST).raw == raw


def test_the_servers_wish_to_wait_is_granted_within_the_budget() -> None:
    raw = license_document()
    turns = iter([answer("429 Too Many Requests", b"", Retry_After="2"), answer("200 OK", raw)])
    effects = NoWaiting()
    with faults.faults(lambda connection, request: next(turns)(connection, request)) as server:
        LicenseClient(server.url, effects=effects).fetch_license(REQUEST)
    assert effects.pauses == [2.0]


def test_a_wish_beyond_the_budget_ends_it() -> None:
    with faults.faults(answer("429 Too Many Requests", b"", Retry_After="60")) as server:
        assert unreachable(server.url) == "server.rate_limited"
        assert server.connections == 1


def test_a_port_where_nobody_listens_refuses() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert unreachable(f"http://127.0.0.1:{port}/v1") == "server.connect"


def test_a_name_that_does_not_exist_is_a_dns_problem() -> None:
    with pytest.raises(LicenseUnreachable) as caught:
        client("http://license.invalid/v1").fetch_license(REQUEST)
    assert caught.value.failure.code == "server.dns"
    assert "dig license.invalid" in caught.value.failure.text()


@pytest.mark.parametrize("url", ["ftp://x/v1", "nothing", "", "http:///v1"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    assert unreachable(url) == "server.intercepted"


def tls_server(tmp_path: Path, name: str, **options: Any) -> tuple[ssl.SSLContext, Path]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **options).configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    return context, bundle


def test_tls_works_with_the_companys_own_authority(tmp_path: Path) -> None:
    context, bundle = tls_server(tmp_path, "127.0.0.1")
    raw = license_document()
    with faults.faults(answer("200 OK", raw), context) as server:
        found = client(server.url, route=Route(ca_bundles=(str(bundle),))).fetch_license(REQUEST)
        assert found.raw == raw
        assert unreachable(server.url) == "server.tls"
        assert client(server.url, route=Route(verify_tls=False)).fetch_license(REQUEST).raw == raw


def test_a_certificate_for_another_name_and_one_that_is_over_are_refused(tmp_path: Path) -> None:
    for name, options in (
        ("other.example", {}),
        ("127.0.0.1", {"not_after": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)}),
    ):
        context, bundle = tls_server(tmp_path, name, **options)
        with faults.faults(answer("200 OK", license_document()), context) as server:
            assert unreachable(server.url, route=Route(ca_bundles=(str(bundle),))) == "server.tls"


def test_https_to_a_server_without_tls_is_a_tls_problem() -> None:
    with faults.faults(faults.noise, listens=False) as server:
        assert unreachable(server.url.replace("http:", "https:")) == "server.tls"


def through(proxy: FaultServer) -> Route:
    return Route(proxies={"http": f"http://ann:pass@127.0.0.1:{proxy.port}", "https": f"http://127.0.0.1:{proxy.port}"})


def test_http_goes_through_the_proxy_with_its_login() -> None:
    raw = license_document()
    with faults.faults(answer("200 OK", raw)) as proxy:
        found = client("http://license.example/v1", route=through(proxy)).fetch_license(REQUEST)
    assert found.raw == raw
    assert proxy.requests[0].startswith(b"POST http://license.example/v1/license/request HTTP/1.1")
    assert b"Proxy-Authorization: Basic YW5uOnBhc3M=" in proxy.requests[0]


def test_https_asks_the_proxy_for_a_tunnel() -> None:
    with faults.faults(answer("407 Proxy Authentication Required")) as proxy:
        assert unreachable("https://license.example/v1", route=through(proxy)) == "server.proxy_auth"
        assert proxy.requests[0].startswith(b"CONNECT license.example:443 HTTP/1.1")
    with faults.faults(answer("503 No")) as proxy:
        assert unreachable("https://license.example/v1", route=through(proxy)) == "server.intercepted"


@pytest.mark.parametrize(
    ("host", "pattern", "direct"),
    [
        ("license.corp.example", "corp.example", True),
        ("license.corp.example", ".corp.example", True),
        ("corp.example", "corp.example", True),
        ("othercorp.example", "corp.example", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("anything", "*", True),
        ("127.0.0.1", "", True),
        ("localhost", "", True),
    ],
)
def test_no_proxy_and_loopback_go_around_it(host: str, pattern: str, direct: bool) -> None:
    route = Route(proxies={"https": "http://proxy:3128"}, no_proxy=(pattern,) if pattern else ())
    assert (route.proxy_for("https", host) == "") is direct


def test_keys_and_ping_are_read_and_what_is_not_them_is_not() -> None:
    with faults.faults(answer("200 OK", {"keys": []})) as server:
        assert json.loads(client(server.url).fetch_keys()) == {"keys": []}
        assert server.requests[0].startswith(b"GET /.well-known/license-keys.json ")
    with faults.faults(answer("200 OK", {"ok": True, "kid": "k"})) as server:
        assert client(server.url).ping()["kid"] == "k"
        assert server.requests[0].startswith(b"GET /v1/license/ping ")
    with faults.faults(answer("404 Not Found", b"<html>", "text/html")) as server:
        for call in (client(server.url).ping, client(server.url).fetch_keys):
            with pytest.raises(LicenseUnreachable) as caught:
                call()
            assert caught.value.failure.code == "server.intercepted"
            assert f"API_ENDPOINT ({server.url}; does it end in /v1?)" in caught.value.failure.text()


def test_no_text_contains_the_token() -> None:
    with faults.faults(answer("500 Internal Server Error")) as server, pytest.raises(LicenseUnreachable) as caught:
        client(server.url).fetch_license(REQUEST)
    assert TOKEN not in repr(caught.value.failure)


def refusal(url: str, **options: Any) -> Any:
    with pytest.raises(LicenseUnreachable) as caught:
        client(url, **options).fetch_license(REQUEST)
    return caught.value.failure


def drip_headers(connection: socket.socket, _request: bytes) -> None:
    """A header that never ends: each byte comes well within any wait for the next one."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def drip_records(connection: socket.socket, _request: bytes) -> None:
    """The beginning of a TLS record, and the rest of it byte by byte."""
    connection.sendall(b"\x16\x03\x03\x40\x00")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def test_an_answer_that_never_ends_its_headers_or_its_handshake_ends_with_the_budget() -> None:
    with faults.faults(drip_headers) as server:
        assert refusal(server.url).code == "server.timeout"
    with faults.faults(drip_records, listens=False) as server:
        assert refusal(server.url.replace("http:", "https:")).code == "server.timeout"


def test_what_is_not_trusted_names_its_issuer(tmp_path: Path) -> None:
    authority = trustme.CA(organization_name="Corp Inc.\n", organization_unit_name="Proxies")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with faults.faults(answer("200 OK", license_document()), context) as server:
        found = refusal(server.url)
        assert server.requests == []  # nothing was sent to it, the token least of all
    assert found.code == "server.tls"
    assert 'The TLS certificate of 127.0.0.1 is not trusted (issuer "Corp Inc.")' in found.text()


def test_a_bundle_of_authorities_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.pem")
    found = refusal("https://127.0.0.1:1/v1", route=Route(ca_bundles=(gone,)))
    assert found.code == "server.tls"
    assert gone in found.text()
    assert "cannot be read: no such file" in found.text()


def test_a_folder_of_authorities_is_read(tmp_path: Path) -> None:
    context, bundle = tls_server(tmp_path, "127.0.0.1")
    with faults.faults(answer("200 OK", license_document()), context) as server:
        assert refusal(server.url, route=Route(ca_bundles=(str(tmp_path),))).code == "server.tls"  # not hashed
        assert client(server.url, route=Route(ca_bundles=(str(tmp_path), str(bundle)))).fetch_license(REQUEST)


def test_each_way_of_not_connecting_has_its_own_words() -> None:
    with faults.faults(faults.hang_up) as server:
        assert f"127.0.0.1:{server.port} closed the connection without an answer." in refusal(server.url).text()
    assert "refused the connection" in refusal("http://127.0.0.1:1/v1").text()
    assert "cannot be reached" in refusal("http://255.255.255.255/v1").text()
    with faults.faults(faults.noise, listens=False) as server:
        text = refusal(server.url.replace("http:", "https:")).text()
        assert f"127.0.0.1:{server.port} does not speak TLS as it should" in text


def test_a_proxy_that_wants_a_login_is_named_without_the_one_it_got() -> None:
    with faults.faults(answer("407 Proxy Authentication Required")) as proxy:
        for url in ("http://license.example/v1", "https://license.example/v1"):
            found = refusal(url, route=through(proxy))
            assert found.text() == f"Proxy 127.0.0.1:{proxy.port} asked for a login (407)."
            assert "ann" not in str(found.values)
        assert refusal(proxy.url).text() == "Proxy on the way to 127.0.0.1 asked for a login (407)."


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        ("30", "Too many requests to the license server, retry after 30 s."),
        ("Tue, 24 Nov 2026 06:01:00 GMT", "Too many requests to the license server, retry after 60 s."),
        ("soon", "Too many requests to the license server."),
    ],
)
def test_when_to_come_back_may_be_seconds_or_a_date(wish: str, text: str) -> None:
    busy = answer("429 Too Many Requests", b"", Retry_After=wish, Date="Tue, 24 Nov 2026 06:00:00 GMT")
    with faults.faults(busy) as server:
        assert refusal(server.url).text() == text


def test_each_failed_try_is_told_before_the_next() -> None:
    told: list[str] = []
    with faults.faults(answer("500 Internal Server Error")) as server, pytest.raises(LicenseUnreachable):
        client(server.url, on_trouble=lambda why: told.append(why.code)).fetch_license(REQUEST)
    assert told == ["server.error"] * 3
