"""Delivery policies: how often, and after which pauses, a notification is sent to a web server again. Pure functions.

Source: "Amazon SNS message delivery retries" in the Amazon SNS Developer Guide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import sqrt
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.services.sns.errors import invalid

DEFAULT_POLICY: Mapping[str, Any] = MappingProxyType(
    {
        "http": {
            "defaultHealthyRetryPolicy": {
                "minDelayTarget": 20,
                "maxDelayTarget": 20,
                "numRetries": 3,
                "numMaxDelayRetries": 0,
                "numNoDelayRetries": 0,
                "numMinDelayRetries": 0,
                "backoffFunction": "linear",
            },
            "disableSubscriptionOverrides": False,
            "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
        }
    }
)
BACKOFFS = ("arithmetic", "exponential", "geometric", "linear")
LONGEST_DELAY = 3600
MOST_RETRIES = 100


def check_delivery_policy(text: str, what: str) -> dict[str, Any]:
    """Raises InvalidParameter."""
    try:
        policy = json.loads(text)
    except ValueError:
        policy = None
    if not isinstance(policy, dict):
        raise invalid(f"{what}: failed to parse JSON.")
    http = policy.get("http", policy)
    retry = http.get("defaultHealthyRetryPolicy") or policy.get("healthyRetryPolicy")
    if retry:
        check_retries(retry, what)
    return policy


def check_retries(retry: dict[str, Any], what: str) -> None:
    least, most = retry.get("minDelayTarget", 20), retry.get("maxDelayTarget", 20)
    if not isinstance(least, int) or not 1 <= least <= LONGEST_DELAY:
        raise invalid(f"{what}: healthyRetryPolicy.minDelayTarget must be between 1 and {LONGEST_DELAY}")
    if not isinstance(most, int) or not 1 <= most <= LONGEST_DELAY:
        raise invalid(f"{what}: healthyRetryPolicy.maxDelayTarget must be between 1 and {LONGEST_DELAY}")
    if most < least:
        raise invalid(f"{what}: healthyRetryPolicy.maxDelayTarget must be greater than or equal to minDelayTarget")
    retries = retry.get("numRetries", 3)
    if not isinstance(retries, int) or not 0 <= retries <= MOST_RETRIES:
        raise invalid(f"{what}: healthyRetryPolicy.numRetries must be between 0 and {MOST_RETRIES}")
    phases = sum(retry.get(name) or 0 for name in ("numNoDelayRetries", "numMinDelayRetries", "numMaxDelayRetries"))
    if phases > retries:
        raise invalid(f"{what}: healthyRetryPolicy.numRetries must be at least the sum of the retries of its phases")
    if retry.get("backoffFunction", "linear") not in BACKOFFS:
        raise invalid(f"{what}: healthyRetryPolicy.backoffFunction must be one of {', '.join(BACKOFFS)}")


def effective_subscription_policy(topic_text: str, text: str) -> dict[str, Any]:
    """What holds for one subscription: its own policy over the topic's over AWS's defaults."""
    topic = json.loads(topic_text) if topic_text else {}
    http = topic.get("http") or {}
    own = {} if not text or http.get("disableSubscriptionOverrides") else json.loads(text)
    default = DEFAULT_POLICY["http"]
    return {
        "healthyRetryPolicy": {
            **default["defaultHealthyRetryPolicy"],
            **(http.get("defaultHealthyRetryPolicy") or {}),
            **(own.get("healthyRetryPolicy") or {}),
        },
        "sicklyRetryPolicy": own.get("sicklyRetryPolicy"),
        "throttlePolicy": own.get("throttlePolicy") or http.get("defaultThrottlePolicy"),
        "requestPolicy": {
            **default["defaultRequestPolicy"],
            **(http.get("defaultRequestPolicy") or {}),
            **(own.get("requestPolicy") or {}),
        },
        "guaranteed": False,
    }


def retry_delays(retry: Mapping[str, Any]) -> list[float]:
    """Seconds before each retry: without delay, with the least, backing off, with the most."""
    least, most = float(retry["minDelayTarget"]), float(retry["maxDelayTarget"])
    immediate = int(retry.get("numNoDelayRetries") or 0)
    early = int(retry.get("numMinDelayRetries") or 0)
    late = int(retry.get("numMaxDelayRetries") or 0)
    backing_off = max(int(retry["numRetries"]) - immediate - early - late, 0)
    shape = str(retry.get("backoffFunction", "linear"))
    middle = [least + (most - least) * growth(shape, n, backing_off) for n in range(backing_off)]
    return [0.0] * immediate + [least] * early + middle + [most] * late


def growth(shape: str, step: int, steps: int) -> float:
    """How far from the least to the greatest delay a step is, 0 to 1."""
    if steps <= 1:
        return 0.0
    part = step / (steps - 1)
    if shape == "exponential":
        return float((2.0**step - 1) / (2.0 ** (steps - 1) - 1))
    if shape == "geometric":
        return part * part
    return sqrt(part) if shape == "arithmetic" else part
