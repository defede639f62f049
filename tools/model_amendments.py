"""What AWS serves and botocore's models do not say. Each amendment names its reason and its source.

`wireNameInQuery` is a trait of ours: a member's name in the query protocol where the model was written for JSON.
"""

from __future__ import annotations

from typing import Any

# Clients older than botocore 1.31.81 and aws-sdk-* of 2023 speak the query protocol to SQS, and AWS still answers.
# Source: Amazon SQS API Reference, "Making Query API requests" and the examples of each action.
SQS_LISTS = {
    "AWSAccountIdList": "AWSAccountId",
    "ActionNameList": "ActionName",
    "AttributeNameList": "AttributeName",
    "BatchResultErrorEntryList": "BatchResultErrorEntry",
    "BinaryList": "BinaryListValue",
    "ChangeMessageVisibilityBatchRequestEntryList": "ChangeMessageVisibilityBatchRequestEntry",
    "ChangeMessageVisibilityBatchResultEntryList": "ChangeMessageVisibilityBatchResultEntry",
    "DeleteMessageBatchRequestEntryList": "DeleteMessageBatchRequestEntry",
    "DeleteMessageBatchResultEntryList": "DeleteMessageBatchResultEntry",
    "ListMessageMoveTasksResultEntryList": "ListMessageMoveTasksResultEntry",
    "MessageAttributeNameList": "MessageAttributeName",
    "MessageList": "Message",
    "MessageSystemAttributeList": "MessageSystemAttributeName",
    "QueueUrlList": "QueueUrl",
    "SendMessageBatchRequestEntryList": "SendMessageBatchRequestEntry",
    "SendMessageBatchResultEntryList": "SendMessageBatchResultEntry",
    "StringList": "StringListValue",
    "TagKeyList": "TagKey",
}
SQS_MAPS = {
    "MessageBodyAttributeMap": ("MessageAttribute", "Name", "Value"),
    "MessageBodySystemAttributeMap": ("MessageSystemAttribute", "Name", "Value"),
    "MessageSystemAttributeMap": ("Attribute", "Name", "Value"),
    "QueueAttributeMap": ("Attribute", "Name", "Value"),
    "TagMap": ("Tag", "Key", "Value"),
}

# The names of S3's answers; botocore ignores a root's name, so its model has none.
# Source: Amazon S3 API Reference, "Response Syntax" of each operation, and recorded answers.
S3_ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CopyObject": "CopyObjectResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CreateSession": "CreateSessionResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycle": "LifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotification": "NotificationConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectLegalHold": "LegalHold",
    "GetObjectRetention": "Retention",
    "GetObjectTagging": "Tagging",
    "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationResult",
    "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
    "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListParts": "ListPartsResult",
    "UploadPartCopy": "CopyPartResult",
}
# The order in which AWS's front end names the values of an enumeration, where it is not the model's.
# Source: recorded answers to requests with a wrong value.
ENUM_ORDERS = {
    ("events", "ApiDestinationHttpMethod"): ["HEAD", "POST", "PATCH", "DELETE", "PUT", "GET", "OPTIONS"],
}
S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def amend(name: str, model: dict[str, Any]) -> None:
    """Change the model of service `name` in place."""
    if name == "sqs":
        amend_sqs(model)
    if name == "s3":
        amend_s3(model)
    if model["metadata"]["protocol"] == "rest-xml":
        amend_namespace(model)
    for (service, shape), order in ENUM_ORDERS.items():
        if service == name:
            model["shapes"][shape]["enum"] = order


def amend_sqs(model: dict[str, Any]) -> None:
    shapes = model["shapes"]
    for shape, wire_name in SQS_LISTS.items():
        shapes[shape]["member"]["wireNameInQuery"] = wire_name
    for shape, (_, key, value) in SQS_MAPS.items():
        shapes[shape]["key"]["wireNameInQuery"] = key
        shapes[shape]["value"]["wireNameInQuery"] = value
    for described in shapes.values():
        for member in described.get("members", {}).values():
            if member["shape"] in SQS_MAPS:
                member["wireNameInQuery"] = SQS_MAPS[member["shape"]][0]
    for operation, described in model["operations"].items():
        if "output" in described:
            described["output"]["resultWrapper"] = f"{operation}Result"
    model["metadata"]["protocols"] = ["json", "query"]
    model["metadata"]["xmlNamespace"] = "http://queue.amazonaws.com/doc/2012-11-05/"


def amend_s3(model: dict[str, Any]) -> None:
    for operation, root in S3_ROOTS.items():
        model["operations"][operation]["output"]["xmlRoot"] = root
    # GetBucketLocation answers <LocationConstraint>eu-west-1</LocationConstraint>: the root is the member.
    model["operations"]["GetBucketLocation"]["output"]["bareMember"] = "LocationConstraint"
    model["metadata"]["xmlNamespace"] = S3_NAMESPACE


def amend_namespace(model: dict[str, Any]) -> None:
    """The namespace of rest-xml answers is in botocore's model on requests only."""
    for described in model["operations"].values():
        space = described.get("input", {}).get("xmlNamespace")
        if space:
            model["metadata"].setdefault("xmlNamespace", space["uri"])
