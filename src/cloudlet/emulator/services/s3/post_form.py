"""PostObject: uploads by HTML forms.

Source: "POST Object" and "Browser-based uploads using POST", S3 API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse, InlineBody
from cloudlet.emulator.services.s3.checksums import MEMBERS, header_name
from cloudlet.emulator.services.s3.errors import InvalidAccessKeyId, InvalidArgument, MalformedXML
from cloudlet.emulator.services.s3.fields import members_of
from cloudlet.emulator.services.s3.forms import Form, read_form
from cloudlet.emulator.services.s3.history import rewrite
from cloudlet.emulator.services.s3.lookup import require_bucket
from cloudlet.emulator.services.s3.post_policy import check_policy, parse_policy
from cloudlet.emulator.services.s3.presign import check_form_signature
from cloudlet.emulator.services.s3.records import CURRENT
from cloudlet.emulator.services.s3.rules import check_object_tags
from cloudlet.emulator.services.s3.writes import write_object

V4_FIELDS = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature")
V2_FIELDS = ("AWSAccessKeyId", "Signature")


def parse_form(http: HttpRequest) -> dict[str, Any]:
    """The pseudo-request of a form upload: bucket and form."""
    bucket = http.decoded_path.lstrip("/").partition("/")[0]
    return {"Bucket": bucket, "Form": read_form(http.headers.get("content-type", ""), http.body.read())}


@read_write
def post_object(call: Call, request: Mapping[str, Any]) -> HttpResponse:
    bucket = require_bucket(call, request)
    form: Form = request["Form"]
    fields = dict(form.fields)
    if "key" not in fields:
        raise missing_field("key")
    if form.file is None:
        raise InvalidArgument(
            "POST requires exactly one file upload per request.", ArgumentName="file", ArgumentValue="0"
        )
    if form.filename:
        filename = form.filename.replace("\\", "/").rpartition("/")[2]
        fields["key"] = fields["key"].replace("${filename}", filename)
    check_authorization(call, bucket.name, fields, len(form.file))
    if not fields["key"]:
        raise InvalidArgument("User key must have a length greater than 0.", ArgumentName="key", ArgumentValue="")
    result = write_object(
        call, bucket, put_request(bucket.name, fields), InlineBody(form.file), event="ObjectCreated:Post"
    )
    if "tagging" in fields:
        record = CURRENT.get(call.tx, bucket.name, fields["key"])
        if record is not None:
            rewrite(call.tx, record, msgspec.structs.replace(record, tags=form_tags(fields["tagging"])))
    return form_answer(call, bucket.name, fields, result)


def missing_field(name: str) -> InvalidArgument:
    return InvalidArgument(
        f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields.",
        ArgumentName=name,
        ArgumentValue="",
    )


def check_authorization(call: Call, bucket: str, fields: Mapping[str, str], size: int) -> None:
    """Signature and policy of a form. Raises what either raises."""
    if "policy" not in fields:
        return
    if not call.settings.s3_skip_signature_validation:
        check_fields(fields)
        check_form_signature(fields)
    check_policy(parse_policy(fields["policy"]), {**fields, "bucket": bucket}, size, call.now)


def check_fields(fields: Mapping[str, str]) -> None:
    """A form with a policy has all that belongs to its signature. Raises InvalidArgument and InvalidAccessKeyId."""
    newer = any(name in fields for name in ("x-amz-signature", "x-amz-credential", "x-amz-algorithm"))
    needed: tuple[str, ...] = V4_FIELDS if newer else V2_FIELDS
    for name in needed:
        if name.lower() not in fields:
            raise missing_field(name)
    if "awsaccesskeyid" in fields and not fields["awsaccesskeyid"]:
        raise InvalidAccessKeyId(AWSAccessKeyId="")


def put_request(bucket: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """The form as PutObject's request."""
    return {"Bucket": bucket, "Key": fields["key"], **members_of(fields.items())}


def form_tags(text: str) -> dict[str, str]:
    """The `tagging` field: a `Tagging` element. Raises MalformedXML and InvalidTag."""
    if "<!" in text:
        raise MalformedXML
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 without a DTD, which was refused, XML cannot expand
    except ElementTree.ParseError:
        raise MalformedXML from None
    pairs = []
    for tag in root.iter():
        if tag.tag.rpartition("}")[2] == "Tag":
            values = {child.tag.rpartition("}")[2]: child.text or "" for child in tag}
            pairs.append((values.get("Key", ""), values.get("Value", "")))
    return check_object_tags(pairs)


def form_answer(call: Call, bucket: str, fields: Mapping[str, str], result: Mapping[str, Any]) -> HttpResponse:
    """204, or what `success_action_status` and `success_action_redirect` ask for."""
    key, etag = fields["key"], result["ETag"]
    http = call.http
    base = f"{http.scheme}://{http.headers.get('host', '')}" if http is not None else ""
    location = f"{base}/{bucket}/{quote(key)}"
    headers = {"x-amz-request-id": call.request_id, "ETag": etag, "Location": location}
    if "VersionId" in result:
        headers["x-amz-version-id"] = result["VersionId"]
    if "ServerSideEncryption" in result:
        headers["x-amz-server-side-encryption"] = result["ServerSideEncryption"]
    for algorithm, member in MEMBERS.items():
        if member in result:
            headers[header_name(algorithm)] = result[member]
            headers["x-amz-checksum-type"] = result["ChecksumType"]
    redirect = fields.get("success_action_redirect", fields.get("redirect", ""))
    if redirect.startswith(("http://", "https://")):
        glue = "&" if "?" in redirect else "?"
        headers["Location"] = f"{redirect}{glue}{urlencode({'bucket': bucket, 'key': key, 'etag': etag})}"
        return HttpResponse(303, headers)
    status = fields.get("success_action_status")
    if status == "200":
        return HttpResponse(200, headers)
    if status == "201":
        headers["Content-Type"] = "application/xml"
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>'
            f"<Location>{escape(location)}</Location><Bucket>{escape(bucket)}</Bucket><Key>{escape(key)}</Key>"
            f"<ETag>{escape(etag)}</ETag></PostResponse>"
        )
        return HttpResponse(201, headers, text.encode())
    return HttpResponse(204, headers)
