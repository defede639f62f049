"""How often a delivery is tried, and what counts as lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.eventing.deliveries import Parcel, is_permanent, own_code, pack, retry_policy, unpack
from cloudlet.emulator.eventing.targets.errands import Errand
from cloudlet.emulator.kernel.errors import UnmodelledError


def parcel(attempts: int, age: int) -> Parcel:
    errand = Errand("000000000000", "us-east-1", "kinesis", "PutRecord", {"Data": b"\x00"})
    return Parcel(errand=errand, text="x", attributes={}, attempts=attempts, age_seconds=age)


def test_a_parcel_survives_the_store() -> None:
    packed = pack(parcel(3, 60))
    assert packed["errand"]["request"] == {"Data": b"\x00"}
    assert unpack(packed) == parcel(3, 60)


@given(attempts=st.integers(0, 185), age=st.integers(60, 86400))
def test_attempts_end_by_count_or_by_age(attempts: int, age: int) -> None:
    delays = retry_policy(pack(parcel(attempts, age))).delays_seconds
    assert len(delays) <= attempts
    assert sum(delays) <= age
    assert list(delays) == sorted(delays)
    assert len(delays) == attempts or sum(delays) + 600 > age


def test_what_another_attempt_may_mend_is_not_permanent() -> None:
    assert is_permanent(UnmodelledError("ResourceNotFoundException", "", 404))
    assert not is_permanent(UnmodelledError("ThrottlingException", "", 400))
    assert not is_permanent(UnmodelledError("ServiceUnavailable", "", 503))


def test_failures_have_eventbridge_names() -> None:
    assert own_code("AWS.SimpleQueueService.NonExistentQueue") == "NO_RESOURCE"
    assert own_code("AccessDeniedException") == "NO_PERMISSIONS"
    assert own_code("InvalidParameterValue") == "SDK_CLIENT_ERROR"
