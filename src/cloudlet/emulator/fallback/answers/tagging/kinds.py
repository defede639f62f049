"""What native services have that can be tagged: how it is listed, how its tags are read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from cloudlet.emulator.fallback.answers import Asked
from cloudlet.emulator.kernel.errors import AwsError

Tags = dict[str, str]
# What says that there is more -> what asks for it
TOKENS = (("NextToken", "NextToken"), ("nextToken", "nextToken"), ("NextMarker", "Marker"))


class Kind(NamedTuple):
    """`list_arns(asked)` and, for an ARN, the requests of three operations; `pairs`: tags are a list of pairs."""

    service: str
    part: str  # what the resource in the ARN begins with; empty where it is the name alone
    cloudformation: str
    list_arns: Callable[[Asked], list[str]]
    read: tuple[str, str, str]  # operation, member that names the resource, member with the tags
    write: tuple[str, str]  # operation, member with the tags
    erase: tuple[str, str]  # operation, member with the keys
    pairs: bool = True
    name_of: Callable[[Asked, str], str] = lambda _asked, arn: arn


def arn(asked: Asked, service: str, resource: str) -> str:
    call = asked.call
    return f"arn:{call.partition}:{service}:{call.region}:{call.account_id}:{resource}"


def buckets(asked: Asked) -> list[str]:
    region = asked.call.region
    found = asked.other("s3", "ListBuckets", {}).get("Buckets", ())
    return [f"arn:aws:s3:::{b['Name']}" for b in found if b.get("BucketRegion", region) == region]


def queues(asked: Asked) -> list[str]:
    urls = asked.other("sqs", "ListQueues", {}).get("QueueUrls", ())
    return [arn(asked, "sqs", url.rpartition("/")[2]) for url in urls]


def queue_url(asked: Asked, name: str) -> str:
    found: str = asked.other("sqs", "GetQueueUrl", {"QueueName": name.rpartition(":")[2]})["QueueUrl"]
    return found


def listed(service: str, operation: str, member: str, name: str) -> Callable[[Asked], list[str]]:
    def list_arns(asked: Asked) -> list[str]:
        found, request = [], dict[str, Any]()
        while True:
            answer = asked.other(service, operation, request)
            found += [entry[name] for entry in answer.get(member, ())]
            request = {asks: answer[says] for says, asks in TOKENS if answer.get(says)}
            if not request:
                return found

    return list_arns


def tables(asked: Asked) -> list[str]:
    names = asked.other("dynamodb", "ListTables", {}).get("TableNames", ())
    return [arn(asked, "dynamodb", f"table/{name}") for name in names]


KINDS: tuple[Kind, ...] = (
    Kind(
        "s3",
        "",
        "AWS::S3::Bucket",
        buckets,
        ("GetBucketTagging", "Bucket", "TagSet"),
        ("PutBucketTagging", "Tagging"),
        ("PutBucketTagging", "Tagging"),
        name_of=lambda _asked, name: name.rpartition(":")[2],
    ),
    Kind(
        "sqs",
        "",
        "AWS::SQS::Queue",
        queues,
        ("ListQueueTags", "QueueUrl", "Tags"),
        ("TagQueue", "Tags"),
        ("UntagQueue", "TagKeys"),
        pairs=False,
        name_of=queue_url,
    ),
    Kind(
        "sns",
        "",
        "AWS::SNS::Topic",
        listed("sns", "ListTopics", "Topics", "TopicArn"),
        ("ListTagsForResource", "ResourceArn", "Tags"),
        ("TagResource", "Tags"),
        ("UntagResource", "TagKeys"),
    ),
    Kind(
        "dynamodb",
        "table/",
        "AWS::DynamoDB::Table",
        tables,
        ("ListTagsOfResource", "ResourceArn", "Tags"),
        ("TagResource", "Tags"),
        ("UntagResource", "TagKeys"),
    ),
    Kind(
        "lambda",
        "function:",
        "AWS::Lambda::Function",
        listed("lambda", "ListFunctions", "Functions", "FunctionArn"),
        ("ListTags", "Resource", "Tags"),
        ("TagResource", "Tags"),
        ("UntagResource", "TagKeys"),
        pairs=False,
    ),
    Kind(
        "events",
        "rule/",
        "AWS::Events::Rule",
        listed("events", "ListRules", "Rules", "Arn"),
        ("ListTagsForResource", "ResourceARN", "Tags"),
        ("TagResource", "Tags"),
        ("UntagResource", "TagKeys"),
    ),
    Kind(
        "events",
        "event-bus/",
        "AWS::Events::EventBus",
        listed("events", "ListEventBuses", "EventBuses", "Arn"),
        ("ListTagsForResource", "ResourceARN", "Tags"),
        ("TagResource", "Tags"),
        ("UntagResource", "TagKeys"),
    ),
    Kind(
        "scheduler",
        "schedule-group/",
        "AWS::Scheduler::ScheduleGroup",
        listed("scheduler", "ListScheduleGroups", "ScheduleGroups", "Arn"),
        ("ListTagsForResource", "ResourceArn", "Tags"),
        ("TagResource", "Tags"),
        ("UntagResource", "TagKeys"),
    ),
    Kind(
        "states",
        "stateMachine:",
        "AWS::StepFunctions::StateMachine",
        listed("stepfunctions", "ListStateMachines", "stateMachines", "stateMachineArn"),
        ("ListTagsForResource", "resourceArn", "tags"),
        ("TagResource", "tags"),
        ("UntagResource", "tagKeys"),
    ),
)


def service_name(kind: Kind) -> str:
    return "stepfunctions" if kind.service == "states" else kind.service


def native(asked: Asked) -> Iterator[Kind]:
    """Kinds of services that are native here; moto knows the tags of the others."""
    for kind in KINDS:
        if not asked.fallback.serves(service_name(kind), kind.read[0]):
            yield kind


def kind_of(asked: Asked, name: str) -> Kind | None:
    parts = name.split(":", 5)
    if len(parts) < 6:
        return None
    for kind in native(asked):
        if parts[2] == kind.service and parts[5].startswith(kind.part):
            return kind
    return None


def read_tags(asked: Asked, kind: Kind, name: str) -> Tags:
    """Raises AwsError for what is not there."""
    operation, member, tags = kind.read
    try:
        answer = asked.other(service_name(kind), operation, {member: kind.name_of(asked, name)})
    except AwsError as error:
        if error.code == "NoSuchTagSet":
            return {}
        raise
    found = answer.get(tags) or {}
    if isinstance(found, dict):
        return dict(found)
    return {entry.get("Key", entry.get("key")): entry.get("Value", entry.get("value", "")) for entry in found}


def write_tags(asked: Asked, kind: Kind, name: str, new: Tags) -> None:
    operation, tags = kind.write
    service, named = service_name(kind), {kind.read[1]: kind.name_of(asked, name)}
    if kind.service == "s3":
        replace_tags(asked, name, read_tags(asked, kind, name) | new)
        return
    small = tags == "tags"
    pairs = [{"key" if small else "Key": key, "value" if small else "Value": value} for key, value in new.items()]
    asked.other(service, operation, named | {tags: pairs if kind.pairs else new})


def erase_tags(asked: Asked, kind: Kind, name: str, keys: list[str]) -> None:
    if kind.service == "s3":
        kept = {key: value for key, value in read_tags(asked, kind, name).items() if key not in keys}
        replace_tags(asked, name, kept)
        return
    operation, member = kind.erase
    asked.other(service_name(kind), operation, {kind.read[1]: kind.name_of(asked, name), member: keys})


def replace_tags(asked: Asked, name: str, tags: Tags) -> None:
    bucket = name.rpartition(":")[2]
    if not tags:
        asked.other("s3", "DeleteBucketTagging", {"Bucket": bucket})
        return
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    asked.other("s3", "PutBucketTagging", {"Bucket": bucket, "Tagging": {"TagSet": pairs}})


def resources(asked: Asked, wanted: tuple[str, ...] = ()) -> Iterator[tuple[str, Tags]]:
    """(ARN, tags) of what native services have. `wanted`: services (`sqs`) or parts (`dynamodb:table`)."""
    for kind in native(asked):
        full = f"{kind.service}:{kind.part.rstrip('/:')}"
        if wanted and kind.service not in wanted and full not in wanted and not is_plain(kind, wanted):
            continue
        for name in kind.list_arns(asked):
            try:
                yield name, read_tags(asked, kind, name)
            except AwsError:  # gone since it was listed
                continue


def is_plain(kind: Kind, wanted: tuple[str, ...]) -> bool:
    """`s3:bucket`, `sqs:queue`: types that the ARN does not have."""
    last = kind.cloudformation.rpartition(":")[2].lower()
    return f"{kind.service}:{last}" in wanted
