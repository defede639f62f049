"""Sessions: the temporary credentials that STS has issued."""

from __future__ import annotations

from cloudlet.emulator.store.table import Record, Table


class Session(Record, frozen=True):
    """Who signs with a temporary access key, and what came with it.

    `kind` is `assumed-role`, `federated-user` or `session` (of GetSessionToken). `expires_at` is in seconds since the
    epoch. `transitive_tag_keys` are the tags that role chaining passes on. `policy` and `policy_arns` narrow the session.
    """

    access_key_id: str
    secret_access_key: str
    session_token: str
    kind: str
    account_id: str
    arn: str
    user_id: str
    expires_at: float
    role_arn: str = ""
    source_identity: str = ""
    policy: str = ""
    policy_arns: list[str] = []  # noqa: RUF012  msgspec copies it
    tags: dict[str, str] = {}  # noqa: RUF012
    transitive_tag_keys: list[str] = []  # noqa: RUF012


SESSIONS = Table(
    "sts.sessions",
    Session,
    version=1,
    key=("access_key_id",),
    indexes={"by_expiry": ("expires_at",)},
)
