"""Targets of rules: putting, removing, listing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.eventing.arns import Arn, parse_arn
from cloudlet.emulator.eventing.inputs import RESERVED, is_path, placeholders
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.events.api import (
    ListTargetsByRuleRequest,
    ListTargetsByRuleResponse,
    PutTargetsRequest,
    PutTargetsResponse,
    RemoveTargetsRequest,
    RemoveTargetsResponse,
)
from cloudlet.emulator.services.events.errors import invalid, not_valid, too_many
from cloudlet.emulator.services.events.lookup import rule_of
from cloudlet.emulator.services.events.paging import after_token, page
from cloudlet.emulator.services.events.records import TARGETS, Rule, Target

MOST_TARGETS = 5
INPUTS = ("Input", "InputPath", "InputTransformer")
# services that EventBridge calls under a role, and those that need parameters of their own
NEED_ROLE = frozenset({"states", "kinesis", "firehose", "ecs", "batch", "codebuild", "codepipeline", "ssm"})
NEED_PARAMETERS = MappingProxyType({"ecs": "EcsParameters", "batch": "BatchParameters"})


@read_write
def put_targets(call: Call, request: PutTargetsRequest) -> PutTargetsResponse:
    """The same id replaces a target. Raises LimitExceededException, ResourceNotFoundException, ValidationException."""
    rule = rule_of(call, request["Rule"], request.get("EventBusName"))
    key = key_of(rule)
    ids = {target.target_id for target in TARGETS.scan(call.tx, *key)}
    for definition in request["Targets"]:
        check_target(definition)
        ids.add(definition["Id"])
    if len(ids) > MOST_TARGETS:
        raise too_many()
    for definition in request["Targets"]:
        TARGETS.put(call.tx, Target(*key, definition["Id"], definition["Arn"], dict(definition)))
    return {"FailedEntryCount": 0, "FailedEntries": []}


def key_of(rule: Rule) -> tuple[str, str, str, str]:
    return rule.account_id, rule.region, rule.bus, rule.name


def check_target(target: Mapping[str, Any]) -> None:
    """Raises ValidationException."""
    identifier = target["Id"]
    arn = parse_arn(target["Arn"])
    if arn is None:
        raise not_valid(target["Arn"], "Provided Arn is not in correct format.")
    if sum(name in target for name in INPUTS) > 1:
        raise invalid(f"Only one of Input, InputPath, or InputTransformer must be provided for target {identifier}.")
    if "InputPath" in target and not is_path(target["InputPath"]):
        raise invalid(f"Invalid JsonPath for target {identifier}: {target['InputPath']}")
    check_transformer(target)
    check_parameters(arn, target)


def check_transformer(target: Mapping[str, Any]) -> None:
    transformer = target.get("InputTransformer")
    if transformer is None:
        return
    paths = transformer.get("InputPathsMap", {})
    for name, path in paths.items():
        if name.upper().startswith("AWS"):
            raise invalid(f"InputPathsMap for target {target['Id']} contains the reserved name {name}.")
        if not is_path(path):
            raise invalid(f"Invalid JsonPath for target {target['Id']}: {path}")
    for name in sorted(placeholders(transformer["InputTemplate"])):
        if name not in paths and name not in RESERVED:
            raise invalid(f"InputTemplate for target {target['Id']} contains invalid placeholder {name}.")


def check_parameters(arn: Arn, target: Mapping[str, Any]) -> None:
    identifier = target["Id"]
    has_group = "MessageGroupId" in (target.get("SqsParameters") or {})
    if arn.service == "sqs" and arn.resource.endswith(".fifo") and not has_group:
        raise invalid(f"Parameter(s) SqsParameters must be specified for target: {identifier}.")
    needed = NEED_PARAMETERS.get(arn.service)
    if needed is not None and needed not in target:
        raise invalid(f"Parameter(s) {needed} must be specified for target: {identifier}.")
    if arn.service in NEED_ROLE and "RoleArn" not in target:
        raise invalid(f"RoleArn is required for target {target['Arn']}.")


@read_write
def remove_targets(call: Call, request: RemoveTargetsRequest) -> RemoveTargetsResponse:
    """Ids that are not there are failed entries. Raises ResourceNotFoundException."""
    rule = rule_of(call, request["Rule"], request.get("EventBusName"))
    failed = [
        {
            "TargetId": identifier,
            "ErrorCode": "ResourceNotFoundException",
            "ErrorMessage": f"Rule {rule.name} does not have a target with the Id {identifier}.",
        }
        for identifier in request["Ids"]
        if not TARGETS.delete(call.tx, *key_of(rule), identifier)
    ]
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}  # type: ignore[typeddict-item]


@read_only
def list_targets_by_rule(call: Call, request: ListTargetsByRuleRequest) -> ListTargetsByRuleResponse:
    """By id. Raises ResourceNotFoundException, ValidationException."""
    rule = rule_of(call, request["Rule"], request.get("EventBusName"))
    scanned = TARGETS.scan(call.tx, *key_of(rule), after=after_token(request))
    found, token = page(((target.target_id, target.definition) for target in scanned), request)
    return {"Targets": found, **token}  # type: ignore[typeddict-item]
