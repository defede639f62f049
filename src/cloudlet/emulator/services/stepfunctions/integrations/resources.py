"""The `Resource` of a Task state ("Integrating services with Step Functions")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

PATTERNS: Mapping[str, str] = MappingProxyType(
    {"": "", ".sync": "sync", ".sync:2": "sync", ".waitForTaskToken": "token"}
)
ACTIVITY = re.compile(r"arn:(aws[\w-]*):states:([\w-]+):(\d{12}):activity:(.+)")
FUNCTION = re.compile(r"arn:(aws[\w-]*):lambda:([\w-]+):([\w-]+):function:(.+)")
SERVICE = re.compile(
    r"arn:(aws[\w-]*):states:([\w-]*):(\d*):((?:aws-sdk:)?[\w-]+):(\w+)(\.sync:2|\.sync|\.waitForTaskToken)?"
)


class Optimized(NamedTuple):
    """A service with an integration of its own: botocore's name, what its errors begin with, and how the SDK that AWS
    uses for it calls the service in messages."""

    service: str
    prefix: str
    client: str


OPTIMIZED: Mapping[str, Optimized] = MappingProxyType(
    {
        "apigateway": Optimized("apigateway", "ApiGateway", "AmazonApiGateway"),
        "athena": Optimized("athena", "Athena", "AmazonAthena"),
        "batch": Optimized("batch", "Batch", "AWSBatch"),
        "bedrock": Optimized("bedrock-runtime", "Bedrock", "AmazonBedrockRuntime"),
        "codebuild": Optimized("codebuild", "CodeBuild", "AWSCodeBuild"),
        "databrew": Optimized("databrew", "GlueDataBrew", "AWSGlueDataBrew"),
        "dynamodb": Optimized("dynamodb", "DynamoDB", "AmazonDynamoDBv2"),
        "ecs": Optimized("ecs", "ECS", "AmazonECS"),
        "eks": Optimized("eks", "EKS", "AmazonEKS"),
        "elasticmapreduce": Optimized("emr", "ElasticMapReduce", "AmazonElasticMapReduce"),
        "emr-containers": Optimized("emr-containers", "EMRContainers", "AmazonEMRContainers"),
        "emr-serverless": Optimized("emr-serverless", "EmrServerless", "AWSEMRServerless"),
        "events": Optimized("events", "EventBridge", "AmazonEventBridge"),
        "glue": Optimized("glue", "Glue", "AWSGlue"),
        "lambda": Optimized("lambda", "Lambda", "AWSLambda"),
        "mediaconvert": Optimized("mediaconvert", "MediaConvert", "AWSMediaConvert"),
        "sagemaker": Optimized("sagemaker", "SageMaker", "AmazonSageMaker"),
        "sns": Optimized("sns", "SNS", "AmazonSNS"),
        "sqs": Optimized("sqs", "SQS", "AmazonSQS"),
        "states": Optimized("stepfunctions", "StepFunctions", "AWSStepFunctions"),
    }
)


ACTIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "apigateway": frozenset({"invoke"}),
        "batch": frozenset({"submitJob"}),
        "dynamodb": frozenset({"deleteItem", "getItem", "putItem", "updateItem"}),
        "ecs": frozenset({"runTask"}),
        "events": frozenset({"putEvents"}),
        "glue": frozenset({"startJobRun"}),
        "http": frozenset({"invoke"}),
        "lambda": frozenset({"invoke"}),
        "sns": frozenset({"publish"}),
        "sqs": frozenset({"sendMessage"}),
        "states": frozenset({"startExecution"}),
    }
)


class Target(NamedTuple):
    """`kind`: activity, lambda (a function's own ARN) or task. `resource` as events show it, suffix included."""

    kind: str
    arn: str
    resource_type: str
    resource: str
    pattern: str

    @property
    def action(self) -> str:
        return self.resource.partition(".")[0]


def find(resource: object) -> Target | None:
    """None for a Resource that Step Functions does not know."""
    if not isinstance(resource, str):
        return None
    if ACTIVITY.fullmatch(resource):
        return Target("activity", resource, "activity", resource, "")
    if FUNCTION.fullmatch(resource):
        return Target("lambda", resource, "lambda", resource, "")
    match = SERVICE.fullmatch(resource)
    if match is None:
        return None
    suffix = match[6] or ""
    actions = ACTIONS.get(match[4])
    known = match[4].startswith("aws-sdk:") or match[4] in OPTIMIZED or actions is not None
    if not known or (actions is not None and match[5] not in actions):
        return None
    return Target("task", resource, match[4], match[5] + suffix, PATTERNS[suffix])


def parse(resource: str) -> Target:
    """Raises ValueError."""
    found = find(resource)
    if found is None:
        raise ValueError(f"{resource} is no Resource of a Task")
    return found
