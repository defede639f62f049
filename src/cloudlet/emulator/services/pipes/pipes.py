"""Pipes: creating, describing, changing, starting, stopping, listing, deleting, and their tags."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from itertools import islice
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.pipes.api import (
    CreatePipeRequest,
    CreatePipeResponse,
    DeletePipeRequest,
    DeletePipeResponse,
    DescribePipeRequest,
    DescribePipeResponse,
    ListPipesRequest,
    ListPipesResponse,
    ListTagsForResourceRequest,
    ListTagsForResourceResponse,
    StartPipeRequest,
    StartPipeResponse,
    StopPipeRequest,
    StopPipeResponse,
    TagResourceRequest,
    TagResourceResponse,
    UntagResourceRequest,
    UntagResourceResponse,
    UpdatePipeRequest,
    UpdatePipeResponse,
)
from cloudlet.emulator.services.pipes.checks import checked_definition, merged
from cloudlet.emulator.services.pipes.errors import invalid, no_such_pipe, pipe_exists
from cloudlet.emulator.services.pipes.records import PIPES, POSITIONS, Pipe

MOST_RESULTS = 100
MOST_TAGS = 50


@read_write
def create_pipe(call: Call, request: CreatePipeRequest) -> CreatePipeResponse:
    """It runs at once. Raises ConflictException, ValidationException."""
    name = request["Name"]
    if PIPES.exists(call.tx, call.account_id, call.region, name):
        raise pipe_exists(name)
    pipe = Pipe(
        call.account_id,
        call.region,
        name,
        call.now,
        call.now,
        request.get("DesiredState", "RUNNING"),
        checked_definition(request),
        dict(request.get("Tags") or {}),
        call.ids.hex(16),
        call.partition,
    )
    PIPES.put(call.tx, pipe)
    return outcome(pipe, "CREATING")  # type: ignore[return-value]


@read_only
def describe_pipe(call: Call, request: DescribePipeRequest) -> DescribePipeResponse:
    """Raises NotFoundException."""
    pipe = pipe_of(call, request["Name"])
    return {**outcome(pipe, pipe.desired), **pipe.definition, "Tags": pipe.tags}  # type: ignore[typeddict-item]


@read_write
def update_pipe(call: Call, request: UpdatePipeRequest) -> UpdatePipeResponse:
    """What is not given stays, the source always. Raises NotFoundException, ValidationException."""
    pipe = pipe_of(call, request["Name"])
    given: dict[str, Any] = {name: value for name, value in request.items() if name not in ("Name", "Source")}
    given["SourceParameters"] = merged(pipe.definition["SourceParameters"], given.get("SourceParameters") or {})
    changed = replace(
        pipe,
        modified=call.now,
        desired=request.get("DesiredState", pipe.desired),
        definition=checked_definition({**pipe.definition, **given}),
        revision=call.ids.hex(16),
    )
    PIPES.put(call.tx, changed)
    return outcome(changed, "UPDATING")  # type: ignore[return-value]


@read_write
def delete_pipe(call: Call, request: DeletePipeRequest) -> DeletePipeResponse:
    """At once. Raises NotFoundException."""
    pipe = pipe_of(call, request["Name"])
    key = (pipe.account_id, pipe.region, pipe.name)
    PIPES.delete(call.tx, *key)
    for position in list(POSITIONS.scan(call.tx, *key)):
        POSITIONS.delete(call.tx, *key, position.shard)
    return outcome(pipe, "DELETING")  # type: ignore[return-value]


@read_write
def start_pipe(call: Call, request: StartPipeRequest) -> StartPipeResponse:
    """Raises NotFoundException."""
    return outcome(switch(call, request["Name"], "RUNNING"), "STARTING")  # type: ignore[return-value]


@read_write
def stop_pipe(call: Call, request: StopPipeRequest) -> StopPipeResponse:
    """Raises NotFoundException."""
    return outcome(switch(call, request["Name"], "STOPPED"), "STOPPING")  # type: ignore[return-value]


def switch(call: Call, name: str, desired: str) -> Pipe:
    pipe = replace(pipe_of(call, name), desired=desired, modified=call.now, revision=call.ids.hex(16))
    PIPES.put(call.tx, pipe)
    return pipe


@read_only
def list_pipes(call: Call, request: ListPipesRequest) -> ListPipesResponse:
    """By name. Raises ValidationException."""
    after = after_token(request.get("NextToken"))
    source, target = request.get("SourcePrefix", ""), request.get("TargetPrefix", "")
    scanned = PIPES.scan(
        call.tx, call.account_id, call.region, starts_with=request.get("NamePrefix") or None, after=after
    )
    wanted = (
        pipe
        for pipe in scanned
        if pipe.source.startswith(source)
        and pipe.definition["Target"].startswith(target)
        and request.get("DesiredState") in (None, pipe.desired)
        and request.get("CurrentState") in (None, pipe.desired)
    )
    limit = request.get("Limit") or MOST_RESULTS
    found = list(islice(wanted, limit + 1))
    result: dict[str, Any] = {"Pipes": [summary(pipe) for pipe in found[:limit]]}
    if len(found) > limit:
        result["NextToken"] = urlsafe_b64encode(found[limit - 1].name.encode()).decode()
    return result  # type: ignore[return-value]


def after_token(token: str | None) -> tuple[str] | None:
    """Raises ValidationException."""
    if token is None:
        return None
    try:
        return (b64decode(token.encode(), b"-_", validate=True).decode(),)
    except ValueError:
        raise invalid("Invalid token.") from None


@read_only
def list_tags_for_resource(call: Call, request: ListTagsForResourceRequest) -> ListTagsForResourceResponse:
    """Raises NotFoundException."""
    return {"tags": pipe_of(call, request["resourceArn"].rpartition("/")[2]).tags}


@read_write
def tag_resource(call: Call, request: TagResourceRequest) -> TagResourceResponse:
    """Raises NotFoundException, ValidationException."""
    pipe = pipe_of(call, request["resourceArn"].rpartition("/")[2])
    tags = pipe.tags | dict(request["tags"])
    if len(tags) > MOST_TAGS:
        raise invalid(f"A pipe can have at most {MOST_TAGS} tags.")
    PIPES.put(call.tx, replace(pipe, tags=tags))
    return {}


@read_write
def untag_resource(call: Call, request: UntagResourceRequest) -> UntagResourceResponse:
    """Raises NotFoundException."""
    pipe = pipe_of(call, request["resourceArn"].rpartition("/")[2])
    tags = {key: value for key, value in pipe.tags.items() if key not in request["tagKeys"]}
    PIPES.put(call.tx, replace(pipe, tags=tags))
    return {}


def pipe_of(call: Call, name: str) -> Pipe:
    """Raises NotFoundException."""
    pipe = PIPES.get(call.tx, call.account_id, call.region, name)
    if pipe is None:
        raise no_such_pipe(name)
    return pipe


def outcome(pipe: Pipe, state: str) -> dict[str, Any]:
    return {
        "Arn": pipe.arn,
        "Name": pipe.name,
        "DesiredState": pipe.desired,
        "CurrentState": state,
        "CreationTime": pipe.created,
        "LastModifiedTime": pipe.modified,
    }


def summary(pipe: Pipe) -> dict[str, Any]:
    found = {**outcome(pipe, pipe.desired), "Source": pipe.source, "Target": pipe.definition["Target"]}
    if "Enrichment" in pipe.definition:
        found["Enrichment"] = pipe.definition["Enrichment"]
    return found
