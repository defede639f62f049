"""Resource policies of functions, versions, aliases and layer versions: one statement at a time."""

from __future__ import annotations

import json
import re
from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.lambda_.errors import conflict, invalid, no_function, not_found, wrong_revision
from cloudlet.emulator.services.lambda_.names import Named, find_alias, find_function, read_name, version_of
from cloudlet.emulator.services.lambda_.records import FUNCTIONS, LATEST, POLICIES, Policy

ACCOUNT = re.compile(r"\d{12}")
PRINCIPAL_ARN = re.compile(r"arn:aws[a-z-]*:(iam|sts)::(\d{12}):.+")
SERVICE = re.compile(
    r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com|internal)|apigateway|alexa[a-z.-]+"
)
LARGEST_POLICY_BYTES = 20_480


def resource_of(call: Call, named: Named) -> str:
    """The ARN that the policy belongs to. Raises ResourceNotFoundException, InvalidParameterValueException."""
    find_function(call, named)
    if named.qualifier == LATEST:
        raise invalid("We currently do not support adding policies for $LATEST.")
    if not named.qualifier:
        return named.arn
    if find_alias(call, named, named.qualifier) is None and version_of(call, named, named.qualifier) is None:
        if named.qualifier.isdigit() or "$" in named.qualifier:
            raise no_function(named.full_arn)
        raise not_found(f"Cannot find alias arn: {named.full_arn}")
    return named.full_arn


def principal_of(text: str) -> Any:
    """As it stands in the statement. Raises InvalidParameterValueException."""
    if text == "*":
        return "*"
    if ACCOUNT.fullmatch(text):
        return {"AWS": f"arn:aws:iam::{text}:root"}
    if PRINCIPAL_ARN.fullmatch(text):
        return {"AWS": text}
    if SERVICE.fullmatch(text):
        return {"Service": text}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")


def statement_of(request: dict[str, Any], resource: str) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": principal_of(request["Principal"]),
        "Action": request["Action"],
        "Resource": resource,
    }
    equals = {
        key: request[member]
        for member, key in (
            ("SourceAccount", "AWS:SourceAccount"),
            ("EventSourceToken", "lambda:EventSourceToken"),
            ("FunctionUrlAuthType", "lambda:FunctionUrlAuthType"),
            ("PrincipalOrgID", "aws:PrincipalOrgID"),
        )
        if request.get(member)
    }
    condition: dict[str, Any] = {}
    if equals:
        condition["StringEquals"] = equals
    if request.get("SourceArn"):
        condition["ArnLike"] = {"AWS:SourceArn": request["SourceArn"]}
    if "InvokedViaFunctionUrl" in request:
        condition["Bool"] = {"lambda:InvokedViaFunctionUrl": str(request["InvokedViaFunctionUrl"]).lower()}
    return {**statement, "Condition": condition} if condition else statement


def add(
    call: Call, resource: str, statement: dict[str, Any], revision: str | None, reading: str = "GetPolicy"
) -> dict[str, Any]:
    """Shared with layers. Raises ResourceConflictException, PreconditionFailedException."""
    policy = POLICIES.get(call.tx, resource) or Policy(resource, [], "")
    if revision and revision != policy.revision:
        raise wrong_revision(reading)
    if any(before["Sid"] == statement["Sid"] for before in policy.statements):
        raise conflict(
            f"The statement id ({statement['Sid']}) provided already exists. Please provide a new statement id, or remove "
            "the existing statement."
        )
    statements = [*policy.statements, statement]
    if len(json.dumps(statements)) > LARGEST_POLICY_BYTES:
        raise invalid("The final policy size is bigger than the limit (20480).")
    made = Policy(resource, statements, call.ids.uuid())
    POLICIES.put(call.tx, made)
    return {"Statement": compact(statement), "RevisionId": made.revision}


def remove(call: Call, resource: str, sid: str, revision: str | None, reading: str = "GetPolicy") -> None:
    policy = POLICIES.get(call.tx, resource)
    if policy is None:
        raise not_found("No policy is associated with the given resource.")
    if revision and revision != policy.revision:
        raise wrong_revision(reading)
    statements = [statement for statement in policy.statements if statement["Sid"] != sid]
    if len(statements) == len(policy.statements):
        raise not_found(f"Statement {sid} is not found in resource policy.")
    if statements:
        POLICIES.put(call.tx, Policy(resource, statements, call.ids.uuid()))
    else:
        POLICIES.delete(call.tx, resource)


def shown(policy: Policy | None, missing: str = "The resource you requested does not exist.") -> dict[str, Any]:
    if policy is None:
        raise not_found(missing)
    document = {"Version": "2012-10-17", "Id": "default", "Statement": policy.statements}
    return {"Policy": compact(document), "RevisionId": policy.revision}


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


@read_write
def add_permission(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    resource = resource_of(call, read_name(call, request))
    answer = add(call, resource, statement_of(request, resource), request.get("RevisionId"))
    return {"Statement": answer["Statement"]}


@read_write
def remove_permission(call: Call, request: dict[str, Any]) -> None:
    named = read_name(call, request)
    if FUNCTIONS.get(call.tx, named.account_id, named.region, named.name) is None:
        raise not_found(f"No policy found for: {named.full_arn}")
    resource = resource_of(call, named)
    remove(call, resource, request["StatementId"], request.get("RevisionId"))


@read_only
def get_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_name(call, request)
    find_function(call, named)
    return shown(POLICIES.get(call.tx, named.arn if named.qualifier == LATEST else named.full_arn))
