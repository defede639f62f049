"""The OpenAPI document of the internal API is one, is complete, and is served."""

from __future__ import annotations

from typing import Any

import yaml
from openapi_spec_validator import validate

from cloudlet import __version__
from cloudlet.emulator.gateway.internal.document import document
from cloudlet.emulator.gateway.internal.routes import ROUTES
from tests.gateway.internal.test_localstack_endpoints import call


def operations(read: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, item in read["paths"].items() for method in item if method != "parameters"}


def test_the_document_is_openapi() -> None:
    validate(yaml.safe_load(document(__version__)))


def test_every_route_is_in_the_document_and_nothing_else() -> None:
    described = operations(yaml.safe_load(document(__version__)))
    routed = {(method, path) for method, path, _endpoint in ROUTES}
    advice = "add the entry as src/cloudlet/emulator/gateway/internal/openapi/README.md says"
    assert sorted(routed - described) == [], advice
    assert sorted(described - routed) == [], "the document tells of what is not there"


def test_the_document_is_served(emulator: Any) -> None:
    status, body = call(emulator, "GET", "/openapi.yaml")
    assert (status, yaml.safe_load(body)["info"]["version"]) == (200, __version__)


def test_the_page_shows_every_endpoint(emulator: Any) -> None:
    status, body = call(emulator, "GET", "/_localstack/swagger")
    assert status == 200
    page = body.decode()
    assert page.count("<details id=") == len(ROUTES)
    for method, path, _endpoint in ROUTES:
        assert f'<code class="path">{path}</code>' in page, (method, path)
    assert f"curl -X POST &#39;{emulator.url}/_cloudlet/clock/advance&#39; -d" in page
    assert "<script" not in page
    assert "https://" not in page


def test_a_bucket_of_that_name_is_still_a_bucket(emulator: Any) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="openapi.yaml")
    s3.put_object(Bucket="openapi.yaml", Key="note", Body=b"mine")
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="openapi.yaml")["Contents"]] == ["note"]
    assert [entry["Key"] for entry in s3.list_objects(Bucket="openapi.yaml")["Contents"]] == ["note"]
