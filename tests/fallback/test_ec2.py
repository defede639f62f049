"""EC2: names, missing parameters, flow logs, groups of a network, states of volumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import RunningEmulator

Client = Callable[..., Any]
Unique = Callable[..., str]
UNCHECKED = Config(parameter_validation=False)


@pytest.fixture
def client(emulator: RunningEmulator) -> Client:
    """In an account of these tests alone: others count the networks of theirs."""
    return lambda service, **options: emulator.client(service, account="111122227777", **options)


def refused(act: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        act(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_what_is_missing_is_named(client: Client) -> None:
    act = client("ec2", config=UNCHECKED).create_launch_template
    assert refused(act, LaunchTemplateName="name") == (
        "MissingParameter",
        "The request must contain the parameter LaunchTemplateData",
    )


def test_names_of_launch_templates(client: Client) -> None:
    act, data = client("ec2").create_launch_template, {"InstanceType": "t3.micro"}
    code, _ = refused(act, LaunchTemplateName="a b c", LaunchTemplateData=data)
    assert code == "InvalidLaunchTemplateName.MalformedException"


def test_flow_logs_into_a_folder(client: Client, unique: Unique) -> None:
    ec2, name = client("ec2"), unique("bucket")
    client("s3").create_bucket(Bucket=name)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    wanted = {"ResourceType": "VPC", "ResourceIds": [vpc], "TrafficType": "ALL", "LogDestinationType": "s3"}
    made = ec2.create_flow_logs(LogDestination=f"arn:aws:s3:::{name}/folder/", **wanted)
    assert made["Unsuccessful"] == []
    assert made["ClientToken"]
    (log,) = ec2.describe_flow_logs(FlowLogIds=made["FlowLogIds"])["FlowLogs"]
    assert log["LogDestination"] == f"arn:aws:s3:::{name}/folder/"
    assert log["DestinationOptions"]["FileFormat"] == "plain-text"
    failed = ec2.create_flow_logs(LogDestination=f"arn:aws:s3:::{unique('none')}", **wanted)["Unsuccessful"]
    assert failed[0]["Error"]["Message"].endswith("does not exist")


def test_groups_of_a_network(client: Client, unique: Unique) -> None:
    ec2, name = client("ec2"), unique("group")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc)
    groups = ec2.get_security_groups_for_vpc(VpcId=vpc)["SecurityGroupForVpcs"]
    assert {group["GroupName"] for group in groups} == {"default", name}
    assert {group["PrimaryVpcId"] for group in groups} == {vpc}


def test_volumes_are_well(client: Client) -> None:
    ec2 = client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    (status,) = ec2.describe_volume_status(VolumeIds=[volume])["VolumeStatuses"]
    assert status["VolumeStatus"]["Status"] == "ok"
