"""Protocols, and what an endpoint of each looks like. Pure functions."""

from __future__ import annotations

import re

from cloudlet.emulator.services.sns.api import InvalidParameterException
from cloudlet.emulator.services.sns.errors import invalid

PROTOCOLS = frozenset({"application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs"})
CONFIRMED_BY_HAND = frozenset({"email", "email-json", "http", "https"})
PHONE_NUMBER = re.compile(r"\+?\d(?:[ ()./-]?\d)+\Z")
FUNCTION_ARN = re.compile(r"arn:[^:]+:lambda:[^:]+:[^:]+:function:.+\Z")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\Z")


def check_endpoint(protocol: str, endpoint: str, fifo: bool) -> None:
    """Raises InvalidParameter."""
    if protocol not in PROTOCOLS:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    if protocol in ("http", "https"):
        if not endpoint.startswith(f"{protocol}://") or len(endpoint) <= len(protocol) + 3:
            raise invalid("Endpoint must match the specified protocol")
    elif protocol == "sqs":
        check_queue(endpoint, fifo)
    elif protocol == "sms":
        if PHONE_NUMBER.match(endpoint) is None:
            raise InvalidParameterException(f"Invalid SMS endpoint: {endpoint}")  # without the usual beginning
    elif protocol in ("email", "email-json"):
        if EMAIL.match(endpoint) is None:
            raise invalid("Email address")
    elif protocol == "lambda":
        if FUNCTION_ARN.match(endpoint) is None:
            raise invalid("Lambda endpoint ARN")
    elif not endpoint.startswith("arn:"):
        if protocol == "application":
            raise invalid("ApplicationEndpoint ARN")
        raise invalid("Firehose endpoint ARN")
    if fifo and protocol != "sqs":
        raise invalid(f"Invalid parameter: Endpoint Reason: FIFO topics do not support the {protocol} protocol")


def check_queue(endpoint: str, fifo: bool) -> None:
    parts = endpoint.split(":")
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sqs" or not all(parts[3:]):
        raise invalid("SQS endpoint ARN")
    if endpoint.endswith(".fifo") and not fifo:
        raise invalid(
            "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
        )
