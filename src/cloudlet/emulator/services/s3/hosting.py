"""Static websites: what a bucket answers at `<bucket>.s3-website.…`.

Source: "Hosting a static website using Amazon S3", S3 User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.kernel.service import read_only
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.protocol.rest_wire import S3_HOST_ID
from cloudlet.emulator.services.s3.bodies import content
from cloudlet.emulator.services.s3.conditions import matches
from cloudlet.emulator.services.s3.configurations import get_config
from cloudlet.emulator.services.s3.errors import NoSuchBucket, NoSuchKey, NoSuchWebsiteConfiguration
from cloudlet.emulator.services.s3.records import BUCKETS, CURRENT, ObjectRecord
from cloudlet.emulator.services.s3.times import http_second
from cloudlet.emulator.services.s3.website import KIND

REASONS = MappingProxyType({403: "Forbidden", 404: "Not Found"})  # of the errors that pages are shown for
SHOWN_HEADERS = (
    ("CacheControl", "Cache-Control"),
    ("ContentDisposition", "Content-Disposition"),
    ("ContentEncoding", "Content-Encoding"),
    ("ContentLanguage", "Content-Language"),
)


def parse_website(http: HttpRequest) -> dict[str, Any]:
    """The pseudo-request of a page."""
    bucket, _, key = http.decoded_path.lstrip("/").partition("/")
    return {"Bucket": bucket, "Key": key}


@read_only
def website_object(call: Call, request: Mapping[str, Any]) -> HttpResponse:
    """A page, a redirection or an error page; never raises an AwsError."""
    name, key = request["Bucket"], request["Key"]
    if BUCKETS.get(call.tx, name) is None:
        return error_page(call, NoSuchBucket(BucketName=name))
    config = get_config(call.tx, name, KIND)
    if config is None:
        return error_page(call, NoSuchWebsiteConfiguration(BucketName=name))
    everything = config.get("RedirectAllRequestsTo")
    if everything is not None:
        protocol = everything.get("Protocol") or scheme(call)
        return redirection(call, 301, f"{protocol}://{everything['HostName']}/{quote(key)}")
    rule = find_rule(config, key, None)
    if rule is not None:
        return redirect_by(call, rule, key)
    suffix = config["IndexDocument"]["Suffix"]
    wanted = key + suffix if not key or key.endswith("/") else key
    record = CURRENT.get(call.tx, name, wanted)
    if record is not None:
        return page(call, record, 200)
    if wanted == key and CURRENT.exists(call.tx, name, f"{key}/{suffix}"):
        return redirection(call, 302, f"/{quote(key)}/")
    rule = find_rule(config, key, "404")
    if rule is not None:
        return redirect_by(call, rule, key)
    missing = NoSuchKey(Key=wanted)
    error_key = (config.get("ErrorDocument") or {}).get("Key")
    error_record = None if error_key is None else CURRENT.get(call.tx, name, error_key)
    if error_record is not None:
        return page(call, error_record, 404)
    return error_page(call, missing)


def scheme(call: Call) -> str:
    return "http" if call.http is None else call.http.scheme


def find_rule(config: Mapping[str, Any], key: str, status: str | None) -> Mapping[str, Any] | None:
    """The first routing rule for a key; with `status`, the first for an error."""
    for rule in config.get("RoutingRules") or ():
        condition = rule.get("Condition") or {}
        if condition.get("HttpErrorCodeReturnedEquals") != status:
            continue
        if key.startswith(condition.get("KeyPrefixEquals", "")):
            found: Mapping[str, Any] = rule
            return found
    return None


def redirect_by(call: Call, rule: Mapping[str, Any], key: str) -> HttpResponse:
    redirect = rule["Redirect"]
    if "ReplaceKeyWith" in redirect:
        key = redirect["ReplaceKeyWith"]
    elif "ReplaceKeyPrefixWith" in redirect:
        prefix = (rule.get("Condition") or {}).get("KeyPrefixEquals", "")
        key = redirect["ReplaceKeyPrefixWith"] + key.removeprefix(prefix)
    host = redirect.get("HostName") or ("" if call.http is None else call.http.headers.get("host", ""))
    protocol = redirect.get("Protocol") or scheme(call)
    return redirection(call, int(redirect.get("HttpRedirectCode", 301)), f"{protocol}://{host}/{quote(key)}")


def redirection(call: Call, status: int, location: str) -> HttpResponse:
    return HttpResponse(status, {"x-amz-request-id": call.request_id, "Location": location})


def page(call: Call, record: ObjectRecord, status: int) -> HttpResponse:
    """An object as a page."""
    headers = record.headers or {}
    if "WebsiteRedirectLocation" in headers:
        return redirection(call, 301, str(headers["WebsiteRedirectLocation"]))
    answer = {
        "x-amz-request-id": call.request_id,
        "ETag": f'"{record.etag}"',
        "Last-Modified": http_second(record.modified),
        "Content-Type": record.content_type,
    }
    answer |= {header: str(headers[member]) for member, header in SHOWN_HEADERS if member in headers}
    answer |= {f"x-amz-meta-{name}": value for name, value in (record.metadata or {}).items()}
    http = call.http
    if http is not None and status == 200 and matches(http.headers.get("if-none-match", ""), record.etag):
        return HttpResponse(304, answer)
    if http is not None and http.method == "HEAD":
        return HttpResponse(status, {**answer, "Content-Length": str(record.size)})
    return HttpResponse(
        status, {**answer, "Content-Length": str(record.size)}, content(call.tx, record, 0, record.size)
    )


def error_page(call: Call, error: AwsError) -> HttpResponse:
    """What browsers see: errors of websites are HTML."""
    title = f"{error.status} {REASONS.get(error.status, 'Error')}"
    members = "".join(f"<li>{name}: {escape(str(value))}</li>\n" for name, value in error.members.items())
    text = (
        f"<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n"
        f"<li>Code: {error.code}</li>\n<li>Message: {escape(error.message)}</li>\n{members}"
        f"<li>RequestId: {call.request_id}</li>\n<li>HostId: {S3_HOST_ID}</li>\n</ul>\n<hr/>\n</body>\n</html>\n"
    )
    headers = {"x-amz-request-id": call.request_id, "Content-Type": "text/html; charset=utf-8"}
    return HttpResponse(error.status, headers, text.encode())
