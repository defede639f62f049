"""UpdateTable: throughput, streams, encryption, protection, and global indexes on a table that has items."""

from __future__ import annotations

from typing import Any, cast

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.dynamodb.api import (
    LimitExceededException,
    ResourceNotFoundException,
    UpdateTableInput,
    UpdateTableOutput,
)
from cloudlet.emulator.services.dynamodb.catalog import find_table
from cloudlet.emulator.services.dynamodb.descriptions import describe
from cloudlet.emulator.services.dynamodb.errors import ValidationException, invalid_parameter
from cloudlet.emulator.services.dynamodb.jobs import sweep_later
from cloudlet.emulator.services.dynamodb.records import TABLES, IndexRecord, TableRecord
from cloudlet.emulator.services.dynamodb.schemas import (
    ON_DEMAND,
    PROVISIONED,
    check_index_names,
    definitions_of,
    global_index,
    throughput_pairs,
)
from cloudlet.emulator.services.dynamodb.streams import close_stream, open_stream
from cloudlet.emulator.services.dynamodb.tables import new_storage, not_found, sse_of, stream_label, stream_view_of
from cloudlet.emulator.services.dynamodb.writes import fill_index

CHANGES = frozenset(
    {
        "ProvisionedThroughput",
        "BillingMode",
        "StreamSpecification",
        "GlobalSecondaryIndexUpdates",
        "SSESpecification",
        "ReplicaUpdates",
        "TableClass",
        "DeletionProtectionEnabled",
        "OnDemandThroughput",
        "WarmThroughput",
    }
)


@read_write
def update_table(call: Call, request: UpdateTableInput) -> UpdateTableOutput:
    raw_request = cast("dict[str, Any]", request)
    if not CHANGES & raw_request.keys():
        raise ValidationException(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or "
            "SSESpecification or ReplicaUpdates is required"
        )
    table = find_table(call, request["TableName"], not_found(call, request["TableName"]))
    changed = change_billing(call, table, raw_request)
    changed = change_stream(call, changed, raw_request)
    changed = change_settings(call, changed, raw_request)
    statuses: dict[str, str] = {}
    shown = changed
    updates = raw_request.get("GlobalSecondaryIndexUpdates")
    if updates is not None:
        changed, shown = change_indexes(call, changed, raw_request, updates, statuses)
    TABLES.put(call.tx, changed)
    return cast(UpdateTableOutput, {"TableDescription": describe(call, shown, "UPDATING", statuses)})


def change_billing(call: Call, table: TableRecord, request: dict[str, Any]) -> TableRecord:
    """BillingMode and ProvisionedThroughput. Raises ValidationException."""
    mode, units = request.get("BillingMode", table.billing_mode), request.get("ProvisionedThroughput")
    if mode == ON_DEMAND:
        if units is not None:
            raise invalid_parameter(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
            )
        if table.billing_mode == ON_DEMAND:
            return table
        indexes = tuple(replace(index, read_units=0, write_units=0) for index in table.indexes)
        return replace(table, billing_mode=mode, read_units=0, write_units=0, billing_changed=call.now, indexes=indexes)
    if units is None:
        if table.billing_mode == ON_DEMAND:
            raise invalid_parameter(
                "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
            )
        return table
    read_units, write_units = units["ReadCapacityUnits"], units["WriteCapacityUnits"]
    if table.billing_mode == PROVISIONED and (read_units, write_units) == (table.read_units, table.write_units):
        if "BillingMode" in request or CHANGES & request.keys() != {"ProvisionedThroughput"}:
            return table
        raise ValidationException(
            "The provisioned throughput for the table will not change. The requested value equals the current value. "
            f"Current ReadCapacityUnits provisioned for the table: {table.read_units}. "
            f"Requested ReadCapacityUnits: {read_units}. "
            f"Current WriteCapacityUnits provisioned for the table: {table.write_units}. "
            f"Requested WriteCapacityUnits: {write_units}. "
            "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
        )
    changed = replace(table, billing_mode=PROVISIONED, read_units=read_units, write_units=write_units)
    if read_units > table.read_units or write_units > table.write_units:
        changed = replace(changed, throughput_increased=call.now)
    if read_units < table.read_units or write_units < table.write_units:
        changed = replace(changed, throughput_decreased=call.now, decreases_today=table.decreases_today + 1)
    return changed


def change_stream(call: Call, table: TableRecord, request: dict[str, Any]) -> TableRecord:
    """StreamSpecification. Raises ValidationException."""
    specification = request.get("StreamSpecification")
    if specification is None:
        return table
    view = stream_view_of(specification)
    if view:
        if table.stream_view:
            raise ValidationException(f"Table already has an enabled stream: TableName: {table.name}")
        table = replace(
            table, stream_view=view, stream_label=stream_label(call, table.name), stream_storage=new_storage(call)
        )
        open_stream(call, table, table.stream_storage)
        return table
    if not table.stream_view:
        raise ValidationException(f"Table has no stream to disable: TableName: {table.name}")
    close_stream(call, table)
    return replace(table, stream_view="")


def change_settings(call: Call, table: TableRecord, request: dict[str, Any]) -> TableRecord:
    """Encryption, class, protection, and the throughputs that are only kept and shown."""
    if "SSESpecification" in request:
        enabled, key_arn = sse_of(call, request["SSESpecification"])
        table = replace(table, sse_enabled=enabled, sse_key_arn=key_arn)
    return replace(
        table,
        table_class=request.get("TableClass", table.table_class),
        deletion_protection=request.get("DeletionProtectionEnabled", table.deletion_protection),
        on_demand=throughput_pairs(request.get("OnDemandThroughput")) or table.on_demand,
        warm=throughput_pairs(request.get("WarmThroughput")) or table.warm,
    )


def change_indexes(
    call: Call, table: TableRecord, request: dict[str, Any], updates: list[dict[str, Any]], statuses: dict[str, str]
) -> tuple[TableRecord, TableRecord]:
    """GlobalSecondaryIndexUpdates: the table afterwards, and as it is shown (with indexes that are going)."""
    if not updates:
        raise invalid_parameter("List of GlobalSecondaryIndexUpdates is empty")
    if any(len(update) != 1 for update in updates):
        raise invalid_parameter("Exactly one of Create, Update and Delete must be specified for a global index update")
    if sum("Update" not in update for update in updates) > 1:
        raise LimitExceededException(
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
        )
    definitions = merged_definitions(table, request)
    indexes = {index.name: index for index in table.indexes}
    shown = dict(indexes)
    for update in updates:
        if "Create" in update:
            created = create_index(call, table, update["Create"], definitions, indexes)
            indexes[created.name] = shown[created.name] = created
            statuses[created.name] = "CREATING"
        elif "Delete" in update:
            name = update["Delete"]["IndexName"]
            gone = global_of(indexes, name)
            del indexes[name]
            statuses[name] = "DELETING"
            sweep_later(call, table, [gone.storage])
        else:
            changed = change_index(indexes, update["Update"])
            indexes[changed.name] = shown[changed.name] = changed
            statuses[changed.name] = "UPDATING"
    after = with_indexes(table, indexes, definitions)
    return after, replace(after, indexes=tuple(shown.values()))


def merged_definitions(table: TableRecord, request: dict[str, Any]) -> dict[str, str]:
    """The table's attribute definitions and the request's. Raises ValidationException where they contradict."""
    known = dict(table.attributes)
    for name, kind in definitions_of(request).items():
        if known.setdefault(name, kind) != kind:
            raise invalid_parameter(
                "Attributes cannot be redefined. Please check that your attribute has the same type as previously "
                f"defined. Existing schema: Schema:[SchemaElement: key{{{name}:{known[name]}:HASH}}] "
                f"New schema: Schema:[SchemaElement: key{{{name}:{kind}:HASH}}]"
            )
    return known


def create_index(
    call: Call,
    table: TableRecord,
    entry: dict[str, Any],
    definitions: dict[str, str],
    indexes: dict[str, IndexRecord],
) -> IndexRecord:
    if entry["IndexName"] in indexes:
        raise ValidationException("Attempting to create an index which already exists")
    index = global_index(entry, definitions, table.billing_mode, lambda: new_storage(call))
    check_index_names([*indexes.values(), index])
    fill_index(call, table, index)
    return index


def global_of(indexes: dict[str, IndexRecord], name: str) -> IndexRecord:
    index = indexes.get(name)
    if index is None or not index.is_global:
        raise ResourceNotFoundException("Requested resource not found")
    return index


def change_index(indexes: dict[str, IndexRecord], entry: dict[str, Any]) -> IndexRecord:
    index = global_of(indexes, entry["IndexName"])
    units = entry.get("ProvisionedThroughput", {})
    return replace(
        index,
        read_units=units.get("ReadCapacityUnits", index.read_units),
        write_units=units.get("WriteCapacityUnits", index.write_units),
        on_demand=throughput_pairs(entry.get("OnDemandThroughput")) or index.on_demand,
        warm=throughput_pairs(entry.get("WarmThroughput")) or index.warm,
    )


def with_indexes(table: TableRecord, indexes: dict[str, IndexRecord], definitions: dict[str, str]) -> TableRecord:
    """The table with these indexes, and the attribute definitions that its keys need."""
    used = {table.hash_name, table.range_name}
    for index in indexes.values():
        used |= {index.hash_name, index.range_name}
    attributes = tuple((name, kind) for name, kind in definitions.items() if name in used)
    return replace(table, indexes=tuple(indexes.values()), attributes=attributes)
