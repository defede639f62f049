"""Variables that LocalStack knows and Cloudlet does not act on: which of them are set, and what to do instead.

The emulator starts all the same, and its log has one warning for each. Variables that Cloudlet acts on are the fields
of `settings.Settings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Foreign(NamedTuple):
    """`names`: variables, or beginnings of variables (`LAMBDA_LIMITS_*`). `remark`: what it means that one is set."""

    names: tuple[str, ...]
    remark: str


SILENT = (
    "LOCALSTACK_ACKNOWLEDGE_ACCOUNT_REQUIREMENT",
    "DISABLE_EVENTS",
    "SKIP_SSL_CERT_DOWNLOAD",
    "PROVIDER_OVERRIDE_*",
    "MAIN_CONTAINER_NAME",
    "DOCKER_HOST",
    "DOCKER_SOCK",
    "LAMBDA_DOCKER_FLAGS",  # this and the next three: labels that Testcontainers wants on containers
    "ECS_DOCKER_FLAGS",
    "EC2_DOCKER_FLAGS",
    "BATCH_DOCKER_FLAGS",
    "LOCALSTACK_CLIENT_NAME",
    "LOCALSTACK_CLIENT_VERSION",
)

FOREIGN = (
    # --- there is another one
    Foreign(("EDGE_PORT", "EDGE_PORT_HTTP", "EDGE_BIND_HOST"), "use GATEWAY_LISTEN=host:port"),
    Foreign(("HOSTNAME_EXTERNAL", "LOCALSTACK_HOSTNAME"), "use LOCALSTACK_HOST=host:port"),
    Foreign(("DATA_DIR",), "use PERSISTENCE=1; the state is kept in LOCALSTACK_VOLUME_DIR"),
    Foreign(("LEGACY_DIRECTORIES",), "everything is kept in LOCALSTACK_VOLUME_DIR"),
    Foreign(("DEFAULT_REGION",), "a request's region is the one it was signed for; set AWS_DEFAULT_REGION for clients"),
    Foreign(("USE_SINGLE_REGION",), "a request's region is the one it was signed for"),
    # --- it is so without being asked
    Foreign(
        ("SNAPSHOT_SAVE_STRATEGY", "SNAPSHOT_LOAD_STRATEGY"),
        "with PERSISTENCE=1 every request is saved before it is answered, and loaded at start",
    ),
    Foreign(
        ("DYNAMODB_SHARE_DB", "DYNAMODB_IN_MEMORY", "DYNAMODB_HEAP_SIZE", "DYNAMODB_CORS", "DYNAMODB_LOCAL_PORT"),
        "DynamoDB is part of the emulator; there is no server to configure",
    ),
    Foreign(
        ("DYNAMODB_REMOVE_EXPIRED_ITEMS",), "items expire by time to live; move the clock with /_cloudlet/clock/advance"
    ),
    Foreign(("DYNAMODB_DELAY_TRANSIENT_STATUSES",), "tables are ACTIVE at once"),
    Foreign(("S3_SKIP_KMS_KEY_VALIDATION",), "S3 takes any KMS key"),
    Foreign(("EVENT_RULE_ENGINE", "KINESIS_PROVIDER"), "there is one, and it needs no choosing"),
    Foreign(("CFN_VERBOSE_ERRORS",), "errors of resources are always in the stack's events and in the log"),
    Foreign(("CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES",), "they are always stood in for, with a warning in the log"),
    # --- it is not there
    Foreign(("ENFORCE_IAM", "IAM_SOFT_MODE"), "IAM policies are stored and not enforced: every request is allowed"),
    Foreign(
        ("POD_ENCRYPTION", "POD_LOAD_CLI_TIMEOUT"),
        "Cloud Pods are files in the volume, not encrypted; loading them has no limit of time",
    ),
    Foreign(("EXTENSION_AUTO_INSTALL", "EXTENSION_DEV_MODE"), "there are no extensions; use scripts in INIT_DIR"),
    Foreign(
        ("SMTP_HOST", "SMTP_USER", "SMTP_PASS", "SMTP_EMAIL", "SNS_SES_SENDER_ADDRESS"),
        "mail is not sent; what SES was given can be read from its API",
    ),
    Foreign(
        ("SQS_DISABLE_CLOUDWATCH_METRICS", "SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL"),
        "SQS reports no metrics to CloudWatch",
    ),
    Foreign(
        (
            "LAMBDA_DOCKER_*",
            "LAMBDA_REMOVE_CONTAINERS",
            "LAMBDA_REMOTE_DOCKER",
            "LAMBDA_EXECUTOR",
            "LAMBDA_RUNTIME_EXECUTOR",
            "LAMBDA_RUNTIME_IMAGE_MAPPING",
            "LAMBDA_IGNORE_ARCHITECTURE",
            "LAMBDA_PREBUILD_IMAGES",
            "LAMBDA_INIT_*",
            "LAMBDA_DEV_PORT_EXPOSE",
            "HOSTNAME_FROM_LAMBDA",
            "DOCKER_FLAGS",
        ),
        "Lambda functions are processes of the emulator's machine, not containers",
    ),
    Foreign(("LAMBDA_DEBUG_MODE*",), "start the function's own debugger; the function is a process of this machine"),
    Foreign(("LAMBDA_RUNTIME_VALIDATION",), "functions may be made with deprecated runtimes"),
    Foreign(("LAMBDA_TRUNCATE_STDOUT",), "what functions print is in CloudWatch Logs, whole"),
    Foreign(
        ("LAMBDA_EVENT_SOURCE_MAPPING_*", "LAMBDA_SQS_EVENT_SOURCE_MAPPING_*"),
        "event sources are watched, and read as soon as there is something",
    ),
    Foreign(("LAMBDA_LIMITS_CREATE_FUNCTION_REQUEST_SIZE",), "use LAMBDA_LIMITS_CODE_SIZE_ZIPPED"),
    Foreign(
        ("EXTERNAL_SERVICE_PORTS_START", "EXTERNAL_SERVICE_PORTS_END", "MAIN_DOCKER_NETWORK"),
        "no service listens on a port of its own",
    ),
    Foreign(("DOCKER_GLOBAL_IMAGE_PREFIX",), "the emulator starts no containers"),
    Foreign(
        ("EC2_VM_MANAGER", "REDIS_CONTAINER_MODE"),
        "the emulator starts no containers",
    ),
    Foreign(("RDS_*", "EKS_*"), "databases and clusters are stored; none is started"),
    Foreign(
        ("KINESIS_SHARD_LIMIT", "KINESIS_LATENCY", "KINESIS_ON_DEMAND_STREAM_COUNT_LIMIT"), "Kinesis has no such limit"
    ),
    Foreign(("KINESIS_MOCK_*", "KINESIS_INITIALIZE_STREAMS"), "Kinesis is part of the emulator"),
    Foreign(("SFN_MOCK_CONFIG",), "state machines are stored; executions do not run their states"),
    Foreign(("CFN_PER_RESOURCE_TIMEOUT", "CFN_STRING_REPLACEMENT_DENY_LIST"), "CloudFormation has no such setting"),
    Foreign(("OPENSEARCH_*", "GRAPHQL_ENDPOINT_STRATEGY"), "there is no such server to configure"),
    Foreign(("DISABLE_CUSTOM_CORS_APIGATEWAY",), "API Gateway's own CORS answers are not emulated"),
    Foreign(("LS_CI_LOGS",), "logs are not sent to the control plane"),
)


def set_without_effect(variables: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each variable that is set and does nothing, by name."""
    for name in sorted(variables):
        if not variables[name].strip() or any(matches(name, silent) for silent in SILENT):
            continue
        for foreign in FOREIGN:
            if any(matches(name, wanted) for wanted in foreign.names):
                yield f"{name} has no effect: {foreign.remark}."
                break


def matches(name: str, wanted: str) -> bool:
    return name.startswith(wanted[:-1]) if wanted.endswith("*") else name == wanted
