"""The Activations page: what was asked for, by whom, from where, and why it was refused; and what a reset would stop."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from cloudlet.control.activations.history import PAGE_SIZE, Filters, list_activations
from cloudlet.control.activations.tables import Activation
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.ci.forms import KeyForm
from cloudlet.control.ci.service import create_key
from cloudlet.control.credentials.service import create_token, reset_auth_token
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.credentials.views import living_ids, machines_of
from cloudlet.control.pages import show_moment
from cloudlet.control.workspaces.tables import Membership, Workspace
from tests.control.people import sign_in
from tests.control.serving import RunningPlatform
from tests.control.staff import Colleague, admin_of

LIST = "/workspace/activations"


@pytest.fixture
def company(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, workspace="Acme Research")


@pytest.fixture
def admin(platform: RunningPlatform, company: BootstrapResult) -> Iterator[httpx.Client]:
    with platform.client() as client:
        sign_in(client, company)
        yield client


def links(page: str) -> list[str]:
    return re.findall(rf'href="({LIST}/act_\w+)"', page)


def test_without_any_it_says_what_to_do(admin: httpx.Client) -> None:
    page = admin.get(LIST).text
    assert "Nothing has asked for a license yet" in page
    assert "Nothing fits" in admin.get(LIST + "?result=ok").text


def test_each_request_has_a_line_and_a_page(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    request_id = platform.request_license(company.token).headers["x-request-id"]
    page = admin.get(LIST).text
    (link,) = links(page)
    assert company.email in page
    assert "gen_0123456789ab" in page
    detail = admin.get(link).text
    for text in ("Granted", request_id, "localstack-pro 2026.8.2", "Auth token", "A command line", "Linux,6.1,x86_64"):
        assert text in detail
    assert company.token not in detail
    assert company.token[12:] not in detail


def test_a_refusal_is_told_in_words_with_what_to_do(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    colleague = Colleague(platform, company)
    refused = platform.request_license(colleague.token).json()
    (link,) = links(admin.get(LIST + "?result=refused").text)
    detail = admin.get(link).text
    assert f"No license is assigned to {colleague.email}" in detail
    assert "/workspace/members" in detail
    assert "/docs/errors#license.not_assigned" in detail
    assert refused["request_id"] in detail


def test_filters_go_together(admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult) -> None:
    colleague = Colleague(platform, company, is_licensed=True)
    with platform.database.transaction() as session:
        key = create_key(session, platform.platform, admin_of(platform, company), KeyForm(name="Nightly build"))
    platform.request_license(company.token, machine={"id": "sys_admin"})
    platform.request_license(colleague.token, machine={"id": "sys_colleague"})
    platform.request_license(colleague.token, product={"name": "else"}, machine={"id": "sys_colleague"})
    platform.request_license(key.token, machine={"id": "dkr_runner"})
    counts = {
        "": 4,
        "?result=ok": 3,
        "?result=refused": 1,
        "?result=nonsense": 4,
        "?ci=yes": 1,
        "?ci=no": 3,
        f"?q={colleague.email.upper()}": 2,
        "?q=nightly": 1,
        f"?q={key.credential_id}": 1,
        "?machine=COLLEAGUE": 2,
        "?machine=%25": 0,
        f"?q={colleague.email}&result=ok&machine=sys&ci=no": 1,
        "?ci=yes&result=refused": 0,
    }
    assert {query: len(links(admin.get(LIST + query).text)) for query in counts} == counts


def test_pages_follow_each_other_without_a_gap(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    viewer = admin_of(platform, company)
    with platform.database.transaction() as session:
        credential = session.scalars(select(Credential.id).where(Credential.workspace_id == company.workspace_id)).one()
        now = platform.platform.now()
        made = [platform.platform.new_id("act") for _ in range(2 * PAGE_SIZE + 7)]
        for row_id in made:
            session.add(
                Activation(
                    id=row_id,
                    workspace_id=company.workspace_id,
                    credential_id=credential,
                    product="cloudlet",
                    version="0.1.0",
                    is_ci=False,
                    is_cli=False,
                    result_code="ok",
                    request_id="req",
                    at=now,
                )
            )
    seen: list[str] = []
    path = LIST
    while path:
        page = admin.get(path).text
        seen += [link.rpartition("/")[2] for link in links(page)]
        older = re.search(r'href="(\?[^"]+)">Older', page)
        path = LIST + older[1].replace("&amp;", "&") if older else ""
    assert sorted(seen) == sorted(made)
    assert len(seen) == len(set(seen))
    with platform.database.snapshot() as session:
        assert list_activations(session, viewer, Filters(before=min(made))).rows == ()
    assert admin.get(LIST + "?before=act_unknown").status_code == 404


def test_without_the_permission_members_see_their_own(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    platform.request_license(company.token)
    (foreign,) = links(admin.get(LIST).text)
    colleague = Colleague(platform, company, is_licensed=True, permissions={"usage.read": False})
    platform.request_license(colleague.token, machine={"id": "sys_mine"})
    with colleague.browser() as client:
        page = client.get(LIST).text
        (own,) = links(page)
        assert company.email not in page
        assert "with a token of yours" in page
        assert client.get(own).status_code == 200
        assert client.get(foreign).status_code == 404
    assert len(links(admin.get(LIST).text)) == 2


def test_another_workspaces_activations_do_not_exist(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult, new_email: Callable[[], str]
) -> None:
    platform.request_license(company.token)
    (link,) = links(admin.get(LIST).text)
    with platform.client() as stranger:
        sign_in(stranger, platform.bootstrap(new_email()))
        assert stranger.get(link).status_code == 404
        assert links(stranger.get(LIST).text) == []
        assert stranger.get(f"{LIST}?before={link.rpartition('/')[2]}").status_code == 404


def test_a_dead_tokens_use_is_in_the_list(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    with platform.database.transaction() as session:
        holder = session.get_one(Membership, admin_of(platform, company).membership_id)
        reset_auth_token(session, platform.platform, holder, actor="test")
    platform.request_license(company.token)
    (link,) = links(admin.get(LIST).text)
    assert "this token was reset on" in admin.get(link).text


def test_a_reset_stops_machines_that_still_use_the_token_and_no_others(
    platform: RunningPlatform, company: BootstrapResult
) -> None:
    """A machine that went over to its device token goes on; one that came back to the auth token stops."""
    viewer = admin_of(platform, company)
    with platform.database.transaction() as session:
        member = session.get_one(Membership, viewer.membership_id)
        device = create_token(
            session, platform.platform, company.workspace_id, kind="device", membership=member, name="cli", actor="test"
        )
        auth = session.scalars(
            select(Credential.id).where(Credential.kind == "auth", Credential.membership_id == member.id)
        ).one()
    order = [
        ("sys_stays", company.token),
        ("sys_moved", company.token),
        ("sys_moved", device.token),
        ("sys_back", device.token),
        ("sys_back", company.token),
        ("sys_device", device.token),
    ]
    for machine, token in order:
        assert platform.request_license(token, machine={"id": machine}).status_code == 200
    platform.request_license(company.token, machine={"id": "sys_moved"}, product={"name": "refused"})
    with platform.database.snapshot() as session:
        stops = {machine.machine_id for machine in machines_of(session, [auth])}
        goes_with_device = {machine.machine_id for machine in machines_of(session, [device.credential_id])}
        everything = {machine.machine_id for machine in machines_of(session, living_ids(session, viewer.membership_id))}
    assert stops == {"sys_stays", "sys_back"}
    assert goes_with_device == {"sys_moved", "sys_device"}
    assert everything == stops | goes_with_device


def test_the_workspaces_longest_age_ends_tokens_of_all_kinds_and_their_page_says_when(
    admin: httpx.Client, platform: RunningPlatform, company: BootstrapResult
) -> None:
    viewer = admin_of(platform, company)
    with platform.database.transaction() as session:
        member = session.get_one(Membership, viewer.membership_id)
        device = create_token(
            session, platform.platform, company.workspace_id, kind="device", membership=member, name="cli", actor="test"
        )
        session.get_one(Workspace, company.workspace_id).settings = {"token_max_age_d": 9}
        ends = session.get_one(Credential, device.credential_id).created_at + timedelta(days=9)
    page = admin.get("/workspace/auth-tokens").text
    assert f"ends {show_moment(ends)}" in page
    assert "<dt>Expires</dt>" in page
    assert platform.request_license(device.token).status_code == 200
    with platform.database.transaction() as session:
        for row in session.scalars(select(Credential).where(Credential.membership_id == viewer.membership_id)):
            row.created_at -= timedelta(days=9)
    for token in (company.token, device.token):
        assert platform.request_license(token).json()["code"] == "licensing.credentials.expired"
