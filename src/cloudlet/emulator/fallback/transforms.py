"""The macro `AWS::Serverless-2016-10-31` of CloudFormation templates, by AWS's own translator.

Loaded with the first template that names it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import boto3
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator


class TransformFailed(Exception):
    """The macro refuses the template; the message is what CloudFormation says of it."""


def expand_serverless(
    template: dict[str, Any], parameters: Mapping[str, Any], region: str, managed_policies: dict[str, str]
) -> dict[str, Any]:
    """The template without the macro: functions, tables and roles in place of `AWS::Serverless::…`.

    `managed_policies`: name -> ARN of AWS's own policies, which functions name under `Policies`. Raises TransformFailed.
    """
    defaults = {name: made["Default"] for name, made in (template.get("Parameters") or {}).items() if "Default" in made}
    session = boto3.session.Session(
        region_name=region,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - nothing is called with them
    )
    translator = Translator(managed_policies, Parser(), boto_session=session)
    try:
        expanded: dict[str, Any] = translator.translate(copy.deepcopy(template), defaults | dict(parameters))
    except InvalidDocumentException as error:
        raise TransformFailed(f"Transform AWS::Serverless-2016-10-31 failed with: {error.message}") from error
    expanded.pop("Transform", None)
    return expanded
