"""SES v2: SendEmail with every kind of content. Its messages and templates are those of SES."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.ses import note_sent, parts_of
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

PLACEHOLDER = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")


def send_email(asked: Asked) -> dict[str, Any]:
    content = asked.request["Content"]
    kinds = [kind for kind in ("Simple", "Raw", "Template") if content.get(kind)]
    if len(kinds) != 1:
        raise UnmodelledError(
            "BadRequestException", "The request must contain exactly one of Simple, Raw or Template content.", 400
        )
    if kinds == ["Template"]:
        return send_templated(asked, content["Template"])
    result = asked.proceed()
    note_sent(asked, result["MessageId"], **parts_of(content.get("Simple", {}).get("Body", {})))
    return result


def send_templated(asked: Asked, template: Mapping[str, Any]) -> dict[str, Any]:
    data = template.get("TemplateData") or "{}"
    values = read(data)
    inline = template.get("TemplateContent")
    if inline:
        parts = {
            kind: {"Data": filled(inline[name], values)}
            for kind, name in (("Text", "Text"), ("Html", "Html"))
            if inline.get(name)
        }
        simple = {"Subject": {"Data": filled(inline.get("Subject", ""), values)}, "Body": parts}
        result = asked.proceed(Content={"Simple": simple})
        note_sent(asked, result["MessageId"], **parts_of(parts))
        return result
    name = template.get("TemplateName") or str(template.get("TemplateArn", "")).rpartition("/")[2]
    request = {
        "Source": asked.request.get("FromEmailAddress", ""),
        "Destination": asked.request.get("Destination", {}),
        "Template": name,
        "TemplateData": data,
    }
    try:
        sent = asked.other("ses", "SendTemplatedEmail", request)
    except AwsError as error:
        if error.code == "TemplateDoesNotExist":
            raise UnmodelledError("NotFoundException", f"Template {name} does not exist.", 404) from error
        raise
    return {"MessageId": sent["MessageId"]}


def read(data: str) -> dict[str, Any]:
    try:
        values = json.loads(data)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise UnmodelledError("BadRequestException", "TemplateData is not a valid JSON object.", 400)
    return values


def filled(text: str, values: Mapping[str, Any]) -> str:
    """`{{name}}` replaced; a name without a value stays as it is."""
    return PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), text)


ANSWERS: Mapping[str, Answer] = MappingProxyType({"SendEmail": send_email})
