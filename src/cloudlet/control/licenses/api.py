"""Public keys that licenses are signed with."""

from __future__ import annotations

from litestar import Response, get

from cloudlet.control.given import TheDatabase
from cloudlet.control.licenses.signing import published_keys
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.control.threads import in_thread
from cloudlet.license.envelope import TrustStore


@get("/.well-known/license-keys.json", opt=requires(PUBLIC))
@in_thread
def get_license_keys(database: TheDatabase) -> Response[bytes]:
    """`{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid", "x", "use": "sig"}]}`, the active one first."""
    with database.snapshot() as session:
        keys = published_keys(session)
    return Response(TrustStore(keys).render(), media_type="application/json")


ROUTES = (get_license_keys,)
