"""Examples in the OpenAPI document and on the documentation page, by operation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

LICENSE = MappingProxyType(
    {
        "id": "lic_01jdabcdefghjkmnpqrstvwxyz",
        "status": "ACTIVE",
        "plan": "ultimate",
        "expires_at": "2027-01-01T00:00:00Z",
        "assigned_at": "2026-11-24T10:00:00Z",
    }
)
BODIES: Mapping[str, Any] = MappingProxyType(
    {
        "create_session": {"email": "grace@example.com", "password": "four unrelated words here"},
        "invite_member": {"email": "grace@example.com", "name": "Grace", "role": "member", "assign_license": True},
        "change_member": {"role": "member", "permissions": {"license.assign": True}},
        "change_subscription": {"plan": "ultimate", "seats": 5},
        "reset_token": {"confirm": "reset"},
        "create_ci_key": {"name": "GitHub Actions", "project": "webshop", "days": 90},
        "rotate_ci_key": {"overlap_hours": 24},
        "create_token": {"name": "license sync", "scopes": ["license.assign"], "days": 90},
        "change_machine": {"blocked": True},
        "create_identity_provider": {
            "name": "Okta",
            "issuer": "https://acme.okta.com",
            "client_id": "0oa1b2c3d4E5F6G7h8i9",
            "client_secret": "…",
            "domains": ["example.com"],
        },
        "change_identity_provider": {"required": True},
        "create_webhook": {"url": "https://hooks.example.com/cloudlet", "events": ["license.assigned"]},
    }
)
ANSWERS: Mapping[str, Any] = MappingProxyType(
    {
        "assign_license": {"license": dict(LICENSE), "seats": {"total": 5, "used": 3, "free": 2}},
        "unassign_license": {"license": None, "seats": {"total": 5, "used": 2, "free": 3}},
        "get_my_license": {
            "assigned": True,
            "license": dict(LICENSE),
            "entitlements": [{"name": "aws/*", "limit": None}],
            "token": {"prefix": "ls-AbCdEf12", "last_used_at": "2026-11-24T10:05:00Z"},
            "last_activation": {
                "at": "2026-11-24T10:05:00Z",
                "machine": "dkr_0123456789ab",
                "version": "2026.8.2",
                "result": "ok",
                "offline_until": "2026-11-25T10:05:00Z",
            },
        },
        "verify_chain": {"is_intact": True, "entries": 812, "head": "9f2c…", "broken_at": None},
    }
)
