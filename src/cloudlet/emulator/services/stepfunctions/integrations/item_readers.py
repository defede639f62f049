"""`ItemReader` of a distributed Map: the items are objects of a bucket, or what is in one of them.

Source: Step Functions Developer Guide, "ItemReader (Map)".
"""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.stepfunctions.asl import timestamps
from cloudlet.emulator.services.stepfunctions.asl.failures import ITEM_READER
from cloudlet.emulator.services.stepfunctions.asl.json_text import loads
from cloudlet.emulator.services.stepfunctions.integrations.perform import whole

LIST = "listObjectsV2"
GET = "getObject"
DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}.items()


class Unreadable(Exception):
    """The object is not what the reader was told; the message is the cause."""


async def read(call: Call, asked: dict[str, Any]) -> dict[str, Any]:
    """`{"items": […]}`, or an error."""
    action = asked["resource"].rpartition(":")[2]
    arguments, config = asked["arguments"], asked["config"]
    most = config.get("MaxItems")
    try:
        if action == LIST:
            return {"items": await listed(call, arguments, most)}
        if action == GET:
            content = await fetched(call, arguments)
            items = parsed(content, config, arguments)
            return {"items": items[:most] if most else items}
    except AwsError as error:
        cause = f"{error.message} (Service: Amazon S3; Status Code: {error.status}; Error Code: {error.code})"
        return {"error": ITEM_READER, "cause": cause}
    except Unreadable as error:
        return {"error": ITEM_READER, "cause": str(error)}
    return {"error": ITEM_READER, "cause": f"The resource {asked['resource']} is not supported by ItemReader."}


async def listed(call: Call, arguments: dict[str, Any], most: int | None) -> list[dict[str, Any]]:
    """Objects as ListObjectsV2 describes them; moments are seconds."""
    request: dict[str, Any] = {"Bucket": arguments.get("Bucket", "")}
    if arguments.get("Prefix"):
        request["Prefix"] = arguments["Prefix"]
    found: list[dict[str, Any]] = []
    while True:
        page = await call.reach("s3", "ListObjectsV2", request)
        for entry in page.get("Contents", ()):
            found.append(
                {
                    "Etag": entry["ETag"],
                    "Key": entry["Key"],
                    "LastModified": moment(entry["LastModified"]),
                    "Size": entry["Size"],
                    "StorageClass": entry.get("StorageClass", "STANDARD"),
                }
            )
        if not page.get("IsTruncated") or (most and len(found) >= most):
            return found[:most] if most else found
        request["ContinuationToken"] = page["NextContinuationToken"]


def moment(value: Any) -> Any:
    if isinstance(value, int | float):
        return int(value)
    parsed_moment = timestamps.parse(value)
    return value if parsed_moment is None else int(parsed_moment)


async def fetched(call: Call, arguments: dict[str, Any]) -> bytes:
    request = {"Bucket": arguments.get("Bucket", ""), "Key": arguments.get("Key", "")}
    answer = await whole(await call.reach("s3", "GetObject", request))
    content = answer.get("Body", b"")
    return content if isinstance(content, bytes) else str(content).encode()


def parsed(content: bytes, config: dict[str, Any], arguments: dict[str, Any]) -> list[Any]:
    """Raises Unreadable."""
    kind = config.get("InputType", "JSON")
    if str(arguments.get("Key", "")).endswith(".gz") or content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("The object is no text in UTF-8.") from None
    if kind == "CSV":
        return rows(text, config)
    try:
        if kind == "JSONL":
            return [loads(line) for line in text.splitlines() if line.strip()]
        found = loads(text)
    except ValueError:
        raise Unreadable(f"Attempting to map over non-iterable node or invalid {kind}.") from None
    for part in str(config.get("ItemsPointer", "")).split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, list):
        raise Unreadable("Attempting to map over non-iterable node.")
    return found


def rows(text: str, config: dict[str, Any]) -> list[dict[str, str]]:
    """Lines of a CSV file as objects; missing cells are empty."""
    wanted = config.get("CSVDelimiter", "COMMA")
    delimiter = next((mark for name, mark in DELIMITERS if name == wanted), ",")
    lines = [line for line in csv.reader(io.StringIO(text), delimiter=delimiter) if line]
    if config.get("CSVHeaderLocation", "FIRST_ROW") == "GIVEN":
        header = list(config.get("CSVHeaders", ()))
    elif lines:
        header, lines = lines[0], lines[1:]
    else:
        raise Unreadable("The CSV file has no header.")
    if len(set(header)) != len(header):
        raise Unreadable("CSV headers cannot contain duplicates.")
    return [{name: line[at] if at < len(line) else "" for at, name in enumerate(header)} for line in lines]
