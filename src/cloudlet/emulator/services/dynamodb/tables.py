"""Tables: CreateTable, DescribeTable, ListTables, DeleteTable; DescribeLimits and DescribeEndpoints.

What AWS does over minutes is done before the answer: CreateTable says CREATING, and the next DescribeTable ACTIVE.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.dynamodb.api import (
    CreateTableInput,
    CreateTableOutput,
    DeleteTableInput,
    DeleteTableOutput,
    DescribeEndpointsRequest,
    DescribeEndpointsResponse,
    DescribeLimitsInput,
    DescribeLimitsOutput,
    DescribeTableInput,
    DescribeTableOutput,
    ListTablesInput,
    ListTablesOutput,
    ResourceInUseException,
)
from cloudlet.emulator.services.dynamodb.catalog import find_table, table_name
from cloudlet.emulator.services.dynamodb.descriptions import describe
from cloudlet.emulator.services.dynamodb.errors import ValidationException, invalid_parameter
from cloudlet.emulator.services.dynamodb.jobs import sweep_later
from cloudlet.emulator.services.dynamodb.records import STREAMS, TABLES, TableRecord
from cloudlet.emulator.services.dynamodb.schemas import (
    ON_DEMAND,
    billing_of,
    check_definitions_used,
    check_index_names,
    definitions_of,
    global_indexes,
    key_schema,
    local_indexes,
    throughput_pairs,
)
from cloudlet.emulator.services.dynamodb.streams import close_stream, open_stream
from cloudlet.emulator.services.dynamodb.tags import checked_tags

LISTED: Final = 100
NOT_OF_DELETED: Final = (
    "AttributeDefinitions",
    "KeySchema",
    "CreationDateTime",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
)


@read_write
def create_table(call: Call, request: CreateTableInput) -> CreateTableOutput:
    table = new_table(call, cast("dict[str, Any]", request))
    if TABLES.exists(call.tx, table.account_id, table.region, table.name):
        raise ResourceInUseException(f"Table already exists: {table.name}")
    TABLES.put(call.tx, table)
    if table.stream_view:
        open_stream(call, table, table.stream_storage)
    return cast(CreateTableOutput, {"TableDescription": describe(call, table, "CREATING")})


def new_table(call: Call, request: dict[str, Any]) -> TableRecord:
    """The table that the request asks for. Raises ValidationException."""
    for member in ("AttributeDefinitions", "KeySchema"):
        if member not in request:
            path = member[0].lower() + member[1:]
            raise ValidationException(
                f"1 validation error detected: Value null at '{path}' failed to satisfy constraint: "
                "Member must not be null"
            )
    if not 3 <= len(request["TableName"]) <= 255:
        raise ValidationException("TableName must be at least 3 characters long and at most 255 characters long")
    name = table_name(call, request["TableName"])
    definitions = definitions_of(request)
    billing_mode, read_units, write_units = billing_of(request)
    schema = key_schema(request["KeySchema"], definitions)

    def storage() -> int:
        return new_storage(call)

    indexes = global_indexes(request.get("GlobalSecondaryIndexes"), definitions, billing_mode, storage)
    indexes = local_indexes(request, schema, definitions, storage) + indexes
    check_index_names(indexes)
    check_definitions_used(definitions, schema, tuple(indexes))
    stream_view = stream_view_of(request.get("StreamSpecification"))
    sse_enabled, sse_key_arn = sse_of(call, request.get("SSESpecification"))
    return TableRecord(
        account_id=call.account_id,
        region=call.region,
        name=name,
        arn=f"arn:{call.partition}:dynamodb:{call.region}:{call.account_id}:table/{name}",
        table_id=call.ids.uuid(),
        storage=storage(),
        created=call.now,
        hash_name=schema.hash_name,
        hash_type=schema.hash_type,
        range_name=schema.range_name,
        range_type=schema.range_type,
        attributes=tuple(definitions.items()),
        indexes=tuple(indexes),
        billing_mode=billing_mode,
        read_units=read_units,
        write_units=write_units,
        billing_changed=call.now if billing_mode == ON_DEMAND else None,
        on_demand=throughput_pairs(request.get("OnDemandThroughput")),
        warm=throughput_pairs(request.get("WarmThroughput")),
        stream_view=stream_view,
        stream_label=stream_label(call, name) if stream_view else "",
        stream_storage=storage() if stream_view else 0,
        sse_enabled=sse_enabled,
        sse_key_arn=sse_key_arn,
        table_class=request.get("TableClass", ""),
        deletion_protection=request.get("DeletionProtectionEnabled", False),
        tags=checked_tags(request.get("Tags", [])),
        resource_policy=request.get("ResourcePolicy", ""),
    )


def new_storage(call: Call) -> int:
    """A storage number that no table or index had before (56 random bits)."""
    return int.from_bytes(call.ids.bytes(7), "big")


def stream_view_of(specification: dict[str, Any] | None) -> str:
    """The view type of a StreamSpecification; empty where the stream is off. Raises ValidationException."""
    if specification is None:
        return ""
    view: str | None = specification.get("StreamViewType")
    if not specification["StreamEnabled"]:
        if view is not None:
            raise invalid_parameter("StreamViewType cannot be specified when StreamEnabled is false")
        return ""
    if view is None:
        raise invalid_parameter("StreamViewType must be specified when StreamEnabled is true")
    return view


def stream_label(call: Call, name: str) -> str:
    """The moment, as AWS names streams (2024-05-01T12:30:00.123); a little later where the table has that one."""
    moment = datetime.fromtimestamp(call.now, UTC)
    while True:
        label = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}"
        if not STREAMS.exists(call.tx, call.account_id, call.region, name, label):
            return label
        moment += timedelta(milliseconds=1)


def sse_of(call: Call, specification: dict[str, Any] | None) -> tuple[bool, str]:
    """Whether KMS encrypts the table, and the key's ARN. Raises ValidationException."""
    specification = specification or {}
    key = specification.get("KMSMasterKeyId")
    if not specification.get("Enabled", False):
        if key is not None or specification.get("SSEType") == "KMS":
            raise invalid_parameter("Server-Side Encryption (SSE) must be enabled to specify KMSMasterKeyId or SSEType")
        return False, ""
    prefix = f"arn:{call.partition}:kms:{call.region}:{call.account_id}:"
    if key is None:
        return True, f"{prefix}key/{call.ids.uuid()}"
    if key.startswith("arn:"):
        return True, key
    return True, prefix + (key if key.startswith("alias/") else f"key/{key}")


@read_only
def describe_table(call: Call, request: DescribeTableInput) -> DescribeTableOutput:
    table = find_table(call, request["TableName"], not_found(call, request["TableName"]))
    return cast(DescribeTableOutput, {"Table": describe(call, table)})


def not_found(call: Call, name: str) -> str:
    """The message of operations on tables themselves."""
    return f"Requested resource not found: Table: {table_name(call, name)} not found"


@read_only
def list_tables(call: Call, request: ListTablesInput) -> ListTablesOutput:
    limit = request.get("Limit", LISTED)
    start = request.get("ExclusiveStartTableName")
    after = None if start is None else (start,)
    records = TABLES.scan(call.tx, call.account_id, call.region, after=after, limit=limit + 1)
    names = [record.name for record in records]
    result: ListTablesOutput = {"TableNames": names[:limit]}
    if len(names) > limit:
        result["LastEvaluatedTableName"] = names[limit - 1]
    return result


@read_write
def delete_table(call: Call, request: DeleteTableInput) -> DeleteTableOutput:
    table = find_table(call, request["TableName"], not_found(call, request["TableName"]))
    if table.deletion_protection:
        raise ValidationException(
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first."
        )
    description = describe(call, table, "DELETING")
    for member in NOT_OF_DELETED:
        description.pop(member, None)
    TABLES.delete(call.tx, table.account_id, table.region, table.name)
    if table.stream_view:
        close_stream(call, table)
    sweep_later(call, table, [table.storage, *[index.storage for index in table.indexes]])
    return cast(DeleteTableOutput, {"TableDescription": description})


@read_only
def describe_limits(call: Call, request: DescribeLimitsInput) -> DescribeLimitsOutput:
    return {
        "AccountMaxReadCapacityUnits": 80000,
        "AccountMaxWriteCapacityUnits": 80000,
        "TableMaxReadCapacityUnits": 40000,
        "TableMaxWriteCapacityUnits": 40000,
    }


@read_only
def describe_endpoints(call: Call, request: DescribeEndpointsRequest) -> DescribeEndpointsResponse:
    """The emulator's own address: a client that discovers endpoints must not end up at AWS."""
    return {"Endpoints": [{"Address": call.settings.localstack_host, "CachePeriodInMinutes": 1440}]}
