"""Legacy API keys: made where the operator allows it, good for activation, one seat with their owner's license, migrated."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.credentials import legacy_keys
from cloudlet.control.credentials.errors import KeyUnknown
from cloudlet.control.licenses.errors import SeatsExhausted
from cloudlet.control.licenses.seats import seats_of
from tests.control.people import csrf, post, sign_in
from tests.control.serving import RunningPlatform
from tests.control.staff import Colleague, admin_of, audit_of

LIST = "/workspace/api-keys"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """One that makes legacy keys."""
    folder: Path = tmp_path_factory.mktemp("control")
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_server").new_database()
    running = RunningPlatform(folder, url, PLATFORM_LEGACY_API_KEYS="1")
    yield running
    running.close()


@pytest.fixture
def company(platform: RunningPlatform, email: str) -> BootstrapResult:
    """With five seats, one of them the admin's."""
    return platform.bootstrap(email, workspace="Acme Research")


@pytest.fixture
def admin(platform: RunningPlatform, company: BootstrapResult) -> Iterator[httpx.Client]:
    with platform.client() as client:
        sign_in(client, company)
        yield client


def make(admin: httpx.Client, member_id: str) -> tuple[str, str]:
    """The key, and its id."""
    before = set(ids(admin))
    answer = post(admin, LIST, member=member_id, name="laptop")
    assert answer.status_code == 200, answer.text
    found = re.search(r'<code id="secret">([^<]+)</code>', answer.text)
    assert found
    (new,) = set(ids(admin)) - before
    return found[1], new


def ids(admin: httpx.Client) -> list[str]:
    return re.findall(rf'action="{LIST}/(crd_\w+)/migrate"', admin.get(LIST).text)


def used(platform: RunningPlatform, company: BootstrapResult) -> int:
    with platform.database.snapshot() as session:
        return seats_of(session, company.workspace_id).used


def test_a_key_of_ten_characters_activates_without_a_license(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    colleague = Colleague(platform, company)
    key, _ = make(admin, colleague.id)
    assert re.fullmatch(r"[A-Za-z0-9]{10}", key)
    answer = platform.request_license(key, credentials={"type": "licensing-api-key"})
    assert answer.status_code == 200
    assert answer.json()["license_type"] == "trial"
    assert key not in admin.get(LIST).text
    assert key[:2] + "••••••••" in admin.get(LIST).text
    assert platform.request_license(key[:-1] + ("0" if key[-1] != "0" else "1")).status_code == 403
    assert platform.request_license(colleague.token).status_code == 403


def test_license_and_key_of_one_member_are_one_seat(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    colleague = Colleague(platform, company, is_licensed=True)
    assert used(platform, company) == 2
    _, key_id = make(admin, colleague.id)
    assert used(platform, company) == 2
    other = Colleague(platform, company)
    make(admin, other.id)
    assert used(platform, company) == 3
    assert "3 of 5 seats taken" in admin.get(LIST).text
    assert post(admin, f"{LIST}/{key_id}/delete", at=LIST).status_code == 303
    assert used(platform, company) == 3


def test_migrating_assigns_the_license_on_the_same_seat_and_ends_the_key(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    owners = [Colleague(platform, company) for _ in range(4)]
    keys = [make(admin, owner.id) for owner in owners]
    assert used(platform, company) == 5
    for owner, (key, key_id) in zip(owners, keys, strict=True):
        assert not owner.holds_license()
        assert post(admin, f"{LIST}/{key_id}/migrate", at=LIST).status_code == 303
        assert owner.holds_license()
        assert platform.request_license(key).status_code == 403
        assert platform.request_license(owner.token).status_code == 200
    assert used(platform, company) == 5
    assert {entry["reason"] for entry in audit_of(platform, company, "credential.revoked")} == {"migrated"}
    assert post(admin, f"{LIST}/{keys[0][1]}/migrate", at=LIST).status_code == 404


def test_of_many_who_want_the_last_seats_as_many_get_a_key(platform: RunningPlatform, company: BootstrapResult) -> None:
    viewer = admin_of(platform, company)
    owners = [Colleague(platform, company) for _ in range(8)]
    barrier = threading.Barrier(len(owners))

    def create(owner: Colleague) -> str:
        barrier.wait()
        try:
            with platform.database.transaction() as session:
                legacy_keys.create_legacy_key(session, platform.platform, viewer, owner.id)
        except SeatsExhausted:
            return "full"
        return "ok"

    with ThreadPoolExecutor(len(owners)) as pool:
        outcomes = list(pool.map(create, owners))
    assert (outcomes.count("ok"), outcomes.count("full")) == (4, 4)
    assert used(platform, company) == 5


def test_a_key_migrated_twice_at_once_is_migrated_once(platform: RunningPlatform, company: BootstrapResult) -> None:
    viewer, owner = admin_of(platform, company), Colleague(platform, company)
    with platform.database.transaction() as session:
        made = legacy_keys.create_legacy_key(session, platform.platform, viewer, owner.id)
    barrier = threading.Barrier(3)

    def migrate(_: int) -> str:
        barrier.wait()
        try:
            with platform.database.transaction() as session:
                legacy_keys.migrate_legacy_key(session, platform.platform, viewer, made.credential_id)
        except KeyUnknown:
            return "gone"
        return "ok"

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(migrate, range(3))) == ["gone", "gone", "ok"]
    assert owner.holds_license()


def test_a_removed_members_key_is_dead(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    colleague = Colleague(platform, company)
    key, _ = make(admin, colleague.id)
    assert post(admin, f"/workspace/members/{colleague.id}/remove", at=LIST).status_code == 303
    answer = platform.request_license(key)
    assert (answer.status_code, answer.json()["code"]) == (403, "licensing.membership.removed")
    assert ids(admin) == []


def test_only_who_may_manages_keys_and_only_their_workspaces(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult, new_email: Callable[[], str]
) -> None:
    colleague = Colleague(platform, company)
    key, key_id = make(admin, colleague.id)
    with colleague.browser() as client:
        assert client.get(LIST).status_code == 403
        token = csrf(client.get("/account").text)
        for path in (LIST, f"{LIST}/{key_id}/delete", f"{LIST}/{key_id}/migrate"):
            assert client.post(path, data={"_csrf_token": token, "member": colleague.id}).status_code == 403
    with platform.client() as stranger:
        sign_in(stranger, platform.bootstrap(new_email()))
        for action in ("delete", "migrate"):
            assert post(stranger, f"{LIST}/{key_id}/{action}", at=LIST).status_code == 404
        assert post(stranger, LIST, member=colleague.id).status_code == 404
    assert platform.request_license(key).status_code == 200


def test_without_the_operators_leave_there_are_no_new_ones(tmp_path: Path, email: str) -> None:
    running = RunningPlatform(tmp_path)
    try:
        found = running.bootstrap(email)
        with running.client() as client:
            sign_in(client, found)
            page = client.get(LIST).text
            assert "Create a key" not in page
            assert "PLATFORM_LEGACY_API_KEYS=1" in page
            answer = post(client, LIST, member=admin_of(running, found).membership_id)
            assert answer.status_code == 403
            assert "makes no new legacy API keys" in answer.text
    finally:
        running.close()
