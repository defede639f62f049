"""moto as a library: the only file that imports it. `fallback.service` loads it at the first request that needs it.

    engine.answer(request, …)     an HTTP request to the response class that moto's url_paths name, its answer as it is
    engine.invoke(…)              the same for a request in AWS's member names: serialized and parsed by botocore
    engine.reset, states, adopt   moto's back ends: forgotten, pickled, put back

Before any service of moto is imported, its clock becomes ours, its back ends of native services become `native.Seam`s.
"""

from __future__ import annotations

import importlib
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import botocore.parsers
import botocore.serialize
import moto.backends
import moto.core.utils
from botocore.awsrequest import HeadersDict
from moto.core import base_backend, common_models
from moto.core.config import default_user_config
from moto.core.exceptions import HTTPException
from moto.core.request import Request
from moto.moto_api._internal import mock_random

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.fallback import pickling
from cloudlet.emulator.fallback.corrections import CORRECTIONS
from cloudlet.emulator.fallback.coverage import module_of
from cloudlet.emulator.fallback.factories import FACTORY, Factories
from cloudlet.emulator.fallback.native import CALLERS_OF_LAMBDA, SEAMS, LambdaBackend, NativeCalls, Seam
from cloudlet.emulator.fallback.pickling import Name
from cloudlet.emulator.fallback.resources import KINDS, Kind
from cloudlet.emulator.kernel.errors import NotImplementedFailure, UnmodelledError
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

LOG = logging.getLogger("cloudlet.fallback")

# The gateway writes these itself; `status` is how moto's response classes hand the status on.
DROPPED_HEADERS = frozenset({"date", "connection", "transfer-encoding", "content-length", "status", "server"})
REQUEST_ID_HEADERS = frozenset({"x-amzn-requestid", "x-amz-request-id"})
SPOKEN = ("json", "query", "rest-json", "rest-xml", "ec2")  # protocols that moto reads

ABOUT_ERRORS = frozenset({"Error", "ResponseMetadata", "message", "Message"})  # not members of the error's own

NOBODY = "000000000000"  # the account of back ends that are looked at and never used

Serves = Callable[[str], bool]


class Engine:
    """moto with our clock, our account and our native services. One per process: moto's state is the modules'."""

    def __init__(self, calls: NativeCalls, is_native: Serves, clock: Clock, seed: int | None) -> None:
        # Warnings inside libraries that we do not maintain tell users of Cloudlet nothing.
        for module in ("moto", "botocore", "boto3", "openapi_spec_validator", "jsonschema_path", "jsonpath_ng", "yaml"):
            warnings.filterwarnings("ignore", module=rf"{module}(\..*)?")
        self._calls = calls
        self._is_native = is_native
        self._routes: dict[str, tuple[tuple[re.Pattern[str], Callable[..., Any]], ...]] = {}
        self._kinds: dict[str, Kind] = {}
        self._factories = Factories(lambda module: moto.backends.get_backend(module).backend("us-east-1", NOBODY))
        self._timestamps = botocore.parsers.ResponseParserFactory()
        self._timestamps.set_parser_defaults(timestamp_parser=seconds)
        if seed is not None:
            mock_random.seed(seed)
        default_user_config["iam"] = {
            "load_aws_managed_policies": True
        }  # tools attach them to the roles that they make
        moto.core.utils.utcnow = lambda: datetime.fromtimestamp(clock.now(), UTC).replace(tzinfo=None)
        # moto keeps every object that it ever made in a list of its class; a long-running process must not.
        common_models.BaseModel.__new__ = staticmethod(lambda kind, *_args, **_options: object.__new__(kind))
        base_backend.allow_unknown_region = lambda: True  # the gateway has checked the region
        self._wire_seams()

    # --- requests

    def answer(
        self, service: str, operation: str, endpoint: str, account: str, region: str, request_id: str, http: HttpRequest
    ) -> HttpResponse:
        """moto's answer. Raises NotImplementedFailure, and whatever else moto's code raises."""
        url = f"https://{endpoint}.{region}.amazonaws.com{http.path}"
        if http.query:
            url += f"?{http.query}"
        headers = {name: value for name, value in http.headers.items() if name not in ("host", "content-length")}
        status, answered, body = self._carry_out(
            service,
            operation,
            account,
            Request.from_primitives(http.method, url, headers | host_of(url), http.body.read()),
        )
        made = HttpResponse(status, {}, body)
        for name, value in answered.items():
            if name.lower() in REQUEST_ID_HEADERS:
                made.body = body.replace(str(value).encode(), request_id.encode()) if value else body
            elif name.lower() not in DROPPED_HEADERS:
                made.headers[name] = str(value)
        made.headers["x-amzn-RequestId"] = request_id
        return made

    def invoke(
        self, service: str, operation: str, account: str, region: str, request: dict[str, Any]
    ) -> dict[str, Any]:
        """The result of an operation. Raises UnmodelledError with the code of moto's error, NotImplementedFailure."""
        model = moto.core.utils.get_service_model(service)
        shape = model.operation_model(operation)
        protocol = next(name for name in SPOKEN if name in (model.metadata.get("protocols") or [model.protocol]))
        wire = botocore.serialize.create_serializer(protocol, include_validation=False).serialize_to_request(
            request, shape
        )
        url = f"https://{model.endpoint_prefix}.{region}.amazonaws.com{wire['url_path']}"
        if wire["query_string"]:
            url += ("&" if "?" in url else "?") + urlencode(wire["query_string"], doseq=True)
        body = urlencode(wire["body"]) if isinstance(wire["body"], dict) else wire["body"]
        headers = {name: str(value) for name, value in wire["headers"].items()} | host_of(url)
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={account}/20200101/{region}/{service}/aws4_request, "
        status, answered, content = self._carry_out(
            service, operation, account, Request.from_primitives(wire["method"], url, headers, body)
        )
        parser = self._timestamps.create_parser(protocol)
        answer = {"status_code": status, "headers": HeadersDict(answered), "body": content, "context": {}}
        if shape.has_streaming_output and status < 300:
            answer["body"] = SimpleNamespace(read=lambda: content)
        parsed: dict[str, Any] = parser.parse(answer, shape.output_shape)
        if status >= 300:
            error = parsed.get("Error", {})
            members = {name: value for name, value in parsed.items() if name not in ABOUT_ERRORS}
            code = error.get("Code") or "InternalFailure"
            raise UnmodelledError(code, error.get("Message") or "", status, **members)
        parsed.pop("ResponseMetadata", None)
        if shape.has_streaming_output:
            parsed = {name: content if hasattr(value, "read") else value for name, value in parsed.items()}
        return parsed

    def _carry_out(
        self, service: str, operation: str, account: str, request: Request
    ) -> tuple[int, dict[str, Any], bytes]:
        request.environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
        path = request.raw_path
        handler = next((found for pattern, found in self._paths(service) if pattern.match(path)), None)
        if handler is None:
            raise missing(service, operation)
        try:
            status, headers, body = handler(request, request.raw_url, request.headers)
        except HTTPException as error:  # what moto raises outside of its own rendering
            status, headers, body = error.code or 500, dict(error.get_headers()), error.get_body()
        except NotImplementedError as error:
            raise missing(service, operation, str(error)) from error
        except ModuleNotFoundError as error:
            raise missing(service, operation, f"the package {error.name} is not installed") from error
        content = body.encode() if isinstance(body, str) else bytes(body or b"")
        return int(status), dict(headers), content

    def _paths(self, service: str) -> tuple[tuple[re.Pattern[str], Callable[..., Any]], ...]:
        """Patterns of paths and their handlers, as the service's `url_paths` has them."""
        routes = self._routes.get(service)
        if routes is None:
            self._load(service)
            correct = CORRECTIONS.get(service)
            if correct is not None:
                correct(load)
            urls = importlib.import_module(  # lazy: one service of moto at its first request
                f"moto.{module_of(service)}.urls"
            )
            paths = urls.url_paths.items()
            routes = tuple((re.compile(path.format("")), handler) for path, handler in paths)
            self._routes[service] = routes
        return routes

    def preload(self, service: str) -> None:
        """Import a service's code before its first request."""
        self._paths(service)

    # --- the seam to the native services

    def _load(self, service: str) -> None:
        if service == "cloudformation" and not self._kinds:
            self._wire_resources()
        if service == "lambda":
            # A role is not checked before a function is made: users of LocalStack make functions without one.
            vars(load("moto.awslambda.models"))["iam_backends"] = NoCheck()
        if service in CALLERS_OF_LAMBDA and self._is_native("lambda"):
            vars(load("moto.awslambda.models"))["lambda_backends"] = Seam(LambdaBackend, self._calls, {})

    def _wire_seams(self) -> None:
        modules = [(load(module), name, kind) for module, name, kind in SEAMS]
        missing_names = missing_errors()
        for module, name, kind in modules:
            if not self._is_native(kind.service):
                continue
            original, seam = getattr(module, name), Seam(kind, self._calls, missing_names)
            for loaded in tuple(sys.modules.values()):
                if getattr(loaded, "__name__", "").startswith("moto.") and vars(loaded).get(name) is original:
                    setattr(loaded, name, seam)

    def _wire_resources(self) -> None:
        for kind in KINDS:
            if self._is_native(kind.service):
                self._kinds[kind.type] = kind(self._calls)

    def native_kind(self, name: str) -> Kind | None:
        """The kind of CloudFormation's resource that a native service has for a type."""
        self._load("cloudformation")
        return self._kinds.get(name)

    def model_of(self, name: str) -> tuple[Any, str | None]:
        """moto's model of a type of CloudFormation and the property that names it; None where it has none."""
        parsing = load("moto.cloudformation.parsing")
        return parsing.get_model_map().get(name), parsing.get_name_type_map().get(name)

    def reach(self, account: str, region: str, service: str, operation: str, request: dict[str, Any]) -> Any:
        """A native service's operation, or another one of moto's."""
        if self._is_native(service):
            return self._calls(account, region, service, operation, request)
        return self.invoke(service, operation, account, region, request)

    # --- state

    def reset(self, service: str | None = None) -> None:
        """Forget the state of one service (botocore's name), or of all."""
        for backends in tuple(base_backend.BackendDict._instances):
            if service is None or module_name(backends.backend) == module_of(service):
                backends.clear()

    def states(self) -> Iterator[tuple[str, dict[tuple[str, str], dict[str, Any]]]]:
        """moto's name of each service in use -> (account, region) -> the attributes of its back end."""
        found: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
        for backends in tuple(base_backend.BackendDict._instances):
            part = found.setdefault(module_name(backends.backend), {})
            for account, region, backend in backends.iter_backends():
                part[account, region] = backend.__dict__
        yield from found.items()

    def resources(self) -> Iterator[tuple[str, str, str, str]]:
        """(CloudFormation's type, account, region, name) of the objects that back ends hold in dictionaries."""
        for backends in tuple(base_backend.BackendDict._instances):
            for account, region, backend in backends.iter_backends():
                for kind, name in getattr(vars(backend).get("cloudlet_stacks"), "resources", tuple)():
                    yield kind, account, region, name
                for held in tuple(vars(backend).values()):
                    for value in tuple(held.values()) if isinstance(held, dict) else ():
                        own = ":iam::aws:" not in str(getattr(value, "arn", ""))  # AWS's own policies are no resources
                        if own and isinstance(value, common_models.CloudFormationModel):
                            name = getattr(value, "physical_resource_id", None) or getattr(value, "name", "")
                            yield value.cloudformation_type(), account, region, str(name)

    def dump(self, state: Any) -> bytes:
        """Raises what an object makes of it that cannot be pickled."""
        return pickling.dump(state, self.name_of)

    def adopt(self, module: str, content: bytes) -> None:
        """Put back what `dump` made. Raises what a file of another version of moto makes of it."""
        for (account, region), attributes in self.read(content).items():
            self.place(module, account, region, attributes)

    def read(self, content: bytes, *, believe: bool = True) -> dict[tuple[str, str], dict[str, Any]]:
        """(account, region) -> the attributes of a back end. Raises what `adopt` raises.

        `believe` what this emulator wrote itself; of anything else only data and moto's classes are read.
        """
        found: dict[tuple[str, str], dict[str, Any]] = pickling.load(content, self.by_name, believe=believe)
        return found

    def place(self, module: str, account: str, region: str, attributes: dict[str, Any], *, keep: bool = False) -> None:
        """Give a back end these attributes; with `keep`, what is in its dictionaries stays beside what comes."""
        backend = self._backend(module, account, region)
        if keep:
            for name, held in vars(backend).items():
                if isinstance(held, dict) and isinstance(attributes.get(name), dict):
                    attributes[name] = joined(held, attributes[name])
        backend.__dict__ = attributes

    def prepare(self, module: str) -> None:
        """Before a service's state is read: what its objects refer to has to be there."""
        load(f"moto.{module}.models")
        self._load({"cloudformation": "cloudformation", "awslambda": "lambda"}.get(module, ""))

    def name_of(self, value: Any) -> Name | None:
        """How a pickle refers to what is not part of it: other back ends, kinds of resources, the native services."""
        if isinstance(value, base_backend.BaseBackend):
            return "backend", module_name(type(value)), value.account_id, value.region_name
        if isinstance(value, base_backend.BackendDict):
            return "backends", module_name(value.backend)
        if isinstance(value, Kind):
            return "kind", value.type
        if isinstance(value, Seam | NativeCalls | ModuleType):
            raise TypeError(f"{type(value).__name__} inside a state")
        if isinstance(value, FunctionType):
            return self._factories.name_of(value)
        return None

    def by_name(self, name: Name) -> Any:
        if name[0] == "kind":
            self._load("cloudformation")
            return self._kinds[name[1]]
        if name[0] == "backends":
            return moto.backends.get_backend(name[1])
        if name[0] == FACTORY:
            return self._factories.factory(name[1], name[2])
        return self._backend(*name[1:])

    def backend(self, service: str, account: str, region: str, partition: str) -> Any:
        """The object that holds the state of a service (botocore's name); a global service has one a partition."""
        self._paths(service)
        module = module_of(service)
        regional = moto.backends.get_backend(module)._use_boto3_regions
        return self._backend(module, account, region if regional else partition)

    @staticmethod
    def _backend(module: str, account: str, region: str) -> Any:
        return moto.backends.get_backend(module)[account][region]


def joined(ours: dict[Any, Any], theirs: dict[Any, Any]) -> dict[Any, Any]:
    """Theirs, with those of ours whose key they do not have; dictionaries inside, such as those by region, likewise."""
    for key, value in ours.items():
        if key not in theirs:
            theirs[key] = value
        elif isinstance(value, dict) and isinstance(theirs[key], dict):
            joined(value, theirs[key])
    return theirs


def module_name(kind: type) -> str:
    return kind.__module__.split(".")[1]


def load(module: str) -> ModuleType:
    return importlib.import_module(module)  # lazy: a service of moto that nobody uses costs nothing


class NoCheck:
    """Answers every question of moto's Lambda to IAM with yes."""

    def __getitem__(self, _key: str) -> NoCheck:
        return self

    def get_role_by_arn(self, _arn: str) -> None:
        """There is such a role."""


def missing_errors() -> dict[str, Callable[[str], Exception]]:
    """What moto's code expects to catch when something of a native service is not there."""
    s3, sqs, sns, dynamodb = (load(f"moto.{name}.exceptions") for name in ("s3", "sqs", "sns", "dynamodb"))
    return {
        "bucket": s3.MissingBucket,
        "queue": lambda _name: sqs.QueueDoesNotExist(),
        "topic": lambda _arn: sns.TopicNotFound(),
        "table": lambda _name: dynamodb.ResourceNotFoundException(),
    }


def missing(service: str, operation: str, reason: str = "") -> NotImplementedFailure:
    because = f" ({reason.rstrip('.')})" if reason else ""
    return NotImplementedFailure(
        f"The operation {service}.{operation} is not implemented yet{because}. docs/services/README.md lists what is."
    )


def host_of(url: str) -> dict[str, str]:
    return {"host": url.partition("://")[2].partition("/")[0]}


def seconds(value: Any) -> float:
    """A timestamp of any wire format as seconds since the epoch."""
    parsed = botocore.parsers.DEFAULT_TIMESTAMP_PARSER(value)
    return float(parsed.timestamp())
