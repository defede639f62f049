"""Capabilities that a template needs: whoever makes the stack says that they know what is in it.

Source: API reference, CreateStack, "Capabilities".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cloudlet.emulator.fallback.stacks import macros
from cloudlet.emulator.fallback.stacks.template import Template, section_of
from cloudlet.emulator.kernel.errors import UnmodelledError

# type -> the property that gives it a name of the user's
IDENTITIES: Mapping[str, str] = MappingProxyType(
    {
        "AWS::IAM::AccessKey": "",
        "AWS::IAM::Group": "GroupName",
        "AWS::IAM::InstanceProfile": "InstanceProfileName",
        "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
        "AWS::IAM::Policy": "",
        "AWS::IAM::Role": "RoleName",
        "AWS::IAM::User": "UserName",
        "AWS::IAM::UserToGroupAddition": "",
    }
)
IAM, NAMED_IAM, AUTO_EXPAND = "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"


def of_resources(template: Template) -> tuple[list[str], str]:
    """What the resources need, and why, in the words of ValidateTemplate."""
    found = [
        (name, made)
        for name, made in section_of(template, "Resources")
        if isinstance(made, dict) and made.get("Type") in IDENTITIES  # loops are lists
    ]
    if not found:
        return [], ""
    named = [made for _name, made in found if IDENTITIES[made["Type"]] in (made.get("Properties") or {})]
    types = ", ".join(sorted({made["Type"] for _name, made in found}))
    reason = f"The following resource(s) require capabilities: [{types}]"
    return [NAMED_IAM if named else IAM], reason


def check(original: Template, template: Template, given: list[str], *, is_reviewed: bool = False) -> None:
    """Raises InsufficientCapabilitiesException. `is_reviewed`: a change set shows what macros made."""
    if not is_reviewed and macros.names(original) and AUTO_EXPAND not in given:
        raise insufficient([AUTO_EXPAND])
    needed, _reason = of_resources(template)
    if needed == [IAM] and not {IAM, NAMED_IAM} & set(given):
        raise insufficient([IAM])
    if needed == [NAMED_IAM] and NAMED_IAM not in given:
        raise insufficient([NAMED_IAM])


def insufficient(needed: list[str]) -> UnmodelledError:
    return UnmodelledError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(needed)}]", 400)
