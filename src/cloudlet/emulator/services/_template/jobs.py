"""What happens later: a region that is being enabled or disabled settles."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.effects.jobs import enqueue
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services._template.records import OPT_INS
from cloudlet.emulator.services._template.rules import settled

SETTLE = "account.settle"
SETTLE_SECONDS = 60.0  # AWS says minutes to hours; long enough to be seen, short enough to wait for


def settle_later(call: Call, account_id: str, region_name: str) -> None:
    """Written in the request's transaction: a change that is rolled back settles nothing."""
    enqueue(
        call.tx,
        SETTLE,
        {"account_id": account_id, "region_name": region_name},
        call.now + SETTLE_SECONDS,
        call.ids,
        key=f"{account_id}/{region_name}",
        account_id=call.account_id,
        region=call.region,
    )


async def settle(call: Call, payload: dict[str, Any]) -> None:
    """Runs at least once, so it does nothing the second time."""
    with call.transaction() as tx:
        opt_in = OPT_INS.get(tx, payload["account_id"], payload["region_name"])
        if opt_in is not None:
            OPT_INS.put(tx, replace(opt_in, status=settled(opt_in.status)))
