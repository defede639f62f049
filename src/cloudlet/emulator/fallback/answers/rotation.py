"""Rotation of secrets: the four steps of a Lambda function, carried out after the answer.

createSecret, setSecret, testSecret, finishSecret, as in "Lambda rotation functions" in the AWS Secrets Manager User Guide.
The function finds the new version's token with the stage AWSPENDING and without a value. A rotation that fails is logged;
the next request begins it again. Nothing is rotated by the calendar.
"""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cloudlet.emulator.fallback.answers import Asked
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

LOG = logging.getLogger("cloudlet.fallback")
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
ONLY_TEST = ("testSecret",)
THREADS = 2
DAY_SECONDS = 86400
CANNOT_INVOKE = (
    "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the "
    "principal secretsmanager.amazonaws.com."
)


def rotate_secret(asked: Asked, secret: Any) -> dict[str, Any]:
    """Under the service's lock. Raises InvalidRequestException, AccessDeniedException."""
    request = asked.request
    function = request.get("RotationLambdaARN") or secret.rotation_lambda_arn
    if not function:
        raise UnmodelledError(
            "InvalidRequestException", "No Lambda rotation function ARN is associated with this secret."
        )
    if getattr(secret, "is_rotating", False):
        raise UnmodelledError(
            "InvalidRequestException", "A previous rotation isn't complete. That rotation will be reattempted."
        )
    rules = request.get("RotationRules") or {}
    if rules.get("AutomaticallyAfterDays") is not None and rules.get("ScheduleExpression"):
        raise UnmodelledError(
            "InvalidParameterException", "You can't specify both AutomaticallyAfterDays and ScheduleExpression."
        )
    try:
        asked.other("lambda", "GetFunction", {"FunctionName": function})
    except AwsError as error:
        raise UnmodelledError("AccessDeniedException", CANNOT_INVOKE) from error
    token = request.get("ClientRequestToken") or asked.call.ids.uuid()
    is_now = request.get("RotateImmediately", True)
    configure(secret, function, rules, asked.call.now)
    if is_now:
        begin(secret, token, asked.call.now)
    secret.is_rotating = True
    pool: ThreadPoolExecutor = asked.fallback.part("secretsmanager.rotations", new_pool)
    pool.submit(carry_out, asked, secret.arn, token, function, STEPS if is_now else ONLY_TEST)
    return {"ARN": secret.arn, "Name": secret.name, "VersionId": token}


def new_pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, "rotation")


def configure(secret: Any, function: str, rules: dict[str, Any], now: float) -> None:
    secret.rotation_requested = secret.rotation_enabled = True
    secret.rotation_lambda_arn = function
    if rules:
        secret.rotation_rules = dict(rules)
        secret.auto_rotate_after_days = rules.get("AutomaticallyAfterDays", 0)
    if secret.auto_rotate_after_days:
        secret.next_rotation_date = int(now) + secret.auto_rotate_after_days * DAY_SECONDS


def begin(secret: Any, token: str, now: float) -> None:
    """A version without a value. What an earlier rotation left behind is pending no more."""
    for version in secret.versions.values():
        stages = version["version_stages"]
        if "AWSPENDING" in stages and "AWSCURRENT" not in stages:
            version["version_stages"] = [stage for stage in stages if stage != "AWSPENDING"]
    secret.versions[token] = {"version_id": token, "version_stages": ["AWSPENDING"], "createdate": int(now)}


def carry_out(asked: Asked, arn: str, token: str, function: str, steps: tuple[str, ...]) -> None:
    """In a thread of its own: the function calls Secrets Manager."""
    failed = ""
    for step in steps:
        event = {"Step": step, "SecretId": arn, "ClientRequestToken": token, "RotationToken": token}
        try:
            answer = asked.other("lambda", "Invoke", {"FunctionName": function, "Payload": json.dumps(event).encode()})
        except AwsError as error:
            failed = error.message
        except Exception as error:  # survives: whatever goes wrong ends this rotation and no other
            LOG.exception("the rotation of %s failed in the step %s", arn, step)
            failed = str(error)
        else:
            failed = str(answer.get("FunctionError") or "")
        if failed:
            LOG.warning("the rotation of %s failed in the step %s: %s", arn, step, failed)
            break
    with asked.state() as backend:
        secret = backend.secrets.get(arn)
        if secret is not None:
            secret.is_rotating = False
            if not failed and steps == STEPS:
                secret.last_rotation_date = int(asked.fallback.now())
