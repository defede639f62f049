"""JSONata in `{% … %}`: evaluated by jsonata-python, with the functions that Step Functions adds.

Source: Step Functions Developer Guide, "Transforming data with JSONata in Step Functions".
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.services.stepfunctions.asl.intrinsics import ALGORITHMS

EXPRESSION = re.compile(r"\{%(.*)%\}", re.DOTALL)
MOST_MILLISECONDS = 1000  # of one expression; nothing else runs meanwhile
MOST_DEPTH = 300
UNSUPPORTED = "returned an unsupported type."


class Undefined(Exception):
    """The expression has no value."""


class Broken(Exception):
    """The expression is wrong; the message is JSONata's."""


class Sources(NamedTuple):
    """What is not in the expression. `now` is seconds since the epoch."""

    now: float
    uuid: Callable[[], str]
    random: Callable[[], float]


def is_expression(text: object) -> bool:
    return isinstance(text, str) and EXPRESSION.fullmatch(text) is not None


def inner(text: str) -> str:
    match = EXPRESSION.fullmatch(text)
    return (match[1] if match else text).strip()


def parsed(expression: str) -> Any:
    """Made anew for each evaluation, because its time limit runs from here. Raises Broken."""
    library = importlib.import_module("jsonata")  # lazy: costs 25 ms that machines in JSONPath do not need
    try:
        return library.Jsonata(expression, timeout=MOST_MILLISECONDS, stack=MOST_DEPTH)
    except RuntimeError as error:  # JException is one
        raise Broken(sentence(error)) from None


def syntax_problem(expression: str) -> str | None:
    """What is wrong with the text of an expression."""
    try:
        parsed(expression)
    except Broken as error:
        return str(error)
    return None


def evaluate(expression: str, bindings: Mapping[str, Any], sources: Sources) -> Any:
    """The value of an expression (without its braces). Raises Undefined, Broken."""
    query = parsed(expression)
    query.output_convert_nulls = False
    null = importlib.import_module("jsonata.utils").Utils.NULL_VALUE  # lazy: see `parsed`
    given = {name: null if value is None else value for name, value in bindings.items()}
    frame = {**functions(sources), **given}
    try:
        value = query.evaluate(None, frame)
    except RecursionError:
        raise Broken("Stack overflow error: Check for non-terminating recursive function.") from None
    except (RuntimeError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
        raise Broken(sentence(error)) from None
    if value is None:
        raise Undefined(expression)
    return plain(value)


def sentence(error: Exception) -> str:
    """JSONata's code and message."""
    code = getattr(error, "error", None)
    return f"{code}: {error}" if code else str(error)


def plain(value: Any) -> Any:
    """JSON's types. Raises Broken for a function. Whole floats become integers, as JavaScript writes them."""
    if type(value).__name__ == "NullValue" or value is None:
        return None
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(item) for item in value]
    if isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    raise Broken(UNSUPPORTED)


def functions(sources: Sources) -> dict[str, Any]:
    """What Step Functions has beside JSONata's own functions, and those that need the emulator's clock."""

    def partition(items: list[Any], size: float) -> list[Any]:
        return [items[at : at + int(size)] for at in range(0, len(items), int(size))]

    def range_of(first: float, last: float, step: float) -> Any:
        if step == 0:
            raise ValueError("the step of $range is 0")
        found = [first + step * at for at in range(max(int((last - first) // step) + 1, 0))]
        return found[0] if len(found) == 1 else found  # JSONata's sequences of one are the one

    def hash_of(text: str, algorithm: str) -> str:
        if algorithm not in ALGORITHMS:
            raise ValueError(f"{algorithm} is no algorithm of $hash")
        return hashlib.new(ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()

    def random_of(seed: float | None = None) -> float:
        return sources.random() if seed is None else Ids(int(seed)).random()

    def parse(text: str) -> Any:
        return json.loads(text)

    def now(picture: str | None = None, timezone: str | None = None) -> Any:
        return dates.datetime_from_millis(int(sources.now * 1000), picture, timezone)

    library = importlib.import_module("jsonata.jsonata").Jsonata  # lazy: see `parsed`
    dates = importlib.import_module("jsonata.functions").Functions  # lazy: see `parsed`
    return {
        "partition": library.JLambda(partition),
        "range": library.JLambda(range_of),
        "hash": library.JLambda(hash_of),
        "random": library.JLambda(random_of),
        "uuid": library.JLambda(sources.uuid),
        "parse": library.JLambda(parse),
        "now": library.JLambda(now),
        "eval": None,  # Step Functions has none
        "millis": library.JLambda(lambda: int(sources.now * 1000)),
    }
