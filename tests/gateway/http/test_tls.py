"""TLS and plain HTTP on one port: who is trusted, which names, what is kept."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import socket
import ssl
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from cloudlet.emulator.gateway.http.certificates import Authority
from cloudlet.emulator.gateway.http.tls import ServerCertificates, TlsError, covers
from tests.gateway.http.conftest import Serve
from tests.gateway.http.serving import Peer, RunningServer

GET = b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n"
Secure = Callable[..., Peer]


@pytest.fixture(params=[uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def secure(request: pytest.FixtureRequest, serve: Serve, tmp_path: Path) -> RunningServer:
    return serve(loop_factory=request.param, certificates=ServerCertificates(tmp_path / "tls"))


def trusting(authority: bytes) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority.decode())


def dial(server: RunningServer, name: str = "localhost", authority: bytes | None = None) -> Peer:
    """A TLS client that trusts the server's authority and checks the name."""
    certificates = server.server.certificates
    assert certificates is not None
    pem = authority or server.do(lambda: certificates.authority.certificate_pem())
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    return Peer(trusting(pem).wrap_socket(raw, server_hostname=name))


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "127.0.0.1",
        "::1",
        "localhost.localstack.cloud",
        "sqs.localhost.localstack.cloud",
        "bucket.s3.localhost.localstack.cloud",
        "bucket.s3.eu-west-1.localhost.localstack.cloud",
        "bucket.localhost",
        "a.b.s3.amazonaws.com",
    ],
)
def test_certificate_is_good_for_the_name(secure: RunningServer, name: str) -> None:
    with dial(secure, name) as peer:
        peer.send(GET % b"x")
        assert peer.answer().body == b"/x"
    assert secure.app.seen[0].scheme == "https"


def test_plain_and_encrypted_share_the_port(secure: RunningServer) -> None:
    with secure.connect() as plain, dial(secure) as encrypted:
        for peer, scheme in ((plain, "http"), (encrypted, "https"), (plain, "http")):
            peer.send(GET % b"x")
            assert peer.answer().status == 200
            assert secure.app.seen[-1].scheme == scheme


def test_http_1_1_is_negotiated(secure: RunningServer) -> None:
    certificates = secure.server.certificates
    assert certificates is not None
    context = trusting(secure.do(lambda: certificates.authority.certificate_pem()))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", secure.port), timeout=20) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as connection,
    ):
        assert connection.selected_alpn_protocol() == "http/1.1"


def test_stranger_is_not_trusted(secure: RunningServer) -> None:
    stranger = Authority.create(1_790_000_000.0).certificate_pem()
    with pytest.raises(ssl.SSLCertVerificationError):
        dial(secure, authority=stranger)
    with dial(secure) as peer:
        peer.send(GET % b"x")
        assert peer.answer().status == 200


def test_large_bodies_pass_both_ways(secure: RunningServer, tmp_path: Path) -> None:
    body = os.urandom(1 << 20) * 5
    (tmp_path / "file").write_bytes(body)
    with dial(secure) as peer:
        peer.send(b"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body + GET % b"next")
        assert peer.answer().body == body
        assert peer.answer().body == b"/next"
        peer.send(GET % b"file?name=file&start=1&length=5000000" + GET % b"pieces?count=100&size=100000")
        assert peer.answer().body == body[1:5000001]
        assert len(peer.answer().body) == 10_000_000


def test_slow_reader_holds_an_encrypted_file_back(secure: RunningServer, tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    with dial(secure) as peer:
        peer.send(GET % b"file?name=file&start=0&length=67108864")
        secure.until(lambda: any(getattr(one, "paused", False) for one in secure.server.connections))
        connection = next(iter(secure.server.connections))
        assert secure.do(connection.transport.get_write_buffer_size) < 1024 * 1024  # type: ignore[attr-defined]
        assert len(peer.answer().body) == 64 * 1024 * 1024


def test_pipelining_is_bounded_behind_tls(secure: RunningServer) -> None:
    with dial(secure) as peer:
        peer.send(GET % b"wait/1" + b"".join(GET % b"%d" % number for number in range(200)))
        secure.release("/wait/1")
        assert [peer.answer().body for _ in range(201)][-1] == b"/199"


def test_client_that_vanishes_cancels_what_runs_for_it(secure: RunningServer) -> None:
    with dial(secure) as peer:
        peer.send(GET % b"wait/1")
        secure.until(lambda: "/wait/1" in secure.app.waiting)
    secure.until(lambda: secure.app.cancelled == ["/wait/1"])


def test_answer_before_the_close_arrives(secure: RunningServer) -> None:
    with dial(secure) as peer:
        peer.send(b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert peer.all_answers()[0].body == b"/x"  # and the end is TLS's own, not a truncation
    with dial(secure) as peer:
        peer.send(b"garbage\r\n\r\n")
        assert peer.all_answers()[0].status == 400


def test_broken_handshake_does_no_harm(secure: RunningServer) -> None:
    for data in (b"\x16", b"\x16\x03\x01\x00\x05hello", b"\x16" + os.urandom(500)):
        with secure.connect() as peer:
            peer.send(data)
            peer.socket.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                peer.rest()
    secure.until(lambda: not secure.server.connections)
    with dial(secure) as peer:
        peer.send(GET % b"x")
        assert peer.answer().status == 200


def test_silent_and_half_open_connections_are_given_up(secure: RunningServer) -> None:
    with secure.connect() as silent, secure.connect() as half:
        half.send(b"\x16\x03\x01")
        secure.until(lambda: len(secure.server.connections) == 2)
        secure.pass_seconds(40)
        secure.until(lambda: not secure.server.connections)
        del silent


def test_authority_is_kept_with_private_keys(tmp_path: Path) -> None:
    first = ServerCertificates(tmp_path / "tls")
    first.context.get_ca_certs()
    kept = {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()}
    assert set(kept) == {"ca.key", "ca.pem", "server.pem", "server.json"}
    for name in ("ca.key", "server.pem"):
        assert stat.S_IMODE((tmp_path / "tls" / name).stat().st_mode) == 0o600
    second = ServerCertificates(tmp_path / "tls")
    second.context.get_ca_certs()
    assert {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()} == kept


def test_certificate_is_renewed_before_it_ends_and_for_new_names(tmp_path: Path) -> None:
    now = 1_800_000_000.0
    assert ServerCertificates(tmp_path, now=lambda: now).context
    old = (tmp_path / "server.pem").read_bytes()
    assert ServerCertificates(tmp_path, now=lambda: now + 300 * 86400).context
    assert (tmp_path / "server.pem").read_bytes() == old
    assert ServerCertificates(tmp_path, now=lambda: now + 380 * 86400).context
    renewed = (tmp_path / "server.pem").read_bytes()
    assert renewed != old
    assert ServerCertificates(tmp_path, names=("emulator.internal",), now=lambda: now + 380 * 86400).context
    assert (tmp_path / "server.pem").read_bytes() != renewed


def test_certificates_without_a_directory_stay_in_memory(serve: Serve) -> None:
    server = serve(certificates=ServerCertificates(None))
    with dial(server) as peer:
        peer.send(GET % b"x")
        assert peer.answer().status == 200


def test_custom_certificate_is_used_as_it_is(serve: Serve, tmp_path: Path) -> None:
    authority = Authority.create(ServerCertificates().now())
    (tmp_path / "own.pem").write_bytes(authority.server_pem(("emulator.example",), ServerCertificates().now()))
    server = serve(certificates=ServerCertificates(tmp_path / "tls", custom_path=str(tmp_path / "own.pem")))
    with dial(server, "emulator.example", authority.certificate_pem()) as peer:
        peer.send(GET % b"x")
        assert peer.answer().status == 200
    assert not (tmp_path / "tls").exists()


def test_custom_certificate_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_text("nonsense")
    with pytest.raises(TlsError, match=r"CUSTOM_SSL_CERT_PATH=.*own.pem: not a PEM file"):
        assert ServerCertificates(custom_path=str(tmp_path / "own.pem")).context


def test_wildcard_stands_for_one_label() -> None:
    assert covers(("*.a.b",), "x.a.b")
    assert not covers(("*.a.b",), "y.x.a.b")
    assert not covers(("*.a.b",), "a.b")


def test_standard_https_client_works(secure: RunningServer) -> None:
    certificates = secure.server.certificates
    assert certificates is not None
    context = trusting(secure.do(lambda: certificates.authority.certificate_pem()))
    client = http.client.HTTPSConnection("127.0.0.1", secure.port, context=context, timeout=20)
    for _ in range(3):
        client.request("PUT", "/echo", body=b"hello")
        assert client.getresponse().read() == b"hello"
    client.close()
