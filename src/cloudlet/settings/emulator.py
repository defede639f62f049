"""The emulator's settings."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from cloudlet.foreign_variables import set_without_effect
from cloudlet.settings.environment import (
    FALSE_WORDS,
    Address,
    Environment,
    default_volume_dir,
    given,
    in_container,
    parse_addresses,
    read_patterns,
)

# What CI systems call the run that a process belongs to, the first that is set.
CI_RUN_VARIABLES = ("GITHUB_RUN_ID", "CI_JOB_ID", "CIRCLE_WORKFLOW_JOB_ID", "BUILDKITE_JOB_ID", "BUILD_TAG", "BUILD_ID")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The emulator's settings. `docs/configuration.md` has a line for each variable."""

    # --- gateway
    gateway_listen: tuple[Address, ...] = (Address("127.0.0.1", 4566),)  # GATEWAY_LISTEN: host:port, …
    localstack_host: str = "localhost.localstack.cloud:4566"  # LOCALSTACK_HOST: host:port in queue URLs and the like
    use_ssl: bool = False  # USE_SSL: answers name https URLs
    custom_ssl_cert_path: str = ""  # CUSTOM_SSL_CERT_PATH: PEM with key and chain for TLS on the gateway
    max_header_bytes: int = 64 * 1024
    response_header_enabled: bool = True  # LOCALSTACK_RESPONSE_HEADER_ENABLED: x-localstack on answers
    # --- CORS
    disable_cors_headers: bool = False  # DISABLE_CORS_HEADERS: no CORS headers on answers
    disable_cors_checks: bool = False  # DISABLE_CORS_CHECKS: browsers of any origin are served
    extra_cors_allowed_origins: tuple[str, ...] = ()  # EXTRA_CORS_ALLOWED_ORIGINS: further origins
    extra_cors_allowed_headers: tuple[str, ...] = ()  # EXTRA_CORS_ALLOWED_HEADERS: further request headers
    extra_cors_expose_headers: tuple[str, ...] = ()  # EXTRA_CORS_EXPOSE_HEADERS: further answer headers
    disable_custom_cors_s3: bool = False  # DISABLE_CUSTOM_CORS_S3: a bucket's CORS rules do not count
    # --- names
    dns_address: str = ""  # DNS_ADDRESS: run a name server on this address; none when empty or 0
    dns_port: int = 53  # DNS_PORT: its port, UDP and TCP
    dns_server: str = ""  # DNS_SERVER: who resolves all other names (address or address#port); else the machine's own
    dns_resolve_ip: str = ""  # DNS_RESOLVE_IP: what the emulator's names resolve to; else the address we are reached at
    dns_upstream_patterns: tuple[str, ...] = ()  # DNS_NAME_PATTERNS_TO_RESOLVE_UPSTREAM: regular expressions, …
    leave_aws_names: bool = False  # DISABLE_TRANSPARENT_ENDPOINT_INJECTION: AWS's names stay AWS's
    # --- identity
    parity_access_key_id: bool = False  # PARITY_AWS_ACCESS_KEY_ID: AKIA… keys carry their account as LKIA… do
    allow_nonstandard_regions: bool = False  # ALLOW_NONSTANDARD_REGIONS: any region name is taken
    # --- logging
    log_level: str = "info"  # LS_LOG: trace, debug, info, warn, error
    debug: bool = False  # DEBUG: log at debug level, tracebacks included
    # --- state
    persistence: bool = False  # PERSISTENCE: keep the state in the volume
    state_url: str = ""  # STATE_URL: postgresql://… for several replicas
    auto_load_pod: tuple[str, ...] = ()  # AUTO_LOAD_POD: Cloud Pods that are loaded at the start, with commas between
    merge_strategy: str = "account-region-merge"  # MERGE_STRATEGY: how a Cloud Pod is loaded into what is there
    durability: Literal["process", "disk"] = "process"  # DURABILITY: disk survives a power cut, process a kill
    snapshot_flush_interval: int = 15  # SNAPSHOT_FLUSH_INTERVAL: seconds between saves of what the fallback serves
    volume_dir: str = ""  # LOCALSTACK_VOLUME_DIR: state, cache and logs; in a container /var/lib/localstack
    temporary_dir: str = ""  # where an ephemeral state lives; the system's temporary directory when empty
    random_seed: int | None = None  # CLOUDLET_SEED: deterministic ids
    init_dir: str = "/etc/localstack/init"  # INIT_DIR: scripts in boot.d, start.d, ready.d and shutdown.d
    # --- services
    services: tuple[str, ...] = ()  # SERVICES: serve only these
    strict_service_loading: bool = True  # STRICT_SERVICE_LOADING: what SERVICES does not name is refused
    eager_service_loading: bool = False  # EAGER_SERVICE_LOADING: load services at start, not at first use
    enable_config_updates: bool = False  # ENABLE_CONFIG_UPDATES: serve /_localstack/config
    s3_skip_signature_validation: bool = False  # S3_SKIP_SIGNATURE_VALIDATION: presigned URLs are not checked
    dynamodb_error_probability: float = 0  # DYNAMODB_ERROR_PROBABILITY: share of reads and writes that are throttled
    dynamodb_read_error_probability: float = 0  # DYNAMODB_READ_ERROR_PROBABILITY: of reads
    dynamodb_write_error_probability: float = 0  # DYNAMODB_WRITE_ERROR_PROBABILITY: of writes
    kinesis_error_probability: float = 0  # KINESIS_ERROR_PROBABILITY: of PutRecord, PutRecords and GetRecords
    sqs_delay_purge_retry: bool = False  # SQS_DELAY_PURGE_RETRY: PurgeQueue once in 60 s only, as on AWS
    sqs_delay_recently_deleted: bool = False  # SQS_DELAY_RECENTLY_DELETED: a deleted queue's name is free after 60 s
    sqs_enable_message_retention_period: bool = True  # SQS_ENABLE_MESSAGE_RETENTION_PERIOD: drop messages older than it
    sqs_endpoint_strategy: str = "standard"  # SQS_ENDPOINT_STRATEGY: standard, domain, path, off, dynamic
    # --- Lambda
    bucket_marker_local: str = "hot-reload"  # BUCKET_MARKER_LOCAL: the S3Bucket that makes S3Key a local folder
    lambda_keepalive_ms: int = 600_000  # LAMBDA_KEEPALIVE_MS: how long a process waits for the function's next event
    lambda_runtime_environment_timeout: int = 20  # LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT: seconds for a process to begin
    lambda_disable_aws_endpoint_url: bool = False  # LAMBDA_DISABLE_AWS_ENDPOINT_URL: functions get no AWS_ENDPOINT_URL
    lambda_synchronous_create: bool = False  # LAMBDA_SYNCHRONOUS_CREATE: CreateFunction answers with an active function
    lambda_retry_base_delay_seconds: int = 60  # LAMBDA_RETRY_BASE_DELAY_SECONDS: until a failed event's next attempt
    lambda_limits_concurrent_executions: int = 1000  # LAMBDA_LIMITS_CONCURRENT_EXECUTIONS: of an account in a region
    lambda_limits_minimum_unreserved_concurrency: int = 100  # LAMBDA_LIMITS_MINIMUM_UNRESERVED_CONCURRENCY: left free
    lambda_limits_total_code_size: int = 80_530_636_800  # LAMBDA_LIMITS_TOTAL_CODE_SIZE: bytes; shown, not enforced
    lambda_limits_code_size_zipped: int = 52_428_800  # LAMBDA_LIMITS_CODE_SIZE_ZIPPED: bytes of a ZIP file in a request
    lambda_limits_code_size_unzipped: int = 262_144_000  # LAMBDA_LIMITS_CODE_SIZE_UNZIPPED: bytes of a package
    lambda_limits_max_function_envvar_size_bytes: int = 4096  # LAMBDA_LIMITS_MAX_FUNCTION_ENVVAR_SIZE_BYTES: together
    lambda_limits_max_function_payload_size_bytes: int = 6291456  # LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES: event
    # --- license
    auth_token: str = ""  # LOCALSTACK_AUTH_TOKEN: the personal auth token, or a CI key
    auth_token_file: str = ""  # LOCALSTACK_AUTH_TOKEN_FILE: the same from a file
    api_key: str = ""  # LOCALSTACK_API_KEY: an API key of older set-ups, or a CI key
    activate_pro: bool | None = None  # ACTIVATE_PRO: 0 never, 1 must, unset when there are credentials
    api_endpoint: str = "http://127.0.0.1:4580/v1"  # API_ENDPOINT: the control plane, with /v1
    web_app_url: str = "http://127.0.0.1:4580"  # WEB_APP_URL: where texts send people
    log_license_issues: bool = True  # LOG_LICENSE_ISSUES: 0 keeps license problems out of the log
    license_error_format: str = "text"  # LICENSE_ERROR_FORMAT: text or json
    ci: bool = False  # CI: set by CI systems; starts count against the CI credits
    license_timeout_seconds: int = 8  # LICENSE_TIMEOUT: the longest that a start waits for the control plane
    license_trust_keys: str = ""  # LICENSE_TRUST_KEYS: public keys (base64url, comma-separated) to trust, and no others
    license_file: str = ""  # LICENSE_FILE: a license for a machine without a network
    license_offline: str = "auto"  # LICENSE_OFFLINE: auto; only = never ask the control plane; never = always ask it
    ci_project: str = ""  # LS_CI_PROJECT: the project that CI starts count for
    ci_run: str = ""  # GITHUB_RUN_ID: or CI_JOB_ID, BUILD_ID, …; starts of one run cost one CI credit
    # --- way out
    http_proxy: str = ""  # OUTBOUND_HTTP_PROXY: proxy for http; else HTTP_PROXY
    https_proxy: str = ""  # OUTBOUND_HTTPS_PROXY: proxy for https; else HTTPS_PROXY
    no_proxy: tuple[str, ...] = ()  # NO_PROXY: hosts that are reached without a proxy
    ca_bundles: tuple[str, ...] = ()  # REQUESTS_CA_BUNDLE: PEM file of authorities; LICENSE_CA_BUNDLE adds one
    ssl_no_verify: bool = False  # SSL_NO_VERIFY: 1 accepts any certificate of the control plane
    in_container: bool = False

    @property
    def port(self) -> int:
        return self.gateway_listen[0].port

    @property
    def protocol(self) -> str:
        return "https" if self.use_ssl else "http"

    @property
    def state_dir(self) -> Path | None:
        """Where the state is kept; None when it is ephemeral."""
        return Path(self.volume_dir) / "state" if self.persistence else None


def read_settings(variables: Mapping[str, str] | None = None) -> Settings:
    """Settings from environment variables. Raises SettingError."""
    env = Environment(given(variables))
    return Settings(
        **gateway_settings(env),
        **state_settings(env),
        **service_settings(env),
        **lambda_settings(env),
        **license_settings(env),
        **way_out_settings(env),
    )


def gateway_settings(env: Environment) -> dict[str, Any]:
    default = "0.0.0.0:4566" if in_container() else "127.0.0.1:4566"
    listen = parse_addresses(env.text("GATEWAY_LISTEN") or default)
    return {
        "gateway_listen": listen,
        "localstack_host": read_localstack_host(env.variables, listen[0].port),
        "use_ssl": env.flag("USE_SSL"),
        "custom_ssl_cert_path": env.text("CUSTOM_SSL_CERT_PATH"),
        "response_header_enabled": env.flag("LOCALSTACK_RESPONSE_HEADER_ENABLED", True),
        "disable_cors_headers": env.flag("DISABLE_CORS_HEADERS"),
        "disable_cors_checks": env.flag("DISABLE_CORS_CHECKS"),
        "extra_cors_allowed_origins": env.names("EXTRA_CORS_ALLOWED_ORIGINS"),
        "extra_cors_allowed_headers": env.names("EXTRA_CORS_ALLOWED_HEADERS"),
        "extra_cors_expose_headers": env.names("EXTRA_CORS_EXPOSE_HEADERS"),
        "disable_custom_cors_s3": env.flag("DISABLE_CUSTOM_CORS_S3"),
        "dns_address": "" if env.text("DNS_ADDRESS") == "0" else env.text("DNS_ADDRESS"),
        "dns_port": env.number("DNS_PORT", 53),
        "dns_server": env.text("DNS_SERVER"),
        "dns_resolve_ip": env.text("DNS_RESOLVE_IP"),
        "dns_upstream_patterns": read_patterns("DNS_NAME_PATTERNS_TO_RESOLVE_UPSTREAM", env),
        "leave_aws_names": env.flag("DISABLE_TRANSPARENT_ENDPOINT_INJECTION"),
        "parity_access_key_id": env.flag("PARITY_AWS_ACCESS_KEY_ID"),
        "allow_nonstandard_regions": env.flag("ALLOW_NONSTANDARD_REGIONS"),
    }


def state_settings(env: Environment) -> dict[str, Any]:
    contained = in_container()
    seed = env.text("CLOUDLET_SEED")
    debug = env.flag("DEBUG")
    log_level = env.choice(
        "LS_LOG", "debug" if debug else "info", ("trace", "trace-internal", "debug", "info", "warn", "warning", "error")
    )
    return {
        "in_container": contained,
        "log_level": "warn" if log_level == "warning" else log_level,
        "debug": debug,
        "persistence": env.flag("PERSISTENCE"),
        "state_url": env.text("STATE_URL"),
        "auto_load_pod": env.names("AUTO_LOAD_POD"),
        "merge_strategy": env.choice(
            "MERGE_STRATEGY", "account-region-merge", ("account-region-merge", "service-merge", "overwrite")
        ),
        "durability": "disk" if env.choice("DURABILITY", "process", ("process", "disk")) == "disk" else "process",
        "snapshot_flush_interval": max(1, env.number("SNAPSHOT_FLUSH_INTERVAL", 15)),
        "volume_dir": env.text("LOCALSTACK_VOLUME_DIR")
        or ("/var/lib/localstack" if contained else default_volume_dir(env.variables)),
        "temporary_dir": tempfile.gettempdir(),
        "random_seed": env.number("CLOUDLET_SEED", 0) if seed else None,
        "init_dir": env.text("INIT_DIR", "/etc/localstack/init"),
    }


def service_settings(env: Environment) -> dict[str, Any]:
    return {
        "services": env.names("SERVICES"),
        "strict_service_loading": env.flag("STRICT_SERVICE_LOADING", True),
        "eager_service_loading": env.flag("EAGER_SERVICE_LOADING"),
        "enable_config_updates": env.flag("ENABLE_CONFIG_UPDATES"),
        "s3_skip_signature_validation": env.flag("S3_SKIP_SIGNATURE_VALIDATION"),
        "dynamodb_error_probability": env.share("DYNAMODB_ERROR_PROBABILITY"),
        "dynamodb_read_error_probability": env.share("DYNAMODB_READ_ERROR_PROBABILITY"),
        "dynamodb_write_error_probability": env.share("DYNAMODB_WRITE_ERROR_PROBABILITY"),
        "kinesis_error_probability": env.share("KINESIS_ERROR_PROBABILITY"),
        "sqs_delay_purge_retry": env.flag("SQS_DELAY_PURGE_RETRY"),
        "sqs_delay_recently_deleted": env.flag("SQS_DELAY_RECENTLY_DELETED"),
        "sqs_enable_message_retention_period": env.flag("SQS_ENABLE_MESSAGE_RETENTION_PERIOD", True),
        "sqs_endpoint_strategy": env.choice(
            "SQS_ENDPOINT_STRATEGY", "standard", ("standard", "domain", "path", "off", "dynamic")
        ),
    }


def lambda_settings(env: Environment) -> dict[str, Any]:
    return {
        "bucket_marker_local": env.text("BUCKET_MARKER_LOCAL", "hot-reload"),
        "lambda_keepalive_ms": max(0, env.number("LAMBDA_KEEPALIVE_MS", 600_000)),
        "lambda_runtime_environment_timeout": max(1, env.number("LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT", 20)),
        "lambda_disable_aws_endpoint_url": env.flag("LAMBDA_DISABLE_AWS_ENDPOINT_URL"),
        "lambda_synchronous_create": env.flag("LAMBDA_SYNCHRONOUS_CREATE"),
        "lambda_retry_base_delay_seconds": max(0, env.number("LAMBDA_RETRY_BASE_DELAY_SECONDS", 60)),
        "lambda_limits_concurrent_executions": env.number("LAMBDA_LIMITS_CONCURRENT_EXECUTIONS", 1000),
        "lambda_limits_minimum_unreserved_concurrency": env.number("LAMBDA_LIMITS_MINIMUM_UNRESERVED_CONCURRENCY", 100),
        "lambda_limits_total_code_size": env.number("LAMBDA_LIMITS_TOTAL_CODE_SIZE", 80_530_636_800),
        "lambda_limits_code_size_zipped": env.number("LAMBDA_LIMITS_CODE_SIZE_ZIPPED", 52_428_800),
        "lambda_limits_code_size_unzipped": env.number("LAMBDA_LIMITS_CODE_SIZE_UNZIPPED", 262_144_000),
        "lambda_limits_max_function_envvar_size_bytes": env.number(
            "LAMBDA_LIMITS_MAX_FUNCTION_ENVVAR_SIZE_BYTES", 4096
        ),
        "lambda_limits_max_function_payload_size_bytes": env.number(
            "LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES", 6_291_456
        ),
    }


def license_settings(env: Environment) -> dict[str, Any]:
    variables = env.variables
    activate = env.text("ACTIVATE_PRO")
    return {
        "auth_token": variables.get("LOCALSTACK_AUTH_TOKEN", variables.get("AUTH_TOKEN", "")),
        "auth_token_file": env.text("AUTH_TOKEN_FILE"),
        "api_key": variables.get("LOCALSTACK_API_KEY", ""),
        "activate_pro": env.flag("ACTIVATE_PRO") if activate else None,
        "api_endpoint": env.text("API_ENDPOINT", "http://127.0.0.1:4580/v1"),
        "web_app_url": env.text("WEB_APP_URL", "http://127.0.0.1:4580"),
        "log_license_issues": env.flag("LOG_LICENSE_ISSUES", True),
        "license_error_format": env.choice("LICENSE_ERROR_FORMAT", "text", ("text", "json")),
        "ci": env.text("CI").lower() not in FALSE_WORDS,
        "license_timeout_seconds": max(1, env.number("LICENSE_TIMEOUT", 8)),
        "license_trust_keys": env.text("LICENSE_TRUST_KEYS"),
        "license_file": env.text("LICENSE_FILE"),
        "license_offline": env.choice("LICENSE_OFFLINE", "auto", ("auto", "only", "never")),
        "ci_project": env.text("LS_CI_PROJECT") or env.text("CI_PROJECT"),
        "ci_run": next((f"{name}={env.text(name)}" for name in CI_RUN_VARIABLES if env.text(name)), ""),
    }


def way_out_settings(env: Environment) -> dict[str, Any]:
    return {
        "http_proxy": env.text("OUTBOUND_HTTP_PROXY") or env.text("HTTP_PROXY") or env.text("http_proxy"),
        "https_proxy": env.text("OUTBOUND_HTTPS_PROXY") or env.text("HTTPS_PROXY") or env.text("https_proxy"),
        "no_proxy": env.names("NO_PROXY") or env.names("no_proxy"),
        "ca_bundles": tuple(filter(None, (env.text("REQUESTS_CA_BUNDLE"), env.text("LICENSE_CA_BUNDLE")))),
        "ssl_no_verify": env.flag("SSL_NO_VERIFY"),
    }


def read_remarks(variables: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """A sentence for each variable that is set and has no effect here."""
    return tuple(set_without_effect(given(variables)))


def read_localstack_host(variables: Mapping[str, str], port: int) -> str:
    """`LOCALSTACK_HOST` as host:port; the port is the gateway's where the variable has none."""
    host = variables.get("LOCALSTACK_HOST", "").strip() or "localhost.localstack.cloud"
    return host if ":" in host else f"{host}:{port}"
