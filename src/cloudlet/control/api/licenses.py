"""Licenses of a workspace, one's own license, and what was activated with it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import select

from cloudlet.control.activations.records import last_activation
from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.api.members import HeldLicense, Seats, license_shape
from cloudlet.control.api.operation import Call, Page, PageQuery, operation, page_of, read_cursor
from cloudlet.control.credentials.service import living_auth_token
from cloudlet.control.licenses.errors import AlreadyAssigned, NoSubscription, SeatsExhausted
from cloudlet.control.licenses.service import license_of, seats_of
from cloudlet.control.licenses.tables import License, Plan, Subscription
from cloudlet.control.members import service as members
from cloudlet.control.permissions import SIGNED_IN

WORKSPACE = "/workspaces/{workspace_id}"


class LicenseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A seat. `member_id` is null while nobody holds it."""

    id: str
    subscription_id: str
    status: str
    plan: str
    seat: int
    member_id: str | None
    assigned_at: datetime | None
    issued_at: datetime
    expires_at: datetime


class LicensePage(msgspec.Struct, frozen=True):
    """A part of the licenses, and how many there are."""

    items: tuple[LicenseRow, ...]
    next_cursor: str | None
    seats: Seats


class Entitlement(msgspec.Struct, frozen=True):
    """Something that the license opens; `limit` null: as much as they like."""

    name: str
    limit: int | None


class TokenUse(msgspec.Struct, frozen=True):
    """The beginning of one's token, and when it was used."""

    prefix: str
    last_used_at: datetime | None


class LastActivation(msgspec.Struct, frozen=True, kw_only=True):
    """`result` is `ok`, or the verdict's code."""

    at: datetime
    machine: str
    version: str
    result: str
    offline_until: datetime | None


class MyLicense(msgspec.Struct, frozen=True, kw_only=True):
    """What My License shows."""

    assigned: bool
    license: HeldLicense | None
    entitlements: tuple[Entitlement, ...]
    token: TokenUse | None
    last_activation: LastActivation | None


@operation("GET", WORKSPACE + "/licenses", SIGNED_IN)
def list_licenses(call: Call, query: PageQuery) -> LicensePage:
    """The licenses of all subscriptions."""
    statement = (
        select(License, Plan.code)
        .join(Subscription, Subscription.id == License.subscription_id)
        .join(Plan, Plan.id == Subscription.plan_id)
        .where(License.workspace_id == call.viewer.workspace_id)
    )
    last = read_cursor("licenses", query.cursor)
    if last is not None:
        statement = statement.where(License.id > last)
    rows = list(call.session.execute(statement.order_by(License.id).limit(query.limit + 1)).all())
    page: Page[LicenseRow] = page_of("licenses", rows, query.limit, lambda row: shape(*row), lambda row: row[0].id)
    return LicensePage(page.items, page.next_cursor, seats_shape(call))


@operation("GET", WORKSPACE + "/me/license", SIGNED_IN)
def get_my_license(call: Call) -> MyLicense:
    """One's own license, what it opens, and the last activation."""
    return my_license(call)


@operation(
    "PUT", WORKSPACE + "/me/license", "license.self_assign", refuses=(AlreadyAssigned, SeatsExhausted, NoSubscription)
)
def assign_my_license(call: Call) -> MyLicense:
    """Take a free license. Who has one keeps it."""
    if license_of(call.session, call.viewer.membership_id) is None:
        members.assign_to_self(call.session, call.platform, call.viewer)
    return my_license(call)


def my_license(call: Call) -> MyLicense:
    holding = license_of(call.session, call.viewer.membership_id)
    token = living_auth_token(call.session, call.viewer.membership_id)
    entitlements = holding.plan.entitlements if holding else {}
    return MyLicense(
        assigned=holding is not None,
        license=license_shape(holding.license, holding.plan.code) if holding else None,
        entitlements=tuple(Entitlement(name, limit) for name, limit in sorted(entitlements.items())),
        token=TokenUse(token.prefix8, token.last_used_at) if token else None,
        last_activation=activation_shape(call, last_activation(call.session, call.viewer.membership_id)),
    )


def activation_shape(call: Call, found: Activation | None) -> LastActivation | None:
    if found is None:
        return None
    machine = call.session.get(Machine, found.machine_row) if found.machine_row else None
    return LastActivation(
        at=found.at,
        machine=machine.machine_id if machine else "",
        version=found.version,
        result=found.result_code,
        offline_until=found.offline_until,
    )


def seats_shape(call: Call) -> Seats:
    seats = seats_of(call.session, call.viewer.workspace_id)
    return Seats(total=seats.total, used=seats.used, free=seats.free)


def shape(row: License, plan: str) -> LicenseRow:
    return LicenseRow(
        id=row.id,
        subscription_id=row.subscription_id,
        status=row.status,
        plan=plan,
        seat=row.seat_no,
        member_id=row.assigned_membership_id,
        assigned_at=row.assigned_at,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
    )


OPERATIONS = (
    list_licenses,
    get_my_license,
    assign_my_license,
)
