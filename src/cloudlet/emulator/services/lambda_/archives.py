"""Deployment packages: what a request says the code is, fetched and checked. Source: "Lambda quotas"."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from base64 import b64encode
from typing import Any, NamedTuple

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError
from cloudlet.emulator.protocol.message import FileSlice
from cloudlet.emulator.services.lambda_.errors import invalid

LOCAL = "Local"  # in what is kept of where code came from: the folder of this machine that has it


class Archive(NamedTuple):
    """A package. `content` is empty for a container image, and for a folder of this machine."""

    content: bytes
    sha256: str  # base64
    size: int
    source: dict[str, Any]


async def fetch(call: Call, code: dict[str, Any]) -> Archive:
    """Raises what AWS says of a package that cannot be had or is none."""
    if "ZipFile" in code:
        if any(code.get(name) for name in ("S3Bucket", "S3Key", "S3ObjectVersion", "ImageUri")):
            raise invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
        content = bytes(code["ZipFile"])
        if len(content) > call.settings.lambda_limits_code_size_zipped:
            largest = call.settings.lambda_limits_code_size_zipped
            raise UnmodelledError(
                "RequestEntityTooLargeException", f"Zipped size must be smaller than {largest} bytes", 413
            )
        return archive(call, content, {})
    if "ImageUri" in code:
        digest = hashlib.sha256(code["ImageUri"].encode()).hexdigest()
        return Archive(b"", digest, 0, {"ImageUri": code["ImageUri"]})
    if not code.get("S3Bucket") or not code.get("S3Key"):
        raise invalid("Please provide a source for function code.")
    if code["S3Bucket"] == call.settings.bucket_marker_local:
        return local(code["S3Key"], code)
    return archive(call, await from_bucket(call, code), {"S3Bucket": code["S3Bucket"], "S3Key": code["S3Key"]})


def local(path: str, code: dict[str, Any]) -> Archive:
    """A folder of this machine, whose files are used as they are. Raises InvalidParameterValueException."""
    if not os.path.isdir(path):
        raise invalid(f"Code of the bucket {code['S3Bucket']} is a folder on the emulator's machine; {path} is none.")
    digest = b64encode(hashlib.sha256(path.encode()).digest()).decode()
    return Archive(b"", digest, 0, {LOCAL: path, "S3Bucket": code["S3Bucket"], "S3Key": path})


async def from_bucket(call: Call, code: dict[str, Any]) -> bytes:
    request = {"Bucket": code["S3Bucket"], "Key": code["S3Key"]}
    if code.get("S3ObjectVersion"):
        request["VersionId"] = code["S3ObjectVersion"]
    try:
        body = (await call.reach("s3", "GetObject", request))["Body"]
    except AwsError as error:
        message = error.message or "The specified bucket does not exist"
        raise invalid(
            f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {message}"
        ) from None
    if isinstance(body, bytes):
        return body
    if isinstance(body, FileSlice):
        return await call.programs.in_thread(lambda: read_slice(body))
    return b"".join([piece async for piece in body])


def read_slice(part: FileSlice) -> bytes:
    with part.path.open("rb") as file:
        file.seek(part.start)
        return file.read(part.length)


def archive(call: Call, content: bytes, source: dict[str, Any]) -> Archive:
    """Raises InvalidParameterValueException for what is no ZIP file, or one that is too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            entries = packed.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise invalid("Could not unzip uploaded file. Please check your file, then try to upload again.") from None
    if not entries:
        raise invalid("Uploaded file must be a non-empty zip")
    largest = call.settings.lambda_limits_code_size_unzipped
    if sum(entry.file_size for entry in entries) >= largest:
        raise invalid(f"Unzipped size must be smaller than {largest} bytes")
    return Archive(content, b64encode(hashlib.sha256(content).digest()).decode(), len(content), source)
