"""Targets that do something: functions, workflows, tasks, builds, statements."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import orjson

from cloudlet.emulator.eventing.targets.errands import Errand, Make, Order, UnknownTarget, errand


def to_function(order: Order) -> Errand:
    """As an event: the function's own retries and destinations hold, and it is called once the sender has committed."""
    request = {"FunctionName": order.target["Arn"], "Payload": order.text.encode()}
    return errand(order, "lambda", "AcceptEvent", request)


def to_state_machine(order: Order) -> Errand:
    request = {"stateMachineArn": order.target["Arn"], "input": order.text}
    return errand(order, "stepfunctions", "StartExecution", request)


def to_task(order: Order) -> Errand:
    """The members of EcsParameters are RunTask's, with a capital first letter."""
    parameters = order.parameters("EcsParameters")
    if "TaskDefinitionArn" not in parameters:
        raise UnknownTarget("EcsParameters names no task definition")
    request: dict[str, Any] = {
        "cluster": order.target["Arn"],
        "taskDefinition": parameters["TaskDefinitionArn"],
        "count": parameters.get("TaskCount", 1),
        "startedBy": "events-rule" if "RoleArn" not in order.target else "chronos",
    }
    for name in ("LaunchType", "NetworkConfiguration", "PlatformVersion", "Group", "PropagateTags", "ReferenceId"):
        if name in parameters:
            request[name[0].lower() + name[1:]] = parameters[name]
    overrides = as_object(order.text)
    if "containerOverrides" in overrides or "taskRoleArn" in overrides:
        request["overrides"] = overrides
    return errand(order, "ecs", "RunTask", request)


def to_job_queue(order: Order) -> Errand:
    parameters = order.parameters("BatchParameters")
    if "JobDefinition" not in parameters:
        raise UnknownTarget("BatchParameters names no job definition")
    request: dict[str, Any] = {
        "jobName": parameters["JobName"],
        "jobQueue": order.target["Arn"],
        "jobDefinition": parameters["JobDefinition"],
    }
    if "Size" in (parameters.get("ArrayProperties") or {}):
        request["arrayProperties"] = {"size": parameters["ArrayProperties"]["Size"]}
    if "Attempts" in (parameters.get("RetryStrategy") or {}):
        request["retryStrategy"] = {"attempts": parameters["RetryStrategy"]["Attempts"]}
    return errand(order, "batch", "SubmitJob", request)


def to_build(order: Order) -> Errand:
    given = as_object(order.text) if "Input" in order.target or "InputTransformer" in order.target else {}
    name = order.arn.resource.removeprefix("project/")
    return errand(order, "codebuild", "StartBuild", {**given, "projectName": name})


def to_pipeline(order: Order) -> Errand:
    return errand(order, "codepipeline", "StartPipelineExecution", {"name": order.arn.resource})


def to_command(order: Order) -> Errand:
    """Systems Manager: a document is run, an automation started."""
    kind, _, name = order.arn.resource.partition("/")
    if kind == "automation-definition":
        request: dict[str, Any] = {"DocumentName": name.partition(":")[0]}
        return errand(
            order, "ssm", "StartAutomationExecution", {**request, "Parameters": as_object(order.text) or None}
        )
    targets = order.parameters("RunCommandParameters").get("RunCommandTargets") or []
    request = {"DocumentName": name, "Targets": list(targets), "Parameters": as_object(order.text)}
    return errand(order, "ssm", "SendCommand", request)


def to_redshift(order: Order) -> Errand:
    parameters = order.parameters("RedshiftDataParameters")
    if "Database" not in parameters:
        raise UnknownTarget("RedshiftDataParameters names no database")
    cluster = order.arn.resource.rpartition(":")[2]
    request: dict[str, Any] = {"Database": parameters["Database"], "DbUser": parameters.get("DbUser")}
    request["WorkgroupName" if order.arn.service == "redshift-serverless" else "ClusterIdentifier"] = cluster
    request |= {"SecretArn": parameters.get("SecretManagerArn"), "StatementName": parameters.get("StatementName")}
    if "Sqls" in parameters:
        return errand(order, "redshift-data", "BatchExecuteStatement", {**request, "Sqls": list(parameters["Sqls"])})
    return errand(order, "redshift-data", "ExecuteStatement", {**request, "Sql": parameters.get("Sql", "")})


def to_training_pipeline(order: Order) -> Errand:
    given = order.parameters("SageMakerPipelineParameters").get("PipelineParameterList") or []
    request = {
        "PipelineName": order.arn.resource.rpartition("/")[2],
        "PipelineParameters": [dict(entry) for entry in given] or None,
        "ClientRequestToken": order.unique,
    }
    return errand(order, "sagemaker", "StartPipelineExecution", request)


def to_glue_workflow(order: Order) -> Errand:
    return errand(order, "glue", "StartWorkflowRun", {"Name": order.arn.resource.rpartition("/")[2]})


def as_object(text: str) -> dict[str, Any]:
    """The JSON object that a text is; nothing for any other text."""
    try:
        found = orjson.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


KINDS: Mapping[str, Make] = MappingProxyType(
    {
        "lambda": to_function,
        "states": to_state_machine,
        "ecs": to_task,
        "batch": to_job_queue,
        "codebuild": to_build,
        "codepipeline": to_pipeline,
        "ssm": to_command,
        "redshift": to_redshift,
        "redshift-serverless": to_redshift,
        "sagemaker": to_training_pipeline,
        "glue": to_glue_workflow,
    }
)
