"""PartiQL: ExecuteStatement, BatchExecuteStatement, ExecuteTransaction."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.dynamodb.api import (
    BatchExecuteStatementInput,
    BatchExecuteStatementOutput,
    ConditionalCheckFailedException,
    DuplicateItemException,
    ExecuteStatementInput,
    ExecuteStatementOutput,
    ExecuteTransactionInput,
    ExecuteTransactionOutput,
)
from cloudlet.emulator.services.dynamodb.capacity import consumed
from cloudlet.emulator.services.dynamodb.catalog import find_table
from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.partiql.nodes import Exists, Select, Statement
from cloudlet.emulator.services.dynamodb.partiql.parser import parse
from cloudlet.emulator.services.dynamodb.partiql.runner import get_selected, run_select, run_write, target_of
from cloudlet.emulator.services.dynamodb.transactions import SAME_ITEM, cancelled, done_before

CODES: Final = MappingProxyType(
    {
        "ConditionalCheckFailedException": "ConditionalCheckFailed",
        "DuplicateItemException": "DuplicateItem",
        "ResourceNotFoundException": "ResourceNotFound",
        "AccessDeniedException": "AccessDenied",
        "ValidationException": "ValidationError",
    }
)
SELECT_NEEDS_KEY: Final = "Select statements within {} must specify the primary key in the where clause."


@read_write
def execute_statement(call: Call, request: ExecuteStatementInput) -> ExecuteStatementOutput:
    raw_request = cast("dict[str, Any]", request)
    statement = parse(request["Statement"], raw_request.get("Parameters"))
    if isinstance(statement, Select):
        return cast(ExecuteStatementOutput, run_select(call, statement, raw_request))
    if isinstance(statement, Exists):
        raise ValidationException("EXISTS can only be used in transactions")
    returned = run_write(call, statement, raw_request)
    result: dict[str, Any] = {"Items": [] if returned is None else [returned]}
    mode = request.get("ReturnConsumedCapacity", "NONE")
    if mode != "NONE":
        result["ConsumedCapacity"] = consumed(statement.table, mode, 1.0, find_table(call, statement.table))
    return cast(ExecuteStatementOutput, result)


@read_write
def batch_execute_statement(call: Call, request: BatchExecuteStatementInput) -> BatchExecuteStatementOutput:
    """Each statement succeeds or fails for itself; reads and writes do not mix."""
    entries = cast("list[dict[str, Any]]", request["Statements"])
    parsed: list[Statement | AwsError] = []
    for entry in entries:
        try:
            parsed.append(parse(entry["Statement"], entry.get("Parameters")))
        except ValidationException as error:
            parsed.append(error)
    statements = [statement for statement in parsed if not isinstance(statement, AwsError)]
    if len({isinstance(statement, Select) for statement in statements}) > 1:
        raise ValidationException("Batch statements must be all reads or all writes")
    responses = [respond(call, entry, statement) for entry, statement in zip(entries, parsed, strict=True)]
    result: dict[str, Any] = {"Responses": responses}
    mode = request.get("ReturnConsumedCapacity", "NONE")
    if mode != "NONE":
        result["ConsumedCapacity"] = [
            consumed(name, mode, 1.0 * count, find_table(call, name)) for name, count in tables_of(statements).items()
        ]
    return cast(BatchExecuteStatementOutput, result)


def tables_of(statements: list[Statement]) -> dict[str, int]:
    """How many statements each table has."""
    found: dict[str, int] = {}
    for statement in statements:
        name = statement.select.table if isinstance(statement, Exists) else statement.table
        found[name] = found.get(name, 0) + 1
    return found


def respond(call: Call, entry: dict[str, Any], statement: Statement | AwsError) -> dict[str, Any]:
    """The answer to one statement of a batch."""
    if isinstance(statement, AwsError):
        return {"Error": {"Code": CODES.get(statement.code, "ValidationError"), "Message": statement.message}}
    if isinstance(statement, Exists):
        return {"Error": {"Code": "ValidationError", "Message": "EXISTS can only be used in transactions"}}
    try:
        if isinstance(statement, Select):
            item = get_selected(call, statement, SELECT_NEEDS_KEY.format("BatchExecuteStatement"))
        else:
            item = run_write(call, statement, entry)
    except AwsError as error:
        failure = {"Code": CODES.get(error.code, "ValidationError"), "Message": error.message, **error.members}
        return {"Error": failure, "TableName": statement.table}
    return {"TableName": statement.table} if item is None else {"TableName": statement.table, "Item": item}


@read_write
def execute_transaction(call: Call, request: ExecuteTransactionInput) -> ExecuteTransactionOutput:
    entries = cast("list[dict[str, Any]]", request["TransactStatements"])
    statements = [parse(entry["Statement"], entry.get("Parameters")) for entry in entries]
    reading = {isinstance(statement, Select) for statement in statements}
    if len(reading) > 1:
        raise ValidationException("Transaction statements must be all reads or all writes")
    if reading == {True}:
        return cast(ExecuteTransactionOutput, read_all(call, statements))
    token = request.get("ClientRequestToken")
    if token is not None and done_before(call, token, entries):
        return {"Responses": []}
    reasons: list[AwsError | None] = [None] * len(statements)
    seen = set()
    for place, (entry, statement) in enumerate(zip(entries, statements, strict=True)):
        try:
            table, key = target_of(call, statement)
            if (table.storage, key) in seen:
                raise ValidationException(SAME_ITEM)
            seen.add((table.storage, key))
            run_write(call, statement, entry)
        except (ConditionalCheckFailedException, DuplicateItemException, ValidationException) as error:
            if isinstance(error, ValidationException) and error.message == SAME_ITEM:
                raise
            reasons[place] = error
    if any(reasons):
        raise cancelled(reasons)
    return {"Responses": []}


def read_all(call: Call, statements: list[Statement]) -> dict[str, Any]:
    """The items of a transaction that reads."""
    message = SELECT_NEEDS_KEY.format("ExecuteTransaction")
    items = [get_selected(call, statement, message) for statement in statements if isinstance(statement, Select)]
    return {"Responses": [{} if item is None else {"Item": item} for item in items]}
