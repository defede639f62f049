"""Query and Scan."""

from __future__ import annotations

from typing import Any, Final, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only
from cloudlet.emulator.services.dynamodb.api import QueryInput, QueryOutput, ScanInput, ScanOutput
from cloudlet.emulator.services.dynamodb.arguments import (
    Guard,
    Placeholders,
    check_conditional_operator,
    check_parameters,
    projection_of,
)
from cloudlet.emulator.services.dynamodb.catalog import find_index, find_table
from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.expressions.conditions import compile_condition
from cloudlet.emulator.services.dynamodb.expressions.key_conditions import (
    KeyCondition,
    check_key_type,
    compile_key_condition,
    split_key_conditions,
)
from cloudlet.emulator.services.dynamodb.expressions.legacy import filter_condition, key_conditions
from cloudlet.emulator.services.dynamodb.keys import HASH_SPACE, hash_bytes, scalar_bytes
from cloudlet.emulator.services.dynamodb.pages import Entries, Source, read_page, wanted_attributes

EXPRESSIONS: Final = ("ProjectionExpression", "FilterExpression", "KeyConditionExpression")


@read_only
def query(call: Call, request: QueryInput) -> QueryOutput:
    raw_request = cast("dict[str, Any]", request)
    check_parameters(raw_request, EXPRESSIONS, legacy_parameters(raw_request))
    placeholders = Placeholders(raw_request)
    conditions = conditions_of(raw_request, placeholders)
    guard = filter_of(raw_request, placeholders, "QueryFilter")
    projection = projection_of(raw_request, placeholders)
    placeholders.refuse_unused()
    source = source_of(call, raw_request)
    by_hash, by_range = split_key_conditions(conditions, source.hash_name, source.range_name)
    check_key_type(by_hash, source.hash_type)
    if by_range is not None:
        check_key_type(by_range, source.range_type)
    if guard is not None:
        refuse_key_filter(guard, source, raw_request)
    wanted = wanted_attributes(raw_request, source, projection)
    entries = query_entries(call, raw_request, source, by_hash, by_range)
    return cast(QueryOutput, read_page(call, raw_request, source, entries, guard, wanted))


def legacy_parameters(request: dict[str, Any]) -> tuple[str, ...]:
    """The old parameters that do not go with expressions; KeyConditions goes with all but a key expression."""
    if "KeyConditionExpression" in request:
        return ("AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions")
    return ("AttributesToGet", "QueryFilter", "ConditionalOperator")


def conditions_of(request: dict[str, Any], placeholders: Placeholders) -> dict[str, KeyCondition]:
    """The key conditions of a Query."""
    text = request.get("KeyConditionExpression")
    if text is not None:
        expression = compile_key_condition(text, placeholders.key)
        placeholders.use(expression.names_used, expression.values_used)
        return expression.resolve(placeholders.values)
    conditions = request.get("KeyConditions")
    if conditions is None:
        raise ValidationException(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        )
    return key_conditions(conditions)


def filter_of(request: dict[str, Any], placeholders: Placeholders, legacy: str) -> Guard | None:
    """FilterExpression, or the legacy parameter of that name."""
    text = request.get("FilterExpression")
    if text is not None:
        condition = compile_condition("FilterExpression", text, placeholders.key)
        condition.check(placeholders.values)
        placeholders.use(condition.names_used, condition.values_used)
        return Guard(condition, placeholders.values)
    conditions = request.get(legacy)
    operator = request.get("ConditionalOperator")
    if operator is not None:
        check_conditional_operator(conditions)
    if not conditions:
        return None
    return Guard(filter_condition(legacy, conditions, operator or "AND"), {})


def source_of(call: Call, request: dict[str, Any]) -> Source:
    """The table or index that a request reads."""
    table = find_table(call, request["TableName"])
    name = request.get("IndexName")
    if name is None:
        return Source(table, None)
    index = find_index(table, name)
    if index.is_global and request.get("ConsistentRead"):
        raise ValidationException("Consistent reads are not supported on global secondary indexes")
    return Source(table, index)


def refuse_key_filter(guard: Guard, source: Source, request: dict[str, Any]) -> None:
    """A Query's filter does not look at the keys that it is about."""
    for name in (source.hash_name, source.range_name):
        if name is not None and name in guard.condition.roots:
            what = "Filter Expression" if "FilterExpression" in request else "QueryFilter"
            raise ValidationException(
                f"{what} can only contain non-primary key attributes: Primary key attribute: {name}"
            )


def query_entries(
    call: Call, request: dict[str, Any], source: Source, by_hash: KeyCondition, by_range: KeyCondition | None
) -> Entries:
    """The entries with this hash key whose range key fits, in the direction and from the place that are asked for."""
    hash_ = hash_bytes(scalar_bytes(source.hash_type, by_hash.operands[0][source.hash_type]))
    bounds: dict[str, Any] = {} if by_range is None else range_bounds(by_range, source.range_type)
    bounds["reverse"] = not request.get("ScanIndexForward", True)
    start = request.get("ExclusiveStartKey")
    if start is not None:
        position = source.position(start, "The provided starting key is invalid")
        if position[0] != hash_:
            raise ValidationException(
                "The provided starting key is outside query boundaries based on provided conditions"
            )
        if by_range is not None and not fits(by_range, source, position[1]):
            raise ValidationException("The provided starting key does not match the range key predicate")
        bounds["after"] = position[1:]
    return source.scan(call, hash_, **bounds)


def range_bounds(condition: KeyCondition, kind: str) -> dict[str, Any]:
    """The condition as bounds of the stored range key: `x + b"\\0"` is the first key behind x."""
    operands = [scalar_bytes(kind, operand[kind]) for operand in condition.operands]
    first = operands[0]
    operator = condition.operator
    if operator == "BEGINS_WITH":
        if kind == "N":
            raise ValidationException(
                "One or more parameter values were invalid: ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type"
            )
        return prefix_bounds(first)
    if operator == "EQ":
        return {"from_": (first,), "to": (first + b"\0",)}
    if operator == "LT":
        return {"to": (first,)}
    if operator == "LE":
        return {"to": (first + b"\0",)}
    if operator == "GT":
        return {"from_": (first + b"\0",)}
    if operator == "GE":
        return {"from_": (first,)}
    return {"from_": (first,), "to": (operands[1] + b"\0",)}


def prefix_bounds(prefix: bytes) -> dict[str, Any]:
    """All keys that begin with the prefix: up to the next key of its length, if there is one."""
    stem = prefix.rstrip(b"\xff")
    if not stem:
        return {"from_": (prefix,)} if prefix else {}
    return {"from_": (prefix,), "to": (stem[:-1] + bytes((stem[-1] + 1,)),)}


def fits(condition: KeyCondition, source: Source, key: bytes) -> bool:
    """The range key lies within the condition."""
    bounds = range_bounds(condition, source.range_type)
    return ("from_" not in bounds or key >= bounds["from_"][0]) and ("to" not in bounds or key < bounds["to"][0])


@read_only
def scan(call: Call, request: ScanInput) -> ScanOutput:
    raw_request = cast("dict[str, Any]", request)
    check_parameters(
        raw_request,
        ("ProjectionExpression", "FilterExpression"),
        ("AttributesToGet", "ScanFilter", "ConditionalOperator"),
    )
    placeholders = Placeholders(raw_request)
    guard = filter_of(raw_request, placeholders, "ScanFilter")
    projection = projection_of(raw_request, placeholders)
    placeholders.refuse_unused()
    segment, segments = segment_of(raw_request)
    source = source_of(call, raw_request)
    wanted = wanted_attributes(raw_request, source, projection)
    bounds = segment_bounds(segment, segments)
    start = raw_request.get("ExclusiveStartKey")
    if start is not None:
        position = source.position(
            start, "The provided starting key is invalid: The provided key element does not match the schema"
        )
        if not segment_holds(bounds, position[0]):
            raise ValidationException("The provided Segment does not contain the provided ExclusiveStartKey")
        bounds["after"] = position
    entries = source.scan(call, **bounds)
    return cast(ScanOutput, read_page(call, raw_request, source, entries, guard, wanted))


def segment_of(request: dict[str, Any]) -> tuple[int, int]:
    """Segment and TotalSegments. Raises ValidationException."""
    segment, segments = request.get("Segment"), request.get("TotalSegments")
    if segment is None and segments is None:
        return 0, 1
    if segment is None:
        raise ValidationException(
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is present"
        )
    if segments is None:
        raise ValidationException(
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is present"
        )
    if segment >= segments:
        raise ValidationException(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {segments}"
        )
    return segment, segments


def segment_bounds(segment: int, segments: int) -> dict[str, Any]:
    """The part of the hash space that a segment reads."""
    bounds: dict[str, Any] = {}
    if segment > 0:
        bounds["from_"] = ((segment * HASH_SPACE // segments).to_bytes(4, "big"),)
    if segment + 1 < segments:
        bounds["to"] = (((segment + 1) * HASH_SPACE // segments).to_bytes(4, "big"),)
    return bounds


def segment_holds(bounds: dict[str, Any], hash_: bytes) -> bool:
    return ("from_" not in bounds or hash_ >= bounds["from_"][0]) and ("to" not in bounds or hash_ < bounds["to"][0])
