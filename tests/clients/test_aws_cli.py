"""The AWS CLI."""

from __future__ import annotations

import hashlib
import json
import os
import random
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.clients.conftest import AwsCommandLine

Unique = Callable[..., str]
MEGABYTE = 1024 * 1024


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_large_file_goes_up_in_parts_and_comes_back(aws: AwsCommandLine, unique: Unique) -> None:
    bucket = unique("bucket")
    source, target = aws.home / "large.bin", aws.home / "back.bin"
    chunk = random.Random(1).randbytes(MEGABYTE)
    with source.open("wb") as file:
        for number in range(100):
            file.write(number.to_bytes(4, "big") + chunk[4:])
    aws("s3", "mb", f"s3://{bucket}")
    aws("s3", "cp", str(source), f"s3://{bucket}/large.bin", "--no-progress")
    head = aws.json("s3api", "head-object", "--bucket", bucket, "--key", "large.bin")
    assert head["ContentLength"] == 100 * MEGABYTE
    assert head["ETag"].endswith('-13"')  # the CLI's parts have 8 MB
    aws("s3", "cp", f"s3://{bucket}/large.bin", str(target), "--no-progress")
    assert digest(target) == digest(source)


def test_sync_copies_what_differs_and_deletes_what_is_gone(aws: AwsCommandLine, unique: Unique) -> None:
    bucket = unique("bucket")
    folder = aws.home / "site"
    (folder / "pages").mkdir(parents=True)
    for name in ("index.html", "pages/one & two.html", "pages/ü.html"):
        (folder / name).write_text(name, encoding="utf-8")
        os.utime(folder / name, (1, 1))  # S3 tells whole seconds: a file of this second would count as newer
    aws("s3", "mb", f"s3://{bucket}")
    first = aws("s3", "sync", str(folder), f"s3://{bucket}/", "--no-progress")
    assert first.count("upload:") == 3
    assert aws("s3", "sync", str(folder), f"s3://{bucket}/", "--no-progress") == ""
    (folder / "index.html").unlink()
    (folder / "pages/ü.html").write_text("changed, and longer", encoding="utf-8")
    second = aws("s3", "sync", str(folder), f"s3://{bucket}/", "--delete", "--no-progress")
    assert (second.count("upload:"), second.count("delete:")) == (1, 1)
    listed = aws("s3", "ls", f"s3://{bucket}", "--recursive").splitlines()
    assert [line.split(maxsplit=3)[3] for line in listed] == ["pages/one & two.html", "pages/ü.html"]
    aws("s3", "sync", f"s3://{bucket}/", str(aws.home / "copy"), "--no-progress")
    assert (aws.home / "copy/pages/ü.html").read_text(encoding="utf-8") == "changed, and longer"
    aws("s3", "rb", f"s3://{bucket}", "--force")


def test_a_presigned_url_is_fetched_without_credentials(aws: AwsCommandLine, unique: Unique) -> None:
    bucket = unique("bucket")
    (aws.home / "note.txt").write_text("for everyone with the link")
    aws("s3", "mb", f"s3://{bucket}")
    aws("s3", "cp", "note.txt", f"s3://{bucket}/note.txt")
    url = aws("s3", "presign", f"s3://{bucket}/note.txt", "--expires-in", "300").strip()
    with urllib.request.urlopen(url, timeout=10) as response:
        assert response.read() == b"for everyone with the link"


def test_a_missing_object_ends_with_an_error(aws: AwsCommandLine, unique: Unique) -> None:
    bucket = unique("bucket")
    aws("s3", "mb", f"s3://{bucket}")
    done = aws.run("s3", "cp", f"s3://{bucket}/nothing", "here")
    assert done.returncode == 1
    assert "(404)" in done.stderr
    done = aws.run("s3api", "get-object", "--bucket", bucket, "--key", "nothing", "here")
    assert "(NoSuchKey)" in done.stderr


def test_a_queue_from_creation_to_deletion(aws: AwsCommandLine, unique: Unique) -> None:
    name = unique("queue")
    url = aws.json("sqs", "create-queue", "--queue-name", name, "--attributes", "VisibilityTimeout=5")["QueueUrl"]
    assert url.endswith(f"/000000000000/{name}")
    sent = aws.json("sqs", "send-message", "--queue-url", url, "--message-body", "one latte")
    assert sent["MD5OfMessageBody"] == hashlib.md5(b"one latte").hexdigest()
    (message,) = aws.json("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "2")["Messages"]
    assert message["Body"] == "one latte"
    aws("sqs", "delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"])
    attributes = aws.json("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "0"
    aws("sqs", "delete-queue", "--queue-url", url)


def test_a_topic_reaches_its_queue(aws: AwsCommandLine, unique: Unique) -> None:
    topic = aws.json("sns", "create-topic", "--name", unique("topic"))["TopicArn"]
    url = aws.json("sqs", "create-queue", "--queue-name", unique("queue"))["QueueUrl"]
    queue = aws.json("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "QueueArn")
    arn = queue["Attributes"]["QueueArn"]
    aws("sns", "subscribe", "--topic-arn", topic, "--protocol", "sqs", "--notification-endpoint", arn)
    published = aws.json("sns", "publish", "--topic-arn", topic, "--subject", "hello", "--message", "to all")
    (message,) = aws.json("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "2")["Messages"]
    body = json.loads(message["Body"])
    assert (body["Message"], body["Subject"], body["MessageId"]) == ("to all", "hello", published["MessageId"])


def test_a_table_is_written_and_queried(aws: AwsCommandLine, unique: Unique) -> None:
    name = unique("table")
    aws(
        "dynamodb", "create-table", "--table-name", name, "--billing-mode", "PAY_PER_REQUEST",
        "--attribute-definitions", "AttributeName=artist,AttributeType=S", "AttributeName=song,AttributeType=S",
        "--key-schema", "AttributeName=artist,KeyType=HASH", "AttributeName=song,KeyType=RANGE",
    )  # fmt: skip
    aws("dynamodb", "wait", "table-exists", "--table-name", name)
    for song in ("B", "A", "C"):
        item = json.dumps({"artist": {"S": "x"}, "song": {"S": song}, "plays": {"N": "1"}})
        aws("dynamodb", "put-item", "--table-name", name, "--item", item)
    found = aws.json(
        "dynamodb", "query", "--table-name", name, "--key-condition-expression", "artist = :a AND song < :s",
        "--expression-attribute-values", '{":a": {"S": "x"}, ":s": {"S": "C"}}',
    )  # fmt: skip
    assert [item["song"]["S"] for item in found["Items"]] == ["A", "B"]
    aws("dynamodb", "delete-table", "--table-name", name)
    assert name not in aws.json("dynamodb", "list-tables")["TableNames"]


def test_who_am_i(aws: AwsCommandLine) -> None:
    assert aws.json("sts", "get-caller-identity")["Account"] == "000000000000"
    aws.variables["AWS_ACCESS_KEY_ID"] = "111122223333"
    assert aws.json("sts", "get-caller-identity")["Account"] == "111122223333"


def test_an_operation_that_nobody_has_written_names_itself(aws: AwsCommandLine) -> None:
    done = aws.run("mediastore", "list-containers")
    assert done.returncode != 0
    assert "ListContainers" in done.stderr
