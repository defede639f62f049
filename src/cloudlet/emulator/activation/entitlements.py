"""Which services are open: in the community edition, and under a license's entitlements.

Entitlements are `aws/*` (all), `aws/community` (what needs no license) and `aws/<service>` by botocore's name, which may
end with a wildcard: `aws/iot*`.
"""

from __future__ import annotations

from collections.abc import Iterable

COMMUNITY_SERVICES = frozenset(
    {
        "account",
        "acm",
        "apigateway",
        "cloudformation",
        "cloudwatch",
        "config",
        "dynamodb",
        "dynamodbstreams",
        "ec2",
        "es",
        "events",
        "firehose",
        "iam",
        "kinesis",
        "kms",
        "lambda",
        "logs",
        "opensearch",
        "redshift",
        "resource-groups",
        "resourcegroupstaggingapi",
        "route53",
        "route53resolver",
        "s3",
        "s3control",
        "scheduler",
        "secretsmanager",
        "ses",
        "sns",
        "sqs",
        "ssm",
        "stepfunctions",
        "sts",
        "support",
        "swf",
        "transcribe",
    }
)


# What the smallest paid plan adds; `tests/activation/test_entitlements.py` holds it against the control plane's plans.
BASE_SERVICES = frozenset(
    {
        "apigatewaymanagementapi",
        "apigatewayv2",
        "appconfig",
        "appconfigdata",
        "application-autoscaling",
        "autoscaling",
        "cloudcontrol",
        "cloudfront",
        "codeartifact",
        "codebuild",
        "codecommit",
        "codeconnections",
        "cognito-identity",
        "cognito-idp",
        "ecr",
        "ecs",
        "elasticache",
        "elb",
        "elbv2",
        "iot",
        "mq",
        "rds",
        "rds-data",
        "sesv2",
    }
)


def plan_that_opens(service: str) -> str:
    """The smallest plan that has a service, for what people read."""
    if service in COMMUNITY_SERVICES:
        return "hobby"
    return "base" if service in BASE_SERVICES else "ultimate"


def open_services(entitlements: Iterable[str]) -> frozenset[str] | None:
    """Services by name; None = every service. What is free stays open under every license."""
    names = set(entitlements)
    if "aws/*" in names:
        return None
    licensed = {name.partition("/")[2] for name in names if name.startswith("aws/")}
    return COMMUNITY_SERVICES | (licensed - {"community"})


def edition_of(plan: str) -> str:
    """What `/_localstack/info` calls it."""
    return "enterprise" if plan == "enterprise" else "pro"
