"""Finds the REST operation of a method and a path: a tree of path segments, built per signing name at first use.

    /2015-03-31/functions/{FunctionName}/aliases/{Name}        literal and {label} segments
    /tags/{resourceArn+}                                       a greedy label takes the rest, slashes included
    /v2/apis?mode=import                                       a literal in the query must be there to match

Where several templates match, a literal beats a label, a label beats a greedy one, and a required query literal beats
none: the order in which AWS's own front ends decide.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class RestOperation(NamedTuple):
    """One operation as the model describes it."""

    service: str
    operation: str
    method: str
    path: str
    required: tuple[tuple[str, str | None], ...] = ()  # query literals; None is any value


class Target(NamedTuple):
    """What a matched template leads to. `required` are the query literals that have to be present."""

    service: str
    operation: str
    required: tuple[tuple[str, str | None], ...]
    ends_with_slash: bool


class Wanted(NamedTuple):
    """What is looked for."""

    method: str
    params: dict[str, str]
    ends_with_slash: bool


class Node:
    """The templates that share the segments up to here."""

    __slots__ = ("greedy", "label", "literals", "targets")

    def __init__(self) -> None:
        self.literals: dict[str, Node] = {}
        self.label: Node | None = None
        self.greedy: Node | None = None
        self.targets: dict[str, list[Target]] = {}


class RestRoutes:
    """The tree of all REST operations that share a signing name."""

    __slots__ = ("_root",)

    def __init__(self, operations: Iterable[RestOperation]) -> None:
        self._root = Node()
        for operation in operations:
            self._add(operation)

    def _add(self, operation: RestOperation) -> None:
        node = self._root
        for segment in operation.path.strip("/").split("/"):
            if segment.startswith("{") and segment.endswith("+}"):
                node.greedy = node = node.greedy or Node()
            elif segment.startswith("{") and segment.endswith("}"):
                node.label = node = node.label or Node()
            else:
                node = node.literals.setdefault(segment, Node())
        targets = node.targets.setdefault(operation.method, [])
        targets.append(Target(operation.service, operation.operation, operation.required, operation.path.endswith("/")))
        targets.sort(key=lambda target: -len(target.required))

    def match(self, method: str, path: str, params: dict[str, str]) -> Target | None:
        """The operation for a raw path and its decoded query parameters, or None."""
        segments = path.strip("/").split("/")
        return search(self._root, segments, 0, Wanted(method, params, path.endswith("/")))


def search(node: Node, segments: list[str], position: int, wanted: Wanted) -> Target | None:
    if position == len(segments):
        return choose(node.targets.get(wanted.method, ()), wanted)
    segment = segments[position]
    literal = node.literals.get(segment)
    if literal is not None:
        found = search(literal, segments, position + 1, wanted)
        if found is not None:
            return found
    if node.label is not None and segment:
        found = search(node.label, segments, position + 1, wanted)
        if found is not None:
            return found
    if node.greedy is not None:
        # Templates may go on after a greedy label (`/{Resource+}/tags`): give it as much as leaves a match.
        for end in range(len(segments), position, -1):
            found = search(node.greedy, segments, end, wanted)
            if found is not None:
                return found
    return None


def choose(targets: Iterable[Target], wanted: Wanted) -> Target | None:
    """The first whose query literals are there; one that ends like the path (with a slash or not) before the others."""
    params = wanted.params
    fitting = [
        target
        for target in targets
        if all(name in params and (value is None or params[name] == value) for name, value in target.required)
    ]
    for target in fitting:
        if target.ends_with_slash == wanted.ends_with_slash and len(target.required) == len(fitting[0].required):
            return target
    return fitting[0] if fitting else None
