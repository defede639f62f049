"""Machines: remembered, shown, blocked, limited by the plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.licenses.tables import Plan, Subscription
from tests.control.people import csrf, post, sequence, sign_in
from tests.control.serving import RunningPlatform
from tests.control.staff import Colleague, audit_of

LIST = "/workspace/machines"


@pytest.fixture
def company(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, workspace="Acme Research")


@pytest.fixture
def admin(platform: RunningPlatform, company: BootstrapResult) -> Iterator[httpx.Client]:
    with platform.client() as client:
        sign_in(client, company)
        yield client


def links(page: str) -> list[str]:
    return re.findall(rf'href="({LIST}/mac_\w+)"', page)


def start(platform: RunningPlatform, token: str, machine: str, **more: object) -> httpx.Response:
    return platform.request_license(token, machine={"id": machine, **more})


def limit(platform: RunningPlatform, company: BootstrapResult, machines: int) -> None:
    """A plan that allows so many machines a license."""
    with platform.database.transaction() as session:
        plan = Plan(
            id=platform.platform.new_id("pln"),
            code=f"few{next(sequence)}",
            display="Few machines",
            entitlements={"platform/*": None, "platform/machines": machines},
            quotas={},
        )
        session.add(plan)
        session.flush()
        session.execute(
            update(Subscription).where(Subscription.workspace_id == company.workspace_id).values(plan_id=plan.id)
        )


def test_the_list_says_who_used_which_machine_last(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    assert "No machine has asked" in admin.get(LIST).text
    colleague = Colleague(platform, company, is_licensed=True)
    start(platform, company.token, "sys_shared")
    start(platform, colleague.token, "sys_shared")
    start(platform, company.token, "dkr_other")
    page = admin.get(LIST).text
    assert len(links(page)) == 2
    assert f"by {colleague.email}" in page
    (link,) = links(admin.get(LIST + "?q=SHARED").text)
    detail = admin.get(link).text
    assert company.email in detail
    assert colleague.email in detail
    assert "Linux,6.1,x86_64" in detail
    assert "Nothing fits" in admin.get(LIST + "?blocked=1").text


def test_a_machine_is_blocked_and_unblocked(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    start(platform, company.token, "sys_one")
    (link,) = links(admin.get(LIST).text)
    for _ in range(2):
        assert post(admin, link + "/block", at=link).status_code == 303
    answer = start(platform, company.token, "sys_one")
    assert (answer.status_code, answer.json()["code"]) == (403, "licensing.machine.blocked")
    assert start(platform, company.token, "sys_two").status_code == 200
    assert links(admin.get(LIST + "?blocked=1").text) == [link]
    assert "Blocked" in admin.get(link).text
    assert post(admin, link + "/unblock", at=link).status_code == 303
    assert start(platform, company.token, "sys_one").status_code == 200
    assert audit_of(platform, company, "machine.blocked") == [{"machine": "sys_one"}]
    assert audit_of(platform, company, "machine.unblocked") == [{"machine": "sys_one"}]


def test_only_who_may_blocks_and_members_without_usage_see_their_own(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    colleague = Colleague(platform, company, is_licensed=True, permissions={"usage.read": False})
    start(platform, company.token, "sys_admins")
    start(platform, company.token, "sys_shared")
    start(platform, colleague.token, "sys_shared")
    (foreign,) = links(admin.get(LIST + "?q=admins").text)
    with colleague.browser() as client:
        (own,) = links(client.get(LIST).text)
        detail = client.get(own).text
        assert colleague.email in detail
        assert company.email not in detail
        assert "Block machine" not in detail
        assert client.get(foreign).status_code == 404
        token = csrf(client.get("/account").text)
        assert client.post(own + "/block", data={"_csrf_token": token}).status_code == 403
    assert start(platform, colleague.token, "sys_shared").status_code == 200


def test_another_workspaces_machine_does_not_exist(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult, new_email: Callable[[], str]
) -> None:
    start(platform, company.token, "sys_one")
    (link,) = links(admin.get(LIST).text)
    with platform.client() as stranger:
        sign_in(stranger, platform.bootstrap(new_email()))
        assert stranger.get(link).status_code == 404
        assert post(stranger, link + "/block", at=LIST).status_code == 404
        assert post(stranger, link + "/unblock", at=LIST).status_code == 404
    assert start(platform, company.token, "sys_one").status_code == 200


def test_a_plan_limits_the_machines_of_a_license(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    limit(platform, company, 2)
    assert [start(platform, company.token, name).status_code for name in ("m1", "m2", "m3", "m1")] == [
        200,
        200,
        403,
        200,
    ]
    answer = start(platform, company.token, "m3").json()
    assert answer["code"] == answer["message"] == "licensing.machine.limit"
    assert "on 2 machines already" in answer["detail"]
    assert start(platform, company.token, "m3", ci=True).status_code == 200
    assert start(platform, company.token, "m3").status_code == 403
    assert "allows 2 machines a license" in admin.get(LIST).text
    colleague = Colleague(platform, company, is_licensed=True)
    assert start(platform, colleague.token, "m3").status_code == 200


def test_a_blocked_machine_and_one_long_gone_make_room(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    limit(platform, company, 1)
    assert [start(platform, company.token, name).status_code for name in ("m1", "m2")] == [200, 403]
    (link,) = links(admin.get(LIST + "?q=m1").text)
    assert post(admin, link + "/block", at=link).status_code == 303
    assert start(platform, company.token, "m2").status_code == 200
    with platform.database.transaction() as session:
        session.execute(
            update(Activation)
            .where(Activation.workspace_id == company.workspace_id)
            .values(at=platform.platform.now() - timedelta(days=31))
        )
    assert start(platform, company.token, "m3").status_code == 200


def test_of_many_new_machines_at_once_as_many_start_as_the_plan_allows(
    platform: RunningPlatform, company: BootstrapResult
) -> None:
    limit(platform, company, 3)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda number: start(platform, company.token, f"many{number}").status_code, range(10)))
    assert sorted(answers) == [200] * 3 + [403] * 7


def test_a_client_that_sends_its_host_name_only_is_a_machine_without_the_name(
    platform: RunningPlatform, company: BootstrapResult
) -> None:
    for _ in range(2):
        assert start(platform, company.token, "", hostname="adas-laptop").status_code == 200
    with platform.database.snapshot() as session:
        (machine,) = session.scalars(select(Machine).where(Machine.workspace_id == company.workspace_id)).all()
    assert machine.machine_id.startswith("host_")
    assert "adas" not in machine.machine_id
