"""Website configurations of buckets.

Source: "Hosting a static website using Amazon S3", S3 User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3.api import (
    DeleteBucketWebsiteRequest,
    GetBucketWebsiteOutput,
    GetBucketWebsiteRequest,
    PutBucketWebsiteRequest,
)
from cloudlet.emulator.services.s3.configurations import delete_config, get_config, put_config
from cloudlet.emulator.services.s3.errors import (
    InvalidArgument,
    InvalidRequest,
    MalformedXML,
    NoSuchWebsiteConfiguration,
)
from cloudlet.emulator.services.s3.lookup import element, require_bucket

KIND = "website"


def check_website(configuration: Mapping[str, Any]) -> None:
    """Raises InvalidArgument, InvalidRequest and MalformedXML."""
    redirect_all = configuration.get("RedirectAllRequestsTo")
    if redirect_all is not None:
        if len(configuration) > 1:
            raise InvalidArgument(
                "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
                ArgumentName="RedirectAllRequestsTo",
                ArgumentValue="not null",
            )
        if "HostName" not in redirect_all:
            raise MalformedXML
        check_protocol(redirect_all)
        return
    index = configuration.get("IndexDocument")
    if index is None:
        raise InvalidArgument(
            "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
            ArgumentName="IndexDocument",
            ArgumentValue="null",
        )
    if not index.get("Suffix") or "/" in index["Suffix"]:
        raise InvalidArgument(
            "The IndexDocument Suffix is not well formed",
            ArgumentName="IndexDocument",
            ArgumentValue=index.get("Suffix"),
        )
    error = configuration.get("ErrorDocument")
    if error is not None and not error.get("Key"):
        raise InvalidArgument(
            "The ErrorDocument Key is not well formed", ArgumentName="ErrorDocument", ArgumentValue=""
        )
    rules = configuration.get("RoutingRules")
    if rules is not None and not rules:
        raise MalformedXML
    for rule in rules or ():
        check_routing_rule(rule)


def check_routing_rule(rule: Mapping[str, Any]) -> None:
    redirect = rule.get("Redirect")
    if redirect is None:
        raise MalformedXML
    if "ReplaceKeyPrefixWith" in redirect and "ReplaceKeyWith" in redirect:
        raise InvalidRequest("You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
    if "Condition" in rule and not rule["Condition"]:
        raise InvalidRequest(
            "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't "
            "be present."
        )
    check_protocol(redirect)
    code = redirect.get("HttpRedirectCode")
    if code is not None and not (code.isdigit() and 301 <= int(code) <= 399):
        raise InvalidRequest(f"The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except 300.")


def check_protocol(redirect: Mapping[str, Any]) -> None:
    if redirect.get("Protocol", "http") not in ("http", "https"):
        raise InvalidRequest(
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically."
        )


@read_write
def put_bucket_website(call: Call, request: PutBucketWebsiteRequest) -> None:
    bucket = require_bucket(call, request)
    configuration: Mapping[str, Any] = element(request, "WebsiteConfiguration")
    check_website(configuration)
    put_config(call.tx, bucket.name, KIND, configuration)


@read_only
def get_bucket_website(call: Call, request: GetBucketWebsiteRequest) -> GetBucketWebsiteOutput:
    bucket = require_bucket(call, request)
    found = get_config(call.tx, bucket.name, KIND)
    if found is None:
        raise NoSuchWebsiteConfiguration(BucketName=bucket.name)
    return cast(GetBucketWebsiteOutput, found)


@read_write
def delete_bucket_website(call: Call, request: DeleteBucketWebsiteRequest) -> None:
    delete_config(call.tx, require_bucket(call, request).name, KIND)
