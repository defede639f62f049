"""Tags of APIs, stages, keys, plans, domain names, links and certificates, by ARN."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.apigateway.documents import kept
from cloudlet.emulator.fallback.answers.apigateway.present import bad, missing


def tagged(backend: Any, arn: str) -> Any:
    """What the ARN names; a dictionary for what moto does not have. Raises NotFoundException, BadRequestException."""
    parts = unquote(arn).split(":", 5)
    if len(parts) < 6 or parts[2] != "apigateway":
        raise bad(f"Invalid ARN specified: {arn}")
    steps = parts[5].strip("/").split("/")
    kind, name = steps[0], steps[1] if len(steps) > 1 else ""
    places: dict[str, Any] = {
        "restapis": backend.apis,
        "apikeys": backend.keys,
        "usageplans": backend.usage_plans,
        "domainnames": backend.domain_names,
        "vpclinks": backend.vpc_links,
        "clientcertificates": kept(backend, "client_certificates"),
    }
    found = places.get(kind, {}).get(name)
    if found is not None and len(steps) == 4 and steps[2] == "stages":
        found = found.stages.get(steps[3])
    if found is None:
        raise missing("Invalid resource identifier specified")
    return found


def tags_of(thing: Any) -> dict[str, str]:
    found = thing.get("tags") if isinstance(thing, dict) else thing.tags
    return dict(found or {})


def put(thing: Any, tags: dict[str, str]) -> None:
    if isinstance(thing, dict):
        thing["tags"] = tags
    else:
        thing.tags = tags


def tag_resource(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        thing = tagged(backend, asked.request["resourceArn"])
        put(thing, tags_of(thing) | asked.request["tags"])
    return {}


def untag_resource(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        thing = tagged(backend, asked.request["resourceArn"])
        put(thing, {key: value for key, value in tags_of(thing).items() if key not in asked.request["tagKeys"]})
    return {}


def get_tags(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        return {"tags": tags_of(tagged(backend, asked.request["resourceArn"]))}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {"TagResource": tag_resource, "UntagResource": untag_resource, "GetTags": get_tags}
)
