"""What a running control plane without a mail server has mailed: read on its developer page, as a person would."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable

import httpx

from tests.control.serving import RunningPlatform

LIMIT_SECONDS = 60


def mails_to(platform: RunningPlatform, email: str) -> list[str]:
    """The texts of the mails to an address, newest first, each with its subject before it."""
    texts = []
    with httpx.Client(base_url=platform.url) as reader:
        for path in re.findall(r'href="(/dev/mail/[^"]+)"', reader.get("/dev/mail").text):
            page = reader.get(path).text
            if f"<dt>To</dt><dd>{html.escape(email)}</dd>" in page:
                subject = html.unescape(page.split("<h1>")[1].split("</h1>")[0])
                text = page.split('<pre class="letter">')[1].split("</pre>")[0]
                texts.append(f"{subject}\n{html.unescape(re.sub('<[^>]+>', '', text))}")
    return texts


def link_in(platform: RunningPlatform, email: str, path: str, *, but: str = "") -> str:
    """The newest link to `path` that was mailed to an address, without the host; waits for one other than `but`.

    Some mails are written after the answer to the request that caused them.
    """
    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end:
        for text in mails_to(platform, email):
            found = re.search(re.escape(platform.url) + f"({path}/\\S+)", text)
            if found and found[1] != but:
                return found[1]
            if found:
                break
        time.sleep(0.05)
    raise AssertionError(f"no mail to {email} has a link to {path}")


def wait_printed(platform: RunningPlatform, words: str) -> None:
    """Until the words are on the console."""
    wait_until(lambda: words in platform.printed(), f"never printed: {words}")


def wait_until(condition: Callable[[], bool], problem: str = "it never came about") -> None:
    """For what happens after an answer, or in another process."""
    end = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < end, problem
        time.sleep(0.05)
