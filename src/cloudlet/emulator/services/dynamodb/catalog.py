"""Finding tables by the name or ARN that a request gives."""

from __future__ import annotations

import re
from typing import Final

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.dynamodb.api import ResourceNotFoundException, TableNotFoundException
from cloudlet.emulator.services.dynamodb.errors import AccessDeniedException, ValidationException
from cloudlet.emulator.services.dynamodb.records import TABLES, IndexRecord, TableRecord

NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{3,255}", re.ASCII)
TABLE_ARN: Final = re.compile(r"arn:[a-z-]+:dynamodb:([a-z0-9-]+):([0-9]{12}):table/([a-zA-Z0-9_.-]{3,255})")
MISSING: Final = "Requested resource not found"


def find_table(call: Call, name: str, missing: str = MISSING) -> TableRecord:
    """The table; `missing` is the message of the ResourceNotFoundException where there is none."""
    table = TABLES.get(call.tx, call.account_id, call.region, name)
    if table is None:
        table = TABLES.get(call.tx, call.account_id, call.region, table_name(call, name))
        if table is None:
            raise ResourceNotFoundException(missing)
    return table


def table_name(call: Call, name: str) -> str:
    """The name that a name or ARN means. Raises ValidationException for what can be neither."""
    if name.startswith("arn:"):
        found = TABLE_ARN.fullmatch(name)
        if found is None:
            raise ValidationException(f"Invalid TableArn: Invalid ResourceArn provided as input {name}")
        if found[2] != call.account_id:
            raise AccessDeniedException(
                f"User: {call.principal.arn} is not authorized to perform: dynamodb:{call.operation} on resource: {name}"
            )
        if found[1] != call.region:
            raise ResourceNotFoundException(MISSING)
        return found[3]
    if not NAME.fullmatch(name):
        raise invalid_name(name)
    return name


def backed_up_table(call: Call, name: str) -> TableRecord:
    """The table, for the operations on backups. Raises TableNotFoundException."""
    try:
        return find_table(call, name)
    except ResourceNotFoundException:
        raise TableNotFoundException(f"Table not found: {table_name(call, name)}") from None


def invalid_name(name: str) -> ValidationException:
    if len(name) < 3:
        constraint = "Member must have length greater than or equal to 3"
    elif len(name) > 255:
        constraint = "Member must have length less than or equal to 255"
    else:
        constraint = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
    return ValidationException(
        f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: {constraint}"
    )


def find_index(table: TableRecord, name: str) -> IndexRecord:
    """The table's index. Raises ValidationException where it has none of that name."""
    for index in table.indexes:
        if index.name == name:
            return index
    raise ValidationException(f"The table does not have the specified index: {name}")
