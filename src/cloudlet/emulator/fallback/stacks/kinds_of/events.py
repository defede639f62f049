"""EventBridge, its scheduler and pipes, Step Functions, CloudWatch alarms and logs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.stacks.api_kinds import Api, ApiKind, Operation, members_of
from cloudlet.emulator.fallback.stacks.kinds import Wanted
from cloudlet.emulator.fallback.stacks.parameters import text_of
from cloudlet.emulator.fallback.stacks.records import StackResource


class Rule(ApiKind):
    """Its targets come and go with it."""

    def finish(self, wanted: Wanted, resource: StackResource, before: Mapping[str, Any] | None) -> None:
        name, bus = resource.physical_id.rpartition("|")[2], wanted.properties.get("EventBusName") or "default"
        targets = wanted.properties.get("Targets") or []
        if targets:
            shape = wanted.machine.model("events").operation("PutTargets").input
            made = self.put_targets(wanted, shape, {"Rule": name, "EventBusName": bus, "Targets": targets})
            wanted.reach("events", "PutTargets", made)
        old = {target["Id"] for target in (before or {}).get("Targets") or []}
        gone = sorted(old - {target["Id"] for target in targets})
        if gone:
            wanted.reach("events", "RemoveTargets", {"Rule": name, "EventBusName": bus, "Ids": gone})

    def put_targets(self, wanted: Wanted, shape: Any, request: dict[str, Any]) -> dict[str, Any]:
        return dict(members_of(shape, request))

    def delete(self, wanted: Wanted, resource: StackResource) -> None:
        name = resource.physical_id.rpartition("|")[2]
        bus = resource.properties.get("EventBusName") or "default"
        targets = [target["Id"] for target in resource.properties.get("Targets") or []]
        if targets:
            wanted.reach("events", "RemoveTargets", {"Rule": name, "EventBusName": bus, "Ids": targets})
        wanted.reach("events", "DeleteRule", {"Name": name, "EventBusName": bus})


class StateMachine(ApiKind):
    """The definition is a text, an object or a document in a bucket, with substitutions."""

    def for_create(self, wanted: Wanted, name: str) -> dict[str, Any]:
        return {**super().for_create(wanted, name), "Definition": self._definition(wanted)}

    def for_update(self, wanted: Wanted) -> dict[str, Any]:
        return {**super().for_update(wanted), "Definition": self._definition(wanted)}

    def _definition(self, wanted: Wanted) -> str:
        properties = wanted.properties
        place = properties.get("DefinitionS3Location")
        if properties.get("DefinitionString"):
            text = str(properties["DefinitionString"])
        elif place:
            url = f"s3://{place['Bucket']}/{place['Key']}"
            text = wanted.machine.read_url(wanted.stack.account, wanted.stack.region, url)
        else:
            text = json.dumps(properties.get("Definition") or {})
        for name, value in (properties.get("DefinitionSubstitutions") or {}).items():
            text = text.replace(f"${{{name}}}", text_of(value))
        return text


class LogGroup(ApiKind):
    def finish(self, wanted: Wanted, resource: StackResource, before: Mapping[str, Any] | None) -> None:
        days, old = wanted.properties.get("RetentionInDays"), (before or {}).get("RetentionInDays")
        request: dict[str, Any] = {"logGroupName": resource.physical_id}
        if days is not None and days != old:
            wanted.reach("logs", "PutRetentionPolicy", {**request, "retentionInDays": int(days)})
        elif days is None and old is not None:
            wanted.reach("logs", "DeleteRetentionPolicy", request)


def alarm(create: str) -> Api:
    put = Operation(create, {"AlarmName": "name"}, whole=True)
    return Api(
        "cloudwatch",
        put,
        "name",
        delete=Operation("DeleteAlarms", {"AlarmNames": "id"}),
        update=Operation(create, {"AlarmName": "id"}, whole=True),
        name="AlarmName",
        attributes={"Arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{id}"},
    )


TABLE: Mapping[str, Api] = MappingProxyType(
    {
        "AWS::CloudWatch::Alarm": alarm("PutMetricAlarm"),
        "AWS::CloudWatch::CompositeAlarm": alarm("PutCompositeAlarm"),
        "AWS::CloudWatch::Dashboard": Api(
            "cloudwatch",
            Operation("PutDashboard", whole=True),
            "name",
            delete=Operation("DeleteDashboards", {"DashboardNames": "id"}),
            update=Operation("PutDashboard", {"DashboardName": "id"}, whole=True),
            name="DashboardName",
        ),
        "AWS::Events::Rule": Api(
            "events",
            Operation("PutRule", whole=True),
            "name",
            update=Operation("PutRule", {"Name": "id"}, whole=True),
            name="Name",
            attributes={"Arn": "RuleArn"},
            rename={"Targets": ""},
            replaced_by=("EventBusName",),
        ),
        "AWS::Events::EventBus": Api(
            "events",
            Operation("CreateEventBus", whole=True),
            "name",
            delete=Operation("DeleteEventBus", {"Name": "id"}),
            name="Name",
            attributes={"Arn": "EventBusArn", "Name": "id", "Policy": "Policy"},
        ),
        "AWS::Events::EventBusPolicy": Api(
            "events",
            Operation("PutPermission", {"Policy": "Statement"}, whole=True),
            "StatementId",
            delete=Operation("RemovePermission", {"StatementId": "id"}),
            update=Operation("PutPermission", whole=True),
            replaced_by=("EventBusName", "StatementId"),
        ),
        "AWS::Events::Archive": Api(
            "events",
            Operation("CreateArchive", {"EventSourceArn": "SourceArn"}, whole=True),
            "name",
            delete=Operation("DeleteArchive", {"ArchiveName": "id"}),
            update=Operation("UpdateArchive", {"ArchiveName": "id"}, whole=True),
            name="ArchiveName",
            attributes={"Arn": "ArchiveArn", "ArchiveName": "id"},
            replaced_by=("SourceArn",),
        ),
        "AWS::Events::Connection": Api(
            "events",
            Operation("CreateConnection", whole=True),
            "name",
            delete=Operation("DeleteConnection", {"Name": "id"}),
            update=Operation("UpdateConnection", {"Name": "id"}, whole=True),
            name="Name",
            attributes={"Arn": "ConnectionArn", "SecretArn": "SecretArn"},
        ),
        "AWS::Events::ApiDestination": Api(
            "events",
            Operation("CreateApiDestination", whole=True),
            "name",
            delete=Operation("DeleteApiDestination", {"Name": "id"}),
            update=Operation("UpdateApiDestination", {"Name": "id"}, whole=True),
            name="Name",
            attributes={"Arn": "ApiDestinationArn"},
        ),
        "AWS::Scheduler::Schedule": Api(
            "scheduler",
            Operation("CreateSchedule", whole=True),
            "name",
            delete=Operation("DeleteSchedule", {"Name": "id"}),
            update=Operation("UpdateSchedule", {"Name": "id"}, whole=True),
            name="Name",
            attributes={"Arn": "ScheduleArn"},
            replaced_by=("GroupName",),
        ),
        "AWS::Scheduler::ScheduleGroup": Api(
            "scheduler",
            Operation("CreateScheduleGroup", whole=True),
            "name",
            delete=Operation("DeleteScheduleGroup", {"Name": "id"}),
            name="Name",
            attributes={"Arn": "ScheduleGroupArn"},
        ),
        "AWS::Pipes::Pipe": Api(
            "pipes",
            Operation("CreatePipe", whole=True),
            "name",
            delete=Operation("DeletePipe", {"Name": "id"}),
            update=Operation("UpdatePipe", {"Name": "id"}, whole=True),
            name="Name",
            attributes={"Arn": "Arn"},
            replaced_by=("Source",),
        ),
        "AWS::StepFunctions::StateMachine": Api(
            "stepfunctions",
            Operation("CreateStateMachine", whole=True),
            "stateMachineArn",
            delete=Operation("DeleteStateMachine", {"stateMachineArn": "id"}),
            update=Operation("UpdateStateMachine", {"stateMachineArn": "id"}, whole=True),
            read=Operation("DescribeStateMachine", {"stateMachineArn": "id"}),
            name="StateMachineName",
            attributes={"Arn": "id", "Name": "$name"},
            rename={"StateMachineName": "name", "StateMachineType": "type"},
            replaced_by=("StateMachineType",),
            tag=("TagResource", "resourceArn"),
            listing="ListStateMachines",
        ),
        "AWS::StepFunctions::StateMachineVersion": Api(
            "stepfunctions",
            Operation("PublishStateMachineVersion", {"stateMachineArn": "StateMachineArn"}, whole=True),
            "stateMachineVersionArn",
            delete=Operation("DeleteStateMachineVersion", {"stateMachineVersionArn": "id"}),
            attributes={"Arn": "id"},
            rename={"StateMachineRevisionId": "revisionId"},
            replaced_by=("StateMachineArn", "StateMachineRevisionId", "Description"),
        ),
        "AWS::StepFunctions::StateMachineAlias": Api(
            "stepfunctions",
            Operation("CreateStateMachineAlias", whole=True),
            "stateMachineAliasArn",
            delete=Operation("DeleteStateMachineAlias", {"stateMachineAliasArn": "id"}),
            update=Operation("UpdateStateMachineAlias", {"stateMachineAliasArn": "id"}, whole=True),
            name="Name",
            attributes={"Arn": "id"},
        ),
        "AWS::StepFunctions::Activity": Api(
            "stepfunctions",
            Operation("CreateActivity", whole=True),
            "activityArn",
            delete=Operation("DeleteActivity", {"activityArn": "id"}),
            name="Name",
            attributes={"Arn": "id", "Name": "$name"},
        ),
        "AWS::Logs::LogGroup": Api(
            "logs",
            Operation("CreateLogGroup", whole=True),
            "name",
            delete=Operation("DeleteLogGroup", {"logGroupName": "id"}),
            name="LogGroupName",
            attributes={"Arn": "arn:aws:logs:{region}:{account}:log-group:{id}:*"},
            listing="DescribeLogGroups",
        ),
        "AWS::Logs::LogStream": Api(
            "logs",
            Operation("CreateLogStream", whole=True),
            "name",
            delete=Operation("DeleteLogStream", {"logGroupName": "LogGroupName", "logStreamName": "id"}),
            name="LogStreamName",
            replaced_by=("LogGroupName",),
        ),
        "AWS::Logs::SubscriptionFilter": Api(
            "logs",
            Operation("PutSubscriptionFilter", whole=True),
            "name",
            delete=Operation("DeleteSubscriptionFilter", {"logGroupName": "LogGroupName", "filterName": "id"}),
            update=Operation("PutSubscriptionFilter", {"filterName": "id"}, whole=True),
            name="FilterName",
            replaced_by=("LogGroupName",),
        ),
        "AWS::Logs::MetricFilter": Api(
            "logs",
            Operation("PutMetricFilter", whole=True),
            "name",
            delete=Operation("DeleteMetricFilter", {"logGroupName": "LogGroupName", "filterName": "id"}),
            update=Operation("PutMetricFilter", {"filterName": "id"}, whole=True),
            name="FilterName",
            replaced_by=("LogGroupName",),
        ),
        "AWS::Logs::ResourcePolicy": Api(
            "logs",
            Operation("PutResourcePolicy", whole=True),
            "PolicyName",
            delete=Operation("DeleteResourcePolicy", {"policyName": "id"}),
            update=Operation("PutResourcePolicy", whole=True),
            replaced_by=("PolicyName",),
        ),
    }
)
KINDS: Mapping[str, type[ApiKind]] = MappingProxyType(
    {
        "AWS::Events::Rule": Rule,
        "AWS::Logs::LogGroup": LogGroup,
        "AWS::StepFunctions::StateMachine": StateMachine,
    }
)
