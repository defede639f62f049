"""KMS: what is encrypted, signed and authenticated is real, and the errors are AWS's."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

Client = Callable[..., Any]
Unique = Callable[..., str]
SHA256_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
DAY_SECONDS = 86400


def refused(act: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        act(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def make(kms: Any, **request: Any) -> tuple[str, str]:
    """(id, ARN) of a new key."""
    made = kms.create_key(**request)["KeyMetadata"]
    return made["KeyId"], made["Arn"]


def test_a_key_tells_what_it_can_do(client: Client) -> None:
    kms = client("kms")
    made = kms.create_key()["KeyMetadata"]
    assert made["MultiRegion"] is False
    assert len(made["CurrentKeyMaterialId"]) == 64
    assert kms.describe_key(KeyId=made["Arn"])["KeyMetadata"] == made
    signer = kms.create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    assert signer["SigningAlgorithms"] == ["ED25519_SHA_512", "ED25519_PH_SHA_512"]
    coder = kms.create_key(KeySpec="HMAC_384", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
    assert coder["MacAlgorithms"] == ["HMAC_SHA_384"]


def test_specs_and_usages_have_to_fit(client: Client) -> None:
    create = client("kms").create_key
    assert refused(create, KeySpec="RSA_2048")[1].startswith("You must specify a KeyUsage value")
    assert refused(create, KeySpec="HMAC_256", KeyUsage="SIGN_VERIFY") == (
        "ValidationException",
        "KeyUsage SIGN_VERIFY is not compatible with KeySpec HMAC_256",
    )


def test_the_context_is_part_of_the_ciphertext(client: Client) -> None:
    kms = client("kms")
    key, arn = make(kms)
    context = {"b": "2", "a": "1"}
    blob = kms.encrypt(KeyId=key, Plaintext=b"hello", EncryptionContext=context)["CiphertextBlob"]
    opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "1", "b": "2"})
    assert (opened["Plaintext"], opened["KeyId"]) == (b"hello", arn)
    assert refused(kms.decrypt, CiphertextBlob=blob)[0] == "InvalidCiphertextException"
    assert refused(kms.decrypt, CiphertextBlob=b"nothing")[0] == "InvalidCiphertextException"
    other, _ = make(kms)
    assert refused(kms.decrypt, CiphertextBlob=blob, EncryptionContext=context, KeyId=other)[0] == (
        "IncorrectKeyException"
    )


def test_a_ciphertext_goes_over_to_another_key(client: Client) -> None:
    kms = client("kms")
    (first, _), (second, arn) = make(kms), make(kms)
    blob = kms.encrypt(KeyId=first, Plaintext=b"hello")["CiphertextBlob"]
    moved = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=second, DestinationEncryptionContext={"a": "1"})
    assert moved["KeyId"] == arn
    opened = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"a": "1"})
    assert (opened["Plaintext"], opened["KeyId"]) == (b"hello", arn)


@pytest.mark.parametrize(("algorithm", "room"), [("RSAES_OAEP_SHA_1", 214), ("RSAES_OAEP_SHA_256", 190)])
def test_rsa_encrypts_as_much_as_it_has_room_for(client: Client, algorithm: str, room: int) -> None:
    kms = client("kms")
    key, _ = make(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    options = {"KeyId": key, "EncryptionAlgorithm": algorithm}
    blob = kms.encrypt(Plaintext=b"x" * room, **options)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, **options)["Plaintext"] == b"x" * room
    assert refused(kms.encrypt, Plaintext=b"x" * (room + 1), **options) == (
        "ValidationException",
        f"Algorithm {algorithm} and key spec RSA_2048 cannot encrypt data larger than {room} bytes.",
    )


def test_the_public_key_of_rsa_encrypts_what_kms_decrypts(client: Client) -> None:
    kms = client("kms")
    key, _ = make(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    public: Any = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    blob = public.encrypt(b"hello", SHA256_OAEP)
    opened = kms.decrypt(KeyId=key, CiphertextBlob=blob, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    assert opened["Plaintext"] == b"hello"


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        ("RSA_2048", "RSASSA_PSS_SHA_256"),
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_512"),
        ("ECC_NIST_P256", "ECDSA_SHA_256"),
        ("ECC_NIST_P384", "ECDSA_SHA_384"),
        ("ECC_SECG_P256K1", "ECDSA_SHA_256"),
        ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512"),
        ("ML_DSA_44", "ML_DSA_SHAKE_256"),
    ],
)
def test_signatures_hold_for_what_was_signed(client: Client, spec: str, algorithm: str) -> None:
    kms = client("kms")
    key, arn = make(kms, KeySpec=spec, KeyUsage="SIGN_VERIFY")
    signed = kms.sign(KeyId=key, Message=b"hello", SigningAlgorithm=algorithm)
    assert signed["KeyId"] == arn
    check = {"KeyId": key, "Signature": signed["Signature"], "SigningAlgorithm": algorithm}
    assert kms.verify(Message=b"hello", **check)["SignatureValid"]
    assert refused(kms.verify, Message=b"other", **check) == ("KMSInvalidSignatureException", "")


def test_a_digest_is_signed_as_the_message_is(client: Client) -> None:
    kms = client("kms")
    key, _ = make(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    digest = hashlib.sha256(b"hello").digest()
    options = {"KeyId": key, "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(Message=digest, MessageType="DIGEST", **options)["Signature"]
    assert kms.verify(Message=b"hello", Signature=signature, **options)["SignatureValid"]
    assert refused(kms.sign, Message=b"short", MessageType="DIGEST", **options) == (
        "ValidationException",
        "Digest is invalid length for algorithm ECDSA_SHA_256.",
    )
    assert refused(kms.sign, KeyId=key, Message=b"x", SigningAlgorithm="ECDSA_SHA_384") == (
        "InvalidKeyUsageException",
        "Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256.",
    )


def test_codes_authenticate_messages(client: Client) -> None:
    kms = client("kms")
    key, _ = make(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    code = kms.generate_mac(KeyId=key, Message=b"hello", MacAlgorithm="HMAC_SHA_256")["Mac"]
    check = {"KeyId": key, "Mac": code, "MacAlgorithm": "HMAC_SHA_256"}
    assert kms.verify_mac(Message=b"hello", **check)["MacValid"]
    assert refused(kms.verify_mac, Message=b"other", **check)[0] == "KMSInvalidMacException"
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x")[0] == "InvalidKeyUsageException"


def test_two_sides_derive_the_same_secret(client: Client) -> None:
    kms = client("kms")
    key, _ = make(kms, KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")
    ours = ec.generate_private_key(ec.SECP256R1())
    theirs: Any = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    public = ours.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    derived = kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=public)
    assert derived["SharedSecret"] == ours.exchange(ec.ECDH(), theirs)


def test_data_keys_come_open_and_sealed(client: Client) -> None:
    kms = client("kms")
    key, _ = make(kms)
    made = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext={"a": "1"})
    assert len(made["Plaintext"]) == 32
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "1"})
    assert opened["Plaintext"] == made["Plaintext"]
    pair = kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256")
    private: Any = load_der_private_key(kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"])["Plaintext"], None)
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public == pair["PublicKey"]
    assert "PrivateKeyPlaintext" not in kms.generate_data_key_pair_without_plaintext(
        KeyId=key, KeyPairSpec="ECC_NIST_P256"
    )
    assert refused(kms.generate_data_key, KeyId=key)[1] == "Please specify either number of bytes or key spec."
    assert refused(kms.generate_data_key, KeyId=key, KeySpec="AES_256", DryRun=True)[0] == "DryRunOperationException"


def test_keys_are_found_by_every_name_and_only_by_names(client: Client, unique: Unique) -> None:
    kms, alias = client("kms"), "alias/" + unique("name")
    key, arn = make(kms)
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    for name in (key, arn, alias, f"{arn.rpartition(':')[0]}:{alias}"):
        assert kms.encrypt(KeyId=name, Plaintext=b"x")["KeyId"] == arn
    assert refused(kms.create_grant, KeyId="nothing", GranteePrincipal=arn, Operations=["Decrypt"]) == (
        "NotFoundException",
        "Invalid keyId 'nothing'",
    )
    absent = "00000000-0000-0000-0000-000000000000"
    assert refused(kms.encrypt, KeyId=absent, Plaintext=b"x") == (
        "NotFoundException",
        f"Key 'arn:aws:kms:us-east-1:000000000000:key/{absent}' does not exist",
    )
    assert refused(kms.encrypt, KeyId=alias + "x", Plaintext=b"x")[1] == (
        f"Alias arn:aws:kms:us-east-1:000000000000:{alias}x is not found."
    )


def test_keys_that_are_off_do_nothing(client: Client) -> None:
    kms = client("kms")
    key, arn = make(kms)
    kms.disable_key(KeyId=key)
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x") == ("DisabledException", f"{arn} is disabled.")
    kms.enable_key(KeyId=key)
    gone = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert (gone["KeyId"], gone["KeyState"], gone["PendingWindowInDays"]) == (arn, "PendingDeletion", 7)
    pending = ("KMSInvalidStateException", f"{arn} is pending deletion.")
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x") == pending
    assert refused(kms.enable_key, KeyId=key) == pending
    assert refused(kms.schedule_key_deletion, KeyId=key) == pending
    kms.cancel_key_deletion(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_time_deletes_and_rotates(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator()
    kms = emulator.client("kms")
    (gone, _), (turning, _) = make(kms), make(kms)
    kms.schedule_key_deletion(KeyId=gone, PendingWindowInDays=7)
    kms.enable_key_rotation(KeyId=turning, RotationPeriodInDays=90)
    blob = kms.encrypt(KeyId=turning, Plaintext=b"old")["CiphertextBlob"]
    body = json.dumps({"seconds": 91 * DAY_SECONDS}).encode()
    urllib.request.urlopen(f"{emulator.url}/_cloudlet/clock/advance", data=body, timeout=30).close()
    assert refused(kms.describe_key, KeyId=gone)[0] == "NotFoundException"
    assert gone not in [entry["KeyId"] for entry in kms.list_keys()["Keys"]]
    (rotation,) = kms.list_key_rotations(KeyId=turning)["Rotations"]
    assert rotation["RotationType"] == "AUTOMATIC"
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"old"


def test_a_rotated_key_still_opens_what_it_sealed(client: Client) -> None:
    kms = client("kms")
    key, arn = make(kms)
    blob = kms.encrypt(KeyId=key, Plaintext=b"old")["CiphertextBlob"]
    before = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert kms.rotate_key_on_demand(KeyId=key)["KeyId"] == arn
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"] != before
    assert kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == before
    every = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [entry["KeyMaterialState"] for entry in every] == ["NON_CURRENT", "CURRENT"]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


def test_a_key_that_is_never_rotated_says_so(client: Client) -> None:
    kms = client("kms")
    key, arn = make(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    status = kms.get_key_rotation_status(KeyId=key)
    assert (status["KeyRotationEnabled"], status["KeyId"]) == (False, arn)
    assert refused(kms.enable_key_rotation, KeyId=key)[0] == "UnsupportedOperationException"


def test_users_bring_their_own_material(client: Client) -> None:
    kms = client("kms")
    key, arn = make(kms, Origin="EXTERNAL")
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x") == (
        "KMSInvalidStateException",
        f"{arn} is pending import.",
    )
    material = bytes(range(32))

    def bring(material: bytes, algorithm: str) -> dict[str, Any]:
        terms = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048")
        public: Any = load_der_public_key(terms["PublicKey"])
        if algorithm.startswith("RSA_AES"):
            wrapped = public.encrypt(b"k" * 32, SHA256_OAEP) + aes_key_wrap_with_padding(b"k" * 32, material)
        else:
            wrapped = public.encrypt(material, SHA256_OAEP)
        return dict(
            kms.import_key_material(
                KeyId=key,
                ImportToken=terms["ImportToken"],
                EncryptedKeyMaterial=wrapped,
                ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
            )
        )

    bring(material, "RSAES_OAEP_SHA_256")
    blob = kms.encrypt(KeyId=key, Plaintext=b"hello")["CiphertextBlob"]
    kms.delete_imported_key_material(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingImport"
    with pytest.raises(ClientError, match="IncorrectKeyMaterialException"):
        bring(bytes(32), "RSAES_OAEP_SHA_256")
    bring(material, "RSA_AES_KEY_WRAP_SHA_256")
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"hello"
    assert refused(kms.import_key_material, KeyId=key, ImportToken=b"x", EncryptedKeyMaterial=b"x")[1].startswith(
        "A validTo date must be set"
    )


def test_grants_are_given_listed_and_taken_back(client: Client, unique: Unique) -> None:
    kms, someone = client("kms"), "arn:aws:iam::000000000000:role/someone"
    key, arn = make(kms)
    wanted = {"KeyId": key, "GranteePrincipal": someone, "Operations": ["Decrypt"], "Name": unique("grant")}
    made = kms.create_grant(**wanted)
    assert kms.create_grant(**wanted)["GrantId"] == made["GrantId"]
    (listed,) = kms.list_grants(KeyId=key)["Grants"]
    assert (listed["KeyId"], listed["GrantId"], listed["Operations"]) == (arn, made["GrantId"], ["Decrypt"])
    kms.revoke_grant(KeyId=key, GrantId=made["GrantId"])
    assert kms.list_grants(KeyId=key)["Grants"] == []
    assert refused(kms.revoke_grant, KeyId=key, GrantId=made["GrantId"])[0] == "NotFoundException"


def test_keys_survive_a_restart(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    kms = emulator.client("kms")
    key, _ = make(kms)
    signer, _ = make(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    blob = kms.encrypt(KeyId=key, Plaintext=b"hello")["CiphertextBlob"]
    signature = kms.sign(KeyId=signer, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    emulator.stop()
    emulator.restart()
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"hello"
    check = {"KeyId": signer, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256", "Signature": signature}
    assert kms.verify(**check)["SignatureValid"]
