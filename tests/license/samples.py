"""One license that never changes: fixed key, token, machine and times, for golden vectors and for tampering with."""

from __future__ import annotations

from typing import Any

import msgspec

from cloudlet.license import document as documents
from cloudlet.license import envelope as envelopes
from cloudlet.license.verify import Circumstances

TOKEN = "ls-AbCd1234-5678-EfGh-9012-IjKlMnOpc615"
ISSUED = 1_795_500_000
WINDOW = 24 * 3600
EXPIRES = ISSUED + 14 * 24 * 3600
PRIVATE_KEY = envelopes.new_private_key(bytes(range(32)))
PUBLIC_KEY = PRIVATE_KEY.public_key().public_bytes_raw()
OTHER_KEY = envelopes.new_private_key(bytes(range(1, 33)))
TRUST = envelopes.TrustStore([PUBLIC_KEY])
ENTITLEMENTS: Any = {"aws/*": None, "platform/pods": 300}
HERE = Circumstances(
    token=TOKEN, machine_id="dkr_0123456789ab", version="0.1.0", now=ISSUED + 60, where="/cache/license.json"
)


def claims(**changes: Any) -> envelopes.Claims:
    found = envelopes.Claims(
        iss="http://platform.example",
        jti="act_1",
        lic="lic_01",
        ws="ws_01",
        sub="mem_01",
        plan="trial",
        cnf=envelopes.confirmation(TOKEN),
        aud=("cloudlet",),
        ver="*",
        ent={"aws/*": None, "platform/pods": {"limit": 300}},
        mach=None,
        iat=ISSUED,
        nbf=ISSUED,
        ra=ISSUED + WINDOW,
        exp=EXPIRES,
        win=WINDOW,
        seq=1,
        ep=0,
    )
    return msgspec.structs.replace(found, **changes)


def license_document(key: Any = PRIVATE_KEY, token: str = TOKEN, **changes: Any) -> bytes:
    """The bytes that a server would send; `changes` are claims that differ (dates are the document's too)."""
    said = claims(**changes)
    draft = documents.sign(
        documents.Document(
            id=said.lic,
            license_type=said.plan,
            issue_date=documents.to_date(said.iat),
            expiry_date=documents.to_date(said.exp),
            reactivate_after=documents.to_date(said.ra),
            products=documents.products_of(said.ver, ENTITLEMENTS),
            offline_data={"localstack_version": "0.1.0"},
        ),
        token,
    )
    said = msgspec.structs.replace(said, doc=documents.digest(draft))
    offline_data = {**draft.offline_data, "lsl1": envelopes.sign(said, key)}
    return documents.render(msgspec.structs.replace(draft, offline_data=offline_data))
