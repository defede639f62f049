"""What time does to requests for licenses and to tokens: the old is forgotten, and who can replace a token is told in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select, update

from cloudlet.control.activations.retention import forget_old
from cloudlet.control.activations.tables import Activation
from cloudlet.control.credentials.expiry import warn
from cloudlet.control.credentials.service import create_token, revoke
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.mail.tables import OutboxMail
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.tables import Workspace
from cloudlet.license.effects import SystemEffects
from cloudlet.settings import read_platform_settings
from tests.control.serving import RunningPlatform
from tests.control.staff import Colleague, audit_of


def move_activations(platform: RunningPlatform, workspace_id: str, days: int) -> None:
    with platform.database.transaction() as session:
        for row in session.scalars(select(Activation).where(Activation.workspace_id == workspace_id)):
            row.at -= timedelta(days=days)


def kept(platform: RunningPlatform, workspace_id: str) -> list[str]:
    with platform.database.snapshot() as session:
        return list(
            session.scalars(
                select(Activation.request_id).where(Activation.workspace_id == workspace_id).order_by(Activation.id)
            )
        )


def test_old_requests_go_and_the_last_of_each_token_and_machine_stays(platform: RunningPlatform, email: str) -> None:
    company = platform.bootstrap(email)
    one, other = {"id": "gen_00000000000a"}, {"id": "gen_00000000000b"}
    asked = []
    for machine in (one, one, other, one):
        assert platform.request_license(company.token, machine=machine).status_code == 200
        asked.append(kept(platform, company.workspace_id)[-1])
        move_activations(platform, company.workspace_id, days=1)
    forget_old(platform.database, platform.platform)
    assert kept(platform, company.workspace_id) == asked
    move_activations(platform, company.workspace_id, days=398)
    forget_old(platform.database, platform.platform)
    assert kept(platform, company.workspace_id) == asked[2:], "the two oldest are 401 and 402 days old"
    move_activations(platform, company.workspace_id, days=1000)
    forget_old(platform.database, platform.platform)
    assert kept(platform, company.workspace_id) == asked[2:], "each is the last of its machine"
    assert platform.request_license(company.token, machine=one).status_code == 200
    forget_old(platform.database, platform.platform)
    assert kept(platform, company.workspace_id)[:-1] == [asked[2]]


def test_nothing_is_forgotten_where_the_setting_says_so(platform: RunningPlatform, email: str) -> None:
    company = platform.bootstrap(email)
    for _ in range(2):
        assert platform.request_license(company.token).status_code == 200
        move_activations(platform, company.workspace_id, days=5000)
    forever = Platform(read_platform_settings({**platform.variables, "PLATFORM_ACTIVATION_DAYS": "0"}), SystemEffects())
    before = kept(platform, company.workspace_id)
    forget_old(platform.database, forever)
    assert kept(platform, company.workspace_id) == before
    forget_old(platform.database, platform.platform)
    assert kept(platform, company.workspace_id) == before[1:]


def mails_of(platform: RunningPlatform, email: str) -> list[str]:
    with platform.database.snapshot() as session:
        return list(
            session.scalars(
                select(OutboxMail.subject).where(
                    OutboxMail.to_address == email, OutboxMail.kind == "credential_expiring"
                )
            )
        )


def test_the_end_of_a_token_is_told_once_to_who_can_replace_it(
    platform: RunningPlatform, email: str, new_email: Callable[[], str]
) -> None:
    company = platform.bootstrap(email)
    colleague = Colleague(platform, company)
    now = platform.platform.now()
    with platform.database.transaction() as session:
        for name, days in (("late", 8), ("soon", 3), ("revoked", 3)):
            made = create_token(
                session,
                platform.platform,
                company.workspace_id,
                kind="ci",
                membership=None,
                name=name,
                expires_at=now + timedelta(days=days),
                actor="test",
            )
            if name == "revoked":
                revoke(
                    session,
                    platform.platform,
                    session.get_one(Credential, made.credential_id),
                    reason="deleted",
                    actor="test",
                )
        session.execute(
            update(Credential)
            .where(Credential.membership_id == colleague.id)
            .values(expires_at=now + timedelta(days=1))
        )
        session.execute(
            update(Credential)
            .where(Credential.workspace_id == company.workspace_id)
            .values(created_at=now - timedelta(days=30))
        )
    for _ in range(2):
        warn(platform.database, platform.platform)
    told = audit_of(platform, company, "credential.expiring")
    assert [(entry["kind"], entry["name"]) for entry in told] == [("auth", ""), ("ci", "soon")]
    assert (len(mails_of(platform, email)), len(mails_of(platform, colleague.email))) == (1, 1)

    with platform.database.transaction() as session:  # a rule of the workspace moves the end
        session.get_one(Workspace, company.workspace_id).settings = {"token_max_age_d": 32}
    for _ in range(2):
        warn(platform.database, platform.platform)
    told = audit_of(platform, company, "credential.expiring")[2:]
    assert sorted((entry["kind"], entry["name"]) for entry in told) == [("auth", ""), ("ci", "late"), ("ci", "soon")]
    assert len(mails_of(platform, email)) == 4
    assert company.token not in str(audit_of(platform, company, "credential.expiring"))


def test_a_token_that_lives_for_a_day_is_not_worth_a_word(platform: RunningPlatform, email: str) -> None:
    company = platform.bootstrap(email)
    with platform.database.transaction() as session:
        create_token(
            session,
            platform.platform,
            company.workspace_id,
            kind="ci",
            membership=None,
            name="short",
            expires_at=platform.platform.later(days=1),
            actor="test",
        )
    warn(platform.database, platform.platform)
    assert audit_of(platform, company, "credential.expiring") == []
