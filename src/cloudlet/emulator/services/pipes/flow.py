"""A batch on its way through a pipe: filtered, transformed, enriched, delivered.

Sources: "Amazon EventBridge Pipes concepts", "Amazon EventBridge Pipes input transformation".
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import orjson

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.eventing.arns import Arn, parse_arn
from cloudlet.emulator.eventing.deliveries import carry_out
from cloudlet.emulator.eventing.inputs import MISSING, compact, fill, look_up
from cloudlet.emulator.eventing.patterns import matches, parse_pattern
from cloudlet.emulator.eventing.targets import errand_of
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.pipes.records import Pipe

Event = dict[str, Any]
ENCODED = ("body", "data")  # members of records that hold text which may be JSON; Kinesis's `data` in base64
# what TargetParameters calls it -> what `eventing.targets` does
PARAMETERS = MappingProxyType(
    {
        "SqsQueueParameters": "SqsParameters",
        "KinesisStreamParameters": "KinesisParameters",
        "EcsTaskParameters": "EcsParameters",
        "BatchJobParameters": "BatchParameters",
        "RedshiftDataParameters": "RedshiftDataParameters",
        "SageMakerPipelineParameters": "SageMakerPipelineParameters",
        "EventBridgeEventBusParameters": "EventBridgeParameters",
    }
)


class Failed(Exception):
    """The enrichment or the target did not take the batch; it may be offered again."""


def wanted(pipe: Pipe, event: Event) -> bool:
    """Whether a record passes one of the pipe's filters."""
    filters = (pipe.definition["SourceParameters"].get("FilterCriteria") or {}).get("Filters") or ()
    return not filters or any(matches(parse_pattern(entry["Pattern"]), opened(event)) for entry in filters)


def opened(event: Any) -> Any:
    """The record with text that is JSON as what it stands for, as filters and paths see it."""
    if not isinstance(event, dict):
        return event
    result = dict(event)
    for name in ENCODED:
        text = result.get(name)
        if not isinstance(text, str):
            continue
        try:
            if name == "data":
                text = result[name] = b64decode(text, validate=True).decode()
            result[name] = orjson.loads(text)
        except ValueError:
            continue  # text that is no JSON is matched as it is
    return result


async def run(call: Call, pipe: Pipe, events: list[Event]) -> None:
    """Take a batch of wanted records to the target. Raises AwsError, Failed."""
    definition = pipe.definition
    batch: list[Any] = list(events)
    with call.transaction(read_only=True):
        pass  # tells the call what time it is
    if "Enrichment" in definition:
        template = (definition.get("EnrichmentParameters") or {}).get("InputTemplate")
        batch = await enrich(call, pipe, [transformed(call, pipe, template, event) for event in batch])
    if not batch:
        return
    parameters = definition.get("TargetParameters") or {}
    target = parse_arn(definition["Target"])
    if target is None:
        raise Failed(f"{definition['Target']} is no ARN")
    made = [transformed(call, pipe, parameters.get("InputTemplate"), event) for event in batch]
    if target.service == "lambda":
        await to_function(call, target, definition["Target"], parameters, made)
    elif target.service == "states":
        await to_machine(call, target, definition["Target"], parameters, made)
    else:
        for event, value in zip(batch, made, strict=True):
            await to_service(call, pipe, parameters, event, value)


def transformed(call: Call, pipe: Pipe, template: str | None, event: Any) -> Any:
    """What a template makes of a record: JSON where it is, else text."""
    if not template:
        return event
    view = opened(event)
    special = {
        "aws.pipes.pipe-arn": pipe.arn,
        "aws.pipes.pipe-name": pipe.name,
        "aws.pipes.source-arn": pipe.source,
        "aws.pipes.enrichment-arn": pipe.definition.get("Enrichment", ""),
        "aws.pipes.target-arn": pipe.definition["Target"],
        "aws.pipes.event.ingestion-time": f"{Clock.iso_seconds(call.now)}Z",
        "aws.pipes.event": event,
        "aws.pipes.event.json": event,
    }
    text = fill(template, lambda name: look_up(view, name) if name.startswith("$") else special.get(name, MISSING))
    try:
        return orjson.loads(text)
    except ValueError:
        return text


async def enrich(call: Call, pipe: Pipe, batch: list[Any]) -> list[Any]:
    """What the enrichment answers: a list is a batch, anything else one event, nothing at all ends here."""
    arn_text = pipe.definition["Enrichment"]
    arn = parse_arn(arn_text)
    if arn is None:
        raise Failed(f"{arn_text} is no ARN")
    place = call.at(arn.account, arn.region)
    if arn.service == "lambda":
        answer = await invoke(place, arn_text, "RequestResponse", batch)
    else:
        request = {"stateMachineArn": arn_text, "input": compact(batch)}
        result = await place.reach("stepfunctions", "StartSyncExecution", request)
        if result.get("status") != "SUCCEEDED":
            raise Failed(f"{arn_text} ended as {result.get('status')}: {result.get('error', '')}")
        answer = orjson.loads(result.get("output") or "null")
    if answer is None or answer in ("", [], {}):
        return []
    return answer if isinstance(answer, list) else [answer]


async def invoke(place: Call, arn: str, kind: str, batch: list[Any]) -> Any:
    """What a function answers. Raises AwsError, Failed."""
    request = {"FunctionName": arn, "InvocationType": kind, "Payload": compact(batch).encode()}
    result = await place.reach("lambda", "Invoke", request)
    payload = bytes(result.get("Payload") or b"")
    if result.get("FunctionError"):
        raise Failed(f"{arn} failed: {payload.decode(errors='replace')}")
    try:
        return orjson.loads(payload) if payload else None
    except ValueError:
        return payload.decode(errors="replace")


async def to_function(call: Call, arn: Arn, name: str, parameters: Mapping[str, Any], batch: list[Any]) -> None:
    own = parameters.get("LambdaFunctionParameters") or {}
    kind = "Event" if own.get("InvocationType") == "FIRE_AND_FORGET" else "RequestResponse"
    await invoke(call.at(arn.account, arn.region), name, kind, batch)


async def to_machine(call: Call, arn: Arn, name: str, parameters: Mapping[str, Any], batch: list[Any]) -> None:
    own = parameters.get("StepFunctionStateMachineParameters") or {}
    request = {"stateMachineArn": name, "input": compact(batch)}
    place = call.at(arn.account, arn.region)
    if own.get("InvocationType") != "REQUEST_RESPONSE":
        await place.reach("stepfunctions", "StartExecution", request)
        return
    result = await place.reach("stepfunctions", "StartSyncExecution", request)
    if result.get("status") != "SUCCEEDED":
        raise Failed(f"{name} ended as {result.get('status')}: {result.get('error', '')}")


async def to_service(call: Call, pipe: Pipe, parameters: Mapping[str, Any], event: Any, value: Any) -> None:
    """One event to a target that takes one at a time. Raises AwsError, Failed."""
    text = value if isinstance(value, str) else compact(value)
    view = opened(event)
    target: dict[str, Any] = {"Arn": pipe.definition["Target"]}
    for name, own_name in PARAMETERS.items():
        if name in parameters:
            target[own_name] = filled(parameters[name], view)
    bus = target.setdefault("EventBridgeParameters", {})
    bus.setdefault("Source", f"Pipe {pipe.name}")
    bus.setdefault("DetailType", f"Event from aws:{pipe.source.split(':')[2]}")
    logs = filled(parameters.get("CloudWatchLogsParameters") or {}, view)
    errand = errand_of(target, text, {}, unique=logs.get("LogStreamName") or call.ids.uuid())
    if errand.service == "logs":
        entry = errand.request["logEvents"][0]
        entry["timestamp"] = int(float(logs["Timestamp"])) if logs.get("Timestamp") else int(call.now * 1000)
    result = await carry_out(call, errand)
    if result.get("FailedEntryCount"):
        raise Failed(f"{pipe.definition['Target']} refused: {compact(result.get('Entries'))}")


def filled(value: Any, view: Any) -> Any:
    """Parameters with `$.path` replaced by what is there."""
    if isinstance(value, dict):
        return {name: filled(inner, view) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, view) for inner in value]
    if isinstance(value, str) and value.startswith("$."):
        found = look_up(view, value)
        return "" if found is MISSING else found if isinstance(found, str) else compact(found)
    return value
