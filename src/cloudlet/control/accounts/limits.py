"""How often somebody may try a password, a code, or have mail sent. Who comes in gets their tries back."""

from __future__ import annotations

from sqlalchemy.orm import Session

from cloudlet.control.db import Database
from cloudlet.control.limits.service import Limit, check, network_of, refill
from cloudlet.control.platform import Platform

# Many people may share an address, and somebody else's wrong tries must not lock an account's owner out soon: few tries
# at one account from one address, more from all addresses together.
PASSWORDS_OF_ADDRESS = Limit("password.ip", rate_per_second=0.5, burst=100)
PASSWORDS_OF_BOTH = Limit("password.both", rate_per_second=1 / 30, burst=10)
PASSWORDS_OF_ACCOUNT = Limit("password.account", rate_per_second=1 / 6, burst=60)
CODES = Limit("code", rate_per_second=1 / 60, burst=8)
PROOFS = Limit("proof", rate_per_second=1 / 30, burst=10)
MAILS_OF_ADDRESS = Limit("mail.ip", rate_per_second=1 / 60, burst=60)
MAILS_TO_ACCOUNT = Limit("mail.to", rate_per_second=1 / 900, burst=6)


def check_password_tries(database: Database, platform: Platform, ip: str, email: str) -> None:
    """Count a try at the password of an account, known or not. Raises RateLimited."""
    account = account_key(platform, email)
    check(database, platform, PASSWORDS_OF_ADDRESS, ip)
    check(database, platform, PASSWORDS_OF_BOTH, f"{network_of(ip)}:{account}")
    check(database, platform, PASSWORDS_OF_ACCOUNT, account)


def forgive_password_tries(session: Session, platform: Platform, ip: str, email: str) -> None:
    account = account_key(platform, email)
    refill(session, PASSWORDS_OF_BOTH, f"{network_of(ip)}:{account}")
    refill(session, PASSWORDS_OF_ACCOUNT, account)


def check_code_tries(database: Database, platform: Platform, user_id: str) -> None:
    """Count a try at a second factor. Raises RateLimited."""
    check(database, platform, CODES, user_id)


def forgive_code_tries(session: Session, user_id: str) -> None:
    refill(session, CODES, user_id)


def check_owner_tries(database: Database, platform: Platform, ip: str, email: str, user_id: str, code: str) -> None:
    """Count a try to prove that an account is one's own (`service.prove_owner`). Raises RateLimited."""
    check_password_tries(database, platform, ip, email)
    if code:
        check_code_tries(database, platform, user_id)


def forgive_owner_tries(session: Session, platform: Platform, ip: str, email: str, user_id: str) -> None:
    forgive_password_tries(session, platform, ip, email)
    forgive_code_tries(session, user_id)


def check_proof_tries(database: Database, platform: Platform, user_id: str) -> None:
    """Count a try of somebody who is signed in to prove who they are. Raises RateLimited."""
    check(database, platform, PROOFS, user_id)


def forgive_proof_tries(session: Session, user_id: str) -> None:
    refill(session, PROOFS, user_id)


def check_mails(database: Database, platform: Platform, ip: str, email: str) -> None:
    """Count a mail that somebody has us send to an address of their choice. Raises RateLimited."""
    check(database, platform, MAILS_OF_ADDRESS, ip)
    check(database, platform, MAILS_TO_ACCOUNT, account_key(platform, email))


def account_key(platform: Platform, email: str) -> str:
    """Not the address itself: people mistype, and what they mistype is nobody's business."""
    return platform.vault.lookup_hash("tries", email.strip().lower())[:32]
