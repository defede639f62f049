"""What moto's code gets in place of moto's own S3, SQS, SNS, DynamoDB and STS: the native services.

`NativeCalls` carries out native operations from the fallback's threads. The classes below it look like moto's back ends
as far as other services of moto use them (`s3_backends[account][partition].put_object(…)`). Whatever else is asked of
them raises NotImplementedError, which becomes a 501 that names it.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any, Protocol

from cloudlet.emulator.kernel.call import Call, Principal
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.fragments import thaw
from cloudlet.emulator.protocol.message import FileSlice, InlineBody

LOG = logging.getLogger("cloudlet.fallback")
LIMIT_SECONDS = 120.0
INVOCATION_LIMIT_SECONDS = 960.0  # of a function, which may run for 15 minutes
REGION_WITHOUT_ONE = "us-east-1"


class Dispatcher(Protocol):
    """The part of `gateway.dispatch.Dispatcher` that is used here."""

    def call(self, service: str, operation: str, principal: Principal, account_id: str, region: str) -> Call: ...

    def handler(self, service: str, operation: str) -> Any: ...

    async def run_async(self, handler: Any, call: Call, request: dict[str, Any]) -> Any: ...


class NativeCalls:
    """Calls native operations from another thread than the event loop's. Made on the event loop's thread."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()

    def __call__(self, account: str, region: str, service: str, operation: str, request: dict[str, Any]) -> Any:
        """Result of the operation, in a transaction of its own. Raises AwsError.

        On the event loop's own thread (moto was entered through `call.invoke`) nothing may wait: there the operation
        runs afterwards, the result is empty, and a failure is logged.
        """
        work = self._run(account, region, service, operation, request)
        if self.is_on_loop():
            self._loop.create_task(work).add_done_callback(log_failure)
            return {}
        limit = INVOCATION_LIMIT_SECONDS if (service, operation) == ("lambda", "Invoke") else LIMIT_SECONDS
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(limit)

    def is_on_loop(self) -> bool:
        """Whether this is the event loop's own thread, which must not wait."""
        return threading.get_ident() == self._loop_thread

    async def _run(self, account: str, region: str, service: str, operation: str, request: dict[str, Any]) -> Any:
        dispatcher = self._dispatcher
        principal = Principal(account, "", "root", f"arn:aws:iam::{account}:root", account)
        call = dispatcher.call(service, operation, principal, account, region)
        result = await dispatcher.run_async(dispatcher.handler(service, operation), call, request)
        plain = thaw(result)
        if isinstance(plain, dict) and not isinstance(plain.get("Body", b""), bytes):
            plain = {**plain, "Body": await whole(plain["Body"])}
        return plain


async def whole(body: FileSlice | AsyncIterator[bytes]) -> bytes:
    """All bytes of a streaming result."""
    if isinstance(body, FileSlice):
        return await asyncio.to_thread(read_slice, body)
    return b"".join([piece async for piece in body])


def read_slice(part: FileSlice) -> bytes:
    with part.path.open("rb") as file:
        file.seek(part.start)
        return file.read(part.length)


def log_failure(task: asyncio.Task[Any]) -> None:
    error = task.exception()
    if error is not None:
        LOG.warning("an operation that the fallback had started failed: %s", error)


# Makes the error that moto's code catches for something that is not there, from its name.
Missing = Callable[[str], Exception]


class Seam:
    """Stands in for one of moto's `…_backends`: `seam[account][region]` is a back end."""

    def __init__(self, kind: Callable[..., Any], calls: NativeCalls, missing: Mapping[str, Missing]) -> None:
        self._kind = kind
        self._calls = calls
        self._missing = missing

    def __getitem__(self, account: str) -> RegionsOfSeam:
        return RegionsOfSeam(lambda region: self._kind(self._calls, account, region, self._missing))

    def items(self) -> tuple[()]:
        """No back ends for those who want to walk over all of them."""
        return ()

    def iter_backends(self) -> Iterator[Any]:
        return iter(())


class RegionsOfSeam:
    def __init__(self, make: Callable[[str], Any]) -> None:
        self._make = make

    def __getitem__(self, region: str) -> Any:
        return self._make(region if "-" in region and not region.startswith("aws") else REGION_WITHOUT_ONE)

    def __contains__(self, region: str) -> bool:
        return True


class NativeBackend:
    """One account and region of a native service."""

    service = ""

    def __init__(self, calls: NativeCalls, account: str, region: str, missing: Mapping[str, Missing]) -> None:
        self.account_id = account
        self.region_name = region
        self._calls = calls
        self._missing = missing

    def _call(self, operation: str, **request: Any) -> Any:
        return self._calls(self.account_id, self.region_name, self.service, operation, request)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotImplementedError(f"{name} of the native {self.service}")


class S3Backend(NativeBackend):
    service = "s3"
    buckets: Mapping[str, Any] = MappingProxyType({})  # CloudWatch looks here for sizes of buckets to make metrics of

    def get_bucket(self, name: str) -> Any:
        try:
            self._call("HeadBucket", Bucket=name)
        except AwsError:
            raise self._missing["bucket"](name) from None
        return SimpleNamespace(name=name, arn=f"arn:aws:s3:::{name}", account_id=self.account_id, policy=None)

    head_bucket = get_bucket

    def create_bucket(self, name: str, region_name: str = "", **_options: Any) -> Any:
        region = region_name or self.region_name
        request: dict[str, Any] = {"Bucket": name}
        if region != REGION_WITHOUT_ONE:
            request["CreateBucketConfiguration"] = {"LocationConstraint": region}
        self._calls(self.account_id, region, "s3", "CreateBucket", request)
        return self.get_bucket(name)

    def put_object(self, bucket_name: str, key_name: str, value: bytes | str, **_options: Any) -> Any:
        body = value.encode() if isinstance(value, str) else bytes(value)
        self._call("PutObject", Bucket=bucket_name, Key=key_name, Body=InlineBody(body))
        return SimpleNamespace(name=key_name, bucket_name=bucket_name, value=body, size=len(body))

    def get_object(self, bucket_name: str, key_name: str, version_id: str | None = None, **_options: Any) -> Any:
        request = {"Bucket": bucket_name, "Key": key_name}
        if version_id:
            request["VersionId"] = version_id
        try:
            value = self._calls(self.account_id, self.region_name, "s3", "GetObject", request)["Body"]
        except AwsError as error:
            if error.code == "NoSuchBucket":
                raise self._missing["bucket"](bucket_name) from None
            return None
        return SimpleNamespace(name=key_name, bucket_name=bucket_name, value=value, size=len(value))


class SqsBackend(NativeBackend):
    service = "sqs"

    def send_message(
        self,
        queue_name: str,
        message_body: str,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        **_: Any,
    ) -> None:
        request = {"QueueUrl": f"/{self.account_id}/{queue_name}", "MessageBody": message_body}
        if group_id:
            request["MessageGroupId"] = group_id
        if deduplication_id:
            request["MessageDeduplicationId"] = deduplication_id
        self._call("SendMessage", **request)

    def get_queue_attributes(self, queue_name: str, attribute_names: list[str]) -> dict[str, str]:
        answer = self._call(
            "GetQueueAttributes", QueueUrl=f"/{self.account_id}/{queue_name}", AttributeNames=attribute_names
        )
        found: dict[str, str] = answer.get("Attributes", {})
        return found

    def get_queue(self, queue_name: str) -> Any:
        try:
            attributes = self.get_queue_attributes(queue_name, ["All"])
        except AwsError:
            raise self._missing["queue"](queue_name) from None
        return SimpleNamespace(
            name=queue_name,
            queue_arn=attributes.get("QueueArn", f"arn:aws:sqs:{self.region_name}:{self.account_id}:{queue_name}"),
            fifo_queue=queue_name.endswith(".fifo"),
            attributes=attributes,
        )

    @property
    def queues(self) -> dict[str, Any]:
        names = [url.rpartition("/")[2] for url in self._call("ListQueues").get("QueueUrls", ())]
        arn = f"arn:aws:sqs:{self.region_name}:{self.account_id}"
        return {
            name: SimpleNamespace(name=name, queue_arn=f"{arn}:{name}", lambda_event_source_mappings={})
            for name in names
        }


class SnsBackend(NativeBackend):
    service = "sns"

    def publish(self, message: str, arn: str | None = None, subject: str | None = None, **_options: Any) -> str:
        request: dict[str, Any] = {"TopicArn": arn, "Message": message}
        if subject:
            request["Subject"] = subject
        identifier: str = self._call("Publish", **request).get("MessageId", "")
        return identifier

    def get_topic(self, arn: str) -> Any:
        try:
            self._call("GetTopicAttributes", TopicArn=arn)
        except AwsError:
            raise self._missing["topic"](arn) from None
        return SimpleNamespace(arn=arn, name=arn.rpartition(":")[2])

    @property
    def topics(self) -> dict[str, Any]:
        return {topic["TopicArn"]: topic for topic in self._call("ListTopics").get("Topics", ())}


class DynamoDbBackend(NativeBackend):
    service = "dynamodb"

    def get_table(self, table_name: str, **_options: Any) -> Any:
        name = table_name.rpartition("/")[2]
        try:
            table = self._call("DescribeTable", TableName=name)["Table"]
        except AwsError:
            raise self._missing["table"](name) from None
        return SimpleNamespace(
            name=name,
            table_arn=table["TableArn"],
            latest_stream_label=table.get("LatestStreamLabel"),
            lambda_event_source_mappings={},
        )

    @property
    def tables(self) -> dict[str, Any]:
        return {name: self.get_table(name) for name in self._call("ListTables").get("TableNames", ())}


class DynamoDbStreamsBackend(NativeBackend):
    service = "dynamodbstreams"

    def list_streams(self, table_name: str | None = None) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self._call("ListStreams", **({"TableName": table_name} if table_name else {}))[
            "Streams"
        ]
        return found


class StsBackend(NativeBackend):
    service = "sts"
    assumed_roles = ()

    def get_caller_identity(self, access_key_id: str, region: str) -> tuple[str, str, str]:
        """User id, ARN, account."""
        return self.account_id, f"arn:aws:iam::{self.account_id}:root", self.account_id


class LambdaBackend(NativeBackend):
    service = "lambda"

    def get_function(self, function_name_or_arn: str, qualifier: str | None = None) -> Any:
        request = {"FunctionName": function_name_or_arn} | ({"Qualifier": qualifier} if qualifier else {})
        found = self._call("GetFunction", **request)["Configuration"]
        return SimpleNamespace(function_arn=found["FunctionArn"], function_name=found["FunctionName"])

    def invoke(self, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any) -> Any:
        """The payload; in `response_headers` whether the function failed."""
        payload = body.encode() if isinstance(body, str) else bytes(body or b"")
        request = {"FunctionName": function_name, "Payload": payload} | ({"Qualifier": qualifier} if qualifier else {})
        answer = self._call("Invoke", **request)
        if "FunctionError" in answer:
            response_headers["x-amz-function-error"] = answer["FunctionError"]
        return answer["Payload"]

    def send_log_event(
        self, function_arn: str, filter_name: str, log_group_name: str, log_stream_name: str, log_events: list[Any]
    ) -> None:
        """What a subscription filter found ("Using CloudWatch Logs subscription filters with AWS Lambda")."""
        found = {
            "messageType": "DATA_MESSAGE",
            "owner": self.account_id,
            "logGroup": log_group_name,
            "logStream": log_stream_name,
            "subscriptionFilters": [filter_name],
            "logEvents": log_events,
        }
        data = b64encode(gzip.compress(json.dumps(found).encode())).decode()
        payload = json.dumps({"awslogs": {"data": data}}).encode()
        self._call("Invoke", FunctionName=function_arn, InvocationType="Event", Payload=payload)


# services of moto's that call functions; its Lambda, which is slow to import, is stood in for when one of them is loaded
CALLERS_OF_LAMBDA = frozenset({"config", "logs", "secretsmanager", "ses"})

# moto's module -> (name of its back ends, what stands in for them)
SEAMS = (
    ("moto.s3.models", "s3_backends", S3Backend),
    ("moto.sqs.models", "sqs_backends", SqsBackend),
    ("moto.sns.models", "sns_backends", SnsBackend),
    ("moto.dynamodb.models", "dynamodb_backends", DynamoDbBackend),
    ("moto.dynamodbstreams.models", "dynamodbstreams_backends", DynamoDbStreamsBackend),
    ("moto.sts.models", "sts_backends", StsBackend),
)
