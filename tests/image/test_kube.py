"""What the chart renders, run by `podman play kube`: as confined as in a cluster, without services and network policies."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import free_port
from tests.image.chart import make_python, render_with
from tests.image.engine import Container, Engine

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]

KINDS = ("ConfigMap", "PersistentVolumeClaim", "Deployment")
VALUES: dict[str, Any] = {
    "emulator": {
        "activatePro": False,
        "initScripts": {"make.sh": "#!/bin/bash\nawslocal s3 mb s3://from-the-chart\n"},
    },
    "control": {"enabled": True},
}


@pytest.fixture
def pods(engine: Engine, image: str, network: str, tmp_path: Path) -> Iterator[None]:
    if shutil.which("catatonit") is None:
        pytest.skip("catatonit is not installed, and podman makes no pods without it")
    values = VALUES | {"image": {"repository": image, "tag": "latest", "pullPolicy": "Never"}}
    documents = list(render_with(make_python())(values).values())
    for document in documents:
        if document["kind"] == "Deployment":  # podman publishes every port of a pod
            for port in document["spec"]["template"]["spec"]["containers"][0]["ports"]:
                port["hostPort"] = free_port()
    file = tmp_path / "chart.yaml"
    file.write_text(
        yaml.safe_dump_all(sorted(documents, key=order)[: sum(order(one) < len(KINDS) for one in documents)])
    )
    engine("play", "kube", "--network", network, str(file))
    yield
    engine("play", "kube", "--down", str(file), check=False)
    engine("volume", "rm", "--force", "demo-cloudlet-control", check=False)


def order(document: dict[str, Any]) -> int:
    return KINDS.index(document["kind"]) if document["kind"] in KINDS else len(KINDS)


def container(engine: Engine, part: str) -> Container:
    return Container(engine, f"demo-cloudlet-{part}-pod-0-{part}")


def test_emulator_and_control_plane_of_the_chart_run(engine: Engine, pods: None) -> None:
    emulator, control = container(engine, "emulator"), container(engine, "control")
    assert "make_bucket: from-the-chart" in emulator.wait_for("Ready.\n")
    assert emulator.execute("touch", "/opt/x", check=False).returncode != 0
    assert emulator.execute("id", "-u").stdout.strip() == "1000"
    control.wait_for("Control plane ready")
    assert "Workspace made." in control.execute("cloudlet", "admin", "bootstrap").stdout
    assert engine.inspect(control.id)["HostConfig"]["ReadonlyRootfs"] is True
