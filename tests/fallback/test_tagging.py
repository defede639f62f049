"""Tags across native services and moto's, and the groups that are made of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]
ACCOUNT = "111122226666"  # of these tests alone


@pytest.fixture
def here(client: Client) -> Client:
    return lambda service: client(service, account=ACCOUNT)


def arns(answer: dict[str, Any]) -> set[str]:
    return {entry["ResourceARN"] for entry in answer["ResourceTagMappingList"]}


def make(here: Client, name: str) -> tuple[str, str, str]:
    """(bucket, queue, key) with the tag `run`, as ARNs."""
    here("s3").create_bucket(Bucket=name)
    here("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "run", "Value": name}]})
    here("sqs").create_queue(QueueName=name, tags={"run": name})
    key = here("kms").create_key(Tags=[{"TagKey": "run", "TagValue": name}])["KeyMetadata"]["Arn"]
    return f"arn:aws:s3:::{name}", f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}", key


def test_resources_of_all_services_are_found(here: Client, unique: Unique) -> None:
    tagging, name = here("resourcegroupstaggingapi"), unique("tagged")
    bucket, queue, key = make(here, name)
    wanted = [{"Key": "run", "Values": [name]}]
    assert arns(tagging.get_resources(TagFilters=wanted)) == {bucket, queue, key}
    assert arns(tagging.get_resources(TagFilters=wanted, ResourceTypeFilters=["sqs:queue"])) == {queue}
    assert arns(tagging.get_resources(ResourceARNList=[key])) == {key}
    first = tagging.get_resources(TagFilters=wanted, ResourcesPerPage=2)
    rest = tagging.get_resources(TagFilters=wanted, ResourcesPerPage=2, PaginationToken=first["PaginationToken"])
    assert len(arns(first) | arns(rest)) == 3
    assert rest["PaginationToken"] == ""
    assert "run" in tagging.get_tag_keys()["TagKeys"]
    assert name in tagging.get_tag_values(Key="run")["TagValues"]


def test_resources_are_tagged_from_here(here: Client, unique: Unique) -> None:
    tagging, name = here("resourcegroupstaggingapi"), unique("tagged")
    bucket, queue, _ = make(here, name)
    absent = f"arn:aws:sns:us-east-1:{ACCOUNT}:{name}"
    failed = tagging.tag_resources(ResourceARNList=[bucket, queue, absent], Tags={"more": "1"})["FailedResourcesMap"]
    assert {arn: entry["ErrorCode"] for arn, entry in failed.items()} == {absent: "InvalidParameterException"}
    tags = here("s3").get_bucket_tagging(Bucket=name)["TagSet"]
    assert {tag["Key"] for tag in tags} == {"run", "more"}
    tagging.untag_resources(ResourceARNList=[bucket, queue], TagKeys=["run"])
    url = here("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    assert here("sqs").list_queue_tags(QueueUrl=url)["Tags"] == {"more": "1"}


def query(name: str, *types: str) -> dict[str, str]:
    described = {
        "ResourceTypeFilters": list(types) or ["AWS::AllSupported"],
        "TagFilters": [{"Key": "run", "Values": [name]}],
    }
    return {"Type": "TAG_FILTERS_1_0", "Query": json.dumps(described)}


def test_a_group_has_what_its_query_finds(here: Client, unique: Unique) -> None:
    groups, name = here("resource-groups"), unique("group")
    bucket, queue, key = make(here, name)
    made = groups.create_group(Name=name, ResourceQuery=query(name), Criticality=3)
    assert made["Group"]["Criticality"] == 3
    assert "GroupConfiguration" not in made
    members = groups.list_group_resources(Group=name)
    assert {entry["ResourceArn"] for entry in members["ResourceIdentifiers"]} == {bucket, queue, key}
    assert members["QueryErrors"] == []
    groups.update_group_query(GroupName=name, ResourceQuery=query(name, "AWS::S3::Bucket"))
    (member,) = groups.list_group_resources(Group=made["Group"]["GroupArn"])["ResourceIdentifiers"]
    assert (member["ResourceArn"], member["ResourceType"]) == (bucket, "AWS::S3::Bucket")
    (found,) = groups.search_resources(ResourceQuery=query(name, "AWS::SQS::Queue"))["ResourceIdentifiers"]
    assert found["ResourceArn"] == queue


def test_a_group_without_a_query_has_what_is_put_into_it(here: Client, unique: Unique) -> None:
    groups, name = here("resource-groups"), unique("group")
    bucket, queue, _ = make(here, name)
    groups.create_group(Name=name, Configuration=[{"Type": "AWS::ResourceGroups::Generic"}])
    assert groups.group_resources(Group=name, ResourceArns=[bucket, queue])["Failed"] == []
    answer = groups.ungroup_resources(Group=name, ResourceArns=[queue, "arn:aws:s3:::other"])
    assert (answer["Succeeded"], [entry["ErrorCode"] for entry in answer["Failed"]]) == ([queue], ["NOT_A_MEMBER"])
    (member,) = groups.list_group_resources(Group=name)["ResourceIdentifiers"]
    assert member["ResourceArn"] == bucket
    groups.update_group(GroupName=name, Owner="me")
    assert groups.get_group(GroupName=name)["Group"]["Owner"] == "me"
    elsewhere = f"arn:aws:resource-groups:eu-west-1:{ACCOUNT}:group/{name}"
    with pytest.raises(ClientError, match="NotFoundException"):
        groups.get_group(Group=elsewhere)
