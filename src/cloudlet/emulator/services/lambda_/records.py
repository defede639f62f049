"""What Lambda keeps, and where.

    FUNCTIONS      a function: its tags, reserved concurrency and the like; what all of its versions share
    VERSIONS       a version, `$LATEST` or a number: its configuration in AWS's words, and the blob with its code
    ALIASES        a name for a version, or for two with weights
    POLICIES       who may invoke a function, a version, an alias or a layer version: statements
    INVOKE_CONFIGS, URLS, PROVISIONED    what is set by qualifier: retries and destinations, URL, provisioned concurrency
    LAYERS, LAYER_VERSIONS               layers, and the blobs with their content
    MAPPINGS       event source mappings, and how far each has read
    SIGNING        code signing configurations

All times are seconds since the epoch.
"""

from __future__ import annotations

import hashlib
from typing import Any

from msgspec import field

from cloudlet.emulator.store.kv import Transaction
from cloudlet.emulator.store.table import Index, Record, Table

LATEST = "$LATEST"
MOST_DIGITS = 18  # of a version's number: what is longer fits no key, and no version has it


class Function(Record, frozen=True):
    account_id: str
    region: str
    name: str
    last_version: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    reserved: int | None = None
    signing_arn: str = ""
    recursive_loop: str = "Terminate"
    runtime_update: dict[str, Any] = field(default_factory=dict)
    scaling: dict[str, Any] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.name}"


class Version(Record, frozen=True):
    """`config`: FunctionConfiguration as it is answered. `code`: {"ImageUri"} or {"S3Bucket", "S3Key"} as given."""

    account_id: str
    region: str
    function: str
    version: str
    config: dict[str, Any]
    blob_id: str = ""
    code: dict[str, Any] = field(default_factory=dict)
    published_from: str = ""  # the fingerprint of $LATEST that the last version was made of

    @property
    def order(self) -> int:
        return 0 if self.version == LATEST else int(self.version)


UNSTEADY = frozenset(("RevisionId", "LastModified", "Version", "FunctionArn", "LastUpdateStatus", "State"))


def fingerprint(config: dict[str, Any]) -> str:
    """What two configurations have in common when functions of them are the same."""
    steady = sorted((name, value) for name, value in config.items() if name not in UNSTEADY)
    return hashlib.sha256(repr(steady).encode()).hexdigest()[:32]


class Alias(Record, frozen=True):
    """`weights`: the second version and its share, where there is one."""

    account_id: str
    region: str
    function: str
    name: str
    version: str
    description: str
    weights: dict[str, float]
    revision: str

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.function}:{self.name}"


class Policy(Record, frozen=True):
    """`arn`: of what the statements are about."""

    arn: str
    statements: list[dict[str, Any]]
    revision: str


class Setting(Record, frozen=True):
    """What is set for a qualifier of a function; `$LATEST` for none."""

    account_id: str
    region: str
    function: str
    qualifier: str
    value: dict[str, Any]
    modified: float
    created: float = 0.0
    url_id: str | None = None


class Layer(Record, frozen=True):
    account_id: str
    region: str
    name: str
    last_version: int


class LayerVersion(Record, frozen=True):
    account_id: str
    region: str
    layer: str
    version: int
    blob_id: str
    size: int
    sha256: str
    created: str
    value: dict[str, Any]  # Description, LicenseInfo, CompatibleRuntimes, CompatibleArchitectures

    @property
    def layer_arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account_id}:layer:{self.layer}"

    @property
    def arn(self) -> str:
        return f"{self.layer_arn}:{self.version}"


class Mapping(Record, frozen=True):
    """`value`: the settings in AWS's words. `positions`: shard -> the sequence number that was handled last."""

    account_id: str
    region: str
    uuid: str
    function_arn: str
    source_arn: str
    value: dict[str, Any]
    state: str
    reason: str
    modified: float
    tags: dict[str, str] = field(default_factory=dict)
    positions: dict[str, str] = field(default_factory=dict)
    result: str = "No records processed"
    started: float = 0.0  # where LATEST is

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account_id}:event-source-mapping:{self.uuid}"


class Signing(Record, frozen=True):
    account_id: str
    region: str
    config_id: str
    value: dict[str, Any]
    modified: str
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account_id}:code-signing-config:{self.config_id}"


PLACE = ("account_id", "region")
FUNCTIONS = Table("lambda.functions", Function, version=1, key=(*PLACE, "name"))
VERSIONS = Table("lambda.versions", Version, version=1, key=(*PLACE, "function", "order"))
ALIASES = Table("lambda.aliases", Alias, version=1, key=(*PLACE, "function", "name"))
POLICIES = Table("lambda.policies", Policy, version=1, key=("arn",))
INVOKE_CONFIGS = Table("lambda.invoke_configs", Setting, version=1, key=(*PLACE, "function", "qualifier"))
PROVISIONED = Table("lambda.provisioned", Setting, version=1, key=(*PLACE, "function", "qualifier"))
URLS = Table(
    "lambda.urls",
    Setting,
    version=1,
    key=(*PLACE, "function", "qualifier"),
    indexes={"by_id": Index(("url_id",), unique=True, sparse=True)},
)
LAYERS = Table("lambda.layers", Layer, version=1, key=(*PLACE, "name"))
LAYER_VERSIONS = Table("lambda.layer_versions", LayerVersion, version=1, key=(*PLACE, "layer", "version"))
MAPPINGS = Table("lambda.mappings", Mapping, version=1, key=(*PLACE, "uuid"), indexes={"by_uuid": ("uuid",)})
SIGNING = Table("lambda.signing", Signing, version=1, key=(*PLACE, "config_id"))


def layer_version(tx: Transaction, account_id: str, region: str, name: str, number: int) -> LayerVersion | None:
    if number >= 10**MOST_DIGITS:
        return None
    return LAYER_VERSIONS.get(tx, account_id, region, name, number)
