"""`/_aws/lambda/…`: the runtimes that there are, and the packages that answers of GetFunction and GetLayerVersion point to."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.gateway.internal.answers import InternalError, json_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

RUNTIMES = "cloudlet.emulator.services.lambda_.runtimes"
FILTERS = ("supported", "deprecated", "all")
ZIP = "application/zip"


def list_runtimes(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"Runtimes": [names]}`: those that AWS supports, those that it did, or all, by `filter`."""
    wanted = request.params.get("filter", "supported")
    if wanted not in FILTERS:
        raise InternalError(400, "lambda.filter", f"`filter` is one of {', '.join(FILTERS)}.")
    module = importlib.import_module(RUNTIMES)  # lazy: a service that nobody has used has no code in memory
    names = [
        name
        for name, runtime in module.RUNTIMES.items()
        if wanted == "all" or runtime.supported == (wanted == "supported")
    ]
    return json_answer({"Runtimes": names})


def get_code(
    emulator: Emulator, request: HttpRequest, account: str, region: str, function: str, version: str
) -> HttpResponse:
    """The package of a function's version."""
    return package(emulator, account, region, "ReadCode", {"FunctionName": function, "Qualifier": version})


def get_layer(
    emulator: Emulator, request: HttpRequest, account: str, region: str, layer: str, version: str
) -> HttpResponse:
    """The package of a layer's version."""
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise InternalError(404, "lambda.version", "Versions of layers are numbers.")
    return package(emulator, account, region, "ReadLayer", {"LayerName": layer, "VersionNumber": version})


def package(emulator: Emulator, account: str, region: str, operation: str, wanted: dict[str, Any]) -> HttpResponse:
    """Raises AwsError for what is not there; the caller answers it."""
    dispatcher = emulator.dispatcher
    call = dispatcher.service_call("lambda", account, region, operation)
    result = dispatcher.run(dispatcher.handler("lambda", operation), call, wanted)
    return HttpResponse(200, {"Content-Type": ZIP}, result["Content"])
