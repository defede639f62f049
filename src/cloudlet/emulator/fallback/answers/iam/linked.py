"""Roles linked to services, under the names that AWS gives them.

Names from "AWS services that work with IAM" and the pages of the services that it points to.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.iam.words import refuse

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "access-analyzer": "AccessAnalyzer",
        "accountdiscovery.ssm": "AmazonSSM_AccountDiscovery",
        "acm": "CertificateManager",
        "apprunner": "AppRunner",
        "autoscaling": "AutoScaling",
        "autoscaling-plans": "AutoScalingPlans_EC2AutoScaling",
        "backup": "Backup",
        "batch": "Batch",
        "cloudtrail": "CloudTrail",
        "config": "Config",
        "connect": "AmazonConnect",
        "cloud9": "AWSCloud9",
        "dax": "DAX",
        "dynamodb.application-autoscaling": "ApplicationAutoScaling_DynamoDBTable",
        "ec2fleet": "EC2Fleet",
        "ecs": "ECS",
        "ecs.application-autoscaling": "ApplicationAutoScaling_ECSService",
        "eks": "AmazonEKS",
        "eks-nodegroup": "AmazonEKSNodegroup",
        "eks-fargate": "AmazonEKSForFargate",
        "elasticache": "ElastiCache",
        "elasticbeanstalk": "ElasticBeanstalk",
        "elasticfilesystem": "AmazonElasticFileSystem",
        "elasticloadbalancing": "ElasticLoadBalancing",
        "elasticmapreduce": "EMRCleanup",
        "email.cognito-idp": "AmazonCognitoIdpEmailService",
        "es": "AmazonElasticsearchService",
        "fsx": "AmazonFSx",
        "globalaccelerator": "GlobalAccelerator",
        "guardduty": "AmazonGuardDuty",
        "inspector2": "AmazonInspector2",
        "kafka": "Kafka",
        "lakeformation": "LakeFormationDataAccess",
        "lex": "LexBots",
        "lexv2": "LexV2Bots",
        "macie": "AmazonMacie",
        "mq": "AmazonMQ",
        "opensearchservice": "AmazonOpenSearchService",
        "ops.apigateway": "APIGateway",
        "organizations": "Organizations",
        "ram": "ResourceAccessManager",
        "rds": "RDS",
        "redshift": "Redshift",
        "replication.dynamodb": "DynamoDBReplication",
        "replicator.lambda": "LambdaReplicator",
        "securityhub": "SecurityHub",
        "spot": "EC2Spot",
        "spotfleet": "EC2SpotFleet",
        "ssm": "AmazonSSM",
        "sso": "SSO",
        "support": "Support",
        "transitgateway": "VPCTransitGateway",
        "trustedadvisor": "TrustedAdvisor",
        "wafv2": "WAFV2Logging",
    }
)


def proper_name(service: str) -> str:
    """`batch.amazonaws.com` -> `AWSServiceRoleForBatch`."""
    short = service.removesuffix(".amazonaws.com")
    return "AWSServiceRoleFor" + (NAMES.get(short) or "".join(part.capitalize() for part in short.split("-")))


def create_service_linked_role(asked: Asked) -> dict[str, Any]:
    service, suffix = asked.request["AWSServiceName"], asked.request.get("CustomSuffix")
    if not service.endswith(".amazonaws.com"):
        raise refuse("InvalidInput", f"The service name {service} is not valid.")
    name = proper_name(service) + (f"_{suffix}" if suffix else "")
    with asked.state() as backend:
        if any(role.name == name for role in backend.roles.values()):
            raise refuse(
                "InvalidInput",
                f"Service role name {name} has been taken in this account, please try a different suffix.",
            )
        made = asked.proceed()["Role"]
        backend.roles[made["RoleId"]].name = name
        role = {**made, "RoleName": name, "Arn": backend.roles[made["RoleId"]].arn}
    for member in ("MaxSessionDuration", "RoleLastUsed", "Tags"):
        role.pop(member, None)
    return {"Role": role}


ANSWERS: Mapping[str, Answer] = MappingProxyType({"CreateServiceLinkedRole": create_service_linked_role})
