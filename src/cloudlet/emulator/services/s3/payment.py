"""Who pays for requests to a bucket, and transfer acceleration: two settings of one word each."""

from __future__ import annotations

from typing import Any, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3.api import (
    GetBucketAccelerateConfigurationOutput,
    GetBucketAccelerateConfigurationRequest,
    GetBucketRequestPaymentOutput,
    GetBucketRequestPaymentRequest,
    PutBucketAccelerateConfigurationRequest,
    PutBucketRequestPaymentRequest,
)
from cloudlet.emulator.services.s3.configurations import get_config, put_config
from cloudlet.emulator.services.s3.errors import InvalidRequest, MalformedXML
from cloudlet.emulator.services.s3.lookup import element, require_bucket

PAYMENT = "request_payment"
ACCELERATION = "acceleration"


@read_write
def put_bucket_request_payment(call: Call, request: PutBucketRequestPaymentRequest) -> None:
    bucket = require_bucket(call, request)
    payer = element(request, "RequestPaymentConfiguration").get("Payer")
    if payer not in ("Requester", "BucketOwner"):
        raise MalformedXML
    put_config(call.tx, bucket.name, PAYMENT, {"Payer": payer})


@read_only
def get_bucket_request_payment(call: Call, request: GetBucketRequestPaymentRequest) -> GetBucketRequestPaymentOutput:
    bucket = require_bucket(call, request)
    found: Any = get_config(call.tx, bucket.name, PAYMENT)
    return cast(GetBucketRequestPaymentOutput, found or {"Payer": "BucketOwner"})


@read_write
def put_bucket_accelerate_configuration(call: Call, request: PutBucketAccelerateConfigurationRequest) -> None:
    bucket = require_bucket(call, request)
    if "." in bucket.name:
        raise InvalidRequest("S3 Transfer Acceleration is not supported for buckets with periods (.) in their names")
    status = element(request, "AccelerateConfiguration").get("Status")
    if status not in ("Enabled", "Suspended"):
        raise MalformedXML
    put_config(call.tx, bucket.name, ACCELERATION, {"Status": status})


@read_only
def get_bucket_accelerate_configuration(
    call: Call, request: GetBucketAccelerateConfigurationRequest
) -> GetBucketAccelerateConfigurationOutput:
    bucket = require_bucket(call, request)
    return cast(GetBucketAccelerateConfigurationOutput, get_config(call.tx, bucket.name, ACCELERATION) or {})
