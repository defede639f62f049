"""Names of resources whose template gives none: `STACK-LOGICALID-RANDOM`, within the limits of their services."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.fallback.stacks.errors import refused

STACK_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
CHANGE_SET_NAME = STACK_NAME
RANDOM_LETTERS = 12

# longest name of a type where it is shorter than 255
LONGEST: Mapping[str, int] = MappingProxyType(
    {
        "AWS::ApplicationLoadBalancing": 32,
        "AWS::ElasticLoadBalancing::LoadBalancer": 32,
        "AWS::ElasticLoadBalancingV2::LoadBalancer": 32,
        "AWS::ElasticLoadBalancingV2::TargetGroup": 32,
        "AWS::Events::Rule": 64,
        "AWS::IAM::Group": 64,
        "AWS::IAM::Role": 64,
        "AWS::IAM::User": 64,
        "AWS::Kinesis::Stream": 128,
        "AWS::KinesisFirehose::DeliveryStream": 64,
        "AWS::Lambda::Function": 64,
        "AWS::RDS::DBInstance": 63,
        "AWS::S3::Bucket": 63,
        "AWS::SQS::Queue": 80,
        "AWS::Scheduler::Schedule": 64,
        "AWS::StepFunctions::StateMachine": 80,
    }
)
LOWER = frozenset(
    {
        "AWS::S3::Bucket",
        "AWS::ECR::Repository",
        "AWS::RDS::DBInstance",
        "AWS::RDS::DBSubnetGroup",
        "AWS::OpenSearchService::Domain",
    }
)
# what stands in the name in place of the stack's
FIRST: Mapping[str, str] = MappingProxyType({"AWS::SSM::Parameter": "CFN"})
NO_DASHES = frozenset({"AWS::Glue::Database", "AWS::AppSync::DataSource"})


def check_stack_name(name: str) -> None:
    """Raises `ValidationError` for what cannot be a stack's name."""
    if not STACK_NAME.fullmatch(name):
        raise refused(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            if len(name) <= 128
            else f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must "
            "have length less than or equal to 128"
        )


def physical_name(kind: str, stack: str, logical_id: str, ids: Ids) -> str:
    """A name for a resource of this type. The stack's and the logical part share what room there is."""
    most = LONGEST.get(kind, 255)
    ending = f"-{ids.alphanumeric(RANDOM_LETTERS)}"
    room = most - len(ending) - 1
    logical = logical_id[: max(room - len(stack), room // 2)]
    first = FIRST.get(kind, stack[: room - len(logical)].rstrip("-"))
    name = f"{first}-{logical}{ending}"
    if kind in LOWER:
        name = name.lower()
    return name.replace("-", "_") if kind in NO_DASHES else name
