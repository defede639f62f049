"""What policies allow: SimulateCustomPolicy, SimulatePrincipalPolicy and the context keys that policies use.

An explicit deny counts before every allow, no allow is an implicit deny; a permissions boundary has to allow too.
From "Policy evaluation logic" and "IAM JSON policy elements: Condition operators" in the IAM User Guide.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.iam.documents import many, statements
from cloudlet.emulator.fallback.answers.iam.words import missing, refuse

VARIABLE = re.compile(r"\$\{([^},]+)(?:,\s*'([^']*)')?\}")
Context = Mapping[str, Sequence[str]]  # key in small letters -> values
Source = tuple[str, str, dict[str, Any]]  # id, kind and document of a policy
Test = Callable[[str, str], bool]  # what the request has, what the policy says


def matches(pattern: str, value: str) -> bool:
    """`*` and `?` as IAM has them; brackets mean themselves."""
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def numeric(compare: Callable[[float, float], bool]) -> Test:
    def test(has: str, says: str) -> bool:
        try:
            return compare(float(has), float(says))
        except ValueError:
            return False

    return test


def within(has: str, says: str) -> bool:
    try:
        return ipaddress.ip_address(has) in ipaddress.ip_network(says, strict=False)
    except ValueError:
        return False


TESTS: Mapping[str, Test] = MappingProxyType(
    {
        "stringequals": lambda has, says: has == says,
        "stringequalsignorecase": lambda has, says: has.lower() == says.lower(),
        "stringlike": lambda has, says: matches(says, has),
        "arnequals": lambda has, says: matches(says, has),
        "arnlike": lambda has, says: matches(says, has),
        "bool": lambda has, says: has.lower() == says.lower(),
        "binaryequals": lambda has, says: has == says,
        "ipaddress": within,
        "numericequals": numeric(lambda has, says: has == says),
        "numericlessthan": numeric(lambda has, says: has < says),
        "numericlessthanequals": numeric(lambda has, says: has <= says),
        "numericgreaterthan": numeric(lambda has, says: has > says),
        "numericgreaterthanequals": numeric(lambda has, says: has >= says),
        "dateequals": lambda has, says: has == says,
        "datelessthan": lambda has, says: has < says,
        "datelessthanequals": lambda has, says: has <= says,
        "dategreaterthan": lambda has, says: has > says,
        "dategreaterthanequals": lambda has, says: has >= says,
    }
)
NEGATED: Mapping[str, str] = MappingProxyType(
    {
        "stringnotequals": "stringequals",
        "stringnotequalsignorecase": "stringequalsignorecase",
        "stringnotlike": "stringlike",
        "arnnotequals": "arnequals",
        "arnnotlike": "arnlike",
        "notipaddress": "ipaddress",
        "numericnotequals": "numericequals",
        "datenotequals": "dateequals",
    }
)


def filled(text: str, context: Context) -> str:
    """A policy's text with its variables."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name in ("*", "?", "$"):
            return name
        values = context.get(name.lower(), ())
        return values[0] if values else found[2] or found[0]

    return VARIABLE.sub(value, text)


def holds(operator: str, key: str, says: Any, context: Context) -> bool:
    """One condition."""
    name = operator.lower()
    quantifier = ""
    if ":" in name:
        quantifier, _, name = name.partition(":")
    wanted = [filled(str(item).lower() if isinstance(item, bool) else str(item), context) for item in many(says)]
    values = context.get(key.lower())
    if name == "null":
        return (values is None) == (wanted[0].lower() == "true")
    if name.endswith("ifexists"):
        if values is None:
            return True
        name = name.removesuffix("ifexists")
    negated = name in NEGATED
    test = TESTS.get(NEGATED.get(name, name))
    if test is None:
        return False
    if values is None:
        return negated or quantifier == "forallvalues"
    each = [any(test(value, item) for item in wanted) != negated for value in values]
    return all(each) if quantifier == "forallvalues" or (negated and quantifier != "foranyvalue") else any(each)


def applies(statement: dict[str, Any], action: str, resource: str, context: Context) -> bool:
    actions = many(statement.get("Action"))
    if "NotAction" in statement:
        if any(matches(str(item).lower(), action.lower()) for item in many(statement["NotAction"])):
            return False
    elif not any(matches(str(item).lower(), action.lower()) for item in actions):
        return False
    if "NotResource" in statement:
        if any(matches(filled(str(item), context), resource) for item in many(statement["NotResource"])):
            return False
    elif not any(matches(filled(str(item), context), resource) for item in many(statement.get("Resource", "*"))):
        return False
    conditions = statement.get("Condition") or {}
    return all(holds(op, key, says, context) for op, pairs in conditions.items() for key, says in pairs.items())


def decide(
    policies: Sequence[Source], action: str, resource: str, context: Context
) -> tuple[str, list[dict[str, Any]], list[str]]:
    """(decision, the statements that made it, keys that were wanted and not given)."""
    allowed: list[dict[str, Any]] = []
    denied: list[dict[str, Any]] = []
    for name, kind, document in policies:
        for statement in statements(document):
            if applies(statement, action, resource, context):
                entry = {"SourcePolicyId": name, "SourcePolicyType": kind}
                (denied if statement.get("Effect") == "Deny" else allowed).append(entry)
    absent = sorted({key for _, _, document in policies for key in keys_of(document) if key.lower() not in context})
    if denied:
        return "explicitDeny", denied, absent
    return ("allowed", allowed, absent) if allowed else ("implicitDeny", [], absent)


def keys_of(document: dict[str, Any]) -> Iterator[str]:
    """Context keys in conditions and variables."""
    for statement in statements(document):
        for pairs in (statement.get("Condition") or {}).values():
            yield from pairs
        for item in [*many(statement.get("Resource")), *many(statement.get("NotResource"))]:
            yield from (found[1] for found in VARIABLE.finditer(str(item)) if found[1] not in ("*", "?", "$"))


def parsed(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text if text.lstrip().startswith("{") else unquote(text))
    except ValueError as error:
        raise refuse("InvalidInput", "The policy is not valid JSON.") from error
    return document if isinstance(document, dict) else {}


def of_principal(backend: Any, arn: str) -> tuple[list[Source], list[Source]]:
    """(policies of a user, group or role, its permissions boundary)."""
    resource = arn.split(":", 5)[-1]
    kind, _, path = resource.partition("/")
    name = path.rpartition("/")[2]
    boundary = None
    if kind == "user" and name in backend.users:
        user = backend.users[name]
        boundary = getattr(user, "boundary", None)
        entities = [(user, "user"), *((group, "group") for group in backend.groups.values() if user in group.users)]
    elif kind == "group" and name in backend.groups:
        entities = [(backend.groups[name], "group")]
    else:
        role = next((role for role in backend.roles.values() if role.name == name), None) if kind == "role" else None
        if role is None:
            raise missing(kind, name)
        boundary = role.permissions_boundary_arn
        entities = [(role, "role")]
    found: list[Source] = []
    for entity, label in entities:
        for policy, text in entity.policies.items():
            found.append((f"{label}_{entity.name}_{policy}", label, parsed(text)))
        for policy_arn in entity.managed_policies:
            found.append(managed(backend, policy_arn))
    is_limited = boundary is not None and boundary in backend.managed_policies
    return found, [managed(backend, str(boundary))] if is_limited else []


def managed(backend: Any, arn: str) -> Source:
    policy = backend.managed_policies[arn]
    document = next(v.document for v in policy.versions if v.version_id == policy.default_version_id)
    return policy.name, "IAM Policy", parsed(document if isinstance(document, str) else json.dumps(document))


def context_of(request: dict[str, Any]) -> Context:
    return {
        entry["ContextKeyName"].lower(): tuple(entry.get("ContextKeyValues", ()))
        for entry in request.get("ContextEntries", ())
        if entry.get("ContextKeyName")
    }


def evaluated(request: dict[str, Any], policies: Sequence[Source], boundary: Sequence[Source]) -> dict[str, Any]:
    context = context_of(request)
    given = [
        ("PermissionsBoundaryPolicyInputList", text) for text in request.get("PermissionsBoundaryPolicyInputList", ())
    ]
    limits = [(f"{label}.{at}", "IAM Policy", parsed(text)) for at, (label, text) in enumerate(given, 1)] or boundary
    results = []
    for action in request["ActionNames"]:
        for resource in request.get("ResourceArns") or ["*"]:
            decision, by, absent = decide(policies, action, resource, context)
            result: dict[str, Any] = {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": decision,
                "MatchedStatements": by,
                "MissingContextValues": absent,
            }
            if limits:
                inside = decide(limits, action, resource, context)[0]
                result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": inside == "allowed"}
                if decision == "allowed" and inside != "allowed":
                    result["EvalDecision"], result["MatchedStatements"] = inside, []
            results.append(result)
    return {"EvaluationResults": results, "IsTruncated": False}


def given_policies(request: dict[str, Any]) -> list[Source]:
    texts = request.get("PolicyInputList", ())
    return [(f"PolicyInputList.{at}", "IAM Policy", parsed(text)) for at, text in enumerate(texts, 1)]


def simulate_custom_policy(asked: Asked) -> dict[str, Any]:
    return evaluated(asked.request, given_policies(asked.request), [])


def simulate_principal_policy(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        policies, boundary = of_principal(backend, asked.request["PolicySourceArn"])
    return evaluated(asked.request, [*policies, *given_policies(asked.request)], boundary)


def context_keys_for_custom_policy(asked: Asked) -> dict[str, Any]:
    found = {key for _, _, document in given_policies(asked.request) for key in keys_of(document)}
    return {"ContextKeyNames": sorted(found)}


def context_keys_for_principal_policy(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        policies, _ = of_principal(backend, asked.request["PolicySourceArn"])
    every = [*policies, *given_policies(asked.request)]
    return {"ContextKeyNames": sorted({key for _, _, document in every for key in keys_of(document)})}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "SimulateCustomPolicy": simulate_custom_policy,
        "SimulatePrincipalPolicy": simulate_principal_policy,
        "GetContextKeysForCustomPolicy": context_keys_for_custom_policy,
        "GetContextKeysForPrincipalPolicy": context_keys_for_principal_policy,
    }
)
