"""Queue URLs: taking them apart and building them."""

import pytest

from cloudlet.emulator.protocol.message import HttpRequest
from cloudlet.emulator.services.sqs.urls import QueueAddress, parse_queue_arn, parse_queue_url, queue_arn, queue_url
from cloudlet.settings import Settings

ADDRESS = QueueAddress("eu-west-1", "111122223333", "jobs.fifo")


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("http://sqs.eu-west-1.localhost.localstack.cloud:4566/111122223333/jobs.fifo", "eu-west-1"),
        ("https://sqs.eu-west-1.amazonaws.com/111122223333/jobs.fifo", "eu-west-1"),
        ("https://eu-west-1.queue.amazonaws.com/111122223333/jobs.fifo", "eu-west-1"),
        ("http://localhost:4566/queue/eu-west-1/111122223333/jobs.fifo", "eu-west-1"),
        ("http://localhost:4566/111122223333/jobs.fifo", ""),
        ("http://localhost:4566/111122223333/jobs.fifo/", ""),
        ("https://queue.amazonaws.com/111122223333/jobs.fifo", ""),
        ("http://10.0.0.1/111122223333/jobs.fifo", ""),
        ("/111122223333/jobs.fifo", ""),
        ("/queue/eu-west-1/111122223333/jobs.fifo", "eu-west-1"),
        ("arn:aws:sqs:eu-west-1:111122223333:jobs.fifo", "eu-west-1"),
    ],
)
def test_every_form_of_a_queue_url_is_understood(url: str, region: str) -> None:
    assert parse_queue_url(url) == ADDRESS._replace(region=region)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "jobs",
        "http://localhost:4566/",
        "http://localhost/a/b",
        "http://localhost/queue/a/b",
        "/1/2/3",
        "arn:aws:sns:a:b:c",
    ],
)
def test_what_names_no_queue_is_none(url: str) -> None:
    assert parse_queue_url(url) is None


def test_the_old_alias_leaves_account_and_region_to_the_caller() -> None:
    assert parse_queue_url("http://localhost:4566/queue/jobs") == QueueAddress("", "", "jobs")


def test_an_arn_is_taken_apart_and_built() -> None:
    arn = queue_arn("aws", ADDRESS)
    assert arn == "arn:aws:sqs:eu-west-1:111122223333:jobs.fifo"
    assert parse_queue_arn(arn) == ADDRESS


@pytest.mark.parametrize(
    ("strategy", "url"),
    [
        ("standard", "http://sqs.eu-west-1.localhost.localstack.cloud:4566/111122223333/jobs.fifo"),
        ("domain", "http://eu-west-1.queue.localhost.localstack.cloud:4566/111122223333/jobs.fifo"),
        ("path", "http://localhost.localstack.cloud:4566/queue/eu-west-1/111122223333/jobs.fifo"),
        ("off", "http://localhost.localstack.cloud:4566/111122223333/jobs.fifo"),
        ("dynamic", "https://my.host:1234/111122223333/jobs.fifo"),
    ],
)
def test_urls_follow_the_endpoint_strategy(strategy: str, url: str) -> None:
    http = HttpRequest("POST", "/", {"host": "my.host:1234"}, scheme="https")
    built = queue_url(Settings(sqs_endpoint_strategy=strategy), http, ADDRESS)
    assert built == url
    parsed = parse_queue_url(built)
    assert parsed is not None
    assert parsed[1:] == ADDRESS[1:]
