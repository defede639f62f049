"""Which of the model's constraints AWS's front end enforces, service by service.

A model says more than AWS checks before the operation runs, and services word what they check themselves. `Rules` is what
the front end does; the operation does the rest.

`missing`: a required member is absent →
- `validation`: part of the ValidationException list, `Value null at 'x' failed to satisfy constraint: Member must not be null`;
- `missing-parameter`: `MissingParameter`, "The request must contain the parameter X.", one member at a time;
- `invalid-parameter`: SNS's `InvalidParameter`, "Invalid parameter: X Reason: no value for required parameter";
- `unchecked`: the operation sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

NO_ORDERS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class Rules(msgspec.Struct, frozen=True):
    """What the front end of a service checks. `optional`: required members that may be absent all the same.

    `free_enums`: shapes whose enumeration the operation checks itself, except in lists. `newer_lists`: what it says of elements of lists
    names lengths of at least 0, and of texts not that they must not be null. `enum_orders`: shapes whose values are listed in
    another order than the model's.
    """

    missing: Literal["validation", "missing-parameter", "invalid-parameter", "unchecked"] = "validation"
    length: bool = True
    range: bool = True
    pattern: bool = True
    enum: bool = True
    optional: frozenset[str] = frozenset()
    free_enums: frozenset[str] = frozenset()
    newer_lists: bool = False
    enum_orders: Mapping[str, tuple[str, ...]] = NO_ORDERS

    @property
    def checks_nothing(self) -> bool:
        return self.missing == "unchecked" and not (self.length or self.range or self.pattern or self.enum)


ALL = Rules()
NOTHING = Rules("unchecked", length=False, range=False, pattern=False, enum=False)
ONLY_MISSING = Rules("missing-parameter", length=False, range=False, pattern=False, enum=False)

BY_PROTOCOL = MappingProxyType(
    {
        # The query services that share RDS's front end check presence only and word the rest themselves.
        "query": ONLY_MISSING,
        "ec2": ONLY_MISSING,
        # Route 53, CloudFront and S3 Control answer their own errors (InvalidInput, InvalidArgument, …).
        "rest-xml": Rules(pattern=False, enum=False),
    }
)

# with which functions may still be made, in the order in which AWS's errors list them
LAMBDA_RUNTIMES = tuple(
    """nodejs20.x python3.14 provided.al2023 python3.12 python3.13 nodejs24.x nodejs22.x java25 python3.10 python3.11 java21
    ruby3.3 ruby3.4 ruby3.2 python3.8 python3.9 java17 nodejs16.x dotnet10 dotnet8 java11 dotnet6 nodejs18.x provided.al2
    java8.al2""".split()
)

BY_SERVICE = MappingProxyType(
    {
        # S3 has no such front end: every malformed member has an error of its own (InvalidBucketName, InvalidArgument, …).
        "s3": NOTHING,
        # Route 53 and CloudFront answer InvalidInput, InvalidArgument, … from the operation.
        "cloudfront": NOTHING,
        "route53": NOTHING,
        # SQS answers MissingParameter and InvalidParameterValue in words of its own; a request over the query protocol
        # may name the queue by the path it is sent to.
        "sqs": msgspec.structs.replace(ONLY_MISSING, optional=frozenset({"QueueUrl"})),
        # SNS answers InvalidParameter in words of its own.
        "sns": Rules("invalid-parameter", length=False, range=False, pattern=False, enum=False),
        # These query services have the front end that JSON services have (code ValidationError).
        "sts": ALL,
        "iam": ALL,
        "cloudformation": ALL,
        "autoscaling": ALL,
        "cloudwatch": ALL,
        "elasticbeanstalk": ALL,
        # DynamoDB checks ranges, lengths, enumerations and presence first, but names of tables in its own words
        # ("Invalid table/index name. …"), and the model's TableName pattern is older than ARNs as table names.
        "dynamodb": Rules(pattern=False),
        # Lambda answers InvalidParameterValueException for a runtime, with those that may still be used.
        "lambda": Rules(
            free_enums=frozenset({"Runtime"}),
            newer_lists=True,
            enum_orders=MappingProxyType(
                {
                    "EventSourcePosition": ("LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"),
                    "InvokeMode": ("RESPONSE_STREAM", "BUFFERED"),
                    "RecursiveLoop": ("Terminate", "Allow"),
                    "Runtime": LAMBDA_RUNTIMES,
                }
            ),
        ),
    }
)


def rules_of(service: str, protocol: str) -> Rules:
    """The rules of a service; `protocol` is the first one of its model."""
    return BY_SERVICE.get(service) or BY_PROTOCOL.get(protocol, ALL)
