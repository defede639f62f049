"""The expressions, placeholders and legacy parameters of a request, judged in AWS's order."""

from __future__ import annotations

import re
from typing import Any, Final

from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.expressions.conditions import Condition, compile_condition
from cloudlet.emulator.services.dynamodb.expressions.legacy import expected_condition
from cloudlet.emulator.services.dynamodb.expressions.projections import (
    Projection,
    compile_projection,
    legacy_projection,
)
from cloudlet.emulator.services.dynamodb.values import Item, Value, measure_value

NAME_KEY: Final = re.compile(r"#[A-Za-z0-9_]+")
VALUE_KEY: Final = re.compile(r":[A-Za-z0-9_]+")


class Placeholders:
    """ExpressionAttributeNames and ExpressionAttributeValues of one request, and which of them were used."""

    __slots__ = ("_used_names", "_used_values", "key", "names", "values")

    def __init__(self, request: dict[str, Any]) -> None:
        self.names: dict[str, str] = request.get("ExpressionAttributeNames") or {}
        self.values: dict[str, Value] = request.get("ExpressionAttributeValues") or {}
        self._used_names: set[str] = set()
        self._used_values: set[str] = set()
        self.key = tuple(self.names.items()) if self.names else ()

    def use(self, names: frozenset[str], values: frozenset[str]) -> None:
        """An expression of the request uses these."""
        self._used_names |= names
        self._used_values |= values

    def refuse_unused(self) -> None:
        """Raise ValidationException for what no expression of the request uses."""
        if len(self._used_names) < len(self.names):
            unused = [name for name in self.names if name not in self._used_names]
            raise ValidationException(
                f"Value provided in ExpressionAttributeNames unused in expressions: keys: {{{', '.join(unused)}}}"
            )
        if len(self._used_values) < len(self.values):
            unused = [name for name in self.values if name not in self._used_values]
            raise ValidationException(
                f"Value provided in ExpressionAttributeValues unused in expressions: keys: {{{', '.join(unused)}}}"
            )


def check_parameters(request: dict[str, Any], expressions: tuple[str, ...], legacy: tuple[str, ...]) -> None:
    """Old and new parameters do not mix, and placeholders need an expression. Raises ValidationException."""
    old = [name for name in legacy if name in request]
    new = [name for name in expressions if name in request]
    if old and new:
        raise ValidationException(
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(old)}}} Expression parameters: {{{', '.join(new)}}}"
        )
    names = request.get("ExpressionAttributeNames")
    values = request.get("ExpressionAttributeValues")
    if names is not None:
        if not new:
            raise ValidationException("ExpressionAttributeNames can only be specified when using expressions")
        check_names(names)
    if values is not None:
        with_values = [name for name in expressions if name != "ProjectionExpression"]
        if not any(name in request for name in with_values):
            verb = "is" if len(with_values) == 1 else "are"
            raise ValidationException(
                "ExpressionAttributeValues can only be specified when using expressions: "
                f"{' and '.join(with_values)} {verb} null"
            )
        check_values(values)


def check_names(names: dict[str, str]) -> None:
    if not names:
        raise ValidationException("ExpressionAttributeNames must not be empty")
    for name, attribute in names.items():
        if not NAME_KEY.fullmatch(name):
            raise ValidationException(f'ExpressionAttributeNames contains invalid key: Syntax error; key: "{name}"')
        if not attribute:
            raise ValidationException(
                f"ExpressionAttributeNames contains invalid value: The attribute name must not be empty; key: {name}"
            )
        if len(attribute) > 255 and len(attribute.encode()) > 65535:
            raise ValidationException(
                "1 validation error detected: Attribute name is too large, must be less than 65536 bytes"
            )


def check_values(values: dict[str, Value]) -> None:
    """Judge the values and bring them into the stored shape."""
    if not values:
        raise ValidationException("ExpressionAttributeValues must not be empty")
    for name in values:
        if not VALUE_KEY.fullmatch(name):
            raise ValidationException(f'ExpressionAttributeValues contains invalid key: Syntax error; key: "{name}"')
    for name, value in values.items():
        try:
            measure_value(value)
        except ValidationException as error:
            raise ValidationException(
                f"ExpressionAttributeValues contains invalid value: {error.message} for key {name}"
            ) from None


class Guard:
    """A condition with the request's values."""

    __slots__ = ("condition", "values")

    def __init__(self, condition: Condition, values: dict[str, Value]) -> None:
        self.condition = condition
        self.values = values

    def allows(self, item: Item) -> bool:
        return self.condition.test(item, self.values)


def condition_of(request: dict[str, Any], placeholders: Placeholders) -> Guard | None:
    """The request's ConditionExpression or Expected."""
    text = request.get("ConditionExpression")
    if text is not None:
        condition = compile_condition("ConditionExpression", text, placeholders.key)
        condition.check(placeholders.values)
        placeholders.use(condition.names_used, condition.values_used)
        return Guard(condition, placeholders.values)
    expected = request.get("Expected")
    operator = request.get("ConditionalOperator")
    if operator is not None:
        check_conditional_operator(expected)
    if expected:
        return Guard(expected_condition(expected, operator or "AND"), {})
    return None


def check_conditional_operator(conditions: dict[str, Any] | None) -> None:
    if not conditions:
        raise ValidationException("ConditionalOperator cannot be used without Filter or Expected")
    if len(conditions) == 1:
        raise ValidationException(
            "ConditionalOperator can only be used when Filter or Expected has two or more elements"
        )


def projection_of(request: dict[str, Any], placeholders: Placeholders) -> Projection | None:
    """The request's ProjectionExpression or AttributesToGet."""
    text = request.get("ProjectionExpression")
    if text is not None:
        projection = compile_projection(text, placeholders.key)
        placeholders.use(projection.names_used, frozenset())
        return projection
    names = request.get("AttributesToGet")
    return None if names is None else legacy_projection(names)
