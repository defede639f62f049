"""Every operation of every service that botocore knows is recognised from the request that botocore sends."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.serialize import create_serializer

from cloudlet.emulator.gateway.identify import Identifier
from cloudlet.emulator.gateway.s3_routes import virtual_bucket
from cloudlet.emulator.protocol.message import HttpRequest, InlineBody
from cloudlet.emulator.protocol.models import Models

LOADER = Loader()
SERVICES = tuple(LOADER.list_available_services("service-2"))

# (service, operation) -> what the request means to us as well, and why that is right.
ALIASES = {
    ("s3", "GetBucketLifecycle"): "GetBucketLifecycleConfiguration",  # the older form of the same request
    ("s3", "PutBucketLifecycle"): "PutBucketLifecycleConfiguration",
    ("s3", "GetBucketNotification"): "GetBucketNotificationConfiguration",
    ("s3", "PutBucketNotification"): "PutBucketNotificationConfiguration",
    ("s3", "ListDirectoryBuckets"): "ListBuckets",  # told apart by the endpoint only
    ("s3", "WriteGetObjectResponse"): "PostObject",  # told apart by the endpoint only
    ("s3", "ListObjectAnnotations"): "GetObjectAnnotation",  # the same subresource
}
# Services whose requests are another service's to the letter; the credential cannot tell them apart either.
SAME_WIRE = {
    "docdb": "rds",
    "neptune": "rds",
}


@lru_cache
def identifier() -> Identifier:
    return Identifier(Models())


def value_for(shape: Shape) -> Any:
    """Some value of a type, enough for a URI or a query."""
    kinds: dict[str, Any] = {
        "integer": 1,
        "long": 1,
        "boolean": True,
        "double": 1.0,
        "float": 1.0,
        "timestamp": "2026-01-01T00:00:00Z",
        "list": [],
        "map": {},
        "structure": {},
        "blob": b"x",
    }
    if shape.type_name == "string":
        return (getattr(shape, "enum", None) or ["x" * 3])[0]
    if shape.type_name == "list":
        return [value_for(shape.member)]  # type: ignore[attr-defined]
    return kinds[shape.type_name]


def request_of(service: ServiceModel, operation: OperationModel, protocol: str) -> HttpRequest:
    """The request that botocore would send for an operation, with what its URI needs."""
    parameters = {}
    if operation.input_shape is not None:
        for name, shape in operation.input_shape.members.items():
            bound = shape.serialization.get("location")
            if bound == "uri" or (
                bound in ("querystring", "header") and name in operation.input_shape.required_members
            ):
                parameters[name] = value_for(shape)
    sent = create_serializer(protocol, include_validation=False).serialize_to_request(parameters, operation)
    query = sent["query_string"]
    if isinstance(query, dict):
        query = urlencode(query, doseq=True)
    path = sent["url_path"]
    target = path + ("&" if "?" in path else "?") + query if query else path
    body = sent["body"]
    if isinstance(body, dict):
        body = urlencode(body)
        sent["headers"].setdefault("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
    data = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""
    headers = {name.lower(): str(value) for name, value in sent["headers"].items()}
    headers["host"] = "localhost:4566"
    return HttpRequest(sent["method"], target, headers, InlineBody(data))


def operations(service_name: str) -> Iterator[tuple[ServiceModel, OperationModel, str]]:
    service = ServiceModel(LOADER.load_service_model(service_name, "service-2"), service_name)
    protocols = service.metadata.get("protocols") or [service.metadata["protocol"]]
    for name in service.operation_names:
        for protocol in protocols:
            yield service, service.operation_model(name), protocol


def is_sibling(found: tuple[str, str, str] | None, signing_name: str, request: HttpRequest) -> bool:
    """Services with one signing name that answer the same method and path: only their host names tell them apart
    (`bedrock` and `bedrock-agent` both have `/tags/{arn}`), and an emulator has one host name."""
    if found is None:
        return False
    models = Models()
    if found[0] == "s3" or models.index.services[found[0]].signing_name != signing_name:
        return False
    route = next(route for route in models.service(found[0]).routes() if route.operation == found[1])
    parts, wanted = request.path.strip("/").split("/"), route.path.strip("/").split("/")
    literals = [(a, b) for a, b in zip(parts, wanted, strict=False) if not b.startswith("{")]
    return route.method == request.method and all(a == b for a, b in literals)


@pytest.mark.parametrize("service_name", SERVICES)
def test_every_operation_is_recognised_from_its_request(service_name: str) -> None:
    wrong = []
    for service, operation, protocol in operations(service_name):
        request = request_of(service, operation, protocol)
        route = identifier().identify(request, service.signing_name)
        found = (route.service, route.operation, route.protocol) if route else None
        wanted_operation = ALIASES.get((service_name, operation.name), operation.name)
        wanted = (SAME_WIRE.get(service_name, service_name), wanted_operation, protocol)
        if found != wanted and not is_sibling(found, service.signing_name, request):
            wrong.append(f"{protocol} {operation.name}: {request.method} {request.path}?{request.query} -> {found}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("bucket.s3.localhost.localstack.cloud", "bucket"),
        ("my.dotted.bucket.s3.localhost.localstack.cloud", "my.dotted.bucket"),
        ("bucket.s3.eu-central-1.localhost.localstack.cloud", "bucket"),
        ("bucket.s3.amazonaws.com", "bucket"),
        ("bucket.s3.us-gov-west-1.amazonaws.com", "bucket"),
        ("bucket.s3-eu-west-1.amazonaws.com", "bucket"),
        ("bucket.s3.dualstack.eu-west-1.amazonaws.com", "bucket"),
        ("bucket.localhost", "bucket"),
        ("s3.localhost.localstack.cloud", None),
        ("s3.amazonaws.com", None),
        ("s3.eu-west-1.amazonaws.com", None),
        ("localhost", None),
        ("localhost.localstack.cloud", None),
        ("127.0.0.1", None),
        ("sqs.us-east-1.localhost.localstack.cloud", None),
        ("example.com", None),
    ],
)
def test_a_virtual_host_names_its_bucket(host: str, bucket: str | None) -> None:
    assert virtual_bucket(host) == bucket


def test_a_virtual_hosted_request_becomes_path_style() -> None:
    request = HttpRequest("GET", "/a/key?versionId=1", {"host": "b.s3.localhost.localstack.cloud:4566"})
    route = identifier().identify(request, "s3")
    assert route is not None
    assert (route.service, route.operation) == ("s3", "GetObject")
    assert request.path == "/b/a/key"


@pytest.mark.parametrize(
    ("method", "target", "headers", "operation"),
    [
        ("GET", "/", {}, "ListBuckets"),
        ("GET", "/bucket", {}, "ListObjects"),
        ("GET", "/bucket/", {}, "ListObjects"),
        ("GET", "/bucket?list-type=2", {}, "ListObjectsV2"),
        ("GET", "/bucket?versions", {}, "ListObjectVersions"),
        ("PUT", "/bucket/key", {}, "PutObject"),
        ("PUT", "/bucket/key", {"x-amz-copy-source": "/a/b"}, "CopyObject"),
        ("PUT", "/bucket/key?partNumber=1&uploadId=u", {}, "UploadPart"),
        ("PUT", "/bucket/key?partNumber=1&uploadId=u", {"x-amz-copy-source": "/a/b"}, "UploadPartCopy"),
        ("POST", "/bucket/key?uploads", {}, "CreateMultipartUpload"),
        ("POST", "/bucket/key?uploadId=u", {}, "CompleteMultipartUpload"),
        ("GET", "/bucket/key?uploadId=u", {}, "ListParts"),
        ("POST", "/bucket", {"content-type": "multipart/form-data; boundary=b"}, "PostObject"),
        ("POST", "/bucket?delete", {}, "DeleteObjects"),
        ("OPTIONS", "/bucket/key", {}, "OptionsObject"),
        ("GET", "/bucket?analytics", {}, "ListBucketAnalyticsConfigurations"),
        ("GET", "/bucket?analytics&id=a", {}, "GetBucketAnalyticsConfiguration"),
    ],
)
def test_an_unsigned_request_is_s3s(method: str, target: str, headers: dict[str, str], operation: str) -> None:
    route = identifier().identify(HttpRequest(method, target, {"host": "localhost:4566", **headers}), "")
    assert route is not None
    assert (route.service, route.operation) == ("s3", operation)


def test_a_query_request_to_a_queue_url_is_sqss() -> None:
    request = HttpRequest("GET", "/000000000000/queue?Action=SendMessage&MessageBody=hi", {"host": "localhost:4566"})
    route = identifier().identify(request, "")
    assert route is not None
    assert tuple(route) == ("sqs", "SendMessage", "query")


def test_an_unknown_target_has_no_route() -> None:
    assert (
        identifier().identify(HttpRequest("POST", "/", {"host": "localhost", "x-amz-target": "Nothing.Here"}), "")
        is None
    )
