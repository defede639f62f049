"""Types by their services: each module has TABLE (type -> `api_kinds.Api`) and KINDS (type -> its own class of ApiKind)."""

from __future__ import annotations

from cloudlet.emulator.fallback.stacks.api_kinds import ApiKind
from cloudlet.emulator.fallback.stacks.kinds import Kind
from cloudlet.emulator.fallback.stacks.kinds_of import apis, events, iam, lambda_, others, secrets

MODULES = (apis, events, iam, lambda_, others, secrets)


def find(name: str) -> Kind | None:
    """The kind of a type; None where no module has it."""
    for module in MODULES:
        api = module.TABLE.get(name)
        if api is not None:
            kind: Kind = module.KINDS.get(name, ApiKind)(api)
            return kind
    return None


def names() -> tuple[str, ...]:
    """All types that are here."""
    return tuple(sorted(name for module in MODULES for name in module.TABLE))
