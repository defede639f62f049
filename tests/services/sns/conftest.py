"""Topics, queues that listen to them, and a web server that does."""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import Request, urlopen

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.conftest import RunningEmulator

NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


class Receiver:
    """A web server that keeps what it gets and answers with the statuses it is told, the last one for good."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], str]] = []
        self.statuses = [200]
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                statuses = receiver.statuses
                self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/inbox"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def of_type(self, kind: str) -> list[tuple[dict[str, str], str]]:
        return [(headers, body) for headers, body in self.received if headers["x-amz-sns-message-type"] == kind]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()


@pytest.fixture
def sns(client: Callable[..., Any]) -> Any:
    return client("sns")


@pytest.fixture
def sqs(client: Callable[..., Any]) -> Any:
    return client("sqs")


@pytest.fixture
def topic(sns: Any, unique: Callable[..., str]) -> str:
    arn: str = sns.create_topic(Name=unique("topic"))["TopicArn"]
    return arn


class Inbox:
    """A queue that listens to a topic."""

    def __init__(self, sns: Any, sqs: Any, name: str, topic: str, attributes: dict[str, str]) -> None:
        fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        self.sqs = sqs
        self.url = sqs.create_queue(QueueName=name, Attributes=fifo)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
        self.subscription: str = sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=self.arn, Attributes=attributes
        )["SubscriptionArn"]

    def messages(self) -> list[dict[str, Any]]:
        """All that are there; they are deleted."""
        found: list[dict[str, Any]] = []
        while True:
            got = self.sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
            ).get("Messages", [])
            if not got:
                return found
            for message in got:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            found += got

    def texts(self) -> list[str]:
        return [json.loads(message["Body"])["Message"] for message in self.messages()]


@pytest.fixture
def inbox(sns: Any, sqs: Any, topic: str, unique: Callable[..., str]) -> Callable[..., Inbox]:
    """`inbox(RawMessageDelivery="true")`: a new queue subscribed to the topic."""

    def make(to: str = topic, fifo: bool = False, **attributes: str) -> Inbox:
        return Inbox(sns, sqs, unique("inbox") + (".fifo" if fifo else ""), to, attributes)

    return make


def verify(emulator: RunningEmulator, document: dict[str, str]) -> int:
    """Check the signature against the served certificate, as clients do; the key's bits. Raises InvalidSignature."""
    path = document["SigningCertURL"].partition("/_aws")[2]
    with urlopen(f"{emulator.url}/_aws{path}", timeout=10) as answer:
        key = x509.load_pem_x509_certificate(answer.read()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    names = NOTIFICATION if document["Type"] == "Notification" else CONFIRMATION
    text = "".join(f"{name}\n{document[name]}\n" for name in names if name in document)
    digest: Any = hashes.SHA1() if document["SignatureVersion"] == "1" else hashes.SHA256()
    key.verify(b64decode(document["Signature"]), text.encode(), padding.PKCS1v15(), digest)
    return key.key_size


def move_clock(emulator: RunningEmulator, action: str, **body: float) -> None:
    request = Request(
        f"{emulator.url}/_cloudlet/clock/{action}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
        method="POST",
    )
    with urlopen(request, timeout=30) as answer:
        answer.read()
