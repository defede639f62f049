"""Reading a license request, in both dialects of LocalStack's open clients and in ours.

    Go (lstk)   {"credentials":{"token"}, "product":{"name","version"}, "machine":{"hostname","platform","platform_release"}}
    Python      {"credentials":{"type","token"}, "product":{…}, "machine":{"id","cli","ci","system"} [,"license_id"]}

The Python client sends no content type, so the body is read whatever it is called.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

import msgspec

from cloudlet.control.activations.errors import LicenseVerdict
from cloudlet.control.fields import one_line, shortened
from cloudlet.control.inputs import NulCharacter, refuse_nul_in
from cloudlet.license.token import clean, find_key_problem

MAX_BODY_BYTES = 64 * 1024
LONGEST = 120  # characters of a text that is kept
VERSION = re.compile(r"\d+(?:\.\d+){0,3}(?:[.+-]?[0-9A-Za-z]+)*(?::[0-9a-f]+)?")
MACHINE_ID = re.compile(r"[A-Za-z0-9_.:-]{1,80}")
KIND_PREFIXES = ("dkr", "sys", "gen")


class CredentialsPart(msgspec.Struct, frozen=True):
    token: str
    type: str = ""


class ProductPart(msgspec.Struct, frozen=True):
    name: str
    version: str


class MachinePart(msgspec.Struct, frozen=True):
    """All that any dialect sends; `platform` and `platform_release` are the Go client's form of `system`."""

    id: str = ""
    hostname: str = ""
    system: str = ""
    platform: str = ""
    platform_release: str = ""
    ci: bool = False
    cli: bool = False
    ci_project: str = ""
    ci_run: str = ""


class RequestBody(msgspec.Struct, frozen=True):
    credentials: CredentialsPart
    product: ProductPart
    machine: MachinePart = MachinePart()
    license_id: str = ""


class LicenseForm(msgspec.Struct, frozen=True, kw_only=True):
    """A license request, cleaned. `client_time` is the client's Date header, None when it sent none."""

    token: str
    product: str
    version: str
    machine_id: str
    machine_kind: str
    system: str
    hostname: str
    is_ci: bool
    is_cli: bool
    ci_project: str
    ci_run: str
    license_id: str
    client_time: float | None


def read_license_form(raw: bytes, date_header: str) -> LicenseForm:
    """Raises LicenseVerdict: the body is not a license request, or its token cannot be one."""
    if len(raw) > MAX_BODY_BYTES:
        raise LicenseVerdict("licensing.request.format", problem="the body is larger than 64 KiB")
    try:
        body = msgspec.json.decode(raw, type=RequestBody)
        refuse_nul_in(raw)
    except NulCharacter as error:
        raise LicenseVerdict("licensing.request.format", problem="the body has a NUL character in it") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise LicenseVerdict("licensing.request.format", problem=str(error)) from None
    machine = body.machine
    return LicenseForm(
        token=read_token(body.credentials.token),
        product=body.product.name[:80],
        version=read_version(body.product.version),
        machine_id=machine.id if MACHINE_ID.fullmatch(machine.id) else "",
        machine_kind=machine.id[:3] if machine.id[:3] in KIND_PREFIXES else "sys",
        system=one_line(
            machine.system or ",".join(part for part in (machine.platform, machine.platform_release) if part)
        )[:LONGEST],
        hostname=one_line(machine.hostname)[:LONGEST],
        is_ci=machine.ci,
        is_cli=machine.cli,
        ci_project=one_line(machine.ci_project)[:LONGEST],
        ci_run=shortened(one_line(machine.ci_run), LONGEST),
        license_id=body.license_id[:80],
        client_time=read_date(date_header),
    )


def read_token(value: str) -> str:
    token = clean(value)
    problem = find_key_problem(token, variable="The token")
    if problem is not None:
        shape = "checksum" if problem.code == "credentials.checksum" else "format"
        raise LicenseVerdict(f"licensing.credentials.{shape}", **{"variable": "The token", **problem.values})
    return token


def read_version(value: str) -> str:
    if len(value) > 80 or not VERSION.fullmatch(value):
        shown = one_line(value)[:LONGEST]
        raise LicenseVerdict("licensing.license.format", version=shown, v=shown, range="releases")
    return value


def read_date(header: str) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp() if header else None
    except ValueError:
        return None
