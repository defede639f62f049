"""The outcome of activation: what this emulator may do, or why it may not start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from cloudlet.license.reasons import Failure

EXIT_CODE = 55

Phase = Literal["unlicensed", "active_online", "active_cached", "active_file", "grace", "community", "failed", "stale"]


class ActivationState(msgspec.Struct, frozen=True, kw_only=True):
    """What the license opens. `edition` is `community`, `pro` or `enterprise`, as `/_localstack/info` shows it.

    Times are seconds since the epoch, UTC; 0 = does not apply.
    """

    phase: Phase
    edition: str = "community"
    is_license_activated: bool = False
    plan: str = ""
    license_id: str = ""
    entitlements: tuple[tuple[str, int | None], ...] = ()  # (name, limit), such as ("aws/*", None)
    open_services: frozenset[str] | None = None  # by botocore's name, `*` at its end; None = all
    next_check: float = 0
    offline_until: float = 0
    expires: float = 0
    source: str = ""  # the file or the address that the license came from
    last_online: float = 0  # when the control plane last gave a license
    reason_code: str = ""  # why the last refresh failed; "" when it did not
    endpoint: str = ""
    proxy: str = ""  # host:port that it was reached through
    spent_seconds: float = 0  # what asking the control plane took
    budget_seconds: float = 0  # what it could have taken at most
    waited_seconds: float = 0  # what the start waited for the check of its license
    activation_id: str = ""  # the control plane's name for the activation that gave this license

    def allows(self, service: str) -> bool:
        """Is this service (botocore's name, such as `sqs`) open under the license? `iot*` opens all that begin so."""
        opened = self.open_services
        if opened is None or service in opened:
            return True
        return any(name.endswith("*") and service.startswith(name[:-1]) for name in opened)

    def has(self, feature: str) -> bool:
        """Does the license open this feature of the platform (`pods`)? A limit of 0 opens nothing."""
        name = f"platform/{feature}"
        opened = any(
            name == entitlement or (entitlement.endswith("*") and name.startswith(entitlement[:-1]))
            for entitlement, _limit in self.entitlements
        )
        return opened and self.limit(feature) != 0

    def limit(self, feature: str) -> int | None:
        """The number of its entitlement; None where it has none."""
        return dict(self.entitlements).get(f"platform/{feature}")


class ActivationFailed(Exception):
    """The emulator must not start: exit with `exit_code`, having printed `block` to stdout.

    `block` is complete (frame, reason, what to do, code), or one line of JSON with LICENSE_ERROR_FORMAT=json, or with
    LOG_LICENSE_ISSUES=0 only the line that names the exit code.
    """

    exit_code = EXIT_CODE

    def __init__(self, failure: Failure, block: str) -> None:
        super().__init__(failure.reason.code)
        self.failure = failure
        self.block = block
