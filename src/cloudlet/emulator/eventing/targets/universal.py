"""Scheduler's universal targets: `arn:aws:scheduler:::aws-sdk:sqs:sendMessage`, any operation of any service.

The service is named as in the AWS SDK for Java 2, the operation with a small first letter, and the target's input is the
request as JSON. Source: "Using universal targets in EventBridge Scheduler".
"""

from __future__ import annotations

from types import MappingProxyType

from cloudlet.emulator.eventing.targets.errands import Errand, Order, UnknownTarget, errand
from cloudlet.emulator.eventing.targets.work import as_object

# the SDK's names that are not botocore's
SERVICES = MappingProxyType(
    {
        "applicationautoscaling": "application-autoscaling",
        "autoscalingplans": "autoscaling-plans",
        "cloudwatchevents": "events",
        "cloudwatchlogs": "logs",
        "cognitoidentity": "cognito-identity",
        "cognitoidentityprovider": "cognito-idp",
        "costexplorer": "ce",
        "databasemigration": "dms",
        "ecrpublic": "ecr-public",
        "elasticloadbalancing": "elb",
        "elasticloadbalancingv2": "elbv2",
        "elasticsearch": "es",
        "eventbridge": "events",
        "iotdataplane": "iot-data",
        "rdsdata": "rds-data",
        "redshiftdata": "redshift-data",
        "resourcegroups": "resource-groups",
        "sfn": "stepfunctions",
        "ssmincidents": "ssm-incidents",
    }
)
READING = ("get", "describe", "list", "poll", "receive", "search", "scan", "query", "select", "read", "batchGet")


def any_operation(order: Order) -> Errand:
    """The request's members are AWS's; `deliveries` reads them against the model of the service."""
    service, operation = split_universal(order.arn.resource)
    return errand(order, SERVICES.get(service, service), operation[0].upper() + operation[1:], as_object(order.text))


def split_universal(resource: str) -> tuple[str, str]:
    """Service and operation of `aws-sdk:sqs:sendMessage`. Raises UnknownTarget."""
    parts = resource.split(":")
    if len(parts) != 3 or parts[0] != "aws-sdk" or not parts[1] or not parts[2]:
        raise UnknownTarget(f"{resource} is no universal target")
    return parts[1], parts[2]


def reads_only(operation: str) -> bool:
    """Operations that Scheduler refuses as targets, because nobody would see the answer."""
    return operation.startswith(READING)
