"""`/_aws/iam/check-actions-allowed`: what the policies of whoever has an access key say about actions.

Policies are not enforced; this only tells what they would do: those of the user and its groups or of the role, managed and
inline, the permissions boundary, and a session's policies. Policies of resources and organizations are not looked at.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from cloudlet.emulator.gateway.identity import DEFAULT_REGION, partition_of
from cloudlet.emulator.gateway.internal.answers import InternalError, json_answer
from cloudlet.emulator.kernel.access_keys import account_of
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.store.transact import run

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

LISTS: Mapping[str, str] = MappingProxyType(
    {"allowed": "explicit_allow", "explicitDeny": "explicit_deny", "implicitDeny": "implicit_deny"}
)
ARN_PARTS = 6


class Permission(msgspec.Struct, frozen=True):
    action: str
    resource: str


class Question(msgspec.Struct, frozen=True):
    """The body of the request."""

    access_key_id: str
    region_name: str
    required_permission: tuple[Permission, ...]


class Holder(msgspec.Struct, frozen=True):
    """Who has an access key. `source`: the ARN of the user or role whose policies count, "" for an account's root."""

    arn: str
    account: str
    source: str = ""
    session_policies: tuple[str, ...] = ()  # documents
    session_policy_arns: tuple[str, ...] = ()
    user_name: str = ""


async def check_actions(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"allowed", "implicit_deny", "explicit_deny", "explicit_allow", "source_principal"}`; see the document."""
    try:
        question = msgspec.json.decode(request.body.read() or b"null", type=Question)
    except msgspec.DecodeError as error:
        raise InternalError(400, "request.invalid", f"The body is not what this endpoint takes: {error}") from None
    region = question.region_name or DEFAULT_REGION
    holder = await holder_of(emulator, question.access_key_id, region)
    answer: dict[str, Any] = {"allowed": True, "implicit_deny": [], "explicit_deny": [], "explicit_allow": []}
    for wanted in question.required_permission:
        decision = await decide(emulator, holder, region, wanted)
        parts = wanted.resource.split(":")
        account = parts[4] if len(parts) >= ARN_PARTS and parts[4] else holder.account
        answer[LISTS[decision]].append({"action": wanted.action, "resource": wanted.resource, "account": account})
    answer["allowed"] = not (answer["implicit_deny"] or answer["explicit_deny"])
    answer["source_principal"] = {"arn": holder.arn, "account": holder.account}
    return json_answer(answer)


async def holder_of(emulator: Emulator, access_key: str, region: str) -> Holder:
    """By a session of STS, a key of a user, else the root of the account that the key names, as in every request."""
    records = importlib.import_module("cloudlet.emulator.services.sts.records")  # lazy: as services load
    session = run(emulator.store, lambda tx: records.SESSIONS.get(tx, access_key), read_only=True)
    if session is not None and session.kind == "assumed-role":
        return Holder(
            arn=session.arn,
            account=session.account_id,
            source=session.role_arn,
            session_policies=(session.policy,) if session.policy else (),
            session_policy_arns=tuple(session.policy_arns),
        )
    partition = partition_of(region)
    for account, _region, users in await emulator.dispatcher.fallback.held("iam", "users"):
        for user in tuple(users.values()):
            if any(key.access_key_id == access_key for key in user.access_keys):
                arn = f"arn:{partition}:iam::{account}:user{user.path}{user.name}"
                return Holder(arn=arn, account=account, source=arn, user_name=user.name)
    account = account_of(access_key, emulator.settings.parity_access_key_id)
    return Holder(arn=f"arn:{partition}:iam::{account}:root", account=account)


async def decide(emulator: Emulator, holder: Holder, region: str, wanted: Permission) -> str:
    """`allowed`, `explicitDeny` or `implicitDeny`. A session is allowed what its role and its own policies allow."""
    if not holder.source:
        return "allowed"
    asked: dict[str, Any] = {
        "ActionNames": [wanted.action],
        "ResourceArns": [wanted.resource],
        "ContextEntries": context_of(holder, region),
    }
    decision = await simulate(emulator, holder, "SimulatePrincipalPolicy", {**asked, "PolicySourceArn": holder.source})
    documents = [
        *holder.session_policies,
        *[await document_of(emulator, holder, arn) for arn in holder.session_policy_arns],
    ]
    if documents and decision != "explicitDeny":
        inside = await simulate(emulator, holder, "SimulateCustomPolicy", {**asked, "PolicyInputList": documents})
        return inside if inside != "allowed" else decision
    return decision


def context_of(holder: Holder, region: str) -> list[dict[str, Any]]:
    """What is known of a request that is not made; "AWS global condition context keys" in the IAM User Guide."""
    known = {
        "aws:RequestedRegion": region,
        "aws:PrincipalArn": holder.source,
        "aws:PrincipalAccount": holder.account,
        "aws:PrincipalType": "User" if holder.user_name else "AssumedRole",
        **({"aws:username": holder.user_name} if holder.user_name else {}),
    }
    return [
        {"ContextKeyName": name, "ContextKeyType": "string", "ContextKeyValues": [value]}
        for name, value in known.items()
    ]


async def simulate(emulator: Emulator, holder: Holder, operation: str, asked: dict[str, Any]) -> str:
    result = await ask(emulator, holder, operation, asked)
    decision: str = result["EvaluationResults"][0]["EvalDecision"]
    return decision


async def document_of(emulator: Emulator, holder: Holder, arn: str) -> str:
    policy = await ask(emulator, holder, "GetPolicy", {"PolicyArn": arn})
    version = {"PolicyArn": arn, "VersionId": policy["Policy"]["DefaultVersionId"]}
    found = await ask(emulator, holder, "GetPolicyVersion", version)
    document = found["PolicyVersion"]["Document"]
    return document if isinstance(document, str) else msgspec.json.encode(document).decode()


async def ask(emulator: Emulator, holder: Holder, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
    call = emulator.dispatcher.service_call("iam", holder.account, DEFAULT_REGION, operation)
    return await emulator.dispatcher.fallback.carry_out(call, asked)
