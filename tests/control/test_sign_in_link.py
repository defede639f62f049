"""The one-time sign-in link leads where its holder wanted to go."""

from __future__ import annotations

import pytest

from tests.control.people import csrf, post
from tests.control.serving import RunningPlatform

WANTED = "/workspace/ci-keys"


def test_the_link_leads_to_the_page_at_which_one_was_asked_to_sign_in(platform: RunningPlatform, email: str) -> None:
    """Somebody without a password opens a page, is asked to sign in, and gets a link on the command line."""
    link = platform.bootstrap(email).sign_in_link.removeprefix(platform.url)
    with platform.client() as client:
        asked = client.get(WANTED)
        assert asked.status_code == 303
        assert client.get(asked.headers["location"]).status_code == 200
        shown = client.get(link).text
        assert f'name="next" value="{WANTED}"' in shown
        answer = client.post(link, data={"_csrf_token": csrf(shown), "next": WANTED})
        assert answer.headers["location"] == WANTED
        again = platform.bootstrap(email).sign_in_link.removeprefix(platform.url)
        assert 'name="next" value="/getting-started"' in client.get(again).text, "said once"


def test_the_link_itself_may_say_where_to(platform: RunningPlatform, email: str) -> None:
    link = platform.bootstrap(email).sign_in_link.removeprefix(platform.url)
    with platform.client() as client:
        assert f'name="next" value="{WANTED}"' in client.get(link, params={"next": WANTED}).text


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", ""])
def test_it_never_leads_to_another_site(platform: RunningPlatform, email: str, target: str) -> None:
    link = platform.bootstrap(email).sign_in_link.removeprefix(platform.url)
    with platform.client() as client:
        client.get("/sign-in", params={"next": target})
        assert 'name="next" value="/getting-started"' in client.get(link).text
        answer = post(client, link, next=target)
        assert (answer.status_code, answer.headers["location"]) == (303, "/getting-started")
