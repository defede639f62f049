"""Users, groups, roles, instance profiles and managed policies: what is checked before moto and completed after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.iam.boundaries import boundary_of, check_boundary
from cloudlet.emulator.fallback.answers.iam.documents import check_identity, check_trust
from cloudlet.emulator.fallback.answers.iam.words import conflict, missing, refuse, taken
from cloudlet.emulator.kernel.errors import AwsError

VERSIONS = 5
ATTACHED = 10


def same_name(names: Iterable[str], name: str) -> bool:
    """Names of one kind differ in more than their case."""
    return name.lower() in (known.lower() for known in names)


def role_of(backend: Any, name: str) -> Any:
    found = next((role for role in backend.roles.values() if role.name == name), None)
    if found is None:
        raise missing("role", name)
    return found


def user_of(backend: Any, name: str) -> Any:
    if name not in backend.users:
        raise missing("user", name)
    return backend.users[name]


# --- users and groups


def create_user(asked: Asked) -> dict[str, Any]:
    name, boundary = asked.request["UserName"], asked.request.get("PermissionsBoundary")
    with asked.state() as backend:
        if same_name(backend.users, name):
            raise taken(f"User with name {name} already exists.")
        if boundary is not None:
            check_boundary(backend, boundary)
        result = asked.proceed()
        backend.users[name].boundary = boundary
        return {"User": result["User"] | boundary_of(backend.users[name])}


def get_user(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        result = asked.proceed()
        user = backend.users.get(result["User"].get("UserName"))
        return result if user is None else {"User": result["User"] | boundary_of(user)}


def delete_user(asked: Asked) -> dict[str, Any]:
    name = asked.request["UserName"]
    with asked.state() as backend:
        user = user_of(backend, name)
        if any(user in group.users for group in backend.groups.values()):
            raise conflict("remove users from group")
        check_policies(user)
        if user.access_keys:
            raise conflict("delete access keys")
        if user.password:
            raise conflict("delete login profile")
        if user.mfa_devices:
            raise conflict("deactivate MFA device")
        if user.signing_certificates:
            raise conflict("delete signing certificates")
        if user.ssh_public_keys:
            raise conflict("delete SSH public keys")
        if getattr(user, "service_credentials", None):
            raise conflict("delete service specific credentials")
        return asked.proceed()


def check_policies(entity: Any) -> None:
    if entity.managed_policies:
        raise conflict("detach all policies")
    if entity.policies:
        raise conflict("delete policies")


def create_group(asked: Asked) -> dict[str, Any]:
    name = asked.request["GroupName"]
    with asked.state() as backend:
        if same_name(backend.groups, name):
            raise taken(f"Group with name {name} already exists.")
        return asked.proceed()


def delete_group(asked: Asked) -> dict[str, Any]:
    name = asked.request["GroupName"]
    with asked.state() as backend:
        if name not in backend.groups:
            raise missing("group", name)
        group = backend.groups[name]
        if group.users:
            raise conflict("remove users from group")
        check_policies(group)
        return asked.proceed()


# --- roles


def plain_role(role: dict[str, Any]) -> dict[str, Any]:
    """As lists and instance profiles have it."""
    return {name: value for name, value in role.items() if name not in ("RoleLastUsed", "Tags", "PermissionsBoundary")}


def create_role(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        name = request["RoleName"]
        if same_name((role.name for role in backend.roles.values()), name):
            raise taken(f"Role with name {name} already exists.")
        check_trust(request["AssumeRolePolicyDocument"])
        if request.get("PermissionsBoundary") is not None:
            check_boundary(backend, request["PermissionsBoundary"])
        role = asked.proceed()["Role"]
    role.pop("RoleLastUsed", None)
    if "MaxSessionDuration" not in request:
        role.pop("MaxSessionDuration", None)
    return {"Role": role}


def update_assume_role_policy(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        role_of(backend, asked.request["RoleName"])
        check_trust(asked.request["PolicyDocument"])
        return asked.proceed()


def list_roles(asked: Asked) -> dict[str, Any]:
    result = asked.proceed()
    return {**result, "Roles": [plain_role(role) for role in result["Roles"]]}


def with_plain_roles(profile: dict[str, Any]) -> dict[str, Any]:
    roles = [plain_role(role) for role in profile.get("Roles", ())]
    for role in roles:
        role.pop("MaxSessionDuration", None)
    return {**profile, "Roles": roles}


def instance_profile(asked: Asked) -> dict[str, Any]:
    profile = with_plain_roles(asked.proceed()["InstanceProfile"])
    if asked.call.operation == "CreateInstanceProfile" and not profile.get("Tags"):
        profile.pop("Tags", None)
    return {"InstanceProfile": profile}


def instance_profiles(asked: Asked) -> dict[str, Any]:
    result = asked.proceed()
    return {**result, "InstanceProfiles": [with_plain_roles(entry) for entry in result["InstanceProfiles"]]}


def remove_role_from_instance_profile(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        profile = backend.instance_profiles.get(request["InstanceProfileName"])
        if profile is not None and all(role.name != request["RoleName"] for role in profile.roles):
            role_of(backend, request["RoleName"])
            raise refuse(
                "NoSuchEntity",
                f"Role {request['RoleName']} is not attached to instance profile {profile.name}.",
                404,
            )
        return asked.proceed()


# --- managed policies


def policy_of(backend: Any, arn: str) -> Any:
    if not arn.startswith("arn:"):
        raise refuse("ValidationError", f"Invalid ARN:  Could not be parsed!  ARN: {arn}")
    found = backend.managed_policies.get(arn)
    if found is None:
        raise refuse("NoSuchEntity", f"Policy {arn} was not found.", 404)
    return found


def counted(policy: dict[str, Any], backend: Any) -> dict[str, Any]:
    arn = policy["Arn"]
    used = [getattr(user, "boundary", None) for user in backend.users.values()]
    used += [role.permissions_boundary_arn for role in backend.roles.values()]
    return {**policy, "PermissionsBoundaryUsageCount": used.count(arn)}


def create_policy(asked: Asked) -> dict[str, Any]:
    check_identity(asked.request["PolicyDocument"])
    with asked.state() as backend:
        return {"Policy": counted(asked.proceed()["Policy"], backend)}


def get_policy(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        policy_of(backend, asked.request["PolicyArn"])
        policy = counted(asked.proceed()["Policy"], backend)
        return {"Policy": {"Tags": [], **policy}}


def list_policies(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        result = asked.proceed()
        for policy in result["Policies"]:
            policy.pop("Tags", None)
        return {**result, "Policies": [counted(policy, backend) for policy in result["Policies"]]}


def delete_policy(asked: Asked) -> dict[str, Any]:
    arn = asked.request["PolicyArn"]
    with asked.state() as backend:
        policy = policy_of(backend, arn)
        holders = (backend.roles, backend.users, backend.groups)
        if any(arn in entity.managed_policies for held in holders for entity in held.values()):
            raise refuse("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
        if counted({"Arn": arn}, backend)["PermissionsBoundaryUsageCount"]:
            raise refuse("DeleteConflict", "Cannot delete a policy that is used as a permissions boundary.", 409)
        if len(policy.versions) > 1:
            raise refuse(
                "DeleteConflict",
                "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                "versions. The default version is deleted with the policy.",
                409,
            )
        return asked.proceed()


def create_policy_version(asked: Asked) -> dict[str, Any]:
    check_identity(asked.request["PolicyDocument"])
    with asked.state() as backend:
        policy = policy_of(backend, asked.request["PolicyArn"])
        if len(policy.versions) >= VERSIONS:
            raise refuse(
                "LimitExceeded",
                "A managed policy can have up to 5 versions. Before you create a new version, you must delete an "
                "existing version.",
                409,
            )
        version = asked.proceed()["PolicyVersion"]
    version.pop("Document", None)
    return {"PolicyVersion": version}


def with_version(asked: Asked) -> dict[str, Any]:
    """GetPolicyVersion, DeletePolicyVersion and SetDefaultPolicyVersion, of a version that is there."""
    arn, version = asked.request["PolicyArn"], asked.request["VersionId"]
    with asked.state() as backend:
        policy = policy_of(backend, arn)
        if all(known.version_id != version for known in policy.versions):
            raise refuse("NoSuchEntity", f"Policy {arn} version {version} does not exist or is not attachable.", 404)
        if asked.call.operation == "DeletePolicyVersion" and policy.default_version_id == version:
            raise refuse("DeleteConflict", "Cannot delete the default version of a policy.", 409)
        return asked.proceed()


def list_policy_versions(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        policy_of(backend, asked.request["PolicyArn"])
    result = asked.proceed()
    for version in result["Versions"]:
        version.pop("Document", None)
    return result


def attach(kind: str) -> Answer:
    """AttachUserPolicy and its like, up to ten of them."""

    def answer(asked: Asked) -> dict[str, Any]:
        request = asked.request
        arn = request["PolicyArn"]
        with asked.state() as backend:
            if kind == "Role":
                entity = role_of(backend, request["RoleName"])
            elif kind == "User":
                entity = user_of(backend, request["UserName"])
            else:
                entity = backend.groups.get(request["GroupName"])
            if not arn.startswith("arn:"):
                raise refuse("ValidationError", f"Invalid ARN:  Could not be parsed!  ARN: {arn}")
            if entity is not None and arn not in entity.managed_policies and len(entity.managed_policies) >= ATTACHED:
                raise refuse("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind}: {ATTACHED}", 409)
            return asked.proceed()

    return answer


def put_inline(asked: Asked) -> dict[str, Any]:
    check_identity(asked.request["PolicyDocument"])
    return asked.proceed()


def list_virtual_mfa_devices(asked: Asked) -> dict[str, Any]:
    wanted = asked.request.get("AssignmentStatus", "Any")
    with asked.state() as backend:
        result = asked.proceed()
        assigned = {name for name, device in backend.virtual_mfa_devices.items() if device.user is not None}
    found = [
        device
        for device in result["VirtualMFADevices"]
        if wanted == "Any" or (device["SerialNumber"] in assigned) == (wanted == "Assigned")
    ]
    for device in found:  # told once, when the device is made
        device.pop("Base32StringSeed", None)
        device.pop("QRCodePNG", None)
    return {**result, "VirtualMFADevices": found}


def create_open_id_connect_provider(asked: Asked) -> dict[str, Any]:
    try:
        return asked.proceed()
    except AwsError as error:
        if error.code == "EntityAlreadyExists":
            raise taken(f"Provider with url {asked.request['Url']} already exists.") from error
        raise


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CreateUser": create_user,
        "GetUser": get_user,
        "DeleteUser": delete_user,
        "CreateGroup": create_group,
        "DeleteGroup": delete_group,
        "CreateRole": create_role,
        "ListRoles": list_roles,
        "UpdateAssumeRolePolicy": update_assume_role_policy,
        "CreateInstanceProfile": instance_profile,
        "GetInstanceProfile": instance_profile,
        "ListInstanceProfiles": instance_profiles,
        "ListInstanceProfilesForRole": instance_profiles,
        "RemoveRoleFromInstanceProfile": remove_role_from_instance_profile,
        "CreatePolicy": create_policy,
        "GetPolicy": get_policy,
        "ListPolicies": list_policies,
        "DeletePolicy": delete_policy,
        "CreatePolicyVersion": create_policy_version,
        "GetPolicyVersion": with_version,
        "DeletePolicyVersion": with_version,
        "SetDefaultPolicyVersion": with_version,
        "ListPolicyVersions": list_policy_versions,
        "AttachRolePolicy": attach("Role"),
        "AttachUserPolicy": attach("User"),
        "AttachGroupPolicy": attach("Group"),
        "PutRolePolicy": put_inline,
        "PutUserPolicy": put_inline,
        "PutGroupPolicy": put_inline,
        "ListVirtualMFADevices": list_virtual_mfa_devices,
        "CreateOpenIDConnectProvider": create_open_id_connect_provider,
    }
)
