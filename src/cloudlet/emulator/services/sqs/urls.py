"""Queue URLs and ARNs: taking them apart, and building them by `SQS_ENDPOINT_STRATEGY`. Pure functions.

    standard   http://sqs.<region>.localhost.localstack.cloud:4566/<account>/<queue>
    domain     http://<region>.queue.localhost.localstack.cloud:4566/<account>/<queue>
    path       http://localhost.localstack.cloud:4566/queue/<region>/<account>/<queue>
    off        http://localhost.localstack.cloud:4566/<account>/<queue>
    dynamic    http://<the request's Host header>/<account>/<queue>, or the path form where the request used it

A request may name its queue by any of them, whatever the strategy, by LocalStack's old alias (`/queue/<queue>`), by AWS's own (`https://sqs.<region>.amazonaws.com/…`,
`https://<region>.queue.amazonaws.com/…`, `https://queue.amazonaws.com/…`), by the path alone or by the queue's ARN.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from cloudlet.emulator.protocol.message import HttpRequest
from cloudlet.settings import Settings

REGION = r"[a-z]{2}(?:-[a-z]+)+-\d+"
REGION_IN_HOST = re.compile(rf"^(?:sqs\.(?P<standard>{REGION})\.|(?P<domain>{REGION})\.queue\.)")
PATH = re.compile(
    rf"^/(?:queue/(?P<region>{REGION})/)?(?P<account>\d{{12}})/(?P<name>[^/?#]+)/?$",
)
ALIAS = re.compile(r"^/queue/(?P<name>[^/?#]+)/?$")


class QueueAddress(NamedTuple):
    """Where a queue is. `region` and `account_id` are empty when the URL does not tell: they are the caller's then."""

    region: str
    account_id: str
    name: str


@lru_cache(maxsize=4096)
def parse_queue_url(url: str) -> QueueAddress | None:
    """The queue that a URL, a path or an ARN names; None when it names none."""
    if url.startswith("arn:"):
        return parse_queue_arn(url)
    rest = url.partition("://")[2] or url
    host, _, path = rest.partition("/")
    found = PATH.match("/" + path)
    if found is None:
        alias = ALIAS.match("/" + path)
        return None if alias is None else QueueAddress("", "", alias["name"])
    region = found["region"] or region_of_host(host)
    return QueueAddress(region, found["account"], found["name"])


def parse_queue_arn(arn: str) -> QueueAddress | None:
    """The queue that an ARN names; None for anything else."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sqs" or not all(parts[3:]):
        return None
    return QueueAddress(parts[3], parts[4], parts[5])


def region_of_host(host: str) -> str:
    found = REGION_IN_HOST.match(host.lower())
    return (found["standard"] or found["domain"]) if found else ""


def queue_arn(partition: str, address: QueueAddress) -> str:
    return f"arn:{partition}:sqs:{address.region}:{address.account_id}:{address.name}"


def queue_url(settings: Settings, http: HttpRequest | None, address: QueueAddress) -> str:
    """The URL by which answers name a queue. `http` is the request being answered, None outside of one."""
    region, account, name = address
    protocol, host = settings.protocol, settings.localstack_host
    strategy = settings.sqs_endpoint_strategy
    if strategy == "dynamic" and http is not None:
        protocol, host = http.scheme, http.headers.get("host") or host
        strategy = "path" if http.path.startswith("/queue/") else "off"
    if strategy in ("standard", "dynamic"):
        return f"{protocol}://sqs.{region}.{host}/{account}/{name}"
    if strategy == "domain":
        return f"{protocol}://{region}.queue.{host}/{account}/{name}"
    if strategy == "path":
        return f"{protocol}://{host}/queue/{region}/{account}/{name}"
    return f"{protocol}://{host}/{account}/{name}"
