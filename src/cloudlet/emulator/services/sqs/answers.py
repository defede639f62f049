"""What SQS's answers over the query protocol have of their own: `<Detail/>` in errors, and JSON on demand.

For `Accept: application/json` SQS has answered with JSON since before it had a JSON protocol: the XML document's tree, an
error's without its outer element.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree

import orjson

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

LISTS = MappingProxyType(
    {
        ("GetQueueAttributesResult", "Attribute"): "Attributes",
        ("ListQueuesResult", "QueueUrl"): "queueUrls",
        ("ListQueueTagsResult", "Tag"): "Tags",
    }
)
EMPTY_RESULT = b"<ReceiveMessageResult></ReceiveMessageResult>"
EMPTY_RESULT_SHORT = b"<ReceiveMessageResult/>"


def finish(call: Call, request: HttpRequest, response: HttpResponse) -> None:
    """The last touch on an answer; those over the JSON protocol are left alone."""
    if "x-amz-target" in request.headers:
        return
    body = response.body
    if not isinstance(body, bytes) or not body.startswith(b"<"):
        return
    if response.status >= 400:
        body = body.replace(b"</Message></Error>", b"</Message><Detail/></Error>")
    if "application/json" in request.headers.get("accept", ""):
        body = as_json(body)
        response.headers = {
            name: "application/json" if name.lower() == "content-type" else value
            for name, value in response.headers.items()
        }
    else:
        body = body.replace(EMPTY_RESULT, EMPTY_RESULT_SHORT)
    response.body = body


def as_json(document: bytes) -> bytes:
    root = ElementTree.fromstring(document)  # noqa: S314  our own answer
    content = tree(root)
    return orjson.dumps(content if plain(root.tag) == "ErrorResponse" else {plain(root.tag): content})


def tree(element: ElementTree.Element) -> Any:
    """Children by name, repeated ones and those of `LISTS` as lists; the text where there are none."""
    parent = plain(element.tag)
    if len(element) == 0:
        return {} if parent.endswith("Result") else element.text
    found: dict[str, Any] = {}
    for child in element:
        name = plain(child.tag)
        listed = LISTS.get((parent, name))
        if listed is not None:
            found.setdefault(listed, []).append(tree(child))
        elif name not in found:
            found[name] = tree(child)
        elif isinstance(found[name], list):
            found[name].append(tree(child))
        else:
            found[name] = [found[name], tree(child)]
    return found


def plain(tag: str) -> str:
    return tag.rpartition("}")[2]
