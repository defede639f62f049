"""What people hand in for a license file: the request files of machines, whose license, for how long.

A request file is what `cloudlet license request` writes on the machine:

    {"format": "cloudlet-license-request-1", "product": {"name", "version"}, "machine": {"id", "system"} [, "cnf"]}

`cnf` binds the license file to the token that the machine uses; it is a hash and does not tell the token.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from cloudlet.control.activations.forms import MACHINE_ID, VERSION
from cloudlet.control.activations.grants import PRODUCTS
from cloudlet.control.errors import InvalidForm
from cloudlet.control.fields import one_line, whole_number
from cloudlet.control.inputs import refuse_nul_in
from cloudlet.control.offline.errors import BadRequestFile

MOST_BYTES = 8 * 1024
MOST_MACHINES = 5
LONGEST_NAME = 120
MOST_DAYS = 9999  # of any plan
CONFIRMATION = re.compile(r"[A-Za-z0-9_-]{43}")


class ProductPart(msgspec.Struct, frozen=True):
    name: str
    version: str


class MachinePart(msgspec.Struct, frozen=True):
    id: str
    system: str = ""


class RequestFile(msgspec.Struct, frozen=True):
    """One machine's request. `cnf`: SHA-256 of its token (`envelope.confirmation`), None when any token will do."""

    format: Literal["cloudlet-license-request-1"]
    product: ProductPart
    machine: MachinePart
    cnf: str | None = None


class IssueForm(msgspec.Struct, frozen=True):
    """`days`: how long the file is good."""

    requests: tuple[RequestFile, ...]
    membership_id: str
    days: int
    name: str

    @property
    def machine_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(request.machine.id for request in self.requests))


def read_issue_form(raw_files: Sequence[bytes], membership_id: str, days: str, name: str) -> IssueForm:
    """Raises BadRequestFile, InvalidForm."""
    if not raw_files:
        raise BadRequestFile("Choose the request file of the machine.")
    if len(raw_files) > MOST_MACHINES:
        raise BadRequestFile(f"A license file is for {MOST_MACHINES} machines at most.")
    requests = tuple(read_request(raw) for raw in raw_files)
    if len({request.cnf for request in requests}) > 1:
        raise BadRequestFile("The request files belong to different tokens; issue a license file for each.")
    number = whole_number(days, MOST_DAYS)
    if not number:
        raise InvalidForm("Say for how many days the file is to be good.")
    if not membership_id:
        raise InvalidForm("Choose whose license it is.")
    shown = one_line(name)
    if len(shown) > LONGEST_NAME:
        raise InvalidForm(f"A name has {LONGEST_NAME} characters at most.")
    form = IssueForm(requests, membership_id, number, shown)
    return msgspec.structs.replace(form, name=shown or ", ".join(form.machine_ids)[:LONGEST_NAME])


def read_request(raw: bytes) -> RequestFile:
    """Raises BadRequestFile with what is wrong with it."""
    if len(raw) > MOST_BYTES:
        raise BadRequestFile("The request file is larger than 8 KiB: it is none.")
    if raw.lstrip().startswith(b"-----BEGIN"):
        raise BadRequestFile("That is a license file. What is wanted is the request file of the machine.")
    try:
        found = msgspec.json.decode(raw, type=RequestFile)
        refuse_nul_in(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequestFile(f"The request file cannot be read: {one_line(str(error))[:LONGEST_NAME]}.") from None
    if not MACHINE_ID.fullmatch(found.machine.id):
        raise BadRequestFile("The request file names no machine.")
    if found.product.name not in PRODUCTS:
        raise BadRequestFile(
            f"The request file is for {one_line(found.product.name)[:LONGEST_NAME]!r}, which is not licensed here."
        )
    if not VERSION.fullmatch(found.product.version):
        raise BadRequestFile("The request file names no version.")
    if found.cnf is not None and not CONFIRMATION.fullmatch(found.cnf):
        raise BadRequestFile("The request file names a token in a way that nobody knows.")
    return found
