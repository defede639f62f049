"""Seeded workloads with conflicts, crashes, clock jumps, snapshots and resets; a model checks every answer.

A failure prints its seed; CLOUDLET_SIMULATION_SEED repeats it, CLOUDLET_SIMULATIONS says how many seeds to try.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
from pathlib import Path
from typing import Literal

import pytest

from cloudlet.emulator.store import lmdb
from tests.simulation.world import World

GIVEN = os.environ.get("CLOUDLET_SIMULATION_SEED")
COUNT = int(os.environ.get("CLOUDLET_SIMULATIONS", "8"))
SEEDS = [int(GIVEN)] if GIVEN else [random.SystemRandom().randrange(10**9) for _ in range(COUNT)]
STEPS = 200


@pytest.mark.timeout(600)
@pytest.mark.parametrize("durability", ["process", "disk"])
def test_every_answer_is_the_models(
    tmp_path: Path,
    durability: Literal["process", "disk"],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lmdb, "GROUP_SECONDS", 1e6)  # what is durable is decided by the seed, not by the wall clock
    caplog.set_level(logging.CRITICAL, "cloudlet.jobs")  # its jobs fail on purpose
    for seed in SEEDS:
        print(f"CLOUDLET_SIMULATION_SEED={seed}")
        asyncio.run(simulate(tmp_path / str(seed), seed, durability))


async def simulate(root: Path, seed: int, durability: Literal["process", "disk"]) -> None:
    world = World(root, seed, durability)
    done = []
    try:
        for _ in range(STEPS):
            done.append(await world.step())
    except BaseException:
        print(f"after {len(done)} steps: {', '.join(done[-8:])}")
        raise
    finally:
        world.close()
    assert world.conflicts
