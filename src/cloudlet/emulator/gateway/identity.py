"""Who calls, and where: account, region and principal from a request's credential.

    Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …   signature version 4
    ?X-Amz-Credential=KEY/DATE/REGION/SERVICE/aws4_request                               presigned, version 4
    Authorization: AWS KEY:SIGNATURE        ?AWSAccessKeyId=KEY                          version 2
    Authorization: Basic / Bearer …, or nothing                                          anonymous

Everything that follows from a credential is computed once and kept; a request costs one dictionary look-up.
"""

from __future__ import annotations

import functools
import re
from urllib.parse import unquote

import msgspec

from cloudlet.emulator.kernel.access_keys import account_of
from cloudlet.emulator.kernel.call import Principal
from cloudlet.emulator.protocol.message import HttpRequest
from cloudlet.settings import Settings

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"
CACHED_CREDENTIALS = 10_000

# The shape of AWS's region names in all partitions; anything else is a typing error or a placeholder ("auto", "local").
REGION = re.compile(r"(?:us|eu|ap|sa|ca|me|af|il|mx|cn|us-gov|us-iso[a-z]?|eu-isoe|eusc-[a-z]+)-[a-z]+-\d{1,2}")

# Longest prefix first: `us-gov-west-1` is not of the partition of `us-west-1`.
PARTITIONS = (
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("us-iso-", "aws-iso"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
    ("cn-", "aws-cn"),
)


class Identity(msgspec.Struct, frozen=True):
    """What a credential says. `signing_name` is the service of the scope (`s3`, `execute-api`), or empty."""

    principal: Principal
    account_id: str
    region: str
    partition: str
    signing_name: str


class Identities:
    """Resolves requests to identities, and remembers credentials that it has seen."""

    __slots__ = ("_anonymous", "_cache", "_settings")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cache: dict[str, Identity] = {}
        self._anonymous = self._build("", DEFAULT_REGION, "")

    def of(self, request: HttpRequest) -> Identity:
        """The caller of a request. Never raises: what cannot be read is anonymous."""
        header = request.headers.get("authorization")
        if header is not None:
            start = header.find("Credential=")
            if start >= 0:
                end = header.find(",", start)
                scope = header[start + 11 : end if end > 0 else None]
                return self._cache.get(scope) or self._from_scope(scope)
            if header.startswith("AWS "):
                return self._from_key(header[4:].partition(":")[0])
            return self._anonymous
        if "X-Amz-Credential=" in request.query:
            return self._from_scope(request.params.get("X-Amz-Credential", ""))
        if "AWSAccessKeyId=" in request.query:
            return self._from_key(request.params.get("AWSAccessKeyId", ""))
        return self._anonymous

    def _from_scope(self, scope: str) -> Identity:
        """`KEY/DATE/REGION/SERVICE/aws4_request`; a key may hold slashes, so it is read from the right."""
        found = self._cache.get(scope)
        if found is None:
            parts = unquote(scope.strip()).rsplit("/", 4)
            if len(parts) < 5:
                return self._anonymous
            key, _date, region, service, _terminator = parts
            found = self._keep(scope, self._build(key, region, service.lower()))
        return found

    def _from_key(self, access_key: str) -> Identity:
        """Signature version 2 names neither region nor service; only S3 and SimpleDB still take it."""
        return self._cache.get(access_key) or self._keep(access_key, self._build(access_key, DEFAULT_REGION, "s3"))

    def _keep(self, credential: str, identity: Identity) -> Identity:
        if len(self._cache) >= CACHED_CREDENTIALS:
            self._cache.clear()
        self._cache[credential] = identity
        return identity

    def _build(self, access_key: str, region: str, signing_name: str) -> Identity:
        if not (self._settings.allow_nonstandard_regions or REGION.fullmatch(region)):
            region = DEFAULT_REGION
        account = account_of(access_key, self._settings.parity_access_key_id) if access_key else DEFAULT_ACCOUNT
        partition = partition_of(region)
        return Identity(
            principal=Principal(
                account_id=account,
                access_key_id=access_key,
                kind="root" if access_key else "anonymous",
                arn=f"arn:{partition}:iam::{account}:root",
                user_id=account,
            ),
            account_id=account,
            region=region,
            partition=partition,
            signing_name=signing_name,
        )


@functools.lru_cache(256)
def partition_of(region: str) -> str:
    """The partition that a region belongs to (`aws`, `aws-cn`, `aws-us-gov`, …)."""
    for prefix, partition in PARTITIONS:
        if region.startswith(prefix):
            return partition
    return "aws"
