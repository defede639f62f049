"""LocalStack's Go client as a driver of ours: it sends what that client sends, and a person at the browser answers."""

from __future__ import annotations

import json
from typing import Any

import httpx

from cloudlet.control.bootstrap import BootstrapResult
from tests.control.people import csrf, sign_in
from tests.control.serving import RunningPlatform


class ClientGivesUp(Exception):
    """What the client would tell its user."""


class Lstk:
    """`login` and the license check before a start."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.client = httpx.Client(timeout=30)

    def open(self) -> dict[str, str]:
        answer = self.client.post(
            f"{self.base}/v1/auth/request",
            content=b'{"actor":"lstk","version":"1.4.0"}',
            headers={"content-type": "application/json"},
        )
        if answer.status_code not in {200, 201}:
            raise ClientGivesUp(f"open {answer.status_code}")
        return answer.json()

    def browser_path(self, opened: dict[str, str]) -> str:
        return f"/auth/request/{opened['id']}" + (f"?code={opened['code']}" if opened["code"] else "")

    def is_confirmed(self, opened: dict[str, str]) -> bool:
        answer = self.client.get(
            f"{self.base}/v1/auth/request/{opened['id']}?exchange_token={opened['exchange_token']}"
        )
        if answer.status_code != 200:
            raise ClientGivesUp(f"check {answer.status_code}")
        return answer.json()["confirmed"]

    def exchange(self, opened: dict[str, str]) -> str:
        body = json.dumps({"exchange_token": opened["exchange_token"]}).encode()
        answer = self.client.post(
            f"{self.base}/v1/auth/request/{opened['id']}/exchange",
            content=body,
            headers={"content-type": "application/json"},
        )
        if answer.status_code != 200:
            raise ClientGivesUp(f"exchange {answer.status_code}")
        assert answer.json()["id"] == opened["id"]
        return answer.json()["auth_token"]

    def collect(self, authorization: str) -> str:
        answer = self.client.get(f"{self.base}/v1/license/credentials", headers={"authorization": authorization})
        if answer.status_code not in {200, 202}:
            raise ClientGivesUp(f"credentials {answer.status_code}")
        return answer.json()["token"]

    def license(self, token: str, version: str = "4.12.0") -> tuple[str, dict[str, Any]]:
        """`valid`, `rejected` (the cached license is deleted) or `undecided` (the container decides)."""
        body = {
            "product": {"name": "localstack-pro", "version": version},
            "credentials": {"token": token},
            "machine": {"hostname": "h", "platform": "linux", "platform_release": "amd64"},
        }
        answer = self.client.post(
            f"{self.base}/v1/license/request",
            content=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        if answer.status_code == 200:
            return "valid", answer.json()
        if answer.status_code == 400 and "licensing.license.format" in answer.text:
            return "undecided", answer.json()
        return ("rejected" if answer.status_code in {400, 401, 403} else "undecided"), answer.json()


def enter(client: httpx.Client, platform: RunningPlatform, member: BootstrapResult) -> None:
    """By a link of their own: each works once."""
    sign_in(client, platform.bootstrap(member.email))


def answer_page(platform: RunningPlatform, member: BootstrapResult, path: str, decision: str, **fields: str) -> str:
    """A person signs in, looks at the page, and presses a button of it."""
    with platform.client() as client:
        enter(client, platform, member)
        shown = client.get(path)
        assert shown.status_code == 200, shown.text
        membership = fields.pop("membership_id", "") or value_of(shown.text, "membership_id")
        data = {"_csrf_token": csrf(shown.text), "decision": decision, "membership_id": membership, **fields}
        return client.post(path.partition("?")[0], data=data).text


def value_of(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="')[1].split('"')[0]


def signed_in_token(platform: RunningPlatform, lstk: Lstk, member: BootstrapResult) -> str:
    opened = lstk.open()
    answer_page(platform, member, lstk.browser_path(opened), "approve")
    return lstk.collect(lstk.exchange(opened))
