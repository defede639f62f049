"""Filter criteria of event source mappings: EventBridge's patterns, and plain strings for data that is no JSON.

Source: "Control which events Lambda sends to your function", "Properly filtering SQS messages".
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from cloudlet.emulator.eventing.patterns import Pattern, matches, parse_pattern

DATA = ("body", "data")


@lru_cache(maxsize=1024)
def read_pattern(text: str) -> Pattern:
    """Raises PatternError, or ValueError for what is no JSON."""
    given = json.loads(text)
    if isinstance(given, dict):
        for name in DATA:
            if isinstance(given.get(name), str):  # plain text, which the data has to be
                given[name] = [given[name]]
                text = json.dumps(given)
    return parse_pattern(text)


def passes_pattern(text: str, view: Any) -> bool:
    return matches(read_pattern(text), view)
