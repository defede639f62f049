"""Lambda: functions with their code, and what belongs to them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.stacks.api_kinds import Api, ApiKind, Operation
from cloudlet.emulator.fallback.stacks.kinds import Wanted
from cloudlet.emulator.fallback.stacks.records import StackResource

EPOCH = (1980, 1, 1, 0, 0, 0)


def inline_package(source: str, runtime: str) -> bytes:
    """A ZIP with the source as `index`, and the module with which functions answer to custom resources."""
    is_python = runtime.startswith("python")
    name = "index.py" if is_python else "index.js"
    helper, place = (
        ("cfnresponse.py", "cfnresponse.py") if is_python else ("cfn-response.js", "node_modules/cfn-response/index.js")
    )
    help_text = (files("cloudlet.emulator.fallback.stacks") / "responses" / f"{helper}.txt").read_text()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for path, text in ((name, source), (place, help_text)):
            package.writestr(zipfile.ZipInfo(path, EPOCH), text)
    return buffer.getvalue()


def code_of(wanted: Wanted) -> dict[str, Any]:
    code = dict(wanted.properties.get("Code") or {})
    if "ZipFile" in code:
        code["ZipFile"] = inline_package(str(code["ZipFile"]), str(wanted.properties.get("Runtime", "")))
    return code


class Function(ApiKind):
    def for_create(self, wanted: Wanted, name: str) -> dict[str, Any]:
        return {**super().for_create(wanted, name), "Code": code_of(wanted)}

    def finish(self, wanted: Wanted, resource: StackResource, before: Mapping[str, Any] | None) -> None:
        name = resource.physical_id
        if before is not None and before.get("Code") != wanted.properties.get("Code"):
            wanted.reach("lambda", "UpdateFunctionCode", {"FunctionName": name, **code_of(wanted)})
        reserved = wanted.properties.get("ReservedConcurrentExecutions")
        if reserved is not None and reserved != (before or {}).get("ReservedConcurrentExecutions"):
            request = {"FunctionName": name, "ReservedConcurrentExecutions": int(reserved)}
            wanted.reach("lambda", "PutFunctionConcurrency", request)


class Layer(ApiKind):
    def for_create(self, wanted: Wanted, name: str) -> dict[str, Any]:
        return {**super().for_create(wanted, name), "LayerName": wanted.properties.get("LayerName") or name}


FUNCTION_ARN = "arn:aws:lambda:{region}:{account}:function:{id}"
TABLE: Mapping[str, Api] = MappingProxyType(
    {
        "AWS::Lambda::Function": Api(
            "lambda",
            Operation("CreateFunction", whole=True),
            "name",
            delete=Operation("DeleteFunction", {"FunctionName": "id"}),
            update=Operation("UpdateFunctionConfiguration", {"FunctionName": "id"}, whole=True),
            read=Operation("GetFunctionConfiguration", {"FunctionName": "id"}),
            name="FunctionName",
            attributes={"Arn": FUNCTION_ARN},
            replaced_by=("PackageType",),
            tag=("TagResource", "Resource"),
            listing="ListFunctions",
        ),
        "AWS::Lambda::Version": Api(
            "lambda",
            Operation("PublishVersion", whole=True),
            "FunctionArn",
            delete=Operation("DeleteFunction", {"FunctionName": "FunctionArn"}),
            attributes={"Version": "Version", "FunctionArn": "FunctionArn"},
            replaced_by=("FunctionName", "Description", "CodeSha256"),
        ),
        "AWS::Lambda::Alias": Api(
            "lambda",
            Operation("CreateAlias", whole=True),
            "AliasArn",
            delete=Operation("DeleteAlias", {"FunctionName": "FunctionName", "Name": "Name"}),
            update=Operation("UpdateAlias", {"FunctionName": "FunctionName", "Name": "Name"}, whole=True),
            attributes={"AliasArn": "AliasArn"},
            replaced_by=("FunctionName", "Name"),
        ),
        "AWS::Lambda::Permission": Api(
            "lambda",
            Operation("AddPermission", {"StatementId": "name"}, whole=True),
            "name",
            delete=Operation("RemovePermission", {"FunctionName": "FunctionName", "StatementId": "id"}),
            name="Id",
            attributes={"Id": "id"},
            replaced_by=("Action", "FunctionName", "Principal", "SourceAccount", "SourceArn", "FunctionUrlAuthType"),
        ),
        "AWS::Lambda::EventSourceMapping": Api(
            "lambda",
            Operation("CreateEventSourceMapping", whole=True),
            "UUID",
            delete=Operation("DeleteEventSourceMapping", {"UUID": "id"}),
            update=Operation("UpdateEventSourceMapping", {"UUID": "id"}, whole=True),
            attributes={"Id": "id", "EventSourceMappingArn": "arn:aws:lambda:{region}:{account}:event-source-mapping:{id}"},
            replaced_by=("EventSourceArn", "StartingPosition"),
        ),
        "AWS::Lambda::LayerVersion": Api(
            "lambda",
            Operation("PublishLayerVersion", whole=True),
            "LayerVersionArn",
            delete=Operation("DeleteLayerVersion", {"LayerName": "LayerArn", "VersionNumber": "Version"}),
            name="LayerName",
            attributes={"LayerVersionArn": "LayerVersionArn"},
            replaced_by=("CompatibleRuntimes", "Content", "Description", "LicenseInfo"),
        ),
        "AWS::Lambda::Url": Api(
            "lambda",
            Operation("CreateFunctionUrlConfig", {"FunctionName": "TargetFunctionArn"}, whole=True),
            "FunctionArn",
            delete=Operation("DeleteFunctionUrlConfig", {"FunctionName": "TargetFunctionArn"}),
            update=Operation("UpdateFunctionUrlConfig", {"FunctionName": "TargetFunctionArn"}, whole=True),
            attributes={"FunctionUrl": "FunctionUrl", "FunctionArn": "FunctionArn"},
            replaced_by=("TargetFunctionArn", "Qualifier"),
        ),
        "AWS::Lambda::EventInvokeConfig": Api(
            "lambda",
            Operation("PutFunctionEventInvokeConfig", whole=True),
            "{FunctionName}|{Qualifier}",
            delete=Operation("DeleteFunctionEventInvokeConfig", {"FunctionName": "FunctionName", "Qualifier": "Qualifier"}),
            update=Operation("PutFunctionEventInvokeConfig", whole=True),
            replaced_by=("FunctionName", "Qualifier"),
        ),
    }
)  # fmt: skip
KINDS: Mapping[str, type[ApiKind]] = MappingProxyType(
    {"AWS::Lambda::Function": Function, "AWS::Lambda::LayerVersion": Layer}
)
