"""Every internal endpoint answers as its documents say: ours, and that of LocalStack's API, of which what is not here is
404 without a body. The endpoints are those of the documents, so that a new one cannot be forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case

from tests.activation.running import licensed
from tests.conftest import RunningEmulator
from tests.gateway.internal.schemas.documents import Operation, check, operations, ours, theirs
from tests.gateway.internal.schemas.variants import VARIANTS, Ask

GENERATED = schemathesis.openapi.from_dict(ours())
EXAMPLES = 3
FIXED = [operation for operation in operations(ours()) if operation in VARIANTS]
OTHERS = [operation for operation in operations(ours()) if operation not in VARIANTS]


class Prepared:
    """An activated emulator with something of everything, and the names of what it has."""

    def __init__(self, running: RunningEmulator) -> None:
        self.running = running
        sqs, sns, iam = (running.client(name) for name in ("sqs", "sns", "iam"))
        queue = sqs.create_queue(QueueName="kept")["QueueUrl"]
        sqs.send_message(QueueUrl=queue, MessageBody="hello")
        topic = sns.create_topic(Name="kept")["TopicArn"]
        subscribed = sns.subscribe(
            TopicArn=topic, Protocol="email", Endpoint="me@example.com", ReturnSubscriptionArn=True
        )
        application = sns.create_platform_application(
            Name="kept", Platform="GCM", Attributes={"PlatformCredential": "secret"}
        )
        endpoint = sns.create_platform_endpoint(
            PlatformApplicationArn=application["PlatformApplicationArn"], Token="token"
        )["EndpointArn"]
        sns.publish(TargetArn=endpoint, Message="to a device")
        sns.publish(PhoneNumber="+4912345678", Message="to a telephone")
        ses = running.client("ses")
        ses.verify_email_identity(EmailAddress="me@example.com")
        body = {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}, "Html": {"Data": "<h>"}}}
        ses.send_email(Source="me@example.com", Destination={"ToAddresses": ["you@example.com"]}, Message=body)
        point = {"MetricName": "load", "Value": 1.5, "Dimensions": [{"Name": "host", "Value": "a"}]}
        running.client("cloudwatch").put_metric_data(Namespace="mine", MetricData=[point])
        iam.create_user(UserName="kept")
        self.names = {
            "queue": queue,
            "subscription": subscribed["SubscriptionArn"],
            "endpoint": endpoint,
            "key": iam.create_access_key(UserName="kept")["AccessKey"]["AccessKeyId"],
        }
        for method, path in (
            *(("POST", f"/_localstack/pods/{name}") for name in ("kept", "gone")),
            *(("PUT", f"/_cloudlet/snapshots/{name}") for name in ("kept", "gone")),
        ):
            assert self.ask(method, path).status_code in (200, 201)
        for name in ("team", "gone"):
            remote = {"protocols": ["file"], "remote_url": "file:///nowhere"}
            assert self.ask("POST", f"/_localstack/pods/remotes/{name}", json=remote).status_code == 200
        self.contents = {"pod": self.ask("GET", "/_localstack/pods/state").content, "garbage": b"garbage"}

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return httpx.request(method, self.running.url + path, timeout=60, **options)

    def carry_out(self, operation: Operation, variant: Ask) -> httpx.Response:
        method, path = operation
        for value in variant.path:
            path = path.replace("{}", quote(self.filled(value), safe=""), 1)
        options: dict[str, Any] = {"headers": variant.headers or {}}
        if variant.query:
            options["params"] = {name: self.filled(value) for name, value in variant.query.items()}
        if variant.content:
            options["content"] = self.contents[variant.content]
        elif variant.body is not None:
            options["json"] = self.filled(variant.body)
        return self.ask(method, path, **options)

    def filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.filled(inner) for name, inner in value.items()}
        if isinstance(value, str):
            for name, found in self.names.items():
                value = value.replace(f"{{{name}}}", found)
        return value


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    folder: Path = tmp_path_factory.mktemp("schemas")
    running = RunningEmulator(folder / "log", DEBUG="1", ENABLE_CONFIG_UPDATES="1", **licensed(folder / "volume"))
    made = Prepared(running)
    assert made.ask("GET", "/_localstack/info").json()["is_license_activated"] is True
    yield made
    running.stop()


def known(operation: Operation) -> bool:
    return operation in operations(theirs())


@pytest.mark.parametrize("operation", FIXED, ids=" ".join)
def test_answers_are_as_the_documents_say(prepared: Prepared, operation: Operation) -> None:
    for variant in VARIANTS[operation]:
        answer = prepared.carry_out(operation, variant)
        assert answer.status_code == variant.status, f"{variant}: {answer.text[:300]}"
        check(answer, ours(), operation)
        if known(operation) and not variant.own:
            check(answer, theirs(), operation)


@pytest.mark.parametrize("operation", OTHERS, ids=" ".join)
def test_generated_requests_get_what_the_documents_say(prepared: Prepared, operation: Operation) -> None:
    method, path = operation
    (name,) = [candidate for candidate in ours()["paths"] if "/".join(map(hide, candidate.split("/"))) == path]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=GENERATED[name][method].as_strategy())
    def ask(case: Case) -> None:
        sent = case.call(base_url=prepared.running.url)
        answer = httpx.Response(
            sent.status_code, headers={name: value[0] for name, value in sent.headers.items()}, content=sent.content
        )
        check(answer, ours(), operation)
        if known(operation) and answer.is_success:
            check(answer, theirs(), operation)

    ask()


def hide(part: str) -> str:
    return "{}" if part.startswith("{") else part


def test_every_variant_is_of_an_endpoint_that_is_there() -> None:
    assert sorted(set(VARIANTS) - set(operations(ours()))) == []


@pytest.mark.parametrize("operation", operations(theirs()) or [pytest.param(None, id="no specification")], ids=str)
def test_what_is_not_here_is_404_without_a_body(prepared: Prepared, operation: Operation | None) -> None:
    if operation is None:
        pytest.skip("the specification of LocalStack's API is not beside this checkout")
    if operation in operations(ours()):
        return  # its answers are checked above
    method, path = operation
    answer = prepared.ask(method, path.replace("{}", "something"))
    assert (answer.status_code, answer.content) == (404, b"")
