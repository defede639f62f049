"""Parameter Store, Secrets Manager, KMS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.stacks.api_kinds import Api, ApiKind, Operation
from cloudlet.emulator.fallback.stacks.kinds import Made, Wanted
from cloudlet.emulator.fallback.stacks.parameters import text_of
from cloudlet.emulator.fallback.stacks.records import StackResource


class Secret(ApiKind):
    """Its value is given, or made up of random letters."""

    def for_create(self, wanted: Wanted, name: str) -> dict[str, Any]:
        own = super().for_create(wanted, name)
        rule = own.pop("GenerateSecretString", None)
        if rule is not None:
            own["SecretString"] = self._generated(wanted, dict(rule))
        return own

    def for_update(self, wanted: Wanted) -> dict[str, Any]:
        return {name: value for name, value in super().for_update(wanted).items() if name != "GenerateSecretString"}

    def _generated(self, wanted: Wanted, rule: dict[str, Any]) -> str:
        template, key = rule.pop("SecretStringTemplate", None), rule.pop("GenerateStringKey", None)
        kind = Api("secretsmanager", Operation("GetRandomPassword", whole=True), "")
        password: str = ApiKind(kind).call(wanted, kind.create, {}, rule)["RandomPassword"]
        return json.dumps({**json.loads(template), key: password}) if template and key else password


class SecretAttachment(ApiKind):
    """`AWS::SecretsManager::SecretTargetAttachment`: the secret is the same afterwards."""

    def create(self, wanted: Wanted) -> Made:
        return Made(str(wanted.properties["SecretId"]), {})

    def update(self, wanted: Wanted, resource: StackResource) -> Made:
        return Made(resource.physical_id, {})


class Key(ApiKind):
    def finish(self, wanted: Wanted, resource: StackResource, before: Mapping[str, Any] | None) -> None:
        name, properties, old = resource.physical_id, wanted.properties, before or {}
        for member, on, off, default in (
            ("EnableKeyRotation", "EnableKeyRotation", "DisableKeyRotation", "false"),
            ("Enabled", "EnableKey", "DisableKey", "true"),
        ):
            wish = text_of(properties.get(member, default)).lower()
            if wish != text_of(old.get(member, default)).lower():
                wanted.reach("kms", on if wish == "true" else off, {"KeyId": name})
        days = properties.get("RotationPeriodInDays")
        if days is not None and days != old.get("RotationPeriodInDays"):
            wanted.reach("kms", "EnableKeyRotation", {"KeyId": name, "RotationPeriodInDays": int(days)})
        if before is not None and properties.get("KeyPolicy") != old.get("KeyPolicy") and "KeyPolicy" in properties:
            text = json.dumps(properties["KeyPolicy"])
            wanted.reach("kms", "PutKeyPolicy", {"KeyId": name, "PolicyName": "default", "Policy": text})
        if before is not None and properties.get("Description", "") != old.get("Description", ""):
            request = {"KeyId": name, "Description": properties.get("Description", "")}
            wanted.reach("kms", "UpdateKeyDescription", request)

    def delete(self, wanted: Wanted, resource: StackResource) -> None:
        days = int(resource.properties.get("PendingWindowInDays") or 30)
        wanted.reach("kms", "ScheduleKeyDeletion", {"KeyId": resource.physical_id, "PendingWindowInDays": days})


TABLE: Mapping[str, Api] = MappingProxyType(
    {
        "AWS::SSM::Parameter": Api(
            "ssm",
            Operation("PutParameter", {"Overwrite": "=false"}, whole=True),
            "name",
            delete=Operation("DeleteParameter", {"Name": "id"}),
            update=Operation("PutParameter", {"Name": "id", "Overwrite": "=true", "Value": "Value", "Type": "Type"}),
            read=Operation("GetParameter", {"Name": "id"}),
            name="Name",
            attributes={"Type": "Type", "Value": "Value"},
            listing="DescribeParameters",
        ),
        "AWS::SSM::Document": Api(
            "ssm",
            Operation("CreateDocument", whole=True),
            "name",
            delete=Operation("DeleteDocument", {"Name": "id"}),
            name="Name",
            replaced_by=("DocumentType",),
        ),
        "AWS::SecretsManager::Secret": Api(
            "secretsmanager",
            Operation("CreateSecret", whole=True),
            "ARN",
            delete=Operation("DeleteSecret", {"SecretId": "id", "ForceDeleteWithoutRecovery": "=true"}),
            update=Operation("UpdateSecret", {"SecretId": "id"}, whole=True),
            read=Operation("DescribeSecret", {"SecretId": "id"}),
            name="Name",
            attributes={"Id": "id"},
            tag=("TagResource", "SecretId"),
            listing="ListSecrets",
        ),
        "AWS::SecretsManager::ResourcePolicy": Api(
            "secretsmanager",
            Operation("PutResourcePolicy", whole=True),
            "ARN",
            delete=Operation("DeleteResourcePolicy", {"SecretId": "id"}),
            update=Operation("PutResourcePolicy", whole=True),
            replaced_by=("SecretId",),
        ),
        "AWS::SecretsManager::RotationSchedule": Api(
            "secretsmanager",
            Operation("RotateSecret", whole=True),
            "ARN",
            update=Operation("RotateSecret", whole=True),
            replaced_by=("SecretId",),
        ),
        "AWS::SecretsManager::SecretTargetAttachment": Api("secretsmanager", Operation("DescribeSecret"), "SecretId"),
        "AWS::KMS::Key": Api(
            "kms",
            Operation("CreateKey", whole=True),
            "KeyMetadata.KeyId",
            read=Operation("DescribeKey", {"KeyId": "id"}),
            attributes={"Arn": "KeyMetadata.Arn", "KeyId": "id"},
            rename={"KeyPolicy": "Policy"},
            replaced_by=("KeySpec", "KeyUsage", "MultiRegion", "Origin"),
            listing="ListKeys",
        ),
        "AWS::KMS::Alias": Api(
            "kms",
            Operation("CreateAlias", whole=True),
            "AliasName",
            delete=Operation("DeleteAlias", {"AliasName": "id"}),
            update=Operation("UpdateAlias", whole=True),
            replaced_by=("AliasName",),
        ),
    }
)
KINDS: Mapping[str, type[ApiKind]] = MappingProxyType(
    {
        "AWS::KMS::Key": Key,
        "AWS::SecretsManager::Secret": Secret,
        "AWS::SecretsManager::SecretTargetAttachment": SecretAttachment,
    }
)
