"""The model's constraints, checked in the words of AWS's front end.

    check = validator(shape, rules)        # None where nothing is to be checked
    check(request)                         # raises ValidationError (or what `rules.missing` says)

    1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater
    than or equal to 3

Paths: members begin with a small letter; an element of a list is `.<position from 1>.member`, a value of a map
`.<key>.member`. The words, the order (pattern, then length) and the paths are those of recorded answers of DynamoDB,
Kinesis, IAM and STS.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError, ValidationError
from cloudlet.emulator.protocol.constraints import Rules
from cloudlet.emulator.protocol.models import Shape

Found = list[tuple[str, str, str]]  # path, value in words, constraint
Check = Callable[[Any, str, Found], None]

QUANTIFIED = re.compile(r"[*+?{|]")
JAVA_CLASSES = (
    (r"\p{Alpha}", "a-zA-Z"),
    (r"\p{Alnum}", "a-zA-Z0-9"),
    (r"\p{Digit}", "0-9"),
    (r"\p{Lower}", "a-z"),
    (r"\p{Upper}", "A-Z"),
    (r"\p{Graph}", "!-~"),
    (r"\p{Print}", " -~"),
    (r"\p{ASCII}", "\\x00-\\x7f"),
    (r"\p{XDigit}", "0-9a-fA-F"),
    (r"\p{Punct}", "!-/:-@\\[-`{-~"),
    (r"\p{Space}", r"\s"),
    (r"\p{IsAlphabetic}", r"\w"),
    (r"\p{IsDigit}", r"\d"),
    (r"\p{L}", r"\w"),
    (r"\p{M}", r"\w"),
    (r"\p{N}", r"\d"),
    (r"\p{Nd}", r"\d"),
    (r"\p{Z}", r"\s"),
    (r"\p{Zs}", r"\s"),
    (r"\p{S}", r"\W"),
    (r"\p{P}", r"\W"),
    (r"\p{LD}", r"\w\d"),
)


@cache
def full_pattern(pattern: str) -> str | None:
    """A model's (Java) pattern for `re.search` over the whole value; None where Python cannot say the same.

    A pattern of one unquantified atom (`\\S`) can only mean "contains".
    """
    flags = ""
    if pattern.startswith("(?") and ")" in pattern and pattern[2 : pattern.index(")")].isalpha():
        flags, pattern = pattern[: pattern.index(")") + 1], pattern[pattern.index(")") + 1 :]
    if r"\p{" in pattern:
        for java, python in JAVA_CLASSES:
            pattern = translated(pattern, java, python)
    text = f"{flags}{pattern}" if not QUANTIFIED.search(pattern) else f"{flags}^(?:{pattern})\\Z"
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return None
    return text


def translated(pattern: str, java: str, python: str) -> str:
    """A Java character class as ranges, bracketed where it stands alone."""
    return re.sub(re.escape(java), lambda found: python if inside(found) else f"[{python}]", pattern)


def inside(found: re.Match[str]) -> bool:
    """Whether a match lies inside a character class."""
    before = found.string[: found.start()].replace("\\\\", "").replace(r"\[", "").replace(r"\]", "")
    return before.rfind("[") > before.rfind("]")


def validator(shape: Shape | None, rules: Rules) -> Callable[[dict[str, Any]], None] | None:
    """A check of whole requests; None where nothing is to be checked."""
    if shape is None or rules.checks_nothing:
        return None
    check = Compiler(rules).structure(shape)
    if check is None:
        return None

    def checked(request: dict[str, Any]) -> None:
        found: Found = []
        check(request, "", found)
        if found:
            raise complaint(found, rules)

    return checked


def complaint(found: Found, rules: Rules) -> AwsError:
    """All violations as one error."""
    absent = [path for path, value, _ in found if value == "null"]
    if absent and rules.missing == "missing-parameter":
        name = absent[0].rpartition(".")[2]
        return MissingParameter(f"The request must contain the parameter {name}.")
    if absent and rules.missing == "invalid-parameter":
        name = absent[0].rpartition(".")[2]
        return UnmodelledError("InvalidParameter", f"Invalid parameter: {name} Reason: no value for required parameter")
    plural = "s" if len(found) > 1 else ""
    listed = "; ".join(
        f"Value {value + ' ' if value else ''}at '{path}' failed to satisfy constraint: {words}"
        for path, value, words in found
    )
    return ValidationError(f"{len(found)} validation error{plural} detected: {listed}")


class MissingParameter(AwsError):
    """A required member is absent, in the words of the query services."""

    code = "MissingRequiredParameterException"
    query_code = "MissingParameter"
    status = 400
    sender_fault = True


class Compiler:
    """Checks of shapes, made once each; a shape without constraints below it has none."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.structures: dict[str, Check | None] = {}
        self.open: set[str] = set()
        self.plain_names = rules.missing in ("missing-parameter", "invalid-parameter")

    def of(self, shape: Shape) -> Check | None:
        if shape.type == "structure":
            return self.structure(shape)
        if shape.type == "list":
            return self.sequence(shape)
        if shape.type == "map":
            return self.mapping(shape)
        return scalar_check(self.constraints(shape), sensitive=bool(shape.traits.get("sensitive")))

    def structure(self, shape: Shape) -> Check | None:
        name = shape.name
        if name in self.structures:
            return self.structures[name]
        if name in self.open:  # recursive: resolve when called

            def later(value: Any, path: str, found: Found) -> None:
                check = self.structures[name]
                if check is not None:
                    check(value, path, found)

            return later
        self.open.add(name)
        required = shape.required if self.rules.missing != "unchecked" else ()
        required = tuple(name for name in required if name not in self.rules.optional)
        members = []
        for member, target in shape.members.items():
            check = None if target.is_document or target.is_event_stream else self.of(target)
            if check is not None or member in required:
                label = member if self.plain_names else member[:1].lower() + member[1:]
                members.append((member, label, member in required, check))
        self.open.discard(name)
        made = structure_check(tuple(members)) if members else None
        self.structures[name] = made
        return made

    def sequence(self, shape: Shape) -> Check | None:
        own = self.constraints(shape)
        element = shape.member
        if element.name in self.rules.free_enums:
            allowed = self.rules.enum_orders.get(element.name) or tuple(element.traits.get("enum", ()))
            words = f"Member must satisfy enum value set: [{', '.join(allowed)}]"
            own = (*own, (lambda values: any(value not in allowed for value in values), words))
        inner = self.of(element)
        if inner is not None and element.type not in ("structure", "list", "map"):
            inner = None
            each = self.constraints(element)
            words = ", ".join(self.element_words(element, [words for _, words in each]))
            own = (*own, (each_satisfies(each), f"Member must satisfy constraint: [{words}]"))
        return sequence_check(own, inner)

    def element_words(self, element: Shape, each: list[str]) -> list[str]:
        found = each[::-1]
        if not self.rules.newer_lists or not {"pattern", "min", "max"} & set(element.traits):
            return [*found, "Member must not be null"]
        if element.type == "string" and element.traits.get("min") == 0 and element.traits.get("max"):
            found.insert(1, "Member must have length greater than or equal to 0")
        return found

    def mapping(self, shape: Shape) -> Check | None:
        own = self.constraints(shape)
        keys = self.constraints(shape.key)
        if keys:
            words = ", ".join(self.element_words(shape.key, [words for _, words in keys]))
            own = (*own, (each_satisfies(keys), f"Map keys must satisfy constraint: [{words}]"))
        values = self.constraints(shape.value)
        if values and self.rules.newer_lists:
            words = ", ".join([*reversed([words for _, words in values]), "Member must not be null"])
            own = (*own, (some_value_breaks(values), f"Map value must satisfy constraint: [{words}]"))
            return mapping_check(own, None)
        return mapping_check(own, self.of(shape.value))

    def constraints(self, shape: Shape) -> tuple[tuple[Callable[[Any], bool], str], ...]:
        """(breaks, words) of a shape's own constraints."""
        traits, rules = shape.traits, self.rules
        found: list[tuple[Callable[[Any], bool], str]] = []
        if shape.type == "string" and rules.enum and traits.get("enum") and shape.name not in rules.free_enums:
            allowed = frozenset(traits["enum"])
            listed = rules.enum_orders.get(shape.name) or traits["enum"]
            found.append((lambda v: v not in allowed, f"Member must satisfy enum value set: [{', '.join(listed)}]"))
        pattern = full_pattern(traits["pattern"]) if shape.type == "string" and "pattern" in traits else None
        if pattern is not None and rules.pattern:
            search = re.compile(pattern).search
            words = f"Member must satisfy regular expression pattern: {traits['pattern']}"
            found.append((lambda v: search(v) is None, words))
        low, high = traits.get("min"), traits.get("max")
        if shape.type in ("integer", "long", "float", "double"):
            if rules.range and low is not None:
                found.append((lambda v: v < low, f"Member must have value greater than or equal to {low}"))
            if rules.range and high is not None:
                found.append((lambda v: v > high, f"Member must have value less than or equal to {high}"))
        elif rules.length and shape.type in ("string", "blob", "list", "map") and not traits.get("streaming"):
            if low:
                found.append((lambda v: len(v) < low, f"Member must have length greater than or equal to {low}"))
            if high is not None:
                found.append((lambda v: len(v) > high, f"Member must have length less than or equal to {high}"))
        return tuple(found)


def scalar_check(
    constraints: tuple[tuple[Callable[[Any], bool], str], ...], *, sensitive: bool = False
) -> Check | None:
    """`sensitive` values are not repeated: "Value at 'plaintext' failed to satisfy …"."""
    if not constraints:
        return None

    def check(value: Any, path: str, found: Found) -> None:
        for breaks, words in constraints:
            if breaks(value):
                found.append((path, "" if sensitive else in_words(value, quoted=True), words))

    return check


def structure_check(members: tuple[tuple[str, str, bool, Check | None], ...]) -> Check:
    def check(value: Any, path: str, found: Found) -> None:
        prefix = path + "." if path else ""
        for member, label, required, inner in members:
            item = value.get(member)
            if item is None:
                if required:
                    found.append((prefix + label, "null", "Member must not be null"))
            elif inner is not None:
                inner(item, prefix + label, found)

    return check


def sequence_check(own: tuple[tuple[Callable[[Any], bool], str], ...], inner: Check | None) -> Check | None:
    if not own and inner is None:
        return None
    check_own = scalar_check(own)

    def check(value: Any, path: str, found: Found) -> None:
        if check_own is not None:
            check_own(value, path, found)
        if inner is not None:
            for position, item in enumerate(value, 1):
                inner(item, f"{path}.{position}.member", found)

    return check


def mapping_check(own: tuple[tuple[Callable[[Any], bool], str], ...], inner: Check | None) -> Check | None:
    if not own and inner is None:
        return None
    check_own = scalar_check(own)

    def check(value: Any, path: str, found: Found) -> None:
        if check_own is not None:
            check_own(value, path, found)
        if inner is not None:
            for key, item in value.items():
                inner(item, f"{path}.{key}.member", found)

    return check


def each_satisfies(constraints: tuple[tuple[Callable[[Any], bool], str], ...]) -> Callable[[Any], bool]:
    return lambda values: any(breaks(value) for value in values for breaks, _ in constraints)


def some_value_breaks(constraints: tuple[tuple[Callable[[Any], bool], str], ...]) -> Callable[[Any], bool]:
    return lambda mapping: any(breaks(value) for value in mapping.values() for breaks, _ in constraints)


def in_words(value: Any, *, quoted: bool = False) -> str:
    """A value as AWS's Java prints it."""
    if isinstance(value, dict):
        text = "{" + ", ".join(f"{key}={in_words(item)}" for key, item in value.items()) + "}"
    elif isinstance(value, list):
        text = "[" + ", ".join(in_words(item) for item in value) + "]"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, bytes):
        text = f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
    else:
        text = str(value)
    return f"'{text}'" if quoted else text
