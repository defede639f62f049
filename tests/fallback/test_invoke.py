"""Native operations call services of the fallback through `call.invoke`, inside their transaction."""

from __future__ import annotations

import asyncio

import pytest

from cloudlet.emulator.app import create_emulator
from cloudlet.emulator.kernel.errors import AwsError, NotImplementedFailure
from cloudlet.settings import Settings

PROGRAM_REGION = "eu-west-1"


def test_native_code_reaches_keys_and_secrets() -> None:
    asyncio.run(use_keys_and_secrets())


async def use_keys_and_secrets() -> None:
    emulator = create_emulator(Settings())
    fallback = emulator.dispatcher.fallback
    fallback.start()
    call = emulator.dispatcher.service_call("s3", "111122223333", PROGRAM_REGION)
    with call.transaction():
        key = call.invoke("kms", "CreateKey", {})["KeyMetadata"]
        assert key["Arn"].startswith("arn:aws:kms:eu-west-1:111122223333:key/")
        assert isinstance(key["CreationDate"], float)
        sealed = call.invoke("kms", "Encrypt", {"KeyId": key["KeyId"], "Plaintext": b"\x00\xff"})["CiphertextBlob"]
        assert call.invoke("kms", "Decrypt", {"CiphertextBlob": sealed})["Plaintext"] == b"\x00\xff"
        with pytest.raises(AwsError) as caught:
            call.invoke("secretsmanager", "GetSecretValue", {"SecretId": "none"})
        assert caught.value.code == "ResourceNotFoundException"
        with pytest.raises(NotImplementedFailure, match=r"ec2\.DescribeBundleTasks"):
            call.invoke("ec2", "DescribeBundleTasks", {})
    await fallback.stop()
    emulator.store.close()
