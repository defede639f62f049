"""Which service and operation a request is for.

In this order, each a look-up in a table made from the models:

    Host: id.lambda-url.us-east-1.localhost.localstack.cloud     a function's URL
    X-Amz-Target: DynamoDB_20120810.GetItem                  json 1.0 and 1.1 (and CBOR of Kinesis)
    /service/GraniteServiceVersion20100801/operation/PutMetricData      smithy-rpc-v2-cbor
    Action=CreateQueue&Version=2012-11-05                    query and ec2, in the body or in the URL
    Host: bucket.s3.localhost.localstack.cloud               virtual-hosted S3
    the signing name of the credential, method and path      rest-json and rest-xml
    anything else                                            S3, in path style
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl

from cloudlet.emulator.gateway.rest_routes import RestOperation, RestRoutes
from cloudlet.emulator.gateway.s3_routes import S3Routes, virtual_bucket
from cloudlet.emulator.protocol.message import HttpRequest
from cloudlet.emulator.protocol.models import Models, ServiceEntry

FORM = "application/x-www-form-urlencoded"
URL_HOST = ".lambda-url."
CBOR_CONTENT = "application/x-amz-cbor-1.1"

# Several services answer the same thing; which one is meant unless the credential says otherwise, and why.
PREFERRED = (
    ("s3", "an unsigned request to a path is how browsers and curl read objects"),
    ("rds", "docdb and neptune are RDS's API under RDS's signing name; RDS knows their engines too"),
    ("timestream-write", "shares its target prefix with timestream-query, whose operations are told apart by name"),
    ("ses", "elasticbeanstalk has the same API version; SES is signed as ses or email"),
    ("iam", "a query action without version and credential is most often IAM's"),
    ("ec2", "the oldest API, and the one whose clients send least"),
)


class Route(NamedTuple):
    """What a request asks for. `protocol` is one of `protocol.codec`'s names."""

    service: str
    operation: str
    protocol: str


class Identifier:
    """Routes requests. Holds only tables derived from the models; most are built at their first use."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._targets: dict[str, Route] = {}
        self._cbor_paths: dict[str, Route] = {}
        self._actions: dict[tuple[str, str, str], Route | None] = {}
        self._rest: dict[str, RestRoutes] = {}
        self._s3: S3Routes | None = None
        self._preference = {name: position for position, (name, _reason) in enumerate(PREFERRED)}

    def identify(self, request: HttpRequest, signing_name: str) -> Route | None:
        """The route of a request; None where no service has such an operation.

        A virtual-hosted S3 request is rewritten to path style on the way.
        """
        headers = request.headers
        if URL_HOST in headers.get("host", ""):
            return Route("lambda", "InvokeUrl", "rest-json")  # a function's URL: whatever the function makes of it
        target = headers.get("x-amz-target")
        if target is not None:
            cbor = headers.get("content-type", "").startswith(CBOR_CONTENT)
            key = target + "#cbor" if cbor else target
            return self._targets.get(key) or self._by_target(key, target, cbor, signing_name)
        if headers.get("smithy-protocol") == "rpc-v2-cbor":
            return self._cbor_paths.get(request.path) or self._by_cbor_path(request.path, signing_name)
        if request.method == "POST" and headers.get("content-type", "").startswith(FORM):
            route = self._by_form(request, signing_name)
            if route is not None:
                return route
        elif "Action=" in request.query:
            route = self._by_action(request.params.get("Action", ""), request.params.get("Version", ""), signing_name)
            if route is not None:
                return route
        return self._by_path(request, signing_name)

    # --- one method a rule

    def _by_target(self, key: str, target: str, cbor: bool, signing_name: str) -> Route | None:
        prefix, _, operation = target.rpartition(".")
        service = self._choose(self._models.index.by_target_prefix.get(prefix, ()), operation, signing_name)
        if service is None:
            return None
        protocol = "json-cbor" if cbor else "json"
        route = Route(service, operation, protocol)
        if self._has_operation(service, operation):
            self._targets[key] = route  # only what exists: the table stays as small as the models
        return route

    def _by_cbor_path(self, path: str, signing_name: str) -> Route | None:
        parts = path.split("/")
        if len(parts) < 4 or parts[-2] != "operation" or parts[-4] != "service":
            return None
        operation = parts[-1]
        by_prefix = self._models.index.by_target_prefix
        prefix = parts[-3]  # with or without the namespace of the model
        services = by_prefix.get(prefix) or by_prefix.get(prefix.rpartition(".")[2], ())
        service = self._choose(services, operation, signing_name)
        if service is None:
            return None
        route = Route(service, operation, "smithy-rpc-v2-cbor")
        if self._has_operation(service, operation):
            self._cbor_paths[path] = route
        return route

    def _by_form(self, request: HttpRequest, signing_name: str) -> Route | None:
        body = request.body.read() if request.body.size else b""
        action, version = form_value(body, b"Action="), form_value(body, b"Version=")
        if not action and request.query:
            action = request.params.get("Action", "")
            version = request.params.get("Version", "")
        return self._by_action(action, version, signing_name) if action else None

    def _by_action(self, action: str, version: str, signing_name: str) -> Route | None:
        key = (action, version, signing_name)
        try:
            return self._actions[key]
        except KeyError:
            pass
        services: Sequence[str] = self._models.actions.get(action, ())
        if version:
            services = [name for name in services if self._entry(name).api_version == version] or services
        service = self._choose(services, action, signing_name)
        if service is None:
            # Not an operation: the error should still come from the service that was asked, in its own form.
            asked = [
                name
                for name in self._models.index.by_signing_name.get(signing_name, ())
                if query_protocol(self._entry(name))
            ]
            return Route(asked[0], action, query_protocol(self._entry(asked[0]))) if asked else None
        route = Route(service, action, query_protocol(self._entry(service)))
        self._actions[key] = route
        return route

    def _by_path(self, request: HttpRequest, signing_name: str) -> Route | None:
        if signing_name == "s3-outposts" and request.path.startswith("/S3Outposts/"):
            return self._by_rest(request, signing_name)
        if signing_name in ("", "s3", "s3express", "s3-outposts"):
            if request.path.startswith("/v20180820/"):
                return self._by_rest(request, "s3control")
            return self._by_s3(request)
        return self._by_rest(request, signing_name)

    def _by_s3(self, request: HttpRequest) -> Route | None:
        bucket = virtual_bucket(request.host)
        if bucket is not None:
            request.path = f"/{bucket}{request.path}"
            if ".s3-website" in request.host and request.method in ("GET", "HEAD"):
                return Route("s3", "WebsiteObject", "rest-xml")  # pages, not the API
        if self._s3 is None:
            self._s3 = S3Routes(self._rest_operations(("s3",)))
        operation = self._s3.operation(request)
        return None if operation is None else Route("s3", operation, "rest-xml")

    def _by_rest(self, request: HttpRequest, signing_name: str) -> Route | None:
        routes = self._rest.get(signing_name)
        if routes is None:
            services = self._models.index.by_signing_name.get(signing_name) or self._named(signing_name)
            routes = RestRoutes(self._rest_operations(services))
            self._rest[signing_name] = routes
        found = routes.match(request.method, request.path, request.params)
        if found is None:
            return None
        return Route(found.service, found.operation, rest_protocol(self._entry(found.service)))

    # --- helpers

    def _entry(self, service: str) -> ServiceEntry:
        return self._models.index.services[service]

    def _named(self, service: str) -> Sequence[str]:
        return (service,) if service in self._models.index.services else ()

    def _has_operation(self, service: str, operation: str) -> bool:
        return self._models.service(service).has_operation(operation)

    def _rest_operations(self, services: Sequence[str]) -> list[RestOperation]:
        ordered = sorted(services, key=lambda name: self._preference.get(name, len(PREFERRED)))
        return [
            RestOperation(service, route.operation, route.method, route.path, tuple(route.query.items()))
            for service in ordered
            for route in self._models.service(service).routes()
            if rest_protocol(self._entry(service))
        ]

    def _choose(self, services: Sequence[str], operation: str, signing_name: str) -> str | None:
        """One of several services: it has the operation, the credential names it, it is the preferred one."""
        if len(services) > 1:
            services = [name for name in services if self._has_operation(name, operation)] or services
        if len(services) > 1 and signing_name:
            services = [name for name in services if self._entry(name).signing_name == signing_name] or services
        if not services:
            return None
        return min(services, key=lambda name: self._preference.get(name, len(PREFERRED)))


def form_value(body: bytes, name: bytes) -> str:
    """One plain value of a form body without decoding the whole of it: actions and versions hold no escapes."""
    start = body.find(name)
    while start > 0 and body[start - 1] != 0x26:
        start = body.find(name, start + 1)
    if start < 0:
        return ""
    end = body.find(b"&", start)
    value = body[start + len(name) : end if end >= 0 else None]
    text = value.decode("utf-8", "replace")
    return parse_qsl("v=" + text)[0][1] if "%" in text else text


def query_protocol(entry: ServiceEntry) -> str:
    """`query` or `ec2`; empty for a service that speaks neither."""
    return next((protocol for protocol in entry.protocols if protocol in ("query", "ec2")), "")


def rest_protocol(entry: ServiceEntry) -> str:
    """`rest-json` or `rest-xml`; empty for a service that speaks neither."""
    return next((protocol for protocol in entry.protocols if protocol.startswith("rest-")), "")
