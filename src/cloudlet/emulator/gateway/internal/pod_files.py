"""`/_localstack/pods/state` and `POST /_localstack/pods`: a state as a file, given out and taken in; and its metamodel."""

from __future__ import annotations

import importlib
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.fallback.moment import Unreadable
from cloudlet.emulator.gateway.internal.answers import InternalError, json_answer
from cloudlet.emulator.gateway.internal.pods import lines_answer, of_plan, pods_of, service_lines, strategy, unfit
from cloudlet.emulator.gateway.internal.resources import existing
from cloudlet.emulator.pods.errors import BadArchive, Mismatch
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.store.blobs import SpooledBody

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

CHUNK_BYTES = 1 << 18
UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@of_plan
async def export_state(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """The state now, or of `services` (by commas), as a zip; `pod_name` is the file's name."""
    named = request.params.get("pod_name") or f"cloudlet-state-{int(emulator.clock.wall())}"
    name = UNSAFE.sub("-", named)[:128]
    services = [one.strip() for one in request.params.get("services", "").split(",") if one.strip()]
    pods = pods_of(emulator)
    folder = pods.shelf.work_folder()
    try:
        manifest, _problems = await pods.pack(folder, name, services or None)
        packed = folder.parent / f"{folder.name}.zip"
        (folder / "pod.zip").rename(packed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    size = packed.stat().st_size
    headers = {
        "Content-Type": "application/zip",
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{name}.zip"',
        "x-localstack-pod-services": ",".join(manifest.services),
        "x-localstack-pod-size": str(size),
    }
    return HttpResponse(200, headers, sent(packed))


async def sent(path: Path) -> AsyncIterator[bytes]:
    """The file's bytes; then it is deleted. One whose reader never came goes at the next start."""
    try:
        with path.open("rb") as file:
            while data := file.read(CHUNK_BYTES):
                yield data
    finally:
        discard(path)


def discard(path: Path) -> None:
    path.unlink(missing_ok=True)


@of_plan
async def import_state(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Load a pod that was exported: as it is, or as the part `pod` of a form; by the strategy `merge`. 201.

    A line for each service and no completion: clients read the status for that.
    """
    how = strategy(emulator, request)
    pods = pods_of(emulator)
    folder = pods.shelf.work_folder()
    try:
        source = folder / "upload.zip"
        receive(request, source)
        manifest = await pods.put(source, how)
    except (BadArchive, Mismatch, Unreadable) as error:
        return unfit(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(request.body, SpooledBody):
            request.body.discard()
    return lines_answer(service_lines("load", manifest.services, {}), 201)


def receive(request: HttpRequest, target: Path) -> None:
    """Raises InternalError 400 for a form without the part."""
    kind = request.headers.get("content-type", "")
    with request.body.open() as body:
        if not kind.startswith("multipart/form-data"):
            with target.open("xb") as file:
                shutil.copyfileobj(body, file)
            return
        module: Any = importlib.import_module("multipart")  # lazy: for this request alone
        _kind, options = module.parse_options_header(kind)
        try:
            for part in module.MultipartParser(body, options.get("boundary", ""), disk_limit=1 << 40):
                if part.name == "pod":
                    part.save_as(str(target))
                    return
        except module.MultipartError as error:
            raise InternalError(400, "pod.form", f"The form cannot be read: {error}") from None
    raise InternalError(400, "pod.form", "The form has no part `pod` with the zip file.")


@of_plan
async def get_metamodel(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """What exists, as a tree: account, region, service, CloudFormation's type, names."""
    tree: dict[str, Any] = {}
    for kind, entries in sorted((await existing(emulator)).items()):
        service = kind.split("::")[1].lower() if kind.count("::") >= 2 else kind
        for entry in entries:
            region = tree.setdefault(entry["account_id"], {}).setdefault(entry["region_name"], {})
            region.setdefault(service, {}).setdefault(kind, []).append(entry["id"])
    return json_answer(tree)
