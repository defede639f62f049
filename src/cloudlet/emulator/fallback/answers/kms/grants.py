"""Grants, and aliases of keys that are there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.kms.keys import arn, dry_run, find, not_pending, opened, refuse
from cloudlet.emulator.fallback.answers.paging import page


def create_grant(asked: Asked) -> dict[str, Any]:
    """The same name with the same content is the same grant; nothing is made twice."""
    request = asked.request
    with opened(asked) as key:
        not_pending(key)
        dry_run(asked)
        for grant in key.grants.values():
            if request.get("Name") and same(grant, request):
                return {"GrantToken": grant.token, "GrantId": grant.id}
        made = asked.proceed(KeyId=key.id)
        grant = key.grants[made["GrantId"]]
        grant.created_at = asked.call.now
        return made


def same(grant: Any, request: dict[str, Any]) -> bool:
    return bool(
        grant.name == request["Name"]
        and grant.grantee_principal == request["GranteePrincipal"]
        and list(grant.operations) == request["Operations"]
        and (grant.constraints or None) == (request.get("Constraints") or None)
        and (grant.retiring_principal or None) == request.get("RetiringPrincipal")
    )


def told(key: Any, grant: Any) -> dict[str, Any]:
    """A GrantListEntry."""
    entry = {
        "KeyId": key.arn,
        "GrantId": grant.id,
        "Name": grant.name or "",
        "CreationDate": getattr(grant, "created_at", key.creation_date),
        "GranteePrincipal": grant.grantee_principal,
        "RetiringPrincipal": grant.retiring_principal or None,
        "IssuingAccount": f"arn:{key.arn.split(':')[1]}:iam::{key.account_id}:root",
        "Operations": grant.operations,
        "Constraints": grant.constraints or None,
    }
    return {name: value for name, value in entry.items() if value is not None}


def paged(asked: Asked, entries: list[dict[str, Any]]) -> dict[str, Any]:
    request = asked.request
    shown, following = page(
        entries,
        request.get("Limit", 50),
        request.get("Marker"),
        lambda: refuse("InvalidMarkerException", "The marker is not valid."),
    )
    answer = {"Grants": list(shown), "Truncated": following is not None}
    return answer | ({"NextMarker": following} if following else {})


def list_grants(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with opened(asked) as key:
        not_pending(key, "PendingDeletion")
        wanted, grantee = request.get("GrantId"), request.get("GranteePrincipal")
        found = [
            told(key, grant)
            for grant in key.grants.values()
            if wanted in (None, grant.id) and grantee in (None, grant.grantee_principal)
        ]
    return paged(asked, found)


def list_retirable_grants(asked: Asked) -> dict[str, Any]:
    principal = asked.request["RetiringPrincipal"]
    with asked.state() as backend:
        found = [
            told(key, grant)
            for key in backend.keys.values()
            for grant in key.grants.values()
            if grant.retiring_principal == principal
        ]
    return paged(asked, found)


def revoke_grant(asked: Asked) -> dict[str, Any]:
    grant = asked.request["GrantId"]
    with opened(asked) as key:
        not_pending(key, "PendingDeletion")
        if grant not in key.grants:
            raise refuse("NotFoundException", f"Grant ID {grant} not found")
        dry_run(asked)
        del key.grants[grant]
    return {}


def retire_grant(asked: Asked) -> dict[str, Any]:
    request = asked.request
    token, wanted = request.get("GrantToken"), request.get("GrantId")
    if token is None and (wanted is None or request.get("KeyId") is None):
        raise refuse("ValidationException", "Must specify either grantToken or the grantId and keyId.")
    with asked.state() as backend:
        keys = backend.keys.values() if token is not None else [find(asked, backend, request["KeyId"])]
        for key in keys:
            for grant in tuple(key.grants.values()):
                if token == grant.token if token is not None else wanted == grant.id:
                    dry_run(asked)
                    del key.grants[grant.id]
                    return {}
    if token is not None:
        raise refuse("InvalidGrantTokenException", "The grant token is not valid.")
    raise refuse("NotFoundException", f"Grant ID {wanted} not found")


def name_key(asked: Asked) -> dict[str, Any]:
    """CreateAlias and UpdateAlias: of a key, not of an alias."""
    request = asked.request
    target, name = request["TargetKeyId"], request["AliasName"]
    if ":alias/" in target or target.startswith("alias/"):
        raise refuse("ValidationException", "Aliases must refer to keys. Not aliases")
    with asked.state() as backend:
        if name.startswith("alias/") and not name.startswith("alias/aws/"):
            key = not_pending(find(asked, backend, target), "PendingDeletion")
            if asked.call.operation == "UpdateAlias":
                check_update(asked, backend, name, key)
            return asked.proceed(TargetKeyId=key.id)
        return asked.proceed()


def check_update(asked: Asked, backend: Any, name: str, key: Any) -> None:
    """An alias stays with keys of one kind and use."""
    before = backend.keys.get(backend.get_key_id_from_alias(name))
    if before is None:
        raise refuse("NotFoundException", f"Alias {arn(asked, name)} is not found.")
    if before.key_usage != key.key_usage or (before.key_spec == "SYMMETRIC_DEFAULT") != (
        key.key_spec == "SYMMETRIC_DEFAULT"
    ):
        raise refuse("ValidationException", f"Alias {arn(asked, name)} cannot be changed to {key.arn}: "
                     "the keys must be of the same type and key usage.")  # fmt: skip


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CreateGrant": create_grant,
        "ListGrants": list_grants,
        "ListRetirableGrants": list_retirable_grants,
        "RevokeGrant": revoke_grant,
        "RetireGrant": retire_grant,
        "CreateAlias": name_key,
        "UpdateAlias": name_key,
    }
)
