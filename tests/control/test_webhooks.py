"""Webhooks on their pages and in a running control plane: made, tested, changed, rolled, switched, deleted."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.errors import InvalidForm
from cloudlet.control.webhooks.addresses import as_address, check_url, choose_address, is_public
from cloudlet.control.webhooks.events import EVENT_OF, EVENTS, event_of
from cloudlet.control.webhooks.service import MOST_WEBHOOKS
from cloudlet.control.webhooks.tables import Webhook
from cloudlet.settings import read_platform_settings
from tests.conftest import ROOT
from tests.control.people import post, sign_in
from tests.control.receiving import Receiver, documented_check, eventually
from tests.control.serving import RunningPlatform
from tests.control.test_audit_page import actions_in_the_source

PATH = "/workspace/webhooks"
STRICT = read_platform_settings({"PLATFORM_STATE_DIR": "/nowhere"})
OPEN = read_platform_settings(
    {
        "PLATFORM_STATE_DIR": "/nowhere",
        "PLATFORM_WEBHOOKS_ALLOW_HTTP": "1",
        "PLATFORM_WEBHOOKS_ALLOW_PRIVATE": "1",
    }
)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """One that may deliver to this machine."""
    folder: Path = tmp_path_factory.mktemp("control")
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_server").new_database()
    running = RunningPlatform(folder, url, PLATFORM_WEBHOOKS_ALLOW_PRIVATE="1")
    yield running
    running.close()


@pytest.fixture
def admin(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, workspace="Acme")


@pytest.fixture
def client(platform: RunningPlatform, admin: BootstrapResult) -> Iterator[httpx.Client]:
    with platform.client() as opened:
        sign_in(opened, admin)
        yield opened


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def create(client: httpx.Client, url: str, **fields: str) -> tuple[str, str]:
    """The new webhook's path and secret."""
    fields = fields or {"all": "on"}
    page = client.get(PATH).text
    token = re.search(r'name="_csrf_token" value="([^"]+)"', page)
    assert token
    answer = client.post(PATH, data={"_csrf_token": token[1], "url": url, **fields})
    assert answer.status_code == 200, answer.text
    secret = re.search(r'id="secret">(whsec_[\w-]+)<', answer.text)
    place = re.search(r'action="(/workspace/webhooks/whk_\w+)/delete"', answer.text)
    assert secret, answer.text
    assert place, answer.text
    return place[1], secret[1]


def test_events_reach_a_receiver_by_themselves(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client, receiver: Receiver
) -> None:
    path, secret = create(client, receiver.url)
    assert secret not in client.get(path).text
    assert secret[-4:] in client.get(path).text
    post(client, "/workspace/auth-tokens/reset", at="/workspace/auth-tokens", confirm="reset")
    got = receiver.wait_for(2)
    assert sorted(found.event["type"] for found in got) == ["credential.created", "credential.revoked"]
    is_ours = documented_check()
    assert all(
        is_ours(found.headers["Cloudlet-Signature"], found.body, secret, platform.platform.effects.now())
        for found in got
    )
    assert secret not in platform.printed()
    eventually(lambda: client.get(path).text.count(">Delivered<") == 2)


def test_activations_are_told_granted_or_refused(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client, receiver: Receiver
) -> None:
    create(client, receiver.url, **{"event.license.activated": "on", "event.license.activation_failed": "on"})
    assert platform.request_license(admin.token).status_code == 200
    assert platform.request_license(admin.token, product={"name": "else"}).status_code == 403
    granted, refused = sorted((found.event for found in receiver.wait_for(2)), key=lambda event: str(event["type"]))
    assert (granted["type"], refused["type"]) == ("license.activated", "license.activation_failed")
    assert granted["subject"].startswith("act_")
    assert granted["data"]["machine"] == "gen_0123456789ab"
    assert granted["data"]["license"] == admin.license_id
    assert (granted["data"]["code"], refused["data"]["code"]) == (None, "licensing.product.unknown")
    assert admin.token not in str(receiver.received)


def test_a_test_event_and_its_delivery_are_shown_and_sent_again(client: httpx.Client, receiver: Receiver) -> None:
    path, _ = create(client, receiver.url, **{"event.member.joined": "on"})
    answer = post(client, path + "/test", at=path)
    assert answer.headers["location"] == path + "?done=tested"
    (first,) = receiver.wait_for(1)
    assert first.event["type"] == "webhook.test"
    eventually(lambda: ">Delivered<" in client.get(path).text)
    delivery = re.search(r'href="(/workspace/webhooks/whk_\w+/deliveries/dlv_\w+)"', client.get(path).text)
    assert delivery
    page = html.unescape(client.get(delivery[1]).text)
    assert first.event["id"] in page
    assert '"type": "webhook.test"' in page
    assert "1 of 9" in page
    again = post(client, delivery[1] + "/redeliver", at=delivery[1])
    assert again.headers["location"] != delivery[1]
    second = receiver.wait_for(2)[1]
    assert second.body == first.body
    assert second.headers["Cloudlet-Delivery"] != first.headers["Cloudlet-Delivery"]


def test_it_is_changed_rolled_switched_and_deleted(
    platform: RunningPlatform, admin: BootstrapResult, client: httpx.Client, receiver: Receiver
) -> None:
    path, secret = create(client, receiver.url)
    changed = post(
        client, path, url="https://example.com/x?key=k3y", description="Alarm", **{"event.ci.quota.80": "on"}
    )
    assert changed.headers["location"] == path + "?done=saved"
    page = client.get(path).text
    assert "https://example.com/x?key=k3y · Alarm" in page
    assert re.search(r'name="event.ci.quota.80" value="on" checked', page)
    assert "checked> <span><strong>All events" not in page
    rolled = post(client, path + "/roll", at=path, overlap="24").text
    new = re.search(r'id="secret">(whsec_[\w-]+)<', rolled)
    assert new
    assert new[1] != secret
    assert "signs beside it until" in client.get(path).text
    assert post(client, path + "/roll", at=path, overlap="5").status_code == 422
    assert post(client, path + "/disable", at=path).headers["location"] == path + "?done=disabled"
    assert "Switch on" in client.get(path).text
    test = client.post(path + "/test", data={"_csrf_token": re.search(r'_csrf_token" value="([^"]+)', page)[1]})  # type: ignore[index]
    assert (test.status_code, "This webhook is switched off" in test.text) == (409, True)
    assert post(client, path + "/enable", at=path).headers["location"] == path + "?done=enabled"
    assert post(client, path + "/delete", at=path).headers["location"] == PATH + "?done=deleted"
    assert client.get(path).status_code == 404
    with platform.database.snapshot() as session:
        entries = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.workspace_id == admin.workspace_id, AuditEntry.action.startswith("webhook."))
            .order_by(AuditEntry.seq)
        ).all()
        assert session.scalar(select(Webhook.id).where(Webhook.workspace_id == admin.workspace_id)) is None
    assert [entry.action.removeprefix("webhook.") for entry in entries] == [
        *("created", "changed", "secret_rolled", "disabled", "enabled", "deleted"),
    ]
    assert not [entry for entry in entries if "k3y" in str(entry.data) or "whsec" in str(entry.data)]
    assert "deleted the webhook https://example.com/…" in client.get("/workspace/audit").text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"url": "https://example.com/"}, "Choose at least one event."),
        ({"url": "https://example.com/", "event.no.such": "on"}, "There is no event no.such."),
        ({"url": "", "all": "on"}, "Enter the address"),
        ({"url": "https://example.com/", "all": "on", "description": "x" * 201}, "200 characters at most"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    client: httpx.Client, fields: dict[str, str], sentence: str
) -> None:
    answer = post(client, PATH, **fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{fields["url"]}"' in answer.text


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://example.com/", "That is no address"),
        ("https://", "That is no address"),
        ("https://example.com:99999/", "That is no address"),
        ("https://example.com:0/", "That is no address"),
        ("https://[::1/", "That is no address"),
        ("example.com/hooks", "That is no address"),
        ("https://user:pass@example.com/", "must not hold user and password"),
        ("https://example.com/#x", "after # is never sent"),
        ("https://example.com/a b", "no blanks"),
        ("https://example.com/" + "x" * 500, "500 characters at most"),
        ("http://example.com/", "Use https"),
        ("http://127.0.0.1/", "private network"),
        ("https://localhost/", "private network"),
        ("https://a.localhost/", "private network"),
        ("https://printer.local/", "private network"),
        ("https://10.0.0.1/", "private network"),
        ("https://127.1/", "private network"),
        ("https://0x7f000001/", "private network"),
        ("https://2130706433/", "private network"),
        ("https://169.254.169.254/latest/meta-data", "private network"),
        ("https://[::1]/", "private network"),
        ("https://[::ffff:10.0.0.1]/", "private network"),
        ("https://0.0.0.0/", "private network"),
    ],
)
def test_addresses_that_lead_nowhere_good_are_refused(url: str, sentence: str) -> None:
    with pytest.raises(InvalidForm, match=re.escape(sentence)):
        check_url(url, STRICT)


@pytest.mark.parametrize("url", ["https://example.com/", "https://example.com:8443/x?y=z", "https://8.8.8.8/"])
def test_public_addresses_are_taken(url: str) -> None:
    assert check_url(f" {url} ", STRICT) == url


@pytest.mark.parametrize("url", ["http://example.com/", "http://127.0.0.1:1/", "http://10.0.0.1/", "https://[::1]:1/"])
def test_an_operator_may_open_private_networks_and_http(url: str) -> None:
    assert check_url(url, OPEN) == url


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1", "2001:0:1::1", "fd00:ec2::254"),
    ],
)
def test_no_spelling_of_a_private_address_is_public(address: str) -> None:
    literal = as_address(address)
    assert literal is not None
    assert not is_public(literal)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_public_ones_are(address: str) -> None:
    literal = as_address(address)
    assert literal is not None
    assert is_public(literal)


def test_a_name_with_one_private_address_among_its_addresses_is_refused() -> None:
    with pytest.raises(Exception, match=r"example.com is 10.0.0.1"):
        choose_address("example.com", 443, STRICT, lambda _host, _port: ["8.8.8.8", "10.0.0.1"])
    assert choose_address("example.com", 443, STRICT, lambda _host, _port: ["8.8.8.8"]) == "8.8.8.8"


def test_a_workspace_has_twenty_at_most(client: httpx.Client) -> None:
    for number in range(MOST_WEBHOOKS):
        create(client, f"https://example.com/{number}")
    answer = post(client, PATH, url="https://example.com/more", all="on")
    assert (answer.status_code, "20 webhooks at most" in answer.text) == (409, True)


def test_another_workspaces_webhooks_are_not_there(
    platform: RunningPlatform, client: httpx.Client, receiver: Receiver, new_email: Callable[[], str]
) -> None:
    path, _ = create(client, receiver.url)
    post(client, path + "/test", at=path)
    receiver.wait_for(1)
    delivery = re.search(r"/deliveries/dlv_\w+", client.get(path).text)
    assert delivery
    with platform.client() as stranger:
        sign_in(stranger, platform.bootstrap(new_email(), workspace="Other"))
        own, _ = create(stranger, "https://example.com/")
        for other in (path, path + delivery[0], own + delivery[0]):
            assert stranger.get(other).status_code == 404
        for other in (path, path + "/test", path + "/delete", path + delivery[0] + "/redeliver"):
            fields = {"url": "https://example.com/", "all": "on"}
            assert post(stranger, other, at=own, **fields).status_code == 404
    assert client.get(path).status_code == 200


def test_every_event_is_documented_and_every_action_of_those_nouns_is_one() -> None:
    page = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    assert [name for name in EVENTS if f"`{name}`" not in page] == []
    assert set(EVENT_OF.values()) <= EVENTS.keys()
    told = {"member.invitation_resent", "member.invitation_canceled", "subscription.renewed", "subscription.resumed"}
    silent = {
        action
        for action in actions_in_the_source()
        if action.partition(".")[0] in {"member", "subscription", "license"} and not event_of(action)
    }
    assert silent - told == set()
