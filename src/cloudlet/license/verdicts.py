"""The license server's verdicts: one table for the server that gives them and the client that reads them.

`message` is the code of LocalStack's license API, which its open clients print (they know six of them, and show
`licensing.license.invalid_status:<STATUS>` with its status); `code` is ours, as exact as we can be.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

VERDICT_STATUSES = frozenset({400, 401, 403, 404})


class Verdict(msgspec.Struct, frozen=True):
    """`status` is HTTP's, `reason` a code of `reasons`."""

    code: str
    status: int
    message: str
    reason: str


ALL = (
    Verdict("licensing.request.format", 400, "licensing.request.format", "request.format"),
    Verdict("licensing.credentials.format", 400, "licensing.credentials.format", "credentials.format"),
    Verdict("licensing.credentials.checksum", 400, "licensing.credentials.format", "credentials.checksum"),
    Verdict("licensing.credentials.invalid", 403, "licensing.credentials.invalid", "credentials.invalid"),
    Verdict("licensing.credentials.revoked", 403, "licensing.credentials.invalid", "credentials.invalid"),
    Verdict("licensing.credentials.expired", 403, "licensing.credentials.invalid", "credentials.expired"),
    Verdict("licensing.membership.removed", 403, "licensing.membership.removed", "membership.removed"),
    Verdict(
        "licensing.license.not_assigned",
        403,
        "licensing.license.invalid_status:UNASSIGNED",
        "license.not_assigned",
    ),
    Verdict("licensing.license.expired", 403, "licensing.license.expired", "license.expired"),
    Verdict("licensing.license.suspended", 403, "licensing.license.invalid_status:SUSPENDED", "license.suspended"),
    Verdict("licensing.license.not_found", 404, "licensing.license.not_found", "license.not_found"),
    Verdict("licensing.product.version", 403, "licensing.product.version", "license.version"),
    Verdict("licensing.license.format", 400, "licensing.license.format:{version}", "license.version"),
    Verdict("licensing.product.unknown", 403, "licensing.product.unknown", "license.product"),
    Verdict("licensing.credentials.ci_required", 403, "licensing.credentials.ci_required", "ci.token_required"),
    Verdict("licensing.ci.quota_exceeded", 403, "licensing.ci.quota_exceeded", "ci.quota"),
    Verdict("licensing.machine.blocked", 403, "licensing.machine.blocked", "machine.blocked"),
    Verdict("licensing.address.not_allowed", 403, "licensing.address.not_allowed", "address.not_allowed"),
    Verdict("licensing.machine.limit", 403, "licensing.machine.limit", "machine.limit"),
    Verdict("licensing.clock.skew", 400, "licensing.clock.skew", "clock.skew"),
    Verdict("licensing.rate_limited", 429, "licensing.rate_limited", "server.rate_limited"),
    Verdict("licensing.unavailable", 503, "licensing.unavailable", "server.error"),
)

VERDICTS: Mapping[str, Verdict] = MappingProxyType({entry.code: entry for entry in ALL})

# What other servers and older clients' codes say, without a native code beside it.
BY_MESSAGE: Mapping[str, str] = MappingProxyType(
    {
        "licensing.activation_error": "credentials.invalid",
        "licensing.license.invalid_status:UNASSIGNED": "license.not_assigned",
        "licensing.license.invalid_status:SUSPENDED": "license.suspended",
        "licensing.license.invalid_status:EXPIRED": "license.expired",
        "licensing.license.invalid_status:INACTIVE": "license.suspended",
    }
)


def reason_of(message: str, code: str = "") -> str:
    """The reason for a verdict, from the native code or else from the compatible message.

    A `licensing.` code that nobody here knows is still a definitive no; it becomes `license.suspended`'s neighbour
    `license.not_found`, with the server's own sentence shown.
    """
    for candidate in (code, message, message.partition(":")[0]):
        known = VERDICTS.get(candidate)
        if known is not None:
            return known.reason
    return BY_MESSAGE.get(message, "license.not_found")
