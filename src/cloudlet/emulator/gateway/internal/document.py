"""`/openapi.yaml`: the OpenAPI document of the internal API, and how its parts are put together.

`openapi/README.md` says how an entry is added.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

FOLDER = Path(__file__).parent / "openapi"
VERSION_LINE = "  version: VERSION\n"


def get_document(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """The document as YAML, for the version that runs."""
    return HttpResponse(200, {"Content-Type": "application/yaml"}, document(emulator.version).encode())


def document(version: str) -> str:
    """The whole document: the head, then every area's paths, in the order of the files' names."""
    head = (FOLDER / "document.yaml").read_text(encoding="utf-8")
    paths = "".join(area.read_text(encoding="utf-8") for area in sorted((FOLDER / "paths").glob("*.yaml")))
    return head.replace(VERSION_LINE, f'  version: "{version}"\n') + "paths:\n" + indent(paths, "  ")
