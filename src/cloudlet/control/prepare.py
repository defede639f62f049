"""What must exist before the first request: current tables, plans, a signing key. And what is over, is gone."""

from __future__ import annotations

from cloudlet.control.accounts.service import forget_expired
from cloudlet.control.db import Database
from cloudlet.control.licenses.plans import ensure_plans
from cloudlet.control.licenses.signing import active_private_key, ensure_signing_key
from cloudlet.control.platform import Platform


def prepare(database: Database, platform: Platform) -> None:
    """Idempotent, and safe when several processes start at once.

    Raises DatabaseUnavailable, and SecretKeyError when the secret is not the one that the database was made with.
    """
    database.migrate()
    with database.transaction() as session:
        database.lock(session)
        ensure_plans(session, platform)
        forget_expired(session, platform)
        ensure_signing_key(session, platform)
        active_private_key(session, platform)
