"""The OpenAPI document tells the truth: requests that are made from it get the answers that it promises."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cloudlet.control.api.openapi import document
from cloudlet.control.api.routes import OPERATIONS
from tests.control.api import session_client, token_client, viewer_of
from tests.control.people import sequence
from tests.control.serving import RunningPlatform

EXAMPLES = 3
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SCHEMA = schemathesis.openapi.from_dict(document(OPERATIONS, "http://127.0.0.1"))
SIGNS_OUT = {"delete_session"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """Without limits, and on SQLite: what differs by database is tested elsewhere."""
    running = RunningPlatform(tmp_path_factory.mktemp("control"), PLATFORM_API_RATE="0")
    yield running
    running.close()


@pytest.fixture(scope="module", params=["token", "session"])
def caller(request: pytest.FixtureRequest, platform: RunningPlatform) -> Iterator[httpx.Client]:
    email = f"person{next(sequence)}@example.com"
    found = platform.bootstrap(email)
    viewer = viewer_of(platform, email)
    client = token_client(platform, viewer) if request.param == "token" else session_client(platform, found)
    client.params = client.params.set("workspace", viewer.workspace_id)
    with client:
        yield client


def names() -> list[str]:
    return [entry.name for entry in OPERATIONS if entry.name not in SIGNS_OUT]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "not fitting"])
@pytest.mark.parametrize("name", names())
def test_answers_are_as_the_document_says(
    caller: httpx.Client, platform: RunningPlatform, name: str, mode: GenerationMode
) -> None:
    found = SCHEMA.find_operation_by_id(name)
    workspace = caller.params["workspace"]
    headers = {**dict(caller.headers), "cookie": "; ".join(f"{key}={value}" for key, value in caller.cookies.items())}

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=found.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        if "workspace_id" in (case.path_parameters or {}):
            case.path_parameters["workspace_id"] = workspace
        answer = case.call(base_url=platform.url, headers=headers)
        case.validate_response(answer, checks=CHECKS)

    ask()


def test_the_document_is_served_and_names_every_route(platform: RunningPlatform) -> None:
    served = httpx.get(f"{platform.url}/openapi.json")
    assert served.headers["content-type"].startswith("application/json")
    made = served.json()
    assert made["openapi"].startswith("3.1")
    described = {(method, path) for path, methods in made["paths"].items() for method in methods}
    assert described == {(entry.method.lower(), "/api/v1" + entry.path) for entry in OPERATIONS}
    assert len(
        {operation["operationId"] for methods in made["paths"].values() for operation in methods.values()}
    ) == len(OPERATIONS)
    assert made["servers"] == [{"url": platform.settings.base_url}]


def test_people_can_read_it_too(platform: RunningPlatform) -> None:
    page = httpx.get(f"{platform.url}/docs/api")
    assert page.status_code == 200
    assert len(page.content) < 100_000
    for entry in OPERATIONS:
        assert f'id="{entry.name.replace("_", "-")}"' in page.text
