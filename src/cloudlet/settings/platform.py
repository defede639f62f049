"""The control plane's settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

import msgspec

from cloudlet.hosts import is_loopback
from cloudlet.settings.environment import (
    Address,
    Environment,
    default_volume_dir,
    given,
    in_container,
    parse_addresses,
    read_networks,
)


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
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")  # PLATFORM_TRUSTED_PROXIES: whose X-Forwarded-For counts
    activation_days: int = 400  # PLATFORM_ACTIVATION_DAYS: how long the Activations page goes back; 0 for ever
    metrics_token: str = ""  # PLATFORM_METRICS_TOKEN: opens /metrics to other machines; without it, to this one alone
    webhooks_allow_http: bool = False  # PLATFORM_WEBHOOKS_ALLOW_HTTP: webhooks may lead to http:// addresses
    webhooks_allow_private: bool = False  # PLATFORM_WEBHOOKS_ALLOW_PRIVATE: webhooks may lead into private networks
    sso_allow_private: bool = False  # PLATFORM_SSO_ALLOW_PRIVATE: identity providers may be in private networks
    log_level: str = "info"  # LS_LOG: trace, debug, info, warn, error
    log_format: Literal["text", "json"] = "text"  # PLATFORM_LOG_FORMAT: text or json

    @property
    def is_local(self) -> bool:
        """For this machine alone."""
        return is_loopback(self.listen.host) and is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def secure_cookies(self) -> bool:
        return self.base_url.startswith("https://")


def read_platform_settings(variables: Mapping[str, str] | None = None) -> PlatformSettings:
    """The control plane's settings from environment variables. Raises SettingError."""
    variables = given(variables)
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
        trusted_proxies=read_networks("PLATFORM_TRUSTED_PROXIES", env) or ("127.0.0.1", "::1"),
        activation_days=max(0, env.number("PLATFORM_ACTIVATION_DAYS", 400)),
        metrics_token=env.text("PLATFORM_METRICS_TOKEN"),
        webhooks_allow_http=env.flag("PLATFORM_WEBHOOKS_ALLOW_HTTP"),
        webhooks_allow_private=env.flag("PLATFORM_WEBHOOKS_ALLOW_PRIVATE"),
        sso_allow_private=env.flag("PLATFORM_SSO_ALLOW_PRIVATE"),
        log_level=env.text("LS_LOG", "info"),
        log_format=cast(Literal["text", "json"], log_format),
    )
