"""Server-side encryption: a bucket's default, what an object says of itself, and the checks of customer keys.

Nothing is encrypted here; the API's behaviour is what counts. Of a customer's key only its MD5 is kept.
Source: "Protecting data with server-side encryption", S3 User Guide.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3.api import (
    DeleteBucketEncryptionRequest,
    GetBucketEncryptionOutput,
    GetBucketEncryptionRequest,
    PutBucketEncryptionRequest,
    ServerSideEncryptionRule,
)
from cloudlet.emulator.services.s3.errors import (
    AccessDenied,
    InvalidArgument,
    InvalidEncryptionAlgorithmError,
    InvalidRequest,
    MalformedXML,
)
from cloudlet.emulator.services.s3.lookup import require_bucket
from cloudlet.emulator.services.s3.records import BUCKETS, BucketRecord, DefaultEncryption, Encryption, ObjectRecord

KMS = frozenset({"aws:kms", "aws:kms:dsse"})
ALGORITHMS = frozenset({"AES256", *KMS})
KEY_ID = re.compile(r"(?:mrk-)?[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NEEDS = "Requests specifying Server Side Encryption with Customer provided keys must provide "


def refused(message: str, value: str | None = None) -> InvalidArgument:
    members = {"ArgumentName": "x-amz-server-side-encryption"}
    if value is not None:
        members["ArgumentValue"] = value
    return InvalidArgument(message, headers=None, **members)


def object_encryption(bucket: BucketRecord, request: Mapping[str, Any]) -> Encryption | None:
    """How a new object is encrypted; None is the plain default, AES256.

    Raises InvalidArgument and InvalidEncryptionAlgorithmError.
    """
    if "SSECustomerAlgorithm" in request or "SSECustomerKey" in request:
        if "ServerSideEncryption" in request:
            raise refused(
                "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
                request["ServerSideEncryption"],
            )
        md5 = customer_key_md5(request)
        return Encryption("AES256", customer_key_md5=md5)
    algorithm = request.get("ServerSideEncryption")
    if algorithm is None:
        if "SSEKMSKeyId" in request:
            raise refused(
                "Server Side Encryption with AWS KMS managed key requires HTTP header "
                "x-amz-server-side-encryption : aws:kms"
            )
        default = bucket.encryption
        if default.algorithm == "AES256":
            return None
        return Encryption(default.algorithm, key_arn(bucket, default.kms_key), default.bucket_key)
    if algorithm not in ALGORITHMS:
        raise refused("The encryption method specified is not supported", algorithm)
    if algorithm == "AES256":
        if "SSEKMSKeyId" in request:
            raise refused(
                "Server Side Encryption with AWS KMS managed key requires HTTP header "
                "x-amz-server-side-encryption : aws:kms",
                algorithm,
            )
        return None
    default = bucket.encryption
    return Encryption(
        algorithm,
        key_arn(bucket, request.get("SSEKMSKeyId") or default.kms_key),
        bool(request.get("BucketKeyEnabled", default.bucket_key)),
        context=request.get("SSEKMSEncryptionContext", ""),
    )


def key_arn(bucket: BucketRecord, key: str) -> str:
    """A KMS key as S3 shows it: an ARN; without one, that of the account's own key for S3 in the bucket's region."""
    if key and KEY_ID.fullmatch(key) is None:
        return key  # an ARN, an alias, or a name that only the caller understands
    if not key:
        name = hashlib.sha256(f"aws/s3:{bucket.account_id}:{bucket.region}".encode()).hexdigest()
        key = f"{name[:8]}-{name[8:12]}-4{name[13:16]}-a{name[17:20]}-{name[20:32]}"
    return f"arn:aws:kms:{bucket.region}:{bucket.account_id}:key/{key}"


def customer_key_md5(request: Mapping[str, Any], prefix: str = "") -> str:
    """The MD5 (base64) of the customer's key after all checks of the three headers; `prefix` is `CopySource` or empty."""
    algorithm = request.get(prefix + "SSECustomerAlgorithm")
    key = request.get(prefix + "SSECustomerKey")
    md5: str | None = request.get(prefix + "SSECustomerKeyMD5")
    if not algorithm:
        raise refused(NEEDS + "a valid encryption algorithm.")
    if algorithm != "AES256":
        raise InvalidEncryptionAlgorithmError(
            "The Encryption request you specified is not valid. Supported value: AES256.",
            ArgumentName="x-amz-server-side-encryption",
            ArgumentValue=algorithm,
        )
    if not key:
        raise refused(NEEDS + "an appropriate secret key.")
    try:
        raw = b64decode(key, validate=True)
    except (Base64Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise refused("The secret key was invalid for the specified algorithm.")
    if not md5:
        raise refused(NEEDS + "the client calculated MD5 of the secret key.")
    if b64encode(hashlib.md5(raw, usedforsecurity=False).digest()).decode() != md5:
        raise refused("The calculated MD5 hash of the key did not match the hash that was provided.")
    return md5


def check_customer_key(record: ObjectRecord, request: Mapping[str, Any], prefix: str = "") -> None:
    """A read of an object: its customer's key must come with the request, and only then.

    Raises InvalidRequest and AccessDenied.
    """
    encryption = record.encryption
    given = prefix + "SSECustomerAlgorithm" in request or prefix + "SSECustomerKey" in request
    if encryption is None or not encryption.customer_key_md5:
        if given:
            raise InvalidRequest("The encryption parameters are not applicable to this object.")
        return
    if not given:
        raise InvalidRequest(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
            "retrieve the object."
        )
    if customer_key_md5(request, prefix) != encryption.customer_key_md5:
        raise AccessDenied(NEEDS + "the correct secret key.")


def show_encryption(result: dict[str, Any], bucket: BucketRecord, encryption: Encryption | None) -> None:
    """The members that tell how an object is encrypted."""
    if encryption is None:
        result["ServerSideEncryption"] = "AES256"
    elif encryption.customer_key_md5:
        result["SSECustomerAlgorithm"] = encryption.algorithm
        result["SSECustomerKeyMD5"] = encryption.customer_key_md5
    else:
        result["ServerSideEncryption"] = encryption.algorithm
        result["SSEKMSKeyId"] = encryption.kms_key
        if encryption.bucket_key:
            result["BucketKeyEnabled"] = True


@read_write
def put_bucket_encryption(call: Call, request: PutBucketEncryptionRequest) -> None:
    bucket = require_bucket(call, request)
    rules = request["ServerSideEncryptionConfiguration"].get("Rules") or []
    if len(rules) != 1:
        raise MalformedXML
    BUCKETS.put(call.tx, msgspec.structs.replace(bucket, encryption=default_encryption(rules[0])))


def default_encryption(rule: ServerSideEncryptionRule) -> DefaultEncryption:
    """Raises MalformedXML and InvalidArgument."""
    default: Mapping[str, Any] = rule.get("ApplyServerSideEncryptionByDefault") or {}
    algorithm = default.get("SSEAlgorithm")
    if algorithm not in ALGORITHMS:
        raise MalformedXML
    if algorithm == "AES256" and "KMSMasterKeyID" in default:
        raise InvalidArgument(
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
            ArgumentName="ApplyServerSideEncryptionByDefault",
        )
    return DefaultEncryption(algorithm, default.get("KMSMasterKeyID", ""), bool(rule.get("BucketKeyEnabled", False)))


@read_only
def get_bucket_encryption(call: Call, request: GetBucketEncryptionRequest) -> GetBucketEncryptionOutput:
    encryption = require_bucket(call, request).encryption
    default: dict[str, Any] = {"SSEAlgorithm": encryption.algorithm}
    if encryption.kms_key:
        default["KMSMasterKeyID"] = encryption.kms_key
    rule: dict[str, Any] = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": encryption.bucket_key}
    configuration: Any = {"Rules": [rule]}
    return {"ServerSideEncryptionConfiguration": configuration}


@read_write
def delete_bucket_encryption(call: Call, request: DeleteBucketEncryptionRequest) -> None:
    bucket = require_bucket(call, request)
    BUCKETS.put(call.tx, msgspec.structs.replace(bucket, encryption=DefaultEncryption()))
