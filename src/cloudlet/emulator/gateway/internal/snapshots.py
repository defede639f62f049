"""`/_cloudlet/snapshots`: the whole state under a name, to come back to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from cloudlet.emulator.fallback.moment import Unreadable
from cloudlet.emulator.gateway.internal.answers import InternalError, json_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.store.kv import StoreError

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def list_snapshots(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"snapshots": [{"name", "created_at", "size_bytes", "version"}]}`, oldest first."""
    return json_answer({"snapshots": msgspec.to_builtins(emulator.snapshots.list())})


async def save_snapshot(emulator: Emulator, request: HttpRequest, name: str) -> HttpResponse:
    """Save the state; 201. An older snapshot of that name is replaced.

    `not_saved` names the services whose state cannot be written, with the reason; it is absent where there are none.
    """
    saved, problems = await emulator.save_snapshot(checked(name))
    entry = msgspec.to_builtins(saved)
    return json_answer({**entry, "not_saved": problems} if problems else entry, 201)


async def restore_snapshot(emulator: Emulator, request: HttpRequest, name: str) -> HttpResponse:
    """Replace the state by the snapshot's. 404 when there is none of that name, 409 when it does not fit."""
    try:
        await emulator.restore_snapshot(checked(name))
    except KeyError:
        raise unknown(name) from None
    except (StoreError, Unreadable) as error:
        raise InternalError(409, "snapshot.unreadable", f"{str(error).rstrip('.')}. Nothing was changed.") from error
    return json_answer({"restored": name})


def delete_snapshot(emulator: Emulator, request: HttpRequest, name: str) -> HttpResponse:
    """204; 404 when there is none of that name."""
    try:
        emulator.snapshots.delete(checked(name))
    except KeyError:
        raise unknown(name) from None
    return HttpResponse(204)


def checked(name: str) -> str:
    if NAME.fullmatch(name) is None:
        raise InternalError(
            400, "snapshot.name", "A snapshot's name has 1 to 100 letters, digits, dots, dashes and underscores."
        )
    return name


def unknown(name: str) -> InternalError:
    return InternalError(
        404, "snapshot.unknown", f"There is no snapshot {name!r}; GET /_cloudlet/snapshots lists them."
    )
