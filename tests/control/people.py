"""Counting people, so that no two tests meet in a shared database."""

from __future__ import annotations

import itertools
import re

import httpx

from cloudlet.control.bootstrap import BootstrapResult

sequence = itertools.count(1)


def csrf(page: str) -> str:
    found = re.search(r'name="_csrf_token" value="([^"]+)"', page)
    assert found, page[:2000]
    return found[1]


def post(client: httpx.Client, path: str, *, at: str = "", **fields: str) -> httpx.Response:
    """Fill in a form of the page `at` (or of the page that `path` itself shows)."""
    return client.post(path, data={"_csrf_token": csrf(client.get(at or path).text), **fields})


def sign_in(client: httpx.Client, found: BootstrapResult) -> None:
    """By the one-time link."""
    path = found.sign_in_link.removeprefix(found.web_url)
    answer = post(client, path)
    assert answer.status_code == 303, answer.text
