"""Types of further services: streams, registries, certificates, catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cloudlet.emulator.fallback.stacks.api_kinds import Api, ApiKind, Operation

TABLE: Mapping[str, Api] = MappingProxyType(
    {
        "AWS::Kinesis::Stream": Api(
            "kinesis",
            Operation("CreateStream", whole=True),
            "name",
            delete=Operation("DeleteStream", {"StreamName": "id", "EnforceConsumerDeletion": "=true"}),
            name="Name",
            attributes={"Arn": "arn:aws:kinesis:{region}:{account}:stream/{id}"},
            rename={"Name": "StreamName"},
            listing="ListStreams",
        ),
        "AWS::Kinesis::StreamConsumer": Api(
            "kinesis",
            Operation("RegisterStreamConsumer", whole=True),
            "Consumer.ConsumerARN",
            delete=Operation("DeregisterStreamConsumer", {"ConsumerARN": "id"}),
            attributes={"ConsumerARN": "id", "ConsumerName": "ConsumerName", "StreamARN": "StreamARN"},
            replaced_by=("ConsumerName", "StreamARN"),
        ),
        "AWS::KinesisFirehose::DeliveryStream": Api(
            "firehose",
            Operation("CreateDeliveryStream", whole=True),
            "name",
            delete=Operation("DeleteDeliveryStream", {"DeliveryStreamName": "id"}),
            name="DeliveryStreamName",
            attributes={"Arn": "DeliveryStreamARN"},
        ),
        "AWS::ECR::Repository": Api(
            "ecr",
            Operation("CreateRepository", whole=True),
            "name",
            delete=Operation("DeleteRepository", {"repositoryName": "id", "force": "=true"}),
            name="RepositoryName",
            attributes={"Arn": "repository.repositoryArn", "RepositoryUri": "repository.repositoryUri"},
            listing="DescribeRepositories",
        ),
        "AWS::CertificateManager::Certificate": Api(
            "acm",
            Operation("RequestCertificate", whole=True),
            "CertificateArn",
            delete=Operation("DeleteCertificate", {"CertificateArn": "id"}),
            replaced_by=("DomainName", "SubjectAlternativeNames", "ValidationMethod"),
        ),
        "AWS::Glue::Database": Api(
            "glue",
            Operation("CreateDatabase", whole=True),
            "DatabaseInput.Name",
            delete=Operation("DeleteDatabase", {"Name": "id"}),
            update=Operation("UpdateDatabase", {"Name": "id"}, whole=True),
        ),
        "AWS::Glue::Table": Api(
            "glue",
            Operation("CreateTable", whole=True),
            "TableInput.Name",
            delete=Operation("DeleteTable", {"DatabaseName": "DatabaseName", "Name": "id"}),
            update=Operation("UpdateTable", whole=True),
            replaced_by=("DatabaseName",),
        ),
        "AWS::Athena::WorkGroup": Api(
            "athena",
            Operation("CreateWorkGroup", {"Configuration": "WorkGroupConfiguration"}, whole=True),
            "name",
            delete=Operation("DeleteWorkGroup", {"WorkGroup": "id", "RecursiveDeleteOption": "=true"}),
            name="Name",
        ),
        "AWS::OpenSearchService::Domain": Api(
            "opensearch",
            Operation("CreateDomain", whole=True),
            "name",
            delete=Operation("DeleteDomain", {"DomainName": "id"}),
            name="DomainName",
            attributes={
                "Arn": "DomainStatus.ARN",
                "DomainEndpoint": "DomainStatus.Endpoint",
                "Id": "DomainStatus.DomainId",
            },
        ),
        "AWS::ResourceGroups::Group": Api(
            "resource-groups",
            Operation("CreateGroup", whole=True),
            "name",
            delete=Operation("DeleteGroup", {"GroupName": "id"}),
            name="Name",
            attributes={"Arn": "Group.GroupArn"},
        ),
        "AWS::AppConfig::Application": Api(
            "appconfig",
            Operation("CreateApplication", whole=True),
            "$id",
            delete=Operation("DeleteApplication", {"ApplicationId": "id"}),
            update=Operation("UpdateApplication", {"ApplicationId": "id"}, whole=True),
            attributes={"ApplicationId": "id"},
        ),
        "AWS::IoT::Thing": Api(
            "iot",
            Operation("CreateThing", whole=True),
            "name",
            delete=Operation("DeleteThing", {"thingName": "id"}),
            update=Operation("UpdateThing", {"thingName": "id"}, whole=True),
            name="ThingName",
            attributes={"Arn": "thingArn", "Id": "thingId"},
        ),
        "AWS::IoT::Policy": Api(
            "iot",
            Operation("CreatePolicy", whole=True),
            "name",
            delete=Operation("DeletePolicy", {"policyName": "id"}),
            name="PolicyName",
            attributes={"Arn": "policyArn", "Id": "id"},
            replaced_by=("PolicyDocument",),
        ),
    }
)
KINDS: Mapping[str, type[ApiKind]] = MappingProxyType({})
