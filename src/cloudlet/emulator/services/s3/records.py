"""S3's records and tables.

    s3.buckets     one a bucket: what every request needs of it; names are global
    s3.configs     (bucket, kind, id): a bucket's configurations in the API's own form
    s3.current     (bucket, key): the current object of a key; listings read this one only
    s3.versions    (bucket, key, order): every other version and all delete markers, newest first
    s3.bodies      contents up to 64 KiB, by a body id that sorts by time
    s3.manifests   the parts of multipart objects, by their body id
    s3.uploads     (bucket, key, upload id): multipart uploads in progress
    s3.parts       (upload id, part number)

A key has an entry in `s3.current` when its newest version is an object. Where its newest version is a delete marker,
or it has none, there is no entry. So a listing never walks over deleted keys.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cloudlet.emulator.store.table import Record, Table

# Where an object's content is.
EMPTY, INLINE, BLOB = 0, 1, 2

UNVERSIONED, ENABLED, SUSPENDED = "", "Enabled", "Suspended"


class DefaultEncryption(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a bucket encrypts with by default."""

    algorithm: str = "AES256"
    kms_key: str = ""
    bucket_key: bool = False


class DefaultRetention(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Object lock's default retention; one of `days` and `years` is 0."""

    mode: str
    days: int = 0
    years: int = 0


class BucketRecord(Record, frozen=True):
    """A bucket. `created` is in epoch seconds; `location` is the constraint as the creator spelt it."""

    name: str
    account_id: str
    region: str
    created: float
    location: str = ""
    versioning: str = UNVERSIONED
    mfa_delete: str = ""
    object_lock: bool = False
    retention: DefaultRetention | None = None
    ownership: str = "BucketOwnerEnforced"
    encryption: DefaultEncryption = DefaultEncryption()
    has_lifecycle: bool = False
    has_cors: bool = False
    has_notifications: bool = False


class ConfigRecord(Record, frozen=True):
    """A configuration of a bucket; `id` is empty for kinds of which a bucket has one."""

    bucket: str
    kind: str
    id: str
    value: dict[str, Any]


class Encryption(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How an object is said to be encrypted where it is not plain AES256."""

    algorithm: str
    kms_key: str = ""
    bucket_key: bool = False
    customer_key_md5: str = ""
    context: str = ""


class Lock(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Object lock of a version: `mode` and `until` (epoch seconds) of the retention, and the legal hold (ON, OFF)."""

    mode: str = ""
    until: float = 0.0
    legal_hold: str = ""


class Grant(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A grant of an ACL. `grantee` is a canonical user id or a group's URI."""

    kind: str
    grantee: str
    permission: str


class Restore(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A restored copy of an archived object, until `expiry` (epoch seconds)."""

    expiry: float


class ObjectRecord(Record, frozen=True):
    """One version of an object, or a delete marker.

    `modified` is in whole epoch seconds, as S3's own. `etag` has no quotes. Empty stands for STANDARD in
    `storage_class` and for `null` in `version_id`. `order` sorts the versions of a key, the newest being the least.
    `body` is EMPTY, INLINE or BLOB and `body_id` names it there. `parts` counts those of a multipart upload, which are
    in `s3.manifests`. What listings show comes first.
    """

    bucket: str
    key: str
    size: int
    modified: int
    etag: str
    storage_class: str
    checksum_algorithm: str
    checksum_type: str
    checksum: str
    order: int
    version_id: str
    body: int
    body_id: str
    owner: str
    content_type: str = ""
    headers: dict[str, str | float] | None = None
    metadata: dict[str, str] | None = None
    encryption: Encryption | None = None
    tags: dict[str, str] | None = None
    lock: Lock | None = None
    acl: tuple[Grant, ...] | None = None
    parts: int = 0
    restore: Restore | None = None
    is_marker: bool = False


class EntryRecord(Record, frozen=True):
    """The first fields of an `ObjectRecord`, which are all that a listing shows: decoding stops there."""

    bucket: str
    key: str
    size: int
    modified: int
    etag: str
    storage_class: str
    checksum_algorithm: str
    checksum_type: str


class BodyRecord(Record, frozen=True):
    """Content that is kept in the store."""

    id: str
    data: bytes


class Segment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A part of a multipart object."""

    number: int
    size: int
    checksum: str


class ManifestRecord(Record, frozen=True):
    """The parts of a multipart object, in order; `id` is the object's body id, `upload_id` the upload that made it."""

    id: str
    segments: tuple[Segment, ...]
    upload_id: str = ""


class UploadRecord(Record, frozen=True):
    """A multipart upload in progress; `template` holds what the object will be besides its content."""

    bucket: str
    key: str
    upload_id: str
    initiated: float
    initiator: str
    template: ObjectRecord
    checksum_algorithm: str
    checksum_type: str
    asked_checksum: bool
    conflicted: bool = False  # the key was deleted since


class PartRecord(Record, frozen=True):
    """An uploaded part."""

    upload_id: str
    number: int
    size: int
    modified: int
    etag: str
    checksum: str
    body: int
    body_id: str


BUCKETS = Table(
    "s3.buckets",
    BucketRecord,
    version=1,
    key=("name",),
    indexes={"by_account": ("account_id", "name")},
    cached=True,
)
CONFIGS = Table("s3.configs", ConfigRecord, version=1, key=("bucket", "kind", "id"))
CURRENT = Table("s3.current", ObjectRecord, version=1, key=("bucket", "key"))
ENTRIES = Table("s3.current", EntryRecord, version=1, key=("bucket", "key"))  # what a listing reads of it
VERSIONS = Table(
    "s3.versions",
    ObjectRecord,
    version=1,
    key=("bucket", "key", "order"),
    indexes={"by_version": ("bucket", "key", "version_id")},
)
BODIES = Table("s3.bodies", BodyRecord, version=1, key=("id",))
MANIFESTS = Table("s3.manifests", ManifestRecord, version=1, key=("id",))
UPLOADS = Table("s3.uploads", UploadRecord, version=1, key=("bucket", "key", "upload_id"))
PARTS = Table("s3.parts", PartRecord, version=1, key=("upload_id", "number"))
