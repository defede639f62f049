"""What an invocation runs: a version with its code and layers, and the name by which it was called."""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.lambda_.archives import LOCAL
from cloudlet.emulator.services.lambda_.errors import no_function
from cloudlet.emulator.services.lambda_.names import Named, find_alias, find_function, version_of
from cloudlet.emulator.services.lambda_.records import LATEST, LAYER_VERSIONS, PROVISIONED, fingerprint
from cloudlet.emulator.store import blobs


class Package(NamedTuple):
    """A ZIP file in the store; `digest` names its content."""

    digest: str
    blob_id: str


class Target(NamedTuple):
    """`arn` has the qualifier that was asked for. `qualifier` is that, or `$LATEST`."""

    account_id: str
    region: str
    name: str
    version: str
    arn: str
    qualifier: str
    config: dict[str, Any]
    code: Package
    layers: tuple[Package, ...]
    reserved: int | None
    provisioned: int = 0
    local: str = ""  # the folder of this machine that has the code

    @property
    def key(self) -> tuple[str, ...]:
        """Under which its programs wait."""
        return "lambda", self.account_id, self.region, self.name, self.version, fingerprint(self.config)

    @property
    def counted(self) -> tuple[str, ...]:
        """Under which its concurrency counts."""
        return self.key[:4]

    @property
    def timeout_seconds(self) -> int:
        return int(self.config["Timeout"])

    @property
    def log_group(self) -> str:
        return str(self.config["LoggingConfig"]["LogGroup"])

    @property
    def logs_json(self) -> bool:
        return bool(self.config["LoggingConfig"].get("LogFormat") == "JSON")


def find_target(call: Call, named: Named) -> Target:
    """Chooses between the versions of an alias. Raises ResourceNotFoundException."""
    function = find_function(call, named)
    qualifier = named.qualifier or LATEST
    number = qualifier
    if qualifier != LATEST and not qualifier.isdigit():
        alias = find_alias(call, named, qualifier)
        if alias is None:
            raise no_function(named.full_arn)
        number = alias.version
        for other, share in alias.weights.items():
            if call.ids.random() < share:
                number = other
    version = version_of(call, named, number)
    if version is None:
        raise no_function(named.full_arn)
    config = version.config
    return Target(
        named.account_id,
        named.region,
        named.name,
        version.version,
        named.full_arn,
        qualifier,
        config,
        Package(config["CodeSha256"], version.blob_id),
        tuple(packages_of(call, config.get("Layers", ()))),
        function.reserved,
        provisioned_of(call, named, qualifier, version.version),
        str(version.code.get(LOCAL, "")),
    )


def provisioned_of(call: Call, named: Named, qualifier: str, number: str) -> int:
    """How many environments are provisioned for what was asked for, or for the version that it means."""
    for setting in PROVISIONED.scan(call.tx, named.account_id, named.region, named.name):
        alias = find_alias(call, named, setting.qualifier)
        if setting.qualifier in (qualifier, number) or (alias is not None and alias.version == number):
            return int(setting.value["Requested"])
    return 0


def packages_of(call: Call, layers: Any) -> list[Package]:
    found = []
    for entry in layers:
        parts = entry["Arn"].split(":")
        layer = LAYER_VERSIONS.get(call.tx, parts[4], parts[3], parts[6], int(parts[7]))
        if (
            layer is not None
        ):  # a layer that was deleted is gone from new environments here; AWS keeps it for old functions
            found.append(Package(layer.sha256, layer.blob_id))
    return found


def read_package(call: Call, package: Package) -> bytes:
    with call.transaction(read_only=True) as tx:
        return blobs.read(tx, package.blob_id) if package.blob_id else b""
