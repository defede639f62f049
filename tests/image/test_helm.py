"""The chart rendered by Helm's own engine, every document judged by Kubernetes' schemas.

Both come from the package index, into an environment of their own: the Helm SDK as a Python package, and
kubernetes-validate, which brings the schemas with it. Nothing of this needs a cluster or a container engine.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.image.chart import CHART, Rendered, make_python, render_with

pytestmark = [pytest.mark.image, pytest.mark.timeout(600)]

KUBERNETES = ("1.27", "1.31", "1.37")
LINT = "import helm_python, json, sys; print(json.dumps(helm_python.lint(sys.argv[1], strict=True)))"
VALIDATE = """
import json, sys
import kubernetes_validate

for document in json.load(sys.stdin):
    for version in sys.argv[1:]:
        kubernetes_validate.validate(document, version, strict=True)
"""
EVERYTHING = {
    "image": {"pullSecrets": ["registry"]},
    "emulator": {
        "replicas": 3,
        "stateUrl": {"existingSecret": "state"},
        "authToken": {"value": "ls-x"},
        "env": {"DEBUG": 1, "SERVICES": "s3,sqs"},
        "initScripts": {"make.sh": "#!/bin/bash\nawslocal s3 mb s3://photos\n"},
        "nodeSelector": {"disk": "fast"},
    },
    "control": {
        "enabled": True,
        "replicas": 2,
        "databaseUrl": {"existingSecret": "database"},
        "secretKey": {"existingSecret": "keys"},
        "ingress": {"enabled": True, "host": "plane.example.com", "className": "nginx", "tlsSecret": "plane-tls"},
    },
    "networkPolicy": {"from": [{"namespaceSelector": {"matchLabels": {"team": "shop"}}}]},
}
KEPT = {"emulator": {"persistence": {"enabled": True}, "activatePro": False}, "control": {"enabled": True}}


@pytest.fixture(scope="module")
def python() -> Path:
    return make_python()


@pytest.fixture(scope="module")
def render(python: Path) -> Callable[[dict[str, Any]], Rendered]:
    return render_with(python)


def container(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["spec"]["template"]["spec"]["containers"][0]
    return found


def variables(document: dict[str, Any]) -> dict[str, Any]:
    return {entry["name"]: entry.get("value") for entry in container(document)["env"]}


def test_helm_finds_nothing_wrong(python: Path) -> None:
    done = subprocess.run([str(python), "-c", LINT, str(CHART)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["errors"] == []
    assert [message["error"] for message in found["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("values", [{}, EVERYTHING, KEPT], ids=["defaults", "everything", "kept"])
def test_kubernetes_takes_every_document(
    values: dict[str, Any], render: Callable[[dict[str, Any]], Rendered], python: Path
) -> None:
    documents = list(render(values).values())
    words = [str(python), "-c", VALIDATE, *KUBERNETES]
    done = subprocess.run(words, input=json.dumps(documents), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert len(documents) >= 5


def test_containers_are_confined_and_probed(render: Callable[[dict[str, Any]], Rendered]) -> None:
    for (kind, _), document in render(EVERYTHING).items():
        if kind == "Deployment":
            made = container(document)
            security = made["securityContext"]
            assert security["readOnlyRootFilesystem"]
            assert security["runAsNonRoot"]
            assert not security["allowPrivilegeEscalation"]
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert {"livenessProbe", "readinessProbe", "startupProbe"} <= set(made)
            assert document["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def test_the_token_is_a_file_and_in_no_variable(render: Callable[[dict[str, Any]], Rendered]) -> None:
    documents = render({"emulator": {"authToken": {"value": "ls-secret"}}})
    deployment = documents["Deployment", "demo-cloudlet-emulator"]
    assert variables(deployment)["LOCALSTACK_AUTH_TOKEN_FILE"] == "/run/secrets/cloudlet/token"
    assert "ls-secret" not in json.dumps(deployment)
    assert documents["Secret", "demo-cloudlet-emulator"]["stringData"] == {"token": "ls-secret"}
    named = render({"emulator": {"authToken": {"existingSecret": "mine", "key": "t"}}})
    volumes = named["Deployment", "demo-cloudlet-emulator"]["spec"]["template"]["spec"]["volumes"]
    assert {"name": "token", "secret": {"secretName": "mine", "items": [{"key": "t", "path": "token"}]}} in volumes
    assert ("Secret", "demo-cloudlet-emulator") not in named


def test_the_emulator_asks_the_chart_s_own_control_plane(render: Callable[[dict[str, Any]], Rendered]) -> None:
    found = variables(render(KEPT)["Deployment", "demo-cloudlet-emulator"])
    assert found["API_ENDPOINT"] == "http://demo-cloudlet-control:4580/v1"
    assert found["PERSISTENCE"] == "1"
    assert found["ACTIVATE_PRO"] == "0"
    other = variables(
        render({"emulator": {"apiEndpoint": "https://a.example/v1"}})["Deployment", "demo-cloudlet-emulator"]
    )
    assert other["API_ENDPOINT"] == "https://a.example/v1"


def test_replicas_share_a_database_and_survive_a_drain(render: Callable[[dict[str, Any]], Rendered]) -> None:
    documents = render(EVERYTHING)
    assert ("PodDisruptionBudget", "demo-cloudlet-emulator") in documents
    assert ("PodDisruptionBudget", "demo-cloudlet-control") in documents
    assert not [kind for kind, _ in documents if kind == "PersistentVolumeClaim"]
    for kind, _ in render(KEPT):
        assert kind != "PodDisruptionBudget"
    kept = render(KEPT)
    assert kept["Deployment", "demo-cloudlet-emulator"]["spec"]["strategy"] == {"type": "Recreate"}
    assert {name for kind, name in kept if kind == "PersistentVolumeClaim"} == {
        "demo-cloudlet-emulator",
        "demo-cloudlet-control",
    }


def test_the_network_policy_lets_in_whom_it_names(render: Callable[[dict[str, Any]], Rendered]) -> None:
    rule = render(EVERYTHING)["NetworkPolicy", "demo-cloudlet-emulator"]["spec"]["ingress"][0]
    assert rule["from"][0] == {"podSelector": {"matchLabels": {"app.kubernetes.io/instance": "demo"}}}
    assert rule["from"][1] == {"namespaceSelector": {"matchLabels": {"team": "shop"}}}
    assert ("NetworkPolicy", "demo-cloudlet-emulator") not in render({"networkPolicy": {"enabled": False}})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"emulator": {"replicas": 2}}, "emulator.replicas > 1 needs emulator.stateUrl.existingSecret"),
        (
            {"control": {"enabled": True, "replicas": 2}},
            "control.replicas > 1 needs control.databaseUrl.existingSecret",
        ),
        ({"emulator": {"authToken": {"value": "a", "existingSecret": "b"}}}, "both a value and an existingSecret"),
        ({"emulator": {"replica": 2}}, "replica"),
    ],
)
def test_what_cannot_work_is_refused_in_words(
    values: dict[str, Any], words: str, render: Callable[[dict[str, Any]], Rendered]
) -> None:
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        render(values)
