"""What needs no store: which regions there are, and how one state leads to the next. Pure functions only."""

from __future__ import annotations

# "Regions" of the AWS Account Management reference guide: those that are on in every account, and those to opt into.
DEFAULT_REGIONS = frozenset(
    {
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)
OPT_IN_REGIONS = frozenset(
    {
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-south-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-7",
        "ca-west-1",
        "eu-central-2",
        "eu-south-1",
        "eu-south-2",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "mx-central-1",
    }
)
REGIONS = tuple(sorted(DEFAULT_REGIONS | OPT_IN_REGIONS))


def initial_status(region_name: str) -> str:
    """The state of a region that nobody has touched."""
    return "ENABLED_BY_DEFAULT" if region_name in DEFAULT_REGIONS else "DISABLED"


def settled(status: str) -> str:
    """What a state in transition becomes."""
    return {"ENABLING": "ENABLED", "DISABLING": "DISABLED"}.get(status, status)


def is_settled(status: str) -> bool:
    return settled(status) == status
