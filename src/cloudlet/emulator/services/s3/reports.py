"""Configurations of which a bucket has many, each under an id: analytics, intelligent tiering, inventory, metrics."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3 import api
from cloudlet.emulator.services.s3.configurations import delete_config, get_config, put_config
from cloudlet.emulator.services.s3.errors import (
    InvalidArgument,
    InvalidConfigurationId,
    MalformedXML,
    NoSuchConfiguration,
)
from cloudlet.emulator.services.s3.lookup import require_bucket
from cloudlet.emulator.services.s3.records import CONFIGS

PAGE = 100  # configurations on a page of a list


def put_named(call: Call, request: Mapping[str, Any], kind: str, member: str) -> None:
    """Raises MalformedXML where the id in the body is another than that of the URL."""
    bucket = require_bucket(call, request)
    configuration = request.get(member)
    if not configuration:
        raise MalformedXML
    if configuration.get("Id") != request["Id"]:
        raise InvalidConfigurationId
    put_config(call.tx, bucket.name, kind, configuration, request["Id"])


def get_named(call: Call, request: Mapping[str, Any], kind: str, member: str) -> dict[str, Any]:
    """Raises NoSuchConfiguration."""
    bucket = require_bucket(call, request)
    found = get_config(call.tx, bucket.name, kind, request["Id"])
    if found is None:
        raise NoSuchConfiguration
    return {member: found}


def delete_named(call: Call, request: Mapping[str, Any], kind: str) -> None:
    bucket = require_bucket(call, request)
    if not delete_config(call.tx, bucket.name, kind, request["Id"]):
        raise NoSuchConfiguration


def list_named(call: Call, request: Mapping[str, Any], kind: str, member: str) -> dict[str, Any]:
    bucket = require_bucket(call, request)
    token = request.get("ContinuationToken")
    if token == "":
        raise InvalidArgument("The continuation token provided is incorrect", ArgumentName="continuation-token")
    after = None if token is None else (token,)
    found = list(islice(CONFIGS.scan(call.tx, bucket.name, kind, after=after), PAGE + 1))
    result: dict[str, Any] = {"IsTruncated": len(found) > PAGE}
    if found:
        result[member] = [record.value for record in found[:PAGE]]
    if len(found) > PAGE:
        result["NextContinuationToken"] = found[PAGE - 1].id
    return result


@read_write
def put_bucket_intelligent_tiering_configuration(
    call: Call, request: api.PutBucketIntelligentTieringConfigurationRequest
) -> None:
    put_named(call, request, "intelligent_tiering", "IntelligentTieringConfiguration")


@read_only
def get_bucket_intelligent_tiering_configuration(
    call: Call, request: api.GetBucketIntelligentTieringConfigurationRequest
) -> api.GetBucketIntelligentTieringConfigurationOutput:
    return cast(
        api.GetBucketIntelligentTieringConfigurationOutput,
        get_named(call, request, "intelligent_tiering", "IntelligentTieringConfiguration"),
    )


@read_write
def delete_bucket_intelligent_tiering_configuration(
    call: Call, request: api.DeleteBucketIntelligentTieringConfigurationRequest
) -> None:
    delete_named(call, request, "intelligent_tiering")


@read_only
def list_bucket_intelligent_tiering_configurations(
    call: Call, request: api.ListBucketIntelligentTieringConfigurationsRequest
) -> api.ListBucketIntelligentTieringConfigurationsOutput:
    return cast(
        api.ListBucketIntelligentTieringConfigurationsOutput,
        list_named(call, request, "intelligent_tiering", "IntelligentTieringConfigurationList"),
    )


@read_write
def put_bucket_analytics_configuration(call: Call, request: api.PutBucketAnalyticsConfigurationRequest) -> None:
    put_named(call, request, "analytics", "AnalyticsConfiguration")


@read_only
def get_bucket_analytics_configuration(
    call: Call, request: api.GetBucketAnalyticsConfigurationRequest
) -> api.GetBucketAnalyticsConfigurationOutput:
    return cast(
        api.GetBucketAnalyticsConfigurationOutput, get_named(call, request, "analytics", "AnalyticsConfiguration")
    )


@read_write
def delete_bucket_analytics_configuration(call: Call, request: api.DeleteBucketAnalyticsConfigurationRequest) -> None:
    delete_named(call, request, "analytics")


@read_only
def list_bucket_analytics_configurations(
    call: Call, request: api.ListBucketAnalyticsConfigurationsRequest
) -> api.ListBucketAnalyticsConfigurationsOutput:
    return cast(
        api.ListBucketAnalyticsConfigurationsOutput,
        list_named(call, request, "analytics", "AnalyticsConfigurationList"),
    )


@read_write
def put_bucket_inventory_configuration(call: Call, request: api.PutBucketInventoryConfigurationRequest) -> None:
    put_named(call, request, "inventory", "InventoryConfiguration")


@read_only
def get_bucket_inventory_configuration(
    call: Call, request: api.GetBucketInventoryConfigurationRequest
) -> api.GetBucketInventoryConfigurationOutput:
    return cast(
        api.GetBucketInventoryConfigurationOutput, get_named(call, request, "inventory", "InventoryConfiguration")
    )


@read_write
def delete_bucket_inventory_configuration(call: Call, request: api.DeleteBucketInventoryConfigurationRequest) -> None:
    delete_named(call, request, "inventory")


@read_only
def list_bucket_inventory_configurations(
    call: Call, request: api.ListBucketInventoryConfigurationsRequest
) -> api.ListBucketInventoryConfigurationsOutput:
    return cast(
        api.ListBucketInventoryConfigurationsOutput,
        list_named(call, request, "inventory", "InventoryConfigurationList"),
    )


@read_write
def put_bucket_metrics_configuration(call: Call, request: api.PutBucketMetricsConfigurationRequest) -> None:
    put_named(call, request, "metrics", "MetricsConfiguration")


@read_only
def get_bucket_metrics_configuration(
    call: Call, request: api.GetBucketMetricsConfigurationRequest
) -> api.GetBucketMetricsConfigurationOutput:
    return cast(api.GetBucketMetricsConfigurationOutput, get_named(call, request, "metrics", "MetricsConfiguration"))


@read_write
def delete_bucket_metrics_configuration(call: Call, request: api.DeleteBucketMetricsConfigurationRequest) -> None:
    delete_named(call, request, "metrics")


@read_only
def list_bucket_metrics_configurations(
    call: Call, request: api.ListBucketMetricsConfigurationsRequest
) -> api.ListBucketMetricsConfigurationsOutput:
    return cast(
        api.ListBucketMetricsConfigurationsOutput, list_named(call, request, "metrics", "MetricsConfigurationList")
    )
