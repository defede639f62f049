"""The multipart/form-data of a POST upload: fields, then one file."""

from __future__ import annotations

import re
from typing import NamedTuple

from cloudlet.emulator.services.s3.errors import MalformedPOSTRequest, PreconditionFailed

BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
PARAMETER = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"|(\w+)=([^;]+)')


class Form(NamedTuple):
    """`fields` under lower-case names, in order, up to the file; `file` is None where the form has none."""

    fields: dict[str, str]
    file: bytes | None
    filename: str
    file_type: str


def read_form(content_type: str, body: bytes) -> Form:
    """Raises PreconditionFailed for another kind of body, MalformedPOSTRequest for a broken one."""
    match = BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or match is None:
        raise PreconditionFailed(Condition="Bucket POST must be of the enclosure-type multipart/form-data")
    fields: dict[str, str] = {}
    delimiter = b"\r\n--" + match[1].strip().encode()
    for piece in (b"\r\n" + body).split(delimiter)[1:]:
        if piece.startswith(b"--"):
            break
        head, separator, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not separator:
            raise MalformedPOSTRequest
        headers = parse_headers(head)
        parameters = parse_disposition(headers.get("content-disposition", ""))
        name = parameters.get("name", "").lower()
        if name == "file":
            return Form(fields, content, parameters.get("filename", ""), headers.get("content-type", ""))
        fields[name] = content.decode("utf-8", "replace")
    return Form(fields, None, "", "")


def parse_headers(head: bytes) -> dict[str, str]:
    found = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        found[name.strip().lower()] = value.strip()
    return found


def parse_disposition(text: str) -> dict[str, str]:
    """The parameters of a Content-Disposition."""
    return {match[1] or match[3]: match[2] if match[1] else match[4].strip() for match in PARAMETER.finditer(text)}
