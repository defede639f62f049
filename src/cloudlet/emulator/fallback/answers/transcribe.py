"""Transcribe: jobs on media that are there, which end with a transcript without words.

Nobody listens here: the transcript has the form of AWS's and says nothing.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlparse

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError
from cloudlet.emulator.protocol.message import InlineBody

UNREACHABLE = "The S3 URI that you provided can't be accessed. Make sure that you have read permission and try your request again."
ONLY_WHEN_GIVEN = ("JobExecutionSettings", "Subtitles", "ModelSettings", "ContentRedaction")
MP3_RATES = ((11025, 12000, 8000), (0, 0, 0), (22050, 24000, 16000), (44100, 48000, 32000))
HEAD_BYTES = 65_536


def location(uri: str) -> tuple[str, str] | None:
    """(bucket, key) of `s3://bucket/key` and of URLs."""
    parts = urlparse(uri)
    path = unquote(parts.path.lstrip("/"))
    if parts.scheme == "s3":
        return (parts.netloc, path) if path else None
    host = parts.netloc.partition(":")[0]
    if host.startswith("s3.") or ".s3." not in host:
        bucket, _, key = path.partition("/")
        return (bucket, key) if key else None
    return host.partition(".s3.")[0], path


def media_of(asked: Asked, uri: str) -> bytes:
    """The beginning of the media. Raises BadRequestException."""
    found = location(uri)
    if found is not None:
        try:
            request = {"Bucket": found[0], "Key": found[1], "Range": f"bytes=0-{HEAD_BYTES - 1}"}
            return bytes(asked.other("s3", "GetObject", request)["Body"])
        except AwsError as error:
            if error.code == "InvalidRange":
                return b""
    raise UnmodelledError("BadRequestException", UNREACHABLE)


def sample_rate(head: bytes) -> int | None:
    """Of WAV, FLAC and MP3 in hertz."""
    if head[:4] == b"RIFF" and len(head) >= 28:
        return int(struct.unpack_from("<I", head, 24)[0])
    if head[:4] == b"fLaC" and len(head) >= 21:
        return int.from_bytes(head[18:21], "big") >> 4
    start = 0
    if head[:3] == b"ID3" and len(head) >= 10:
        start = 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
    for at in range(start, min(len(head) - 2, start + 4096)):
        if head[at] == 0xFF and head[at + 1] & 0xE0 == 0xE0:
            version, index = head[at + 1] >> 3 & 3, head[at + 2] >> 2 & 3
            if index < 3 and MP3_RATES[version][index]:
                return MP3_RATES[version][index]
    return None


def start_transcription_job(asked: Asked) -> dict[str, Any]:
    request = asked.request
    uri = request["Media"].get("MediaFileUri", "")
    name = request["TranscriptionJobName"]
    with asked.state() as backend:
        is_taken = name in backend.transcriptions
    head = b"" if is_taken else media_of(asked, uri)
    if not is_taken and request.get("OutputBucketName"):
        check_bucket(asked, request["OutputBucketName"])
    with asked.state() as backend:
        told = asked.proceed()["TranscriptionJob"]
        job = backend.transcriptions[name]
        job.given = dict(request)
        job.media_sample_rate_hertz = request.get("MediaSampleRateHertz") or sample_rate(head)
    told["TranscriptionJobStatus"], told["StartTime"] = "IN_PROGRESS", told["CreationTime"]
    return {"TranscriptionJob": as_given(told, request, is_new=True)}


def check_bucket(asked: Asked, bucket: str) -> None:
    try:
        asked.other("s3", "HeadBucket", {"Bucket": bucket})
    except AwsError as error:
        raise UnmodelledError(
            "BadRequestException",
            "The specified S3 bucket doesn't exist. Check the bucket name and try your request again.",
        ) from error


def as_given(told: dict[str, Any], request: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    """Without what nobody gave."""
    for member in ONLY_WHEN_GIVEN:
        if member not in request:
            told.pop(member, None)
    if "Settings" not in request:
        told.pop("Settings", None)
        if not is_new:
            told["Settings"] = {"ChannelIdentification": False, "ShowAlternatives": False}
    return told


def get_transcription_job(asked: Asked) -> dict[str, Any]:
    name = asked.request["TranscriptionJobName"]
    with asked.state() as backend:
        told = asked.proceed()["TranscriptionJob"]
        job = backend.transcriptions[name]
        given = getattr(job, "given", None)
        rate = getattr(job, "media_sample_rate_hertz", None)
        is_to_write = told.get("TranscriptionJobStatus") == "COMPLETED" and not getattr(job, "is_written", False)
        job.is_written = is_to_write or getattr(job, "is_written", False)
    if given is None:
        return {"TranscriptionJob": told}
    if is_to_write:
        write(asked, told, given)
    if rate:
        told["MediaSampleRateHertz"] = rate
    if told.get("TranscriptionJobStatus") == "QUEUED":
        told["TranscriptionJobStatus"] = "IN_PROGRESS"
    told.setdefault("StartTime", told["CreationTime"])
    return {"TranscriptionJob": as_given(told, given, is_new=False)}


def write(asked: Asked, told: dict[str, Any], given: Mapping[str, Any]) -> None:
    """The transcript, into the bucket of the user's choice."""
    bucket = given.get("OutputBucketName")
    target = location(told.get("Transcript", {}).get("TranscriptFileUri", "")) if bucket else None
    if target is None:
        return
    document = {
        "jobName": told["TranscriptionJobName"],
        "accountId": asked.call.account_id,
        "status": "COMPLETED",
        "results": {"transcripts": [{"transcript": ""}], "items": [], "audio_segments": []},
    }
    request = {
        "Bucket": bucket,
        "Key": target[1],
        "Body": InlineBody(json.dumps(document).encode()),
        "ContentType": "application/json",
    }
    asked.other("s3", "PutObject", request)


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {"StartTranscriptionJob": start_transcription_job, "GetTranscriptionJob": get_transcription_job}
)
