"""IAM: roles, users and groups with their policies, policies, instance profiles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.stacks.api_kinds import Api, ApiKind, Operation
from cloudlet.emulator.fallback.stacks.kinds import Made, Wanted
from cloudlet.emulator.fallback.stacks.records import StackResource
from cloudlet.emulator.kernel.errors import AwsError


def document(value: Any) -> str:
    """A policy as IAM wants it: CloudFormation takes those without a version, too."""
    if isinstance(value, str):
        return value
    return json.dumps(value if "Version" in value else {"Version": "2012-10-17", **value})


class Identity(ApiKind):
    """A role, user or group: `Policies` are inline ones, `ManagedPolicyArns` are attached."""

    def for_create(self, wanted: Wanted, name: str) -> dict[str, Any]:
        own = super().for_create(wanted, name)
        if "AssumeRolePolicyDocument" in own:
            own["AssumeRolePolicyDocument"] = document(own["AssumeRolePolicyDocument"])
        return own

    @property
    def what(self) -> str:
        return self.name_property.removesuffix("Name")

    def _ask(self, wanted: Wanted, verb: str, ending: str, name: str, **more: str) -> None:
        wanted.reach("iam", f"{verb}{self.what}{ending}", {self.name_property: name, **more})

    def finish(self, wanted: Wanted, resource: StackResource, before: Mapping[str, Any] | None) -> None:
        name, old = resource.physical_id, before or {}
        inline_before = {policy["PolicyName"]: policy for policy in old.get("Policies") or []}
        inline = {policy["PolicyName"]: policy for policy in wanted.properties.get("Policies") or []}
        for policy in inline.values():
            text = document(policy["PolicyDocument"])
            self._ask(wanted, "Put", "Policy", name, PolicyName=policy["PolicyName"], PolicyDocument=text)
        for gone in set(inline_before) - set(inline):
            self._ask(wanted, "Delete", "Policy", name, PolicyName=gone)
        attached_before = set(old.get("ManagedPolicyArns") or [])
        attached = set(wanted.properties.get("ManagedPolicyArns") or [])
        for arn in sorted(attached - attached_before):
            self._ask(wanted, "Attach", "Policy", name, PolicyArn=arn)
        for arn in sorted(attached_before - attached):
            self._ask(wanted, "Detach", "Policy", name, PolicyArn=arn)
        self.finish_more(wanted, name, before)

    def finish_more(self, wanted: Wanted, name: str, before: Mapping[str, Any] | None) -> None:
        """What only one of them has."""

    def delete(self, wanted: Wanted, resource: StackResource) -> None:
        name, properties = resource.physical_id, resource.properties
        for policy in properties.get("Policies") or []:
            quietly(self._ask, wanted, "Delete", "Policy", name, PolicyName=policy["PolicyName"])
        for arn in properties.get("ManagedPolicyArns") or []:
            quietly(self._ask, wanted, "Detach", "Policy", name, PolicyArn=arn)
        self.release(wanted, resource)
        super().delete(wanted, resource)

    def release(self, wanted: Wanted, resource: StackResource) -> None:
        """What else holds it back."""


def quietly(work: Any, *arguments: Any, **more: Any) -> None:
    """What is gone already is fine."""
    try:
        work(*arguments, **more)
    except AwsError as error:
        if error.code not in ("NoSuchEntity", "NoSuchEntityException"):
            raise


class Role(Identity):
    def finish_more(self, wanted: Wanted, name: str, before: Mapping[str, Any] | None) -> None:
        trust = wanted.properties.get("AssumeRolePolicyDocument")
        if before is not None and trust != before.get("AssumeRolePolicyDocument"):
            wanted.reach("iam", "UpdateAssumeRolePolicy", {"RoleName": name, "PolicyDocument": document(trust)})


class User(Identity):
    def finish_more(self, wanted: Wanted, name: str, before: Mapping[str, Any] | None) -> None:
        for group in sorted(set(wanted.properties.get("Groups") or []) - set((before or {}).get("Groups") or [])):
            wanted.reach("iam", "AddUserToGroup", {"GroupName": group, "UserName": name})
        login = wanted.properties.get("LoginProfile")
        if login and before is None:
            wanted.reach("iam", "CreateLoginProfile", {"UserName": name, "Password": login["Password"]})

    def release(self, wanted: Wanted, resource: StackResource) -> None:
        name = resource.physical_id
        for group in resource.properties.get("Groups") or []:
            quietly(wanted.reach, "iam", "RemoveUserFromGroup", {"GroupName": group, "UserName": name})
        if resource.properties.get("LoginProfile"):
            quietly(wanted.reach, "iam", "DeleteLoginProfile", {"UserName": name})


HOLDERS = (("Roles", "Role"), ("Users", "User"), ("Groups", "Group"))


class InlinePolicy(ApiKind):
    """`AWS::IAM::Policy`: one document, put into each of its roles, users and groups."""

    def create(self, wanted: Wanted) -> Made:
        from_nothing = StackResource(wanted.logical_id, wanted.type)
        return self.update(wanted, from_nothing)

    def update(self, wanted: Wanted, resource: StackResource) -> Made:
        name = str(wanted.properties["PolicyName"])
        text = document(wanted.properties["PolicyDocument"])
        for property_name, kind in HOLDERS:
            for holder in wanted.properties.get(property_name) or []:
                request = {f"{kind}Name": holder, "PolicyName": name, "PolicyDocument": text}
                wanted.reach("iam", f"Put{kind}Policy", request)
            before = resource.properties.get(property_name) or []
            for gone in set(before) - set(wanted.properties.get(property_name) or []):
                quietly(wanted.reach, "iam", f"Delete{kind}Policy", {f"{kind}Name": gone, "PolicyName": name})
        return Made(resource.physical_id or wanted.name(""), {})

    def delete(self, wanted: Wanted, resource: StackResource) -> None:
        for property_name, kind in HOLDERS:
            for holder in resource.properties.get(property_name) or []:
                request = {f"{kind}Name": holder, "PolicyName": resource.properties["PolicyName"]}
                quietly(wanted.reach, "iam", f"Delete{kind}Policy", request)


class ManagedPolicy(ApiKind):
    def for_create(self, wanted: Wanted, name: str) -> dict[str, Any]:
        own = super().for_create(wanted, name)
        return {**own, "PolicyDocument": document(own.get("PolicyDocument") or {})}

    def finish(self, wanted: Wanted, resource: StackResource, before: Mapping[str, Any] | None) -> None:
        arn, old = resource.physical_id, before or {}
        if before is not None and before.get("PolicyDocument") != wanted.properties.get("PolicyDocument"):
            self._new_version(wanted, arn)
        for property_name, kind in HOLDERS:
            now, then = set(wanted.properties.get(property_name) or []), set(old.get(property_name) or [])
            for holder in sorted(now - then):
                wanted.reach("iam", f"Attach{kind}Policy", {f"{kind}Name": holder, "PolicyArn": arn})
            for holder in sorted(then - now):
                quietly(wanted.reach, "iam", f"Detach{kind}Policy", {f"{kind}Name": holder, "PolicyArn": arn})

    def _new_version(self, wanted: Wanted, arn: str) -> None:
        versions = wanted.reach("iam", "ListPolicyVersions", {"PolicyArn": arn})["Versions"]
        old = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
        if len(versions) >= 5:
            wanted.reach("iam", "DeletePolicyVersion", {"PolicyArn": arn, "VersionId": old[-1]})
        text = document(wanted.properties["PolicyDocument"])
        wanted.reach("iam", "CreatePolicyVersion", {"PolicyArn": arn, "PolicyDocument": text, "SetAsDefault": True})

    def delete(self, wanted: Wanted, resource: StackResource) -> None:
        arn = resource.physical_id
        for property_name, kind in HOLDERS:
            for holder in resource.properties.get(property_name) or []:
                quietly(wanted.reach, "iam", f"Detach{kind}Policy", {f"{kind}Name": holder, "PolicyArn": arn})
        for version in wanted.reach("iam", "ListPolicyVersions", {"PolicyArn": arn}).get("Versions", ()):
            if not version["IsDefaultVersion"]:
                request = {"PolicyArn": arn, "VersionId": version["VersionId"]}
                wanted.reach("iam", "DeletePolicyVersion", request)
        super().delete(wanted, resource)


class InstanceProfile(ApiKind):
    def finish(self, wanted: Wanted, resource: StackResource, before: Mapping[str, Any] | None) -> None:
        name = resource.physical_id
        now, then = set(wanted.properties.get("Roles") or []), set((before or {}).get("Roles") or [])
        for role in then - now:
            quietly(
                wanted.reach, "iam", "RemoveRoleFromInstanceProfile", {"InstanceProfileName": name, "RoleName": role}
            )
        for role in now - then:
            wanted.reach("iam", "AddRoleToInstanceProfile", {"InstanceProfileName": name, "RoleName": role})

    def delete(self, wanted: Wanted, resource: StackResource) -> None:
        name = resource.physical_id
        for role in resource.properties.get("Roles") or []:
            quietly(
                wanted.reach, "iam", "RemoveRoleFromInstanceProfile", {"InstanceProfileName": name, "RoleName": role}
            )
        super().delete(wanted, resource)


def identity(what: str, update: Operation | None = None) -> Api:
    name = f"{what}Name"
    return Api(
        "iam",
        Operation(f"Create{what}", whole=True),
        "name",
        delete=Operation(f"Delete{what}", {name: "id"}),
        update=update,
        read=Operation(f"Get{what}", {name: "id"}),
        name=name,
        attributes={"Arn": f"{what}.Arn", f"{what}Id": f"{what}.{what}Id"},
        rename={"LoginProfile": ""},
        replaced_by=("Path",),
        listing=f"List{what}s",
    )


TABLE: Mapping[str, Api] = MappingProxyType(
    {
        "AWS::IAM::Role": identity("Role", Operation("UpdateRole", {"RoleName": "id"}, whole=True)),
        "AWS::IAM::User": identity("User"),
        "AWS::IAM::Group": identity("Group"),
        "AWS::IAM::Policy": Api("iam", Operation("PutRolePolicy"), "name"),
        "AWS::IAM::ManagedPolicy": Api(
            "iam",
            Operation("CreatePolicy", {"PolicyName": "name"}, whole=True),
            "Policy.Arn",
            delete=Operation("DeletePolicy", {"PolicyArn": "id"}),
            read=Operation("GetPolicy", {"PolicyArn": "id"}),
            name="ManagedPolicyName",
            attributes={"PolicyArn": "id", "PolicyId": "Policy.PolicyId"},
            replaced_by=("Description", "Path"),
        ),
        "AWS::IAM::InstanceProfile": Api(
            "iam",
            Operation("CreateInstanceProfile", whole=True),
            "name",
            delete=Operation("DeleteInstanceProfile", {"InstanceProfileName": "id"}),
            name="InstanceProfileName",
            attributes={"Arn": "InstanceProfile.Arn"},
            replaced_by=("Path",),
        ),
        "AWS::IAM::AccessKey": Api(
            "iam",
            Operation("CreateAccessKey", {"UserName": "UserName"}),
            "AccessKey.AccessKeyId",
            delete=Operation("DeleteAccessKey", {"AccessKeyId": "id", "UserName": "UserName"}),
            update=Operation("UpdateAccessKey", {"AccessKeyId": "id", "UserName": "UserName", "Status": "Status"}),
            attributes={"SecretAccessKey": "AccessKey.SecretAccessKey"},
            replaced_by=("UserName", "Serial"),
        ),
    }
)
KINDS: Mapping[str, type[ApiKind]] = MappingProxyType(
    {
        "AWS::IAM::Group": Identity,
        "AWS::IAM::InstanceProfile": InstanceProfile,
        "AWS::IAM::ManagedPolicy": ManagedPolicy,
        "AWS::IAM::Policy": InlinePolicy,
        "AWS::IAM::Role": Role,
        "AWS::IAM::User": User,
    }
)
