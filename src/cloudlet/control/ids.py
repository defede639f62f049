"""Row ids: a prefix that says what it is, and a ULID, so that ids sort by time."""

from __future__ import annotations

from cloudlet.license.effects import Effects

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str, effects: Effects) -> str:
    """`ws_01jd…`: 48 bits of milliseconds and 80 random bits, in 26 characters of Crockford's base 32."""
    value = (int(effects.now() * 1000) << 80) | int.from_bytes(effects.random_bytes(10), "big")
    return prefix + "_" + "".join(CROCKFORD[(value >> shift) & 31] for shift in range(125, -5, -5))
