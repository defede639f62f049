"""botocore's client halves against our server halves: what the tests of the wire share."""

from __future__ import annotations

import copy
import io
import os
import random
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import botocore.awsrequest
import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize

from cloudlet.emulator.protocol.codec import PROTOCOLS
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse, InlineBody
from cloudlet.emulator.protocol.models import Models
from tools.model_amendments import amend

WHOLE = os.environ.get("CLOUDLET_WIRE") == "all"
SAMPLE = 3  # operations of each service and protocol in `make test`, beside those that show a feature
ENDPOINT = "http://wire.example.com"

MODELS = Models()
LOADER = botocore.loaders.Loader()
SERVICES = tuple(MODELS.index.services)


@lru_cache(maxsize=4)
def botocore_model(service: str) -> botocore.model.ServiceModel:
    return botocore.model.ServiceModel(LOADER.load_service_model(service, "service-2"), service)


@lru_cache(maxsize=1)
def sqs_query_model() -> botocore.model.ServiceModel:
    """SQS as it was described before it spoke JSON: our amendments as botocore's own traits."""
    described = copy.deepcopy(LOADER.load_service_model("sqs", "service-2"))
    amend("sqs", described)
    for shape in described["shapes"].values():
        parts = [
            *shape.get("members", {}).values(),
            *(shape[part] for part in ("member", "key", "value") if part in shape),
        ]
        for part in parts:
            if "wireNameInQuery" in part:
                part["locationName"] = part["wireNameInQuery"]
    described["metadata"]["protocol"] = "query"
    return botocore.model.ServiceModel(described, "sqs")


def model_of(service: str, protocol: str) -> botocore.model.ServiceModel:
    return sqs_query_model() if (service, protocol) == ("sqs", "query") else botocore_model(service)


def protocols_of(service: str) -> tuple[str, ...]:
    """Those that a client of botocore can speak to the service."""
    return tuple(protocol for protocol in MODELS.index.services[service].protocols if protocol in PROTOCOLS)


def chosen(service: str, protocol: str) -> tuple[str, ...]:
    """The operations to test: all of them, or the seeded sample."""
    return testable(service, protocol) if WHOLE else sampled(service, protocol)


def testable(service: str, protocol: str) -> tuple[str, ...]:
    names = model_of(service, protocol).operation_names
    return tuple(sorted(name for name in names if (service, name) not in EXCEPTIONS))


def sampled(service: str, protocol: str) -> tuple[str, ...]:
    names = testable(service, protocol)
    generator = random.Random(f"{service} {protocol}")
    picked = set(generator.sample(names, min(SAMPLE, len(names))))
    return tuple(name for name in names if name in picked or (service, name) in SHOWING_FEATURES)


# What botocore cannot say or read, with the reason. Each has a test of its own or is of no use.
EXCEPTIONS = {
    ("s3", "GetBucketLocation"): "the root element is the member; botocore reads it in a handler (test_s3_wire.py)",
    ("s3", "GetBucketNotification"): "deprecated: two members, `Event` and `Events`, have one element name",
    ("s3", "PutBucketNotification"): "deprecated: two members, `Event` and `Events`, have one element name",
}

# Operations that show what few operations have; the sample always has them.
SHOWING_FEATURES = frozenset(
    {
        ("s3", "PutObject"),
        ("s3", "GetObject"),
        ("s3", "HeadObject"),
        ("s3", "ListObjectsV2"),
        ("s3", "PutBucketAcl"),
        ("s3", "GetBucketAcl"),
        ("s3", "GetObjectAttributes"),
        ("s3", "CompleteMultipartUpload"),
        ("s3", "PutBucketLifecycleConfiguration"),
        ("s3", "SelectObjectContent"),
        ("s3control", "CreateAccessPoint"),
        ("ec2", "RunInstances"),
        ("ec2", "DescribeInstances"),
        ("sqs", "SendMessage"),
        ("sqs", "ReceiveMessage"),
        ("sqs", "SetQueueAttributes"),
        ("sns", "Publish"),
        ("dynamodb", "PutItem"),
        ("dynamodb", "Query"),
        ("dynamodb", "DescribeTable"),
        ("lambda", "Invoke"),
        ("lambda", "CreateFunction"),
        ("cloudwatch", "PutMetricData"),
        ("cloudfront", "CreateDistribution"),
        ("route53", "ListResourceRecordSets"),
        ("iam", "GetAccountAuthorizationDetails"),
        ("apigateway", "GetExport"),
        ("iot-data", "Publish"),
        ("lex-runtime", "PostContent"),
        ("bedrock-runtime", "Converse"),
        ("bedrock-runtime", "InvokeModel"),
        ("kinesis", "SubscribeToShard"),
        ("medialive", "CreateChannel"),
        ("glacier", "UploadArchive"),
        ("elbv2", "CreateListener"),
        ("rds", "DescribeDBInstances"),
        ("ec2", "BundleInstance"),
        ("ec2", "CreateCapacityReservationFleet"),
        ("ec2", "CopyImage"),
        ("ec2", "DescribeReservedInstances"),
        ("ec2", "AssociateDhcpOptions"),
        ("glue", "CreateJob"),
        ("autoscaling", "DescribeAccountLimits"),
        ("cloudwatch", "PutMetricAlarm"),
        ("cloudwatch", "DescribeAlarms"),
        ("lexv2-runtime", "StartConversation"),
        ("appconfig", "StopDeployment"),
        ("entityresolution", "BatchDeleteUniqueId"),
        ("connect", "CreateTestCase"),
        ("geo-maps", "GetStaticMap"),
        ("rds-data", "ExecuteStatement"),
        ("connectcases", "TagResource"),
        ("bedrock-agentcore", "GetAgentCard"),
        ("connectcases", "SearchCases"),
        ("cloudfront", "CreateContinuousDeploymentPolicy"),
        ("s3", "PutBucketPolicy"),
        ("s3", "GetBucketPolicy"),
        ("s3control", "UntagResource"),
        ("s3control", "DescribeJob"),
        ("cloudfront", "CreateTrustStore"),
        ("route53", "GetTrafficPolicy"),
        ("comprehend", "ClassifyDocument"),
    }
)


def request_of(service: str, protocol: str, operation: Any, params: dict[str, Any]) -> HttpRequest:
    """What the gateway would hand to `parse` for botocore's request."""
    serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
    described = serializer.serialize_to_request(params, operation)
    prefix = described.pop("host_prefix", None) or ""
    botocore.awsrequest.prepare_request_dict(described, ENDPOINT)
    prepared = botocore.awsrequest.create_request_object(described).prepare()
    parts = urlsplit(prepared.url)
    headers = {"host": prefix + (parts.hostname or "")}
    for name, value in prepared.headers.items():
        headers[name.lower()] = value.decode("utf-8") if isinstance(value, bytes) else str(value)
    body = prepared.body or b""
    if isinstance(body, str):
        body = body.encode()
    target = parts.path + ("?" + parts.query if parts.query else "")
    return HttpRequest(prepared.method, target, headers, InlineBody(bytes(body)))


def parsed_by_botocore(protocol: str, response: HttpResponse, shape: Any) -> dict[str, Any]:
    """What a client makes of our answer, without its metadata."""
    assert isinstance(response.body, bytes)
    payload = shape.serialization.get("payload") if shape is not None else None
    is_stream = payload is not None and shape.members[payload].type_name == "blob"
    raw = {
        "headers": botocore.awsrequest.HeadersDict(response.headers),
        "body": io.BytesIO(response.body) if is_stream else response.body,
        "status_code": response.status,
    }
    parser = botocore.parsers.create_parser(protocol)
    found = parser.parse(raw, shape)
    found.pop("ResponseMetadata", None)
    return dict(found)


def read_bodies(value: dict[str, Any]) -> dict[str, Any]:
    """Streaming payloads as bytes."""
    return {name: item.read() if hasattr(item, "read") else item for name, item in value.items()}
