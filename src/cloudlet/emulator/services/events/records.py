"""What EventBridge keeps, and where.

BUSES            event buses; `default` is always there and only written once something of it changes
RULES, TARGETS   rules by bus and name, targets by rule and id
ARCHIVES, ARCHIVED   archives, and the events in them by time
REPLAYS          replays of archived events
CONNECTIONS, DESTINATIONS   how web servers are called
ENDPOINTS        global endpoints
SOURCES          partner event sources, by the account that they are for
"""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.store.table import Index, Record, Table


class Named(Record, frozen=True):
    """What has a name of its own in an account and region."""

    account_id: str
    region: str
    name: str


class Bus(Named, frozen=True):
    """`details` has members that AWS gives back as they were. `statements`: of its resource policy."""

    created: float
    modified: float
    details: dict[str, Any]
    statements: list[dict[str, Any]]
    tags: dict[str, str]
    version: str = "2012-10-17"


class Rule(Record, frozen=True):
    """`anchor`: what a rate counts from. `revision`: of the timer."""

    account_id: str
    region: str
    bus: str
    name: str
    pattern: str
    schedule: str
    state: str
    description: str
    role_arn: str
    tags: dict[str, str]
    anchor: float
    revision: str

    @property
    def is_enabled(self) -> bool:
        return self.state != "DISABLED"


class Target(Record, frozen=True):
    """`definition` has AWS's members."""

    account_id: str
    region: str
    bus: str
    rule: str
    target_id: str
    arn: str
    definition: dict[str, Any]


class Archive(Named, frozen=True):
    """`pattern` is empty where every event is kept, `retention_days` 0 for ever."""

    source_arn: str
    bus: str
    created: float
    description: str
    pattern: str
    retention_days: int
    kms_key: str
    event_count: int = 0
    size_bytes: int = 0


class Archived(Record, frozen=True):
    """An event in an archive. `moment`: the event's time, seconds since the epoch."""

    account_id: str
    region: str
    archive: str
    moment: float
    event_id: str
    event: dict[str, Any]
    size_bytes: int


class Replay(Named, frozen=True):
    """`started`, `ended`, `last_event`: seconds since the epoch; 0 for not yet."""

    archive: str
    source_arn: str
    destination: dict[str, Any]
    description: str
    begin: float
    end: float
    state: str
    started: float
    ended: float = 0.0
    last_event: float = 0.0


class Connection(Named, frozen=True):
    """`parameters` are the AuthParameters with their secrets. `identifier`: the last part of the ARN.

    `token`: what an authorization server gave last, good until `token_end`.
    """

    identifier: str
    secret_arn: str
    created: float
    modified: float
    authorized: float
    state: str
    authorization: str
    parameters: dict[str, Any]
    description: str = ""
    connectivity: dict[str, Any] | None = None
    kms_key: str = ""
    token: str = ""
    token_end: float = 0.0


class Destination(Named, frozen=True):
    """An API destination."""

    identifier: str
    created: float
    modified: float
    connection_arn: str
    endpoint: str
    method: str
    rate_limit: int
    description: str = ""


class Endpoint(Named, frozen=True):
    """A global endpoint. `details` has AWS's members."""

    identifier: str
    created: float
    modified: float
    details: dict[str, Any]


class Source(Named, frozen=True):
    """A partner event source, made by `partner` for `account_id`."""

    partner: str
    created: float
    state: str = "PENDING"


PLACE = ("account_id", "region")
BY_NAME = (*PLACE, "name")

BUSES = Table("events.buses", Bus, version=1, key=BY_NAME)
RULES = Table("events.rules", Rule, version=1, key=(*PLACE, "bus", "name"))
TARGETS = Table(
    "events.targets",
    Target,
    version=1,
    key=(*PLACE, "bus", "rule", "target_id"),
    indexes={"by_arn": (*PLACE, "bus", "arn")},
)
ARCHIVES = Table("events.archives", Archive, version=1, key=BY_NAME, indexes={"by_bus": (*PLACE, "bus")})
ARCHIVED = Table("events.archived", Archived, version=1, key=(*PLACE, "archive", "moment", "event_id"))
REPLAYS = Table("events.replays", Replay, version=1, key=BY_NAME)
CONNECTIONS = Table("events.connections", Connection, version=1, key=BY_NAME)
DESTINATIONS = Table("events.destinations", Destination, version=1, key=BY_NAME)
ENDPOINTS = Table("events.endpoints", Endpoint, version=1, key=BY_NAME)
SOURCES = Table(
    "events.sources",
    Source,
    version=1,
    key=BY_NAME,
    indexes={"by_partner": Index(("partner", "region", "name"))},
)
