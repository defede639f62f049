"""Rules for scanners: what a leaked token of ours looks like."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get

from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.license.patterns import FORMAT, PATTERNS


@get("/.well-known/token-patterns.json", opt=requires(PUBLIC), sync_to_thread=False)
def get_token_patterns() -> dict[str, Any]:
    """`{"format", "patterns": [{"id", "description", "regex", "keywords", "checksum", "secret_group"}]}`."""
    return {"format": FORMAT, "patterns": msgspec.to_builtins(PATTERNS)}


ROUTES = (get_token_patterns,)
