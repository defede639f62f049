"""`/_aws/cloudwatch/metrics/raw`: every data point that CloudWatch holds."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.gateway.internal.answers import json_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator


async def list_metrics(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"metrics": [{"ns", "n", "v", "t", "d": [{"n", "v"}], "account", "region"}]}`; `t` in seconds since the epoch."""
    found = await emulator.dispatcher.fallback.held("cloudwatch", "metric_data")
    metrics = [shown(point, account, region) for account, region, points in found for point in tuple(points)]
    return json_answer({"metrics": metrics})


def shown(point: Any, account: str, region: str) -> dict[str, Any]:
    value = getattr(point, "value", None)
    moment = point.timestamp
    return {
        "ns": point.namespace,
        "n": point.name,
        "v": int(value) if isinstance(value, int | float) and value == int(value) else str(value),
        "t": (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp(),
        "d": [{"n": dimension.name, "v": dimension.value} for dimension in point.dimensions],
        "account": account,
        "region": region,
    }
