"""The name server of a running emulator, asked by a real resolver; the upstream server is another one of ours."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from cloudlet.emulator.dns.server import NameServer
from cloudlet.settings import SettingError, Settings, read_settings
from tests.conftest import RunningEmulator, free_port

PATIENCE_SECONDS = 20


class RunningNames:
    """A name server on a thread of its own."""

    def __init__(self, **options: object) -> None:
        self.server = NameServer(Settings(dns_address="127.0.0.1", dns_port=free_port(), **options))  # type: ignore[arg-type]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.started = asyncio.run_coroutine_threadsafe(self.server.start(), self.loop).result(PATIENCE_SECONDS)
        self.port = self.server.port

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.server.stop(), self.loop).result(PATIENCE_SECONDS)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def ask(self, name: str, kind: str = "A", over_tcp: bool = False) -> dns.message.Message:
        query = dns.message.make_query(name, kind)
        send = dns.query.tcp if over_tcp else dns.query.udp
        return send(query, "127.0.0.1", PATIENCE_SECONDS, self.port)


def addresses(answer: dns.message.Message) -> list[str]:
    return [str(record) for rrset in answer.answer for record in rrset]


@pytest.fixture
def start() -> Iterator[Callable[..., RunningNames]]:
    started: list[RunningNames] = []

    def begin(**options: object) -> RunningNames:
        started.append(RunningNames(**options))
        return started[-1]

    yield begin
    for running in reversed(started):
        running.close()


@pytest.mark.parametrize("over_tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize(
    "name",
    [
        "localhost.localstack.cloud",
        "photos.s3.localhost.localstack.cloud",
        "SQS.us-east-1.LocalHost.LocalStack.Cloud",
        "s3.amazonaws.com",
        "photos.s3.eu-west-1.amazonaws.com",
        "abc.lambda-url.us-east-1.on.aws",
    ],
)
def test_our_names_lead_to_us(start: Callable[..., RunningNames], name: str, over_tcp: bool) -> None:
    answer = start().ask(name, over_tcp=over_tcp)
    assert answer.rcode() == dns.rcode.NOERROR
    assert addresses(answer) == ["127.0.0.1"]


def test_our_names_have_no_other_records(start: Callable[..., RunningNames]) -> None:
    running = start()
    for kind in ("AAAA", "TXT", "MX"):
        answer = running.ask("s3.amazonaws.com", kind)
        assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])
    assert addresses(running.ask("s3.amazonaws.com", "ANY")) == ["127.0.0.1"]


def test_the_address_can_be_chosen(start: Callable[..., RunningNames]) -> None:
    assert addresses(start(dns_resolve_ip="10.1.2.3").ask("s3.amazonaws.com")) == ["10.1.2.3"]
    six = start(dns_resolve_ip="fd00::7")
    assert addresses(six.ask("s3.amazonaws.com", "AAAA")) == ["fd00::7"]
    assert addresses(six.ask("s3.amazonaws.com", "A")) == []


@pytest.mark.parametrize("over_tcp", [False, True], ids=["udp", "tcp"])
def test_other_names_are_asked_upstream(start: Callable[..., RunningNames], over_tcp: bool) -> None:
    upstream = start(dns_resolve_ip="192.0.2.44", localstack_host="example.org:4566")
    running = start(dns_server=f"127.0.0.1#{upstream.port}")
    assert addresses(running.ask("www.example.org", over_tcp=over_tcp)) == ["192.0.2.44"]


def test_what_is_ours_can_be_left_to_aws(start: Callable[..., RunningNames]) -> None:
    upstream = start(dns_resolve_ip="192.0.2.44")
    server = f"127.0.0.1#{upstream.port}"
    by_pattern = start(dns_server=server, dns_upstream_patterns=(r"^ecr\.",))
    assert addresses(by_pattern.ask("ecr.us-east-1.amazonaws.com")) == ["192.0.2.44"]
    assert addresses(by_pattern.ask("sqs.us-east-1.amazonaws.com")) == ["127.0.0.1"]
    without = start(dns_server=server, leave_aws_names=True)
    assert addresses(without.ask("sqs.us-east-1.amazonaws.com")) == ["192.0.2.44"]
    assert addresses(without.ask("sqs.localhost.localstack.cloud")) == ["127.0.0.1"]


def test_no_upstream_server_is_a_failure_that_is_told(start: Callable[..., RunningNames]) -> None:
    answer = start(dns_server=f"127.0.0.1#{free_port()}").ask("www.example.org", over_tcp=True)
    assert answer.rcode() == dns.rcode.SERVFAIL


@pytest.mark.parametrize(
    "garbage", [b"", b"\x00", b"\xff" * 40, b"\x12\x34\x01\x00\x00\x01" + b"\x00" * 6 + b"\xc0\x0c"]
)
def test_garbage_does_no_harm(start: Callable[..., RunningNames], garbage: bytes) -> None:
    running = start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(garbage, ("127.0.0.1", running.port))
    with socket.create_connection(("127.0.0.1", running.port)) as stream:
        stream.sendall(len(garbage).to_bytes(2, "big") + garbage)
    assert addresses(running.ask("s3.amazonaws.com")) == ["127.0.0.1"]


def test_a_taken_port_is_a_warning(start: Callable[..., RunningNames], caplog: pytest.LogCaptureFixture) -> None:
    first = start()
    server = NameServer(Settings(dns_address="127.0.0.1", dns_port=first.port))
    assert asyncio.run(server.start()) is False
    assert "Choose another DNS_PORT" in caplog.text


def test_an_emulator_with_a_name_server(start_emulator: Callable[..., RunningEmulator]) -> None:
    port = free_port()
    emulator = start_emulator(DNS_ADDRESS="127.0.0.1", DNS_PORT=str(port))
    query = dns.message.make_query("photos.s3.localhost.localstack.cloud", "A")
    assert addresses(dns.query.udp(query, "127.0.0.1", PATIENCE_SECONDS, port)) == ["127.0.0.1"]
    assert emulator.stop() == 0
    with pytest.raises((dns.exception.DNSException, OSError)):
        dns.query.tcp(query, "127.0.0.1", 2, port)


def test_an_emulator_that_cannot_have_the_port_serves_all_the_same(
    start_emulator: Callable[..., RunningEmulator], start: Callable[..., RunningNames]
) -> None:
    emulator = start_emulator(DNS_ADDRESS="127.0.0.1", DNS_PORT=str(start().port))
    assert emulator.client("sts").get_caller_identity()["Account"] == "000000000000"
    assert "no name server on port" in emulator.printed()


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(SettingError, match="no regular expression"):
        read_settings({"DNS_NAME_PATTERNS_TO_RESOLVE_UPSTREAM": "("})
