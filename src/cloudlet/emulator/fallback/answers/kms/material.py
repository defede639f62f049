"""Key material that users bring, and its rotation.

The import follows "Importing key material" in the AWS Key Management Service Developer Guide: a wrapping key that is
valid for 24 hours, material wrapped by it, an expiry if wanted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_private_key

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.kms import crypto
from cloudlet.emulator.fallback.answers.kms.keys import (
    DAY_SECONDS,
    next_rotation,
    not_pending,
    opened,
    refuse,
    turn,
    usable,
)
from cloudlet.emulator.fallback.answers.paging import page

MOST_ON_DEMAND = 25
EXPIRES = "KEY_MATERIAL_EXPIRES"


def external(key: Any) -> Any:
    if key.origin != "EXTERNAL":
        raise refuse(
            "UnsupportedOperationException", f"{key.arn} origin is {key.origin} which is not valid for this operation."
        )
    return not_pending(key, "PendingDeletion")


def get_parameters_for_import(asked: Asked) -> dict[str, Any]:
    request = asked.request
    spec, algorithm = request["WrappingKeySpec"], request["WrappingAlgorithm"]
    with opened(asked) as key:
        external(key)
        if spec not in crypto.RSA_BITS or algorithm == "SM2PKE":
            raise refuse("UnsupportedOperationException", f"{spec} is not supported in this region.")
        private = crypto.new_private_key(spec)
        token = asked.call.ids.bytes(64)
        valid_to = asked.call.now + DAY_SECONDS
        waiting = getattr(key, "imports", {})
        key.imports = {**waiting, hashlib.sha256(token).hexdigest(): (private, algorithm, valid_to)}
        return {
            "KeyId": key.arn,
            "ImportToken": token,
            "PublicKey": crypto.public_der(private),
            "ParametersValidTo": valid_to,
        }


def unwrapped(private: bytes, algorithm: str, wrapped: bytes) -> bytes | None:
    """The material; None where it was not wrapped by this key in this way."""
    key: Any = load_der_private_key(private, None)
    try:
        if algorithm == "RSAES_PKCS1_V1_5":
            return bytes(key.decrypt(wrapped, padding.PKCS1v15()))
        if algorithm.startswith("RSA_AES_KEY_WRAP"):
            size = key.key_size // 8
            inner = key.decrypt(wrapped[:size], crypto.oaep(algorithm))
            return bytes(aes_key_unwrap_with_padding(inner, wrapped[size:]))
        return bytes(key.decrypt(wrapped, crypto.oaep(algorithm)))
    except (ValueError, InvalidUnwrap):
        return None


def import_key_material(asked: Asked) -> dict[str, Any]:
    request, now = asked.request, asked.call.now
    model, valid_to = request.get("ExpirationModel", EXPIRES), request.get("ValidTo")
    if model == EXPIRES and valid_to is None:
        raise refuse("ValidationException", f"A validTo date must be set if the ExpirationModel is {EXPIRES}")
    if model != EXPIRES and valid_to is not None:
        raise refuse("ValidationException", f"A validTo date must not be set if the ExpirationModel is {model}")
    with opened(asked) as key:
        external(key)
        found = getattr(key, "imports", {}).get(hashlib.sha256(request["ImportToken"]).hexdigest())
        if found is None:
            raise refuse("InvalidImportTokenException")
        if found[2] <= now:
            raise refuse("ExpiredImportTokenException")
        material = unwrapped(found[0], found[1], request["EncryptedKeyMaterial"])
        if material is None:
            raise refuse("InvalidCiphertextException")
        take_in(key, material, request.get("ImportType") == "NEW_KEY_MATERIAL")
        key.key_state, key.enabled = "Enabled", True
        key.expiration_model, key.valid_to = model, valid_to
        told = {"KeyId": key.arn}
        return told | ({"KeyMaterialId": crypto.material_id(material)} if key.key_spec == crypto.SYMMETRIC else {})


def take_in(key: Any, material: bytes, is_new: bool) -> None:
    """Raises IncorrectKeyMaterialException for what is not the material that the key had, or not of its kind."""
    spec = key.key_spec
    if spec == crypto.SYMMETRIC or spec in crypto.HMAC_BYTES:
        if len(material) != crypto.HMAC_BYTES.get(spec, 32):
            raise refuse("IncorrectKeyMaterialException", "The key material in the request is not of the right length.")
        known = [*key.materials, *getattr(key, "materials_before", [])]
        if known and material not in known and not is_new:
            raise refuse(
                "IncorrectKeyMaterialException",
                "The key material in the request is not the same as the key material that was previously imported.",
            )
        if material in known:
            key.materials = known
        else:
            key.materials.append(material)
        key.materials_before = []
        return
    if not crypto.fits(spec, material) or getattr(key, "private_before", material) != material:
        raise refuse("IncorrectKeyMaterialException", f"The key material in the request is not of the spec {spec}.")
    key.private = key.private_before = material


def delete_imported_key_material(asked: Asked) -> dict[str, Any]:
    with opened(asked) as key:
        external(key)
        if key.key_state != "PendingImport":
            key.materials_before, key.materials, key.private = key.materials, [], b""
            key.key_state, key.enabled = "PendingImport", False
        return {"KeyId": key.arn}


def rotating(key: Any) -> Any:
    """Raises UnsupportedOperationException for keys that are never rotated."""
    if key.key_spec != crypto.SYMMETRIC:
        raise refuse("UnsupportedOperationException")
    if key.origin != "AWS_KMS":
        raise refuse(
            "UnsupportedOperationException", f"{key.arn} origin is {key.origin} which is not valid for this operation."
        )
    return key


def enable_key_rotation(asked: Asked) -> dict[str, Any]:
    days = asked.request.get("RotationPeriodInDays")
    with opened(asked) as key:
        rotating(usable(key))
        if not key.key_rotation_status or days is not None:
            key.rotation_days, key.rotated_at = days or 365, asked.call.now
        key.key_rotation_status = True
    return {}


def disable_key_rotation(asked: Asked) -> dict[str, Any]:
    with opened(asked) as key:
        rotating(usable(key)).key_rotation_status = False
    return {}


def get_key_rotation_status(asked: Asked) -> dict[str, Any]:
    """False for keys that are never rotated: Terraform asks for it of every key."""
    with opened(asked) as key:
        not_pending(key, "PendingReplicaDeletion")
        told = {
            "KeyRotationEnabled": bool(key.key_rotation_status) and key.key_state != "PendingDeletion",
            "KeyId": key.arn,
        }
        if key.key_rotation_status and key.key_state != "PendingDeletion":
            told["RotationPeriodInDays"] = key.rotation_days
            told["NextRotationDate"] = next_rotation(key)
        return told


def rotate_key_on_demand(asked: Asked) -> dict[str, Any]:
    with opened(asked) as key:
        rotating(usable(key))
        done = [entry for entry in key.rotations if entry["RotationType"] == "ON_DEMAND"]
        if len(done) >= MOST_ON_DEMAND:
            raise refuse("LimitExceededException", "The limit of on-demand rotations of this key is reached.")
        turn(key, asked.call.ids.bytes(32), "ON_DEMAND", asked.call.now)
        return {"KeyId": key.arn}


def list_key_rotations(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with opened(asked) as key:
        if key.key_spec != crypto.SYMMETRIC:
            raise refuse("UnsupportedOperationException")
        not_pending(key, "PendingDeletion")
        found = list(key.rotations)
        if request.get("IncludeKeyMaterial") == "ALL_KEY_MATERIAL":
            found = [{"KeyId": key.id}, *found]
            for entry, material in zip(found, key.materials, strict=False):
                entry_state = "CURRENT" if material is key.materials[-1] else "NON_CURRENT"
                of_material = {"KeyMaterialId": crypto.material_id(material), "KeyMaterialState": entry_state}
                found[found.index(entry)] = {**entry, **of_material}
        shown, following = page(
            found,
            request.get("Limit", 100),
            request.get("Marker"),
            lambda: refuse("InvalidMarkerException", "The marker is not valid."),
        )
    told: dict[str, Any] = {"Rotations": list(shown), "Truncated": following is not None}
    return told | ({"NextMarker": following} if following else {})


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "GetParametersForImport": get_parameters_for_import,
        "ImportKeyMaterial": import_key_material,
        "DeleteImportedKeyMaterial": delete_imported_key_material,
        "EnableKeyRotation": enable_key_rotation,
        "DisableKeyRotation": disable_key_rotation,
        "GetKeyRotationStatus": get_key_rotation_status,
        "RotateKeyOnDemand": rotate_key_on_demand,
        "ListKeyRotations": list_key_rotations,
    }
)
