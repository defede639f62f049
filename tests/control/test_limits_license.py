"""Limits of the license API, per address and per token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.control.api import token_client, viewer_of
from tests.control.people import sequence
from tests.control.serving import RunningPlatform


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """Five requests a second (100 at once) for an address, one (20 at once) for a token and an API caller."""
    running = RunningPlatform(
        tmp_path_factory.mktemp("strict"),
        PLATFORM_LICENSE_RATE_PER_ADDRESS="5",
        PLATFORM_LICENSE_RATE_PER_TOKEN="1",
        PLATFORM_API_RATE="1",
    )
    yield running
    running.close()


def test_a_token_in_a_restart_loop_is_slowed_down_and_told_for_how_long(strict: RunningPlatform) -> None:
    looping = strict.bootstrap(f"person{next(sequence)}@example.com")
    other = strict.bootstrap(f"person{next(sequence)}@example.com")
    answers = [strict.request_license(looping.token) for _ in range(25)]
    granted = [answer for answer in answers if answer.status_code == 200]
    assert granted[0].headers["ratelimit-limit"] == "20"
    assert int(granted[0].headers["ratelimit-remaining"]) < 20
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["message"] == refused.json()["code"] == "licensing.rate_limited"
    assert refused.json()["error"] is True
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["ratelimit-remaining"] == "0"
    assert f"{refused.headers['retry-after']} s" in refused.json()["detail"]
    assert strict.request_license(other.token).status_code == 200


def test_an_address_that_guesses_is_slowed_down_before_its_bodies_are_read(strict: RunningPlatform) -> None:
    answers = [strict.request_license("no token at all") for _ in range(130)]
    statuses = {answer.status_code for answer in answers}
    assert statuses == {400, 429}, statuses


def test_the_native_api_slows_down_each_caller_for_themselves(strict: RunningPlatform) -> None:
    first, second = (f"person{next(sequence)}@example.com" for _ in range(2))
    for email in (first, second):
        strict.bootstrap(email)
    with (
        token_client(strict, viewer_of(strict, first)) as busy,
        token_client(strict, viewer_of(strict, second)) as calm,
    ):
        path = f"/workspaces/{viewer_of(strict, first).workspace_id}/me/license"
        answers = [busy.get(path) for _ in range(25)]
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["code"] == "rate_limited"
        assert int(refused.headers["retry-after"]) >= 1
        assert answers[0].headers["ratelimit-limit"] == "20"
        assert calm.get(f"/workspaces/{viewer_of(strict, second).workspace_id}/me/license").status_code == 200
