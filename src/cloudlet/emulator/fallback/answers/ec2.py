"""EC2: names of launch templates, flow logs in AWS's words, security groups of a VPC, states of volumes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.kernel.errors import UnmodelledError

TEMPLATE_NAME = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}\Z")
PLAIN_LOGS: Mapping[str, Any] = MappingProxyType(
    {"FileFormat": "plain-text", "HiveCompatiblePartitions": False, "PerHourPartition": False}
)


def refuse(code: str, message: str) -> UnmodelledError:
    return UnmodelledError(code, message)


def create_launch_template(asked: Asked) -> dict[str, Any]:
    if not TEMPLATE_NAME.match(asked.request["LaunchTemplateName"]):
        raise refuse(
            "InvalidLaunchTemplateName.MalformedException",
            "A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the "
            "following characters: - ( ) . / _.",
        )
    return asked.proceed()


def create_flow_logs(asked: Asked) -> dict[str, Any]:
    """S3 destinations may name a folder; the answer has a token."""
    request = asked.request
    if request.get("LogGroupName") and request.get("LogDestination"):
        raise refuse("InvalidParameter", "Please only provide LogGroupName or only provide LogDestination.")
    destination, folder = str(request.get("LogDestination", "")), ""
    changes = {}
    if request.get("LogDestinationType") == "s3" and "/" in destination:
        bucket, _, folder = destination.partition("/")
        changes["LogDestination"] = bucket
    with asked.state() as backend:
        others = {name: log.log_destination for name, log in backend.flow_logs.items()} if folder else {}
        for name, other in others.items():  # moto compares destinations without their folders
            if other != destination:
                backend.flow_logs[name].log_destination = None
        try:
            answer = asked.proceed(**changes)
        finally:
            for name, other in others.items():
                backend.flow_logs[name].log_destination = other
        for name in answer.get("FlowLogIds", ()) if folder else ():
            backend.flow_logs[name].log_destination = destination
    for failure in answer.get("Unsuccessful", ()):
        error = failure.get("Error", {})
        if "does not exist" in str(error.get("Message")):
            error["Message"] = error["Message"].rstrip(".")
    answer.setdefault("ClientToken", request.get("ClientToken") or asked.call.ids.alphanumeric(43) + "=")
    return answer


def describe_flow_logs(asked: Asked) -> dict[str, Any]:
    answer = asked.proceed()
    for log in answer.get("FlowLogs", ()):
        if log.get("LogDestinationType") == "s3":
            log.setdefault("DestinationOptions", dict(PLAIN_LOGS))
    return answer


def get_security_groups_for_vpc(asked: Asked) -> dict[str, Any]:
    vpc = asked.request["VpcId"]
    filters = [*asked.request.get("Filters", ()), {"Name": "vpc-id", "Values": [vpc]}]
    with asked.state() as backend:
        if backend.get_vpc(vpc) is None:
            raise refuse("InvalidVpcID.NotFound", f"VpcID {{{vpc}}} does not exist.")
        found = asked.as_another("DescribeSecurityGroups", {"Filters": filters}).proceed()
    groups = [
        {
            "Description": group.get("Description", ""),
            "GroupName": group["GroupName"],
            "OwnerId": group["OwnerId"],
            "GroupId": group["GroupId"],
            "Tags": group.get("Tags", []),
            "PrimaryVpcId": vpc,
        }
        for group in found.get("SecurityGroups", ())
    ]
    return {"SecurityGroupForVpcs": groups}


def describe_volume_status(asked: Asked) -> dict[str, Any]:
    """Every volume is well."""
    wanted = {"VolumeIds": asked.request["VolumeIds"]} if "VolumeIds" in asked.request else {}
    found = asked.as_another("DescribeVolumes", wanted).proceed()
    statuses = [
        {
            "VolumeId": volume["VolumeId"],
            "AvailabilityZone": volume.get("AvailabilityZone"),
            "Actions": [],
            "Events": [],
            "VolumeStatus": {
                "Status": "ok",
                "Details": [
                    {"Name": "io-enabled", "Status": "passed"},
                    {"Name": "io-performance", "Status": "not-applicable"},
                ],
            },
        }
        for volume in found.get("Volumes", ())
    ]
    return {"VolumeStatuses": statuses}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CreateLaunchTemplate": create_launch_template,
        "CreateFlowLogs": create_flow_logs,
        "DescribeFlowLogs": describe_flow_logs,
        "GetSecurityGroupsForVpc": get_security_groups_for_vpc,
        "DescribeVolumeStatus": describe_volume_status,
    }
)
