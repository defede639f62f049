"""Which names are ours, and what address they get."""

from __future__ import annotations

import re
from pathlib import Path

from cloudlet.settings import Settings

OWN = ("localhost.localstack.cloud",)
# Endpoints of AWS that a client inside a container means when it was not told of the emulator.
TRANSPARENT = ("amazonaws.com", "aws.amazon.com", "cloudfront.net", "on.aws", "amazonaws.com.cn")
RESOLVER_CONFIGURATION = Path("/etc/resolv.conf")


class OwnNames:
    """Ours are the emulator's domain, the host of `LOCALSTACK_HOST`, and (unless switched off) AWS's endpoints.

    What `DNS_NAME_PATTERNS_TO_RESOLVE_UPSTREAM` matches is never ours. Raises re.error for a pattern that is none.
    """

    def __init__(self, settings: Settings) -> None:
        host = settings.localstack_host.rpartition(":")[0].lower()
        own = (*OWN, host) if "." in host and not is_address(host) else OWN
        self._domains = own if settings.leave_aws_names else (*own, *TRANSPARENT)
        self._upstream = tuple(re.compile(pattern) for pattern in settings.dns_upstream_patterns)

    def has(self, name: str) -> bool:
        """`name` in lower case, without the last dot."""
        if any(pattern.search(name) for pattern in self._upstream):
            return False
        return any(name == domain or name.endswith("." + domain) for domain in self._domains)


def is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def upstream_server(settings: Settings) -> str:
    """Who is asked about all other names: `DNS_SERVER`, or the machine's first name server; "" when there is none."""
    if settings.dns_server:
        return settings.dns_server
    try:
        lines = RESOLVER_CONFIGURATION.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    servers = [parts[1] for line in lines if len(parts := line.split()) >= 2 and parts[0] == "nameserver"]
    return next((server for server in servers if server != settings.dns_address), "")
