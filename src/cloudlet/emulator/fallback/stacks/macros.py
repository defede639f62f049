"""Macros: what a template becomes before its resources are looked at.

AWS::LanguageExtensions       `Fn::ForEach` is written out (its other functions are in `intrinsics`)
AWS::Serverless-2016-10-31    AWS's own translator, `fallback.transforms`
AWS::Include                  a part of the template from a bucket
anything else                 the function of an `AWS::CloudFormation::Macro`

Source: CloudFormation User Guide, "Perform custom processing on templates with template macros", "Fn::ForEach".
"""

from __future__ import annotations

import copy
import importlib
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.fallback.stacks.custom import payload_text
from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.intrinsics import Scope
from cloudlet.emulator.fallback.stacks.parameters import Value, text_of
from cloudlet.emulator.fallback.stacks.references import functions, references
from cloudlet.emulator.fallback.stacks.template import Template, parse, transforms_of
from cloudlet.emulator.kernel.errors import AwsError

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.stacks.machine import Machine

SERVERLESS = "AWS::Serverless-2016-10-31"
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
INCLUDE = "AWS::Include"
EVALUATED = frozenset({"Fn::Join", "Fn::Length", "Fn::Select", "Fn::Split", "Fn::ToJsonString"})  # where they can be
NOTHING_TO_DO = ("AWS::CodeDeployBlueGreen", "AWS::SecretsManager-2020-07-23", "AWS::SecretsManager-2024-09-16")


def names(template: Template) -> list[str]:
    """The macros of a template, those inside of it too."""
    found = [name_of(named) for named in transforms_of(template)]

    def look(value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "Fn::Transform":
                    found.extend(name_of(named) for named in (inner if isinstance(inner, list) else [inner]))
                else:
                    look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look({key: value for key, value in template.items() if key != "Transform"})
    return list(dict.fromkeys(found))


def name_of(named: Any) -> str:
    return str(named.get("Name", "")) if isinstance(named, dict) else str(named)


class Expansion:
    """One template being expanded."""

    def __init__(
        self,
        machine: Machine,
        account: str,
        region: str,
        parameters: Mapping[str, Value],
        scope: Callable[[Template], Scope],
    ) -> None:
        self._machine = machine
        self._account = account
        self._region = region
        self._parameters = parameters
        self._scope_of = scope

    def expand(self, template: Template) -> Template:
        """The template without macros. Raises `ValidationError`."""
        made = copy.deepcopy(template)
        transforms = transforms_of(made)
        made.pop("Transform", None)
        self._scope = self._scope_of(made)
        made = self._inside(made)
        for named in transforms:
            name = name_of(named)
            parameters = named.get("Parameters") or {} if isinstance(named, dict) else {}
            made = self._whole(made, name, parameters)
            self._scope = self._scope_of(made)
        return made

    def _whole(self, template: Template, name: str, parameters: dict[str, Any]) -> Template:
        if name == LANGUAGE_EXTENSIONS:
            return Loops(self._scope_of(template)).write_out(template, {})  # type: ignore[no-any-return]
        if name == SERVERLESS:
            return self._serverless(template)
        if name in NOTHING_TO_DO:
            return template
        if name == INCLUDE:
            return self._included(template, parameters)  # type: ignore[no-any-return]
        result = self._run(name, template, parameters)
        if not isinstance(result, dict):
            raise refused(f"Transform {self._account}::{name} failed with: the fragment is not a template.")
        return result

    def _inside(self, value: Any) -> Any:
        """`Fn::Transform` where it stands, innermost first."""
        if isinstance(value, list):
            return [self._inside(inner) for inner in value]
        if not isinstance(value, dict):
            return value
        made = {key: inner if key == "Fn::Transform" else self._inside(inner) for key, inner in value.items()}
        if "Fn::Transform" not in made:
            return made
        named = made.pop("Fn::Transform")
        for one in named if isinstance(named, list) else [named]:
            parameters = self._scope.evaluate(one.get("Parameters") or {}) if isinstance(one, dict) else {}
            name = name_of(one)
            made = self._included(made, parameters) if name == INCLUDE else self._run(name, made, parameters)
        return made

    def _included(self, beside: Any, parameters: dict[str, Any]) -> Any:
        location = str(self._scope.evaluate(parameters.get("Location") or ""))
        part = self._inside(parse_fragment(self._machine.read_url(self._account, self._region, location)))
        return merge(part, beside) if isinstance(beside, dict) and beside else part

    def _serverless(self, template: Template) -> Template:
        machine = self._machine
        module = importlib.import_module("cloudlet.emulator.fallback.transforms")  # lazy: boto3 and AWS's translator
        chosen = {name: value.text for name, value in self._parameters.items()}
        try:
            expanded: Template = module.expand_serverless(
                {**template, "Transform": SERVERLESS}, chosen, self._region, machine.managed_policies(self._account)
            )
        except module.TransformFailed as error:
            raise refused(str(error)) from error
        return expanded

    def _run(self, name: str, fragment: Any, parameters: dict[str, Any]) -> Any:
        function = self._machine.shelf(self._account, self._region).macros.get(name)
        if function is None:
            raise refused(f"No transform named {self._account}::{name} found.")
        transform, request = f"{self._account}::{name}", self._machine.ids.uuid()
        event = {
            "region": self._region,
            "accountId": self._account,
            "fragment": fragment,
            "transformId": transform,
            "params": parameters,
            "requestId": request,
            "templateParameterValues": {key: value.value for key, value in self._parameters.items()},
        }
        try:
            result = self._machine.reach(
                self._account,
                self._region,
                "lambda",
                "Invoke",
                {"FunctionName": function, "InvocationType": "RequestResponse", "Payload": json.dumps(event).encode()},
            )
        except AwsError as error:
            raise refused(f"Transform {transform} failed with: {error.message}.") from error
        text = payload_text(result.get("Payload"))
        if result.get("FunctionError"):
            raise refused(f"Transform {transform} failed with: {text}. Rollback requested by user.")
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or str(answer.get("status", "")).lower() != "success":
            said = answer.get("errorMessage") if isinstance(answer, dict) else None
            raise refused(
                f"Transform {transform} failed with: {said or 'the macro did not succeed'}. Rollback requested by user."
            )
        if answer.get("requestId") != request or "fragment" not in answer:
            raise refused(f"Transform {transform} failed with: the response has another requestId or no fragment.")
        return answer["fragment"]


def parse_fragment(text: str) -> Any:
    return parse(text) if text.strip() else {}


def merge(part: Any, beside: dict[str, Any]) -> Any:
    """An included part and what stands beside it; what stands there wins."""
    if not isinstance(part, dict):
        return part
    made = dict(part)
    for key, value in beside.items():
        both = isinstance(value, dict) and isinstance(made.get(key), dict)
        made[key] = {**made[key], **value} if both else value
    return made


class Loops:
    """Writes out `Fn::ForEach::NAME: [identifier, collection, {key: body}]`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def write_out(self, value: Any, known: dict[str, str]) -> Any:
        if isinstance(value, list):
            return [self.write_out(inner, known) for inner in value]
        if isinstance(value, str):
            return replace(value, known)
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and isinstance(value.get("Ref"), str) and value["Ref"] in known:
            return known[value["Ref"]]
        made: dict[str, Any] = {}
        for key, inner in value.items():
            if key in EVALUATED and len(value) == 1:
                return self._evaluated(key, self.write_out(inner, known))
            if isinstance(key, str) and key.startswith("Fn::ForEach"):
                for name, part in self._loop(key, inner, known).items():
                    if name in made:
                        raise refused(f"Template format error: Fn::ForEach makes the key {name} twice.")
                    made[name] = part
            else:
                made[replace(key, known)] = self.write_out(inner, known)
        return made

    def _evaluated(self, function: str, argument: Any) -> Any:
        """The value of a function of literals; with references inside it stays, for when these are known."""
        value = {function: argument}
        if any(True for _reference in references(value)) or any(name != function for name in functions(argument)):
            return value
        return self._scope.evaluate(value)

    def _loop(self, key: str, argument: Any, known: dict[str, str]) -> dict[str, Any]:
        problem = refused(f"Transform {LANGUAGE_EXTENSIONS} failed with: {key} layout is incorrect.")
        if not isinstance(argument, list) or len(argument) != 3:
            raise problem
        identifier, collection, body = argument
        if not isinstance(identifier, str) or not isinstance(body, dict):
            raise problem
        made: dict[str, Any] = {}
        for item in self._items(self.write_out(collection, known)):
            made |= self.write_out(body, {**known, identifier: item})
        return made

    def _items(self, collection: Any) -> list[str]:
        value = self._scope.evaluate(collection)
        if not isinstance(value, list):
            raise refused(f"Transform {LANGUAGE_EXTENSIONS} failed with: Fn::ForEach needs a list to go through.")
        items: list[str] = []
        for item in value:
            items += map(text_of, item) if isinstance(item, list) else [text_of(item)]
        return items


def replace(text: Any, known: Mapping[str, str]) -> Any:
    """`${X}` is the item, `&{X}` its letters and digits alone."""
    if not isinstance(text, str) or not known or "{" not in text:
        return text
    for name, item in known.items():
        text = text.replace(f"${{{name}}}", item).replace(f"&{{{name}}}", re.sub(r"[^A-Za-z0-9]", "", item))
    return text
