"""Event source mappings: made, read, changed, deleted. What they do is in `sources/`.

Source: "CreateEventSourceMapping", "Using Lambda with Amazon SQS", "… with DynamoDB", "… with Kinesis".
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.eventing.tokens import PatternError
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.lambda_.errors import conflict, invalid, not_found, violation
from cloudlet.emulator.services.lambda_.filters import read_pattern
from cloudlet.emulator.services.lambda_.names import Named, find_version, read_name
from cloudlet.emulator.services.lambda_.paging import page
from cloudlet.emulator.services.lambda_.records import MAPPINGS, Mapping

STREAMS = frozenset(("dynamodb", "kinesis"))
COPIED = (
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "ParallelizationFactor",
    "DestinationConfig",
    "MaximumRecordAgeInSeconds",
    "BisectBatchOnFunctionError",
    "MaximumRetryAttempts",
    "TumblingWindowInSeconds",
    "FunctionResponseTypes",
    "FilterCriteria",
    "ScalingConfig",
    "SourceAccessConfigurations",
    "SelfManagedEventSource",
    "Topics",
    "Queues",
    "KMSKeyArn",
    "MetricsConfig",
    "ProvisionedPollerConfig",
    "AmazonManagedKafkaEventSourceConfig",
    "SelfManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
)
MOST_OF_QUEUE, MOST_WITHOUT_WINDOW, MOST_OF_FIFO = 10_000, 10, 10


def service_of(arn: str) -> str:
    """`sqs`, `dynamodb`, `kinesis` or another; empty for none."""
    return arn.split(":")[2] if arn.count(":") >= 5 else ""


def shown(mapping: Mapping) -> dict[str, Any]:
    found: dict[str, Any] = {
        "UUID": mapping.uuid,
        "FunctionArn": mapping.function_arn,
        "EventSourceMappingArn": mapping.arn,
        "LastModified": mapping.modified,
        "State": mapping.state,
        "StateTransitionReason": mapping.reason,
        **mapping.value,
    }
    if mapping.source_arn:
        found["EventSourceArn"] = mapping.source_arn
    if service_of(mapping.source_arn) in STREAMS:
        found["LastProcessingResult"] = mapping.result
    return found


def reason_of(source_arn: str) -> str:
    return "User action" if service_of(source_arn) in STREAMS else "USER_INITIATED"


def settings_of(request: dict[str, Any], service: str) -> dict[str, Any]:
    """What was given, and AWS's defaults."""
    defaults: dict[str, Any] = {"MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": []}
    if service == "sqs":
        defaults["BatchSize"] = 10
    else:
        defaults["BatchSize"] = 100
    if service in STREAMS:
        defaults |= {
            "BisectBatchOnFunctionError": False,
            "DestinationConfig": {"OnFailure": {}},
            "MaximumRecordAgeInSeconds": -1,
            "MaximumRetryAttempts": -1,
            "ParallelizationFactor": 1,
            "StartingPosition": request.get("StartingPosition"),
            "TumblingWindowInSeconds": 0,
        }
        if request.get("StartingPositionTimestamp") is not None:
            defaults["StartingPositionTimestamp"] = request["StartingPositionTimestamp"]
    return {**defaults, **given_of(request)}


def given_of(request: dict[str, Any]) -> dict[str, Any]:
    given = {name: request[name] for name in COPIED if request.get(name) is not None}
    if "FilterCriteria" in given and not (given["FilterCriteria"] or {}).get("Filters"):
        del given["FilterCriteria"]
    return given


async def create_event_source_mapping(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    source = request.get("EventSourceArn", "")
    if not source and not request.get("SelfManagedEventSource"):
        raise invalid("Unrecognized event source.")
    service = service_of(source)
    check_request(request, service, source)
    named = read_name(call, request)
    function = await check_function(call, named)
    value = settings_of(request, service)
    check_settings(value, service, source)
    await check_source(call, service, source, function["Timeout"])
    with call.transaction() as tx:
        for other in MAPPINGS.scan(tx, call.account_id, call.region):
            if (other.source_arn, other.function_arn) != (source, named.full_arn):
                continue
            same = all(other.value.get(member) == value.get(member) for member in ("SelfManagedEventSource", "Topics"))
            if source or same:
                raise duplicate(service, source, named, other.uuid)
        mapping = Mapping(
            call.account_id,
            call.region,
            call.ids.uuid(),
            named.full_arn,
            source,
            value,
            "Creating" if request.get("Enabled", True) else "Disabled",
            reason_of(source),
            call.now,
            request.get("Tags") or {},
            started=call.now,
        )
        MAPPINGS.put(tx, mapping)
    return shown(mapping)


def duplicate(service: str, source: str, named: Named, uuid: str) -> AwsError:
    if service == "sqs":
        return conflict(
            f'An event source mapping with SQS arn (" {source} ") and function (" {named.name} ") already exists. '
            f"Please update or delete the existing mapping with UUID {uuid}"
        )
    return conflict(
        f'The event source arn (" {source} ") and function (" {named.name} ") provided mapping already exists. '
        f"Please update or delete the existing mapping with UUID {uuid}"
    )


async def check_function(call: Call, named: Named) -> dict[str, Any]:
    """The configuration. Raises InvalidParameterValueException."""
    try:
        with call.transaction(read_only=True):
            return find_version(call, named).config
    except AwsError:
        raise invalid("Function does not exist") from None


def check_request(request: dict[str, Any], service: str, source: str) -> None:
    if service == "sqs" and "DestinationConfig" in request:
        raise invalid("Unsupported DestinationConfig parameter for given event source mapping type.")
    position = request.get("StartingPosition")
    if service in STREAMS and position is None:
        raise invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null."
        )
    if service == "sqs" and position is not None:
        raise invalid("StartingPosition is not valid for SQS event sources.")
    if service == "dynamodb" and position == "AT_TIMESTAMP":
        raise invalid("Unsupported starting position for arn type: " + source)
    if position == "AT_TIMESTAMP" and request.get("StartingPositionTimestamp") is None:
        raise invalid("StartingPositionTimestamp is required when StartingPosition is AT_TIMESTAMP.")


def check_settings(value: dict[str, Any], service: str, source: str) -> None:
    """Raises InvalidParameterValueException."""
    size, window = value["BatchSize"], value["MaximumBatchingWindowInSeconds"]
    if service == "sqs":
        fifo = source.endswith(".fifo")
        if fifo and window:
            raise invalid("Batching window is not supported for FIFO queues.")
        if size > (MOST_OF_FIFO if fifo else MOST_OF_QUEUE):
            raise violation(
                size,
                "batchSize",
                f"Member must have value less than or equal to {MOST_OF_FIFO if fifo else MOST_OF_QUEUE}",
            )
        if size > MOST_WITHOUT_WINDOW and not window:
            raise invalid(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
            )
        for member in (
            "MaximumRecordAgeInSeconds",
            "MaximumRetryAttempts",
            "BisectBatchOnFunctionError",
            "ParallelizationFactor",
            "TumblingWindowInSeconds",
        ):
            if member in value:
                raise invalid(f"{member[0].upper()}{member[1:]} is not supported for SQS event sources.")
    for entry in (value.get("FilterCriteria") or {}).get("Filters", ()):
        try:
            read_pattern(entry.get("Pattern", ""))
        except (PatternError, ValueError):
            raise invalid("Invalid filter pattern definition.") from None


async def check_source(call: Call, service: str, source: str, timeout_seconds: int) -> None:
    """Raises InvalidParameterValueException for a source that is not there."""
    if service not in ("sqs", *STREAMS):
        return
    parts = source.split(":", 5)
    there = call.at(parts[4], parts[3])
    try:
        if service == "sqs":
            wanted = {"QueueUrl": f"/{parts[4]}/{parts[5]}", "AttributeNames": ["VisibilityTimeout"]}
            attributes = (await there.reach("sqs", "GetQueueAttributes", wanted))["Attributes"]
            visible = int(attributes["VisibilityTimeout"])
            if visible < timeout_seconds:
                raise invalid(
                    f"Queue visibility timeout: {visible} seconds is less than Function timeout: {timeout_seconds} seconds"
                )
        elif service == "dynamodb":
            await there.reach("dynamodbstreams", "DescribeStream", {"StreamArn": source})
        else:
            await there.reach("kinesis", "DescribeStreamSummary", {"StreamARN": source})
    except AwsError as error:
        if error.code == "InvalidParameterValueException":
            raise
        if service == "sqs":
            raise invalid(
                "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
                "SQS Error Message: The specified queue does not exist."
            ) from None
        raise invalid(f"Stream not found: {source}") from None


def require(call: Call, request: dict[str, Any]) -> Mapping:
    mapping = MAPPINGS.get(call.tx, call.account_id, call.region, request["UUID"])
    if mapping is None:
        raise not_found("The resource you requested does not exist.")
    return mapping


@read_only
def get_event_source_mapping(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return shown(require(call, request))


@read_only
def list_event_source_mappings(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    source = request.get("EventSourceArn")
    wanted = read_name(call, request).full_arn if request.get("FunctionName") else None
    found = [
        shown(mapping)
        for mapping in MAPPINGS.scan(call.tx, call.account_id, call.region)
        if (source is None or mapping.source_arn == source) and (wanted is None or mapping.function_arn == wanted)
    ]
    return page(found, "EventSourceMappings", request, lambda mapping: mapping["UUID"], 100)


async def update_event_source_mapping(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    with call.transaction(read_only=True):
        mapping = require(call, request)
    function_arn = mapping.function_arn
    if request.get("FunctionName"):
        named = read_name(call, request)
        await check_function(call, named)
        function_arn = named.full_arn
    service = service_of(mapping.source_arn)
    value = {**mapping.value, **given_of(request)}
    if "FilterCriteria" in request and not (request["FilterCriteria"] or {}).get("Filters"):
        value.pop("FilterCriteria", None)
    check_settings(value, service, mapping.source_arn)
    with call.transaction() as tx:
        mapping = require(call, request)
        state = mapping.state
        if request.get("Enabled") is True and state in ("Disabled", "Disabling"):
            state = "Enabling"
        elif request.get("Enabled") is False:
            state = "Disabling"
        elif state == "Enabled":
            state = "Updating"
        mapping = replace(
            mapping,
            function_arn=function_arn,
            value=value,
            state=state,
            reason=reason_of(mapping.source_arn),
            modified=call.now,
        )
        MAPPINGS.put(tx, mapping)
    return shown(mapping)


@read_write
def delete_event_source_mapping(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    mapping = require(call, request)
    MAPPINGS.delete(call.tx, mapping.account_id, mapping.region, mapping.uuid)
    return shown(replace(mapping, state="Deleting", reason=reason_of(mapping.source_arn)))
