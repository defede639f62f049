"""The rules alone: no emulator."""

from __future__ import annotations

import pytest

from cloudlet.emulator.services._template.rules import (
    DEFAULT_REGIONS,
    OPT_IN_REGIONS,
    REGIONS,
    initial_status,
    is_settled,
    settled,
)


def test_a_region_is_either_on_or_to_opt_into() -> None:
    assert not DEFAULT_REGIONS & OPT_IN_REGIONS
    assert len(REGIONS) == len(DEFAULT_REGIONS) + len(OPT_IN_REGIONS)


@pytest.mark.parametrize("region_name", REGIONS)
def test_what_aws_made_is_settled(region_name: str) -> None:
    assert is_settled(initial_status(region_name))


def test_a_transition_settles_once() -> None:
    assert [settled(status) for status in ("ENABLING", "DISABLING", "ENABLED")] == ["ENABLED", "DISABLED", "ENABLED"]
