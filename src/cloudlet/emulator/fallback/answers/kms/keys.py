"""Keys: how they are found, in which state they can be used, what is told of them; creation and deletion.

moto's `Key` holds id, ARN, policy, tags and aliases. Beside it stand here, as attributes that are saved with it:
`materials` (all that it ever encrypted with, the newest last) and `private` (PKCS #8 in DER).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.kms import crypto
from cloudlet.emulator.kernel.errors import UnmodelledError

KEY_ID = re.compile(r"(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z")
DAY_SECONDS = 86400.0
SIGN, ENCRYPT, MAC, AGREE = "SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"
# A state in which a key does nothing -> the words for it
STATES: Mapping[str, str] = MappingProxyType(
    {
        "PendingDeletion": "is pending deletion.",
        "PendingImport": "is pending import.",
        "PendingReplicaDeletion": "is pending replica deletion.",
    }
)
USED_BY_MOTO = frozenset({"SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"})


def refuse(code: str, message: str = "") -> UnmodelledError:
    return UnmodelledError(code, message)


@contextmanager
def opened(asked: Asked, name: str | None = None) -> Iterator[Any]:
    """The key that the request names, while KMS's state is held. Raises NotFoundException."""
    with asked.state() as backend:
        yield find(asked, backend, asked.request["KeyId"] if name is None else name)


def find(asked: Asked, backend: Any, name: str) -> Any:
    """The key with this id, ARN, alias or alias ARN; one of another account by its ARN."""
    call = asked.call
    if name.startswith("arn:"):
        parts = name.split(":", 5)
        if len(parts) < 6 or parts[2] != "kms":
            raise refuse("NotFoundException", f"Invalid arn {name}")
        if parts[3] != call.region:
            raise refuse("NotFoundException", f"Invalid arn {parts[3]}")
        if parts[4] != call.account_id:
            backend = asked.engine.backend("kms", parts[4], call.region, call.partition)
        name = parts[5].removeprefix("key/")
    if name.startswith("alias/"):
        found = by_alias(backend, name)
        if found is None:
            raise refuse("NotFoundException", f"Alias {arn(asked, name)} is not found.")
    else:
        if not KEY_ID.match(name):
            raise refuse("NotFoundException", f"Invalid keyId '{name}'")
        found = backend.keys.get(name)
    if found is not None and found.deletion_date is not None and found.deletion_date.timestamp() <= call.now:
        del backend.keys[found.id]
        found = None
    if found is None:
        raise refuse("NotFoundException", f"Key '{arn(asked, 'key/' + name)}' does not exist")
    refresh(found, asked)
    return found


def by_alias(backend: Any, name: str) -> Any:
    """None for an alias that there is not. Those of AWS's own services come into being when they are used."""
    found = backend.get_key_id_from_alias(name)
    if found is None and name.startswith("alias/aws/"):
        backend._generate_default_keys(name)
        found = backend.get_key_id_from_alias(name)
        if found in backend.keys:
            backend.keys[found].key_manager = "AWS"
    return backend.keys.get(found)


def arn(asked: Asked, resource: str) -> str:
    call = asked.call
    return f"arn:{call.partition}:kms:{call.region}:{call.account_id}:{resource}"


def refresh(key: Any, asked: Asked) -> None:
    """What is beside moto's part of a key, made at its first use; rotation that is due, done."""
    if not hasattr(key, "materials"):
        spec = key.key_spec
        length = crypto.HMAC_BYTES.get(spec, 32)
        first = key.key_material if len(key.key_material) == length else asked.call.ids.bytes(length)
        key.materials = [] if key.key_state == "PendingImport" else [bytes(first)]
        key.private = b"" if spec in USED_BY_MOTO or key.origin == "EXTERNAL" else private_of(key)
        key.rotation_days, key.rotated_at = 365, key.creation_date
    while key.key_rotation_status and next_rotation(key) <= asked.call.now:
        key.rotated_at = next_rotation(key)
        turn(key, asked.call.ids.bytes(32), "AUTOMATIC", key.rotated_at)


def private_of(key: Any) -> bytes:
    holder = getattr(key.private_key, "private_key", None)
    return crypto.private_der(holder) if holder is not None else crypto.new_private_key(key.key_spec)


def next_rotation(key: Any) -> float:
    return float(key.rotated_at + key.rotation_days * DAY_SECONDS)


def turn(key: Any, material: bytes, kind: str, at: float) -> None:
    """Encrypt with other material from now on."""
    key.materials.append(material)
    key.rotations.append({"KeyId": key.id, "RotationDate": at, "RotationType": kind})


def usable(key: Any, operation: str = "", usage: str = "") -> Any:
    """The key, enabled and made for this use. Raises DisabledException, KMSInvalidStateException, InvalidKeyUsage…"""
    if key.key_state in STATES:
        raise refuse("KMSInvalidStateException", f"{key.arn} {STATES[key.key_state]}")
    if key.key_state == "Disabled":
        raise refuse("DisabledException", f"{key.arn} is disabled.")
    if usage and key.key_usage != usage:
        raise refuse(
            "InvalidKeyUsageException", f"{key.arn} key usage is {key.key_usage} which is not valid for {operation}."
        )
    return key


def not_pending(key: Any, *states: str) -> Any:
    for state in states or STATES:
        if key.key_state == state:
            raise refuse("KMSInvalidStateException", f"{key.arn} {STATES[state]}")
    return key


def dry_run(asked: Asked) -> None:
    """Where nothing was to be done but the checks: the error that says that they passed."""
    if asked.request.get("DryRun"):
        raise refuse("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")


def metadata(key: Any) -> dict[str, Any]:
    """KeyMetadata."""
    spec, usage = key.key_spec, key.key_usage
    told: dict[str, Any] = {
        "AWSAccountId": key.account_id,
        "KeyId": key.id,
        "Arn": key.arn,
        "CreationDate": key.creation_date,
        "Enabled": key.key_state == "Enabled",
        "Description": key.description,
        "KeyUsage": usage,
        "KeyState": key.key_state,
        "Origin": key.origin,
        "KeyManager": key.key_manager,
        "CustomerMasterKeySpec": spec,
        "KeySpec": spec,
        "MultiRegion": bool(key.multi_region),
        **algorithms(spec, usage),
    }
    if key.multi_region:
        told["MultiRegionConfiguration"] = key.multi_region_configuration
    if spec == crypto.SYMMETRIC and key.materials:
        told["CurrentKeyMaterialId"] = crypto.material_id(key.materials[-1])
    if key.key_state == "PendingDeletion":
        told["DeletionDate"] = key.deletion_date.timestamp()
    if key.origin == "EXTERNAL" and key.key_state != "PendingImport":
        told["ExpirationModel"] = getattr(key, "expiration_model", "KEY_MATERIAL_DOES_NOT_EXPIRE")
        told["ValidTo"] = getattr(key, "valid_to", None)
    return {name: value for name, value in told.items() if value is not None}


def algorithms(spec: str, usage: str) -> dict[str, Any]:
    """What a key can do, by the member that names it."""
    if usage == MAC:
        return {"MacAlgorithms": [f"HMAC_SHA_{spec[-3:]}"]}
    if usage == SIGN:
        return {"SigningAlgorithms": list(crypto.SIGNING[spec])}
    if usage == AGREE:
        return {"KeyAgreementAlgorithms": ["ECDH"]}
    return {"EncryptionAlgorithms": [spec] if spec == crypto.SYMMETRIC else list(crypto.RSA_ENCRYPTION)}


def uses_of(spec: str) -> tuple[str, ...]:
    """What keys of a spec can be made for. Empty for what is not served: SM2 (regions in China only), ML-KEM."""
    if spec == crypto.SYMMETRIC:
        return (ENCRYPT,)
    if spec in crypto.HMAC_BYTES:
        return (MAC,)
    if spec in crypto.RSA_BITS:
        return (ENCRYPT, SIGN)
    if spec in crypto.CURVES and spec != "ECC_SECG_P256K1":
        return (SIGN, AGREE)
    return (SIGN,) if spec in crypto.SIGNING else ()


def create_key(asked: Asked) -> dict[str, Any]:
    request = asked.request
    spec = request.get("KeySpec") or request.get("CustomerMasterKeySpec") or crypto.SYMMETRIC
    possible = uses_of(spec)
    if not possible:
        raise refuse("UnsupportedOperationException", f"KeySpec {spec} is not supported in this region.")
    usage = request.get("KeyUsage")
    if usage is None and spec != crypto.SYMMETRIC:
        raise refuse(
            "ValidationException",
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
        )
    usage = usage or ENCRYPT
    if usage not in possible:
        raise refuse("ValidationException", f"KeyUsage {usage} is not compatible with KeySpec {spec}")
    is_external = request.get("Origin") == "EXTERNAL"
    with asked.state() as backend:
        made = asked.proceed(KeySpec=crypto.SYMMETRIC, KeyUsage=ENCRYPT, CustomerMasterKeySpec=None)
        key = backend.keys[made["KeyMetadata"]["KeyId"]]
        key.key_spec, key.key_usage, key.private_key = spec, usage, None
        if is_external:
            key.key_state, key.enabled = "PendingImport", False
        refresh(key, asked)
        return {"KeyMetadata": metadata(key)}


def describe_key(asked: Asked) -> dict[str, Any]:
    with opened(asked) as key:
        return {"KeyMetadata": metadata(key)}


def schedule_key_deletion(asked: Asked) -> dict[str, Any]:
    days = asked.request.get("PendingWindowInDays", 30)
    if not 7 <= days <= 30:
        raise refuse("ValidationException", "PendingWindowInDays must be between 7 and 30 days.")
    with opened(asked) as key:
        not_pending(key, "PendingDeletion", "PendingReplicaDeletion")
        key.state_before = key.key_state
        key.key_state, key.enabled = "PendingDeletion", False
        key.deletion_date = datetime.fromtimestamp(asked.call.now + days * DAY_SECONDS, UTC)
        return {
            "KeyId": key.arn,
            "DeletionDate": key.deletion_date.timestamp(),
            "KeyState": key.key_state,
            "PendingWindowInDays": days,
        }


def cancel_key_deletion(asked: Asked) -> dict[str, Any]:
    with opened(asked) as key:
        if key.key_state != "PendingDeletion":
            raise refuse("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
        before = getattr(key, "state_before", "Disabled")
        key.key_state = "PendingImport" if before == "PendingImport" else "Disabled"
        key.deletion_date = None
        return {"KeyId": key.arn}


def switched(state: str) -> Answer:
    """EnableKey and DisableKey."""

    def answer(asked: Asked) -> dict[str, Any]:
        with opened(asked) as key:
            not_pending(key)
            key.key_state, key.enabled = state, state == "Enabled"
        return {}

    return answer


def update_key_description(asked: Asked) -> dict[str, Any]:
    with opened(asked) as key:
        not_pending(key, "PendingDeletion")
        key.description = asked.request["Description"]
    return {}


def on_a_key(*, changes: bool = False) -> Answer:
    """moto's answer, for a key that is there; one that changes it wants it not to be going away."""

    def answer(asked: Asked) -> dict[str, Any]:
        with opened(asked) as key:
            if changes:
                not_pending(key, "PendingDeletion")
            if key.arn.split(":")[4] != asked.call.account_id:
                return asked.proceed()
            return asked.proceed(KeyId=key.id)

    return answer


def list_keys(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        for key in tuple(backend.keys.values()):
            if key.deletion_date is not None and key.deletion_date.timestamp() <= asked.call.now:
                del backend.keys[key.id]
        return asked.proceed()


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CreateKey": create_key,
        "DescribeKey": describe_key,
        "ListKeys": list_keys,
        "ScheduleKeyDeletion": schedule_key_deletion,
        "CancelKeyDeletion": cancel_key_deletion,
        "EnableKey": switched("Enabled"),
        "DisableKey": switched("Disabled"),
        "UpdateKeyDescription": update_key_description,
        "TagResource": on_a_key(changes=True),
        "UntagResource": on_a_key(changes=True),
        "ListResourceTags": on_a_key(),
        "PutKeyPolicy": on_a_key(changes=True),
        "GetKeyPolicy": on_a_key(),
        "ListKeyPolicies": on_a_key(),
    }
)
