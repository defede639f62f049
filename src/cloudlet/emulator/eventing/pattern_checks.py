"""Is a text an event pattern? In AWS's words, first mistake first.

    check_pattern(text)        # raises PatternError, whose message follows "Event pattern is not valid. Reason: "

Source of the words: the recorded answers of PutRule, and Event Ruler, the library with which EventBridge matches.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.eventing.tokens import PatternError, Token, Tokens

OR = "$or"
RESERVED_INSIDE_OR = frozenset(
    {"exactly", "prefix", "suffix", "equals-ignore-case", "numeric", "anything-but", "exists", "cidr", "wildcard"}
)
SCALARS = frozenset({"text", "number", "true", "false", "null"})
LARGEST_NUMBER = 5e9
MOST_DEPTH = 100
ONE_KEY = "Only one key allowed in match expression"
TOO_MANY = "Too many elements in numeric expression"
AFFIX = "prefix/suffix match pattern must be a string"
NOT_A_TEXT = MappingProxyType(
    {
        "prefix": AFFIX,
        "suffix": AFFIX,
        "wildcard": "wildcard match pattern must be a string",
        "equals-ignore-case": "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
    }
)


def check_pattern(text: str) -> None:
    """Raises PatternError."""
    tokens = Tokens(text)
    if tokens.take().kind != "{":
        raise tokens.fail("Filter is not an object")
    check_object(tokens, within_or=False)


def check_object(tokens: Tokens, *, within_or: bool) -> None:
    if tokens.depth > MOST_DEPTH:
        raise tokens.fail(f"Event pattern is nested too deeply, more than {MOST_DEPTH} levels")
    empty = True
    while (token := tokens.take()).kind != "}":
        empty = False
        name = token.value
        if name == OR:
            check_or(tokens)
            continue
        if within_or and name in RESERVED_INSIDE_OR:
            raise tokens.fail(f"{name} is Ruler reserved fieldName which cannot be used inside {OR}.")
        kind = tokens.take().kind
        if kind == "{":
            check_object(tokens, within_or=within_or)
        elif kind == "[":
            check_values(tokens)
        else:
            raise tokens.fail(f'"{name}" must be an object or an array')
    if empty:
        raise tokens.fail("Empty objects are not allowed")


def check_or(tokens: Tokens) -> None:
    if tokens.take().kind != "[":
        raise tokens.fail(f"It must be an Array followed with {OR}.")
    count = 0
    while (token := tokens.take()).kind != "]":
        count += 1
        if token.kind != "{":
            raise tokens.fail(f"Only JSON object is allowed in array of {OR} relationship.")
        check_object(tokens, within_or=True)
    if count < 2:
        raise tokens.fail(f"There must have at least 2 Objects in {OR} relationship.")


def check_values(tokens: Tokens) -> None:
    """The list behind a field's name."""
    empty = True
    while (token := tokens.take()).kind != "]":
        empty = False
        if token.kind == "{":
            check_expression(tokens)
        elif token.kind not in SCALARS:
            raise tokens.fail("Match value must be String, number, true, false, or null")
    if empty:
        raise tokens.fail("Empty arrays are not allowed")


def check_expression(tokens: Tokens) -> None:
    """One `{"prefix": "x"}`; its brace is read."""
    token = tokens.take()
    if token.kind != "name":
        raise tokens.fail("Match expression name not found")
    name = token.value
    if name in ("prefix", "suffix"):
        check_affix(tokens, name)
    elif name == "numeric":
        if tokens.take().kind != "[":
            raise tokens.fail("Value of numeric must be an array.")
        check_numeric(tokens)
        close(tokens, TOO_MANY)
        return
    elif name == "anything-but":
        check_anything_but(tokens)
        return
    elif name == "exists":
        if tokens.take().kind not in ("true", "false"):
            raise tokens.fail("exists match pattern must be either true or false.")
    elif name == "cidr":
        check_network(expect_text(tokens, "prefix match pattern must be a string"))
    elif name == "exactly":
        expect_text(tokens, "exact match pattern must be a string")
    elif name == "equals-ignore-case":
        expect_text(tokens, "equals-ignore-case match pattern must be a string")
    elif name == "wildcard":
        check_wildcard(tokens, expect_text(tokens, "wildcard match pattern must be a string"))
    else:
        raise tokens.fail(f"Unrecognized match type {name}")
    close(tokens)


def close(tokens: Tokens, message: str = ONE_KEY) -> None:
    if tokens.take().kind != "}":
        raise tokens.fail(message)


def expect_text(tokens: Tokens, message: str) -> str:
    token = tokens.take()
    if token.kind != "text":
        raise tokens.fail(message)
    tokens.read()
    return str(token.value)


def check_affix(tokens: Tokens, name: str) -> None:
    """A prefix or suffix: a text, or `{"equals-ignore-case": "x"}`."""
    token = tokens.take()
    if token.kind == "{":
        inner = tokens.take()
        if inner.kind != "name":
            raise tokens.fail(f"{name.capitalize()} expression name not found")
        if inner.value != "equals-ignore-case":
            raise tokens.fail(f"Unsupported {name} pattern: {inner.value}")
        expect_text(tokens, "equals-ignore-case match pattern must be a string")
        close(tokens)
    elif token.kind != "text":
        raise tokens.fail(f"{name} match pattern must be a string")


def check_numeric(tokens: Tokens) -> None:
    """`[">", 0, "<=", 5]`; the bracket is read."""
    first = tokens.take()
    if first.kind != "text":
        raise tokens.fail(f"Invalid member in numeric match: {shown(first)}")
    operator = first.value
    token = tokens.take()
    if operator not in ("=", ">=", ">", "<=", "<"):
        raise tokens.fail(f"Unrecognized numeric range operator: {operator}")
    if token.kind != "number":
        raise tokens.fail(f"Value of {'equals' if operator == '=' else operator} must be numeric")
    bottom = check_number(tokens, token.value)
    token = tokens.take()
    if token.kind == "]":
        return
    if operator not in (">", ">="):
        raise tokens.fail(TOO_MANY)
    if token.kind != "text":
        raise tokens.fail(f"Bad value in numeric range: {shown(token)}")
    tokens.read()
    if token.value not in ("<", "<="):
        raise tokens.fail(f"Bad numeric range operator: {token.value}")
    top = tokens.take()
    if top.kind != "number":
        raise tokens.fail(f"Value of {token.value} must be numeric")
    value = check_number(tokens, top.value)
    if tokens.take().kind != "]":
        raise tokens.fail("Too many terms in numeric range expression")
    if bottom >= value:
        raise tokens.fail("Bottom must be less than top")


def check_number(tokens: Tokens, value: float) -> float:
    if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise tokens.fail(
            f"Value must be between {-LARGEST_NUMBER:.1E} and {LARGEST_NUMBER:.1E}, inclusive".replace("E+0", "E")
        )
    return value


def check_anything_but(tokens: Tokens) -> None:
    """A text, a number, a list of one of them, or an operator over texts."""
    operator = ""
    token = tokens.take()
    if token.kind == "{":
        name = tokens.take()
        if name.kind != "name":
            raise tokens.fail("Anything-But expression name not found")
        operator = name.value
        if operator not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            raise tokens.fail(f"Unsupported anything-but pattern: {operator}")
        token = tokens.take()
    if token.kind not in ("[", "text", "number"):
        raise tokens.fail("Value of anything-but must be an array or single string/number value.")
    if token.kind == "[":
        with twice(tokens):
            values = take_list(tokens, operator)
        for value in values if operator == "wildcard" else ():
            check_wildcard(tokens, value)
        if not operator and len({isinstance(value, str) for value in values}) != 1:
            raise tokens.fail(
                "Inside anything but list, either all values are number or string, mixed type is not supported"
            )
    elif operator:
        check_operand(tokens, operator, token)
        if operator == "wildcard":
            check_wildcard(tokens, token.value)
    close(tokens, TOO_MANY)
    if operator:
        close(tokens, TOO_MANY)


@contextmanager
def twice(tokens: Tokens) -> Iterator[None]:
    """AWS catches what its parser says inside a list and says it again, with the place once more."""
    try:
        yield
    except PatternError as error:
        raise tokens.fail(str(error)) from error


def take_list(tokens: Tokens, operator: str) -> list[Any]:
    """The values in a list."""
    values = []
    while (element := tokens.take()).kind != "]":
        if operator:
            check_operand(tokens, operator, element)
        elif element.kind not in ("text", "number"):
            raise tokens.fail("Inside anything but list, start|null|boolean is not supported.")
        values.append(element.value)
    return values


def check_operand(tokens: Tokens, operator: str, token: Token) -> None:
    if token.kind != "text":
        raise tokens.fail(NOT_A_TEXT[operator])
    tokens.read()
    if operator in ("prefix", "suffix") and not token.value:
        raise tokens.fail("Null prefix/suffix not allowed")


def check_wildcard(tokens: Tokens, text: str) -> None:
    """Raises PatternError for two stars in a row and for a backslash before anything but a star or a backslash."""
    at = 0
    star_before = False
    while at < len(text):
        if text[at] == "\\":
            if text[at + 1 : at + 2] not in ("*", "\\"):
                raise tokens.fail(f"Invalid escape character at pos {at + 1}")
            at += 1
            star_before = False
        else:
            if text[at] == "*" and star_before:
                raise tokens.fail(f"Consecutive wildcard characters at pos {at}")
            star_before = text[at] == "*"
        at += 1


def check_network(text: str) -> None:
    address, *masks = text.split("/")
    if len(masks) != 1:
        raise PatternError("Malformed CIDR, one '/' required")
    if not masks[0].isdigit():
        raise PatternError("Malformed CIDR, mask bits must be an integer")
    try:
        found = ip_address(address)
    except ValueError:
        raise PatternError(f"Nonstandard IP address: {address}") from None
    if int(masks[0]) >= found.max_prefixlen:
        most = "< 32" if found.version == 4 else "< 128"
        raise PatternError(f"{'Malformed CIDR, m' if found.version == 4 else 'IPv6 m'}ask bits must be {most}")


def shown(token: Token) -> str:
    """As Jackson gives the text of a token."""
    value: Any = token.kind if token.value is None else token.value
    return str(value).lower() if isinstance(value, bool) else str(value)
