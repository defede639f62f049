"""Route 53 Resolver: endpoints that are being created at first, and the DNS firewall, which moto does not have.

endpoints    endpoints, rules, query logs
firewall     domain lists, rule groups, rules, associations: kept, not applied
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cloudlet.emulator.fallback.answers import Answer
from cloudlet.emulator.fallback.answers.route53resolver import endpoints, firewall

ANSWERS: Mapping[str, Answer] = MappingProxyType({**endpoints.ANSWERS, **firewall.ANSWERS})
