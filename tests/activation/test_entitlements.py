from __future__ import annotations

import pytest

from cloudlet.control.licenses.plan_file import BUILTIN, PlanEntry, parse_plans
from cloudlet.emulator.activation.activate import COMMUNITY
from cloudlet.emulator.activation.entitlements import (
    BASE_SERVICES,
    COMMUNITY_SERVICES,
    edition_of,
    open_services,
    plan_that_opens,
)
from cloudlet.emulator.activation.state import ActivationState


def plans() -> dict[str, PlanEntry]:
    return parse_plans(BUILTIN.read_text(encoding="utf-8"), "plans.toml")


def test_all_services_are_open_under_a_wildcard() -> None:
    state = ActivationState(phase="active_online", open_services=open_services(["aws/*", "platform/*"]))
    assert state.allows("s3")
    assert state.allows("anything-at-all")


def test_what_is_free_stays_open_and_what_is_named_is_added() -> None:
    found = open_services(["aws/community", "aws/rds", "platform/pods"])
    assert found == COMMUNITY_SERVICES | {"rds"}
    assert open_services([]) == COMMUNITY_SERVICES


def test_an_entitlement_may_end_with_a_wildcard() -> None:
    state = ActivationState(phase="active_online", open_services=open_services(["aws/iot*", "aws/rds"]))
    assert [name for name in ("iot", "iotwireless", "iotanalytics") if not state.allows(name)] == []
    assert (state.allows("rds"), state.allows("rds-data"), state.allows("s3")) == (True, False, True)


@pytest.mark.parametrize("service", ["s3", "sqs", "sns", "sts", "dynamodb", "lambda"])
def test_the_community_edition_has_the_services_that_need_no_license(service: str) -> None:
    assert COMMUNITY.allows(service)
    assert not COMMUNITY.allows("rds")
    assert COMMUNITY.edition == "community"
    assert not COMMUNITY.is_license_activated


def test_every_plan_opens_what_is_free(  # plans are data; this is what they must not break
) -> None:
    for code, plan in plans().items():
        opened = open_services(plan.entitlements)
        assert opened is None or opened >= COMMUNITY_SERVICES, code


def test_the_edition_is_pro_unless_the_plan_is_enterprise() -> None:
    assert edition_of("trial") == edition_of("ultimate") == "pro"
    assert edition_of("enterprise") == "enterprise"


def test_the_plan_that_is_named_opens_the_service_and_no_smaller_one_does() -> None:
    base = open_services(plans()["base"].entitlements)
    assert base is not None
    assert base == COMMUNITY_SERVICES | BASE_SERVICES
    assert (plan_that_opens("s3"), plan_that_opens("rds"), plan_that_opens("athena")) == ("hobby", "base", "ultimate")
