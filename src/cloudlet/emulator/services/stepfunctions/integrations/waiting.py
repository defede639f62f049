"""What `.sync` asks a service until the job is done ("Run a Job (.sync)").

A question is plain data, because it is asked again and again by a job: the service, the operation, the request, where
the status is in the answer, and which statuses end it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Question(NamedTuple):
    """`parameters`: members of the request -> where the value is in the answer to the first call (a path of names and
    indexes) or, with a leading `@`, in that call's request."""

    service: str
    operation: str
    parameters: Mapping[str, tuple[Any, ...]]
    listed: frozenset[str]
    found: tuple[Any, ...]
    status: tuple[Any, ...]
    good: frozenset[str]
    bad: frozenset[str]


def ask(
    service: str,
    operation: str,
    parameters: dict[str, tuple[Any, ...]],
    found: tuple[Any, ...],
    status: tuple[Any, ...],
    good: set[str],
    bad: set[str],
    listed: set[str] | None = None,
) -> Question:
    return Question(
        service,
        operation,
        MappingProxyType(parameters),
        frozenset(listed or ()),
        found,
        status,
        frozenset(good),
        frozenset(bad),
    )


QUESTIONS: Mapping[tuple[str, str], Question] = MappingProxyType(
    {
        ("batch", "submitJob"): ask(
            "batch", "DescribeJobs", {"jobs": ("JobId",)}, ("jobs", 0), ("status",), {"SUCCEEDED"}, {"FAILED"}, {"jobs"}
        ),
        ("ecs", "runTask"): ask(
            "ecs",
            "DescribeTasks",
            {"tasks": ("Tasks", 0, "TaskArn"), "cluster": ("Tasks", 0, "ClusterArn")},
            ("tasks", 0),
            ("lastStatus",),
            {"STOPPED"},
            set(),
            {"tasks"},
        ),
        ("glue", "startJobRun"): ask(
            "glue",
            "GetJobRun",
            {"JobName": ("@", "JobName"), "RunId": ("JobRunId",)},
            ("JobRun",),
            ("JobRunState",),
            {"SUCCEEDED"},
            {"FAILED", "STOPPED", "TIMEOUT", "ERROR"},
        ),
        ("codebuild", "startBuild"): ask(
            "codebuild",
            "BatchGetBuilds",
            {"ids": ("Build", "Id")},
            ("builds", 0),
            ("buildStatus",),
            {"SUCCEEDED"},
            {"FAILED", "FAULT", "TIMED_OUT", "STOPPED"},
            {"ids"},
        ),
        ("athena", "startQueryExecution"): ask(
            "athena",
            "GetQueryExecution",
            {"QueryExecutionId": ("QueryExecutionId",)},
            ("QueryExecution",),
            ("Status", "State"),
            {"SUCCEEDED"},
            {"FAILED", "CANCELLED"},
        ),
    }
)


def at(value: Any, path: tuple[Any, ...]) -> Any:
    """What is at a path of names and indexes; None where there is nothing."""
    for part in path:
        if isinstance(part, int):
            value = value[part] if isinstance(value, list) and part < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def question_of(resource_type: str, action: str, answer: Any, request: dict[str, Any]) -> dict[str, Any] | None:
    """What is to be asked after a job was started, as data; None where `.sync` is not known."""
    question = QUESTIONS.get((resource_type, action))
    if question is None:
        return None
    members = {}
    for name, path in question.parameters.items():
        value = at(request, path[1:]) if path[0] == "@" else at(answer, path)
        members[name] = [value] if name in question.listed else value
    return {"resource_type": resource_type, "action": action, "request": members}


def described(question: Question, answer: Any) -> Any:
    """The job as its description has it, under the names that Step Functions shows."""
    return capitalized(at(answer, question.found))


def capitalized(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: capitalized(item) for key, item in value.items()}
    return [capitalized(item) for item in value] if isinstance(value, list) else value


def question(asked: dict[str, Any]) -> Question:
    return QUESTIONS[asked["resource_type"], asked["action"]]
