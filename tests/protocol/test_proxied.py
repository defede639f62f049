"""Responses that functions make of requests: what they may say, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from cloudlet.emulator.protocol.proxied import proxied


def test_a_response_has_its_status_headers_and_body() -> None:
    made = proxied(
        {
            "statusCode": "201",
            "headers": {"X-Own": True, "Date": "never"},
            "multiValueHeaders": {"X-Many": [1, 2], "Set-Cookie": ["a=1"]},
            "cookies": ["b=2", "c=3"],
            "body": "aGk=",
            "isBase64Encoded": True,
        }
    )
    assert made is not None
    cookies = {name: value for name, value in made.headers.items() if name.lower() == "set-cookie"}
    assert sorted(cookies.values()) == ["a=1", "b=2", "c=3"]
    assert {name: value for name, value in made.headers.items() if name not in cookies} == {
        "X-Own": "true",
        "X-Many": "1, 2",
        "Content-Type": "application/json",
    }
    assert (made.status, made.body) == (201, b"hi")


@pytest.mark.parametrize(
    "returned",
    [
        {"statusCode": 99999},
        {"statusCode": 0},
        {"statusCode": 100},
        {"statusCode": None},
        {"statusCode": "ok"},
        {"statusCode": float("inf")},
        {"headers": ["x"]},
        {"headers": {"x": "a\r\nb: c"}},
        {"headers": {"x": "\u20ac"}},
        {"multiValueHeaders": {"x": 1}},
        {"multiValueHeaders": "x"},
        {"cookies": 5},
        {"body": {"a": 1}},
        {"body": "\u00e9", "isBase64Encoded": True},
    ],
)
def test_what_is_no_response(returned: dict[str, Any]) -> None:
    assert proxied(returned) is None
