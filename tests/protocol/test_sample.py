"""The sample that `make test` takes covers every service and every feature of every protocol."""

from __future__ import annotations

import pytest

from tests.protocol import wire
from tests.protocol.features import features


@pytest.mark.skipif(not wire.WHOLE, reason="walks all shapes of all services; `make test-wire` does")
def test_the_sample_shows_every_feature() -> None:
    everything: dict[str, str] = {}
    shown: set[str] = set()
    for name in wire.SERVICES:
        service = wire.MODELS.service(name)
        for protocol in wire.protocols_of(name):
            sample = set(wire.sampled(name, protocol))
            assert sample
            for operation in service.operation_names:
                found = features(service.operation(operation), protocol)
                everything.update((feature, f"{name}.{operation}") for feature in found)
                if operation in sample:
                    shown |= found
    missing = {feature: example for feature, example in everything.items() if feature not in shown}
    assert not missing, f"add to wire.SHOWING_FEATURES: {missing}"
