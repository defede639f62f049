"""Which accounts and regions an operation of a stack set is for.

self-managed      `Accounts`, or `DeploymentTargets.Accounts`
service-managed   organizational units, with all accounts below them; `AccountFilterType` says what `Accounts` are then

Source: CloudFormation API Reference, `DeploymentTargets`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from cloudlet.emulator.fallback.answers import Asked
from cloudlet.emulator.fallback.answers.cloudformation.asking import machine_of
from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.records import Instance, StackSet
from cloudlet.emulator.kernel.errors import UnmodelledError

REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}")  # the shape of the names in all partitions


def check_model(request: dict[str, Any], model: str) -> None:
    """Raises `ValidationError` for members that do not belong to the permission model."""
    if model == "SELF_MANAGED":
        if (request.get("AutoDeployment") or {}).get("Enabled"):
            raise refused("AutoDeployment cannot be specified when PermissionModel is SELF_MANAGED")
    elif request.get("AdministrationRoleARN") or request.get("ExecutionRoleName"):
        raise refused(
            "AdministrationRoleARN and ExecutionRoleName cannot be specified when PermissionModel is SERVICE_MANAGED"
        )


def instances_of(asked: Asked, stack_set: StackSet) -> list[Instance]:
    """The request's accounts in each of its regions: instances that are there, and new ones. Raises AwsError."""
    regions = list(dict.fromkeys(asked.request.get("Regions") or ()))
    any_name = asked.call.settings.allow_nonstandard_regions
    for region in regions:
        if not (any_name or REGION.fullmatch(region)):
            raise refused(f"Region {region} is not supported")
    accounts = accounts_of(asked, stack_set)
    if not accounts:
        raise refused("At least one account or organizational unit must be specified")
    if not regions:
        raise refused("At least one region must be specified")
    return [
        stack_set.instances.get((account, region)) or Instance(account, region, unit=unit)
        for region in regions
        for account, unit in accounts.items()
    ]


def accounts_of(asked: Asked, stack_set: StackSet) -> dict[str, str | None]:
    """Account -> the organizational unit through which it was named."""
    request = asked.request
    targets = request.get("DeploymentTargets") or {}
    if request.get("Accounts") and targets:
        raise refused("You can specify only one of the following parameters: Accounts or DeploymentTargets")
    given = list(targets.get("Accounts") or request.get("Accounts") or ())
    if targets.get("AccountsUrl"):
        url = targets["AccountsUrl"]
        given += machine_of(asked).read_url(asked.call.account_id, asked.call.region, url).replace(",", " ").split()
    units = list(targets.get("OrganizationalUnitIds") or ())
    if stack_set.permission_model == "SELF_MANAGED":
        if units:
            raise refused("StackSets with SELF_MANAGED permission model can't have OrganizationalUnitIds as targets")
        return dict.fromkeys(given)
    if not units:
        raise refused("StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target")
    return filtered(targets.get("AccountFilterType") or "NONE", given, units_accounts(asked, units))


def filtered(kind: str, given: Sequence[str], found: dict[str, str | None]) -> dict[str, str | None]:
    if kind == "INTERSECTION":
        return {account: unit for account, unit in found.items() if account in given}
    if kind == "DIFFERENCE":
        return {account: unit for account, unit in found.items() if account not in given}
    return {**dict.fromkeys(given), **found} if kind == "UNION" else found


def units_accounts(asked: Asked, units: Sequence[str]) -> dict[str, str | None]:
    """All accounts of these units and of the units below them, without the one that asks, which gets no stacks."""
    found: dict[str, str | None] = {}
    for unit in units:
        for account in below(asked, unit):
            found.setdefault(account, unit)
    found.pop(asked.call.account_id, None)
    return found


def below(asked: Asked, parent: str) -> Iterator[str]:
    for child in listed(asked, "ListAccountsForParent", parent, "Accounts"):
        yield child["Id"]
    for child in listed(asked, "ListOrganizationalUnitsForParent", parent, "OrganizationalUnits"):
        yield from below(asked, child["Id"])


def listed(asked: Asked, operation: str, parent: str, member: str) -> list[dict[str, Any]]:
    answer = asked.other("organizations", operation, {"ParentId": parent})
    return list(answer.get(member) or ())


def missing_instances(stack_set: StackSet, chosen: Sequence[Instance]) -> None:
    """Raises `StackInstanceNotFoundException` where the stack set does not have one of these."""
    for instance in chosen:
        if (instance.account, instance.region) not in stack_set.instances:
            raise not_found(stack_set, instance.account, instance.region)


def not_found(stack_set: StackSet, account: str, region: str) -> UnmodelledError:
    return UnmodelledError(
        "StackInstanceNotFoundException",
        f"Stack instance not found for StackSet {stack_set.id} in {account}, {region}",
        404,
    )
