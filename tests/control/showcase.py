"""A workspace as one looks after months of use, and every page of the control plane with something on it."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from litestar import Litestar
from litestar.routes import HTTPRoute
from sqlalchemy import select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.service import create_user, find_user, make_link, open_session
from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.ci.credits import ensure_period
from cloudlet.control.ci.forms import KeyForm
from cloudlet.control.ci.service import create_key
from cloudlet.control.ci.tables import CiCharge
from cloudlet.control.credentials.service import ensure_auth_token
from cloudlet.control.devices.forms import SignInRequest
from cloudlet.control.devices.service import open_request
from cloudlet.control.devices.tokens import create_device_token
from cloudlet.control.licenses.tables import Plan, Subscription
from cloudlet.control.mail.tables import OutboxMail
from cloudlet.control.members.forms import InviteForm
from cloudlet.control.members.invitations import hash_of, invite
from cloudlet.control.members.tables import Invitation
from cloudlet.control.permissions import PUBLIC, SIGNED_IN_UNVERIFIED
from cloudlet.control.platform import Platform
from cloudlet.control.sso.forms import ProviderForm
from cloudlet.control.sso.service import create_provider
from cloudlet.control.sso.tables import SsoIdentity, SsoProvider
from cloudlet.control.viewer import Viewer
from cloudlet.control.webhooks.forms import WebhookForm
from cloudlet.control.webhooks.service import create_webhook, send_test
from cloudlet.control.webhooks.tables import WebhookDelivery
from cloudlet.control.workspaces.service import add_member
from cloudlet.control.workspaces.tables import Membership
from tests.control.api import viewer_of
from tests.control.serving import RunningPlatform

PEOPLE = (
    ("Grace Hopper", "grace@example.com", "admin"),
    (
        "Alexandrina Featherstonehaugh-Cholmondeley",
        "alexandrina.featherstonehaugh-cholmondeley@research.example.com",
        "billing",
    ),
    ("Katherine Johnson", "katherine.johnson@example.com", "member"),
    ("Evelyn Boyd Granville", "evelyn@example.com", "member"),
    ("Margaret Hamilton", "margaret.hamilton@flight-software.example.com", "member"),
)
MACHINES = ("sys_4f1c8a90b2d7", "dkr_9f8e7d6c5b4a", "gen_6b1e4c3d2a10")


class Shown(msgspec.Struct, frozen=True):
    """A page's address with its ids filled in, and whose cookie sees it ("" for nobody's)."""

    path: str
    cookie: str


class Showcase(msgspec.Struct, frozen=True):
    """`parts`: what stands in the place of each route's parameters, by the route's beginning or the parameter's name."""

    admin: str
    unverified: str
    parts: dict[str, str]

    def pages(self, app: Litestar) -> list[Shown]:
        """Every route that answers GET with a page. KeyError where a new one has an id that nothing is made for."""
        found = [Shown("/workspace/nowhere", self.admin), Shown("/nowhere", "")]
        for route in app.routes:
            if not isinstance(route, HTTPRoute):
                continue
            for handler in route.route_handlers:
                if "GET" in handler.http_methods and "Template" in str(handler.fn.__annotations__.get("return")):
                    found.append(Shown(self.filled(route.path_format), self.cookie(handler.opt["requires"])))
        return found

    def cookie(self, level: str) -> str:
        return {PUBLIC: "", SIGNED_IN_UNVERIFIED: self.unverified}.get(level, self.admin)

    def filled(self, path: str) -> str:
        filled = path
        for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
            key = path.split("/{")[0] if name == "secret" else name
            filled = filled.replace(f"{{{name}}}", self.parts[key])
        return filled


def furnish(running: RunningPlatform) -> Showcase:
    """Fills the database of `running`, which is read as of now."""
    found = running.bootstrap("ada.lovelace@example.com", workspace="Acme Research and Analytical Engines")
    viewer = viewer_of(running, "ada.lovelace@example.com")
    platform = running.platform
    assert running.request_license(found.token).status_code == 200
    with running.database.transaction() as session:
        user = find_user(session, viewer.email)
        assert user is not None
        user.name = "Ada Lovelace"
        newcomer = create_user(session, platform, "newcomer@example.com", is_verified=False)
        parts = {
            "/sign-in/link": make_link(session, platform, user, "magic"),
            "/reset": make_link(session, platform, user, "reset"),
            "/verify": make_link(session, platform, newcomer, "verify"),
            "/account/email": make_link(session, platform, user, "email", detail="ada@elsewhere.example.com"),
            "member_id": add_people(session, platform, viewer),
            "/invite": add_invitation(session, platform, viewer),
            "provider_id": add_provider(session, platform, viewer)[0],
            "request_id": open_request(session, platform, SignInRequest("cloudlet", "1.0.0", "ada-laptop"), ip="").id,
        }
        parts["slug"] = session.get_one(SsoProvider, parts["provider_id"]).slug
        add_activations(session, platform, viewer, parts)
        add_pipeline(session, platform, viewer, parts)
        add_deliveries(session, platform, viewer, parts)
        own = session.get_one(Membership, viewer.membership_id)
        create_device_token(session, platform, own, name="ada-laptop", family="f1", actor=viewer.actor)
        session.flush()
        mail = session.scalars(select(OutboxMail).order_by(OutboxMail.id)).first()
        assert mail is not None
        parts["mail_id"] = mail.id
        browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36"
        admin = open_session(session, platform, user, ip="192.0.2.17", user_agent=browser, with_sudo=True)
        unverified = open_session(session, platform, newcomer, ip="", user_agent=browser, with_sudo=True)
    return Showcase(admin, unverified, parts)


def add_people(session: Session, platform: Platform, viewer: Viewer) -> str:
    """The id of one of them."""
    ids = []
    for name, email, role in PEOPLE:
        user = create_user(session, platform, email)
        user.name = name
        member = add_member(session, platform, viewer.workspace_id, user, role=role)
        ensure_auth_token(session, platform, member, actor="system")
        ids.append(member.id)
    return ids[1]


def add_invitation(session: Session, platform: Platform, viewer: Viewer) -> str:
    """Its secret, which is otherwise in the mail alone."""
    member = invite(session, platform, viewer, InviteForm(email="a.very.long.invited.address@department.example.com"))
    session.flush()
    invitation = session.scalars(select(Invitation).where(Invitation.membership_id == member.id)).one()
    invitation.hash = hash_of(platform, "shown")
    return "shown"


def add_provider(session: Session, platform: Platform, viewer: Viewer) -> tuple[str, str]:
    """Single sign-on, by which the viewer came in. Returns its id and that of the link to the viewer."""
    form = ProviderForm(
        name="Okta of the research department",
        issuer="https://login.research-and-analytical-engines.example.com/oauth2/default",
        client_id="0oa1b2c3d4E5F6G7h8i9",
        client_secret="a secret that is not told",
        scopes="openid email profile",
        domains=("example.com", "flight-software.example.com"),
        role="member",
        permissions=None,
    )
    provider = create_provider(session, platform, viewer, form)
    identity = SsoIdentity(
        id=platform.new_id("sid"),
        provider_id=provider.id,
        user_id=viewer.user_id,
        subject="00u1a2b3c4d5E6F7G8h9",
        created_at=platform.now(),
        last_used_at=platform.now(),
    )
    session.add(identity)
    session.flush()
    return provider.id, identity.id


def add_activations(session: Session, platform: Platform, viewer: Viewer, parts: dict[str, str]) -> None:
    """Two dozen from three machines, of which every fifth was refused."""
    first = session.scalars(select(Activation).where(Activation.workspace_id == viewer.workspace_id)).one()
    machines = [
        Machine(
            id=platform.new_id("mch"),
            workspace_id=viewer.workspace_id,
            machine_id=name,
            kind=name[:3],
            system="Linux,6.12.38,x86_64",
            first_seen=platform.now() - timedelta(days=40),
            last_seen=platform.now() - timedelta(hours=3),
        )
        for name in MACHINES
    ]
    session.add_all(machines)
    session.flush()
    for number in range(24):
        is_refused = number % 5 == 2
        session.add(
            Activation(
                id=platform.new_id("act"),
                workspace_id=viewer.workspace_id,
                license_id=first.license_id,
                credential_id=first.credential_id,
                machine_row=machines[number % 3].id,
                product="cloudlet",
                version="1.0.0",
                is_ci=number % 3 == 1,
                is_cli=True,
                ci_project="webshop" if number % 3 == 1 else None,
                ci_run=f"GITHUB_RUN_ID=91230{number}" if number % 3 == 1 else None,
                result_code="licensing.license.not_assigned" if is_refused else "ok",
                detail="No license is assigned to this member." if is_refused else None,
                request_id=platform.new_id("req"),
                ip="192.0.2.17",
                at=platform.now() - timedelta(hours=7 * number),
            )
        )
    parts |= {"activation_id": first.id, "machine_row": machines[0].id}


def add_pipeline(session: Session, platform: Platform, viewer: Viewer, parts: dict[str, str]) -> None:
    """CI keys, and a week of runs for the chart."""
    create_key(session, platform, viewer, KeyForm(name="Nightly integration suite of the payments platform on GitLab"))
    key = create_key(session, platform, viewer, KeyForm(name="GitHub Actions", project="webshop"))
    session.flush()
    subscription = session.scalars(select(Subscription).where(Subscription.workspace_id == viewer.workspace_id)).one()
    subscription.current_period_start -= timedelta(days=9)
    plan = session.get_one(Plan, subscription.plan_id)
    period = ensure_period(session, platform, viewer.workspace_id, subscription, plan)
    for day in range(7):
        for run in range((day * 7) % 17):
            session.add(
                CiCharge(
                    id=platform.new_id("cic"),
                    workspace_id=viewer.workspace_id,
                    period_id=period.id,
                    credential_id=key.credential_id,
                    run_key=f"shown-{day}-{run}",
                    project="api" if run % 2 else "webshop",
                    at=platform.now() - timedelta(days=day),
                )
            )
            period.used += 1
    parts["key_id"] = key.credential_id


def add_deliveries(session: Session, platform: Platform, viewer: Viewer, parts: dict[str, str]) -> None:
    """One that arrived, and one that was given up."""
    form = WebhookForm(
        "https://hooks.example.com/departments/engineering/cloudlet-license-events", "Billing sheet", ("*",)
    )
    hook = create_webhook(session, platform, viewer, form).webhook_id
    session.flush()
    ids = [send_test(session, platform, viewer, hook) for _ in range(2)]
    session.flush()
    for number, row in enumerate(session.scalars(select(WebhookDelivery).where(WebhookDelivery.webhook_id == hook))):
        row.due_at = None
        row.attempts = 1
        row.status, row.response_status = ("dead", 503) if number else ("delivered", 204)
        row.delivered_at = None if number else platform.now()
    parts |= {"webhook_id": hook, "delivery_id": ids[0]}
