"""CloudWatch: data points in moto's list, everything that is made of them here.

metrics      what data points may be; statistics, ListMetrics
series       data points -> values by period: statistics, percentiles, units
expressions  metric math
alarms       metric alarms and composite alarms: kept, described, set
states       when an alarm changes its state, and why
watch        evaluates alarms, and tells those who want to know
rules        the rules of composite alarms
others       dashboards, metric streams, anomaly detectors
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cloudlet.emulator.fallback.answers import Answer
from cloudlet.emulator.fallback.answers.cloudwatch import alarms, metrics, others

ANSWERS: Mapping[str, Answer] = MappingProxyType({**metrics.ANSWERS, **alarms.ANSWERS, **others.ANSWERS})
