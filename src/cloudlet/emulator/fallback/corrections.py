"""What moto answers wrongly where tools depend on it, put right on its classes when a service of it is loaded.

    CORRECTIONS["iam"](load)        load("moto.iam.models") gives the module

Each correction says what AWS does and who needs it. What a correction would have to write anew is better written as a
native service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

Load = Callable[[str], ModuleType]


def correct_iam(load: Load) -> None:
    """Ids that tell the kind of what they name, as tools and policies expect them: AIDA… is a user, ANPA… a policy."""
    models = load("moto.iam.models")
    kinds = ((models.User, "AIDA"), (models.Group, "AGPA"), (models.Policy, "ANPA"), (models.InstanceProfile, "AIPA"))
    for kind, prefix in kinds:
        name_by_kind(kind, prefix)


def name_by_kind(kind: Any, prefix: str) -> None:
    initialize = kind.__init__

    def initialized(self: Any, *arguments: Any, **options: Any) -> None:
        initialize(self, *arguments, **options)
        self.id = f"{prefix}{self.id.upper()[:17]:A<17}"

    kind.__init__ = initialized


def correct_kms(load: Load) -> None:
    """No RSA key for keys that are no RSA keys: it costs a tenth of a second and is never used."""
    models = load("moto.kms.models")
    generate = models.generate_private_key
    vars(models)["generate_private_key"] = lambda spec: generate(spec) if spec.startswith(("RSA", "ECC")) else None


def correct_rds(load: Load) -> None:
    """An id for each instance: moto gives all of them the same, by which Terraform looks them up."""
    instance = load("moto.rds.models").DBInstance
    initialize = instance.__init__
    characters = load("moto.moto_api._internal").mock_random

    def initialized(self: Any, *arguments: Any, **options: Any) -> None:
        initialize(self, *arguments, **options)
        self.dbi_resource_id = f"db-{characters.get_random_string(length=26, include_digits=True).upper()}"

    instance.__init__ = initialized


CORRECTIONS: Mapping[str, Callable[[Load], None]] = MappingProxyType(
    {"iam": correct_iam, "kms": correct_kms, "rds": correct_rds}
)
