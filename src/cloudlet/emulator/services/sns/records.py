"""What SNS keeps, and where.

TOPICS            a topic's settings, by its ARN
SUBSCRIPTIONS     by topic and id, so that publishing reads one range; the two make the subscription's ARN
DEDUPLICATIONS    what FIFO topics remember for five minutes
SEQUENCES         how many messages a FIFO topic has got
SIGNING_KEYS      the keys that messages are signed with, and their certificates
APPLICATIONS, ENDPOINTS   mobile push: platform applications and the devices registered with them
OUTBOX            what was sent where nothing can be delivered: devices and telephones
SMS_ACCOUNTS, SANDBOX_NUMBERS   text message settings
"""

from __future__ import annotations

from cloudlet.emulator.store.table import Record, Table


class Topic(Record, frozen=True):
    """`attributes` holds what was set, in AWS's words; the other fields are read on each publish."""

    arn: str
    account_id: str
    region: str
    name: str
    fifo: bool
    content_based_deduplication: bool
    deduplicates_by_group: bool
    signature_version: str
    attributes: dict[str, str]
    tags: dict[str, str]
    created_at: float
    deleted_subscriptions: int = 0
    data_protection_policy: str = ""


class Subscription(Record, frozen=True):
    """`confirmed` is False until somebody shows `token`. Its ARN is the topic's and the id."""

    topic_arn: str
    subscription_id: str
    protocol: str
    endpoint: str
    owner: str
    confirmed: bool
    raw: bool
    filter_policy: str
    filter_scope: str
    redrive_target: str
    attributes: dict[str, str]
    token: str = ""
    authenticated: bool = True
    unsubscribe_authenticated: bool = False

    @property
    def arn(self) -> str:
        return f"{self.topic_arn}:{self.subscription_id}"


class Deduplication(Record, frozen=True):
    topic_arn: str
    scope: str
    deduplication_id: str
    message_id: str
    sequence: int
    expires_at: float


class Sequence(Record, frozen=True):
    topic_arn: str
    last: int


class SigningKey(Record, frozen=True):
    """`private_key` and `certificate` are PEM. `use` is `queue` or `http`."""

    use: str
    key_id: str
    private_key: str
    certificate: str


class Application(Record, frozen=True):
    arn: str
    account_id: str
    region: str
    name: str
    platform: str
    attributes: dict[str, str]


class Endpoint(Record, frozen=True):
    application_arn: str
    arn: str
    token: str
    attributes: dict[str, str]


class Sent(Record, frozen=True):
    """`target` is an endpoint's ARN or a telephone number."""

    account_id: str
    region: str
    target: str
    sent_at: float
    message_id: str
    topic_arn: str
    subject: str
    message: str
    structure: str
    attributes: dict[str, dict[str, str]]


class SmsAccount(Record, frozen=True):
    account_id: str
    region: str
    attributes: dict[str, str]
    opted_out: list[str]


class SandboxNumber(Record, frozen=True):
    account_id: str
    region: str
    number: str
    verified: bool


TOPICS = Table("sns.topics", Topic, version=1, key=("arn",), cached=True)
SUBSCRIPTIONS = Table(
    "sns.subscriptions",
    Subscription,
    version=1,
    key=("topic_arn", "subscription_id"),
    indexes={"by_endpoint": ("topic_arn", "protocol", "endpoint")},
)
DEDUPLICATIONS = Table(
    "sns.deduplications",
    Deduplication,
    version=1,
    key=("topic_arn", "scope", "deduplication_id"),
    indexes={"by_expiry": ("topic_arn", "expires_at")},
)
SEQUENCES = Table("sns.sequences", Sequence, version=1, key=("topic_arn",))
SIGNING_KEYS = Table(
    "sns.signing-keys", SigningKey, version=1, key=("use",), indexes={"by_id": ("key_id",)}, cached=True
)
APPLICATIONS = Table("sns.applications", Application, version=1, key=("arn",))
ENDPOINTS = Table(
    "sns.endpoints",
    Endpoint,
    version=1,
    key=("arn",),
    indexes={"by_application": ("application_arn",), "by_token": ("application_arn", "token")},
)
OUTBOX = Table("sns.outbox", Sent, version=1, key=("account_id", "region", "target", "sent_at", "message_id"))
SMS_ACCOUNTS = Table("sns.sms-accounts", SmsAccount, version=1, key=("account_id", "region"))
SANDBOX_NUMBERS = Table("sns.sandbox-numbers", SandboxNumber, version=1, key=("account_id", "region", "number"))
