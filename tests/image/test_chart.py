"""The Helm chart as far as it can be judged without Helm; test_helm.py renders it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml

from cloudlet import __version__
from tests.conftest import ROOT

CHART = ROOT / "docker" / "helm" / "cloudlet"


def load(name: str) -> Any:
    return yaml.safe_load((CHART / name).read_text("utf-8"))


def schema() -> Any:
    return json.loads((CHART / "values.schema.json").read_text("utf-8"))


def test_the_values_are_what_their_schema_says() -> None:
    jsonschema.Draft7Validator.check_schema(schema())
    jsonschema.validate(load("values.yaml"), schema(), jsonschema.Draft7Validator)


def test_the_schema_knows_every_value_and_no_other() -> None:
    def names(values: dict[str, Any], properties: dict[str, Any]) -> None:
        for name, value in values.items():
            known = properties[name]
            if reference := known.get("$ref"):
                known = schema()["definitions"][reference.rpartition("/")[2]]
            if isinstance(value, dict) and "properties" in known:
                assert set(value) == set(known["properties"])
                names(value, known["properties"])

    values = load("values.yaml")
    assert {*values, "global"} == set(schema()["properties"])
    names(values, schema()["properties"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"emulater": {}},
        {"emulator": {"replicas": -1}},
        {"emulator": {"service": {"port": 0}}},
        {"emulator": {"env": {"NOT A NAME": "1"}}},
        {"control": {"baseUrl": "https://plane.example.com/"}},
        {"control": {"persistence": {"size": "much"}}},
        {"control": {"ingress": {"enabled": True, "host": ""}}},
        {"image": {"pullPolicy": "Sometimes"}},
    ],
)
def test_values_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema(), jsonschema.Draft7Validator)


def test_the_chart_starts_this_version() -> None:
    assert load("Chart.yaml")["appVersion"] == __version__


def test_every_value_is_on_the_page() -> None:
    page = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")

    def leaves(values: dict[str, Any], path: str = "") -> list[str]:
        found = []
        for name, value in values.items():
            inner = isinstance(value, dict) and value and name not in ("resources", "podSecurityContext")
            found += leaves(value, f"{path}{name}.") if inner else [f"{path}{name}"]
        return found

    assert [name for name in leaves(load("values.yaml")) if f"`{name}`" not in page] == []
