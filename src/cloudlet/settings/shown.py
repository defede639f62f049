"""The emulator's settings as people may see them."""

from __future__ import annotations

import re
from types import MappingProxyType

from cloudlet.settings.emulator import Settings

VARIABLE_NAMES = MappingProxyType(
    {
        "localstack_host": "LOCALSTACK_HOST",
        "response_header_enabled": "LOCALSTACK_RESPONSE_HEADER_ENABLED",
        "leave_aws_names": "DISABLE_TRANSPARENT_ENDPOINT_INJECTION",
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
