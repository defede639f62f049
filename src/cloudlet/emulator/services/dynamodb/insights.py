"""Contributor Insights: the setting of each table and index. No rules are evaluated."""

from __future__ import annotations

from typing import Any, cast

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.dynamodb.api import (
    DescribeContributorInsightsInput,
    DescribeContributorInsightsOutput,
    ListContributorInsightsInput,
    ListContributorInsightsOutput,
    UpdateContributorInsightsInput,
    UpdateContributorInsightsOutput,
)
from cloudlet.emulator.services.dynamodb.catalog import find_index, find_table
from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.records import TABLES, InsightRecord, TableRecord
from cloudlet.emulator.services.dynamodb.tables import not_found

RULES = ("PKC", "PKT")
RANGE_RULES = ("SKC", "SKT")
DEFAULT_MODE = "ACCESSED_AND_THROTTLED_KEYS"


def insight_of(table: TableRecord, index: str) -> InsightRecord | None:
    return next((insight for insight in table.insights if insight.index == index), None)


def target(call: Call, name: str, index: str | None) -> TableRecord:
    """The table; the index is one of its own."""
    table = find_table(call, name, not_found(call, name))
    if index is not None:
        find_index(table, index)
    return table


@read_write
def update_contributor_insights(call: Call, request: UpdateContributorInsightsInput) -> UpdateContributorInsightsOutput:
    index = request.get("IndexName")
    table = target(call, request["TableName"], index)
    before = insight_of(table, index or "")
    enabled = request["ContributorInsightsAction"] == "ENABLE"
    if not enabled and (before is None or not before.enabled):
        raise ValidationException("Contributor Insights is already disabled")
    mode = request.get("ContributorInsightsMode") or (before.mode if before else DEFAULT_MODE)
    insight = InsightRecord(index or "", enabled, mode, call.now)
    others = tuple(other for other in table.insights if other.index != insight.index)
    TABLES.put(call.tx, replace(table, insights=(*others, insight)))
    status = "ENABLING" if enabled else "DISABLING"
    result = {"TableName": table.name, "ContributorInsightsStatus": status, "ContributorInsightsMode": mode}
    if index is not None:
        result["IndexName"] = index
    return cast(UpdateContributorInsightsOutput, result)


@read_only
def describe_contributor_insights(
    call: Call, request: DescribeContributorInsightsInput
) -> DescribeContributorInsightsOutput:
    index = request.get("IndexName")
    table = target(call, request["TableName"], index)
    insight = insight_of(table, index or "")
    result: dict[str, Any] = {"TableName": table.name, "ContributorInsightsStatus": "DISABLED"}
    if index is not None:
        result["IndexName"] = index
    if insight is not None:
        result["LastUpdateDateTime"] = insight.changed
        result["ContributorInsightsMode"] = insight.mode
        if insight.enabled:
            result["ContributorInsightsStatus"] = "ENABLED"
            result["ContributorInsightsRuleList"] = rules(table, index, insight)
    return cast(DescribeContributorInsightsOutput, result)


def rules(table: TableRecord, index: str | None, insight: InsightRecord) -> list[str]:
    """The names of the CloudWatch rules that AWS makes."""
    schema = table if index is None else find_index(table, index)
    kinds = RULES if schema.range_name is None else RULES + RANGE_RULES
    subject = table.name if index is None else f"{table.name}-{index}"
    return [f"DynamoDBContributorInsights-{kind}-{subject}-{int(insight.changed * 1000)}" for kind in kinds]


@read_only
def list_contributor_insights(call: Call, request: ListContributorInsightsInput) -> ListContributorInsightsOutput:
    name = request.get("TableName")
    if name is not None:
        tables = [find_table(call, name, not_found(call, name))]
    else:
        tables = list(TABLES.scan(call.tx, call.account_id, call.region))
    summaries = []
    for table in tables:
        for insight in table.insights:
            entry = {
                "TableName": table.name,
                "ContributorInsightsStatus": "ENABLED" if insight.enabled else "DISABLED",
                "ContributorInsightsMode": insight.mode,
            }
            if insight.index:
                entry["IndexName"] = insight.index
            summaries.append(entry)
    return cast(ListContributorInsightsOutput, {"ContributorInsightsSummaries": summaries})
