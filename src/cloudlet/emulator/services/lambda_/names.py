"""What a request names: functions by name, partial or whole ARN, with or without a qualifier; and what it is here.

account:region of the request   "orders", "orders:live", "function:orders", "123456789012:function:orders", arn:…
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.lambda_.errors import FUNCTION_NAME, invalid, no_function, not_found, violation
from cloudlet.emulator.services.lambda_.records import (
    ALIASES,
    FUNCTIONS,
    LATEST,
    MOST_DIGITS,
    VERSIONS,
    Alias,
    Function,
    Version,
)

PARTS = re.compile(
    r"(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?(?P<region>[a-z]{2}(?:-[a-z]+)+-\d:)?(?P<account>\d{12}:)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_.]+)(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
QUALIFIER = r"(|[a-zA-Z0-9$_-]+)"


class Named(NamedTuple):
    """A function as a request names it. `qualifier` is empty where there is none."""

    account_id: str
    region: str
    name: str
    qualifier: str

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.name}"

    @property
    def full_arn(self) -> str:
        """With the qualifier, where there is one."""
        return f"{self.arn}:{self.qualifier}" if self.qualifier else self.arn


def read_name(call: Call, request: dict[str, Any], *, qualifier: str | None = None) -> Named:
    """The function that `FunctionName` and `Qualifier` name. Raises what AWS does for names that cannot be meant."""
    text = request["FunctionName"]
    given = request.get("Qualifier") if qualifier is None else qualifier
    found = PARTS.fullmatch(text)
    if found is None:
        raise violation(text, "functionName", f"Member must satisfy regular expression pattern: {FUNCTION_NAME}")
    derived = found["qualifier"] or ""
    if given and derived and given != derived:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    if given and not re.fullmatch(QUALIFIER, given):
        raise violation(given, "qualifier", f"Member must satisfy regular expression pattern: {QUALIFIER}")
    region = (found["region"] or call.region).rstrip(":")
    if region != call.region:
        raise not_found(f"Functions from '{region}' are not reachable in this region ('{call.region}')")
    account = (found["account"] or call.account_id).rstrip(":")
    return Named(account, region, found["name"], given or derived)


def find_function(call: Call, named: Named) -> Function:
    """Raises ResourceNotFoundException."""
    function = FUNCTIONS.get(call.tx, named.account_id, named.region, named.name)
    if function is None:
        raise no_function(named.full_arn)
    return function


def find_alias(call: Call, named: Named, name: str) -> Alias | None:
    return ALIASES.get(call.tx, named.account_id, named.region, named.name, name)


def find_version(call: Call, named: Named) -> Version:
    """What the qualifier means: a version, or the main version of an alias. Raises ResourceNotFoundException."""
    find_function(call, named)
    qualifier = named.qualifier or LATEST
    alias = find_alias(call, named, qualifier) if not qualifier.isdigit() and qualifier != LATEST else None
    number = alias.version if alias is not None else qualifier
    found = version_of(call, named, number)
    if found is None:
        raise no_function(named.full_arn)
    return found


def version_of(call: Call, named: Named, number: str) -> Version | None:
    """A version by its number or `$LATEST`."""
    if number == LATEST:
        order = 0
    elif number.isdigit() and number != "0" and len(number) <= MOST_DIGITS:
        order = int(number)
    else:
        return None
    return VERSIONS.get(call.tx, named.account_id, named.region, named.name, order)
