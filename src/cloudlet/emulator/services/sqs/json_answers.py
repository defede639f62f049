"""Answers of the query protocol as JSON, for clients that send `Accept: application/json`.

SQS has done so since before it had a JSON protocol: the XML document's tree, with the members' own names for lists.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree

import orjson

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

LISTS = MappingProxyType({"Message": "messages", "Attribute": "Attributes", "MessageAttribute": "MessageAttributes"})
LISTS_OF = MappingProxyType({("ListQueuesResult", "QueueUrl"): "queueUrls", ("ListQueueTagsResult", "Tag"): "Tags"})


def finish(call: Call, request: HttpRequest, response: HttpResponse) -> None:
    """Turn an XML answer into JSON where the client asked for it."""
    if "x-amz-target" in request.headers or "application/json" not in request.headers.get("accept", ""):
        return
    if not isinstance(response.body, bytes) or not response.body.startswith(b"<"):
        return
    root = ElementTree.fromstring(response.body)  # noqa: S314  our own answer
    response.body = orjson.dumps({plain(root.tag): tree(root)})
    for name in response.headers:
        if name.lower() == "content-type":
            response.headers[name] = "application/json"


def tree(element: ElementTree.Element) -> Any:
    """Children by name, repeated ones as lists; the text where there are none."""
    if len(element) == 0:
        return element.text if element.text is not None or not plain(element.tag).endswith("Result") else {}
    found: dict[str, Any] = {}
    parent = plain(element.tag)
    for child in element:
        name = plain(child.tag)
        listed = LISTS_OF.get((parent, name)) or LISTS.get(name)
        if listed is not None:
            found.setdefault(listed, []).append(tree(child))
        else:
            found[name] = tree(child)
    return found


def plain(tag: str) -> str:
    return tag.rpartition("}")[2]
