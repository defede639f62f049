"""URI templates: `/{Bucket}/{Key+}?acl`, matched against raw paths."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

LABEL = re.compile(r"\{([^}+]+)(\+?)\}")


def template_pattern(template: str, last: str = "[^/]+") -> re.Pattern[str]:
    """A pattern with one group a label, in order; `last` is what the last plain label may be."""
    path = template.partition("?")[0]
    if path != "/":
        path = path.rstrip("/")
    found = list(LABEL.finditer(path))
    parts = []
    position = 0
    for label in found:
        parts.append(re.escape(path[position : label.start()]))
        parts.append("(.+)" if label.group(2) else f"({last if label is found[-1] else '[^/]+'})")
        position = label.end()
    parts.append(re.escape(path[position:]))
    greedy = bool(found) and bool(found[-1].group(2)) and position == len(path)
    return re.compile("".join(parts) + ("" if greedy else "/?") + r"\Z", re.DOTALL)


class UriTemplate:
    """The labels of one operation's path."""

    def __init__(self, template: str) -> None:
        self.labels = tuple(label.group(1) for label in LABEL.finditer(template.partition("?")[0]))
        self._match = template_pattern(template).match
        # ARNs in paths come with and without their slashes escaped.
        self._match_loosely = template_pattern(template, ".+").match

    def match(self, path: str) -> tuple[str, ...] | None:
        """The labels' decoded values; None for another path."""
        found = self._match(path) or self._match_loosely(path)
        if found is None:
            return None
        return tuple(unquote(text) if "%" in text else text for text in found.groups())


class HostTemplate:
    """The labels of an operation's host prefix: `{AccountId}.`."""

    def __init__(self, template: str) -> None:
        self.labels = tuple(label.group(1) for label in LABEL.finditer(template))
        parts = []
        position = 0
        for label in LABEL.finditer(template):
            parts += [re.escape(template[position : label.start()]), "([^.]+)"]
            position = label.end()
        parts.append(re.escape(template[position:]))
        self.match: Callable[[str], re.Match[str] | None] = re.compile("".join(parts), re.IGNORECASE).match
