"""Everything that the environment can say. Frozen; the only reader of `os.environ` in the project."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast
from urllib.parse import urlsplit

import msgspec

from cloudlet.foreign_variables import set_without_effect
from cloudlet.hosts import is_loopback

FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
# What CI systems call the run that a process belongs to, the first that is set.
CI_RUN_VARIABLES = ("GITHUB_RUN_ID", "CI_JOB_ID", "CIRCLE_WORKFLOW_JOB_ID", "BUILDKITE_JOB_ID", "BUILD_TAG", "BUILD_ID")


class SettingError(Exception):
    """A variable holds something that it cannot mean. The message names variable, value and what is expected."""


class Environment:
    """Typed reads of environment variables; each read accepts the name with and without the `LOCALSTACK_` prefix."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables

    def text(self, name: str, default: str = "") -> str:
        value = self.variables.get(name)
        if value is None:
            value = self.variables.get("LOCALSTACK_" + name)
        return default if value is None else value.strip()

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.text(name, "1" if default else "0").lower()
        if value in TRUE_WORDS:
            return True
        if value in FALSE_WORDS:
            return False
        raise SettingError(f"{name}={value!r} is neither true (1) nor false (0)")

    def number(self, name: str, default: int) -> int:
        value = self.text(name, str(default)) or str(default)
        try:
            return int(value)
        except ValueError:
            raise SettingError(f"{name}={value!r} is not a whole number") from None

    def share(self, name: str) -> float:
        """A number from 0 to 1; 0 when it is not set."""
        value = self.text(name) or "0"
        try:
            number = float(value)
        except ValueError:
            number = -1
        if not 0 <= number <= 1:
            raise SettingError(f"{name}={value!r} is not a number from 0 to 1")
        return number

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default).lower() or default
        if value not in choices:
            raise SettingError(f"{name}={value!r} is none of {', '.join(choices)}")
        return value

    def names(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(name).split(",") if part.strip())


class Address(msgspec.Struct, frozen=True):
    """Where to listen."""

    host: str
    port: int


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
    disable_transparent_endpoint_injection: bool = (
        False  # DISABLE_TRANSPARENT_ENDPOINT_INJECTION: AWS's names stay AWS's
    )
    # --- identity
    parity_access_key_id: bool = False  # PARITY_AWS_ACCESS_KEY_ID: AKIA… keys carry their account as LKIA… do
    allow_nonstandard_regions: bool = False  # ALLOW_NONSTANDARD_REGIONS: any region name is taken
    # --- logging
    log_level: str = "info"  # LS_LOG: trace, debug, info, warn, error
    debug: bool = False  # DEBUG: log at debug level, tracebacks included
    # --- state
    persistence: bool = False  # PERSISTENCE: keep the state in the volume
    state_url: str = ""  # STATE_URL: postgresql://… for several replicas
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


class PlatformSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The control plane's settings. `docs/configuration.md` has a line for each variable."""

    listen: Address = Address("127.0.0.1", 4580)  # PLATFORM_LISTEN: host:port to listen on
    base_url: str = "http://127.0.0.1:4580"  # PLATFORM_BASE_URL: what people and clients type, no slash at the end
    state_dir: str = ""  # PLATFORM_STATE_DIR: database and secret key, where nothing else is said
    database_url: str = ""  # PLATFORM_DATABASE_URL: postgresql://… or sqlite:///path; SQLite in the state directory
    secret_key: str = ""  # PLATFORM_SECRET_KEY: protects everything secret in the database
    secret_key_file: str = ""  # PLATFORM_SECRET_KEY_FILE: the same from a file; made in the state directory
    plans_file: str = ""  # PLATFORM_PLANS_FILE: what plans there are (docs/plans.md)
    trial_days: int = 14  # PLATFORM_TRIAL_DAYS: length of a trial
    grace_days: int = 0  # PLATFORM_GRACE_DAYS: LocalStack's clients may work on so long after a machine's last license
    bootstrap_admin_email: str = "admin@localhost.localdomain"  # PLATFORM_BOOTSTRAP_ADMIN_EMAIL: the first admin
    signup: Literal["open", "invite", "closed"] = "invite"  # PLATFORM_SIGNUP: open, invite or closed
    smtp_url: str = ""  # PLATFORM_SMTP_URL: smtp[s]://user:password@host:port?starttls=1
    mail_from: str = ""  # PLATFORM_MAIL_FROM: the sender of mail; Cloudlet <cloudlet@host of PLATFORM_BASE_URL>
    dev_mail: bool = False  # PLATFORM_DEV_MAIL: show mail on /dev/mail where no server takes it; 1 on loopback
    ci_policy: Literal["off", "warn", "enforce"] = "warn"  # PLATFORM_CI_POLICY: developer tokens used in CI
    legacy_api_keys: bool = False  # PLATFORM_LEGACY_API_KEYS: 1 lets admins create new legacy API keys
    license_rate_per_address: int = 50  # PLATFORM_LICENSE_RATE_PER_ADDRESS: requests a second; 0 no limit
    license_rate_per_token: int = 5  # PLATFORM_LICENSE_RATE_PER_TOKEN: the same for one token
    api_rate: int = 10  # PLATFORM_API_RATE: the same for one caller of the native API
    metrics_token: str = ""  # PLATFORM_METRICS_TOKEN: opens /metrics to other machines; without it, to this one alone
    webhooks_allow_http: bool = False  # PLATFORM_WEBHOOKS_ALLOW_HTTP: webhooks may lead to http:// addresses
    webhooks_allow_private: bool = False  # PLATFORM_WEBHOOKS_ALLOW_PRIVATE: webhooks may lead into private networks
    log_level: str = "info"  # LS_LOG: trace, debug, info, warn, error
    log_format: Literal["text", "json"] = "text"  # PLATFORM_LOG_FORMAT: text or json

    @property
    def secure_cookies(self) -> bool:
        return self.base_url.startswith("https://")


class CommandSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The command line's settings. `docs/configuration.md` has a line for each variable."""

    config_dir: str  # CONFIG_DIR: the stored auth token and the profiles; ~/.localstack
    state_dir: str  # XDG_STATE_HOME: logs and process files, in its folder `cloudlet`; ~/.local/state
    profiles: tuple[str, ...] = ()  # CONFIG_PROFILE: names of files NAME.env in the configuration directory
    keyring: Literal["auto", "file"] = "auto"  # CLOUDLET_KEYRING: file uses no keyring, but files
    admin_token: str = ""  # CLOUDLET_ADMIN_TOKEN: an admin token (lsadm_…) for `cloudlet ci-key`
    variables: Mapping[str, str] = {}  # the whole environment with the profiles' variables, for child processes

    @property
    def has_credentials(self) -> bool:
        """The environment itself names a token, a token file or an API key."""
        names = ("LOCALSTACK_AUTH_TOKEN", "LOCALSTACK_AUTH_TOKEN_FILE", "AUTH_TOKEN_FILE", "LOCALSTACK_API_KEY")
        return any(self.variables.get(name, "").strip() for name in names)


def parse_addresses(text: str, default_port: int = 4566) -> tuple[Address, ...]:
    """`GATEWAY_LISTEN`: a comma-separated list of host:port, :port, host or [v6]:port."""
    found = []
    for part in text.split(","):
        entry = part.strip()
        if not entry:
            continue
        host, separator, port = entry.rpartition(":")
        if entry.startswith("[") and entry.endswith("]"):
            host, separator, port = entry, "", ""
        if not separator:
            host, port = host or entry if entry.startswith("[") else entry, str(default_port)
        try:
            number = int(port)
        except ValueError:
            raise SettingError(f"GATEWAY_LISTEN={text!r}: {entry!r} is not host:port") from None
        if not 0 <= number <= 65535:
            raise SettingError(f"GATEWAY_LISTEN={text!r}: port {number} is out of range")
        found.append(Address(host.strip("[]") or "0.0.0.0", number))
    if not found:
        raise SettingError(f"GATEWAY_LISTEN={text!r} names no address")
    return tuple(found)


def default_volume_dir(variables: Mapping[str, str]) -> str:
    """The user's state directory, by the XDG rule."""
    base = variables.get("XDG_STATE_HOME") or os.path.join(
        variables.get("HOME") or tempfile.gettempdir(), ".local", "state"
    )
    return os.path.join(base, "cloudlet", "volume")


def in_container() -> bool:
    return Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()


def read_settings(variables: Mapping[str, str] | None = None) -> Settings:
    """Settings from environment variables. Raises SettingError."""
    variables = os.environ if variables is None else variables
    env = Environment(variables)
    contained = in_container()
    listen = parse_addresses(env.text("GATEWAY_LISTEN") or ("0.0.0.0:4566" if contained else "127.0.0.1:4566"))
    activate = env.text("ACTIVATE_PRO")
    seed = env.text("CLOUDLET_SEED")
    debug = env.flag("DEBUG")
    log_level = env.choice(
        "LS_LOG", "debug" if debug else "info", ("trace", "trace-internal", "debug", "info", "warn", "warning", "error")
    )
    return Settings(
        gateway_listen=listen,
        localstack_host=read_localstack_host(variables, listen[0].port),
        use_ssl=env.flag("USE_SSL"),
        custom_ssl_cert_path=env.text("CUSTOM_SSL_CERT_PATH"),
        response_header_enabled=env.flag("LOCALSTACK_RESPONSE_HEADER_ENABLED", True),
        disable_cors_headers=env.flag("DISABLE_CORS_HEADERS"),
        disable_cors_checks=env.flag("DISABLE_CORS_CHECKS"),
        extra_cors_allowed_origins=env.names("EXTRA_CORS_ALLOWED_ORIGINS"),
        extra_cors_allowed_headers=env.names("EXTRA_CORS_ALLOWED_HEADERS"),
        extra_cors_expose_headers=env.names("EXTRA_CORS_EXPOSE_HEADERS"),
        disable_custom_cors_s3=env.flag("DISABLE_CUSTOM_CORS_S3"),
        dns_address="" if env.text("DNS_ADDRESS") == "0" else env.text("DNS_ADDRESS"),
        dns_port=env.number("DNS_PORT", 53),
        dns_server=env.text("DNS_SERVER"),
        dns_resolve_ip=env.text("DNS_RESOLVE_IP"),
        dns_upstream_patterns=read_patterns("DNS_NAME_PATTERNS_TO_RESOLVE_UPSTREAM", env),
        disable_transparent_endpoint_injection=env.flag("DISABLE_TRANSPARENT_ENDPOINT_INJECTION"),
        parity_access_key_id=env.flag("PARITY_AWS_ACCESS_KEY_ID"),
        allow_nonstandard_regions=env.flag("ALLOW_NONSTANDARD_REGIONS"),
        log_level="warn" if log_level == "warning" else log_level,
        debug=debug,
        persistence=env.flag("PERSISTENCE"),
        state_url=env.text("STATE_URL"),
        durability="disk" if env.choice("DURABILITY", "process", ("process", "disk")) == "disk" else "process",
        snapshot_flush_interval=max(1, env.number("SNAPSHOT_FLUSH_INTERVAL", 15)),
        volume_dir=env.text("LOCALSTACK_VOLUME_DIR")
        or ("/var/lib/localstack" if contained else default_volume_dir(variables)),
        temporary_dir=tempfile.gettempdir(),
        random_seed=env.number("CLOUDLET_SEED", 0) if seed else None,
        init_dir=env.text("INIT_DIR", "/etc/localstack/init"),
        services=env.names("SERVICES"),
        strict_service_loading=env.flag("STRICT_SERVICE_LOADING", True),
        eager_service_loading=env.flag("EAGER_SERVICE_LOADING"),
        enable_config_updates=env.flag("ENABLE_CONFIG_UPDATES"),
        s3_skip_signature_validation=env.flag("S3_SKIP_SIGNATURE_VALIDATION"),
        dynamodb_error_probability=env.share("DYNAMODB_ERROR_PROBABILITY"),
        dynamodb_read_error_probability=env.share("DYNAMODB_READ_ERROR_PROBABILITY"),
        dynamodb_write_error_probability=env.share("DYNAMODB_WRITE_ERROR_PROBABILITY"),
        kinesis_error_probability=env.share("KINESIS_ERROR_PROBABILITY"),
        sqs_delay_purge_retry=env.flag("SQS_DELAY_PURGE_RETRY"),
        sqs_delay_recently_deleted=env.flag("SQS_DELAY_RECENTLY_DELETED"),
        sqs_enable_message_retention_period=env.flag("SQS_ENABLE_MESSAGE_RETENTION_PERIOD", True),
        sqs_endpoint_strategy=env.choice(
            "SQS_ENDPOINT_STRATEGY", "standard", ("standard", "domain", "path", "off", "dynamic")
        ),
        auth_token=variables.get("LOCALSTACK_AUTH_TOKEN", variables.get("AUTH_TOKEN", "")),
        auth_token_file=env.text("AUTH_TOKEN_FILE"),
        api_key=variables.get("LOCALSTACK_API_KEY", ""),
        activate_pro=env.flag("ACTIVATE_PRO") if activate else None,
        api_endpoint=env.text("API_ENDPOINT", "http://127.0.0.1:4580/v1"),
        web_app_url=env.text("WEB_APP_URL", "http://127.0.0.1:4580"),
        log_license_issues=env.flag("LOG_LICENSE_ISSUES", True),
        license_error_format=env.choice("LICENSE_ERROR_FORMAT", "text", ("text", "json")),
        ci=env.text("CI").lower() not in FALSE_WORDS,
        license_timeout_seconds=max(1, env.number("LICENSE_TIMEOUT", 8)),
        license_trust_keys=env.text("LICENSE_TRUST_KEYS"),
        license_file=env.text("LICENSE_FILE"),
        license_offline=env.choice("LICENSE_OFFLINE", "auto", ("auto", "only", "never")),
        ci_project=env.text("LS_CI_PROJECT") or env.text("CI_PROJECT"),
        ci_run=next((f"{name}={env.text(name)}" for name in CI_RUN_VARIABLES if env.text(name)), ""),
        http_proxy=env.text("OUTBOUND_HTTP_PROXY") or env.text("HTTP_PROXY") or env.text("http_proxy"),
        https_proxy=env.text("OUTBOUND_HTTPS_PROXY") or env.text("HTTPS_PROXY") or env.text("https_proxy"),
        no_proxy=env.names("NO_PROXY") or env.names("no_proxy"),
        ca_bundles=tuple(filter(None, (env.text("REQUESTS_CA_BUNDLE"), env.text("LICENSE_CA_BUNDLE")))),
        ssl_no_verify=env.flag("SSL_NO_VERIFY"),
        in_container=contained,
    )


def read_patterns(name: str, env: Environment) -> tuple[str, ...]:
    """A comma-separated list of regular expressions."""
    patterns = env.names(name)
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise SettingError(f"{name}: {pattern!r} is no regular expression: {error}") from None
    return patterns


def read_remarks(variables: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """A sentence for each variable that is set and has no effect here."""
    return tuple(set_without_effect(os.environ if variables is None else variables))


def read_localstack_host(variables: Mapping[str, str], port: int) -> str:
    """`LOCALSTACK_HOST` as host:port; the port is the gateway's where the variable has none."""
    host = variables.get("LOCALSTACK_HOST", "").strip() or "localhost.localstack.cloud"
    return host if ":" in host else f"{host}:{port}"


def read_platform_settings(variables: Mapping[str, str] | None = None) -> PlatformSettings:
    """The control plane's settings from environment variables. Raises SettingError."""
    variables = os.environ if variables is None else variables
    env = Environment(variables)
    contained = in_container()
    default_listen = "0.0.0.0:4580" if contained else "127.0.0.1:4580"
    listen = parse_addresses(env.text("PLATFORM_LISTEN") or default_listen, default_port=4580)[0]
    shown_host = "127.0.0.1" if listen.host in {"0.0.0.0", "::"} else listen.host
    shown_host = f"[{shown_host}]" if ":" in shown_host else shown_host
    base_url = env.text("PLATFORM_BASE_URL").rstrip("/") or f"http://{shown_host}:{listen.port}"
    is_local = is_loopback(listen.host) and is_loopback(urlsplit(base_url).hostname or "")
    signup = env.choice("PLATFORM_SIGNUP", "open" if is_local else "invite", ("open", "invite", "closed"))
    ci_policy = env.choice("PLATFORM_CI_POLICY", "warn", ("off", "warn", "enforce"))
    log_format = env.choice("PLATFORM_LOG_FORMAT", "text", ("text", "json"))
    return PlatformSettings(
        listen=listen,
        base_url=base_url,
        state_dir=env.text("PLATFORM_STATE_DIR") or str(Path(default_volume_dir(variables)).parent / "control"),
        database_url=env.text("PLATFORM_DATABASE_URL"),
        secret_key=env.text("PLATFORM_SECRET_KEY"),
        secret_key_file=env.text("PLATFORM_SECRET_KEY_FILE"),
        plans_file=env.text("PLATFORM_PLANS_FILE"),
        trial_days=env.number("PLATFORM_TRIAL_DAYS", 14),
        grace_days=max(0, env.number("PLATFORM_GRACE_DAYS", 0)),
        bootstrap_admin_email=env.text("PLATFORM_BOOTSTRAP_ADMIN_EMAIL", "admin@localhost.localdomain"),
        signup=cast(Literal["open", "invite", "closed"], signup),
        smtp_url=(smtp_url := env.text("PLATFORM_SMTP_URL")),
        mail_from=env.text("PLATFORM_MAIL_FROM"),
        dev_mail=env.flag("PLATFORM_DEV_MAIL", is_local) and not smtp_url,
        ci_policy=cast(Literal["off", "warn", "enforce"], ci_policy),
        legacy_api_keys=env.flag("PLATFORM_LEGACY_API_KEYS"),
        license_rate_per_address=env.number("PLATFORM_LICENSE_RATE_PER_ADDRESS", 50),
        license_rate_per_token=env.number("PLATFORM_LICENSE_RATE_PER_TOKEN", 5),
        api_rate=env.number("PLATFORM_API_RATE", 10),
        metrics_token=env.text("PLATFORM_METRICS_TOKEN"),
        webhooks_allow_http=env.flag("PLATFORM_WEBHOOKS_ALLOW_HTTP"),
        webhooks_allow_private=env.flag("PLATFORM_WEBHOOKS_ALLOW_PRIVATE"),
        log_level=env.text("LS_LOG", "info"),
        log_format=cast(Literal["text", "json"], log_format),
    )


def read_command_settings(
    variables: Mapping[str, str] | None = None, profiles: tuple[str, ...] = ()
) -> CommandSettings:
    """Settings of the command line; `profiles` outranks CONFIG_PROFILE. Raises SettingError.

    A profile is a file of NAME=VALUE lines. `default` is used where none is named and it exists; the environment wins.
    """
    own = dict(os.environ if variables is None else variables)
    home = own.get("HOME") or tempfile.gettempdir()
    config_dir = Path(own.get("CONFIG_DIR") or Path(home, ".localstack"))
    named = profiles or Environment(own).names("CONFIG_PROFILE")
    found: dict[str, str] = {}
    for name in named or ("default",):
        path = config_dir / f"{name}.env"
        if path.is_file():
            found.update(parse_profile(path.read_text(encoding="utf-8"), str(path)))
        elif named:
            raise SettingError(f"profile {name!r}: there is no file {path}")
    merged = found | own
    volume_dir = default_volume_dir(merged)
    # Not /var/lib/localstack, the default inside a container: that may be a dev container with several users.
    merged.setdefault("LOCALSTACK_VOLUME_DIR", volume_dir)
    state_dir = Path(volume_dir).parent
    keyring = Environment(merged).choice("CLOUDLET_KEYRING", "auto", ("auto", "file"))
    return CommandSettings(
        config_dir=str(config_dir),
        state_dir=str(state_dir),
        profiles=named,
        keyring="file" if keyring == "file" else "auto",
        admin_token=Environment(merged).text("CLOUDLET_ADMIN_TOKEN"),
        variables=merged,
    )


def parse_profile(text: str, path: str) -> dict[str, str]:
    """Lines `NAME=VALUE`, `export NAME="VALUE"`, blank lines and `# remarks`."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.strip().removeprefix("export ").strip()
        if not entry or entry.startswith("#"):
            continue
        name, separator, value = entry.partition("=")
        if not separator or not name.strip().isidentifier():
            raise SettingError(f"{path}, line {number}: not NAME=VALUE")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        found[name.strip()] = value
    return found


VARIABLE_NAMES = MappingProxyType(
    {
        "localstack_host": "LOCALSTACK_HOST",
        "response_header_enabled": "LOCALSTACK_RESPONSE_HEADER_ENABLED",
        "dns_upstream_patterns": "DNS_NAME_PATTERNS_TO_RESOLVE_UPSTREAM",
        "parity_access_key_id": "PARITY_AWS_ACCESS_KEY_ID",
        "log_level": "LS_LOG",
        "volume_dir": "LOCALSTACK_VOLUME_DIR",
        "random_seed": "CLOUDLET_SEED",
        "auth_token": "LOCALSTACK_AUTH_TOKEN",
        "auth_token_file": "LOCALSTACK_AUTH_TOKEN_FILE",
        "api_key": "LOCALSTACK_API_KEY",
        "license_timeout_seconds": "LICENSE_TIMEOUT",
        "ci_project": "LS_CI_PROJECT",
        "ci_run": "GITHUB_RUN_ID",
        "http_proxy": "OUTBOUND_HTTP_PROXY",
        "https_proxy": "OUTBOUND_HTTPS_PROXY",
        "ca_bundles": "REQUESTS_CA_BUNDLE",
    }
)
SECRET_FIELDS = frozenset({"auth_token", "api_key"})
URL_FIELDS = frozenset({"http_proxy", "https_proxy", "state_url"})  # URLs that may hold a password
SHOWN_OF_A_SECRET = 11  # `ls-` and eight characters: enough to recognise a token, useless to anyone else


def shown_settings(settings: Settings) -> dict[str, object]:
    """All settings by variable name, as they may be shown to people: secrets are cut off."""
    shown: dict[str, object] = {}
    for field in settings.__struct_fields__:
        value = getattr(settings, field)
        if field in SECRET_FIELDS and value:
            value = value[: SHOWN_OF_A_SECRET if len(value) > 2 * SHOWN_OF_A_SECRET else 2] + "****"
        elif field in URL_FIELDS:
            value = re.sub(r"//[^/@]*@", "//****@", value)
        elif field == "gateway_listen":
            value = ",".join(f"{address.host}:{address.port}" for address in value)
        shown[VARIABLE_NAMES.get(field, field.upper())] = value
    return shown
