"""Resource Groups: their members are what has the tags of their query, or what was put into them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.paging import page
from cloudlet.emulator.fallback.answers.tagging.kinds import KINDS
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

MORE = ("Criticality", "Owner", "DisplayName")
# CloudFormation's type -> what the tagging API calls it, for services of the fallback
OTHERS: Mapping[str, str] = MappingProxyType(
    {
        "AWS::EC2::Instance": "ec2:instance",
        "AWS::EC2::VPC": "ec2:vpc",
        "AWS::EC2::Subnet": "ec2:subnet",
        "AWS::EC2::SecurityGroup": "ec2:security-group",
        "AWS::EC2::Volume": "ec2:volume",
        "AWS::KMS::Key": "kms",
        "AWS::SecretsManager::Secret": "secretsmanager",
        "AWS::SSM::Parameter": "ssm",
        "AWS::RDS::DBInstance": "rds:db",
        "AWS::Logs::LogGroup": "logs",
        "AWS::Kinesis::Stream": "kinesis",
        "AWS::ECS::Cluster": "ecs:cluster",
    }
)
ARN_PARTS: tuple[tuple[str, str], ...] = (
    *((f"{kind.service}::{kind.part}", kind.cloudformation) for kind in KINDS),
    ("ec2::instance/", "AWS::EC2::Instance"),
    ("ec2::vpc/", "AWS::EC2::VPC"),
    ("ec2::subnet/", "AWS::EC2::Subnet"),
    ("ec2::security-group/", "AWS::EC2::SecurityGroup"),
    ("ec2::volume/", "AWS::EC2::Volume"),
    ("kms::key/", "AWS::KMS::Key"),
    ("secretsmanager::secret:", "AWS::SecretsManager::Secret"),
    ("ssm::parameter/", "AWS::SSM::Parameter"),
    ("rds::db:", "AWS::RDS::DBInstance"),
    ("logs::log-group:", "AWS::Logs::LogGroup"),
    ("kinesis::stream/", "AWS::Kinesis::Stream"),
    ("ecs::cluster/", "AWS::ECS::Cluster"),
)


def refuse(code: str, message: str, status: int = 400) -> UnmodelledError:
    return UnmodelledError(code, message, status)


def type_of(name: str) -> str:
    parts = name.split(":", 5)
    if len(parts) < 6:
        return ""
    found = [kind for prefix, kind in ARN_PARTS if f"{parts[2]}::{parts[5]}".startswith(prefix)]
    return found[-1] if found else ""


def group_of(asked: Asked, backend: Any) -> Any:
    """By name or ARN, of this region and account."""
    name = asked.request.get("Group") or asked.request.get("GroupName") or ""
    call = asked.call
    if name.startswith("arn:"):
        if name.split(":")[3:5] != [call.region, call.account_id]:
            raise refuse("NotFoundException", "Cannot find group.", 404)
        name = name.rpartition("group/")[2]
    if name not in backend.groups.by_name:
        raise refuse("NotFoundException", f"Cannot find group: {name}", 404)
    return backend.groups.by_name[name]


def told(group: Any) -> dict[str, Any]:
    shown = {"GroupArn": group.arn, "Name": group.name, "Description": group.description}
    shown |= {name: value for name, value in getattr(group, "more", {}).items() if value is not None}
    return {name: value for name, value in shown.items() if value not in (None, "")}


def create_group(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        answer = asked.proceed()
        group = backend.groups.by_name[request["Name"]]
        group.more = {name: request[name] for name in MORE if name in request}
        answer["Group"] = told(group)
    for member, given in (
        ("Tags", "Tags"),
        ("GroupConfiguration", "Configuration"),
        ("ResourceQuery", "ResourceQuery"),
    ):
        if given not in request:
            answer.pop(member, None)
    return answer


def get_group(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        return {"Group": told(group_of(asked, backend))}


def update_group(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        group = group_of(asked, backend)
        if "Description" in request:
            group.description = request["Description"]
        group.more = {**getattr(group, "more", {}), **{name: request[name] for name in MORE if name in request}}
        return {"Group": told(group)}


def on_a_group(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        name = group_of(asked, backend).name
    return asked.proceed(GroupName=name, Group=name)


# --- members


def found_by(asked: Asked, query: dict[str, Any]) -> list[str]:
    """ARNs of what the query describes. Raises BadRequestException."""
    try:
        described = json.loads(query.get("Query", ""))
    except ValueError as error:
        raise refuse("BadRequestException", "Query not valid: Query is not valid JSON.") from error
    if query.get("Type") != "TAG_FILTERS_1_0":
        return of_stack(asked, described)
    kinds = [kind for kind in described.get("ResourceTypeFilters", []) if kind != "AWS::AllSupported"]
    request: dict[str, Any] = {"TagFilters": described.get("TagFilters", [])}
    answer = asked.other("resourcegroupstaggingapi", "GetResources", request | {"ResourcesPerPage": 100})
    found = [entry["ResourceARN"] for entry in answer["ResourceTagMappingList"]]
    while answer.get("PaginationToken"):
        request["PaginationToken"] = answer["PaginationToken"]
        answer = asked.other("resourcegroupstaggingapi", "GetResources", request | {"ResourcesPerPage": 100})
        found += [entry["ResourceARN"] for entry in answer["ResourceTagMappingList"]]
    return [name for name in found if type_of(name) and (not kinds or type_of(name) in kinds)]


def of_stack(asked: Asked, described: dict[str, Any]) -> list[str]:
    stack = described.get("StackIdentifier", "")
    try:
        answer = asked.other("cloudformation", "DescribeStackResources", {"StackName": stack})
    except AwsError as error:
        raise refuse("BadRequestException", f"Query not valid: {error.message}") from error
    names = [resource.get("PhysicalResourceId", "") for resource in answer.get("StackResources", ())]
    return [name for name in names if name.startswith("arn:")]


def listed(asked: Asked, names: list[str], members: tuple[str, str]) -> dict[str, Any]:
    request = asked.request
    wanted = [
        value
        for one in request.get("Filters", ())
        if one.get("Name") == "resource-type"
        for value in one.get("Values", ())
    ]
    identifiers = [{"ResourceArn": name, "ResourceType": type_of(name)} for name in names]
    identifiers = [entry for entry in identifiers if not wanted or entry["ResourceType"] in wanted]
    shown, following = page(
        identifiers,
        request.get("MaxResults", 50),
        request.get("NextToken"),
        lambda: refuse("BadRequestException", "The NextToken is not valid."),
    )
    answer: dict[str, Any] = {"QueryErrors": [], members[0]: list(shown)}
    if members[1]:
        answer[members[1]] = [{"Identifier": entry} for entry in shown]
    return answer | ({"NextToken": following} if following else {})


def list_group_resources(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        group = group_of(asked, backend)
        query, members = group.resource_query, list(getattr(group, "members", ()))
    names = found_by(asked, query) if query and query.get("Query") else members
    return listed(asked, names, ("ResourceIdentifiers", "Resources"))


def search_resources(asked: Asked) -> dict[str, Any]:
    return listed(asked, found_by(asked, asked.request["ResourceQuery"]), ("ResourceIdentifiers", ""))


def group_resources(asked: Asked) -> dict[str, Any]:
    names = asked.request["ResourceArns"]
    with asked.state() as backend:
        group = group_of(asked, backend)
        failed = [name for name in names if not type_of(name)]
        good = [name for name in names if type_of(name)]
        group.members = list(dict.fromkeys([*getattr(group, "members", ()), *good]))
    return {"Succeeded": good, "Failed": [failure(name) for name in failed], "Pending": []}


def failure(name: str) -> dict[str, str]:
    return {
        "ResourceArn": name,
        "ErrorCode": "RESOURCE_TYPE_NOT_SUPPORTED",
        "ErrorMessage": "The resource type is not supported.",
    }


def ungroup_resources(asked: Asked) -> dict[str, Any]:
    names = asked.request["ResourceArns"]
    with asked.state() as backend:
        group = group_of(asked, backend)
        before = list(getattr(group, "members", ()))
        gone = [name for name in names if name in before]
        group.members = [name for name in before if name not in gone]
    failed = [
        failure(name) | {"ErrorCode": "NOT_A_MEMBER", "ErrorMessage": "The resource is not a member of the group."}
        for name in names
        if name not in gone
    ]
    return {"Succeeded": gone, "Failed": failed, "Pending": []}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CreateGroup": create_group,
        "GetGroup": get_group,
        "UpdateGroup": update_group,
        "GetGroupQuery": on_a_group,
        "UpdateGroupQuery": on_a_group,
        "GetGroupConfiguration": on_a_group,
        "ListGroupResources": list_group_resources,
        "SearchResources": search_resources,
        "GroupResources": group_resources,
        "UngroupResources": ungroup_resources,
    }
)
