"""Cross-origin resource sharing of a bucket: its configuration, preflights, and the headers of other answers.

Source: "Using cross-origin resource sharing (CORS)", S3 User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.services.s3.api import (
    DeleteBucketCorsRequest,
    GetBucketCorsOutput,
    GetBucketCorsRequest,
    PutBucketCorsRequest,
)
from cloudlet.emulator.services.s3.configurations import delete_config, get_config, put_config
from cloudlet.emulator.services.s3.errors import (
    AccessForbidden,
    BadRequest,
    InvalidRequest,
    MalformedXML,
    NoSuchCORSConfiguration,
)
from cloudlet.emulator.services.s3.lookup import element, require_bucket
from cloudlet.emulator.services.s3.records import BUCKETS
from cloudlet.emulator.store.kv import Transaction

KIND = "cors"
METHODS = frozenset({"GET", "PUT", "HEAD", "POST", "DELETE"})
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
REFUSED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
    "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
)


class Allowed(NamedTuple):
    """A rule that allows a request, the origin to name, and the requested headers."""

    rule: Mapping[str, Any]
    origin: str
    headers: tuple[str, ...]


def wildcard_match(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern with at most one `*`."""
    before, star, after = pattern.partition("*")
    if not star:
        return pattern == text
    return len(text) >= len(before) + len(after) and text.startswith(before) and text.endswith(after)


def find_rule(
    rules: Sequence[Mapping[str, Any]], origin: str, method: str, headers: Sequence[str] = ()
) -> Allowed | None:
    """The first rule that allows an origin, a method and (lower-case) headers; None when none does."""
    for rule in rules:
        pattern = next((entry for entry in rule["AllowedOrigins"] if wildcard_match(entry, origin)), None)
        if pattern is None or method not in rule["AllowedMethods"]:
            continue
        allowed = [entry.lower() for entry in rule.get("AllowedHeaders") or ()]
        if all(any(wildcard_match(entry, header) for entry in allowed) for header in headers):
            return Allowed(rule, "*" if pattern == "*" else origin, tuple(headers))
    return None


def answer_headers(allowed: Allowed) -> dict[str, str]:
    """The headers that a rule adds to an answer."""
    rule = allowed.rule
    found = {
        "Access-Control-Allow-Origin": allowed.origin,
        "Access-Control-Allow-Methods": ", ".join(rule["AllowedMethods"]),
    }
    if allowed.headers:
        found["Access-Control-Allow-Headers"] = ", ".join(allowed.headers)
    if rule.get("ExposeHeaders"):
        found["Access-Control-Expose-Headers"] = ", ".join(rule["ExposeHeaders"])
    if "MaxAgeSeconds" in rule:
        found["Access-Control-Max-Age"] = str(rule["MaxAgeSeconds"])
    if allowed.origin != "*":
        found["Access-Control-Allow-Credentials"] = "true"
    found["Vary"] = VARY
    return found


def check_rules(rules: Sequence[Mapping[str, Any]]) -> None:
    """Raises MalformedXML and InvalidRequest."""
    if not rules or len(rules) > 100:
        raise MalformedXML
    for rule in rules:
        if not rule.get("AllowedMethods") or not rule.get("AllowedOrigins"):
            raise MalformedXML
        for method in rule["AllowedMethods"]:
            if method not in METHODS:
                raise InvalidRequest(f"Found unsupported HTTP method in CORS config. Unsupported method is {method}")
        for name, member in (("AllowedOrigin", "AllowedOrigins"), ("AllowedHeader", "AllowedHeaders")):
            for value in rule.get(member) or ():
                if value.count("*") > 1:
                    raise InvalidRequest(f'{name} "{value}" can not have more than one wildcard.')
        for value in rule.get("ExposeHeaders") or ():
            if "*" in value:
                raise InvalidRequest(
                    f'ExposeHeader "{value}" contains wildcard. We currently do not support wildcard for ExposeHeader.'
                )
        if len(rule.get("ID", "")) > 255:
            raise InvalidRequest("ID length should not exceed allowed limit of 255")


@read_write
def put_bucket_cors(call: Call, request: PutBucketCorsRequest) -> None:
    bucket = require_bucket(call, request)
    rules = element(request, "CORSConfiguration").get("CORSRules") or ()
    check_rules(cast(Sequence[Mapping[str, Any]], rules))
    put_config(call.tx, bucket.name, KIND, {"CORSRules": rules})
    if not bucket.has_cors:
        BUCKETS.put(call.tx, msgspec.structs.replace(bucket, has_cors=True))


@read_only
def get_bucket_cors(call: Call, request: GetBucketCorsRequest) -> GetBucketCorsOutput:
    bucket = require_bucket(call, request)
    found = get_config(call.tx, bucket.name, KIND)
    if found is None:
        raise NoSuchCORSConfiguration(BucketName=bucket.name)
    return cast(GetBucketCorsOutput, found)


@read_write
def delete_bucket_cors(call: Call, request: DeleteBucketCorsRequest) -> None:
    bucket = require_bucket(call, request)
    delete_config(call.tx, bucket.name, KIND)
    if bucket.has_cors:
        BUCKETS.put(call.tx, msgspec.structs.replace(bucket, has_cors=False))


def rules_of(tx: Transaction, name: str) -> Sequence[Mapping[str, Any]] | None:
    """A bucket's rules; None where it has none, or does not exist."""
    bucket = BUCKETS.get(tx, name)
    if bucket is None or not bucket.has_cors:
        return None
    config = get_config(tx, name, KIND)
    return None if config is None else cast(Sequence[Mapping[str, Any]], config["CORSRules"])


def bucket_of(http: HttpRequest) -> str:
    """The bucket of a path-style request."""
    return http.decoded_path.lstrip("/").partition("/")[0]


def parse_options(http: HttpRequest) -> dict[str, Any]:
    """The pseudo-request of a preflight."""
    bucket, _, key = http.decoded_path.lstrip("/").partition("/")
    return {"Bucket": bucket, "Key": key}


@read_only
def options_object(call: Call, request: Mapping[str, Any]) -> HttpResponse:
    """A preflight. Raises BadRequest and AccessForbidden."""
    headers = {} if call.http is None else call.http.headers
    origin = headers.get("origin")
    method = headers.get("access-control-request-method")
    if not origin:
        raise BadRequest("Insufficient information. Origin request header needed.")
    kind = "OBJECT" if request["Key"] else "BUCKET"
    shown_method = method or "OPTIONS"
    if BUCKETS.get(call.tx, request["Bucket"]) is None:
        raise AccessForbidden("CORSResponse: Bucket not found", Method=shown_method, ResourceType="BUCKET")
    rules = None if call.settings.disable_custom_cors_s3 else rules_of(call.tx, request["Bucket"])
    if rules is None:
        raise AccessForbidden(Method=shown_method, ResourceType="BUCKET")
    if not method:
        raise BadRequest("Invalid Access-Control-Request-Method: null")
    wanted = headers.get("access-control-request-headers", "")
    names = tuple(name.strip().lower() for name in wanted.split(",") if name.strip())
    allowed = find_rule(rules, origin, method, names)
    if allowed is None:
        raise AccessForbidden(REFUSED, Method=method, ResourceType=kind)
    return HttpResponse(200, {"x-amz-request-id": call.request_id, **answer_headers(allowed)})


def decides_on_origin(call: Call, http: HttpRequest, response: HttpResponse) -> bool:
    """Whether a bucket has a CORS configuration; if so, the answer gets the headers that it gives."""
    if call.settings.disable_custom_cors_s3:
        return False
    with call.transaction(read_only=True) as tx:
        rules = rules_of(tx, bucket_of(http))
    if rules is None:
        return False
    if call.operation != "OptionsObject":
        method = http.headers.get("access-control-request-method", http.method)  # S3 minds it outside of preflights too
        allowed = find_rule(rules, http.headers["origin"], method)
        if allowed is not None:
            response.headers.update(answer_headers(allowed))
    return True
