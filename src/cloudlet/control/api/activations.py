"""Activations, and the machines that asked for them."""

from __future__ import annotations

from typing import Literal

import msgspec

from cloudlet.control.activations import machine_views, machines
from cloudlet.control.activations.history import ActivationRow, Filters, list_activations
from cloudlet.control.activations.history import activation_detail as detail
from cloudlet.control.activations.machine_views import MachineDetail, MachineRow
from cloudlet.control.api.operation import Body, Call, CursorQuery, Page, make_cursor, operation, read_cursor
from cloudlet.control.permissions import SIGNED_IN

WORKSPACE = "/workspaces/{workspace_id}"
MACHINES = WORKSPACE + "/machines"


class ActivationQuery(CursorQuery, frozen=True, kw_only=True):
    """`who`: a part of a member's name or address, a key's name, or a token's id; `machine`: a part of its id."""

    who: str = ""
    machine: str = ""
    result: Literal["", "ok", "refused"] = ""
    ci: Literal["", "yes", "no"] = ""


class ActivationAnswer(msgspec.Struct, frozen=True):
    """A request; for a refusal, what to do about it."""

    activation: ActivationRow
    advice: tuple[str, ...]


class MachineQuery(CursorQuery, frozen=True, kw_only=True):
    """`q`: a part of its id or system."""

    q: str = ""
    blocked: bool = False


class MachineChange(Body, frozen=True):
    """A blocked machine is refused at its next start."""

    blocked: bool


@operation("GET", WORKSPACE + "/activations", SIGNED_IN)
def list_all_activations(call: Call, query: ActivationQuery) -> Page[ActivationRow]:
    """License requests, newest first: everybody's with `usage.read`, else one's own."""
    filters = Filters(
        who=query.who.strip()[:100],
        machine=query.machine.strip()[:100],
        result=query.result,
        ci=query.ci,
        before=read_cursor("activations", query.cursor) or "",
    )
    found = list_activations(call.session, call.viewer, filters)
    return Page(found.rows, make_cursor("activations", found.older) if found.older else None)


@operation("GET", WORKSPACE + "/activations/{activation_id}", SIGNED_IN)
def get_activation(call: Call, activation_id: str) -> ActivationAnswer:
    """One request."""
    found = detail(call.session, call.platform, call.viewer, activation_id)
    return ActivationAnswer(found.row, found.advice)


@operation("GET", MACHINES, SIGNED_IN)
def list_machines(call: Call, query: MachineQuery) -> Page[MachineRow]:
    """Machines, last seen first: all with `usage.read`, else those that one's own tokens were used on."""
    found = machine_views.list_machines(
        call.session,
        call.viewer,
        search=query.q.strip()[:100],
        only_blocked=query.blocked,
        before=read_cursor("machines", query.cursor) or "",
    )
    return Page(found.rows, make_cursor("machines", found.older) if found.older else None)


@operation("GET", MACHINES + "/{machine_id}", SIGNED_IN)
def get_machine(call: Call, machine_id: str) -> MachineDetail:
    """One machine, and the tokens that were used on it."""
    return machine_views.machine_detail(call.session, call.viewer, machine_id)


@operation("PATCH", MACHINES + "/{machine_id}", "machine.manage")
def change_machine(call: Call, machine_id: str, body: MachineChange) -> MachineDetail:
    """Block a machine, or let it start again."""
    change = machines.block_machine if body.blocked else machines.unblock_machine
    change(call.session, call.platform, call.viewer, machine_id)
    call.session.expire_all()
    return machine_views.machine_detail(call.session, call.viewer, machine_id)


OPERATIONS = (
    list_all_activations,
    get_activation,
    list_machines,
    get_machine,
    change_machine,
)
