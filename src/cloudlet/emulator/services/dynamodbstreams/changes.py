"""The changes of a shard: GetShardIterator and GetRecords.

An iterator is the stream's ARN with the sequence number to go on at and the moment it was given, so it needs no record.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from typing import Any, Final, NamedTuple, cast

import orjson

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only
from cloudlet.emulator.services.dynamodbstreams.api import (
    ExpiredIteratorException,
    GetRecordsInput,
    GetRecordsOutput,
    GetShardIteratorInput,
    GetShardIteratorOutput,
    ResourceNotFoundException,
)
from cloudlet.emulator.services.dynamodbstreams.errors import ValidationException, too_large
from cloudlet.emulator.services.dynamodbstreams.streams import find_stream, sequence_text, shard_id

ITERATOR_SECONDS: Final = 15 * 60
MOST_RECORDS: Final = 1000
BIAS: Final = 10**20
MICROSECONDS: Final = 1_000_000


class Position(NamedTuple):
    """Where an iterator stands: the next sequence number, and when it was given."""

    arn: str
    sequence: int
    given: float

    def encode(self) -> str:
        place = urlsafe_b64encode(orjson.dumps([self.sequence, self.given])).decode()
        return f"{self.arn}|1|{place}"


def decode_position(iterator: str) -> Position:
    """Raises ValidationException for what is no iterator."""
    arn, separator, place = iterator.partition("|1|")
    try:
        sequence, given = orjson.loads(urlsafe_b64decode(place))
    except (ValueError, TypeError, Base64Error):
        separator, sequence, given = "", 0, 0
    if not separator or not isinstance(sequence, int) or not isinstance(given, int | float):
        raise ValidationException("Invalid ShardIterator")
    return Position(arn, sequence, float(given))


@read_only
def get_shard_iterator(call: Call, request: GetShardIteratorInput) -> GetShardIteratorOutput:
    stream = find_stream(call, request["StreamArn"])
    if request["ShardId"] != shard_id(stream):
        raise ResourceNotFoundException(
            f"Requested resource not found: Shard: {request['ShardId']} in Stream: {stream['Arn']} not found"
        )
    kind = request["ShardIteratorType"]
    number = request.get("SequenceNumber")
    if number is not None and kind in ("TRIM_HORIZON", "LATEST"):
        raise ValidationException(f"SequenceNumber cannot be used with the ShardIteratorType {kind}")
    if kind == "TRIM_HORIZON":
        sequence = 0
    elif kind == "LATEST":
        sequence = stream["Latest"] + 1
    elif kind == "AT_TIMESTAMP":
        sequence = int(cast("dict[str, Any]", request).get("Timestamp", 0.0) * MICROSECONDS)
    elif number is None or not number.isdigit():
        raise ValidationException(f"SequenceNumber is required for the ShardIteratorType {kind}")
    else:
        sequence = int(number) - BIAS + (kind == "AFTER_SEQUENCE_NUMBER")
    sequence = min(max(sequence, 0), 1 << 62)
    return {"ShardIterator": Position(stream["Arn"], sequence, call.now).encode()}


@read_only
def get_records(call: Call, request: GetRecordsInput) -> GetRecordsOutput:
    position = decode_position(request["ShardIterator"])
    limit = request.get("Limit", MOST_RECORDS)
    if limit > MOST_RECORDS:
        raise too_large(limit, "limit", MOST_RECORDS)
    if position.given < call.now - ITERATOR_SECONDS:
        raise ExpiredIteratorException("Iterator expired. The iterator was created more than 15 minutes ago.")
    stream = find_stream(call, position.arn)
    wanted = {"Storage": stream["Storage"], "From": position.sequence, "Limit": limit}
    found = call.invoke("dynamodb", "ReadChanges", wanted)["Changes"]
    result: dict[str, Any] = {"Records": [record(call, stream, change) for change in found]}
    following = found[-1]["Sequence"] + 1 if found else position.sequence
    if not stream["Last"] or following <= stream["Last"]:
        result["NextShardIterator"] = Position(position.arn, following, call.now).encode()
    return cast(GetRecordsOutput, result)


def record(call: Call, stream: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """One record in AWS's words; images stay the JSON that they are."""
    data: dict[str, Any] = {
        "ApproximateCreationDateTime": int(change["At"]),
        "Keys": orjson.Fragment(change["Key"]),
        "SequenceNumber": sequence_text(change["Sequence"]),
        "SizeBytes": change["Size"],
        "StreamViewType": stream["View"],
    }
    if change["New"]:
        data["NewImage"] = orjson.Fragment(change["New"])
    if change["Old"]:
        data["OldImage"] = orjson.Fragment(change["Old"])
    found = {
        "eventID": change["Id"],
        "eventName": change["Event"],
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": call.region,
        "dynamodb": data,
    }
    if change["Expired"]:
        found["userIdentity"] = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    return found
