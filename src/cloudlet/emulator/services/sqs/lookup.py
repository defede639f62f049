"""Finding the queue that a request is about, and naming queues in answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.sqs.api import InvalidAddress
from cloudlet.emulator.services.sqs.attributes import FIFO_NAME, STANDARD_NAME
from cloudlet.emulator.services.sqs.errors import InvalidAction, MissingParameter, no_such_queue
from cloudlet.emulator.services.sqs.records import QUEUES, Queue
from cloudlet.emulator.services.sqs.urls import QueueAddress, parse_queue_arn, parse_queue_url, queue_url


def queue_of(call: Call, request: Mapping[str, Any]) -> Queue:
    """The queue of `QueueUrl`, or of the path that a query request was sent to.

    Raises QueueDoesNotExist, InvalidAddress, MissingParameter.
    """
    address = address_of(call, request)
    queue = QUEUES.get(call.tx, address.account_id or call.account_id, address.region or call.region, address.name)
    if queue is None:
        raise no_such_queue()
    return queue


def address_of(call: Call, request: Mapping[str, Any]) -> QueueAddress:
    url: str | None = request.get("QueueUrl")
    if not url:
        path = call.http.decoded_path if call.http is not None else "/"
        address = parse_queue_url(path)
        if address is None:
            raise MissingParameter("The request must contain the parameter QueueUrl.")
        return address
    address = parse_queue_url(url)
    if address is None:
        if STANDARD_NAME.match(url) or FIFO_NAME.match(url):
            return QueueAddress(call.region, call.account_id, url)
        raise InvalidAddress(f"The address {url} is not valid for this endpoint.")
    return address


def check_endpoint(call: Call) -> None:
    """Raises InvalidAction when CreateQueue or ListQueues was sent to a queue's URL; GetQueueUrl may be."""
    if call.http is not None and len(call.http.path) > 1 and parse_queue_url(call.http.decoded_path) is not None:
        raise InvalidAction(f"The action {call.operation} is not valid for this endpoint.")


def queue_by_arn(call: Call, arn: str) -> Queue | None:
    address = parse_queue_arn(arn)
    if address is None:
        return None
    return QUEUES.get(call.tx, address.account_id, address.region, address.name)


def url_of(call: Call, queue: Queue) -> str:
    return queue_url(call.settings, call.http, QueueAddress(queue.region, queue.account_id, queue.name))


def milliseconds(call: Call) -> int:
    return int(call.now * 1000)
