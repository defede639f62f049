"""Names and ARNs."""

from __future__ import annotations

import re
from typing import NamedTuple

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.stepfunctions.errors import invalid_arn, invalid_name, wrong_resource_type

# "StateMachine name": no white space, brackets, wildcards, special or control characters
FORBIDDEN = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
STATES = re.compile(r"arn:(aws[\w-]*):states:([\w-]+):(\d{12}):([A-Za-z]+):(.+)", re.DOTALL)
ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/.+")
DIGITS = re.compile(r"[0-9]+")
MOST_NAME = 80


class Arn(NamedTuple):
    """`kind`: stateMachine, execution, express, activity, mapRun. `name` is the first part of the resource, `qualifier`
    what follows behind the next colon (a version, an alias, an execution's name)."""

    text: str
    region: str
    account_id: str
    kind: str
    name: str
    qualifier: str

    @property
    def plain(self) -> str:
        """Without the qualifier."""
        return self.text.removesuffix(f":{self.qualifier}") if self.qualifier else self.text

    @property
    def version(self) -> int | None:
        return int(self.qualifier) if DIGITS.fullmatch(self.qualifier) else None

    @property
    def label(self) -> str:
        """The Map state that a machine or execution belongs to (`machine/label`)."""
        return self.name.partition("/")[2]


def read(text: str, *kinds: str) -> Arn:
    """Raises InvalidArn."""
    match = STATES.fullmatch(text)
    if match is None:
        raise invalid_arn(text)
    if match[4] not in kinds:
        raise wrong_resource_type(match[4])
    name, _, qualifier = match[5].partition(":")
    return Arn(text, match[2], match[3], match[4], name, qualifier)


def check_name(name: str) -> None:
    """Raises InvalidName."""
    if not name or len(name) > MOST_NAME or FORBIDDEN.search(name):
        raise invalid_name(name)


def machine_arn(call: Call, name: str) -> str:
    return f"arn:{call.partition}:states:{call.region}:{call.account_id}:stateMachine:{name}"


def activity_arn(call: Call, name: str) -> str:
    return f"arn:{call.partition}:states:{call.region}:{call.account_id}:activity:{name}"


def execution_arn(call: Call, kind: str, machine: str, name: str, unique: str) -> str:
    """Express executions may share a name, so their ARNs end in a unique part."""
    prefix = f"arn:{call.partition}:states:{call.region}:{call.account_id}"
    if kind == "EXPRESS":
        return f"{prefix}:express:{machine}:{name}:{unique}"
    return f"{prefix}:execution:{machine}:{name}"
