"""Transcribe: jobs on media that are there."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudlet.emulator.fallback.answers.transcribe import location, sample_rate

Client = Callable[..., Any]
Unique = Callable[..., str]


def sound(rate: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(100))
    return buffer.getvalue()


def get(transcribe: Any, name: str) -> dict[str, Any]:
    return dict(transcribe.get_transcription_job(TranscriptionJobName=name)["TranscriptionJob"])


def test_a_job_ends_with_a_transcript_in_the_bucket(client: Client, unique: Unique) -> None:
    transcribe, s3, name = client("transcribe"), client("s3"), unique("job")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="sound.wav", Body=sound(22050))
    started = transcribe.start_transcription_job(
        TranscriptionJobName=name,
        LanguageCode="en-US",
        Media={"MediaFileUri": f"s3://{name}/sound.wav"},
        OutputBucketName=name,
    )["TranscriptionJob"]
    assert started["TranscriptionJobStatus"] == "IN_PROGRESS"
    assert not {"Settings", "Subtitles", "JobExecutionSettings"} & set(started)
    job: dict[str, Any] = {}
    for _ in range(5):
        job = job if job.get("TranscriptionJobStatus") == "COMPLETED" else get(transcribe, name)
    assert (job["TranscriptionJobStatus"], job["MediaSampleRateHertz"]) == ("COMPLETED", 22050)
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=name)["Contents"] if entry["Key"] != "sound.wav"]
    told = json.loads(s3.get_object(Bucket=name, Key=keys[0])["Body"].read())
    assert (told["jobName"], told["results"]["transcripts"]) == (name, [{"transcript": ""}])


def test_media_have_to_be_there(client: Client, unique: Unique) -> None:
    act, name = client("transcribe").start_transcription_job, unique("job")
    media = {"MediaFileUri": f"s3://{unique('none')}/sound.wav"}
    with pytest.raises(ClientError, match="The S3 URI that you provided can't be accessed"):
        act(TranscriptionJobName=name, LanguageCode="en-US", Media=media)


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://b/a/k.wav", ("b", "a/k.wav")),
        ("https://s3.us-east-1.amazonaws.com/b/k", ("b", "k")),
        ("https://b.s3.us-east-1.amazonaws.com/k", ("b", "k")),
        ("s3://b", None),
    ],
)
def test_where_media_are(uri: str, place: tuple[str, str] | None) -> None:
    assert location(uri) == place


def test_sample_rates() -> None:
    assert sample_rate(sound(8000)) == 8000
    assert sample_rate(b"fLaC" + bytes(14) + (44100 << 4).to_bytes(3, "big")) == 44100
    assert sample_rate(b"\xff\xfb\x90\x64" + bytes(10)) == 44100
    assert sample_rate(b"text") is None
