"""How Cloudlet's secrets are found in texts: rules for scanners of repositories, and the checksums that make them sure.

`/.well-known/token-patterns.json` and docs/gitleaks.toml say the same. The expressions keep to what RE2 and other
engines have in common: no look-around, no back references.
"""

from __future__ import annotations

import msgspec

FORMAT = "cloudlet-token-patterns-1"
BODY = "[a-zA-Z]{4}[a-zA-Z0-9]{4}-[a-zA-Z0-9]{4}-[a-zA-Z0-9]{4}-[a-zA-Z0-9]{4}-[a-zA-Z0-9]{8}[0-9a-f]{4}"
MD5_RULE = (
    "The last 4 characters are the first 4 hexadecimal digits of the MD5 digest of everything between the first '-' and "
    "these 4 characters."
)
CRC_RULE = (
    "The last 6 characters are the CRC-32 (as in zlib) of the 32 characters before them, in base 62 "
    "(0-9, A-Z, a-z) with leading zeros."
)


class TokenPattern(msgspec.Struct, frozen=True):
    """`secret_group`: which group of `regex` is the secret, 0 for all of it; `checksum` is "" where there is none."""

    id: str
    description: str
    regex: str
    keywords: tuple[str, ...]
    checksum: str = ""
    secret_group: int = 0


PATTERNS = (
    TokenPattern(
        "cloudlet-auth-token",
        "Cloudlet auth token or device token: a member's license",
        rf"\bls-{BODY}\b",
        ("ls-",),
        MD5_RULE,
    ),
    TokenPattern(
        "cloudlet-ci-key",
        "Cloudlet CI key: a workspace's CI credits",
        rf"\blsci-{BODY}\b",
        ("lsci-",),
        MD5_RULE,
    ),
    TokenPattern(
        "cloudlet-api-token",
        "Cloudlet API token: administers a workspace",
        r"\blsadm_[a-zA-Z0-9]{38}\b",
        ("lsadm_",),
        CRC_RULE,
    ),
    TokenPattern(
        "cloudlet-webhook-secret",
        "Signing secret of a Cloudlet webhook",
        r"\bwhsec_[a-zA-Z0-9_-]{43}\b",
        ("whsec_",),
    ),
    TokenPattern(
        "cloudlet-legacy-api-key",
        "Legacy API key of Cloudlet, found by the variable that it is in",
        r"""(?i)LOCALSTACK_API_KEY["']?[ \t]*[=:][ \t]*["']?([a-z0-9]{10,40})\b""",
        ("localstack_api_key",),
        secret_group=1,
    ),
)
