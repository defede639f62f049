"""The Helm chart, rendered by Helm's own engine, which comes from the package index into an environment of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

CHART = ROOT / "docker" / "helm" / "cloudlet"
PACKAGES = ("helm-python-sdk==0.2.2", "kubernetes-validate==1.37.0")
FOLDER = ROOT / ".cache" / "helm-0.2.2"
RENDER = """
import json, sys
import helm_python

chart, values = sys.argv[1], json.loads(sys.argv[2])
try:
    with helm_python.Chart.load(chart) as loaded:
        loaded.validate_schema(values)
        print(json.dumps({"files": loaded.render(values, name="demo", namespace="prod")}))
except helm_python.HelmError as error:
    print(json.dumps({"error": str(error)}))
"""

Rendered = dict[tuple[str, str], dict[str, Any]]


def make_python() -> Path:
    """An interpreter with Helm and the schemas; its environment is made at the first use."""
    command = FOLDER / "bin" / "python"
    if (FOLDER / "installed").exists():
        return command
    made = subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], capture_output=True, text=True)
    if made.returncode == 0:
        words = [str(command), "-m", "pip", "install", "--quiet", *PACKAGES]
        made = subprocess.run(words, capture_output=True, text=True, timeout=500)
    if made.returncode != 0:
        pytest.skip(f"{' and '.join(PACKAGES)} cannot be had from a package index: {made.stderr.strip()[-200:]}")
    (FOLDER / "installed").touch()
    return command


def render_with(python: Path) -> Callable[[dict[str, Any]], Rendered]:
    """Documents by kind and name; raises ValueError with Helm's words where it refuses."""

    def run(values: dict[str, Any]) -> Rendered:
        words = [str(python), "-c", RENDER, str(CHART), json.dumps(values)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        if "error" in answer:
            raise ValueError(answer["error"])
        texts = [text for name, text in answer["files"].items() if name.endswith(".yaml")]
        documents = [document for text in texts for document in yaml.safe_load_all(text) if document]
        return {(document["kind"], document["metadata"]["name"]): document for document in documents}

    return run
