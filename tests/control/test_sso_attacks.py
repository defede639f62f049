"""What must not sign anybody in: forged and stale answers, providers that lie, browsers that did not begin."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cloudlet.control.accounts.service import create_user, find_user
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.sso.attempts import come_back, forget
from cloudlet.control.sso.errors import SsoOver
from cloudlet.control.sso.tables import SsoAttempt, SsoIdentity, SsoProvider
from cloudlet.control.workspaces.service import add_member
from tests.control.oidc_provider import RunningProvider
from tests.control.people import sequence
from tests.control.serving import RunningPlatform
from tests.control.signing_on import Place, actions, come_in, location, members_of, set_up, travel
from tests.control.waiting import wait_until_somebody_waits

NewEmail = Callable[[], str]


def refused(client: httpx.Client, answer: httpx.Response, status: int, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert "cloudlet_session" not in client.cookies


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("nonce", "its nonce is wrong"),
        ("no_nonce", "lacks nonce"),
        ("aud", "its aud is wrong"),
        ("iss", "its iss is wrong"),
        ("azp", "its azp is wrong"),
        ("no_azp", "lacks azp"),
        ("at_hash", "its at_hash is wrong"),
        ("subject", "its sub is wrong"),
        ("expired", "has expired"),
        ("future", "is of the future"),
        ("signature", "signature is wrong"),
        ("embedded_key", "not signed by a key of the provider"),
        ("unsigned", "not signed by a key of the provider"),
        ("hmac", "not signed by a key of the provider"),
        ("kid", "not signed by a key of the provider"),
        ("no_id_token", "gave no ID token"),
    ],
)
def test_a_token_that_proves_nothing_signs_nobody_in(
    platform: RunningPlatform, provider: RunningProvider, place: Place, wrong: str, words: str
) -> None:
    provider.set(wrong=wrong, subject=f"w-{next(sequence)}", email=f"person{next(sequence)}@example.com")
    with platform.client() as client:
        refused(client, travel(client, place), 502, words)
    assert actions(platform, place)[-1] == "sso.refused"


def test_new_keys_of_the_provider_count_at_once(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    for _ in range(2):
        email = new_email()
        provider.set(rotate=True, subject=email, email=email)
        with platform.client() as client:
            come_in(client, place)


@pytest.mark.parametrize(
    ("switches", "is_in"),
    [
        ({"userinfo_only": ["email", "email_verified", "name"]}, True),
        ({"userinfo_only": ["email_verified"]}, True),
        ({"email_verified": "true"}, True),
        ({"email_verified": None, "edov": True}, True),
        ({"email_verified": None, "edov": "1"}, True),
        ({"email_verified": False, "edov": None}, False),
        ({"email_verified": None, "edov": False}, False),
        ({"email_verified": "false"}, False),
        ({"userinfo_only": ["email"], "email_verified": False}, False),
        ({"userinfo_only": ["email"], "userinfo_lacks": ["email_verified"]}, False),
    ],
)
def test_an_address_counts_when_the_provider_says_that_it_is_theirs(
    platform: RunningPlatform, provider: RunningProvider, place: Place, switches: dict[str, Any], is_in: bool
) -> None:
    provider.set(subject=f"u-{next(sequence)}", email=f"person{next(sequence)}@example.com", **switches)
    with platform.client() as client:
        assert travel(client, place).status_code == (303 if is_in else 403)
        assert ("cloudlet_session" in client.cookies) is is_in


def test_user_info_of_another_subject_is_not_believed(
    platform: RunningPlatform, provider: RunningProvider, place: Place
) -> None:
    provider.set(userinfo_only=["email"], wrong="userinfo")
    with platform.client() as client:
        refused(client, travel(client, place), 502, "user info is of somebody else")


@pytest.mark.parametrize(
    ("trouble", "at", "status", "words"),
    [
        ("redirect", "/keys", 502, "a redirect; those are not followed"),
        ("redirect", "/token", 502, "a redirect; those are not followed"),
        ("huge", "/keys", 502, "its answer is too long"),
        ("huge", "/token", 502, "its answer is too long"),
        ("text", "/token", 502, "gave no ID token"),
        ("text", "/keys", 502, "key set has no keys"),
        ("no_keys", "/keys", 502, "key set has no keys"),
    ],
)
def test_a_provider_that_misbehaves_is_not_followed_and_not_waited_for(
    platform: RunningPlatform, provider: RunningProvider, place: Place, trouble: str, at: str, status: int, words: str
) -> None:
    provider.set(trouble=trouble, trouble_at=at)
    with platform.client() as client:
        refused(client, travel(client, place), status, words)


@pytest.mark.parametrize(
    ("switches", "words"),
    [
        ({"issuer": "https://elsewhere.example.com"}, "calls itself"),
        ({"discovery_status": 500}, "answered 500"),
        ({"leave_out": "token_endpoint"}, "has no token endpoint"),
        ({"leave_out": "jwks_uri"}, "jwks_uri"),
        ({"auth_methods": ["private_key_jwt"]}, "takes no client secret"),
        ({"trouble": "text", "trouble_at": "/.well-known/openid-configuration"}, "it is not JSON"),
        ({"trouble": "redirect", "trouble_at": "/.well-known/openid-configuration"}, "those are not followed"),
        ({"trouble": "huge", "trouble_at": "/.well-known/openid-configuration"}, "too long"),
    ],
)
def test_nobody_is_sent_to_a_provider_that_cannot_be_used(
    platform: RunningPlatform, provider: RunningProvider, place: Place, switches: dict[str, Any], words: str
) -> None:
    provider.set(**switches)
    with platform.client() as client:
        answer = client.get(f"/auth/sso/{place.slug}/start")
        assert answer.status_code == 422
        assert words in answer.text


def test_a_provider_that_takes_the_secret_in_the_body_gets_it_there(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    provider.set(auth_methods=["client_secret_post"], subject=email, email=email)
    with platform.client() as client:
        come_in(client, place)


def test_a_wrong_client_secret_is_said_to_be_one(
    platform: RunningPlatform, provider: RunningProvider, place: Place
) -> None:
    wrong = set_up(platform, place.admin, provider.url, client_secret="not the secret")
    with platform.client() as client:
        refused(client, travel(client, wrong), 502, "invalid_client")


@pytest.mark.parametrize(
    ("error", "words", "shown"),
    [
        ("access_denied", "", "You, or a rule there, said no. (access_denied)"),
        ("login_required", "Use <b>MFA</b>", "It says: “Use &lt;b&gt;MFA&lt;/b&gt;”"),
        ("made_up", "two\nlines", "It gave a reason that we do not know. (made_up)"),
        ("bad\x01code", "", "It gave a reason that we do not know."),
    ],
)
def test_what_the_provider_says_instead_of_a_code_is_told(
    platform: RunningPlatform, provider: RunningProvider, place: Place, error: str, words: str, shown: str
) -> None:
    provider.set(deny=error, deny_words=words)
    with platform.client() as client:
        answer = travel(client, place)
        refused(client, answer, 403, "The identity provider did not let you in")
        assert shown in answer.text.replace("&#34;", '"').replace("&#39;", "'")
        assert "two\nlines" not in answer.text


@pytest.mark.parametrize(("told", "status"), [("right", 303), ("https://elsewhere.example.com", 502)])
def test_an_answer_that_names_its_issuer_must_be_of_this_one(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail, told: str, status: int
) -> None:
    """RFC 9207. A provider that says it always does must do so."""
    email = new_email()
    provider.set(tells_issuer=told, subject=email, email=email)
    with platform.client() as client:
        back = location(client, place)
        assert client.get(back).status_code == status
        without = location(client, place).partition("&iss=")[0]
        assert client.get(without).status_code == 502


def test_an_answer_counts_once_in_the_browser_that_began(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    provider.set(subject=email, email=email)
    with platform.client() as client, platform.client() as other:
        back = location(client, place)
        refused(other, other.get(back), 410, "began in another browser")
        assert client.get(back).status_code == 303
        first = client.cookies["cloudlet_session"]
        again = client.get(back)
        assert again.status_code == 410
        assert "Begin again" in again.text
        assert client.cookies["cloudlet_session"] == first


def test_an_answer_counts_at_the_provider_that_was_asked(
    platform: RunningPlatform, provider: RunningProvider, place: Place
) -> None:
    other = set_up(platform, place.admin, provider.url, name="Other")
    with platform.client() as client:
        back = location(client, place)
        refused(client, client.get(back.replace(place.slug, other.slug)), 410, "does not go on")
        for path in ("", "?state=&code=x", "?code=x", "?state=made-up&code=x", "?state=a&state=b"):
            refused(client, client.get(f"/auth/sso/{place.slug}/callback{path}"), 410, "does not go on")
        assert client.get(f"/auth/sso/{place.slug}-no/callback?state=x").status_code == 404


def test_after_ten_minutes_a_sign_in_is_over_and_forgotten(
    platform: RunningPlatform, provider: RunningProvider, place: Place
) -> None:
    now = platform.platform.now()
    with platform.client() as client:
        back = location(client, place)
        with platform.database.transaction() as session:
            mine = SsoAttempt.provider_id == place.provider_id
            attempt = session.scalars(select(SsoAttempt).where(mine)).one()
            assert now < attempt.expires_at <= platform.platform.later(minutes=10)
            session.execute(update(SsoAttempt).where(mine).values(expires_at=now - timedelta(seconds=1)))
        refused(client, client.get(back), 410, "does not go on")
    forget(platform.database, platform.platform)
    with platform.database.snapshot() as session:
        assert session.scalars(select(SsoAttempt).where(mine)).all() == []


def test_of_the_same_answer_many_times_at_once_one_counts(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    provider.set(subject=email, email=email)
    with platform.client() as client:
        back = location(client, place)
        cookies = dict(client.cookies)

    def send(_: int) -> int:
        return httpx.get(back, cookies=cookies).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(send, range(6)))
    assert statuses == [303, 410, 410, 410, 410, 410]
    assert members_of(platform, place, email) == [("active", "member")]


def test_who_waits_for_another_to_use_an_answer_up_is_too_late(
    platform: RunningPlatform, provider: RunningProvider, place: Place
) -> None:
    with platform.client() as client:
        state = httpx.URL(location(client, place)).params["state"]
        cookies = dict(client.cookies)

    def use(session: Session) -> None:
        come_back(session, platform.platform, session.get_one(SsoProvider, place.provider_id), state, cookies)

    def use_late() -> None:
        with platform.database.transaction() as session:
            use(session)

    with ThreadPoolExecutor(1) as pool:
        with platform.database.transaction() as session:
            use(session)
            late = pool.submit(use_late)
            wait_until_somebody_waits(platform.database)
        with pytest.raises(SsoOver):
            late.result(timeout=60)


def test_a_newcomer_in_many_windows_at_once_becomes_one_member(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    provider.set(subject=email, email=email)

    def sign_in(_: int) -> int:
        with platform.client() as client:
            return travel(client, place).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(sign_in, range(4))) == [303] * 4
    assert members_of(platform, place, email) == [("active", "member")]
    with platform.database.snapshot() as session:
        assert len(session.scalars(select(SsoIdentity.id).where(SsoIdentity.subject == email)).all()) == 1


@pytest.mark.parametrize("is_linked", [True, False])
def test_an_account_that_the_operator_disabled_stays_out(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail, is_linked: bool
) -> None:
    email = new_email()
    provider.set(subject=email, email=email)
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, email)
        add_member(session, platform.platform, place.admin.workspace_id, user, role="member")
    if is_linked:
        with platform.client() as client:
            come_in(client, place)
    with platform.database.transaction() as session:
        found = find_user(session, email)
        assert found is not None
        found.disabled_at = platform.platform.now()
    with platform.client() as client:
        refused(client, travel(client, place), 403, "Your account is disabled")


def test_neither_audit_log_nor_database_nor_log_has_what_came_by_the_browser(
    platform: RunningPlatform, provider: RunningProvider, place: Place
) -> None:
    provider.set(email_verified=False)
    with platform.client() as client:
        back = httpx.URL(location(client, place))
        assert client.get(back).status_code == 403
    with platform.database.snapshot() as session:
        entry = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.workspace_id == place.admin.workspace_id)
            .order_by(AuditEntry.seq.desc())
            .limit(1)
        ).one()
        stored = str([row.secrets_enc for row in session.scalars(select(SsoAttempt))])
        stored += str([row.client_secret_enc for row in session.scalars(select(SsoProvider))])
    assert (entry.action, entry.actor, entry.data["code"]) == ("sso.refused", "system", "sso.email")
    for secret in (back.params["code"], back.params["state"], "s3cret"):
        assert secret not in f"{entry.data}{stored}{platform.printed()}"
