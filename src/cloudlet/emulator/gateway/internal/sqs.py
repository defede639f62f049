"""`/_aws/sqs/messages`: what is in a queue, without receiving it.

Query or form parameters `QueueUrl`, `ShowInvisible`, `ShowDelayed` (`true` or `1`); or a path
`/_aws/sqs/messages/{region}/{account}/{queue}`; or an SQS client with this address as its endpoint. Answers are those of
ReceiveMessage: XML, the XML document's tree as JSON with `Accept: application/json`, JSON for a client's JSON.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from cloudlet.emulator.gateway.internal.answers import InternalError, json_answer, json_object
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.codec import codec
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

TRUE = frozenset({"1", "true", "True"})
DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"


def browse_queue(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """The messages of the queue that the parameters name."""
    parameters = read_parameters(request)
    url = parameters.get("QueueUrl")
    if not url:
        raise InternalError(400, "sqs.queue-url", "Name the queue with `QueueUrl`.")
    return browse(emulator, request, str(url), parameters, DEFAULT_ACCOUNT, DEFAULT_REGION)


def browse_queue_by_path(
    emulator: Emulator, request: HttpRequest, region: str, account: str, queue: str
) -> HttpResponse:
    """The messages of the queue that the path names."""
    return browse(emulator, request, f"/{account}/{queue}", read_parameters(request), account, region)


def read_parameters(request: HttpRequest) -> dict[str, Any]:
    if "x-amz-target" in request.headers:
        return json_object(request)
    form = request.body.read().decode(errors="replace") if request.method == "POST" else ""
    return {**request.params, **dict(parse_qsl(form))}


def browse(
    emulator: Emulator, request: HttpRequest, url: str, parameters: dict[str, Any], account: str, region: str
) -> HttpResponse:
    dispatcher = emulator.dispatcher
    call = dispatcher.service_call("sqs", account, region, "ReceiveMessage")
    protocol = "json" if "x-amz-target" in request.headers else "query"
    wire = codec(emulator.models.service("sqs"), "ReceiveMessage", protocol)
    wanted = {
        "QueueUrl": url,
        "ShowInvisible": str(parameters.get("ShowInvisible")) in TRUE,
        "ShowDelayed": str(parameters.get("ShowDelayed")) in TRUE,
    }
    try:
        result = dispatcher.run(dispatcher.handler("sqs", "BrowseMessages"), call, wanted)
    except AwsError as error:
        return wire.error(error, call.request_id, request.method)
    if protocol == "query" and "application/json" in request.headers.get("accept", ""):
        return json_answer({"ReceiveMessageResponse": {"ReceiveMessageResult": tree(result)}})
    return wire.serialize(result, call.request_id)


def tree(result: dict[str, Any]) -> dict[str, Any]:
    """The answer as the XML document's tree: lists under the names of their elements."""
    found = []
    for message in result.get("Messages", []):
        entry = {name: message[name] for name in ("MessageId", "ReceiptHandle", "MD5OfBody", "Body")}
        entry["Attribute"] = [{"Name": name, "Value": value} for name, value in message["Attributes"].items()]
        if "MessageAttributes" in message:
            entry["MD5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
            entry["MessageAttribute"] = [
                {"Name": name, "Value": {part: text(inner) for part, inner in value.items()}}
                for name, value in message["MessageAttributes"].items()
            ]
        found.append(entry)
    return {"Message": found} if found else {}


def text(value: str | bytes) -> str:
    return value if isinstance(value, str) else b64encode(value).decode()
