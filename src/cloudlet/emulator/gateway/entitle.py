"""Which services this emulator serves: those that `SERVICES` names, and those that the active license opens."""

from __future__ import annotations

from cloudlet.emulator.activation.entitlements import plan_that_opens
from cloudlet.emulator.activation.state import ActivationState
from cloudlet.emulator.kernel.errors import NotImplementedFailure
from cloudlet.settings import Settings


class Entitlement:
    """The one place that checks it. Called when an operation is bound, so a request pays nothing for it."""

    def __init__(self, settings: Settings, activation: ActivationState) -> None:
        self._activation = activation
        self._web_app = settings.web_app_url.rstrip("/")
        strict = settings.strict_service_loading and settings.services
        self._served = frozenset(service_name(name) for name in settings.services) if strict else None

    def use(self, activation: ActivationState) -> None:
        """A renewed license; what was open to a running emulator stays open in what is bound already."""
        self._activation = activation

    def serves(self, service: str) -> bool:
        """Whether `SERVICES` leaves the service on."""
        return self._served is None or service in self._served

    def check(self, service: str) -> None:
        """Raises NotImplementedFailure (501) with what to do, where the service is off or not licensed."""
        if not self.serves(service):
            raise NotImplementedFailure(
                f"The service {service} is switched off: SERVICES does not name it. "
                "Add it there, or set STRICT_SERVICE_LOADING=0."
            )
        if not self._activation.allows(service):
            plan = self._activation.plan or "community"
            raise NotImplementedFailure(
                f"The service {service} is not part of the {plan} plan; the {plan_that_opens(service)} plan opens it. "
                f"See {self._web_app}/docs/errors#license.entitlement and {self._web_app}/workspace/my-license.",
                headers={"x-license-reason": "license.entitlement"},
            )


def service_name(name: str) -> str:
    """`SERVICES` entries as users write them: any case, with or without a port (`s3:4572`)."""
    return name.partition(":")[0].strip().lower()
