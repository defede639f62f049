"""Properties whose change needs a new resource, of types that moto makes ("Update requires: Replacement" on each type's page)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

BY_TYPE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "AWS::EC2::InternetGateway": (),
        "AWS::EC2::SecurityGroup": ("GroupDescription", "VpcId"),
        "AWS::EC2::Subnet": ("AvailabilityZone", "CidrBlock", "VpcId"),
        "AWS::EC2::VPC": ("CidrBlock",),
        "AWS::RDS::DBInstance": ("DBName", "Engine", "MasterUsername"),
    }
)


def of(name: str, name_property: str | None) -> frozenset[str]:
    """A name of the user's own always needs a new resource."""
    own = (name_property,) if name_property else ()
    return frozenset((*BY_TYPE.get(name, ()), *own))
