"""What Prometheus reads at `/metrics`: requests and activations of this process, and what is in the database.

Labels are routes, statuses and result codes, never paths, tokens, addresses or names of people.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from cloudlet.control.db import Database
from cloudlet.control.licenses.tables import License, Plan, Subscription
from cloudlet.control.mail.tables import OutboxMail
from cloudlet.control.platform import Platform
from cloudlet.control.webhooks.tables import WebhookDelivery

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
LICENSE_ROUTES = frozenset({"/v1/license/request", "/v1/license/activate"})


class Metrics:
    """One per application."""

    def __init__(self, database: Database, platform: Platform) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "cloudlet_request_seconds",
            "Time to the answer, by route",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.activations = Counter(
            "cloudlet_activations", "License requests, by result", ("result",), registry=self.registry
        )
        ProcessCollector(registry=self.registry)
        self.registry.register(Stored(database, platform))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        self.requests.labels(method, route, str(status)).observe(seconds)

    def activated(self, result: str) -> None:
        """`result`: ok, or the verdict's code."""
        self.activations.labels(result).inc()

    def render(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self.registry)


class Stored(Collector):
    """Gauges that are read from the database when somebody asks."""

    def __init__(self, database: Database, platform: Platform) -> None:
        self._database = database
        self._platform = platform

    def describe(self) -> Iterator[Metric]:
        """Without this, registering would read the database, which has no tables yet."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        yield from self.pool()
        with self._database.snapshot() as session:
            yield from self.seats(session)
            yield from self.queue(session, "mail", OutboxMail.due_at, OutboxMail.created_at)
            yield from self.queue(session, "webhook", WebhookDelivery.due_at, WebhookDelivery.created_at)

    def pool(self) -> Iterator[Metric]:
        pool = self._database.engine.pool
        family = GaugeMetricFamily("cloudlet_database_connections", "Connections of this process", labels=("state",))
        if isinstance(pool, QueuePool):
            family.add_metric(("used",), pool.checkedout())
            family.add_metric(("idle",), pool.checkedin())
        yield family

    def seats(self, session: Session) -> Iterator[Metric]:
        total = GaugeMetricFamily("cloudlet_seats", "Licenses that there are, by plan", labels=("plan",))
        used = GaugeMetricFamily("cloudlet_seats_assigned", "Licenses that somebody holds, by plan", labels=("plan",))
        rows = session.execute(
            select(Plan.code, func.count(License.id), func.count(License.assigned_membership_id))
            .join(Subscription, Subscription.plan_id == Plan.id)
            .join(License, License.subscription_id == Subscription.id)
            .where(License.status == "ACTIVE", License.expires_at > self._platform.now())
            .group_by(Plan.code)
        ).all()
        for plan, count, assigned in rows:
            total.add_metric((plan,), count)
            used.add_metric((plan,), assigned)
        yield total
        yield used

    def queue(self, session: Session, name: str, due: Any, created: Any) -> Iterator[Metric]:
        count, oldest = session.execute(select(func.count(), func.min(created)).where(due.is_not(None))).one()
        now = self._platform.now()
        age = (now - oldest).total_seconds() if isinstance(oldest, datetime) else 0.0
        yield GaugeMetricFamily(f"cloudlet_{name}_waiting", f"What waits in the {name} queue", value=count)
        yield GaugeMetricFamily(f"cloudlet_{name}_oldest_seconds", "Age of the oldest that waits", value=max(0.0, age))
