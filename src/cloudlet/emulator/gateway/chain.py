"""The way of a request, in order, on one screen.

    internal    /_localstack/*, /_cloudlet/*, /_aws/*  -> answered by `internal`
    cors        pages of foreign origins are refused; preflights are answered
    identity    account, region, principal from the credential
    identify    (service, operation, protocol) from target header, path, host, credential scope
    entitle     is this service served, and in the active license?
    chaos       faults and latency that were asked for
    parse       wire -> dict in AWS's names, validated by the model
    transact    open transaction -> handler -> commit; what is not native: the fallback, in a thread
    serialize   result or error -> wire, by the model
    journal     one line in the log, counters

A synchronous operation runs from top to bottom without a coroutine; an `async def` one returns a coroutine that the
server makes a task of.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import time
from collections.abc import Awaitable, Coroutine
from typing import Any

from cloudlet.emulator.gateway.apis.addresses import HOST as API_HOST
from cloudlet.emulator.gateway.apis.addresses import OLD_PREFIX, PREFIX, Address, find_address
from cloudlet.emulator.gateway.chaos import Chaos
from cloudlet.emulator.gateway.cors import Cors
from cloudlet.emulator.gateway.dispatch import Dispatcher, not_implemented
from cloudlet.emulator.gateway.entitle import Entitlement
from cloudlet.emulator.gateway.http.body import RefusedBody
from cloudlet.emulator.gateway.identify import Identifier, Route
from cloudlet.emulator.gateway.identity import Identities, Identity
from cloudlet.emulator.gateway.internal.routes import InternalApi
from cloudlet.emulator.gateway.journal import Journal
from cloudlet.emulator.gateway.registry import Handler
from cloudlet.emulator.gateway.s3_routes import virtual_bucket
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError, InternalFailure, UnmodelledError
from cloudlet.emulator.kernel.service import Service
from cloudlet.emulator.protocol.codec import Codec, codec, error_response
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.protocol.models import Models
from cloudlet.emulator.store.blobs import SpooledBody

LOG = logging.getLogger("cloudlet.gateway")
DYNAMODB_BODY_BYTES = 16 * 1024 * 1024  # the largest request that DynamoDB's front end takes ("Service quotas")
INTERNAL_PREFIXES = ("/_localstack/", "/_cloudlet/", "/_aws/")
DOCUMENT_PATH = "/openapi.yaml"

SERVED_BY = "x-cloudlet-served-by"
NATIVE = "native"
FALLBACK = "fallback"
RUNNING_APIS = "cloudlet.emulator.gateway.apis.running"
API_PREFIXES = (PREFIX, OLD_PREFIX)

Answer = HttpResponse | Coroutine[Any, Any, HttpResponse]


class Bound:
    """Everything about one operation over one protocol, put together at its first request."""

    __slots__ = ("codec", "handler", "operation", "protocol", "read_only", "served_by", "service", "service_name")

    def __init__(
        self, service: Service, route: Route, wire: Codec | None, handler: Handler, served_by: str = NATIVE
    ) -> None:
        self.service = service
        self.service_name = route.service
        self.operation = route.operation
        self.protocol = route.protocol
        self.codec = wire
        self.handler = handler
        self.served_by = served_by


class Chain:
    """The gateway's handler: a request in, a response (or a coroutine of one) out. Never raises."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        identities: Identities,
        identifier: Identifier,
        models: Models,
        entitlement: Entitlement,
        chaos: Chaos,
        internal: InternalApi,
        cors: Cors,
        journal: Journal,
        version: str,
    ) -> None:
        self.dispatcher = dispatcher
        self.identities = identities
        self.identifier = identifier
        self.models = models
        self.entitlement = entitlement
        self.chaos = chaos
        self.internal = internal
        self.cors = cors
        self.journal = journal
        self._version = version if dispatcher.settings.response_header_enabled else ""
        self._bound: dict[Route, Bound] = {}

    def __call__(self, request: HttpRequest) -> Answer:
        path = request.path
        if path.startswith(API_PREFIXES) or API_HOST in request.headers.get("host", ""):
            address = find_address(request)
            if address is not None:
                return self._answer_api(request, address)
        if path.startswith("/_") and path.startswith(INTERNAL_PREFIXES):
            return self._answer_internal(request)
        if path == DOCUMENT_PATH and asks_for_document(request):
            return self._answer_internal(request)
        if "origin" in request.headers:
            refused = self._check_origin(request)
            if refused is not None:
                return refused
        started = time.perf_counter()
        identity = self.identities.of(request)
        route = self.identifier.identify(request, identity.signing_name)
        if route is None:
            return self._finish_unrouted(request, identity, started)
        bound = self._bound.get(route)
        if bound is None:
            try:
                bound = self._bind(route)
            except AwsError as error:
                return self._finish_unbound(request, route, error, started)
        call = self.dispatcher.call(
            route.service,
            route.operation,
            identity.principal,
            identity.account_id,
            identity.region,
            request_id=self.dispatcher.ids.request_id(route.service),
            http=request,
        )
        if self.chaos.is_active:
            return self._disturb(bound, call, request, started)
        return self._carry_out(bound, call, request, started)

    async def _answer_api(self, request: HttpRequest, address: Address) -> HttpResponse:
        """A request to an API that a user has made."""
        started = time.perf_counter()
        apis = importlib.import_module(RUNNING_APIS)  # lazy: for those who have made an API
        try:
            response: HttpResponse = await apis.answer_api(self.dispatcher, request, address)
        except Exception as error:  # renders: whatever goes wrong inside is the API's 500
            LOG.error("the API %s failed", address.api_id, exc_info=error)
            response = HttpResponse(500, {"Content-Type": "application/json"}, b'{"message":"Internal server error"}')
        if type(request.body) is SpooledBody:
            request.body.discard()
        self._add_headers(request, response)
        milliseconds = (time.perf_counter() - started) * 1000
        self.journal.record("execute-api", address.api_id, request.method, response.status, "", milliseconds)
        return response

    def _disturb(self, bound: Bound, call: Call, request: HttpRequest, started: float) -> Answer:
        """What a fault rule hits fails unread; everything waits for the latency that was asked for."""
        fault = self.chaos.fault(call.service, call.operation, call.region)
        latency = self.chaos.latency_milliseconds
        if latency:
            return self._delay(bound, call, request, started, fault, latency / 1000)
        if fault is None:
            return self._carry_out(bound, call, request, started)
        return self._finish(bound, call, request, self._render(bound, call, request, fault), started, fault.code)

    async def _delay(
        self, bound: Bound, call: Call, request: HttpRequest, started: float, fault: AwsError | None, seconds: float
    ) -> HttpResponse:
        await asyncio.sleep(seconds)
        if fault is not None:
            return self._finish(bound, call, request, self._render(bound, call, request, fault), started, fault.code)
        answer = self._carry_out(bound, call, request, started)
        return answer if isinstance(answer, HttpResponse) else await answer

    def _carry_out(self, bound: Bound, call: Call, request: HttpRequest, started: float) -> Answer:
        wire = bound.codec
        try:
            body = request.body
            if type(body) is RefusedBody:
                raise body.error
            if body.size > DYNAMODB_BODY_BYTES and bound.service_name == "dynamodb":
                raise UnmodelledError("RequestEntityTooLargeException", "Request entity is too large.", 413)
            if wire is None:
                parameters = bound.service.parsers[bound.operation](request)
            else:
                parameters = wire.parse(request)
            handler = bound.handler
            if handler.is_async or self.dispatcher.waits:
                return self._carry_out_async(bound, call, request, parameters, started)
            result = self.dispatcher.run(handler, call, parameters)
            response = result if wire is None else wire.serialize(result, call.request_id)
        except AwsError as error:
            return self._finish(bound, call, request, self._render(bound, call, request, error), started, error.code)
        except Exception as error:  # renders: whatever goes wrong inside becomes AWS's InternalFailure
            failure = self._unexpected(call, error)
            return self._finish(
                bound, call, request, self._render(bound, call, request, failure), started, failure.code
            )
        return self._finish(bound, call, request, response, started, "")

    async def _carry_out_async(
        self, bound: Bound, call: Call, request: HttpRequest, parameters: dict[str, Any], started: float
    ) -> HttpResponse:
        code = ""
        try:
            result = await self.dispatcher.run_async(bound.handler, call, parameters)
            response = result if bound.codec is None else bound.codec.serialize(result, call.request_id)
        except AwsError as error:
            code = error.code
            response = self._render(bound, call, request, error)
        except Exception as error:  # renders: whatever goes wrong inside becomes AWS's InternalFailure
            failure = self._unexpected(call, error)
            code = failure.code
            response = self._render(bound, call, request, failure)
        return self._finish(bound, call, request, response, started, code)

    def _bind(self, route: Route) -> Bound:
        """Put an operation together. Raises AwsError where it is not served or not licensed."""
        self.entitlement.check(route.service)
        model = self.models.service(route.service)
        service = self.dispatcher.registry.load(route.service)
        pseudo = service is not None and route.operation in service.parsers
        if not pseudo and not model.has_operation(route.operation):
            raise unknown_operation(route)
        if service is None or (not pseudo and self.dispatcher.fallback.serves(route.service, route.operation)):
            return self._bind_fallback(route)
        handler = self.dispatcher.handler(route.service, route.operation)
        wire = None if pseudo else codec(model, route.operation, route.protocol)
        bound = self._bound[route] = Bound(service, route, wire, handler)
        return bound

    def _bind_fallback(self, route: Route) -> Bound:
        fallback = self.dispatcher.fallback
        if not fallback.serves(route.service, route.operation):
            raise not_implemented(route.service, route.operation)
        wire = fallback.codec(route.service, route.operation, route.protocol)
        handler = Handler(fallback.answer if wire is None else fallback.carry_out)
        service = Service(route.service, modules=(), parsers={route.operation: no_parameters})
        bound = self._bound[route] = Bound(service, route, wire, handler, FALLBACK)
        return bound

    def wants_spool(self, request: HttpRequest) -> bool:
        """Whether a large body goes to a blob instead of memory: uploads to S3, whose bodies may be 5 GB."""
        if request.method not in ("PUT", "POST") or "x-amz-target" in request.headers:
            return False
        return self.identities.of(request).signing_name in ("", "s3")

    # --- answers

    def _render(self, bound: Bound, call: Call, request: HttpRequest, error: AwsError) -> HttpResponse:
        if bound.codec is not None:
            return bound.codec.error(error, call.request_id, request.method)
        service = self.models.service(bound.service_name)
        return error_response(bound.protocol, error, call.request_id, request.method, service)

    def _unexpected(self, call: Call, error: Exception) -> AwsError:
        LOG.error("%s.%s failed, request %s", call.service, call.operation, call.request_id, exc_info=error)
        return InternalFailure(
            f"Cloudlet failed on {call.service}.{call.operation}: {type(error).__name__}: {error} "
            f"(request {call.request_id}; the log has the traceback)"
        )

    def _finish(
        self, bound: Bound, call: Call, request: HttpRequest, response: HttpResponse, started: float, code: str
    ) -> HttpResponse:
        if bound.service.finish is not None:
            bound.service.finish(call, request, response)
        if bound.operation == "OptionsObject" and response.status == 403:
            response = self._preflight_of_ours(request) or response
        if type(request.body) is SpooledBody:
            request.body.discard()
        response.headers[SERVED_BY] = bound.served_by
        self._add_headers(request, response)
        milliseconds = (time.perf_counter() - started) * 1000
        self.journal.record(bound.service_name, bound.operation, request.method, response.status, code, milliseconds)
        return response

    def _preflight_of_ours(self, request: HttpRequest) -> HttpResponse | None:
        """For a bucket without rules (one with rules has taken the origin away): ours are for pages on this machine."""
        origin = request.headers.get("origin")
        return self.cors.preflight(request) if origin is not None and self.cors.allows(origin) else None

    def _add_headers(self, request: HttpRequest, response: HttpResponse) -> None:
        if self._version:
            response.headers["x-localstack"] = self._version
        if "origin" in request.headers and self.cors.allows(request.headers["origin"]):
            self.cors.add_headers(request, response)

    def _finish_unrouted(self, request: HttpRequest, identity: Identity, started: float) -> HttpResponse:
        """No service has such an operation: answer in the form that the client's service speaks."""
        service = identity.signing_name or "s3"
        target = request.headers.get("x-amz-target")
        if target is not None:
            route = Route(service, target.rpartition(".")[2] or "Unknown", "json")
        elif service == "s3":
            route = Route(service, "Unknown", "rest-xml")
        else:
            route = Route(service, f"{request.method} {request.path}", "rest-json")
        return self._finish_unbound(request, route, unknown_operation(route), started)

    def _finish_unbound(self, request: HttpRequest, route: Route, error: AwsError, started: float) -> HttpResponse:
        if type(request.body) is SpooledBody:
            request.body.discard()
        request_id = self.dispatcher.ids.request_id(route.service)
        model = self.models.service(route.service) if self.models.knows(route.service) else None
        response = error_response(route.protocol, error, request_id, request.method, model)
        response.headers[SERVED_BY] = NATIVE  # the gateway's own words
        self._add_headers(request, response)
        milliseconds = (time.perf_counter() - started) * 1000
        self.journal.record(route.service, route.operation, request.method, response.status, error.code, milliseconds)
        return response

    def _answer_internal(self, request: HttpRequest) -> Answer:
        origin = request.headers.get("origin")
        if origin is not None:
            if not self.cors.allows(origin):
                return self.cors.refusal()
            if request.method == "OPTIONS":
                return self.cors.preflight(request)
        answer = self.internal(request)
        if isinstance(answer, HttpResponse):
            if origin is not None:
                self.cors.add_headers(request, answer)
            return answer
        return self._answer_internal_async(request, answer)

    async def _answer_internal_async(self, request: HttpRequest, answer: Awaitable[HttpResponse]) -> HttpResponse:
        response = await answer
        if "origin" in request.headers:
            self.cors.add_headers(request, response)
        return response

    def _check_origin(self, request: HttpRequest) -> HttpResponse | None:
        """Refuse foreign pages and answer preflights. S3 decides itself, by the bucket's own configuration."""
        signing_name = self.identities.of(request).signing_name
        requested = request.headers.get("access-control-request-headers", "")
        is_s3 = signing_name in ("", "s3") and "x-amz-target" not in request.headers and "x-amz-target" not in requested
        if is_s3 and (request.path != "/" or virtual_bucket(request.host) is not None):
            return None
        if not self.cors.allows(request.headers["origin"]):
            return self.cors.refusal()
        if request.method == "OPTIONS":
            return self.cors.preflight(request)
        return None


def asks_for_document(request: HttpRequest) -> bool:
    """Whether `/openapi.yaml` is the document of the internal API, not a bucket or an object of that name."""
    signed = "authorization" in request.headers or bool(request.query)
    return request.method == "GET" and not signed and virtual_bucket(request.host) is None


def no_parameters(_request: HttpRequest) -> dict[str, Any]:
    """The fallback reads the request itself."""
    return {}


def unknown_operation(route: Route) -> AwsError:
    """What AWS's front end says when a service has no such operation, by protocol."""
    if route.protocol in ("query", "ec2"):
        return UnmodelledError(
            "InvalidAction",
            f"The action {route.operation} is not valid for this {'endpoint' if route.service == 'sqs' else 'web service'}.",
            400,
        )
    if route.protocol == "rest-xml":
        return UnmodelledError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
    if route.protocol == "rest-json":
        return UnmodelledError("UnknownOperationException", f"Unable to find an operation for {route.operation}", 404)
    return UnmodelledError("UnknownOperationException", f"The operation {route.operation} does not exist.", 400)
