"""CloudFormation's resources of native services.

A `Kind` makes, changes and deletes one type by the service's API. What it creates are `Resource`s, plain data that is
stored with the stack. Properties are CloudFormation's ("Template reference: AWS resource and property types"); most have
the name of the API's member, the rest is in each kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from cloudlet.emulator.fallback.bucket_properties import bucket_setting, cors_rule, encryption_rule
from cloudlet.emulator.fallback.property_values import document, tags, text, typed
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

Call = Callable[[str, dict[str, Any]], Any]
GONE = frozenset(
    {
        "NoSuchBucket",
        "QueueDoesNotExist",
        "NotFound",
        "NotFoundException",
        "ResourceNotFoundException",
        "NoSuchBucketPolicy",
    }
)


class Resource:
    """A created resource. `identifier` is what the API calls it by, `physical_resource_id` what `Ref` gives."""

    def __init__(self, kind: Kind, identifier: str, reference: str, attributes: dict[str, str]) -> None:
        self.kind = kind
        self.identifier = identifier
        self.physical_resource_id = reference
        self.attributes = attributes
        self.properties: dict[str, Any] = {}


class Kind(ABC):
    """One type of resource. Subclasses say how the API creates, changes and deletes it."""

    type = ""
    name_property = ""
    service = ""
    replaced_by: frozenset[str] = frozenset()  # properties whose change makes a new resource

    def __init__(self, invoke: Callable[[str, str, str, str, dict[str, Any]], Any]) -> None:
        self._invoke = invoke

    def caller(self, account: str, region: str) -> Call:
        return lambda operation, request: self._invoke(account, region, self.service, operation, request)

    def remove(self, call: Call, resource: Resource) -> None:
        """Delete it; what is gone already is fine."""
        try:
            self.delete(call, resource)
        except AwsError as error:
            if error.code not in GONE:
                raise

    # --- what a kind says

    @abstractmethod
    def create(self, call: Call, name: str, properties: dict[str, Any], account: str, region: str) -> Resource:
        """Raises AwsError."""

    @abstractmethod
    def change(self, call: Call, resource: Resource, properties: dict[str, Any]) -> None:
        """To these properties; `resource.properties` are those before. Raises AwsError."""

    @abstractmethod
    def delete(self, call: Call, resource: Resource) -> None:
        """Raises AwsError, also where it is gone already."""


# property of the bucket -> (operation, member of the request)
BUCKET_SETTINGS = (
    ("VersioningConfiguration", "PutBucketVersioning", "VersioningConfiguration"),
    ("PublicAccessBlockConfiguration", "PutPublicAccessBlock", "PublicAccessBlockConfiguration"),
    ("OwnershipControls", "PutBucketOwnershipControls", "OwnershipControls"),
    ("AccelerateConfiguration", "PutBucketAccelerateConfiguration", "AccelerateConfiguration"),
    ("LifecycleConfiguration", "PutBucketLifecycleConfiguration", "LifecycleConfiguration"),
    ("LoggingConfiguration", "PutBucketLogging", "BucketLoggingStatus"),
    ("NotificationConfiguration", "PutBucketNotificationConfiguration", "NotificationConfiguration"),
    ("ObjectLockConfiguration", "PutObjectLockConfiguration", "ObjectLockConfiguration"),
)


class Bucket(Kind):
    type = "AWS::S3::Bucket"
    name_property = "BucketName"
    service = "s3"
    replaced_by = frozenset({"BucketName"})

    def create(self, call: Call, name: str, properties: dict[str, Any], account: str, region: str) -> Resource:
        if exists(call, name):
            raise UnmodelledError("BucketAlreadyExists", f"{name} already exists", 409)
        request: dict[str, Any] = {"Bucket": name}
        if region != "us-east-1":
            request["CreateBucketConfiguration"] = {"LocationConstraint": region}
        if properties.get("ObjectLockEnabled"):
            request["ObjectLockEnabledForBucket"] = True
        call("CreateBucket", request)
        attributes = {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
        }
        resource = Resource(self, name, name, attributes)
        try:
            self.change(call, resource, properties)
        except AwsError:
            self.delete(call, resource)
            raise
        return resource

    def change(self, call: Call, resource: Resource, properties: dict[str, Any]) -> None:
        bucket = resource.identifier
        for name, operation, member in BUCKET_SETTINGS:
            if name in properties and properties[name] != resource.properties.get(name):
                call(operation, {"Bucket": bucket, member: bucket_setting(name, properties[name])})
        if resource.properties.get("VersioningConfiguration") and "VersioningConfiguration" not in properties:
            call("PutBucketVersioning", {"Bucket": bucket, "VersioningConfiguration": {"Status": "Suspended"}})
        if "BucketEncryption" in properties:
            rules = [
                encryption_rule(rule) for rule in properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            ]
            call("PutBucketEncryption", {"Bucket": bucket, "ServerSideEncryptionConfiguration": {"Rules": rules}})
        if "CorsConfiguration" in properties:
            rules = [cors_rule(rule) for rule in properties["CorsConfiguration"]["CorsRules"]]
            call("PutBucketCors", {"Bucket": bucket, "CORSConfiguration": {"CORSRules": rules}})
        if "WebsiteConfiguration" in properties:
            website = properties["WebsiteConfiguration"]
            configuration = {}
            if "IndexDocument" in website:
                configuration["IndexDocument"] = {"Suffix": website["IndexDocument"]}
            if "ErrorDocument" in website:
                configuration["ErrorDocument"] = {"Key": website["ErrorDocument"]}
            call("PutBucketWebsite", {"Bucket": bucket, "WebsiteConfiguration": configuration})
        if "Tags" in properties:
            call("PutBucketTagging", {"Bucket": bucket, "Tagging": {"TagSet": tags(properties)}})
        elif resource.properties.get("Tags"):
            call("DeleteBucketTagging", {"Bucket": bucket})

    def delete(self, call: Call, resource: Resource) -> None:
        call("DeleteBucket", {"Bucket": resource.identifier})


def exists(call: Call, bucket: str) -> bool:
    """S3 itself lets its owner make a bucket again in us-east-1; CloudFormation does not."""
    try:
        call("HeadBucket", {"Bucket": bucket})
    except AwsError as error:
        return error.status != 404
    return True


class BucketPolicy(Kind):
    type = "AWS::S3::BucketPolicy"
    service = "s3"
    replaced_by = frozenset({"Bucket"})

    def create(self, call: Call, name: str, properties: dict[str, Any], account: str, region: str) -> Resource:
        resource = Resource(self, properties["Bucket"], properties["Bucket"], {})
        self.change(call, resource, properties)
        return resource

    def change(self, call: Call, resource: Resource, properties: dict[str, Any]) -> None:
        call("PutBucketPolicy", {"Bucket": resource.identifier, "Policy": document(properties["PolicyDocument"])})

    def delete(self, call: Call, resource: Resource) -> None:
        call("DeleteBucketPolicy", {"Bucket": resource.identifier})


class Queue(Kind):
    type = "AWS::SQS::Queue"
    name_property = "QueueName"
    service = "sqs"
    replaced_by = frozenset({"QueueName", "FifoQueue"})

    def create(self, call: Call, name: str, properties: dict[str, Any], account: str, region: str) -> Resource:
        if text(properties.get("FifoQueue", False)) == "true" and not name.endswith(".fifo"):
            name += ".fifo"
        request: dict[str, Any] = {"QueueName": name, "Attributes": self._settings(properties)}
        if properties.get("Tags"):
            request["tags"] = {tag["Key"]: tag["Value"] for tag in tags(properties)}
        url = call("CreateQueue", request)["QueueUrl"]
        arn = f"arn:aws:sqs:{region}:{account}:{name}"
        return Resource(self, url, url, {"Arn": arn, "QueueName": name, "QueueUrl": url})

    def _settings(self, properties: dict[str, Any]) -> dict[str, str]:
        return {
            name: text(value)
            for name, value in properties.items()
            if name not in ("QueueName", "Tags") and not (name == "FifoQueue" and text(value) == "false")
        }

    def change(self, call: Call, resource: Resource, properties: dict[str, Any]) -> None:
        settings = self._settings(properties)
        settings.pop("FifoQueue", None)
        if settings:
            call("SetQueueAttributes", {"QueueUrl": resource.identifier, "Attributes": settings})

    def delete(self, call: Call, resource: Resource) -> None:
        call("DeleteQueue", {"QueueUrl": resource.identifier})


class QueuePolicy(Kind):
    type = "AWS::SQS::QueuePolicy"
    service = "sqs"

    def create(self, call: Call, name: str, properties: dict[str, Any], account: str, region: str) -> Resource:
        resource = Resource(self, name, name, {"Id": name})
        self.change(call, resource, properties)
        return resource

    def change(self, call: Call, resource: Resource, properties: dict[str, Any]) -> None:
        policy = document(properties["PolicyDocument"])
        for url in properties["Queues"]:
            call("SetQueueAttributes", {"QueueUrl": url, "Attributes": {"Policy": policy}})

    def delete(self, call: Call, resource: Resource) -> None:
        for url in resource.properties.get("Queues", ()):
            call("SetQueueAttributes", {"QueueUrl": url, "Attributes": {"Policy": ""}})


class Topic(Kind):
    type = "AWS::SNS::Topic"
    name_property = "TopicName"
    service = "sns"
    replaced_by = frozenset({"TopicName", "FifoTopic"})
    settings = ("DisplayName", "KmsMasterKeyId", "ContentBasedDeduplication", "ArchivePolicy", "SignatureVersion")

    def create(self, call: Call, name: str, properties: dict[str, Any], account: str, region: str) -> Resource:
        attributes = {name: text(properties[name]) for name in self.settings if name in properties}
        if text(properties.get("FifoTopic", False)) == "true":
            attributes["FifoTopic"] = "true"
            name = name if name.endswith(".fifo") else name + ".fifo"
        request: dict[str, Any] = {"Name": name, "Attributes": attributes}
        if properties.get("Tags"):
            request["Tags"] = tags(properties)
        arn = call("CreateTopic", request)["TopicArn"]
        for entry in properties.get("Subscription", ()):
            call("Subscribe", {"TopicArn": arn, "Protocol": entry["Protocol"], "Endpoint": entry["Endpoint"]})
        return Resource(self, arn, arn, {"TopicArn": arn, "TopicName": name})

    def change(self, call: Call, resource: Resource, properties: dict[str, Any]) -> None:
        for name in self.settings:
            if name in properties and properties[name] != resource.properties.get(name):
                value = text(properties[name])
                request = {"TopicArn": resource.identifier, "AttributeName": name, "AttributeValue": value}
                call("SetTopicAttributes", request)

    def delete(self, call: Call, resource: Resource) -> None:
        call("DeleteTopic", {"TopicArn": resource.identifier})


class TopicPolicy(Kind):
    type = "AWS::SNS::TopicPolicy"
    service = "sns"

    def create(self, call: Call, name: str, properties: dict[str, Any], account: str, region: str) -> Resource:
        resource = Resource(self, name, name, {"Id": name})
        self.change(call, resource, properties)
        return resource

    def change(self, call: Call, resource: Resource, properties: dict[str, Any]) -> None:
        policy = document(properties["PolicyDocument"])
        for arn in properties["Topics"]:
            call("SetTopicAttributes", {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": policy})

    def delete(self, call: Call, resource: Resource) -> None:
        """The topic's default policy comes back with nothing to do: topics go with their stacks."""


class Subscription(Kind):
    type = "AWS::SNS::Subscription"
    service = "sns"
    replaced_by = frozenset({"TopicArn", "Protocol", "Endpoint"})
    settings = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "DeliveryPolicy")

    def create(self, call: Call, name: str, properties: dict[str, Any], account: str, region: str) -> Resource:
        attributes = {name: text(properties[name]) for name in self.settings if name in properties}
        request: dict[str, Any] = {"Attributes": attributes, "ReturnSubscriptionArn": True}
        request |= {name: properties[name] for name in ("TopicArn", "Protocol", "Endpoint") if name in properties}
        arn = call("Subscribe", request)["SubscriptionArn"]
        return Resource(self, arn, arn, {"Arn": arn})

    def change(self, call: Call, resource: Resource, properties: dict[str, Any]) -> None:
        for name in self.settings:
            if properties.get(name) != resource.properties.get(name):
                value = text(properties[name]) if name in properties else ""
                request = {"SubscriptionArn": resource.identifier, "AttributeName": name, "AttributeValue": value}
                call("SetSubscriptionAttributes", request)

    def delete(self, call: Call, resource: Resource) -> None:
        call("Unsubscribe", {"SubscriptionArn": resource.identifier})


TABLE_MEMBERS = (
    "AttributeDefinitions",
    "KeySchema",
    "LocalSecondaryIndexes",
    "GlobalSecondaryIndexes",
    "BillingMode",
    "ProvisionedThroughput",
    "TableClass",
    "DeletionProtectionEnabled",
)


class DynamoTable(Kind):
    type = "AWS::DynamoDB::Table"
    name_property = "TableName"
    service = "dynamodb"
    replaced_by = frozenset({"TableName", "KeySchema", "LocalSecondaryIndexes"})

    def create(self, call: Call, name: str, properties: dict[str, Any], account: str, region: str) -> Resource:
        request = {"TableName": name, **{key: typed(properties[key]) for key in TABLE_MEMBERS if key in properties}}
        stream = properties.get("StreamSpecification")
        if stream:
            request["StreamSpecification"] = {"StreamEnabled": True, **stream}
        if properties.get("Tags"):
            request["Tags"] = tags(properties)
        table = call("CreateTable", request)["TableDescription"]
        attributes = {"Arn": table["TableArn"]}
        if "LatestStreamArn" in table:
            attributes["StreamArn"] = table["LatestStreamArn"]
        resource = Resource(self, name, name, attributes)
        self._expiry(call, resource, properties)
        return resource

    def change(self, call: Call, resource: Resource, properties: dict[str, Any]) -> None:
        for request in self._changes(resource.properties, properties):
            call("UpdateTable", {"TableName": resource.identifier, **request})
        self._expiry(call, resource, properties)

    def _changes(self, before: dict[str, Any], after: dict[str, Any]) -> Iterator[dict[str, Any]]:
        changed: dict[str, Any] = {
            name: typed(after[name])
            for name in ("BillingMode", "ProvisionedThroughput", "TableClass", "DeletionProtectionEnabled")
            if name in after and after[name] != before.get(name)
        }
        if changed:
            yield changed
        old = {index["IndexName"] for index in before.get("GlobalSecondaryIndexes", ())}
        new = {index["IndexName"]: index for index in after.get("GlobalSecondaryIndexes", ())}
        for name in sorted(old - set(new)):
            yield {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]}
        for name in sorted(set(new) - old):
            definitions = after["AttributeDefinitions"]
            yield {
                "AttributeDefinitions": definitions,
                "GlobalSecondaryIndexUpdates": [{"Create": typed(new[name])}],
            }

    def _expiry(self, call: Call, resource: Resource, properties: dict[str, Any]) -> None:
        wanted = properties.get("TimeToLiveSpecification")
        if wanted and wanted != resource.properties.get("TimeToLiveSpecification"):
            call("UpdateTimeToLive", {"TableName": resource.identifier, "TimeToLiveSpecification": typed(wanted)})

    def delete(self, call: Call, resource: Resource) -> None:
        call("DeleteTable", {"TableName": resource.identifier})


KINDS: tuple[type[Kind], ...] = (
    Bucket,
    BucketPolicy,
    Queue,
    QueuePolicy,
    Topic,
    TopicPolicy,
    Subscription,
    DynamoTable,
)
