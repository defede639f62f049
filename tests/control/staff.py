"""Members of a workspace with tokens and browsers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import httpx
from sqlalchemy import select

from cloudlet.control.accounts.service import create_user, make_link
from cloudlet.control.accounts.tables import User
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.credentials.service import ensure_auth_token
from cloudlet.control.db import Database
from cloudlet.control.licenses.service import assign, license_of
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import add_member
from cloudlet.control.workspaces.tables import Membership
from tests.control.people import post, sequence
from tests.control.serving import RunningPlatform


class Colleague:
    """Somebody who joined, with a token, and a license if asked for."""

    def __init__(
        self,
        platform: RunningPlatform,
        company: BootstrapResult,
        *,
        role: str = "member",
        permissions: dict[str, bool] | None = None,
        is_licensed: bool = False,
    ) -> None:
        self.platform = platform
        self.email = f"colleague{next(sequence)}@example.com"
        with platform.database.transaction() as session:
            user = create_user(session, platform.platform, self.email)
            member = add_member(session, platform.platform, company.workspace_id, user, role=role)
            member.permissions = permissions
            self.token = ensure_auth_token(session, platform.platform, member, actor="test").token
            self.id = member.id
            self.link = make_link(session, platform.platform, user, "magic")
            if is_licensed:
                assign(session, platform.platform, company.workspace_id, member.id, actor="test")

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """Signed in; works once."""
        with self.platform.client() as client:
            assert post(client, f"/sign-in/link/{self.link}").status_code == 303
            yield client

    def holds_license(self) -> bool:
        with self.platform.database.snapshot() as session:
            return license_of(session, self.id) is not None


class WithDatabase(Protocol):
    database: Database


def admin_of(platform: WithDatabase, company: BootstrapResult) -> Viewer:
    """The workspace's first admin, as services know them."""
    with platform.database.snapshot() as session:
        found = session.scalars(
            select(Membership).where(Membership.workspace_id == company.workspace_id).order_by(Membership.id)
        ).first()
        assert found is not None
        user = session.get_one(User, found.user_id)
        return Viewer(
            session_id="s",
            user_id=user.id,
            email=user.email,
            name=user.name,
            is_verified=True,
            has_password=False,
            has_sudo=True,
            workspace_id=company.workspace_id,
            workspace_name=company.workspace,
            membership_id=found.id,
            role=found.role,
            permissions=found.permissions,
        )


def audit_of(platform: RunningPlatform, company: BootstrapResult, action: str) -> list[dict[str, Any]]:
    """What the audit log says of an action, oldest first."""
    with platform.database.snapshot() as session:
        return list(
            session.scalars(
                select(AuditEntry.data)
                .where(AuditEntry.workspace_id == company.workspace_id, AuditEntry.action == action)
                .order_by(AuditEntry.seq)
            )
        )
