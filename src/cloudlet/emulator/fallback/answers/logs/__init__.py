"""CloudWatch Logs: patterns, filters that deliver, metrics from events, queries, around moto's groups and streams.

groups     groups and streams, by name or ARN
events     events in, events that match out
patterns   filter patterns: terms, JSON, columns
filters    metric filters and subscription filters, and what they do with new events
insights   queries of Logs Insights
language   what they are written in
definitions    saved queries
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cloudlet.emulator.fallback.answers import ANY, Answer
from cloudlet.emulator.fallback.answers.logs import definitions, events, filters, groups, insights

ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        ANY: groups.by_name,
        **groups.ANSWERS,
        **events.ANSWERS,
        **filters.ANSWERS,
        **insights.ANSWERS,
        **definitions.ANSWERS,
    }
)
