"""Permissions boundaries: moto has those of roles, here are those of users."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.iam.words import missing, refuse


def check_boundary(backend: Any, arn: str) -> None:
    """Raises NoSuchEntity for a policy that is not there."""
    if not arn.startswith("arn:"):
        raise refuse("ValidationError", f"Invalid ARN:  Could not be parsed!  ARN: {arn}")
    if arn not in backend.managed_policies:
        raise refuse("NoSuchEntity", f"Scope ARN: {arn} does not exist or is not attachable.", 404)


def boundary_of(user: Any) -> dict[str, Any]:
    """The member `PermissionsBoundary`, where there is one."""
    arn = getattr(user, "boundary", None)
    if arn is None:
        return {}
    return {"PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}}


def put_user_permissions_boundary(asked: Asked) -> dict[str, Any]:
    name, arn = asked.request["UserName"], asked.request["PermissionsBoundary"]
    with asked.state() as backend:
        if name not in backend.users:
            raise missing("user", name)
        check_boundary(backend, arn)
        backend.users[name].boundary = arn
    return {}


def delete_user_permissions_boundary(asked: Asked) -> dict[str, Any]:
    name = asked.request["UserName"]
    with asked.state() as backend:
        if name not in backend.users:
            raise missing("user", name)
        if getattr(backend.users[name], "boundary", None) is None:
            raise refuse("NoSuchEntity", f"The user {name} has no permissions boundary.", 404)
        backend.users[name].boundary = None
    return {}


def put_role_permissions_boundary(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        check_boundary(backend, asked.request["PermissionsBoundary"])
        return asked.proceed()


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "PutUserPermissionsBoundary": put_user_permissions_boundary,
        "DeleteUserPermissionsBoundary": delete_user_permissions_boundary,
        "PutRolePermissionsBoundary": put_role_permissions_boundary,
    }
)
