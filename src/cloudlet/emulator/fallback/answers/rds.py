"""RDS: parameters of groups, with the members by which tools tell their own from the engine's."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked

# What moto keeps of a group is what users set; the engine's own parameters are not known.
SET_BY_USERS: Mapping[str, Any] = MappingProxyType(
    {"Source": "user", "ApplyType": "dynamic", "DataType": "string", "IsModifiable": True}
)


def parameters(asked: Asked) -> dict[str, Any]:
    """DescribeDBParameters and DescribeDBClusterParameters; Terraform sees drift without `Source`."""
    result = asked.proceed()
    found = [{**SET_BY_USERS, **entry} for entry in result.get("Parameters", ())]
    wanted = asked.request.get("Source")
    return {**result, "Parameters": [entry for entry in found if wanted in (None, entry["Source"])]}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {"DescribeDBParameters": parameters, "DescribeDBClusterParameters": parameters}
)
