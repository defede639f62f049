"""The workspaces that one belongs to."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudlet.control.api.operation import Call, Page, etag_of, operation
from cloudlet.control.permissions import SIGNED_IN, SIGNED_IN_ANYWHERE
from cloudlet.control.workspaces.service import memberships_of
from cloudlet.control.workspaces.tables import Membership
from cloudlet.control.workspaces.tables import Workspace as WorkspaceRow

WORKSPACES = "/workspaces"
WORKSPACE = WORKSPACES + "/{workspace_id}"


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """`role` and `member_id` are the caller's own."""

    id: str
    name: str
    slug: str
    role: str
    member_id: str
    is_company: bool
    country: str | None
    tax_id: str | None
    created_at: datetime


@operation("GET", WORKSPACES, SIGNED_IN_ANYWHERE)
def list_workspaces(call: Call) -> Page[Workspace]:
    """One's workspaces; with an API token the one that it is for."""
    own = getattr(call.person, "workspace_id", "")
    return Page(
        tuple(
            shape(membership, workspace)
            for membership, workspace in memberships_of(call.session, call.person.user_id)
            if not call.person.credential_id or workspace.id == own
        )
    )


@operation("GET", WORKSPACE, SIGNED_IN)
def get_workspace(call: Call) -> Workspace:
    """One workspace."""
    found = own_shape(call)
    call.tell_version(etag_of(found))
    return found


def own_shape(call: Call) -> Workspace:
    return shape(
        call.session.get_one(Membership, call.viewer.membership_id),
        call.session.get_one(WorkspaceRow, call.viewer.workspace_id),
    )


def shape(membership: Membership, workspace: WorkspaceRow) -> Workspace:
    return Workspace(
        id=workspace.id,
        name=workspace.name,
        slug=workspace.slug,
        role=membership.role,
        member_id=membership.id,
        is_company=workspace.is_company,
        country=workspace.country,
        tax_id=workspace.tax_id,
        created_at=workspace.created_at,
    )


OPERATIONS = (
    list_workspaces,
    get_workspace,
)
