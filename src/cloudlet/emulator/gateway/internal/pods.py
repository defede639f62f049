"""`/_localstack/pods`: Cloud Pods in the volume. What is not in the license's plan is 404 without a body.

Saving and loading answer a line of JSON for each service, then `{"event": "completion", "status", "message"?, "info"}`.
"""

from __future__ import annotations

import functools
import importlib
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from cloudlet.emulator.fallback.coverage import moto_version
from cloudlet.emulator.fallback.moment import How, Unreadable
from cloudlet.emulator.gateway.internal.answers import InternalError, json_answer, json_object
from cloudlet.emulator.pods.errors import BadArchive, BadRemote, Mismatch, PodError, UnknownPod
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator
    from cloudlet.emulator.pods.service import Pods
    from cloudlet.emulator.pods.shelf import Remote, Shelf, Version

LOG = logging.getLogger("cloudlet.pods")

Answer = HttpResponse | Awaitable[HttpResponse]
Endpoint = Callable[..., Answer]

STRATEGIES = ("account-region-merge", "service-merge", "overwrite")
RESERVED = frozenset({"environment", "remotes", "state"})  # names that are paths


def of_plan(endpoint: Endpoint) -> Endpoint:
    """Only where the license opens Cloud Pods."""

    @functools.wraps(endpoint)
    def checked(emulator: Emulator, request: HttpRequest, **parameters: str) -> Answer:
        if not emulator.activation.has("pods"):
            return HttpResponse(404)
        return endpoint(emulator, request, **parameters)

    return checked


def pods_of(emulator: Emulator) -> Pods:
    if emulator.pods is None:
        module = importlib.import_module(  # lazy: who saves no pods needs neither zip nor hashes in memory
            "cloudlet.emulator.pods.service"
        )
        emulator.pods = module.Pods(emulator)
    pods: Pods = emulator.pods
    return pods


def get_environment(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"localstack_version", "localstack_ext_version", "moto_ext_version", "pro"}`; "" without moto.

    Also without a license: clients look at `pro` to find out.
    """
    return json_answer(
        {
            "localstack_version": emulator.version,
            "localstack_ext_version": emulator.version,
            "moto_ext_version": moto_version(),
            "pro": emulator.activation.is_license_activated,
        }
    )


@of_plan
def list_pods(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"cloudpods": [{"pod_name", "max_version", "last_change"}]}` by name. Everybody's: `creator` changes nothing."""
    shelf = shelf_for(emulator, json_object(request))
    found = []
    for name in shelf.names():
        versions = shelf.versions(name)
        if versions:
            newest = versions[-1]
            found.append({"pod_name": name, "max_version": newest.version, "last_change": newest.created_at})
    return json_answer({"cloudpods": found})


@of_plan
async def save_pod(emulator: Emulator, request: HttpRequest, name: str) -> HttpResponse:
    """A new version, or the one that `version` names; `attributes.services` chooses what is in it."""
    body = json_object(request)
    shelf = shelf_for(emulator, body)
    attributes = body.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise InternalError(400, "pod.services", "`attributes` is not an object.")
    services = attributes.get("services")
    if services is not None and not (isinstance(services, list) and all(isinstance(one, str) for one in services)):
        raise InternalError(400, "pod.services", "`attributes.services` is not a list of services' names.")
    try:
        version, problems = await pods_of(emulator).save(
            shelf,
            checked(name),
            services=services or None,
            version=number(request),
            description=str(attributes.get("description") or ""),
            limit_megabytes=emulator.activation.limit("pods"),
        )
    except PodError as error:
        return completion("save", [], str(error))
    info = info_of(version, version.storage_size, body)
    return completion("save", service_lines("save", version.services, problems), info=info)


@of_plan
async def load_pod(emulator: Emulator, request: HttpRequest, name: str) -> HttpResponse:
    """The newest version, or the one that `version` names, by the strategy `merge`."""
    body = json_object(request)
    shelf = shelf_for(emulator, body)
    how = strategy(emulator, request)
    ignore = request.params.get("ignore_version_mismatches", "").lower() in ("1", "true")
    try:
        version, size = await pods_of(emulator).load(
            shelf, checked(name), version=number(request), how=how, ignore_versions=ignore
        )
    except UnknownPod as error:
        return completion("load", [], str(error))
    except (BadArchive, Mismatch, Unreadable) as error:
        return unfit(error)
    info = info_of(version, size, body)
    return completion("load", service_lines("load", version.services, {}), info=info)


@of_plan
def delete_pod(emulator: Emulator, request: HttpRequest, name: str) -> HttpResponse:
    """All versions. `local` changes nothing: there is no other place."""
    try:
        shelf_for(emulator, json_object(request)).delete(checked(name))
    except UnknownPod as error:
        raise InternalError(400, "pod.unknown", f"{error}.") from None
    return HttpResponse(200)


@of_plan
def list_versions(emulator: Emulator, request: HttpRequest, name: str) -> HttpResponse:
    """`{"remote_url", "versions": [{"version", "created_at", "services", "localstack_version", …}]}`, oldest first."""
    shelf = shelf_for(emulator, json_object(request))
    versions = shelf.versions(checked(name))
    if not versions:
        raise InternalError(404, "pod.unknown", f"There is no pod {name!r}; GET /_localstack/pods lists them.")
    place = (shelf.folder / name).absolute().as_uri()
    return json_answer({"remote_url": place, "versions": msgspec.to_builtins(versions)})


@of_plan
async def compare_pod(emulator: Emulator, request: HttpRequest, name: str) -> HttpResponse:
    """`{service: [{"operation_type": "ADDITION" | "MODIFICATION", "type", "id"}]}`: what loading it would do."""
    shelf = shelf_for(emulator, json_object(request))
    pods = pods_of(emulator)
    module = importlib.import_module("cloudlet.emulator.pods.compare")  # lazy: as above
    try:
        _version, path = shelf.find(checked(name), number(request))
        return json_answer(await module.differences(emulator, pods, path))
    except UnknownPod as error:
        raise InternalError(404, "pod.unknown", f"{error}.") from None
    except (BadArchive, Unreadable) as error:
        return unfit(error)


async def load_at_start(emulator: Emulator) -> None:
    """The newest version of each pod of `AUTO_LOAD_POD`, in order; what cannot be loaded is in the log."""
    if not emulator.activation.has("pods"):
        LOG.error("AUTO_LOAD_POD: the license does not open Cloud Pods; nothing is loaded")
        return
    pods, how = pods_of(emulator), how_of(emulator.settings.merge_strategy)
    for name in emulator.settings.auto_load_pod:
        try:
            version, _size = await pods.load(pods.shelf, name, version=None, how=how)
        except (PodError, Unreadable) as error:
            LOG.error("AUTO_LOAD_POD: %s is not loaded: %s", name, error)
        else:
            LOG.info("loaded the Cloud Pod %s, version %d", name, version.version)


# --- remotes


@of_plan
def list_remotes(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"remotes": [{"name", "protocols", "url", "remote_url"}]}`."""
    return json_answer({"remotes": [shown(remote) for remote in pods_of(emulator).shelf.remotes()]})


@of_plan
def get_remote(emulator: Emulator, request: HttpRequest, name: str) -> HttpResponse:
    """404 for a name that none has."""
    for remote in pods_of(emulator).shelf.remotes():
        if remote.name == name:
            return json_answer(shown(remote))
    raise unknown_remote(name)


@of_plan
def set_remote(emulator: Emulator, request: HttpRequest, name: str) -> HttpResponse:
    """`{"protocols": [], "remote_url"}`; one of that name is replaced. Its address is looked at when it is used."""
    body = json_object(request)
    protocols, url = body.get("protocols", []), body.get("remote_url", body.get("url", ""))
    if (
        not isinstance(url, str)
        or not isinstance(protocols, list)
        or not all(isinstance(one, str) for one in protocols)
    ):
        raise InternalError(400, "pod.remote", "`protocols` is a list of texts, `remote_url` is a text.")
    shelf = pods_of(emulator).shelf
    module = importlib.import_module("cloudlet.emulator.pods.shelf")  # lazy: as above
    others = [remote for remote in shelf.remotes() if remote.name != checked(name)]
    shelf.set_remotes([*others, module.Remote(name, tuple(protocols), url)])
    return HttpResponse(200)


@of_plan
def delete_remote(emulator: Emulator, request: HttpRequest, name: str) -> HttpResponse:
    shelf = pods_of(emulator).shelf
    others = [remote for remote in shelf.remotes() if remote.name != name]
    if len(others) == len(shelf.remotes()):
        raise unknown_remote(name)
    shelf.set_remotes(others)
    return HttpResponse(200)


def shown(remote: Remote) -> dict[str, Any]:
    """Clients read the address under one name in the list and under another when they use it."""
    return {"name": remote.name, "protocols": list(remote.protocols), "url": remote.url, "remote_url": remote.url}


# --- what requests say


def shelf_for(emulator: Emulator, body: dict[str, Any]) -> Shelf:
    """Where the pod is: here, or at the remote of the body: `{"remote": NAME}` or `{"remote": {"remote_name": NAME}}`."""
    shelf = pods_of(emulator).shelf
    name = remote_name(body)
    if not name:
        return shelf
    for remote in shelf.remotes():
        if remote.name == name:
            try:
                return shelf.other(remote)
            except BadRemote as error:
                raise InternalError(400, "pod.remote", f"{error}.") from None
    raise InternalError(400, "pod.remote", f"There is no remote {name!r}; GET /_localstack/pods/remotes lists them.")


def remote_name(body: dict[str, Any]) -> Any:
    asked = body.get("remote")
    return asked.get("remote_name") if isinstance(asked, dict) else asked


def checked(name: str) -> str:
    module = importlib.import_module("cloudlet.emulator.pods.shelf")  # lazy: as above
    if module.NAME.fullmatch(name) is None or name in RESERVED:
        raise InternalError(
            400,
            "pod.name",
            "A pod's name has 1 to 128 letters, digits, dots, dashes and underscores, begins with a letter or digit, "
            f"and is none of {', '.join(sorted(RESERVED))}.",
        )
    return name


def number(request: HttpRequest) -> int | None:
    version = request.params.get("version", "")
    if not version:
        return None
    if not version.isascii() or not version.isdigit() or not 0 < int(version) < 1 << 31:
        raise InternalError(400, "pod.version", f"The version {version!r} is not a number from 1 on.")
    return int(version)


def strategy(emulator: Emulator, request: HttpRequest) -> How:
    name = request.params.get("merge") or emulator.settings.merge_strategy
    if name not in STRATEGIES:
        raise InternalError(400, "pod.merge", f"`merge` is {name!r}; it must be one of {', '.join(STRATEGIES)}.")
    return how_of(name)


def how_of(name: str) -> How:
    return {"overwrite": How.INSTEAD, "service-merge": How.WITH}.get(name, How.BESIDE)


def unknown_remote(name: str) -> InternalError:
    return InternalError(
        404, "pod.remote-unknown", f"There is no remote {name!r}; GET /_localstack/pods/remotes lists them."
    )


# --- how they are answered


def service_lines(operation: str, services: tuple[str, ...], problems: dict[str, str]) -> list[dict[str, Any]]:
    """`operation` is `save` or `load`."""
    about = {"event": "service", "operation": operation}
    done = [{**about, "service": name, "status": "ok"} for name in services]
    failed = [
        {**about, "service": name, "status": "error", "message": problem} for name, problem in sorted(problems.items())
    ]
    return done + failed


def info_of(version: Version, size: int, body: dict[str, Any]) -> dict[str, Any]:
    """`size` in bytes; `remote` is where the pod is, `local` for the volume."""
    return {
        "version": version.version,
        "services": list(version.services),
        "size": size,
        "remote": remote_name(body) or "local",
    }


def completion(
    operation: str, lines: list[dict[str, Any]], problem: str = "", info: dict[str, Any] | None = None
) -> HttpResponse:
    last: dict[str, Any] = {
        "event": "completion",
        "operation": operation,
        "status": "error" if problem else "ok",
    }
    if problem:
        last["message"] = problem
    if info is not None:
        last["info"] = info
    return lines_answer([*lines, last])


def lines_answer(lines: list[dict[str, Any]], status: int = 200) -> HttpResponse:
    body = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    return HttpResponse(status, {"Content-Type": "application/x-ndjson"}, body)


def unfit(error: Exception) -> HttpResponse:
    """The pod does not fit this emulator; nothing was changed."""
    return HttpResponse(422, {"Content-Type": "text/plain; charset=utf-8"}, str(error).encode())
