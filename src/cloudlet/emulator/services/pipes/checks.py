"""What a pipe may say. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.eventing.arns import parse_arn
from cloudlet.emulator.eventing.patterns import parse_pattern
from cloudlet.emulator.eventing.targets import is_supported
from cloudlet.emulator.eventing.tokens import PatternError
from cloudlet.emulator.services.pipes.errors import invalid

# the service of a source's ARN -> (its member of SourceParameters, records in a batch where nobody says)
SOURCES = MappingProxyType(
    {
        "sqs": ("SqsQueueParameters", 10),
        "kinesis": ("KinesisStreamParameters", 100),
        "dynamodb": ("DynamoDBStreamParameters", 100),
    }
)
ENRICHMENTS = frozenset({"lambda", "states"})
MEMBERS = (
    "Description",
    "Source",
    "SourceParameters",
    "Enrichment",
    "EnrichmentParameters",
    "Target",
    "TargetParameters",
    "RoleArn",
    "LogConfiguration",
    "KmsKeyIdentifier",
)


def service_of(arn: str) -> str:
    found = parse_arn(arn)
    return found.service if found is not None else ""


def checked_definition(given: Mapping[str, Any]) -> dict[str, Any]:
    """The members that a pipe keeps, with the size of batches. Raises ValidationException."""
    definition = {name: given[name] for name in MEMBERS if given.get(name) not in (None, "")}
    service = service_of(definition["Source"])
    if service not in SOURCES:
        raise invalid(f"The source {definition['Source']} is not supported: queues, Kinesis and DynamoDB streams are.")
    if not is_supported(definition["Target"]) or service_of(definition["Target"]) == "scheduler":
        raise invalid(f"The target {definition['Target']} is not supported.")
    enrichment = definition.get("Enrichment")
    if enrichment is not None and service_of(enrichment) not in ENRICHMENTS:
        raise invalid(f"The enrichment {enrichment} is not supported: functions and state machines are.")
    member, size = SOURCES[service]
    parameters = dict(definition.get("SourceParameters") or {})
    own = dict(parameters.get(member) or {})
    if service != "sqs" and "StartingPosition" not in own:
        raise invalid(f"StartingPosition is required in {member}.")
    own.setdefault("BatchSize", size)
    definition["SourceParameters"] = {**parameters, member: own}
    for entry in (parameters.get("FilterCriteria") or {}).get("Filters") or ():
        check_filter(entry.get("Pattern", ""))
    return definition


def check_filter(pattern: str) -> None:
    """Raises ValidationException."""
    try:
        parse_pattern(pattern)
    except PatternError as error:
        raise invalid(f"Event pattern is not valid. Reason: {error}") from error


def parameters_of(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """What SourceParameters says of the kind of source that this one is."""
    member, _ = SOURCES[service_of(definition["Source"])]
    found: Mapping[str, Any] = definition["SourceParameters"][member]
    return found


def merged(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """An update of SourceParameters: objects member by member, everything else as a whole."""
    result = dict(before)
    for name, value in given.items():
        old = result.get(name)
        result[name] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
