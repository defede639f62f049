"""What a new table or index may look like: key schema, attribute definitions, projections, throughput.

Source: "CreateTable" (API reference), "Constraints in Amazon DynamoDB", and AWS's own messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from cloudlet.emulator.services.dynamodb.errors import ValidationException, invalid_parameter
from cloudlet.emulator.services.dynamodb.records import IndexRecord

INDEX_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{3,255}", re.ASCII)
MAX_LOCAL_INDEXES: Final = 5
MAX_GLOBAL_INDEXES: Final = 20
MAX_PROJECTED: Final = 100
ON_DEMAND: Final = "PAY_PER_REQUEST"
PROVISIONED: Final = "PROVISIONED"


class Schema(NamedTuple):
    """A key schema with the types of its attributes."""

    hash_name: str
    hash_type: str
    range_name: str | None
    range_type: str | None

    @property
    def names(self) -> list[str]:
        return [self.hash_name] if self.range_name is None else [self.hash_name, self.range_name]


def definitions_of(request: dict[str, Any]) -> dict[str, str]:
    """AttributeDefinitions as name -> type. Raises ValidationException."""
    found: dict[str, str] = {}
    for definition in request.get("AttributeDefinitions", []):
        name = definition["AttributeName"]
        if name in found:
            raise invalid_parameter(f"Duplicate AttributeName in AttributeDefinitions. AttributeName: {name}")
        found[name] = definition["AttributeType"]
    return found


def key_schema(elements: list[dict[str, str]], definitions: dict[str, str]) -> Schema:
    """Judge a KeySchema. Raises ValidationException."""
    if elements[0]["KeyType"] != "HASH":
        raise ValidationException("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if len(elements) > 2:
        listed = ", ".join(
            f"KeySchemaElement(attributeName={element['AttributeName']}, keyType={element['KeyType']})"
            for element in elements
        )
        raise ValidationException(
            f"1 validation error detected: Value '[{listed}]' at 'keySchema' failed to satisfy constraint: "
            "Member must have length less than or equal to 2"
        )
    names = [element["AttributeName"] for element in elements]
    if len(elements) == 2:
        if elements[1]["KeyType"] != "RANGE":
            raise ValidationException("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
        if names[0] == names[1]:
            raise invalid_parameter("Both the Hash Key and the Range Key element in the KeySchema have the same name")
    if any(name not in definitions for name in names):
        raise invalid_parameter(
            f"Some index key attributes are not defined in AttributeDefinitions. Keys: [{', '.join(names)}], "
            f"AttributeDefinitions: [{', '.join(definitions)}]"
        )
    second = names[1] if len(names) == 2 else None
    return Schema(names[0], definitions[names[0]], second, None if second is None else definitions[second])


def check_definitions_used(definitions: dict[str, str], table: Schema, indexes: tuple[IndexRecord, ...]) -> None:
    """Every attribute that is defined is a key of something. Raises ValidationException."""
    used = set(table.names)
    for index in indexes:
        used |= set(Schema(index.hash_name, "", index.range_name, None).names)
    if len(used) == len(definitions):
        return
    if not indexes:
        raise invalid_parameter(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in "
            "AttributeDefinitions"
        )
    raise invalid_parameter(
        f"Some AttributeDefinitions are not used. AttributeDefinitions: [{', '.join(definitions)}], "
        f"keys used: [{', '.join(sorted(used))}]"
    )


def local_indexes(
    request: dict[str, Any], table: Schema, definitions: dict[str, str], storage: Callable[[], int]
) -> list[IndexRecord]:
    """LocalSecondaryIndexes. Raises ValidationException."""
    entries = request.get("LocalSecondaryIndexes")
    if entries is None:
        return []
    if not entries:
        raise invalid_parameter("List of LocalSecondaryIndexes is empty")
    if len(entries) > MAX_LOCAL_INDEXES:
        raise invalid_parameter(f"Number of LocalSecondaryIndexes exceeds per-table limit of {MAX_LOCAL_INDEXES}")
    if table.range_name is None:
        raise invalid_parameter(
            "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
        )
    found = []
    for entry in entries:
        name = entry["IndexName"]
        schema = key_schema(entry["KeySchema"], definitions)
        if schema.range_name is None:
            raise invalid_parameter(f"Index KeySchema does not have a range key for index: {name}")
        if schema.hash_name != table.hash_name:
            raise invalid_parameter(
                f"Index KeySchema does not have the same leading hash key as table KeySchema for index: {name}. "
                f"index hash key: {schema.hash_name}, table hash key: {table.hash_name}"
            )
        projection, attributes = projection_of(entry)
        found.append(IndexRecord(name, storage(), False, *schema, projection, attributes))
    return found


def global_indexes(
    entries: list[dict[str, Any]] | None, definitions: dict[str, str], billing_mode: str, storage: Callable[[], int]
) -> list[IndexRecord]:
    """GlobalSecondaryIndexes. Raises ValidationException."""
    if entries is None:
        return []
    if not entries:
        raise invalid_parameter("List of GlobalSecondaryIndexes is empty")
    if len(entries) > MAX_GLOBAL_INDEXES:
        raise invalid_parameter(f"GlobalSecondaryIndex count exceeds the per-table limit of {MAX_GLOBAL_INDEXES}")
    return [global_index(entry, definitions, billing_mode, storage) for entry in entries]


def global_index(
    entry: dict[str, Any], definitions: dict[str, str], billing_mode: str, storage: Callable[[], int]
) -> IndexRecord:
    name = entry["IndexName"]
    schema = key_schema(entry["KeySchema"], definitions)
    projection, attributes = projection_of(entry)
    units = entry.get("ProvisionedThroughput")
    if billing_mode == ON_DEMAND and units is not None:
        raise invalid_parameter(
            f"ProvisionedThroughput should not be specified for index: {name} when BillingMode is PAY_PER_REQUEST"
        )
    if billing_mode == PROVISIONED and units is None:
        raise invalid_parameter(f"ProvisionedThroughput must be specified for index: {name}")
    units = units or {}
    return IndexRecord(
        name,
        storage(),
        True,
        *schema,
        projection,
        attributes,
        units.get("ReadCapacityUnits", 0),
        units.get("WriteCapacityUnits", 0),
        throughput_pairs(entry.get("OnDemandThroughput")),
        throughput_pairs(entry.get("WarmThroughput")),
    )


def throughput_pairs(value: dict[str, int] | None) -> tuple[tuple[str, int], ...]:
    """OnDemandThroughput or WarmThroughput as it is stored."""
    return tuple((value or {}).items())


def projection_of(entry: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Type and attributes of a Projection. Raises ValidationException."""
    projection = entry.get("Projection", {})
    kind = projection.get("ProjectionType")
    attributes = projection.get("NonKeyAttributes")
    if kind is None:
        raise invalid_parameter("Unknown ProjectionType: null")
    if kind == "INCLUDE":
        if not attributes:
            raise invalid_parameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
    elif attributes is not None:
        raise invalid_parameter(f"ProjectionType is {kind}, but NonKeyAttributes is specified")
    attributes = attributes or []
    for place, name in enumerate(attributes):
        if name in attributes[:place]:
            raise invalid_parameter(f"Duplicate attribute name in NonKeyAttributes: {name}")
    return kind, tuple(attributes)


def check_index_names(indexes: list[IndexRecord]) -> None:
    """Indexes have names that are allowed, and no two of a table the same. Raises ValidationException."""
    seen = set()
    for index in indexes:
        if not INDEX_NAME.fullmatch(index.name):
            raise ValidationException(
                f"1 validation error detected: Value '{index.name}' at 'indexName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
            )
        if index.name in seen:
            raise invalid_parameter(f"Duplicate index name: {index.name}")
        seen.add(index.name)
    projected = sum(len(index.non_key_attributes) for index in indexes)
    if projected > MAX_PROJECTED:
        raise invalid_parameter(
            "The total number of user-specified NonKeyAttributes that are projected into all of the secondary indexes "
            f"exceeds the limit of {MAX_PROJECTED}"
        )


def billing_of(request: dict[str, Any]) -> tuple[str, int, int]:
    """Billing mode, read units and write units of a new table. Raises ValidationException."""
    mode = request.get("BillingMode")
    units = request.get("ProvisionedThroughput")
    if mode == ON_DEMAND:
        if units is not None:
            raise invalid_parameter(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
            )
        return mode, 0, 0
    if units is None:
        if mode is None:
            raise invalid_parameter(
                "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
            )
        raise invalid_parameter(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
        )
    return PROVISIONED, units["ReadCapacityUnits"], units["WriteCapacityUnits"]
