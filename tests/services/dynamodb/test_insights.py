"""Contributor Insights: the setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_insights_are_switched_on_and_off(dynamodb: Any, make_table: Callable[..., str]) -> None:
    name = make_table()
    before = dynamodb.describe_contributor_insights(TableName=name)
    assert before["ContributorInsightsStatus"] == "DISABLED"
    answer = dynamodb.update_contributor_insights(TableName=name, ContributorInsightsAction="ENABLE")
    assert answer["ContributorInsightsStatus"] == "ENABLING"
    on = dynamodb.describe_contributor_insights(TableName=name)
    assert on["ContributorInsightsStatus"] == "ENABLED"
    assert len(on["ContributorInsightsRuleList"]) == 2
    listed = dynamodb.list_contributor_insights(TableName=name)["ContributorInsightsSummaries"]
    assert [entry["ContributorInsightsStatus"] for entry in listed] == ["ENABLED"]
    dynamodb.update_contributor_insights(TableName=name, ContributorInsightsAction="DISABLE")
    assert dynamodb.describe_contributor_insights(TableName=name)["ContributorInsightsStatus"] == "DISABLED"
