"""Which kind of resource a type's name stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from cloudlet.emulator.fallback.coverage import covered, module_of
from cloudlet.emulator.fallback.stacks import kinds_of, replacements
from cloudlet.emulator.fallback.stacks.custom import CustomResource
from cloudlet.emulator.fallback.stacks.kinds import Kind, MotoKind, NativeKind
from cloudlet.emulator.fallback.stacks.nested import NestedStack
from cloudlet.emulator.fallback.stacks.own_kinds import CdkMetadata, Macro, WaitCondition, WaitConditionHandle

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.moto import Engine

OWN: Mapping[str, type[Kind]] = MappingProxyType(
    {
        "AWS::CDK::Metadata": CdkMetadata,
        "AWS::CloudFormation::CustomResource": CustomResource,
        "AWS::CloudFormation::Macro": Macro,
        "AWS::CloudFormation::Stack": NestedStack,
        "AWS::CloudFormation::WaitCondition": WaitCondition,
        "AWS::CloudFormation::WaitConditionHandle": WaitConditionHandle,
    }
)


def find(name: str, engine: Engine) -> Kind:
    """The kind of a type; one that nobody makes is a stand-in."""
    if name.startswith("Custom::"):
        return CustomResource()
    if name in OWN:
        return OWN[name]()
    native = engine.native_kind(name)
    if native is not None:
        return NativeKind(native)
    made = kinds_of.find(name)
    if made is not None:
        return made
    model, name_property = engine.model_of(name)
    if model is not None:
        return MotoKind(model, service_of(model), name_property or "", replacements.of(name, name_property))
    return Kind()


def service_of(model: type) -> str:
    """botocore's name of the service that a model of moto belongs to."""
    module = re.sub(r"^moto\.", "", model.__module__).split(".")[0]
    return next((name for name in covered() if module_of(name) == module), module)
